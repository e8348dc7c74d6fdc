"""Synthetic people: names in each country's style, identifiers that pass their checks, and nobody who exists.

What the sample deliveries are made of. `people("SLV", 100, seed=1)` is the same hundred people on every machine. No
file format here and no defect: those belong to the module of each source.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

# Years of birth in today's programmes; a sample that needs a child or an elder draws its own `born`.
EARLIEST_BIRTH, LATEST_BIRTH = date(1958, 1, 1), date(2005, 12, 31)
_DUI_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True)
class Person:
    """One synthetic person. `family` is all surnames together ("" where the country has none)."""

    country: str
    sex: str  # male | female
    given: str
    father: str
    grandfather: str
    family: str
    birth: date
    national_id: str
    phone: str
    email: str
    address: str

    @property
    def full_name(self) -> str:
        """The whole name in the order of the country: Ivorians write NOM Prénoms, Ethiopians have no surname."""
        if self.country == "CIV":
            return f"{self.family} {self.given}"
        return " ".join(part for part in (self.given, self.father, self.grandfather, self.family) if part)

    @property
    def local_phone(self) -> str:
        """The last eight digits as people write them; with the dash, a search cannot find them in a random key."""
        return f"{self.phone[-8:-4]}-{self.phone[-4:]}"


def dui_check_digit(digits: str) -> str:
    """Check digit of a Salvadoran DUI from its first eight digits (domain.md 5.1)."""
    total = sum(weight * int(digit) for weight, digit in zip(_DUI_WEIGHTS, digits, strict=True))
    return str((10 - total % 10) % 10)


def cui_verifier(digits: str) -> int:
    """Ninth digit of a Guatemalan CUI from its first eight; 10 means that the number is not issued (domain.md 5.1)."""
    return sum(int(digit) * weight for weight, digit in enumerate(digits, start=2)) % 11


_VERHOEFF_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_VERHOEFF_PERMUTE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_VERHOEFF_INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)


def verhoeff_digit(digits: str) -> str:
    """Verhoeff check digit to append to `digits`: the last digit of an identity number of the MOSIP family."""
    check = 0
    for position, digit in enumerate(reversed(digits), start=1):
        permuted = int(digit)
        for _ in range(position % 8):
            permuted = _VERHOEFF_PERMUTE[permuted]
        check = _VERHOEFF_TIMES[check][permuted]
    return str(_VERHOEFF_INVERSE[check])


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _dui(rng: random.Random, born: date) -> str:
    body = "0" + _digits(rng, 7)
    return body + dui_check_digit(body)


def _cui(rng: random.Random, born: date) -> str:
    while True:
        body = str(rng.randint(1, 9)) + _digits(rng, 7)
        if cui_verifier(body) < 10:
            return f"{body}{cui_verifier(body)}{rng.randint(1, 22):02d}{rng.randint(1, 8):02d}"


def _dni(rng: random.Random, born: date) -> str:
    return f"{rng.randint(1, 18):02d}{rng.randint(1, 9):02d}{born.year}{_digits(rng, 5)}"


def _fayda(rng: random.Random, born: date) -> str:
    body = str(rng.randint(2, 9)) + _digits(rng, 10)
    return body + verhoeff_digit(body)


def _nni(rng: random.Random, born: date) -> str:
    return str(rng.randint(1, 9)) + _digits(rng, 10)


@dataclass(frozen=True)
class _Country:
    male: Sequence[str]
    female: Sequence[str]
    families: Sequence[str]
    streets: Sequence[str]
    national_id: Callable[[random.Random, date], str]
    phone: tuple[str, Sequence[str], int]  # prefix as dialled from abroad, first digits, how many more
    style: str  # two_surnames | given_father_grandfather | nom_prenoms


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(","))


_MALE_ES = _listed("""
    José Ángel, Juan Ramón, Óscar Rubén, Héctor Adán, Ángel Noé, Víctor Efraín, Luis Ernesto, Mario Saúl, Néstor Iván,
    Julio Elías, Wilfredo Antonio, Kevin Josué, Saúl Isaías, Rigoberto Tomás, Agustín Benjamín""")
_FEMALE_ES = _listed("""
    María Begoña, Ana Lucía, Rosa Inés, Iris Noemí, Verónica Belén, Sofía Raquel, Karla Mónica, Élida Ruth, Aída Luz,
    Begoña Elízabeth, Sandra Ivón, Glenda Marisól, Yesenia Guadalupe, Mirna Areli, Blanca Zulema""")
_FAMILIES_ES = _listed("""
    Muñoz, Peña, Zúñiga, Nuñez, Ibáñez, Castañeda, Ordóñez, Avendaño, Quiñónez, Cañas, Patiño, Argueta, Chávez, Güirola,
    Henríquez, Guzmán, Bolaños, Escobar, Melgar, Portillo, Alvarenga, Umaña, Zepeda, Mejía, Orellana, Cárcamo, Villeda,
    Ixcot, Tzunún, Xiloj, Batz, Funez""")
_STREETS_ES = _listed("Calle El Almendro, Pasaje Los Cañales, Colonia Santa Inés, Avenida Ñancatura, Barrio Chaparral")

_MALE_ET = _listed("""
    Abebe, Tesfaye, Mulugeta, Girma, Kebede, Dawit, Yonas, Bekele, Haile, Solomon, Tadesse, Worku, Getachew, Alemayehu,
    Demissie, Negash, Fikadu, Teshome, Zerihun, Assefa""")
_FEMALE_ET = _listed("""
    Almaz, Tigist, Hiwot, Meseret, Selamawit, Aster, Birtukan, Zenebech, Genet, Mulu, Tsehay, Yeshi, Kidist, Rahel,
    Bethlehem, Senait, Workinesh, Aberash""")
_STREETS_ET = _listed("Bole Kebele 03, Arada Kebele 11, Kirkos Kebele 07, Adare Sefer, Shashemene Kebele 02")

_MALE_CI = _listed("""
    Kouadio Yves, Aboubacar Sidiki, Konan Désiré, Yao Barthélemy, Mamadou Lamine, Jean-Noël Kacou, Adama Siaka,
    Koffi Hervé, N'Guessan Armand, Drissa Moustapha, Gnamien Cyrille""")
_FEMALE_CI = _listed("""
    Affoué Béatrice, Aminata Salimata, Akissi Hélène, Mariam Korotoumou, Amenan Célestine, Adjoua Thérèse,
    Fatoumata Nassénéba, Ahou Geneviève, Marie-Noëlle Ya, Aya Joséphine""")
_FAMILIES_CI = _listed("""
    KOUASSI, TRAORÉ, KONÉ, OUATTARA, N'GUESSAN, BAMBA, COULIBALY, YAO, DIABATÉ, KOFFI, GNAHORÉ, SÉRI, ZADI, TAPÉ, DOSSO,
    FOFANA, KACOU, BROU""")
_STREETS_CI = _listed("Rue des Jardins Abobo, Quartier Dar-es-Salam Bouaké, Carrefour Zoé Daloa, Yopougon Niangon Lot")

_LATIN_AMERICAN = (_MALE_ES, _FEMALE_ES, _FAMILIES_ES, _STREETS_ES)
_COUNTRIES: dict[str, _Country] = {
    "SLV": _Country(*_LATIN_AMERICAN, _dui, ("503", ("70", "72", "76", "78"), 6), "two_surnames"),
    "GTM": _Country(*_LATIN_AMERICAN, _cui, ("502", ("30", "41", "54", "58"), 6), "two_surnames"),
    "HND": _Country(*_LATIN_AMERICAN, _dni, ("504", ("94", "95", "97", "99"), 6), "two_surnames"),
    "ETH": _Country(
        _MALE_ET, _FEMALE_ET, (), _STREETS_ET, _fayda, ("251", ("91", "92", "94"), 7), "given_father_grandfather"
    ),
    "CIV": _Country(
        _MALE_CI, _FEMALE_CI, _FAMILIES_CI, _STREETS_CI, _nni, ("225", ("0707", "0505", "0102"), 6), "nom_prenoms"
    ),
}

_PLAIN_LETTERS = str.maketrans("áéíóúüñâêëïôçèàÁÉÍÓÚÑ", "aeiouunaeeioceaAEIOUN")


def _email(given: str, surname: str, number: int) -> str:
    """Under example.org, which nobody can own (RFC 2606)."""
    first, last = (part.partition(" ")[0].lower().translate(_PLAIN_LETTERS) for part in (given, surname))
    return f"{first}.{last}{number}@example.org".replace("'", "").replace("-", "")


def person(country: str, rng: random.Random, born: date | None = None, family: str | None = None) -> Person:
    """One person of a country (SLV, GTM, HND, ETH, CIV); `family` keeps the surnames of a household together."""
    made = _COUNTRIES[country]
    sex = rng.choice(("male", "female"))
    if born is None:
        born = EARLIEST_BIRTH + timedelta(days=rng.randrange((LATEST_BIRTH - EARLIEST_BIRTH).days))
    given = rng.choice(made.female if sex == "female" else made.male)
    father = grandfather = ""
    if made.style == "given_father_grandfather":
        father, grandfather = rng.sample(made.male, 2)
        family = ""
    elif family is None:
        family = " ".join(rng.sample(made.families, 2 if made.style == "two_surnames" else 1))
    prefix, first_digits, more = made.phone
    return Person(
        country=country,
        sex=sex,
        given=given,
        father=father,
        grandfather=grandfather,
        family=family or "",
        birth=born,
        national_id=made.national_id(rng, born),
        phone=f"+{prefix}{rng.choice(first_digits)}{_digits(rng, more)}",
        email=_email(given, family or father, rng.randint(100, 99999)),
        address=f"{rng.choice(made.streets)} {rng.randint(101, 9899)}",
    )


def people(country: str, count: int, seed: int) -> list[Person]:
    """`count` different people of a country, the same for the same seed; no two share a national id."""
    rng = random.Random(f"{country}/{seed}")  # noqa: S311 - reproducible on purpose, nothing secret
    found: dict[str, Person] = {}
    while len(found) < count:
        one = person(country, rng)
        found.setdefault(one.national_id, one)
    return list(found.values())
