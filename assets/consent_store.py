"""Vault and store without what consent was withdrawn for: what the source said about who the person is goes, and rows
that an earlier delivery brought go from its Parquet.

The sealed file of the earlier delivery stays until its retention ends: it is what the supplier sent while there was
consent, and it is derived from nothing. What goes from the warehouse is the business of `warehouse.consent`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets import parquet
from assets.intake import Delivery
from assets.stages import harmonize, pseudonymize
from assets.workplace import Workplace
from sources.batches import ALONE, PERSON, ROW, WITHDRAWN

Rows = set[tuple[str, int]]
Mask = npt.NDArray[np.bool_]


def forget_withdrawn(workplace: Workplace, delivery: Delivery) -> int:
    """Rows of earlier deliveries that this one withdraws consent for, and rows of this one that a later one does: they
    go from the store; how many. Repeatable."""
    from warehouse import ledger

    entries = ledger.deliveries(workplace.warehouse, source=delivery.id)[::-1]
    keys = [entry.delivery_id for entry in entries]
    here = keys.index(delivery.key)
    found: dict[str, Rows] = {}
    mine = _withdrawn(workplace, delivery.id, keys[here : here + 1])
    for earlier in keys[:here] if mine.num_rows else ():
        found[earlier] = rows_of(workplace.store(delivery.id, earlier), mine)
    if (later := _withdrawn(workplace, delivery.id, keys[here + 1 :])).num_rows:
        found[delivery.key] = rows_of(workplace.store(delivery.id, delivery.key), later)
    if any(found.values()):
        # The store last: by its rows is known, in a run after a crash as well, whom this is about.
        _forget_persons(workplace, delivery, keys, found)
    for key, rows in found.items():
        _forget(workplace.store(delivery.id, key), rows)
    return sum(map(len, found.values()))


def _forget_persons(workplace: Workplace, delivery: Delivery, keys: list[str], found: dict[str, Rows]) -> None:
    """What these rows said of people goes from the warehouse, and of whom the source has no other row, from the vault
    what it said about who they are."""
    from anonymization.vault import retention
    from warehouse import consent

    withdrew, others = set[bytes](), set[bytes]()
    for key in keys:
        for path in parquet.files(workplace.store(delivery.id, key) / pseudonymize.STAGE, "data"):
            data = pq.read_table(path)
            if PERSON in data.column_names:
                table = (data.schema.metadata or {})[b"table"].decode()
                mine = _among(pa.repeat(table, data.num_rows), data[ROW], found.get(key, set()))
                withdrew.update(data[PERSON].filter(pa.array(mine)).drop_null().to_pylist())
                others.update(data[PERSON].filter(pa.array(~mine)).drop_null().to_pylist())
    alone = withdrew - others
    consent.forget_persons(workplace.warehouse, delivery.id, found, alone)
    alone -= consent.with_records(workplace.warehouse, delivery.id, alone)
    if alone:
        retention.withdraw(workplace.vault, delivery.id, delivery.source.country, alone)


def _withdrawn(workplace: Workplace, source: str, keys: list[str]) -> pa.Table:
    """Entity and record key of the rows without consent in these deliveries."""
    folders = [workplace.store(source, key) / pseudonymize.STAGE for key in keys]
    return parquet.read([path for folder in folders for path in parquet.files(folder, "withdrawn")], WITHDRAWN)


def _forget(folder: Path, rows: Rows) -> None:
    if not rows:
        return
    for path in sorted((folder / harmonize.STAGE).glob("*.parquet")):
        data = pq.read_table(path)
        if "source_row" in data.column_names and "record_key" in data.column_names:
            _keep(path, data, ~_among(data["source_table"], data["source_row"], rows))
    for path in parquet.files(folder / pseudonymize.STAGE, "data"):
        data = pq.read_table(path)
        table = (data.schema.metadata or {})[b"table"].decode()
        _keep(path, data, ~_among(pa.repeat(table, data.num_rows), data[ROW], rows))
    for path in parquet.files(folder / pseudonymize.STAGE, "rows"):
        data = pq.read_table(path)
        mine = _among(data["source_table"], data["source_row"], rows)
        if mine.any():
            blank = pc.if_else(pa.array(mine), pa.scalar(None, pa.binary(16)), data["row_key"])
            parquet.swap(data.set_column(2, data.schema.field(2), blank), path)


def rows_of(folder: Path, withdrawn: pa.Table) -> Rows:
    """The supplier's rows of a delivery of which records without consent were made."""
    rows: Rows = set()
    for entity in pc.unique(withdrawn["entity"]).to_pylist():
        keys = withdrawn.filter(pc.equal(withdrawn["entity"], entity))["record_key"].combine_chunks()
        stage, name, key = (
            (pseudonymize.STAGE, "rows", "row_key") if entity == ALONE else (harmonize.STAGE, entity, "record_key")
        )
        for path in parquet.files(folder / stage, name):
            data = pq.read_table(path, columns=[key, "source_table", "source_row"])
            mine = data.filter(pc.is_in(data[key], keys))
            rows.update(zip(mine["source_table"].to_pylist(), mine["source_row"].to_pylist(), strict=True))
    return rows


def _among(tables: pa.Array, numbers: pa.Array, rows: Rows) -> Mask:
    mine = np.zeros(len(numbers), dtype=bool)
    for table in {table for table, _ in rows}:
        here = pa.array([row for name, row in rows if name == table], pa.int64())
        found = pc.fill_null(pc.and_(pc.equal(tables, table), pc.is_in(numbers, here)), False)
        mine |= np.asarray(found, dtype=bool)
    return mine


def _keep(path: Path, data: pa.Table, kept: Mask) -> None:
    if not kept.all():
        parquet.swap(data.filter(pa.array(kept)), path)
