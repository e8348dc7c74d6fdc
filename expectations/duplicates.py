"""Rows of one delivery that carry the same natural key: copies, and contradictions.

Identical copies: the first stays, the others are `key.duplicate_row`. Same key and different content: nobody knows
which is right, so all of them are `key.duplicate`. Content is what was staged of the row, in every entity it makes.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

PLACE = ("source_table", "source_row")


def finding(findings: sa.Table, schema: str, tables: Mapping[str, str], row_table: str) -> sa.Insert:
    """The statement that writes a finding for each row whose key stands for more than itself."""
    rows = sa.table(row_table, *(sa.column(name) for name in (*PLACE, "row_key")), schema=schema)
    key = (rows.c.source_table, rows.c.row_key)
    shared = sa.select(*key).where(rows.c.row_key.is_not(None)).group_by(*key).having(sa.func.count() > 1)
    doubled = sa.select(*rows.c).where(sa.tuple_(*key).in_(shared)).cte("doubled")
    contents = sa.union_all(*(_contents(entity, schema, table, doubled) for entity, table in tables.items()))
    content = contents.subquery("content")
    whole = sa.func.string_agg(content.c.content, sa.literal("|").op("ORDER BY")(content.c.entity))
    row = (
        sa.select(*doubled.c, sa.func.coalesce(whole, "").label("content"))
        .select_from(doubled.outerjoin(content, _same_place(doubled, content)))
        .group_by(*doubled.c)
        .subquery("row_content")
    )
    same_key = (row.c.source_table, row.c.row_key)
    lowest = sa.func.min(row.c.content).over(partition_by=same_key)
    highest = sa.func.max(row.c.content).over(partition_by=same_key)
    judged = sa.select(
        row.c.source_table,
        row.c.source_row,
        (lowest != highest).label("differs"),
        sa.func.row_number().over(partition_by=same_key, order_by=row.c.source_row).label("nth"),
    ).subquery("judged")
    rule = sa.case((judged.c.differs, "key.duplicate"), else_="key.duplicate_row")
    nothing = sa.null().cast(sa.Text)
    select = sa.select(rule, sa.literal("1"), sa.literal("error"), *judged.c[:2], nothing, nothing)
    return sa.insert(findings).from_select(
        [column.name for column in findings.c], select.where(sa.or_(judged.c.differs, judged.c.nth > 1))
    )


def _contents(entity: str, schema: str, table: str, doubled: sa.CTE) -> sa.Select[tuple[str, str, int, str]]:
    staged = sa.table(table, *(sa.column(name) for name in PLACE), schema=schema).alias("staged")
    whole_row = sa.func.to_jsonb(sa.literal_column("staged", JSONB)).op("-")(sa.literal("source_row", sa.Text))
    return sa.select(
        sa.literal(entity, sa.Text).label("entity"),
        staged.c.source_table,
        staged.c.source_row,
        sa.cast(whole_row, sa.Text).label("content"),
    ).select_from(staged.join(doubled, _same_place(staged, doubled)))


def _same_place(left: sa.FromClause, right: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(left.c[name] == right.c[name] for name in PLACE))
