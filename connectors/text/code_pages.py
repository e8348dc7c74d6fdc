"""Which old code pages a country's files are written in, and whether a text reads as its languages in one of them.

A wrong code page seldom fails, it makes other letters (formats.md 3). So each usual page is tried and the text it makes
is checked for letters that its languages do not have, symbols inside words, and capitals in the middle of words.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

_PLAUSIBLE = 0.03
"""A code page is out if more than this share of the non-ASCII characters it makes cannot be: names are borrowed."""
_CLEARLY = 0.02
"""Shares closer than this do not tell two code pages apart."""
_TYPOGRAPHY = frozenset("‘’‚“”„«»‹›–—…•·°ºª¿¡€£§©®™№´`\xa0\xad²³½¼¾،؛؟٪ـ\u200c\u200d\u200e\u200f")
_LATIN_1252 = ("cp1252", "cp850", "mac-roman")


@dataclass(frozen=True)
class Language:
    """Its non-ASCII letters, capitals included, and the code pages it was written in before UTF-8, usual ones first."""

    letters: frozenset[str]
    pages: tuple[str, ...]
    latin: bool = True


def _latin(letters: str, *pages: str) -> Language:
    return Language(frozenset(letters + letters.upper()), pages or _LATIN_1252)


def _other(first: str, last: str, more: str, *pages: str) -> Language:
    letters = {chr(code) for code in range(ord(first), ord(last) + 1)}
    return Language(frozenset(letters | set(more)), pages, latin=False)


_RUSSIAN = "".join(map(chr, range(0x410, 0x450))) + "Ёё"
LANGUAGES = {
    "es": _latin("áéíóúüñ"),
    "fr": _latin("àâæçéèêëîïôœùûüÿ"),
    "pt": _latin("áâãàçéêíóôõúü"),
    "de": Language(frozenset("äöüßÄÖÜéè"), _LATIN_1252),
    "en": _latin("áàâãäåæçéèêëíìîïñóòôõöøœúùûüýÿ"),
    "tr": _latin("çğıİöşüâîû", "cp1254", "cp857"),
    "pl": _latin("ąćęłńóśźż", "cp1250", "cp852"),
    "cs": _latin("áčďéěíňóřšťúůýžľĺôŕä", "cp1250", "cp852"),
    "hu": _latin("áéíóöőúüű", "cp1250", "cp852"),
    "ro": _latin("ăâîșțşţ", "cp1250", "cp852"),
    "sh": _latin("čćđšž", "cp1250", "cp852"),
    "sq": _latin("ëç"),
    "ar": _other("\u0621", "\u0652", "", "cp1256", "iso8859-6", "cp720", "cp864"),
    "fa": _other("\u0621", "\u0652", "پچژگکی", "cp1256"),
    "ur": _other("\u0621", "\u0652", "پچژگکٹڈڑںےھہ", "cp1256"),
    "ru": Language(frozenset(_RUSSIAN), ("cp1251", "cp866", "koi8-r"), latin=False),
    "uk": Language(frozenset(_RUSSIAN + "ІіЇїЄєҐґ’"), ("cp1251", "cp866", "koi8-u"), latin=False),
    "sr": Language(frozenset(_RUSSIAN + "ЂђЈјЉљЊњЋћЏџ"), ("cp1251", "cp855"), latin=False),
    "el": _other("\u0384", "\u03ce", "", "cp1253", "cp737"),
    "he": _other("\u05d0", "\u05ea", "", "cp1255", "cp862"),
}
_SPOKEN = {
    "es": "ARG BOL CHL COL CRI CUB DOM ECU ESP GNQ GTM HND MEX NIC PAN PER PRI PRY SLV URY VEN",
    "fr": "BEL BEN BFA BDI CAF CHE CIV CMR COD COG COM DJI DZA FRA GAB GIN HTI LUX MAR MDG MLI MRT NER RWA SEN TCD TGO "
    "TUN",
    "pt": "AGO BRA CPV GNB MOZ PRT STP TLS",
    "de": "AUT CHE DEU LIE LUX",
    "tr": "TUR CYP",
    "pl": "POL",
    "cs": "CZE SVK",
    "hu": "HUN",
    "ro": "MDA ROU",
    "sh": "BIH HRV MNE SRB SVN XKX",
    "sq": "ALB XKX MKD",
    "ar": "ARE BHR DJI DZA EGY IRQ JOR KWT LBN LBY MAR MRT OMN PSE QAT SAU SDN SOM SYR TCD TUN YEM",
    "fa": "AFG IRN",
    "ur": "PAK",
    "ru": "ARM AZE BLR EST GEO KAZ KGZ LVA MDA RUS TJK TKM UKR UZB",
    "uk": "UKR",
    "sr": "BGR BIH MKD MNE SRB",
    "el": "CYP GRC",
    "he": "ISR",
}
"""Languages of administration by ISO 3166-1 alpha-3; English stands for every country that is not named."""


def languages_of(country: str | None) -> tuple[str, ...]:
    """The languages in which a country's offices write; all that are known where there is no country."""
    if country is None:
        return tuple(LANGUAGES)
    return tuple(code for code, countries in _SPOKEN.items() if country in countries.split()) or ("en",)


@dataclass(frozen=True)
class Reading:
    """A code page that makes words of the bytes; `odd` is the share of its letters that cannot be."""

    encoding: str
    odd: float


def readings(sample: bytes, languages: Sequence[str]) -> list[Reading]:
    """The code pages of `languages` that make words of `sample`, the clearest first; of those that make the same text
    only the usual one."""
    return _clearest(sample, [(page, LANGUAGES[code]) for code in languages for page in LANGUAGES[code].pages])


def _clearest(sample: bytes, tried: Sequence[tuple[str, Language]]) -> list[Reading]:
    """Those of the code pages, each with the letters that it should give, that make words."""
    best: dict[str, Reading] = {}
    for page, language in tried:
        try:
            text = sample.decode(page)
        except UnicodeDecodeError:
            continue
        odd = _odd(text, language)
        if odd <= _PLAUSIBLE and (text not in best or odd < best[text].odd):
            known = best[text].encoding if text in best else codecs.lookup(page).name
            best[text] = Reading(known, odd)
    found = sorted(best.values(), key=lambda reading: reading.odd)
    return [reading for reading in found if reading.odd <= found[0].odd + _CLEARLY]


def mixed_readings(sample: bytes) -> list[Reading]:
    """As `readings`, where no one language has all the letters: a register of one country holds names of many.

    Only for Latin letters, with those of all languages that are written in a code page.
    """
    of_page: dict[str, frozenset[str]] = {}
    for language in LANGUAGES.values():
        if language.latin:
            of_page |= {page: of_page.get(page, frozenset()) | language.letters for page in language.pages}
    return _clearest(sample, [(page, Language(letters, ())) for page, letters in of_page.items()])


def _odd(text: str, language: Language) -> float:
    """The share of the non-ASCII characters of `text` that the language cannot have where they stand."""
    high = {letter: n for letter, n in Counter(text).items() if not letter.isascii()}
    strange = sum(n for letter, n in high.items() if letter not in language.letters and letter not in _TYPOGRAPHY)
    misplaced = sum(1 for _ in _misplaced(language.latin).finditer(text))
    return (strange + misplaced) / max(sum(high.values()), 1)


@cache
def _misplaced(latin: bool) -> re.Pattern[str]:
    """Places where no word can be: a symbol between letters, a capital after a small letter, and outside Latin a letter
    beside an ASCII one."""
    symbol = r"(?<=[^\W\d_])[‚“„«»‹›…•·°º¿¡€£§©®™№²³½¼¾،؛؟](?=[^\W\d_])"
    high_capital = "[À-ÖØ-ÞĀĂĄĆČĎĐĒĔĖĘĚĞĢĪĮİĶĹĽŁŃŅŇŐŔŘŚŞŠŢŤŪŮŰŲŸŹŻŽȘȚ]"
    if latin:
        return re.compile(rf"{symbol}|(?<=[a-zß-ÿ]){high_capital}")
    return re.compile(rf"{symbol}|(?<=[а-яё])[А-ЯЁ]|(?<=[A-Za-z])[^\W\d_\x00-\x7f]|[^\W\d_\x00-\x7f](?=[A-Za-z])")
