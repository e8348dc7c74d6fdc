"""What `homeward leakcheck` delivers: sources of its own in every format, and files full of canaries.

Some files are good, some are refused as a whole, each for its reason. What their rows are is in `leak_rows`, how a
format writes them in `leak_files`.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from anonymization.leaks.canaries import SCRIPTS, Canaries
from assets.workers import LARGE_BYTES
from pipelines.leak_files import WRITERS, book, labelled, write_database
from pipelines.leak_parts import extra_field
from pipelines.leak_rows import DECLARED, good_row, rows, table

COUNTRY = "QZZ"
"""A code that ISO 3166 leaves to its users: nobody's country, and in nobody's figures."""
KINDS = ("csv", "xlsx", "spss", "kobo", "labels", "stata", "sas", "json", "database")
SOURCES = tuple(f"{COUNTRY.lower()}/leakcheck_{kind}" for kind in KINDS)
DATABASE = "HOMEWARD_LEAKCHECK_DATABASE_URL"
"""In the environment of the check's own runs only: where the made-up supplier's database lies."""

_DATABASE_FILE = "supplier.sqlite"
_SOURCE_OF = {"geojson": "json", "lines": "json", "zip": "csv"}
"""Kinds of file that the source of another kind takes."""
_ENDINGS = {
    **{
        "csv": ".csv",
        "zip": ".zip",
        "xlsx": ".xlsx",
        "kobo": ".xlsx",
        "spss": ".sav",
        "ods": ".ods",
        "stata": ".dta",
        "sas": ".xpt",
    },
    **{"json": ".json", "geojson": ".geojson", "lines": ".jsonl"},
}
_FORMATS = {
    "csv": '{kind: csv, encoding: utf-8, delimiter: ","}',
    "xlsx": "{kind: xlsx}",
    "spss": "{kind: spss}",
    "kobo": "{kind: kobo_xlsx, values: xml}",
    "labels": '{kind: kobo_xlsx, values: labels, language: "English (en)"}',
    "stata": "{kind: stata}",
    "sas": "{kind: sas}",
    "json": "{kind: json}",
    "database": f"{{kind: database, url_env: {DATABASE}}}",
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


@dataclass(frozen=True)
class LeakDelivery:
    """Files for one source (none: its database is asked), and whether the whole of it must be refused."""

    source: str
    files: tuple[Path, ...]
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


def database_url(folder: Path) -> str:
    """The address of the supplier's database among the deliveries in `folder`."""
    return f"sqlite:///{folder / _DATABASE_FILE}"


def write_deliveries(folder: Path, canaries: Canaries) -> list[LeakDelivery]:
    """A whole delivery for each source and kind of file, and with them those that must be refused."""
    folder.mkdir(parents=True)
    scripts = cycle(SCRIPTS)

    def delivery(kind: str, contents: dict[str, bytes], refused: bool = False) -> LeakDelivery:
        """`contents` by the end of the files' names."""
        name = canaries.name(next(scripts), "file name")
        paths = tuple(folder / f"{name}{ending}" for ending in contents)
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
        return LeakDelivery(f"{COUNTRY.lower()}/leakcheck_{kind}", paths, refused)

    whole = {of: write(canaries, rows(canaries)) for of, write in WRITERS.items()} | {"csv": _csv(canaries)}
    made = [delivery(_SOURCE_OF.get(of, of), {_ENDINGS[of]: content}) for of, content in whole.items()]
    made.append(delivery("csv", {".zip": _packed(canaries, _csv(canaries))}))
    made.append(delivery("labels", labelled(canaries, rows(canaries))))
    write_database(canaries, rows(canaries), folder / _DATABASE_FILE)
    made.append(delivery("database", {}))
    return made + [
        delivery(_SOURCE_OF.get(of, of), {_ENDINGS[of]: content}, refused=True)
        for of, content in _spoiled(canaries, whole)
    ]


def write_large_delivery(folder: Path, canaries: Canaries) -> LeakDelivery:
    """A file for which worker processes are started: few rows, with long notes."""
    lines = rows(canaries)
    note = "long " * (LARGE_BYTES // len(lines) // len("long ") + 1)
    path = folder / f"{canaries.name('latin', 'name of a large file')}.csv"
    path.write_bytes(_written(table(canaries, [row | {"notes": f"{row['notes']} {note}"} for row in lines])))
    return LeakDelivery(f"{COUNTRY.lower()}/leakcheck_csv", (path,))


def _spoiled(canaries: Canaries, whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Files by their kind that nobody can take, each for a reason of its own."""
    good = table(canaries, [good_row(canaries, script) for script in SCRIPTS])
    yield "csv", "\n".join(",".join(row) for row in good).encode("utf-16-le")  # another encoding than declared
    yield "csv", _written(good[1:])  # no header: somebody's data stand in its place
    yield "csv", _written([row[1:] for row in good])  # a column is missing
    yield "csv", _written([[";".join(row)] for row in good])  # another delimiter: the header is one long word
    yield "csv", _written(good) + f'"{canaries.name("pashto", "quotation that never ends")}'.encode()
    phones = [good[0], *([*row[:15], canaries.phone(), *row[16:]] for row in good[1:])]
    yield "csv", _written(phones)  # a full plain column
    arabic = ",".join(good_row(canaries, "arabic").values())
    yield "csv", _written([list(DECLARED)]) + arabic.encode("cp1256", "replace")
    yield "zip", _packed(canaries, _written([row[1:] for row in good]))
    yield "xlsx", whole["xlsx"][: len(whole["xlsx"]) // 2]
    yield "spss", whole["spss"][:700]
    yield "kobo", canaries.story("arabic", "text that is no workbook").encode()
    yield "kobo", book({canaries.name("latin", "sheet of a form")[:31]: [row[3:] for row in good]})
    yield "stata", whole["stata"][:3000]
    yield "sas", whole["sas"][:-777]
    yield "json", whole["json"][:-40]
    yield "json", f'{{"{canaries.name("sorani", "key of a JSON object")}": 1}}'.encode()
    lists = {canaries.name(script, "key of a list of records"): [{"id": 1}] for script in ("latin", "arabic")}
    yield "json", json.dumps(lists).encode()
    yield "lines", whole["lines"] + f'\n{{"case_no": "{canaries.name("latin", "line that breaks off")}'.encode()


def _packed(canaries: Canaries, content: bytes) -> bytes:
    """A file within an archive: its name there, and the comments of both, are somebody's too."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(f"{canaries.name('chinese', 'file name in an archive')}.csv")
        member.comment = canaries.story("devanagari", "comment of a file in an archive").encode()
        member.extra = extra_field(canaries)
        archive.writestr(member, content)
        archive.comment = canaries.story("pashto", "comment of an archive").encode()
    return out.getvalue()


def _csv(canaries: Canaries) -> bytes:
    lines = table(canaries, rows(canaries))
    longer = [*lines[1], canaries.name("cyrillic", "cell beyond the last column")]
    longer[0] = canaries.number("latin", "case number", 12)
    shorter = [canaries.number("latin", "case number", 12), *lines[2][1:4]]
    shifted = [*lines[3][:7], canaries.story("latin", "half of a cell that was cut in two"), *lines[3][7:-1]]
    return _written([*lines, longer, shorter, shifted, lines[0]])


def _written(lines: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()
