"""Takes out what `homeward leakcheck` put in: rows, persons, files, runs. What else is in the deployment stays.

The vault's audit keeps a line that the check was made; the rest is as if it had never been.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from psycopg import sql

from assets.workplace import Workplace
from pipelines.leak_deliveries import COUNTRY, SOURCES

if TYPE_CHECKING:
    import psycopg

_WITH = """
    SELECT table_schema, table_name FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE column_name = %s AND table_type = 'BASE TABLE' AND table_schema = ANY (%s) ORDER BY 1, 2"""
_WAREHOUSE = ["staging", "core", "marts", "audit"]
_FIRST = ("audit", "delivery")
"""Other tables refer to it: its rows go last."""


def remove(workplace: Workplace) -> None:
    """Take everything out again; nothing is an error that is not there."""
    sealed = _out_of_the_warehouse(workplace)
    _out_of_the_vault(workplace)
    _out_of_dagster()
    for sha256 in sealed:
        (workplace.sealed / f"{sha256}.sealed").unlink(missing_ok=True)
    for folder in (workplace.inbox, workplace.outbox, workplace.home / "store", workplace.sweeps):
        shutil.rmtree(folder / COUNTRY.lower(), ignore_errors=True)


def write_down(workplace: Workplace, **facts: int) -> None:
    """A line in the vault's audit."""
    from anonymization.vault import audit

    audit.note(workplace.vault, "leakcheck", COUNTRY, **facts)


def _out_of_the_warehouse(workplace: Workplace) -> list[str]:
    """Rows of the check's sources and country, and the role of its officer; hashes of the files that it delivered."""
    from warehouse import ledger, staging
    from warehouse.engine import driver, transaction

    entries = [entry for source in SOURCES for entry in ledger.deliveries(workplace.warehouse, source=source)]
    with transaction(workplace.warehouse, "leak check, removal") as conn:
        for entry in entries:
            staging.drop(conn, entry.source_id, entry.delivery_id)
        with driver(conn).cursor() as cursor:
            _delete(cursor, "source_id", list(SOURCES), _WAREHOUSE)
            _delete(cursor, "country", [COUNTRY], _WAREHOUSE)
    from assets.way import refresh_marts
    from sources.loader import list_sources, load_source

    if entries:
        refresh_marts(workplace, [load_source(name) for name in list_sources() if name not in SOURCES])
    return [sha256 for entry in entries for sha256, _ in entry.files]


def _delete(cursor: psycopg.Cursor[Any], column: str, values: list[str], schemas: list[str]) -> None:
    tables = cursor.execute(_WITH, (column, schemas)).fetchall()
    for table in sorted(tables, key=lambda table: table == _FIRST):
        statement = sql.SQL("DELETE FROM {} WHERE {} = ANY (%s)")
        cursor.execute(statement.format(sql.Identifier(*table), sql.Identifier(column)), (values,))


def _out_of_the_vault(workplace: Workplace) -> None:
    """Persons of the country that does not exist, their indexes and keys."""
    with workplace.vault.transaction() as cursor:
        for column, owner in (("person_id", "person"), ("field", "field")):
            chosen = sql.SQL("SELECT {} FROM {} WHERE country = %s").format(
                sql.Identifier(column), sql.Identifier("vault", owner)
            )
            for table in cursor.execute(_WITH, (column, ["vault"])).fetchall():
                if table[1] not in ("person", "field"):
                    statement = sql.SQL("DELETE FROM {} WHERE {} IN ({})")
                    cursor.execute(statement.format(sql.Identifier(*table), sql.Identifier(column), chosen), (COUNTRY,))
        tables = [table for table in cursor.execute(_WITH, ("country", ["vault"])).fetchall() if table[1] != "audit"]
        for table in sorted(tables, key=lambda table: table[1] == "country"):
            statement = sql.SQL("DELETE FROM {} WHERE country = %s")
            cursor.execute(statement.format(sql.Identifier(*table)), (COUNTRY,))
        cursor.execute("DELETE FROM vault.origin WHERE name LIKE %s", (f"{COUNTRY.lower()}/%",))


def _out_of_dagster() -> None:
    """Runs, materializations and partitions of the check's assets."""
    import dagster as dg

    from assets.factory import key, partitions, slug
    from assets.way import STAGES
    from pipelines.automation import job_name
    from pipelines.instance import instance, prepare_environment
    from pipelines.leak_services import drop_storage
    from sources.loader import load_source

    drop_storage(prepare_environment()["HOMEWARD_DAGSTER_URL"])
    found = instance()
    for name in SOURCES:
        source = load_source(name)
        for run in found.get_runs(dg.RunsFilter(job_name=job_name(name))):
            found.delete_run(run.run_id)
        found.wipe_assets([key(source, stage) for stage in (*(stage.name for stage in STAGES), "deliveries")])
        partition = partitions(source).name or slug(name)
        for delivery in found.get_dynamic_partitions(partition):
            found.delete_dynamic_partition(partition, delivery)
