"""What identifies by its shape: e-mail, web address, handle, IP, card, IBAN, phone, national number, date, position.

One compiled expression, in time that grows with the note's length: every repetition is bounded, and no two neighbours
match the same character. Presidio's card and IBAN recognizers decide about their kind; phonenumbers sees runs of digits
only. Words are the business of `names`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import Lexicon, months
from values.national_numbers import SCHEMES, plausible

if TYPE_CHECKING:
    from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, IbanRecognizer


class Span(NamedTuple):
    """From `start` to before `end` of a note, and what it is."""

    start: int
    end: int
    type: str


_TLD = (
    "com|org|net|info|edu|gov|int|io|biz|me|co|uk|de|fr|es|it|nl|eu|us|ca|mx|sv|gt|hn|ng"
    "|et|iq|af|ir|pk|bd|ma|tn|sn|ci|ml"
)
_TRIGGER = re.compile(r"[0-9@_]|://|(?i:www)|[a-z]\.[a-z]")
_SHAPES = re.compile(
    rf"""
      (?P<EMAIL>[\w.%+'-]{{1,120}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,6}})
    | (?P<URL>(?i:https?|ftp)://[^\s<>"'،؛]{{1,2000}}|(?i:www)\.[^\s<>"'،؛]{{1,2000}}
        |(?<![\w.@-])(?:[a-zA-Z0-9-]{{2,63}}\.){{1,4}}(?:{_TLD})\b(?:/[^\s<>"'،؛]{{0,2000}})?)
    | (?P<HANDLE>(?<![\w@])@\w[\w.-]{{1,40}})
    | (?P<MAC>\b[0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{5}}\b)
    | (?P<IP>(?<![\d.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\d.]*\d)
        |(?<![\w:])(?:[0-9A-Fa-f]{{0,4}}:){{3,7}}[0-9A-Fa-f]{{1,4}}(?![\w:]))
    | (?P<GPS>[-+]?\d{{1,3}}[.,]\d{{3,15}}°?\s?[NSEW]?\s?[,;\s/]\s?[-+]?\d{{1,3}}[.,]\d{{3,15}}°?(?:\s?[NSEWO]\b)?
        |\d{{1,3}}\s?°\s?\d{{1,2}}(?:[.,]\d{{1,6}})?\s?['′’](?:\s?\d{{1,2}}(?:[.,]\d{{1,6}})?\s?["″”])?\s?[NSEWO]?
        |(?<![\d.,])[-+]?\d{{1,3}}\.\d{{4,15}}(?!\d))
    | (?P<DATE>(?<![\d.])(?:\d{{4}}\s?[-/.]\s?\d{{1,2}}\s?[-/.]\s?\d{{1,2}}
            |\d{{1,2}}\s?[-/.]\s?\d{{1,2}}\s?[-/.]\s?(?:\d{{4}}|\d{{2}}))(?![-/.]?\d)
        (?:[Tt ]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,6}})?)?[Zz]?)?)
    | (?P<IBAN>\b[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]{{4}}){{2,7}}(?:[ -]?[A-Z0-9]{{1,3}})?\b)
    | (?P<NUMBER>(?<![0-9A-Za-zÀ-ɏ_.,])(?:[+(\#]{{1,2}}\s?)?\d{{1,40}}(?:[\s().\-/–]{{1,3}}\d{{1,40}}){{0,12}}
        (?:\s?(?:x|ext\.?|poste|anexo)\s?\d{{1,6}})?(?![\w]))
    | (?P<CODE>(?<![\w])(?![\u0600-\u06ff\u1200-\u137f]{{1,4}}\d)
        (?=[^\W\d]{{0,20}}\d)(?=\d{{0,20}}[^\W\d])\w{{3,60}}(?:[.-]\w{{1,40}}){{0,6}})
    | (?P<USER>(?<![\w])[^\W_]{{1,40}}_\w{{1,60}}|(?<![\w.])[a-z]{{3,30}}\.[a-z]{{3,30}}\d{{0,8}}(?![\w.]))
    """,
    re.VERBOSE,
)
_WITH_LETTERS = frozenset(("ID", "PHONE", "NATIONAL_ID"))
_LETTERS_BEFORE = re.compile(r"(?<!\w)[A-Z]{1,2}[ -]$")
_LETTERS_BEHIND = re.compile(r"[ -](?:[A-Z]{1,2}(?!\w)(?:[ -]\d{1,6}(?!\w)){0,3}|[a-z](?=[.,;|\"\n]|$))(?!['’\w])")
_MONEY_AFTER = re.compile(
    r"\s?(?:usd|us\$|dollars?|dólares|euros?|eur|€|\$|fcfa|f\s?cfa|xof|cfa|francs?|birr|etb|br\b|afn|afghani|afs|pesos|lempiras?|"
    r"quetzales|colones|naira|iqd|dinars?|دينار|دولار|ريال|افغانی|دالر|ብር|ዶላር|%|km\b|kg\b|doolar)",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:[$€£]|usd|us\$|fcfa|cfa|etb|afn|birr|eur|iqd|lps?\.?)\s?$", re.IGNORECASE)
_ORDINAL_OR_PERIOD = re.compile(
    r"\d{1,4}(?:st|nd|rd|th|s|er|ère|ème|eme|e|h|am|pm|km|kg|m|cm|g|years?|ans|años|x|do|ra|ro|to|º|ª)|covid-?19|\d{1,2}h\d{2}",
    re.I,
)
_WORDS_AND_NUMBER = re.compile(r"\d{1,4}(?:-[^\W\d]{1,20}){1,3}|[^\W\d]{2,20}-\d{1,2}|\d{4}-\d{2,4}", re.IGNORECASE)
_DAY_MONTH = re.compile(
    r"(?<![0-9A-Za-zÀ-ɏ_.,/-])\d{1,2}(?:st|nd|rd|th|er|º|\.)?\s{1,2}(?:de\s|of\s|d'|፣)?\s?([^\W\d_]{2,12})\.?"
    r"(?:,?\s{1,2}(?:de\s|del\s)?(?:ዓ\.?ም\.?\s)?\d{2,4}(?![\d]))?"
)
_MONTH_DAY = re.compile(r"\b([^\W\d_]{3,12})\.?\s{1,2}\d{1,2}(?:st|nd|rd|th|er)?(?:,?\s{1,2}\d{2,4})?(?!\w)")


def load() -> None:
    """Loads the libraries that numbers are checked with, which the first note would otherwise wait for."""
    _cards()
    _ibans()
    _is_phone("+503 7123 4567", "SLV")


def shapes(text: str, country: str, lexicon: Lexicon) -> list[Span]:
    """What identifies by its shape in a cleaned note, in order of place."""
    if not _TRIGGER.search(text):
        return []
    found = []
    for match in _SHAPES.finditer(text):
        kind = _kind(match, text, country, lexicon)
        if kind:
            loose = match.lastgroup == "NUMBER" and kind in _WITH_LETTERS
            start, end = _with_letters(text, match) if loose else match.span()
            found.append(Span(start, end, kind))
    return _with_days(text, found)


def _with_letters(text: str, match: re.Match[str]) -> tuple[int, int]:
    """A number with the letters that stand loosely before, behind or within it: "QQ 12 34 56 C", "65 170839 J 003"."""
    before = _LETTERS_BEFORE.search(text, max(0, match.start() - 4), match.start())
    behind = _LETTERS_BEHIND.match(text, match.end())
    return before.start() if before else match.start(), behind.end() if behind else match.end()


def _with_days(text: str, found: list[Span]) -> list[Span]:
    """Days that name their month: the expression cannot know months, so words beside numbers are looked up."""
    days = [
        Span(match.start(), match.end(), "DATE")
        for form in (_DAY_MONTH, _MONTH_DAY)
        for match in form.finditer(text)
        if fold(match[1]) in months()
    ]
    if not days:
        return found
    kept = [span for span in found if not any(day.start <= span.start and span.end <= day.end for day in days)]
    return sorted(kept + days)


def _kind(match: re.Match[str], text: str, country: str, lexicon: Lexicon) -> str | None:
    """What a match is; None if it identifies nobody."""
    shape, found = match.lastgroup or "", match.group()
    if shape == "NUMBER":
        return _kind_of_number(found, match, text, country, lexicon)
    if shape == "DATE":
        return "DATE"
    if shape == "IBAN":
        return "IBAN" if _valid_iban(found.replace(" ", "").replace("-", "")) else "ID"
    if shape == "CODE":
        if _ORDINAL_OR_PERIOD.fullmatch(found) or _WORDS_AND_NUMBER.fullmatch(found):
            return None
        if len(found) < 5 and fold(_word_before(text, match.start())) not in lexicon.numbers:
            return None
        return _national_number(found, country) or "ID"
    if shape == "USER":
        left, _, right = found.partition("." if "." in found else "_")
        if "_" not in found and fold(left) in lexicon.words and fold(right) in lexicon.words:
            return None  # a full stop without a blank after it
        return "USERNAME"
    return {"HANDLE": "USERNAME"}.get(shape, shape)


def _kind_of_number(found: str, match: re.Match[str], text: str, country: str, lexicon: Lexicon) -> str | None:
    digits = re.sub(r"\D", "", found)
    if len(digits) <= 4:
        told = len(digits) >= 3 and fold(_word_before(text, match.start())) in lexicon.numbers
        return "ID" if told or found[0] == "#" else None
    if _MONEY_AFTER.match(text, match.end()) or _MONEY_BEFORE.search(text[max(0, match.start() - 6) : match.start()]):
        return None
    before = fold(_word_before(text, match.start()))
    if len(digits) < 7:
        grouped = found.count(" ") + found.count("-") + found.count(".") >= 2 and not re.search(
            r"\b(?:19|20)\d\d\b", found
        )
        return "ID" if before in lexicon.numbers or found[0] in "#+(" or grouped else None
    if re.fullmatch(r"(?:(?:19|20)\d\d[\s\-–/.]*)+", found):
        return None  # years
    if len(digits) == 15 and before == "imei":  # it ends in the check digit of cards
        return "IMEI"
    if 13 <= len(digits) <= 19 and _valid_card(digits):
        return "CREDIT_CARD"
    return _national_number(digits, country) or ("PHONE" if _is_phone(found, country) else "ID")


def _word_before(text: str, place: int) -> str:
    """The word before a place, over a colon, a number sign or "is"."""
    words = re.findall(r"[^\W\d_]+", text[max(0, place - 24) : place])
    while len(words) > 1 and fold(words[-1]) in ("is", "es", "est", "no", "nr", "n", "de", "هو", "ነው"):
        words.pop()
    return words[-1] if words else ""


def _national_number(found: str, country: str) -> str | None:
    compact = re.sub(r"[^0-9A-ZÑ]", "", found.upper())
    likely = [s for s in SCHEMES.values() if s.country == country and s.check and len(compact) in s.lengths]
    told = any(plausible(pa.array([compact]), scheme)[0].as_py() for scheme in likely)
    return "NATIONAL_ID" if told else None


def _is_phone(found: str, country: str) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(found, region(country))
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


@lru_cache(maxsize=300)
def region(country: str) -> str | None:
    """ISO 3166-1 alpha-2 of an alpha-3 code; alpha-2 codes are taken as they are."""
    from babel.core import get_global

    if len(country) == 2:
        return country.upper()
    aliases = get_global("territory_aliases").get(country)
    return aliases[0] if aliases else None


@lru_cache(maxsize=1)
def _cards() -> CreditCardRecognizer:
    from presidio_analyzer.predefined_recognizers import CreditCardRecognizer

    return CreditCardRecognizer()


@lru_cache(maxsize=1)
def _ibans() -> IbanRecognizer:
    from presidio_analyzer.predefined_recognizers import IbanRecognizer

    return IbanRecognizer()


def _valid_card(digits: str) -> bool:
    return bool(_cards().validate_result(digits))


def _valid_iban(iban: str) -> bool:
    return bool(_ibans().validate_result(iban))
