"""The XLSForm of a delivery: questions in form order with their groups and repeats, and choice lists in one language.

Sheets are found by their columns and not by their names, because both are renamed by hand ("ODK survey-updated").
A form gives labels and codes; what they mean is the crosswalk's business.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from codebook.errors import Refused
from connectors.workbook import Workbook, cell_text
from sources.batches import DeliveredFile

_SELECT = re.compile(r"^(select[_ ](?:one|multiple)|select1|rank)\s+(\S+)\s*(or[_ ]other)?$")
_BEGIN = re.compile(r"^begin[_ ](?:(group)|repeat|lgroup|looped group)$")
_END = re.compile(r"^end[_ ](?:group|repeat|lgroup|looped group)$")
_BREAK = re.compile(r"<(?:br|p|div|li)\b[^<>]*>", re.I)
_INLINE = re.compile(r"<[^<>]*>|\$\{[^}]*\}|\*\*")
_LIST_NAMES = ("list_name", "list name")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """One choice of a list; a blank label is a missing translation."""

    name: str
    label: str


@dataclass(frozen=True)
class Question:
    """One question; `groups` are (name, label) from the outermost in, `repeat` is the innermost repeat around it."""

    name: str
    type: str
    label: str
    list: str | None
    groups: tuple[tuple[str, str], ...]
    repeat: str | None

    @property
    def multiple(self) -> bool:
        return self.type == "select_multiple"

    @property
    def is_date(self) -> bool:
        return self.type in ("date", "datetime", "today", "start", "end")


@dataclass(frozen=True)
class Form:
    """An XLSForm in one language."""

    questions: tuple[Question, ...]
    choices: Mapping[str, tuple[Choice, ...]]
    language: str | None
    version: str | None

    def section(self, repeat: str | None) -> tuple[Question, ...]:
        """The questions of the main table (None) or of a repeat, in form order."""
        return tuple(question for question in self.questions if question.repeat == repeat)


def plain(text: str) -> str:
    """A label as two exports of one form agree on it: without tags, `${piping}`, emphasis and uneven white space."""
    text = _INLINE.sub("", html.unescape(_BREAK.sub(" ", text)))
    return " ".join(unicodedata.normalize("NFC", text).split())


def split_off_form(
    files: Sequence[DeliveredFile], language: str | None
) -> tuple[Form | None, list[tuple[DeliveredFile, Workbook | None]]]:
    """The form among the files, if there is one, and the other files with their workbooks (None for text files)."""
    form: Form | None = None
    data: list[tuple[DeliveredFile, Workbook | None]] = []
    for file in files:
        if not file.name.lower().endswith((".xlsx", ".xls", ".xlsm", ".ods")):
            data.append((file, None))
            continue
        book = Workbook(file)
        sheets = _form_sheets(book)
        if sheets is None:
            data.append((file, book))
        else:
            form = _read(book, sheets, language)
    return form, data


def _form_sheets(book: Workbook) -> tuple[str, str | None] | None:
    """The sheets of questions and of choices; a form without choices has labels of questions, and no system columns."""
    survey = choices = None
    certain = False
    for sheet in book.sheets:
        header = {(cell_text(cell) or "").strip().lower() for cell in next(book.rows(sheet), [])}
        if choices is None and "name" in header and header.intersection(_LIST_NAMES):
            choices = sheet
        elif survey is None and {"type", "name"} <= header:
            survey = sheet
            certain = any(name.startswith("label") for name in header) and "_index" not in header
    return (survey, choices) if survey and (choices or certain) else None


def _read(book: Workbook, sheets: tuple[str, str | None], language: str | None) -> Form:
    survey, choices = (list(_rows(book, sheet)) if sheet else [] for sheet in sheets)
    question_label = _label_column(survey, language, book.file.name)
    choice_label = _label_column(choices, language, book.file.name) if choices else ""
    lists: dict[str, list[Choice]] = {}
    for row in choices:
        name = next((row[key] for key in _LIST_NAMES if key in row), None)
        if name and "name" in row:
            lists.setdefault(name, []).append(Choice(row["name"], row.get(choice_label, "")))
    settings = next((s for s in book.sheets if s.strip().lower() == "settings"), None)
    version = next((row.get("version") for row in _rows(book, settings)), None) if settings else None
    return Form(
        questions=tuple(_questions(survey, question_label)),
        choices={name: tuple(listed) for name, listed in lists.items()},
        language=language,
        version=version,
    )


def _rows(book: Workbook, sheet: str) -> Iterator[Row]:
    """Rows as dicts of trimmed text; blank cells and columns without a header are left out."""
    rows = book.rows(sheet)
    header = [(cell_text(cell) or "").strip() for cell in next(rows, [])]
    # Commands are lower case, but a language is written as its author wrote it.
    header = [h if h.lower().startswith("label") else h.lower() for h in header]
    for row in rows:
        texts = ((name, cell_text(cell)) for name, cell in zip(header, row, strict=False) if name)
        filled = {name: text.strip() for name, text in texts if text is not None}
        if filled:
            yield filled


def _label_column(rows: Sequence[Row], language: str | None, file: str) -> str:
    """The label column of a language: `label::French (fr)`, `label:French`, or the first one if none is declared."""
    columns = list(dict.fromkeys(name for row in rows for name in row if re.match(r"label\s*(:|$)", name, re.I)))
    if language is None:
        return columns[0] if columns else "label"
    languages = {name: re.sub(r"^label\s*:*\s*", "", name, flags=re.I) for name in columns}
    wanted = language.casefold()
    exact = [name for name, spoken in languages.items() if spoken.casefold() == wanted]
    bare = [name for name, spoken in languages.items() if _bare(spoken) == _bare(language)]
    if exact or len(bare) == 1:
        return (exact or bare)[0]
    raise Refused(
        "delivery.wrong_source",
        f"the form has no labels in {language}; it has {', '.join(filter(None, languages.values())) or 'no language'}",
        file,
        "deliver the form of this export, or correct format.language",
    )


def _bare(language: str) -> str:
    return re.sub(r"\s*\(.*\)$", "", language).strip().casefold()


def _questions(survey: Sequence[Row], label: str) -> Iterator[Question]:
    groups: list[tuple[str, str]] = []
    repeats: list[str | None] = []
    for row in survey:
        kind, name = row.get("type", "").lower(), row.get("name", "")
        begin = _BEGIN.match(kind)
        if begin:
            groups.append((name, row.get(label, "")))
            repeats.append((repeats[-1] if repeats else None) if begin[1] else name)
        elif _END.match(kind):
            groups, repeats = groups[:-1], repeats[:-1]
        elif name:
            yield from _question(row, name, label, tuple(groups), repeats[-1] if repeats else None)


def _question(
    row: Row, name: str, label: str, groups: tuple[tuple[str, str], ...], repeat: str | None
) -> Iterator[Question]:
    select = _SELECT.match(" ".join(row["type"].split())) if "type" in row else None
    kind = select[1].replace(" ", "_").replace("select1", "select_one") if select else row.get("type", "").lower()
    listed = select[2] if select else None
    yield Question(name, kind, row.get(label, ""), listed, groups, repeat)
    if select and select[3]:
        yield Question(f"{name}_other", "text", "", None, groups, repeat)
