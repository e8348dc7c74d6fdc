"""Small deliveries for tests: a supplier who registers, stages, judges and publishes rows that are said in full."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine

from codebook.loader import Codebook
from sources.batches import WITHDRAWN
from warehouse import engine as engines
from warehouse import ledger, publish, staging

SOURCE, COUNTRY = "slv/test_returns", "SLV"


def key(text: str) -> bytes:
    """The record key of a natural key, as short and as fixed as a test needs it."""
    return hashlib.sha256(text.encode()).digest()[:16]


def rows_of(codebook: Codebook, entity: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Harmonized rows: `key` and `row` (the supplier's), variables by column name; what is not said is null."""
    made = []
    for row in rows:
        told = dict(row)
        natural = told.pop("key")
        made.append({"record_key": key(natural), "source_table": "main", "source_row": told.pop("row"), **told})
    return pa.Table.from_pylist(made, schema=codebook.arrow_schema(entity))


class Supplier:
    """Delivers: registers, stages and judges rows of one source, then publishes them."""

    def __init__(self, engine: Engine, codebook: Codebook, folder: Path, source: str = SOURCE, country: str = COUNTRY):
        self.engine, self.codebook, self.folder, self.source, self.country = engine, codebook, folder, source, country

    def register(self, content: str) -> str:
        sha256 = hashlib.sha256(f"{self.source} {content}".encode()).hexdigest()
        return ledger.register(
            self.engine, source=self.source, delivery=f"2026-11-22-{sha256[:8]}", country=self.country,
            sha256=sha256, files=[(sha256, len(content))],
        )  # fmt: skip

    def stage(
        self, delivery: str, entities: dict[str, list[dict[str, Any]]], rejected: Sequence[int] = (),
        withdrawn: Sequence[tuple[str, str]] = (),
    ) -> staging.Names:  # fmt: skip
        places = sorted({(row["row"], row["key"]) for rows in entities.values() for row in rows})
        with self.engine.begin() as conn:
            tables = staging.prepare(conn, self.source, delivery)
            ledger_rows = pa.table(
                {
                    "source_table": pa.array(["main"] * len(places)),
                    "source_row": pa.array([row for row, _ in places], pa.int64()),
                    "row_key": pa.array([key(natural) for _, natural in places], pa.binary(16)),
                }
            )
            staging.load_rows(conn, tables, [self._parquet("rows", ledger_rows)])
            gone = [{"entity": entity, "record_key": key(natural)} for entity, natural in withdrawn]
            staging.load_withdrawn(conn, tables, [self._parquet("gone", pa.Table.from_pylist(gone, schema=WITHDRAWN))])
            for entity, rows in entities.items():
                path = self._parquet(entity, rows_of(self.codebook, entity, rows))
                staging.load(conn, tables, entity, [path], self.codebook)
            judge(conn, tables, rejected)
        return tables

    def publish(self, delivery: str, entities: Sequence[str], mode: publish.Mode = "snapshot") -> publish.Published:
        what = publish.Publication(self.source, delivery, self.country, mode, self.codebook.version, "abc123")
        return publish.publish(self.engine, what, entities, self.codebook)

    def deliver(
        self, content: str, entities: dict[str, list[dict[str, Any]]], rejected: Sequence[int] = (),
        mode: publish.Mode = "snapshot", withdrawn: Sequence[tuple[str, str]] = (),
    ) -> publish.Published:  # fmt: skip
        """`withdrawn`: entity and natural key of records whose row has no consent."""
        delivery = self.register(content)
        self.stage(delivery, entities, rejected, withdrawn)
        return self.publish(delivery, list(entities), mode)

    def _parquet(self, name: str, table: pa.Table) -> Path:
        path = self.folder / f"{name}.parquet"
        pq.write_table(table, path)
        return path


def judge(conn: Any, tables: staging.Names, rejected: Sequence[int]) -> None:
    """What the expectations leave behind: findings by row and rule, and the verdict."""
    engines.run(
        conn,
        "CREATE TABLE {finding} (rule text, version text, severity text, source_table text, source_row bigint,"
        " source_column text, variable text)",
        finding=tables.sql(tables.finding),
    )
    engines.run(
        conn,
        "CREATE TABLE {verdict} (source_table text, source_row bigint, rejected boolean, flagged boolean)",
        verdict=tables.sql(tables.verdict),
    )
    for row in rejected:
        engines.run(
            conn,
            "INSERT INTO {finding} VALUES ('map.unknown_code', '1', 'error', 'main', %(row)s, 'SEXO', 'sex')",
            {"row": row},
            finding=tables.sql(tables.finding),
        )
        engines.run(
            conn, "INSERT INTO {verdict} VALUES ('main', %(row)s, true, false)", {"row": row},
            verdict=tables.sql(tables.verdict),
        )  # fmt: skip
