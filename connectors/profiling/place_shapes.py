"""Whether the values of a column are places or countries: P-codes, names of the codebook's places, country codes.

Countries are known by their ISO codes and by the names that the CLDR gives them in the languages of deliveries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from functools import cache

import numpy as np
import pyarrow.compute as pc

from connectors.profiling.header_words import folded, named, only_named, words
from connectors.profiling.samples import Mask, Sample, Vocabulary

_PCODE = r"^(?P<country>[A-Z]{2,3})[0-9]{1,3}[0-9A-Z]*$"
_OF_CASES = frozenset(("number", "no", "num", "nr", "numero", "case", "caso", "cas", "dossier", "id", "ref"))
_LONGEST = 10
"""Letters and digits of a P-code; behind a country's two letters longer ones are numbers of cases."""
_SITE = re.compile(r"^(?=.*[0-9])[A-Za-z0-9]{1,4}([-_./]?[A-Za-z0-9]{1,6}){0,4}$")
_BRACKETS = re.compile(r"\s*\([^)]*\)")
"""Iran (Islamic Republic of), République démocratique du Congo (la)."""
_LANGUAGES = "en fr es ar pt fa uk ru tr am ur bn ps so de it ne sw id"
_MORE_LANGUAGES = (
    "ha ti uz ro sq sr pl nl ka hy az kk ky tg el hu cs hr bg om hi ta si my vi ku rw zu yo ig sn wo ln mg fil ms mn km"
    " lo th"
)
"""Each takes a hundredth of a second to open, so these are asked only where a header speaks of a country."""
_COUNTRIES = 250
"""There are no more."""
_WORDED = r"^\p{L}[^0-9]*$"
_MOST, _HALF, _SAMPLE = 0.8, 0.5, 2_000


def places(sample: Sample, heard: str, numeric: bool, coded: bool, beside: bool) -> list[str]:
    """What values are: place_pcode, place_name, place_code, country_iso3, country_iso2, country_name, country_code.

    `coded`: whether the format itself gives the codes of this column; `beside`: whether other columns hold places, by
    which a word such as `state` is one too.
    """
    spoken = says_place(heard, beside) and not (named(heard, "aspect", "gps") or (numeric and named(heard, "census")))
    if not len(sample):
        return ["place_name"] if spoken else ["country_name"] if named(heard, "country") else []
    values = sample.first(_SAMPLE)
    numbered = not _OF_CASES.isdisjoint(words(heard))
    if values.share(_pcodes) >= _MOST and (spoken or (_of_few_lengths(values.texts) and not numbered)):
        return ["place_pcode"]
    if numeric:
        of_country = named(heard, "country") and not named(heard, "aspect", "gps", "census")
        return ["place_code"] if spoken else ["country_code"] if of_country and coded else []
    country = _country(values, named(heard, "country", "nationality") or only_named(heard, "place_beside"))
    if country or named(heard, "nationality"):
        return country or ["nationality"]
    spoken = spoken or (only_named(heard, "where_to") and values.share(_WORDED) >= _MOST)
    if spoken and values.share(_sites) >= _MOST:
        return ["place_code"]
    known = values.share(_places)
    return ["place_name"] if (spoken and not _yes_or_no(values.texts)) or (known >= _HALF and len(values) >= 3) else []


def says_place(heard: str, beside: bool) -> bool:
    """Whether a header speaks of a place: `state` and `community` do where others do, and a community that somebody
    returned to."""
    if named(heard, "place") or (named(heard, "community") and named(heard, "whose")):
        return True
    return (
        beside
        and named(heard, "place_beside", "community")
        and only_named(heard, "place_beside", "community", "whose", "name")
    )


def _country(values: Sample, spoken: bool) -> list[str]:
    enough = spoken or len(values) >= 3
    if enough and values.share(_iso3) >= _MOST and all(len(value.strip()) == 3 for value in values.texts[:20]):
        return ["country_iso3"]
    if (spoken or len(values) >= 8) and values.share(_iso2) >= _MOST:
        return ["country_iso2"]
    if enough and values.share(_country_names) >= (_HALF if spoken else _MOST):
        return ["country_name"]
    # One that is known in a language of deliveries may stand among others in a further one.
    asked = spoken or (enough and len(values) <= _COUNTRIES and values.share(_country_names) > 0)
    if asked and values.share(_names_elsewhere) >= (_HALF if spoken else _MOST):
        return ["country_name"]
    return []


def _yes_or_no(values: list[str]) -> bool:
    return len(values) <= 3 and {folded(value.strip()) for value in values} <= {
        "yes",
        "no",
        "si",
        "oui",
        "non",
        "true",
        "false",
    }


def _of_few_lengths(values: list[str]) -> bool:
    """P-codes have one length for each level and at least two digits; numbers behind a prefix grow with their count."""
    bare = [value.strip() for value in values]
    return (
        len(set(map(len, bare))) <= 3
        and max(map(len, bare)) <= _LONGEST
        and all(sum(map(str.isdigit, value)) >= 2 for value in bare)
    )


def _folded(vocabulary: Vocabulary) -> list[str]:
    return [folded(text.strip()) for text in vocabulary.texts]


def _in(texts: Iterable[str], known: Set[str]) -> Mask:
    return np.array([text in known for text in texts], bool)


def _sites(vocabulary: Vocabulary) -> Mask:
    """Which are codes of sites, as ni-idp-11 or S_004 are: letters and digits without a word among them."""
    return np.array([_SITE.match(text.strip()) is not None for text in vocabulary.texts], bool)


def _iso2(vocabulary: Vocabulary) -> Mask:
    return _in(vocabulary.told(_folded), _countries()[0])


def _iso3(vocabulary: Vocabulary) -> Mask:
    return _in(vocabulary.told(_folded), _countries()[1])


def _country_names(vocabulary: Vocabulary) -> Mask:
    return _in((folded(_BRACKETS.sub("", text.strip())) for text in vocabulary.texts), _countries()[2])


def _names_elsewhere(vocabulary: Vocabulary) -> Mask:
    return _in((folded(_BRACKETS.sub("", text.strip())) for text in vocabulary.texts), _names_in_more_languages())


def _places(vocabulary: Vocabulary) -> Mask:
    return _in(vocabulary.told(_folded), _known_places())


def _pcodes(vocabulary: Vocabulary) -> Mask:
    iso2, iso3, _ = _countries()
    prefixes = pc.struct_field(pc.extract_regex(vocabulary.array, _PCODE), "country").to_pylist()
    return _in(("" if prefix is None else prefix.casefold() for prefix in prefixes), iso2 | iso3)


@cache
def _countries() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """ISO codes of two and of three letters, and names, all folded."""
    from babel import Locale

    from codebook.loader import load_codebook

    territories = {language: Locale(language).territories for language in _LANGUAGES.split()}
    iso2 = frozenset(code.casefold() for code in map(str, territories["en"]) if len(code) == 2 and code.isalpha())
    listed = load_codebook().codelists["country"]
    iso3 = frozenset(code.name.casefold() for code in listed.codes if len(code.name) == 3)
    names = {folded(name) for local in territories.values() for code, name in local.items() if code.isalpha()}
    names |= {folded(code.label(language)) for code in listed.codes for language in ("en", "fr", "es", "ar")}
    return iso2, iso3, frozenset(names)


@cache
def _names_in_more_languages() -> frozenset[str]:
    """Names of countries in all languages, folded."""
    from babel import Locale

    local = (Locale(language).territories for language in _MORE_LANGUAGES.split())
    return _countries()[2].union(folded(name) for names in local for code, name in names.items() if code.isalpha())


@cache
def _known_places() -> frozenset[str]:
    """Names and other spellings of every place that the codebook describes."""
    from codebook.loader import load_codebook

    codebook = load_codebook()
    files = sorted((codebook.root / "places").glob("*.csv"))
    units = [unit for file in files for unit in codebook.places(file.stem.upper())]
    return frozenset(folded(name) for unit in units for name in (unit.name, *unit.alternates))
