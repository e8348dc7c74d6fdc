"""What a run of digits in a note is: nobody's (an amount, a year), a card, a phone, a national number, some other id.

That a number identifies somebody is told from where it stands, note by note. Whether it is a national number or a phone
is asked for all numbers of a batch at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from itertools import compress

import pyarrow as pa

from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import Lexicon
from values.national_numbers import SCHEMES, Check

DIGIT = re.compile(r"[0-9]")
UNDETERMINED = "NUMBER"
"""A number that identifies somebody: `kinds` says which kind it is."""

_NO_DIGIT, _NO_SIGN = re.compile(r"[^0-9]+"), re.compile(r"[^0-9A-ZÑ]+")
_MONEY_AFTER = re.compile(
    r"\s?(?=[udef€$xcbaplqniدراብዶ%k])(?:us\$|€|\$|%|(?:usd|dollars?|dólares|euros?|eur|fcfa|f\s?cfa|xof|cfa|francs?|birr|"
    r"etb|br|afn|afghani|afs|pesos|lempiras?|quetzales|colones|naira|iqd|dinars?|(?:دينار|دولار|ريال)(?:ا|ان|ين)?|افغانی|"
    r"(?:دالر|ብር|ዶላር)[ንምና]?|km|kg|doolar)(?!\w))",
    re.IGNORECASE,
)
_MONEY_ENDS = frozenset("$€£dabnrqsſp.")
"""Last signs of what `_MONEY_BEFORE` looks for."""
_MONEY_BEFORE = re.compile(r"(?:[$€£]|(?<!\w)(?:usd|us\$|fcfa|cfa|etb|afn|birr|eur|iqd|lps?\.?))\s?$", re.IGNORECASE)
"""Whole words: a phone stands behind "docteur" and before "Dinara" too."""
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_YEARS = re.compile(r"(?:19|20)\d\d(?:[\s\-–—/.]+(?:19|20)\d\d)*[\s\-–—/.]*")
"""Years with something between them: 20121987 is the twentieth of December."""
_LETTERS_BEFORE, _LETTER_BEHIND = re.compile(r"(?<!\w)[A-Z]{1,2} $"), re.compile(r" [A-Z](?!\w)")
_WORD = re.compile(r"[^\W\d_]+")
_ENDS = frozenset(
    (
        "ending in",
        "ending with",
        "terminada en",
        "terminant par",
        "terminada em",
        "terminado em",
        "endet auf",
        "endend auf",
    )
)
_BETWEEN = frozenset(("is", "es", "est", "no", "nr", "n", "de", "هو", "ነው"))


def load() -> None:
    """Loads the library that numbers are checked with, which the first note would otherwise wait for."""
    _luhn()
    is_iban("")


def kind(text: str, start: int, end: int, lexicon: Lexicon) -> str | None:
    """What a run of digits in a note is as far as its place tells; None if it is nobody's."""
    found = text[start:end]
    digits = found if found.isascii() and found.isdigit() else _NO_DIGIT.sub("", found)
    if len(digits) <= 4:
        told = len(digits) >= 3 and _is_told(text, start, lexicon)
        return "ID" if told or (found[0] == "#" and len(digits) >= 3) else None
    before = text[max(0, start - 6) : start]
    if before.rstrip()[-1:].lower() in _MONEY_ENDS and _MONEY_BEFORE.search(before):
        return None
    if _MONEY_AFTER.match(text, end):
        return None
    if len(digits) < 7:
        grouped = found.count(" ") + found.count("-") + found.count(".") >= 2 and not _YEAR.search(found)
        lettered = _LETTERS_BEFORE.search(text[max(0, start - 4) : start]) and _LETTER_BEHIND.match(text, end)
        told = grouped or bool(lettered) or found[0] in "#+(" or _is_told(text, start, lexicon)
        return "ID" if told else None
    if _YEARS.fullmatch(found):
        return None
    if len(digits) == 15 and fold(word_before(text, start)) == "imei":  # it ends in the check digit of cards
        return "IMEI"
    if 13 <= len(digits) <= 19 and _luhn()(digits) == 0:
        return "CREDIT_CARD"
    return UNDETERMINED


def _is_told(text: str, start: int, lexicon: Lexicon) -> bool:
    """Whether the word before a number says that it is one of a paper, over its letters too: "passport AA 069182"."""
    if fold(word_before(text, start)) in lexicon.numbers:
        return True
    letters = _LETTERS_BEFORE.search(text, max(0, start - 4), start)
    return letters is not None and fold(word_before(text, letters.start())) in lexicon.numbers


def word_before(text: str, place: int) -> str:
    """The word before a place, over a colon, a number sign or "is"."""
    words = _WORD.findall(text[max(0, place - 24) : place])
    if " ".join(words[-2:]).lower() in _ENDS and not _YEAR.match(text, place):
        words.pop()
    while len(words) > 1 and fold(words[-1]) in _BETWEEN:
        words.pop()
    return words[-1] if words else ""


def kinds(written: Collection[str], country: str) -> dict[str, str]:
    """Of numbers as they are written, which kind each is: a national number, a phone, or an id of some other kind."""
    compact = {number: _NO_SIGN.sub("", number.upper()) for number in written}
    national = _national(set(compact.values()), country)
    return {
        number: "NATIONAL_ID" if signs in national else "PHONE" if _is_phone(number, signs, country) else "ID"
        for number, signs in compact.items()
    }


def _national(compact: Collection[str], country: str) -> set[str]:
    """Those that a scheme of the country could have issued; a scheme without a check digit tells nothing."""
    told: set[str] = set()
    for form, check in _checks(country):
        formed = [number for number in compact if form.fullmatch(number)]
        if formed:
            told.update(compress(formed, check(pa.array(formed, pa.string()))))
    return told


@lru_cache(maxsize=300)
def _checks(country: str) -> list[tuple[re.Pattern[str], Check]]:
    """The form and the check of each scheme of a country that has a check digit."""
    return [
        (re.compile(scheme.form), scheme.check)
        for scheme in SCHEMES.values()
        if scheme.country == country and scheme.check
    ]


def _is_phone(written: str, signs: str, country: str) -> bool:
    """Whether a number is as long as a phone of the country, or written with the sign of any country's."""
    if not signs.isdigit():
        return False
    if written[0] in "+(" and 7 <= len(signs) <= 15:
        return True
    code, prefix, lengths = _dialling(country)
    rests = [signs, *(signs[len(p) :] for p in (prefix, code, "00" + code) if p and signs.startswith(p))]
    return any(len(rest) in lengths for rest in rests)


@lru_cache(maxsize=300)
def _dialling(country: str) -> tuple[str, str, frozenset[int]]:
    """Country code, national prefix and lengths of a country's phone numbers, from the metadata of phonenumbers."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region(country) or "", None)
    if metadata is None or metadata.general_desc is None:
        return "", "", frozenset()
    form = metadata.general_desc
    lengths = {*form.possible_length, *form.possible_length_local_only}
    return str(metadata.country_code), metadata.national_prefix or "", frozenset(lengths - {-1})


@lru_cache(maxsize=300)
def region(country: str) -> str | None:
    """ISO 3166-1 alpha-2 of an alpha-3 code; alpha-2 codes are taken as they are."""
    from babel.core import get_global

    if len(country) == 2:
        return country.upper()
    aliases = get_global("territory_aliases").get(country)
    return aliases[0] if aliases else None


@lru_cache(maxsize=1)
def _luhn() -> Callable[[str], int]:
    from stdnum import luhn

    checksum: Callable[[str], int] = luhn.checksum
    return checksum


def is_iban(written: str) -> bool:
    """Whether the check digits of an IBAN hold and its form is its country's. What Presidio takes for one is one; it is
    not asked, since the first note with an IBAN would wait a second for its import."""
    return _iban()(written, check_country=False)


@lru_cache(maxsize=1)
def _iban() -> Callable[..., bool]:
    from stdnum import iban

    is_valid: Callable[..., bool] = iban.is_valid
    return is_valid
