"""Forms found among the files of a delivery: XLSForms whatever their sheets are called, as CSV too, and asset JSON.

Sheets are found by their columns and not by their names, because both are renamed by hand ("ODK survey-updated"). What
an XForm (.xml) says is the business of `xforms`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codebook.errors import Refused
from connectors.kobo import csv_forms
from connectors.kobo.builder_rows import plain_rows
from connectors.kobo.form import LIST_NAMES, Row, Sheets
from connectors.kobo.xforms import read_xform
from connectors.workbooks.workbook import Workbook, cell_text
from sources.batches import DeliveredFile

MAX_JSON = 16 << 20
"""The largest asset JSON that is taken for a form; those of real surveys are below 2 MB. Parsed, it may be 25 times as
large."""
_IN_A_FILE = re.compile(r"from[_ ]file", re.I)
_CHOICES_IN = re.compile(r"from[_ ]file\s+(\S+)", re.I)
_LOOKED_UP_IN = re.compile(r"pulldata\(\s*['\"]([^'\"]+)['\"]")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")


@dataclass(frozen=True)
class Delivered:
    """The files of a delivery: forms (several: its versions, in delivered order) and data, workbooks opened."""

    forms: tuple[Sheets, ...]
    data: tuple[tuple[DeliveredFile, Workbook | None], ...]


def sorted_out(files: Sequence[DeliveredFile]) -> Delivered:
    """Which of the files are forms; Refused where one is a form in a shape that is not read."""
    forms: list[Sheets] = []
    data: list[tuple[DeliveredFile, Workbook | None]] = []
    for file in files:
        name = file.name.lower()
        if name.endswith(".xml"):
            forms.append(read_xform(file))
        elif name.endswith(".json"):
            forms.append(_asset(file))
        elif name.endswith(_WORKBOOKS):
            book = Workbook(file)
            form = _xlsform(book)
            if form is None:
                data.append((file, book))
            else:
                forms.append(form)
        elif name.endswith(".csv") and (sections := csv_forms.sections(file)) is not None:
            forms.append(_of_sections(sections, file))
        else:
            data.append((file, None))
    beside = {name for form in forms for name in _files_of(form)}
    return Delivered(tuple(forms), tuple(one for one in data if one[0].name not in beside))


def _files_of(form: Sheets) -> Iterator[str]:
    """The files of choices that a form looks things up in; an export holds what was stored, and needs none of them."""
    for row in form.survey:
        for written in row.values():
            yield from _CHOICES_IN.findall(written)
            yield from (f"{name}.csv" for name in _LOOKED_UP_IN.findall(written))
        if _IN_A_FILE.search(row.get("type", "")) and "file" in row:
            yield row["file"]


def read_form(file: DeliveredFile) -> Sheets:
    """A file that must be a form; Refused if it is none."""
    found = sorted_out([file])
    if not found.forms:
        raise _no_form(file, "it has no sheet of questions with the columns type and name")
    return found.forms[0]


def _no_form(file: DeliveredFile, what: str) -> Refused:
    return Refused("delivery.unreadable", what, file.name, "deliver the XLSForm, or the asset as JSON")


def _xlsform(book: Workbook) -> Sheets | None:
    """The form in a workbook; one without choices has labels of questions, and no system columns."""
    survey = choices = settings = None
    certain = False
    for sheet in book.sheets:
        header = {(cell_text(cell) or "").strip().lower() for cell in next(book.rows(sheet), [])}
        if choices is None and "name" in header and header.intersection(LIST_NAMES):
            choices = sheet
        elif survey is None and {"type", "name"} <= header:
            survey = sheet
            certain = any(name.startswith("label") for name in header) and "_index" not in header
        elif settings is None and sheet.strip().lower() == "settings":
            settings = sheet
    if not survey or not (choices or certain):
        return None
    version = next((row.get("version") for row in _rows(book, settings)), None) if settings else None
    rows = [tuple(_rows(book, sheet)) if sheet else () for sheet in (survey, choices)]
    return _sheets(rows[0], rows[1], version, book.file.name)


def _of_sections(sections: Mapping[str, Sequence[Sequence[str | None]]], file: DeliveredFile) -> Sheets:
    survey, choices, settings = (
        tuple(_filled(iter(sections.get(name, ())))) for name in ("survey", "choices", "settings")
    )
    if not any("type" in row and "name" in row for row in survey):
        raise _no_form(file, "its section of questions has no columns type and name")
    version = next((row["version"] for row in settings if "version" in row), None)
    return _sheets(survey, choices, version, file.name)


def _sheets(survey: tuple[Row, ...], choices: tuple[Row, ...], version: str | None, file: str) -> Sheets:
    return Sheets(tuple(plain_rows(survey, choices)), choices, version, file)


def _rows(book: Workbook, sheet: str) -> Iterator[Row]:
    return _filled(book.rows(sheet))


def _filled(rows: Iterator[Sequence[object]]) -> Iterator[Row]:
    """Rows below their header as dicts of trimmed text; blank cells and columns without a header are left out."""
    header = [(cell_text(cell) or "").strip() for cell in next(rows, [])]
    # Commands are lower case, but a language is written as its author wrote it.
    header = [h if h.lower().startswith("label") else h.lower() for h in header]
    for row in rows:
        texts = ((name, cell_text(cell)) for name, cell in zip(header, row, strict=False) if name)
        filled = {name: text.strip() for name, text in texts if text is not None}
        if filled:
            yield filled


def _asset(file: DeliveredFile) -> Sheets:
    """The form in an asset of API v2, or in one of its versions: `content` with `survey` and `choices`."""
    if file.size > MAX_JSON:
        raise _no_form(file, f"a form of more than {MAX_JSON >> 20} MiB is not read")
    try:
        with file.open() as handle:
            asset = json.loads(handle.read(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise _no_form(file, "it is no JSON") from None
    if _content(asset) is None:
        raise _no_form(file, "it holds no content with a survey")
    return of_asset(asset, file.name)


def of_asset(asset: Mapping[str, Any], file: str) -> Sheets:
    """The form of an asset of API v2, or of one of its versions, as the sheets that it could be written in."""
    content = _content(asset) or {}
    translations = content.get("translations")
    languages = [str(spoken or "") for spoken in translations] if isinstance(translations, list) else []
    survey, choices = (tuple(_asset_rows(rows, languages)) for rows in (asked_in(content), content.get("choices")))
    settings = content.get("settings")
    versions = [asset.get("version"), asset.get("version_id"), asset.get("uid")]
    if isinstance(settings, Mapping):
        versions.insert(0, settings.get("version"))
    deployed = (asset.get(name) for name in ("date_deployed", "date_modified"))
    return Sheets(
        survey,
        choices,
        next((str(v) for v in versions if isinstance(v, str)), None),
        file,
        next((str(when) for when in deployed if isinstance(when, str)), None),
    )


def asked_in(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of the survey of an asset's content, as they are deployed."""
    survey, choices = (
        [row for row in rows if isinstance(row, Mapping)] if isinstance(rows := content.get(part), list) else []
        for part in ("survey", "choices")
    )
    return list(plain_rows(survey, choices))


def _content(asset: Any) -> Mapping[str, Any] | None:
    if not isinstance(asset, Mapping):
        return None
    content = asset.get("content", asset)
    return content if isinstance(content, Mapping) and isinstance(content.get("survey"), list) else None


def _asset_rows(rows: object, languages: Sequence[str]) -> Iterator[Row]:
    """Rows as a sheet would hold them; a list of labels is one label for each translation (null: no language)."""
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, Mapping):
            continue
        filled: dict[str, str] = {}
        for key, value in row.items():
            if key == "label" and isinstance(value, list):
                for n, label in enumerate(value):
                    spoken = languages[n] if n < len(languages) else ""
                    if isinstance(label, str) and label.strip():
                        filled.setdefault(f"label::{spoken}" if spoken else "label", label.strip())
            elif (text := cell_text(value) if isinstance(value, str | bool) else None) is not None:
                filled[str(key)] = text.strip()
        # The server names some rows by `$autoname` until the form is deployed.
        if "name" not in filled and "$autoname" in filled:
            filled["name"] = filled["$autoname"]
        if filled:
            yield filled
