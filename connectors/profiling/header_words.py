"""Words by which headers name what a column holds, in the languages that suppliers write them.

Whole words of a header, folded (no accents, lower case). Data only: how they are weighed is `looks_like`'s business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise

_LISTS: Mapping[str, str] = {
    "person_name": """firstname lastname surname fullname forename middlename givenname familyname given surnames
        nombres apellido apellidos prenom prenoms sobrenome soyadi magaca magac imya familiya pib fio otchestvo
        patronymic nickname alias sobrenombre اللقب الكنية الشهرة العائلة تخلص фио піб ім'я імя имя""",
    "name": "name names nombre nom noms nome adi jina dzina naam ism nam اسم نام ስም",
    "person": """enumerator interviewer enqueteur encuestador entrevistador officer oficial agent funcionario
        respondent reporter submitter surveyor collector supervisor praticien medecin doctor teacher docente
        padre madre pere mere father mother grandfather conyuge husband wife guardian tutor caregiver""",
    "phone": """phone telephone telefono telefonos tel telf mobile cell cellphone celular movil gsm whatsapp msisdn
        phonenumber devicephonenum portable simu هاتف جوال موبايل موبایل تلفن تليفون تلفون ስልክ""",
    "email": "email mail correo courriel e-mail imeyl بريد ایمیل электронная пошта",
    "national_id": """dui cui dpi dni nni nin nif nit curp cnic cedula tazkira tazkera passport pasaporte passeport
        fayda jmbg ninu nid nationalid idnumber ssn socsec identidad document documento nationalcode
        cuil cuit pesel tckn هوية سجل وطني قومي بطاقة کدملی جواز شناسنامه تذکره ملی inn ipn rnokpp""",
    "birth_date": """dob birth birthdate birthday nacimiento nac naissance ddn nascimento dogum ميلاد ولادة ازدياد
        تولد ልደት ትውልድ""",
    "address": """address addresses direccion domicilio adresse endereco adres residencia calle street rue colonia
        kebele عنوان آدرس አድራሻ""",
    "gps": """gps utm easting northing mgrs latitude longitude lat lon lng long altitude geopoint geolocation
        coordinates coordenadas coordonnees geom geometry latitud longitud إحداثيات""",
    "device_id": """deviceid imei subscriberid simserial simid serialnumber macaddress
        ipaddress ip""",
    "place": """location settlement parroquia corregimiento vereda upazila
        admin admin1 admin2 admin3 admin4 adm1 adm2 adm3 adm4 region province provincia departamento
        departement department municipio
        municipality commune comuna woreda zone zona kebele district distrito governorate gouvernorat county canton
        village aldea caserio barrio ward camp site locality localidad town city ciudad ville quartier oblast rayon
        raion uezd prefecture subcounty parish suburb محافظة مديرية إقليم قضاء ناحية منطقة مدينة قرية مخيم
        ولايت ولايه ولسوالی استان شهرستان بخش روستا місто село город
        ክልል ዞን ወረዳ محلولادة مكان lieu place pcode localite sector cercle""",
    "country": """country countries pais paises pays iso iso3 iso2 nacion adm0 admin0
        ulke land بلد دولة کشور ሀገር origin destination""",
    "nationality": "nationality nacionalidad nationalite citizenship nacionalidade جنسية تابعیت",
    "weight": "weight weights weighting wgt wt peso pesos poids ponderacion ponderation pond pesofinal factor wght",
    "free_text": """notes note obs observacion observaciones observations observation comments comentarios
        commentaire commentaires remarks remark specify especifique preciser autre other otro otra description
        descripcion why explain details narrative ملاحظات توضيح يرجى توضیحات نکات""",
    "body": "kg kilo kilos kilograms body waste baby food",
    "body_beside": "height bmi talla taille estatura altura imc muac",
    "thing": """file form sheet list school hospital facility market company organisation organization event
        currency indicator item product commodity crop project programme program variable table question dataset
        partner donor agency ngo ong cluster activity vessel species taxon disease drug medicine vaccine brand
        model unit series station language course shop category facility institution ministry
        escuela ecole hopital empresa institucion entreprise proyecto projet producto produit moneda devise
        indicador indicateur organismo entidad ministerio مشروع مدرسة مستشفى منظمة""",
    "attribute": """sex sexo sexe gender genero genre age edad idade ages relationship parentesco civil marital
        occupation ocupacion profession جنس عمر مهنه سن جنسیت стать вік ፆታ ጾታ ዕድሜ""",
    "census": "population poblacion area superficie capital iso lat lng سكان",
    "yes_no": "has have tiene possede own consent own",
    "heading": """id code codes codigo cod key nro numero nombre number type tipo status estado etat statut sex
        sexo sexe gender genero genre age edad idade date fecha data datum year ano annee anio month mes
        mois day jour dia value valor valeur total count cantidad label etiqueta libelle category
        categoria categorie description title titulo titre level nivel niveau population poblacion group
        grupo groupe class clase classe variable question pregunta answer response respuesta reponse
        index rank round wave household hogar menage individual individuals families persons personas
        personnes sector relationship parentesco education occupation ocupacion profession income
        ingreso revenu motivo reason raison cause observaciones modified created updated source fuente
        score percent رقم رمز كود نوع جنس عمر تاريخ حاله عدد فئه مهنه ردیف کد جنسیت سن تاریخ وضعیت تعداد
        شماره شغل номер код тип стать вік дата статус рік пол возраст год кількість ቁጥር ኮድ ዓይነት ፆታ ጾታ
        ዕድሜ ቀን lambar jinsi jinsiga sira cinsiyet yas tarih durum""",
}
_STEMS: Mapping[str, str] = {
    "person_name": "прізвищ фамили батьков побатьков отчеств",
    "phone": "телефон",
    "national_id": "паспорт ідент идентиф",
    "birth_date": "народжен рожден",
    "address": "адрес вулиц улиц",
    "place": "област район громад насел",
    "country": "країн стран",
    "nationality": "громадянств гражданств",
    "free_text": "приміт примеч комент",
}
"""Beginnings of words in languages that decline them: `Номер_телефону` speaks of a `телефон`."""
_FUNCTION_WORDS = frozenset(
    ["of", "the", "de", "del", "la", "el", "du", "des", "le", "a", "y", "et", "and", "n", "no", "num", "number", "full"]
)
KNOWN: Mapping[str, frozenset[str]] = {kind: frozenset(words.split()) for kind, words in _LISTS.items()}
_SEPARATORS = re.compile(r"[^\w']+|_+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")
_ARABIC = str.maketrans({"ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه"})
_ARTICLE = re.compile(r"^(?:وال|بال|ال|[የበከለ])(?=\w{3})")
"""What Arabic and Amharic write before a word and as one with it."""
_ALONE = re.compile(r"^[a-z]{3,}$")


def folded(text: str) -> str:
    """Lower case, without accents; scripts stay what they are."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare).casefold()


def _word(text: str) -> str:
    """A word as it is compared: Arabic without its article, in one form of the letters that languages write apart."""
    return _ARTICLE.sub("", text.strip("'").translate(_ARABIC))


def words(text: str) -> list[str]:
    """The words of a header: `FECHA_NAC`, `fechaNac` and `Fecha Nac.` have the same."""
    spaced = _CAMEL.sub(" ", text)
    return [word for part in _SEPARATORS.split(folded(spaced)) if (word := _word(part))]


def own_part(header: str) -> str:
    """What a header says of its own column: `module/group/question` is the question; a group of one word, as in
    `address/street`, goes with it."""
    *above, last = header.split("/")
    return f"{above[-1]} {last}" if above and _ALONE.match(folded(above[-1])) else last


def named(text: str, *kinds: str) -> bool:
    """Whether a header has a word of one of these kinds."""
    listed = words(text)
    # Also two words as one: `soc_sec`, `id number`.
    found = {*listed, "".join(listed), *map("".join, pairwise(listed))}
    return any(
        found & _FOLDED[kind] or ((stems := _BEGINNINGS.get(kind)) and any(word.startswith(stems) for word in listed))
        for kind in kinds
    )


def only_named(text: str, kind: str) -> bool:
    """Whether a header has words of this kind and, but for articles and numbers, no others."""
    telling = [word for word in words(text) if word not in _FUNCTION_WORDS and not word.isdigit()]
    return bool(telling) and all(word in _FOLDED[kind] for word in telling)


def heads_columns(text: str) -> bool:
    """Whether a text has no words but those by which tables name their columns."""
    telling = [word for word in words(text) if word not in _FUNCTION_WORDS and not word.isdigit()]
    return bool(telling) and all(word in _HEADING or word.startswith(_BEGUN) for word in telling)


_FOLDED = {kind: frozenset(_word(folded(word)) for word in listed) for kind, listed in KNOWN.items()}
_BEGINNINGS = {kind: tuple(map(folded, stems.split())) for kind, stems in _STEMS.items()}
_HEADING = frozenset[str]().union(
    *(_FOLDED[kind] for kind in (*_STEMS, "name", "email", "gps", "device_id", "heading"))
)
_HEADING -= _FOLDED["free_text"] - _FOLDED["heading"]
_BEGUN = tuple(beginning for beginnings in _BEGINNINGS.values() for beginning in beginnings)
