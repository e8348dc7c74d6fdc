"""Where a row of the warehouse came from: delivery, the supplier's row, mapping, findings, versions, its history."""

from __future__ import annotations

import uuid
from typing import Any

from assets.workplace import Workplace
from codebook.errors import HomewardError
from codebook.loader import load_codebook
from sources.loader import load_source

RECORD = (
    "source_id", "country", "delivery_id", "source_table", "source_row",
    "codebook_version", "crosswalk_version", "valid_from",
)  # fmt: skip


def explain(workplace: Workplace, record_key: str) -> dict[str, Any]:
    """Everything known about the origin of `record_key`, as plain data: record, mapping, findings, history."""
    from harmonization.lineage import lineage

    try:
        key = uuid.UUID(record_key)
    except ValueError:
        raise HomewardError(
            "this is no record key", where=record_key[:40], mend="take a record_key of core.*"
        ) from None
    entity, versions = _versions(workplace, key)
    latest = versions[0]
    source = load_source(latest["source_id"])
    mapping = [
        {"variable": one.variable, "columns": list(one.columns), "rule": one.rule, "status": one.status}
        for one in lineage(source)
        if one.entity == entity and one.variable
    ]
    return {
        "record": {
            "record_key": str(key),
            "entity": entity,
            **_text(latest),
            "method": "rss_2018" if entity == "rss_response" else None,
        },
        "mapping": mapping,
        "mapping_is_current": latest["crosswalk_version"] == source.version,
        "findings": _findings(workplace, latest),
        "history": [_text(version) for version in versions],
    }


def _versions(workplace: Workplace, key: uuid.UUID) -> tuple[str, list[dict[str, Any]]]:
    """The entity that has this record, and its versions, newest first."""
    import sqlalchemy as sa

    columns = ", ".join(RECORD)
    with workplace.warehouse.connect() as conn:
        for entity in load_codebook().entities:
            statement = sa.text(
                f"SELECT {columns}, NULL::timestamptz AS valid_to FROM core.{entity} WHERE record_key = :key"  # noqa: S608
                f" UNION ALL SELECT {columns}, valid_to FROM core.{entity}_history WHERE record_key = :key"
                " ORDER BY valid_from DESC"
            )
            if found := [dict(row) for row in conn.execute(statement, {"key": key}).mappings()]:
                return entity, found
    raise HomewardError("no record has this key", where=str(key), mend="take a record_key of core.*")


def _findings(workplace: Workplace, record: dict[str, Any]) -> list[dict[str, Any]]:
    import sqlalchemy as sa

    statement = sa.text(
        "SELECT rule, severity, variable FROM audit.finding WHERE source_id = :source_id AND delivery_id = :delivery_id"
        " AND source_table = :source_table AND source_row = :source_row ORDER BY severity, rule"
    )
    with workplace.warehouse.connect() as conn:
        return [dict(row) for row in conn.execute(statement, record).mappings()]


def _text(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | None) else str(value) for name, value in record.items()}
