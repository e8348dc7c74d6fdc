"""What a batch says by which a person can be recognised without an identifier: names by role, birth date, sex, phone.

Only of sources that declare `person.similar`; kept in the vault, sealed for the person. Comparing is the business of
`similarity`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import coded
from anonymization.linkage.features import PERSONS, ROLES
from anonymization.linkage.names import fold, fold_place
from sources.models import Column, Source, Table
from values.dates import read_dates

if TYPE_CHECKING:
    from anonymization.vault.persons import Said

_RECORD_BYTES = 64
LIKENESS = pa.schema([field for field in PERSONS if field.name != "person_id"])


def likeness(table: Table, cells: pa.Table, said: Mapping[str, Said], source: Source) -> pa.Table | None:
    """Rows of LIKENESS for the rows of a batch; None where the source does not ask for it."""
    if table.person is None or not table.person.similar:
        return None
    columns = {name: pa.nulls(len(cells), pa.string()) for name in LIKENESS.names}
    for name in table.person.similar:
        column = table.column(name)
        if column is None or name not in cells.column_names:
            continue
        place, values = _read(column, cells[name], source)
        # Several columns of one role (two surnames) are one name in the order in which they are declared.
        before = columns[place]
        columns[place] = pc.coalesce(pc.binary_join_element_wise(before, values, " "), before, values)
    columns["sex"] = _sex(table, cells, source)
    columns["number"] = _number(table, said, len(cells))
    return pa.table(columns, schema=LIKENESS)


def records(rows: pa.Table) -> list[bytes]:
    """Each row as padded JSON, to be sealed; what is not said is left out."""
    return [_record(row) for row in rows.to_pylist()]


def refolded(opened: list[bytes]) -> list[bytes]:
    """Records with names as they are folded now: folding what was folded changes only what the rules have learned."""
    return [_record({k: fold(v) or None if k in ROLES else v for k, v in json.loads(one).items()}) for one in opened]


def learned(before: bytes, said: bytes) -> bytes | None:
    """A record with what a later row adds: what was not known, and more of a birth date that agrees. None: nothing."""
    known, more = json.loads(before), json.loads(said)
    added = {name: value for name, value in more.items() if name not in known}
    born, later = known.get("born", ""), more.get("born", "")
    if born and len(later) > len(born) and later.startswith(born):
        added["born"] = later
    return _record(known | added) if added else None


def _record(row: Mapping[str, str | None]) -> bytes:
    text = json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False).encode()
    return text + b" " * (-len(text) % _RECORD_BYTES)


def from_records(ids: npt.NDArray[np.int64], opened: list[bytes]) -> pa.Table:
    """Persons as `similarity` takes them, of opened records."""
    said = [json.loads(record) for record in opened]
    columns: dict[str, pa.Array] = {
        name: pa.array([one.get(name) for one in said], pa.string()) for name in LIKENESS.names
    }
    return pa.table({"person_id": pa.array(ids, pa.int64()), **columns}, schema=PERSONS)


def _read(column: Column, cells: pa.ChunkedArray, source: Source) -> tuple[str, pa.Array]:
    """The place of a declared column in LIKENESS, and its values there."""
    if column.kind == "name":
        return column.part or "full", _each(cells, fold)
    if column.keep == "year" or column.kind == "birth_date":
        return "born", _born(cells, column.format or source.format.date_format or "iso")
    if column.kind == "phone":
        from anonymization.linkage.identifiers import normalise

        encoded = coded(cells)
        keys = normalise(encoded.dictionary.cast(pa.string()), column, source.country).keys
        return "phone", keys.take(encoded.indices)
    return "place", _each(cells, fold_place)


def _each(cells: pa.ChunkedArray, function: Callable[[str], str]) -> pa.Array:
    """`function` of each cell, called once for each distinct one; an empty answer is null."""
    encoded = coded(cells)
    texts = encoded.dictionary.cast(pa.string()).to_pylist()
    answers = pa.array([(function(text) or None) if text is not None else None for text in texts], pa.string())
    return answers.take(encoded.indices)


def _born(cells: pa.ChunkedArray, form: str) -> pa.Array:
    dates, _ = read_dates(cells, form)
    whole = dates.combine_chunks() if isinstance(dates, pa.ChunkedArray) else dates
    return pc.strftime(whole, format="%Y" if form == "year" else "%Y-%m-%d")


def _sex(table: Table, cells: pa.Table, source: Source) -> pa.Array:
    """As the crosswalk reads it, where it does so from one column's codes alone."""
    rows = source.crosswalk.variables.get((table.name, "person", "sex"), ())
    names = {row.column for row in rows}
    if len(names) != 1 or not names <= set(cells.column_names) or any(row.when for row in rows):
        return pa.nulls(len(cells), pa.string())
    target = {row.code: row.target for row in rows if row.target in ("male", "female", "non_binary")}
    return _each(cells[names.pop()], lambda code: target.get(code, ""))


def _number(table: Table, said: Mapping[str, Said], rows: int) -> pa.Array:
    """The strongest national number: two persons with two numbers of one scheme are hardly one person."""
    for name in table.person.link if table.person else ():
        column = table.column(name)
        if column is not None and column.kind == "national_id" and column.scheme and name in said:
            keys = said[name].distinct.keys
            prefixed = pc.binary_join_element_wise(pa.scalar(column.scheme), keys, ":")
            return prefixed.take(said[name].codes)
    return pa.nulls(rows, pa.string())
