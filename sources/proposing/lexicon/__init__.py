"""Words of registers in four languages for variables, tables and answers, and how headers shorten them: data in CSV.

    fields.csv          variable (of one entity, or by its bare name of all), language, words parted by |
    tables.csv          entity, language, words that a table's name uses for it
    answers.csv         code list (* for what is no answer), answer, language, letters that stand for it, words
    abbreviations.csv   a shortened word of a header and the words it stands for

A statistician adds a row where a supplier's word is missing. What is not said by a codebook or a crosswalk of ours is
ordinary use of these languages; names of a supplier do not belong here. How words are weighed is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from codebook.errors import BadDefinition
from codebook.loader import Codebook
from codebook.reading import nearest, place, read_rows
from sources.models import Language
from sources.proposing.words import plain

_FOLDER = Path(__file__).parent
NO_ANSWER = "*"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class _Field(_Row):
    variable: str
    language: Language
    words: str


class _Table(_Row):
    entity: str
    language: Language
    words: str


class _Answer(_Row):
    codelist: str
    answer: str
    language: Language
    letters: str = ""
    words: str


class _Short(_Row):
    short: str
    long: str = Field(min_length=2)


@dataclass(frozen=True)
class Lexicon:
    """Folded words by language. `letters`: code list -> language -> letter -> answers."""

    fields: Mapping[tuple[str, str], tuple[tuple[str, str], ...]]
    tables: Mapping[str, tuple[str, ...]]
    answers: Mapping[tuple[str, str], tuple[tuple[str, str], ...]]
    letters: Mapping[str, Mapping[str, Mapping[str, frozenset[str]]]]
    abbreviations: Mapping[str, str]

    def written_out(self, header: str) -> str:
        """A folded header with its shortened words written out; the header itself where there are none."""
        return " ".join(self.abbreviations.get(word, word) for word in header.split())


def read_lexicon(codebook: Codebook, folder: Path = _FOLDER) -> Lexicon:
    """The four files, checked against the codebook; BadDefinition with file and line."""
    fields: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for line, row in read_rows(folder / "fields.csv", _Field):
        for key in _variables(row.variable, codebook, place(folder / "fields.csv", line)):
            fields.setdefault(key, []).extend((word, row.language) for word in _folded(row.words))
    tables: dict[str, list[str]] = {}
    for line, table in read_rows(folder / "tables.csv", _Table):
        _known(table.entity, codebook.entities, place(folder / "tables.csv", line))
        tables.setdefault(table.entity, []).extend(_folded(table.words))
    answers: dict[tuple[str, str], list[tuple[str, str]]] = {}
    letters: dict[str, dict[str, dict[str, set[str]]]] = {}
    for line, answer in read_rows(folder / "answers.csv", _Answer):
        _check_answer(answer, codebook, place(folder / "answers.csv", line))
        words = [(word, answer.language) for word in _folded(answer.words)]
        answers.setdefault((answer.codelist, answer.answer), []).extend(words)
        by_letter = letters.setdefault(answer.codelist, {}).setdefault(answer.language, {})
        for letter in plain(answer.letters):
            by_letter.setdefault(letter, set()).add(answer.answer)
    return Lexicon(
        {key: tuple(words) for key, words in fields.items()},
        {key: tuple(words) for key, words in tables.items()},
        {key: tuple(words) for key, words in answers.items()},
        {
            name: {language: {one: frozenset(found) for one, found in by.items()} for language, by in spoken.items()}
            for name, spoken in letters.items()
        },
        {plain(row.short): plain(row.long) for _, row in read_rows(folder / "abbreviations.csv", _Short)},
    )


def _folded(words: str) -> list[str]:
    return [plain(word) for word in words.split("|")]


def _variables(name: str, codebook: Codebook, where: str) -> list[tuple[str, str]]:
    entity, _, variable = name.rpartition(".")
    known = [(one.name, each.name) for one in codebook.entities.values() for each in one.variables]
    found = [key for key in known if key[1] == variable and entity in ("", key[0])]
    if not found:
        raise BadDefinition(f"there is no variable `{name}`", where, nearest(variable, [key[1] for key in known]))
    return found


def _check_answer(row: _Answer, codebook: Codebook, where: str) -> None:
    if row.codelist == NO_ANSWER:
        _known(row.answer, [state.name for state in codebook.states], where)
        return
    _known(row.codelist, codebook.codelists, where)
    _known(row.answer, codebook.codelists[row.codelist].names, where)


def _known(name: str, names: Iterable[str], where: str) -> None:
    listed = list(names)
    if name not in listed:
        raise BadDefinition(f"there is no `{name}`", where, nearest(name, listed))
