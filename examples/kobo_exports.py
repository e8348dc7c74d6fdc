"""Writes answers as KoboToolbox exports them, with the traps of formats.md 1.1 and 1.4.

XLSX with XML values and group paths, one sheet per repeat; CSV with labels, first section only. What was answered is
not decided here: a submission is a dict of question name -> XML value, and a damaged cell is damaged before it comes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from examples.rss_forms import Form, Question, write_workbook

SYSTEM = (
    "_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "__version__",
    "_tags", "meta/rootUuid",
)  # fmt: skip
GEOPOINT_PARTS = ("latitude", "longitude", "altitude", "precision")
SHEET_NAME_LENGTH = 31


@dataclass
class Submission:
    """One submission: answers and system columns by name, its household members, and stray cells after the last."""

    cells: dict[str, str]
    members: list[dict[str, str]] = field(default_factory=list)
    beyond: tuple[str, ...] = ()


def write_xlsx_export(form: Form, submissions: Sequence[Submission], path: Path, extra: Sequence[str] = ()) -> Path:
    """An XLSX export with XML values: main sheet named by the title, one sheet for the repeat `members`.

    `extra`: columns of a former form version that stand before the system columns.
    """
    title = form.title[:SHEET_NAME_LENGTH]
    questions = list(form.questions())
    main: list[list[str | int]] = [[*_xml_headers(form, questions), *extra, *SYSTEM, "_index"]]
    inside = list(form.questions("members"))
    copied = [f"_submission_{name}" for name in SYSTEM]
    members: list[list[str | int]] = [
        [*_xml_headers(form, inside), "_index", "_parent_table_name", "_parent_index", *copied]
    ]
    for index, one in enumerate(submissions, start=1):
        cells = [cell for question in questions for cell in _xml_cells(form, question, one.cells)]
        system = [_number(one.cells.get(name, "")) if name == "_id" else one.cells.get(name, "") for name in SYSTEM]
        main.append([*cells, *(one.cells.get(name, "") for name in extra), *system, index, *one.beyond])
        for member in one.members:
            answers = [cell for question in inside for cell in _xml_cells(form, question, member)]
            parent = {**one.cells, **member}
            copies = [_number(parent.get(name, "")) if name == "_id" else parent.get(name, "") for name in SYSTEM]
            members.append([*answers, len(members), title, index, *copies])
    return write_workbook(path, {title: main, "members": members})


def write_csv_export(form: Form, submissions: Sequence[Submission], path: Path, language: str) -> Path:
    """A CSV export with labels: `;`, every cell quoted, CRLF, UTF-8 without BOM; repeats are dropped without a word."""
    questions = list(form.questions())
    headers = [header for question in questions for header in _label_headers(question, language)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([*headers, *SYSTEM, "_index"])
    for index, one in enumerate(submissions, start=1):
        cells = [cell for question in questions for cell in _label_cells(form, question, one.cells, language)]
        writer.writerow([*cells, *(one.cells.get(name, "") for name in SYSTEM), str(index), *one.beyond])
    path.write_bytes(out.getvalue().encode("utf-8"))
    return path


def _xml_headers(form: Form, questions: Sequence[Question]) -> Iterator[str]:
    for question in questions:
        path = "/".join((*question.groups, question.name))
        if question.kind == "geopoint":
            # The point itself loses its group path, its four parts keep it (formats.md 1.1, measured).
            yield question.name
            yield from ("/".join((*question.groups, f"_{question.name}_{part}")) for part in GEOPOINT_PARTS)
        else:
            yield path
        if question.kind == "select_multiple":
            yield from (f"{path}/{code}" for code in form.choices[question.list_name])


def _xml_cells(form: Form, question: Question, answers: Mapping[str, str]) -> Iterator[str]:
    answer = answers.get(question.name, "")
    yield answer
    if question.kind == "geopoint":
        yield from _geopoint_parts(answer)
    if question.kind == "select_multiple":
        chosen = answer.split()
        for code in form.choices[question.list_name]:
            yield "" if not answer else "1" if code in chosen else "0"


def _label_headers(question: Question, language: str) -> Iterator[str]:
    label = question.labels[language] or question.name
    yield label
    if question.kind == "geopoint":
        yield from (f"_{label}_{part}" for part in GEOPOINT_PARTS)


def _label_cells(form: Form, question: Question, answers: Mapping[str, str], language: str) -> Iterator[str]:
    answer = answers.get(question.name, "")
    if question.kind == "select_one":
        answer = form.choice_label(question, answer, language)
    elif question.kind == "select_multiple":
        answer = " ".join(form.choice_label(question, code, language) for code in answer.split())
    yield answer
    if question.kind == "geopoint":
        yield from _geopoint_parts(answer)


def _geopoint_parts(answer: str) -> list[str]:
    parts = answer.split()
    return parts if len(parts) == len(GEOPOINT_PARTS) else [""] * len(GEOPOINT_PARTS)


def _number(text: str) -> str | int:
    """Kobo writes `_id` as a number; what a spreadsheet program has damaged is text."""
    return int(text) if text.isdigit() else text
