"""From a file to a proposed source: the profile describes it, codebook and approved crosswalks say what it could be.

Joins two rooms and writes two files; how a column is matched is the business of `sources.proposing`. What is written
is read again by the real loader before anybody sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codebook.errors import BadDefinition, Refused
from codebook.loader import Codebook, load_codebook
from connectors.archives import is_archive, members
from connectors.profiling.filled_together import filled_together
from connectors.profiling.frequent_codes import frequent_codes
from connectors.profiling.looks_like import PERSONAL
from connectors.profiling.profile import profile
from connectors.profiling.remarks import remarks
from connectors.shapes import Grid
from connectors.unknown import Looked, open_unknown
from sources.batches import DeliveredFile
from sources.loader import list_sources, load_source
from sources.models import Source
from sources.proposing.declaring import Proposal, ProposedTable, source_yaml, with_key
from sources.proposing.described import Described, date_forms
from sources.proposing.known import Known, gather
from sources.proposing.matching import propose
from sources.proposing.rows import crosswalk_csv
from sources.proposing.skipped import Filled, Seen

SOURCE_KINDS: Mapping[str, str] = {
    "csv": "csv",
    "tsv": "csv",
    "sav": "spss",
    "zsav": "spss",
    "por": "spss",
    "dta": "stata",
    "sas7bdat": "sas",
    "xpt": "sas",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
    "geojson": "json",
    "xlsx": "xlsx",
    "xls": "xlsx",
    "xlsb": "xlsx",
    "ods": "xlsx",
    "kobo_csv": "kobo_csv",
    "kobo_xlsx": "kobo_xlsx",
    "kobo_xls": "kobo_xlsx",
}
"""Format of a file -> kind of a source's format."""
_ONE_TABLE = ("csv", "spss", "stata", "sas", "json")
_MOST_GATES = 12
"""A question that decides what is asked next has no more answers than this."""
_FEW = 40
"""A column of numbers has codes if it has no more different values, and is no measure."""


@dataclass(frozen=True)
class Laid:
    """A table as it lies in the file; `conditions`: columns whose question its form asks under one, `remarks`: what a
    profile says of it besides."""

    grid: Grid
    columns: Sequence[Described]
    conditions: Mapping[str, str]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Scaffolded:
    """What was written and how far it goes."""

    folder: Path
    tables: Sequence[ProposedTable]

    def remarks(self) -> dict[str, list[str]]:
        """By table: what else somebody has to know of it."""
        return {table.name: list(table.remarks) for table in self.tables if table.remarks}

    def counts(self) -> list[dict[str, Any]]:
        """A row a table: columns, columns with a proposal, variables, codes with a proposal and all codes."""
        return [
            {
                "table": table.name,
                "columns": len(table.columns),
                "matched": len({match.column.name for match in table.matches}),
                "variables": len(table.matches),
                "codes": sum(len(match.answers) for match in table.matches),
                "open_codes": sum(
                    len(match.column.codes) - len(match.answers) - len(match.nothing) for match in table.matches
                ),
            }
            for table in self.tables
        ]


def scaffold(
    file: DeliveredFile, form: DeliveredFile | None, country: str, source: str, out: Path, hidden: str | None = None
) -> Scaffolded:
    """Write a proposed source.yaml and crosswalk.csv into `out/<source>/`; `hidden`: a source that is not asked.

    Refused where there is such a source already, or where none can be proposed from this format.
    """
    codebook = load_codebook()
    _check_names(country, source, codebook)
    folder = out / source
    for name in ("source.yaml", "crosswalk.csv"):
        if (folder / name).exists():
            raise Refused("delivery.wrong_source", f"{name} is there already", str(folder), "choose another --source")
    looked = open_packed(file, form)
    kind = SOURCE_KINDS.get(looked.format)
    if kind is None:
        what = f"no source can be proposed from .{looked.format}"
        raise Refused("delivery.unreadable", what, file.name, "deliver it as CSV, Excel, JSON, SPSS, Stata or SAS")
    known = _without_places(gather(codebook, approved_without(hidden)), codebook, country)
    described = describe(looked, file.name, kind)
    tables = [
        with_key(ProposedTable(name, laid.columns, propose(laid.columns, known, _seen(laid)), remarks=laid.remarks))
        for name, laid in described.items()
    ]
    kept = _kept(tables, kind)
    left_out = [table.name for table in tables if table.name not in {one.name for one in kept}]
    proposal = Proposal(source, country, _format(looked, kind, described), kept, left_out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.yaml").write_text(source_yaml(proposal), encoding="utf-8")
    (folder / "crosswalk.csv").write_text(crosswalk_csv(kept, codebook, country), encoding="utf-8")
    load_source(source, out)
    return Scaffolded(folder, kept)


def open_packed(file: DeliveredFile, form: DeliveredFile | None) -> Looked:
    """The tables of a file, or of the one file in an archive, with the format of what is inside."""
    found = members(file) if is_archive(file) else [file]
    if len(found) > 1:
        what = f"the archive holds {len(found)} files, and a source is proposed from one"
        raise Refused("delivery.unreadable", what, file.name, "unpack it and scaffold each file")
    return open_unknown(found[0], form)


def _check_names(country: str, source: str, codebook: Codebook) -> None:
    if country not in codebook.codelists["country"] or not re.fullmatch(r"[A-Z]{3}", country):
        raise BadDefinition("this is no country", "--country", "three letters of ISO 3166-1, such as GTM")
    if not re.fullmatch(r"[a-z]{3}/[a-z][a-z0-9_]*", source) or source[:3] != country.lower():
        raise BadDefinition("this is no id of a source", "--source", f"such as {country.lower()}/arrivals")


def approved_without(hidden: str | None) -> list[Source]:
    """Every source whose crosswalk is remembered."""
    return [load_source(name) for name in list_sources() if name != hidden]


def _without_places(known: Known, codebook: Codebook, country: str) -> Known:
    """Places are matched only where the codebook describes the country's."""
    try:
        codebook.places(country)
    except BadDefinition:
        return replace(known, targets=tuple(t for t in known.targets if t.variable.type != "place"))
    return known


def describe(looked: Looked, name: str, kind: str) -> dict[str, Laid]:
    """Every table that has rows, with its columns named as a source declares them."""
    told = profile(looked, name)
    conditional: Any = looked.facts.get("conditional") or {}
    found: dict[str, Laid] = {}
    single = kind in _ONE_TABLE or len(looked.grids) == 1
    for table, (sheet, grid) in zip(told["tables"], looked.grids.items(), strict=True):
        if found and kind in _ONE_TABLE:
            break  # further lists of records of a JSON file are sources of their own
        if not table["rows"] or not table["columns"]:
            continue
        main = single or (kind.startswith("kobo") and not found)
        title = "main" if main and kind != "xlsx" else table["name"]
        columns = _columns(title, table["columns"], grid)
        found[title] = Laid(grid, columns, conditional.get(sheet, {}), tuple(remarks(table)))
    if not found:
        raise Refused("delivery.empty", "no table of the file has a row", name, "deliver the file again")
    return found


def _seen(laid: Laid) -> Seen:
    """What the rows of a table, and its form, can be asked."""

    def count(columns: Sequence[Described]) -> Filled:
        at = {h.names[0]: h.position for h in reversed(laid.grid.headings)}
        places = {column.name: at[column.name] for column in columns}
        if not places:
            return Filled()
        gates = {c.name: list(c.codes) for c in columns if 0 < len(c.codes) <= _MOST_GATES}
        counted = filled_together(laid.grid, list(places.values()), {places[name]: gates[name] for name in gates})
        names = list(places)
        both = counted.both.tolist()
        return Filled(
            counted.rows,
            {name: both[n][n] for n, name in enumerate(names)},
            {(one, other): both[n][m] for n, one in enumerate(names) for m, other in enumerate(names)},
            {
                (name, code): (rows, dict(zip(names, filled.tolist(), strict=True)))
                for name in gates
                for code in gates[name]
                for rows, filled in (counted.where[places[name], code],)
            },
        )

    return Seen(count, laid.conditions)


def _columns(table: str, columns: Sequence[Mapping[str, Any]], grid: Grid) -> list[Described]:
    coded = {
        heading.position: column
        for heading, column in zip(grid.headings, columns, strict=True)
        if not column["value_labels"] and _may_be_coded(column)
    }
    joined = frozenset(at for at, column in coded.items() if "select_multiple" in column["looks_like"])
    codes = frequent_codes(grid, list(coded), joined) if coded else {}
    described, names = [], set()
    for heading, column in zip(grid.headings, columns, strict=True):
        name = heading.names[0]
        if not name or name in names:
            continue
        names.add(name)
        told = codes.get(heading.position)
        labels = column["value_labels"] or dict.fromkeys(told.told if told else (), "")
        kinds = tuple(column["looks_like"])
        described.append(
            Described(table, name, column["label"], column["type"], kinds, labels, column["decimal"])
            if _passes(kinds)
            else Described(table, name, column["label"], "empty", kinds)
        )
    return described


def _passes(kinds: Sequence[str]) -> bool:
    """Whether a column may be proposed for a variable: not what looks like a person, but for the year of a birth."""
    bare = {kind.split(":")[0] for kind in kinds}
    personal = bare & (set(PERSONAL) - {"birth_date"})
    return not personal and not bare & {"free_text"} and not any("within text" in k for k in kinds)


def _may_be_coded(column: Mapping[str, Any]) -> bool:
    if not _passes(column["looks_like"]) or any(kind.startswith("date") for kind in column["looks_like"]):
        return False
    if column["distinct"] * 2 > column["filled"] and column["distinct"] > 12:
        return False
    return not column["type"].startswith("decimal") and column["distinct"] <= (
        _FEW if column["type"] == "integer" else 250
    )


def _kept(tables: Sequence[ProposedTable], kind: str) -> list[ProposedTable]:
    """Tables with a proposal, and always the first; a repeat of an export names its parent."""
    first, *others = tables
    kept = [first, *(table for table in others if table.matches)]
    if not first.matches and len(kept) > 1 and not kind.startswith("kobo"):
        kept = kept[1:]
    repeats = [replace(table, parent="main") for table in kept[1:]] if kind.startswith("kobo") else kept[1:]
    return [kept[0], *repeats]


def _header(looked: Looked, kind: str, tables: Sequence[str]) -> dict[str, int]:
    """Where the header stands, if it is not the first row; Refused where no row looks like one."""
    facts: Any = looked.facts
    if kind == "xlsx":
        sheets = facts.get("sheets") or {}
        facts = next((sheets[name] for name in tables if name in sheets), {"header_rows": 1})
    if kind in ("csv", "xlsx") and not facts["header_rows"]:
        mend = "ask the supplier for a row of names above the records"
        raise Refused("delivery.unreadable", "no row looks like a header", "the file", mend)
    return {name: facts[name] for name in ("header_row", "header_rows") if facts.get(name, 1) > 1}


def _format(looked: Looked, kind: str, described: Mapping[str, Laid]) -> dict[str, Any]:
    columns = [column for laid in described.values() for column in laid.columns]
    found: dict[str, Any] = {"kind": kind}
    if kind in ("csv", "spss", "stata", "sas") and looked.encoding:
        found["encoding"] = looked.encoding
    if kind == "csv" and looked.facts.get("delimiter"):
        found["delimiter"] = looked.facts["delimiter"]
    found |= _header(looked, kind, list(described))
    if kind == "json" and looked.facts.get("records_at"):
        found["records"] = looked.facts["records_at"]
    if kind == "sas" and looked.facts.get("catalog"):
        found["catalog"] = True
    if kind.startswith("kobo"):
        found |= {name: looked.facts[name] for name in ("values", "language", "separator") if looked.facts.get(name)}
        options = any("select_multiple_option" in column.kinds for column in columns)
        found["multiple_select"] = "both" if options else "summary"
    if any(column.decimal == "," for column in columns):
        found["decimal"] = ","
    forms = [form for column in columns for form in date_forms(column)[:1]]
    if forms and not kind.startswith("kobo"):
        found["date_format"] = max(set(forms), key=forms.count)
    return found
