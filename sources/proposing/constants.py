"""What is the same in every row and stands in no column: country of return, and the currency that a header names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from codebook.loader import Codebook
from codebook.models import LANGUAGES
from sources.proposing.described import Described, Match
from sources.proposing.words import plain

_SHORTEST = 4
_COUNTRY, _NAMED = 0.9, 0.9
_CODE = re.compile(r"\b[A-Z]{3}\b")


@dataclass(frozen=True)
class Constant:
    """An answer that every row has."""

    entity: str
    variable: str
    target: str
    score: float
    evidence: str


def constants(matches: Sequence[Match], country: str, codebook: Codebook) -> Iterator[Constant]:
    """What is proposed beside the matches of a table, for variables that no column makes."""
    made = {match.target.key for match in matches}
    for entity in dict.fromkeys(match.target.entity for match in matches):
        known = codebook.entities[entity].names
        if "country_of_return" in known and (entity, "country_of_return") not in made:
            evidence = f"«{country}» is the country that the source was proposed for"
            yield Constant(entity, "country_of_return", country, _COUNTRY, evidence)
        amounts = [m.column for m in matches if m.target.entity == entity and m.target.variable.unit == "currency"]
        if "currency" in known and (entity, "currency") not in made and amounts:
            yield from _currency(entity, amounts, codebook)


def _currency(entity: str, amounts: Sequence[Described], codebook: Codebook) -> Iterator[Constant]:
    """The one currency that the headers or labels of the amounts name."""
    names = _names(codebook)
    named: dict[str, str] = {}
    for column in amounts:
        named |= dict.fromkeys(_told(column, names, codebook.codelists["currency"].names), column.name)
    if len(named) == 1:
        ((code, column_name),) = named.items()
        yield Constant(entity, "currency", code, _NAMED, f"named by «{column_name}»")


def _told(column: Described, names: Mapping[str, str], codes: Iterable[str]) -> set[str]:
    """Currencies by a word of their own (`birr`, `quetzales`), or by their code, in capitals where not all are."""
    said = f"{plain(column.name)} {plain(column.label)}".split()
    found = {code for word in said for name, code in names.items() if word.startswith(name)}
    listed = set(codes)
    for text in (column.name, column.label):
        if not text.isupper():
            found |= listed & set(_CODE.findall(text.replace("_", " ")))
    return found


def _names(codebook: Codebook) -> dict[str, str]:
    """Words that one currency alone is called by, in any language."""
    listed = codebook.codelists["currency"]
    callers: dict[str, set[str]] = {}
    for code in listed.codes:
        for word in {word for lang in LANGUAGES for word in plain(code.label(lang)).split()}:
            callers.setdefault(word, set()).add(code.name)
    return {word: next(iter(codes)) for word, codes in callers.items() if len(codes) == 1 and len(word) >= _SHORTEST}
