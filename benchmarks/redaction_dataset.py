"""Reads the data sets of others that redaction is measured on, and says what had to be read otherwise than written.

One object a line: `text`, `lang`, `country`, `spans` as [start, end, type]; a .json file with a list of objects is read
too, and so are the names that public sets give these fields, spans as objects or in a string, spans that say what
stands there instead of where, and words with a tag each (BIO). Languages and countries may come as
any ISO code or not at all; spans in any order, overlapping, twice, or reaching out of the text. What a type is called
is kept; which types are names of persons is told here. Measuring is the business of `redaction`.
"""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

_TEXT = ("text", "full_text", "source_text", "note", "sentence")
_LANGUAGE = ("lang", "language", "locale")
_TOKENS, _TAGS = ("tokens", "words"), ("ner_tags", "tags", "labels")
_COUNTRY = ("country", "country_code", "region")
_SPANS = ("spans", "entities", "privacy_mask", "pii_spans", "labels", "label")
_START, _END = ("start", "start_position", "begin", "start_offset"), ("end", "end_position", "end_offset")
_VALUE = ("value", "entity", "entity_value", "text")
_KIND = ("type", "entity_type", "label", "entity")
_NAMES = frozenset(
    ("PER", "PERS", "PERSON", "PERSONNAME", "PRIVATEPERSON", "NAME", "FULLNAME", "FIRSTNAME", "MIDDLENAME", "LASTNAME",
     "GIVENNAME", "SURNAME", "FAMILYNAME", "FORENAME", "MAIDENNAME", "NICKNAME", "PATIENT", "PATIENTNAME", "DOCTOR",
     "DOCTORNAME", "NAMESTUDENT", "NAMEGIVEN", "NAMEFAMILY", "NOMBRE", "NOMBRESUJETOASISTENCIA",
     "NOMBREPERSONALSANITARIO", "VORNAME", "NACHNAME", "PRENOM", "NOM", "COGNOME", "APELLIDOS")
)  # fmt: skip
_TAGGED, _NO_LETTER = re.compile(r"^[BISEUL][-_](?=[A-Z])"), re.compile(r"[^A-Z]+")
_DEFAULT_COUNTRY = {
    "am": "ETH", "ti": "ETH", "so": "SOM", "ar": "IRQ", "fa": "AFG", "ps": "AFG", "es": "SLV", "fr": "FRA",
    "pt": "BRA", "de": "DEU", "it": "ITA", "nl": "NLD", "en": "USA",
}  # fmt: skip


@dataclass
class Note:
    text: str
    language: str
    country: str
    spans: list[tuple[int, int, str]]


@dataclass
class Dataset:
    """The notes of a file, and how often something was read otherwise than it was written."""

    notes: list[Note] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)


def is_name(kind: str) -> bool:
    """Whether a type of any set means the name of a person or a part of it: PER, B-PERSON, GIVENNAME, first_name."""
    return _NO_LETTER.sub("", _TAGGED.sub("", kind.upper())) in _NAMES


def read(path: Path) -> Dataset:
    """All notes of a data set; a line without text or that is no object is left out, and counted."""
    dataset = Dataset()
    for one in map(_untokenised, _objects(path, dataset.said)):
        text = _first(one, _TEXT)
        if not isinstance(text, str):
            dataset.said["without a text: left out"] += 1
            continue
        language = _language(_first(one, _LANGUAGE), dataset.said)
        country = _country(_first(one, _COUNTRY), language, dataset.said)
        spans = _spans(_placed(_first(one, _SPANS), text, dataset.said), len(text), dataset.said)
        dataset.notes.append(Note(text, language, country, spans))
    return dataset


def _objects(path: Path, said: Counter[str]) -> Iterator[dict[str, Any]]:
    if path.suffix == ".json":
        lines = json.loads(path.read_text("utf-8-sig"))
    else:
        with path.open(encoding="utf-8-sig") as file:
            lines = [line for line in file if line.strip()]
    for line in lines:
        try:
            one = json.loads(line) if isinstance(line, str) else line
        except json.JSONDecodeError:
            one = None
        if isinstance(one, dict):
            yield one
        else:
            said["no JSON object: left out"] += 1


def _untokenised(one: dict[str, Any]) -> dict[str, Any]:
    """An object of words and a tag each, as one of a text and spans; every other as it is."""
    words, tags = _first(one, _TOKENS), _first(one, _TAGS)
    if _first(one, _TEXT) is not None or not isinstance(words, list) or not isinstance(tags, list):
        return one
    spans: list[list[Any]] = []
    place = 0
    for word, tag in zip(words, map(str, tags), strict=False):
        kind = _TAGGED.sub("", tag.upper())
        if (
            spans
            and spans[-1][1] == place - 1
            and spans[-1][2] == kind
            and not tag.upper().startswith(("B-", "S-", "U-"))
        ):
            spans[-1][1] = place + len(word)
        elif kind != "O":
            spans.append([place, place + len(word), kind])
        place += len(word) + 1
    return {**one, "text": " ".join(words), "spans": spans}


def _placed(written: Any, text: str, said: Counter[str]) -> list[Any]:
    """Spans as a list: out of the string that some sets have them in, and with the place of those that say a value."""
    if isinstance(written, str):
        said["spans in a string: read"] += 1
        try:
            written = literal_eval(written)
        except (ValueError, SyntaxError):
            written = None
    if not isinstance(written, list | tuple):
        return []
    placed: list[Any] = []
    for one in written:
        value = isinstance(one, dict) and _first(one, _START) is None and _first(one, _VALUE)
        if not isinstance(value, str) or not value:
            placed.append(one)
            continue
        kind = _first(one, ("type", "types", "label", "entity_type"))
        kind = kind[0] if isinstance(kind, list) and kind else kind
        placed += [[found.start(), found.end(), kind] for found in re.finditer(re.escape(value), text)]
    return placed


def _first(one: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((one[name] for name in names if one.get(name) is not None), None)


def _language(written: Any, said: Counter[str]) -> str:
    """ISO 639-1 where there is one: of eng, en-US, pt_BR, English; English where none is said."""
    if not written:
        said["no language: read as English"] += 1
        return "en"
    code = re.split(r"[-_ ]", str(written).strip().lower())[0]
    language = code if len(code) == 2 else _codes()[0].get(code, code)
    if str(written) in _codes()[1] and language not in _codes()[0].values():  # a locale that is a country: "US"
        said[f"language {written!s:.20}: read as English"] += 1
        return "en"
    if language != str(written):
        said[f"language {written!s:.20}: read as {language}"] += 1
    return language


def _country(written: Any, language: str, said: Counter[str]) -> str:
    """ISO 3166-1 alpha-3, as national numbers are known by; where none is said, one that speaks the language."""
    code = str(written or "").strip().upper()
    country = code if code in _codes()[1].values() else _codes()[1].get(code, "")
    if not country:
        country = _DEFAULT_COUNTRY.get(language, "USA")
    if country != written:
        said[f"country {written or 'missing'!s:.20}: read as {country}"] += 1
    return country


@lru_cache(maxsize=1)
def _codes() -> tuple[dict[str, str], dict[str, str]]:
    """ISO 639-1 by three letters or English name, and ISO 3166-1 alpha-3 by two letters or English name."""
    from babel import Locale
    from babel.core import get_global

    english = Locale("en")
    languages = {name.lower(): code for code, name in english.languages.items() if len(code) == 2}
    languages |= {code: other.split("_")[0] for code, other in get_global("language_aliases").items() if len(code) == 3}
    countries = {
        others[0]: code
        for code, others in get_global("territory_aliases").items()
        if len(code) == 3 and code.isalpha() and len(others) == 1
    }
    countries |= {
        english.territories[two].upper(): three for two, three in countries.items() if two in english.territories
    }
    return languages, countries


def _spans(written: Any, length: int, said: Counter[str]) -> list[tuple[int, int, str]]:
    """Spans in order of place, each once, within the text."""
    spans: set[tuple[int, int, str]] = set()
    for one in written:
        if isinstance(one, dict):
            start, end, kind = _first(one, _START), _first(one, _END), _first(one, _KIND)
        else:
            start, end, kind = (*one, None, None, None)[:3]
        if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < min(end, length):
            said["span without a place in its text: left out"] += 1
            continue
        said["span that reaches out of its text: cut"] += end > length
        span = (start, min(end, length), str(kind or "UNNAMED"))
        said["span said twice: counted once"] += span in spans
        spans.add(span)
    ordered = sorted(spans)
    overlapping = sum(left[1] > right[0] for left, right in pairwise(ordered))
    said["span that overlaps another: each counted"] += overlapping
    return ordered
