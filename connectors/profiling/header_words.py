"""Words by which headers name what a column holds, in the languages that suppliers write them.

Whole words of a header, folded (no accents, lower case). Data only: how they are weighed is `looks_like`'s business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_LISTS: Mapping[str, str] = {
    "person_name": """name names firstname lastname surname fullname forename middlename givenname familyname
        nombre nombres apellido apellidos nom noms prenom prenoms nome sobrenome adi soyadi jina magaca magac dzina
        imya familiya pib fio otchestvo اسم الاسم اللقب الكنية نام تخلص ስም имя фамилия отчество фио піб ім'я прізвище
        enumerator interviewer enqueteur encuestador entrevistador officer oficial agent funcionario respondent
        padre madre pere mere father mother grandfather conyuge""",
    "phone": """phone telephone telefono telefonos tel telf mobile cell cellphone celular movil gsm whatsapp msisdn
        portable simu هاتف الهاتف جوال موبايل موبایل تلفن ስልክ телефон""",
    "email": "email mail correo courriel e-mail imeyl بريد ایمیل электронная пошта",
    "national_id": """dui cui dpi dni nni nin nif nit curp cnic cedula tazkira tazkera passport pasaporte passeport
        fayda jmbg ninu nid nationalid idnumber ssn identidad document documento الهوية هوية جواز شناسنامه تذکره
        паспорт inn ipn rnokpp""",
    "birth_date": """dob birth birthdate birthday nacimiento nac naissance ddn nascimento dogum ميلاد الميلاد تولد
        ልደት рождения народження""",
    "address": """address addresses direccion domicilio adresse endereco adres residencia calle street rue colonia
        kebele عنوان العنوان آدرس አድራሻ адрес адреса""",
    "gps": """gps latitude longitude lat lon lng long altitude geopoint geolocation coordinates coordenadas
        coordonnees geom geometry latitud longitud إحداثيات""",
    "device_id": "deviceid imei subscriberid simserial simid serialnumber phonenumber devicephonenum macaddress",
    "place": """admin adm1 adm2 adm3 adm4 region province provincia departamento departement department municipio
        municipality commune comuna woreda zone zona kebele district distrito governorate gouvernorat county canton
        village aldea caserio barrio ward camp site locality localidad town city ciudad ville quartier oblast rayon
        raion uezd prefecture subcounty parish محافظة المحافظة قضاء ناحية مدينة ولايت ولسوالی область район місто
        ክልል ዞን ወረዳ lieu place pcode localite sector cercle""",
    "country": """country countries pais paises pays iso iso3 iso2 nacion
        ulke land بلد البلد دولة کشور ሀገር страна країна origin destination""",
    "nationality": "nationality nacionalidad nationalite citizenship nacionalidade جنسية الجنسية تابعیت громадянство",
    "weight": "weight weights weighting wgt wt peso pesos poids ponderacion ponderation pond pesofinal factor wght",
    "free_text": """notes note obs observacion observaciones observations observation comments comentarios
        commentaire commentaires remarks remark specify especifique preciser autre other otro otra description
        descripcion why explain details narrative ملاحظات توضيح يرجى примечание коментар""",
    "body": "kg kilo kilos kilograms body waste baby food",
    "organisation": "file form sheet list school hospital facility market company organisation organization event",
    "yes_no": "has have tiene possede own consent own",
}
KNOWN: Mapping[str, frozenset[str]] = {kind: frozenset(words.split()) for kind, words in _LISTS.items()}
_SEPARATORS = re.compile(r"[^\w']+|_+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def folded(text: str) -> str:
    """Lower case, without accents; scripts stay what they are."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare).casefold()


def words(text: str) -> list[str]:
    """The words of a header: `FECHA_NAC`, `fechaNac` and `Fecha Nac.` have the same."""
    spaced = _CAMEL.sub(" ", text)
    return [word.strip("'") for word in _SEPARATORS.split(folded(spaced)) if word.strip("'")]


def named(text: str, *kinds: str) -> bool:
    """Whether a header has a word of one of these kinds."""
    found = set(words(text)) | {"".join(words(text))}
    return any(found & _FOLDED[kind] for kind in kinds)


_FOLDED = {kind: frozenset(folded(word) for word in listed) for kind, listed in KNOWN.items()}
