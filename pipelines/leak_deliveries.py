"""What `homeward leakcheck` delivers: sources of its own in six formats, and files full of canaries.

Every column that must not pass holds canaries, and so do headers, labels, value labels, sheets, comments, properties
and file names. Some rows are good; the others break a parser, a rule or a constraint each, and some files are refused
as a whole. Columns that are declared to pass hold nothing personal, except where the gate must notice it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from anonymization.leaks.canaries import SCRIPTS, Canaries

COUNTRY = "QZZ"
"""A code that ISO 3166 leaves to its users: nobody's country, and in nobody's figures."""
KINDS = ("csv", "xlsx", "spss", "kobo", "stata", "json")
SOURCES = tuple(f"{COUNTRY.lower()}/leakcheck_{kind}" for kind in KINDS)

_FORMATS = {
    "csv": '{kind: csv, encoding: utf-8, delimiter: ","}',
    "xlsx": "{kind: xlsx}",
    "spss": "{kind: spss}",
    "kobo": "{kind: kobo_xlsx, values: xml}",
    "stata": "{kind: stata}",
    "json": "{kind: json}",
}
_SOURCE = """\
source: {source}
title: {{en: Leak check ({kind})}}
country: {country}
supplier: {{name: homeward leakcheck, language: en}}
owner: leakcheck@example.org
purpose: reintegration_statistics
legal_basis: made-up data; nobody is in it
agreement: none
expires: 2099-12-31
retention_months: 1
delivery: {{mode: increment, undeclared_columns: withhold, max_rejected_share: 1.0}}
format: {format}
tables:
  - name: main
    key: [case_no]
    person: {{link: [national_no, phone, email]}}
    consent: {{column: consent, accept: ["yes"]}}
    entities: {{person: {{}}, return_event: {{}}}}
    columns:
      - {{name: case_no, class: identifier, kind: case_number}}
      - {{name: national_no, class: identifier, kind: national_id}}
      - {{name: given, class: identifier, kind: name, part: given}}
      - {{name: family, class: identifier, kind: name, part: family}}
      - {{name: phone, class: identifier, kind: phone}}
      - {{name: email, class: identifier, kind: email}}
      - {{name: born, class: quasi_identifier, keep: year, format: "%Y-%m-%d"}}
      - {{name: address, class: identifier, kind: address}}
      - {{name: notes, class: free_text, language: en}}
      - {{name: gps, class: ignore}}
      - {{name: officer, class: ignore}}
      - {{name: consent, class: technical}}
      - {{name: sex, class: quasi_identifier}}
      - {{name: returned, class: plain, format: "%Y-%m-%d"}}
      - {{name: age, class: plain}}
      - {{name: channel, class: plain}}
"""
_CROSSWALK = """\
entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state
person,sex,recode,main,sex,M,,,male,,,exact,,homeward,approved
person,sex,recode,main,sex,F,,,female,,,exact,,homeward,approved
person,birth_year,number,main,born,,,,,,,exact,,homeward,approved
return_event,return_date,date,main,returned,,,,,,%Y-%m-%d,exact,,homeward,approved
return_event,age_at_return,number,main,age,,,,,,,exact,,homeward,approved
,,,main,consent,,,,,,,impossible,asked for by the gate,homeward,approved
,,,main,channel,,,,,,,impossible,means nothing,homeward,approved
"""
DECLARED = (
    "case_no", "national_no", "given", "family", "phone", "email", "born", "address", "notes", "gps", "officer",
    "consent", "sex", "returned", "age", "channel",
)  # fmt: skip

Row = dict[str, str]


@dataclass(frozen=True)
class LeakDelivery:
    """Files for one source, and whether the whole of it must be refused."""

    source: str
    file: Path
    refused: bool = False


def write_sources(folder: Path, beside: Path | None) -> None:
    """The sources, and links to those of the deployment's own added folder, which stay known."""
    for source in SOURCES:
        kind = source.rpartition("_")[2]
        (folder / source).mkdir(parents=True)
        text = _SOURCE.format(source=source, kind=kind, country=COUNTRY, format=_FORMATS[kind])
        (folder / source / "source.yaml").write_text(text, encoding="utf-8")
        (folder / source / "crosswalk.csv").write_text(_CROSSWALK, encoding="utf-8")
    for country in beside.glob("[a-z][a-z][a-z]") if beside is not None else ():
        (folder / country.name).symlink_to(country.resolve())


def write_deliveries(folder: Path, canaries: Canaries) -> list[LeakDelivery]:
    """A whole delivery for each source, and with them files that must be refused."""
    folder.mkdir(parents=True)
    scripts = cycle(SCRIPTS)

    def file(kind: str, suffix: str, content: bytes, refused: bool = False) -> LeakDelivery:
        name = canaries.name(next(scripts), "file name")
        path = folder / f"{name}{suffix}"
        path.write_bytes(content)
        return LeakDelivery(f"{COUNTRY.lower()}/leakcheck_{kind}", path, refused)

    whole = {kind: _WRITERS[kind](canaries, _rows(canaries)) for kind in KINDS}
    suffixes = {"csv": ".csv", "xlsx": ".xlsx", "spss": ".sav", "kobo": ".xlsx", "stata": ".dta", "json": ".json"}
    spoiled: dict[str, list[bytes]] = {
        "csv": list(_spoiled_csv(canaries)),
        "xlsx": [whole["xlsx"][: len(whole["xlsx"]) // 2]],
        "spss": [whole["spss"][:700]],
        "kobo": [canaries.story("arabic", "text that is no workbook").encode()],
        "stata": [whole["stata"][:3000]],
        "json": [whole["json"][:-40], f'{{"{canaries.name("sorani", "key of a JSON object")}": 1}}'.encode()],
    }
    made = [file(kind, suffixes[kind], whole[kind]) for kind in KINDS]
    made.append(file("csv", ".zip", _packed(canaries, _csv(canaries, _rows(canaries)))))
    return made + [file(kind, suffixes[kind], each, refused=True) for kind in KINDS for each in spoiled[kind]]


def _good(canaries: Canaries, script: str) -> Row:
    return {
        "case_no": canaries.number(script, "case number", 12),
        "national_no": canaries.number(script, "national number", 13),
        "given": canaries.name(script, "given name"),
        "family": canaries.name(script, "family name"),
        "phone": canaries.phone(script),
        "email": canaries.email(),
        "born": canaries.birth_date(),
        "address": canaries.story(script, "address"),
        "notes": canaries.story(script, "note"),
        "gps": canaries.gps(),
        "officer": canaries.name(script, "officer's name"),
        "consent": "yes",
        "sex": "F",
        "returned": "2024-05-17",
        "age": "34",
        "channel": "office",
    }


def _rows(canaries: Canaries) -> list[Row]:
    """A good row for every script, and one for every way of breaking one."""
    scripts = cycle(SCRIPTS)
    good = [_good(canaries, script) for script in SCRIPTS]
    broken: list[Row] = [
        {"consent": "no"},
        {"consent": ""},
        {"case_no": ""},
        {"case_no": good[0]["case_no"]},  # twice the same key
        {"national_no": good[1]["national_no"], "email": good[2]["email"]},  # two people's numbers on one row
        {"sex": "X9"},
        {"returned": "2023-13-45"},
        {"returned": ""},
        {"age": "4O"},
        {"age": "999"},
        {"age": "9" * 40},
        {"born": canaries.birth_date("%d/%m/%Y")},
        {"born": canaries.story(next(scripts), "text in place of a birth date")},
        {"phone": canaries.story(next(scripts), "text in place of a phone")},
        {"email": canaries.name(next(scripts), "name in place of an e-mail")},
        {"channel": canaries.phone()},  # passing columns: the gate must see these
        {"channel": canaries.email()},
        {"channel": "office " * 2000},
        {"notes": f'{canaries.story("arabic")}\n"{canaries.story("ethiopic")}", \u200f{canaries.email()}'},
        {"notes": " ".join(canaries.story(script) for script in SCRIPTS) + " " + "long " * 2000},
        {"given": "\u200f".join(canaries.name("persian", "given name with marks of direction"))},
    ]
    return [*good, *(_good(canaries, next(scripts)) | change for change in broken)]


def _undeclared(canaries: Canaries) -> Iterator[tuple[str, Callable[[], str]]]:
    """Headers nobody declared, some of them somebody's name, and what their cells hold."""
    yield "second_phone", canaries.phone
    yield "plate", lambda: canaries.reference("plate")
    yield "account", lambda: canaries.reference("account")
    yield "name_reversed", lambda: ", ".join(reversed(canaries.name("latin", "FAMILY, given").upper().split()))
    yield "name_small", lambda: canaries.name("latin", "name in lower case").lower()
    for script in SCRIPTS:
        yield canaries.story(script, "header"), lambda script=script: canaries.name(script, "undeclared cell")  # type: ignore[misc]
    yield canaries.phone(), canaries.email


def _packed(canaries: Canaries, content: bytes) -> bytes:
    """A file within an archive: its name there, and the archive's comment, are somebody's too."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{canaries.name('chinese', 'file name in an archive')}.csv", content)
        archive.comment = canaries.story("pashto", "comment of an archive").encode()
    return out.getvalue()


def _table(canaries: Canaries, rows: list[Row]) -> list[list[str]]:
    """Header and rows, the undeclared columns behind the declared ones."""
    extra = list(_undeclared(canaries))
    header = [*DECLARED, *(name for name, _ in extra)]
    return [header, *([row[name] for name in DECLARED] + [cell() for _, cell in extra] for row in rows)]


def _csv(canaries: Canaries, rows: list[Row]) -> bytes:
    table = _table(canaries, rows)
    longer = [*table[1], canaries.name("cyrillic", "cell beyond the last column")]
    longer[0] = canaries.number("latin", "case number", 12)
    shorter = [canaries.number("latin", "case number", 12), *table[2][1:4]]
    return _written([*table, longer, shorter])


def _written(table: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    return out.getvalue().encode()


def _spoiled_csv(canaries: Canaries) -> Iterator[bytes]:
    table = _table(canaries, [_good(canaries, script) for script in SCRIPTS])
    yield "\n".join(",".join(row) for row in table).encode("utf-16-le")  # another encoding than declared
    yield _written(table[1:])  # no header: somebody's data stand in its place
    yield _written([row[1:] for row in table])  # a column is missing
    yield _written([table[0], *([*row[:15], canaries.phone(), *row[16:]] for row in table[1:])])  # a full plain column
    arabic = _good(canaries, "arabic")
    yield _written([list(DECLARED)]) + ",".join(arabic.values()).encode("cp1256", "replace")


def _xlsx(canaries: Canaries, rows: list[Row]) -> bytes:
    return _workbook(canaries, _table(canaries, rows))


def _kobo(canaries: Canaries, rows: list[Row]) -> bytes:
    header, *cells = _table(canaries, rows)
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
    table = [header + system, *(row + own for row, own in zip(cells, more, strict=True))]
    return _workbook(canaries, table, {"members": repeat})


def _workbook(canaries: Canaries, table: list[list[str]], repeats: dict[str, list[list[str]]] | None = None) -> bytes:
    """The table, and canaries wherever else a workbook holds text."""
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.workbook.defined_name import DefinedName

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "main"
    for row in table:
        sheet.append(row)
    sheet["C2"].comment = Comment(canaries.story("latin", "comment"), canaries.name("cyrillic", "author of a comment"))
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
    book.defined_names[word] = DefinedName(word, attr_text="main!$A$1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _spss(canaries: Canaries, rows: list[Row]) -> bytes:
    """With labels, value labels, a file label and a note."""
    from tempfile import TemporaryDirectory

    import pandas as pd
    import pyreadstat

    header, *cells = _table(canaries, rows)
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
        return path.read_bytes()


def _stata(canaries: Canaries, rows: list[Row]) -> bytes:
    """With labels of variables, values and the file; texts that its table has no room for are long strings (strL)."""
    import pandas as pd

    header, *cells = _table(canaries, rows)
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
    return out.getvalue()


def _json(canaries: Canaries, rows: list[Row]) -> bytes:
    """Records with members inside members, lists of records, and keys that are called after somebody."""
    header, *cells = _table(canaries, rows)
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


_WRITERS: dict[str, Callable[[Canaries, list[Row]], bytes]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "spss": _spss,
    "kobo": _kobo,
    "stata": _stata,
    "json": _json,
}
