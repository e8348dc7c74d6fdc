"""The form of a delivery: questions in form order with groups, repeats and relevance, choice lists in one language.

A form gives labels, codes and the logic of what was asked; what they mean is the crosswalk's business. Which file a
form lies in is the business of `kobo_form_files`; the rows of its sheets come here as they were written. Types of
questions, with all their old spellings, are told apart by pyxform's own patterns.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from codebook.errors import Refused

LIST_NAMES = ("list_name", "list name")
_BREAK = re.compile(r"<(?:br|p|div|li)\b[^<>]*>", re.I)
_INLINE = re.compile(r"<[^<>]*>|\$\{[^}]*\}|\*\*")
_CODE = re.compile(r"\([a-z-]+\)$")
_RETURN = re.compile(r"_x000d_", re.I)
"""How a workbook writes a carriage return, which not every program reads back."""
_UNSEEN = dict.fromkeys(
    map(ord, "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
)
"""Marks without width or letter. A joiner is not among them: in Persian it tells words apart."""
_PLACE = re.compile(r"position\(\s*(\.\.(?:\s*/\s*\.\.)*)\s*\)")
MAX_NESTED = 60
"""Groups within groups; in a form whose groups are never closed each question would name all before it."""
_RELEVANT = ("relevant", "relevance", "bind:relevant", "bind::relevant")
_CALCULATED = ("calculation", "calculate", "bind:calculate", "bind::calculate")
_SELECTS = {"select one": "select_one", "select all that apply": "select_multiple", "rank": "rank"}
_ELSEWHERE = re.compile(r"file|external", re.I)
_MEDIA = frozenset({"image", "audio", "video", "file", "background-audio", "audit"})

Row = Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """One choice of a list; a blank label is a missing translation."""

    name: str
    label: str


@dataclass(frozen=True)
class Question:
    """One question; `groups` are (name, label) from the outermost in, `repeat` is the innermost repeat around it.

    `relevant`: the conditions that must all hold for it to be asked within a row of its table: its own and those of
    the groups inside its repeat. Of a repeat that was not asked for there is no row. `calculation`: what the device
    works out in its place; `or_other`: a choice "other" was added to its list; `was_number`: a former version of the
    form asked for a number.
    """

    name: str
    type: str
    label: str
    list: str | None
    groups: tuple[tuple[str, str], ...]
    repeat: str | None
    relevant: tuple[str, ...] = ()
    calculation: str = ""
    or_other: bool = False
    was_number: bool = False

    @property
    def multiple(self) -> bool:
        return self.type == "select_multiple"

    @property
    def is_date(self) -> bool:
        return self.type in ("date", "datetime", "today", "start", "end")

    @property
    def is_media(self) -> bool:
        return self.type in _MEDIA

    @property
    def path(self) -> str:
        return "/".join([*(name for name, _ in self.groups), self.name])


@dataclass(frozen=True)
class Form:
    """A form in one language; `repeats`: each repeat and the repeat around it (None: the main table); `translated`: its
    file has it in other languages as well; `unplaced`: paths of questions that do not stand in any known order."""

    questions: tuple[Question, ...]
    choices: Mapping[str, tuple[Choice, ...]]
    language: str | None
    version: str | None
    repeats: Mapping[str, str | None] = field(default_factory=dict)
    translated: bool = False
    unplaced: frozenset[str] = frozenset()

    def section(self, repeat: str | None) -> tuple[Question, ...]:
        """The questions of the main table (None) or of a repeat, in form order."""
        return tuple(question for question in self.questions if question.repeat == repeat)


@dataclass(frozen=True)
class Sheets:
    """What a form's file holds, in all its languages: rows of the survey and of the choices, blank cells left out.

    `deployed`: when the server deployed it, as an ISO 8601 time; an XLSForm does not say.
    """

    survey: tuple[Row, ...]
    choices: tuple[Row, ...]
    version: str | None
    file: str
    deployed: str | None = None

    @property
    def languages(self) -> list[str]:
        """The languages of the questions' labels, in the file's order; a plain `label` column has none."""
        return [spoken for spoken in _label_columns(self.survey).values() if spoken]

    @property
    def has_no_language(self) -> bool:
        """Whether there are labels that are in no language, beside others or alone."""
        return not self.languages or "" in _label_columns(self.survey).values()


def plain(text: str) -> str:
    """A label as two exports of one form agree on it: without tags, `${piping}`, emphasis and uneven white space."""
    text = _INLINE.sub("", html.unescape(_BREAK.sub(" ", text)))
    text = _RETURN.sub(" ", text).translate(_UNSEEN)
    return " ".join(unicodedata.normalize("NFC", text).split())


def in_language(sheets: Sheets, language: str | None) -> Form:
    """The form as read in `language`; Refused if its labels do not exist in it. None is what has no language, or the
    first."""
    question_label = _label_column(sheets.survey, language, sheets.file)
    choice_label = _label_column(sheets.choices, language, sheets.file) if sheets.choices else ""
    lists: dict[str, list[Choice]] = {}
    for row in sheets.choices:
        name = next((row[key] for key in LIST_NAMES if key in row), None)
        if name and "name" in row:
            lists.setdefault(name, []).append(Choice(row["name"], row.get(choice_label, "")))
    reader = _Survey(question_label, sheets.file)
    questions = tuple(question for row in sheets.survey for question in reader.read(row))
    choices = {name: tuple(listed) for name, listed in lists.items()}
    spoken = len(_label_columns(sheets.choices)) > 1
    return Form(questions, choices, language, sheets.version, reader.nesting, spoken)


def _label_columns(rows: Sequence[Row]) -> dict[str, str]:
    """The label columns and their languages: `label::French (fr)`, `label:French`, and `label`, which has none."""
    columns = dict.fromkeys(name for row in rows for name in row if re.match(r"label\s*(:|$)", name, re.I))
    return {name: re.sub(r"^label\s*:*\s*", "", name, flags=re.I) for name in columns}


def _label_column(rows: Sequence[Row], language: str | None, file: str) -> str:
    """The label column of a language; if none is declared, the one without a language, or the first."""
    languages = _label_columns(rows)
    if language is None:
        return next((name for name, spoken in languages.items() if not spoken), next(iter(languages), "label"))
    wanted = language.casefold()
    exact = [name for name, spoken in languages.items() if spoken.casefold() == wanted]
    bare = [name for name, spoken in languages.items() if _bare(spoken) == _bare(language)]
    code = _CODE.search(wanted)
    renamed = [name for name, spoken in languages.items() if code and spoken.casefold().endswith(code[0])]
    for found in (exact, bare, renamed):  # `French (fr)`, `French`, and `Français (fr)`
        if found and (found is exact or len(found) == 1):
            return found[0]
    raise Refused(
        "delivery.wrong_source",
        f"the form has no labels in {language}; it has {len(languages)} columns of labels",
        file,
        "deliver the form of this export, or correct format.language",
    )


def _bare(language: str) -> str:
    return re.sub(r"\s*\(.*\)$", "", language).strip().casefold()


@dataclass
class _Survey:
    """Goes through the rows of a survey and knows which groups and repeats are open."""

    label: str
    file: str
    nesting: dict[str, str | None] = field(default_factory=dict)
    _groups: list[tuple[str, str]] = field(default_factory=list)
    _repeats: list[str | None] = field(default_factory=list)
    _conditions: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, row: Row) -> Iterator[Question]:
        from pyxform.xls2json import RE_BEGIN_CONTROL, RE_END_CONTROL

        kind, name = " ".join(row.get("type", "").split()), row.get("name", "")
        begin = RE_BEGIN_CONTROL.match(kind.lower())
        if begin:
            self._open(row, name, is_repeat=begin["type"] in ("repeat", "lgroup", "looped group"))
        elif RE_END_CONTROL.match(kind.lower()):
            for opened in (self._groups, self._repeats, self._conditions):
                del opened[-1:]
        elif name:
            yield from self._question(row, kind, name)

    def _open(self, row: Row, name: str, is_repeat: bool) -> None:
        if len(self._groups) == MAX_NESTED:
            what = f"its groups are nested more than {MAX_NESTED} deep"
            raise Refused("delivery.unreadable", what, self.file, "close each group where it ends")
        around = self._repeats[-1] if self._repeats else None
        own = self._relevant(row)
        above = self._conditions[-1] if self._conditions else ()
        if is_repeat:
            self.nesting[name] = around
        self._groups.append((name, row.get(self.label, "")))
        self._repeats.append(name if is_repeat else around)
        self._conditions.append(() if is_repeat else (*above, *own))

    def _relevant(self, row: Row) -> tuple[str, ...]:
        """The conditions of a row."""
        return tuple(self._placed(row[name]) for name in _RELEVANT if name in row)

    def _placed(self, expression: str) -> str:
        """An expression in which is named what `position(..)` counts: of a group, which is no repeat, it is 1."""

        def counted(found: re.Match[str]) -> str:
            up = found[1].count("..")
            if up > len(self._groups):
                return found[0]
            name = self._groups[-up][0]
            return f"position(${{{name}}})" if name in self.nesting else "1"

        return _PLACE.sub(counted, expression)

    def _question(self, row: Row, kind: str, name: str) -> Iterator[Question]:
        from pyxform import aliases
        from pyxform.xls2json import RE_SELECT

        select = RE_SELECT.match(kind) or RE_SELECT.match(f"{kind} {row.get('select_from_list_name', '')}".strip())
        listed = select["list_name"] if select else None
        if select:
            command = aliases.select[select["select_command"]]
            kind = _SELECTS.get(command, "select_one")
            if _ELSEWHERE.search(select["select_command"]):
                # The form does not hold these choices, and an export writes what was stored, in label mode too.
                listed = None
        groups, repeat = tuple(self._groups), self._repeats[-1] if self._repeats else None
        relevant = (*(self._conditions[-1] if self._conditions else ()), *self._relevant(row))
        calculation = next((self._placed(row[key]) for key in _CALCULATED if row.get(key)), "")
        kind = kind if select else kind.lower()
        or_other = bool(select) and (bool(select["specify_other"]) or row.get("_or_other", "").lower() == "true")
        yield Question(name, kind, row.get(self.label, ""), listed, groups, repeat, relevant, calculation, or_other)
        if or_other:
            yield Question(f"{name}_other", "text", "", None, groups, repeat, relevant)
