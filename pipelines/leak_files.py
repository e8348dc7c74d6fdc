"""The formats of what `homeward leakcheck` delivers: its rows as workbooks, exports, files of statistics, JSON, tables.

Canaries stand wherever a format holds text: labels, titles, comments, properties, keys, names of sheets and tables.
Which rows there are, and what is wrong with them, is decided in `leak_rows`.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from anonymization.leaks.canaries import SCRIPTS, Canaries
from pipelines.leak_parts import with_characteristics, with_records
from pipelines.leak_rows import DECLARED, Row, table


def _xlsx(canaries: Canaries, rows: list[Row]) -> bytes:
    return _workbook(canaries, table(canaries, rows))


def _kobo(canaries: Canaries, rows: list[Row]) -> bytes:
    header, *cells = table(canaries, rows)
    system = ["_id", "_uuid", "_submission_time", "_submitted_by", "__version__", "_index", "_notes", "_geolocation"]
    versions = cycle(["vQ7aXk2LmN", canaries.name("latin", "version of a form"), "2024051701"])
    more = [
        [
            str(number),
            f"uuid:{canaries.reference('uuid')}",
            "2024-05-17T10:00:00",
            canaries.name("latin", "user"),
            next(versions),
            str(number),
            canaries.story("latin", "note of a reviewer"),
            canaries.gps(),
        ]
        for number in range(1, len(cells) + 1)
    ]
    repeat = [
        ["name", "age", canaries.name("latin", "header of a repeat"), "_index", "_parent_index", "_submission__id"]
    ]
    for number in range(1, len(cells) + 1):
        member = [canaries.name("sorani", "member of a household"), "7", canaries.reference("card")]
        repeat.append([*member, str(number), str(number), str(number)])
    lines = [header + system, *(row + own for row, own in zip(cells, more, strict=True))]
    return _workbook(canaries, lines, {"members": repeat})


def _workbook(canaries: Canaries, lines: list[list[str]], repeats: dict[str, list[list[str]]] | None = None) -> bytes:
    """The table, and canaries wherever else a workbook holds text."""
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.workbook.defined_name import DefinedName
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "main"
    for row in lines:
        sheet.append(row)
    sheet["C2"].comment = Comment(canaries.story("latin", "comment"), canaries.name("cyrillic", "author of a comment"))
    answers = f'"F,M,{canaries.name("latin", "list of a validation")}"'
    listed = DataValidation(type="list", formula1=answers, sqref="M2:M9")
    listed.prompt, listed.error = canaries.story("latin", "prompt"), canaries.story("persian", "text of a validation")
    sheet.add_data_validation(listed)
    sheet.oddHeader.center.text = canaries.story("latin", "header of a printed page")
    sheet.column_dimensions["B"].hidden = True
    for name, rows in (repeats or {}).items():
        repeat = book.create_sheet(name)
        for row in rows:
            repeat.append(row)
    for script in SCRIPTS:
        other = book.create_sheet(canaries.name(script, "sheet name")[:31])
        other.append([canaries.name(script, "cell of another sheet"), canaries.phone(script)])
        other.sheet_state = "hidden" if script in ("latin", "ethiopic") else "visible"
    book.properties.creator = canaries.name("latin", "author")
    book.properties.title = canaries.story("devanagari", "title")
    book.properties.description = canaries.story("bengali", "description")
    word = canaries.name("latin", "named range").replace(" ", "_")
    note = canaries.story("bengali", "comment of a named range")
    book.defined_names[word] = DefinedName(word, attr_text="main!$A$1", comment=note)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _spss(canaries: Canaries, rows: list[Row]) -> bytes:
    """With labels, value labels, a file label and a note."""
    import pandas as pd
    import pyreadstat

    header, *cells = table(canaries, rows)
    labels = [canaries.story(script, "variable label") for script, _ in zip(cycle(SCRIPTS), header, strict=False)]
    own = [*DECLARED, *(f"extra_{number}" for number in range(len(header) - len(DECLARED)))]
    frame = pd.DataFrame(cells, columns=own)
    frame["status"] = 1.0
    coded: dict[int | float, str] = {
        number: canaries.name(script, "value label") for number, script in enumerate(SCRIPTS, start=1)
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.sav"
        pyreadstat.write_sav(
            frame,
            path,
            file_label=canaries.name("latin", "file label")[:60],
            column_labels=[*labels, canaries.story("latin", "variable label")],
            variable_value_labels={"status": coded},
            note=canaries.story("latin", "note of the file"),
        )
        return with_records(path.read_bytes(), canaries)


def _stata(canaries: Canaries, rows: list[Row]) -> bytes:
    """With labels of variables, values and the file; texts that its table has no room for are long strings (strL)."""
    import pandas as pd

    header, *cells = table(canaries, rows)
    own = [*DECLARED, *(f"extra_{number}" for number in range(len(header) - len(DECLARED)))]
    frame = pd.DataFrame(cells, columns=own)
    frame["status"] = [float(1 + number % len(SCRIPTS)) for number in range(len(frame))]
    coded: dict[float, str] = {
        number: canaries.name(script, "value label of Stata") for number, script in enumerate(SCRIPTS, start=1)
    }
    out = io.BytesIO()
    frame.to_stata(
        out,
        write_index=False,
        version=118,
        data_label=canaries.name("latin", "file label of Stata")[:80],
        variable_labels={name: canaries.story("latin", "variable label of Stata")[:80] for name in own},
        value_labels={"status": coded},
        convert_strl=["address", "notes", "officer", "channel"],
    )
    return with_characteristics(out.getvalue(), canaries)


def _json(canaries: Canaries, rows: list[Row]) -> bytes:
    """Records with members inside members, lists of records, and keys that are called after somebody."""
    header, *cells = table(canaries, rows)
    list_of_somebody = canaries.name("latin", "key of a list in JSON")
    records = [
        dict(zip(header, row, strict=True))
        | {
            "family_of": {canaries.name("cyrillic", "key of a member in JSON"): canaries.phone()},
            list_of_somebody: [
                {"name": canaries.name("bengali", "member of a list in JSON"), "card": canaries.reference()}
            ],
            "plates": [canaries.reference("plate"), canaries.reference("account")],
            "_geolocation": [canaries.gps(), None],
            "said": json.dumps({"by": canaries.name("persian", "JSON within JSON")}),
        }
        for row in cells
    ]
    return json.dumps(records, ensure_ascii=False).encode()


def _geojson(canaries: Canaries, rows: list[Row]) -> bytes:
    """Features with a place, and names in what stands beside them: the layer, members of its own, ids."""
    header, *cells = table(canaries, rows)
    beside = canaries.name("latin", "member of GeoJSON")
    features = [
        {
            "type": "Feature",
            "id": canaries.reference("id of a feature"),
            "geometry": {"type": "Point", "coordinates": [float(part) for part in canaries.gps().split()[1::-1]]},
            "properties": dict(zip(header, row, strict=True)),
            beside: canaries.phone(),
        }
        for row in cells
    ]
    layer = {"type": "FeatureCollection", "name": canaries.name("arabic", "layer of GeoJSON"), "features": features}
    return json.dumps(layer).encode()


def _json_lines(canaries: Canaries, rows: list[Row]) -> bytes:
    header, *cells = table(canaries, rows)
    return "\n".join(json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in cells).encode()


def _sas(canaries: Canaries, rows: list[Row]) -> bytes:
    """A transport file with labels of variables and of the table; its texts are cut at 200 bytes."""
    import pandas as pd
    import pyreadstat

    header, *cells = table(canaries, rows)
    own = [*DECLARED, *(f"extra_{number}" for number in range(len(header) - len(DECLARED)))]
    frame = pd.DataFrame(cells, columns=own).map(lambda text: text.encode()[:200].decode("utf-8", "ignore"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.xpt"
        pyreadstat.write_xport(
            frame,
            path,
            file_label=canaries.name("latin", "label of a table of SAS")[:40],
            column_labels=[canaries.story("latin", "variable label of SAS") for _ in own],
            file_format_version=8,
        )
        return path.read_bytes()


def labelled(canaries: Canaries, rows: list[Row]) -> dict[str, bytes]:
    """An export by labels and its form, by the end of their names: whoever wrote the form named people in questions,
    choices, languages, title and version."""
    _, *cells = table(canaries, rows)
    questions = {name: canaries.story("latin", "label of a question") for name in DECLARED}
    lists = {"sex": {"M": "Man", "F": canaries.name("latin", "label of a choice")}, "consent": {"yes": "Yes"}}
    header = [*questions.values(), "_id", canaries.name("cyrillic", "header of an export"), "_index"]
    answers = [
        [lists.get(name, {}).get(cell, cell) for name, cell in zip(DECLARED, row, strict=False)]
        + [str(number), canaries.phone(), str(number)]
        for number, row in enumerate(cells, start=1)
    ]
    language = canaries.name("latin", "language of a form")
    survey = [
        ["type", "name", "label::English (en)", f"label::{language}", "hint", "constraint_message", "media::image"]
    ]
    for name, label in questions.items():
        beside = [canaries.story("arabic", "hint of a form"), canaries.story("ethiopic", "message of a constraint")]
        kind = f"select_one {name}" if name in lists else "text"
        survey.append([kind, name, label, "", *beside, f"{canaries.name('latin', 'picture of a form')}.jpg"])
    survey.append(["text", canaries.name("latin", "name of a question").replace(" ", "_"), canaries.story()])
    choices = [["list_name", "name", "label::English (en)"]]
    choices += [[of, code, label] for of, labels in lists.items() for code, label in labels.items()]
    title, number = canaries.name("bengali", "title of a form"), canaries.name("latin", "version of a form")
    sheet = canaries.name("latin", "sheet with the title of a form")[:31]
    return {
        ".xlsx": book({sheet: [header, *answers]}),
        "-form.xlsx": book(
            {"survey": survey, "choices": choices, "settings": [["form_title", "version"], [title, number]]}
        ),
    }


def book(sheets: dict[str, list[list[str]]]) -> bytes:
    """A workbook with these sheets, and nothing besides."""
    from openpyxl import Workbook

    made = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def write_database(canaries: Canaries, rows: list[Row], path: Path) -> None:
    """A supplier's database of one table, with columns and a table that nobody declared, and a text that is none."""
    header, *cells = table(canaries, rows)
    columns = ", ".join('"{}" text'.format(name.replace('"', "'")) for name in header)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE main ({columns})")
        database.execute('CREATE TABLE "{}" (a text)'.format(canaries.name("latin", "name of a table")))
        shown = (canaries.name("arabic", "name of a view"), canaries.name("latin", "text of a view"))
        database.execute("CREATE VIEW \"{}\" AS SELECT '{}' AS a FROM main".format(*shown))  # noqa: S608  # ours
        database.executemany(f"INSERT INTO main VALUES ({', '.join('?' * len(header))})", cells)  # noqa: S608  # marks


WRITERS: dict[str, Callable[[Canaries, list[Row]], bytes]] = {
    "xlsx": _xlsx,
    "spss": _spss,
    "kobo": _kobo,
    "stata": _stata,
    "sas": _sas,
    "json": _json,
    "geojson": _geojson,
    "lines": _json_lines,
}
"""The file of a delivery by its kind; an export by labels is two files (`labelled`), a database none."""
