"""What readers without the right see less of: keys, restricted codes, and days and places of records about children.

Analysts and release officers see months and first levels, and in place of each key one that holds for their
transaction only; an officer sees the records of his own countries whole, and so does the loader. Restricted variables
are left out of the views altogether.
"""

from __future__ import annotations

from psycopg import sql

from codebook.loader import Codebook
from codebook.models import Column, Entity, Variable

ADULT = 18
_WHOLE = sql.SQL("(SELECT core.reads_whole()) OR t.country = ANY ((SELECT core.my_countries())::text[])")


SOURCE_ROW = "source_row"


def veiled(codebook: Codebook, entity: Entity, column: Column, shown: sql.Composable) -> sql.Composable:
    """`shown`, an expression over alias `t`, as whole as its reader may see it."""
    if column.pg_type == "uuid":
        return of_extract(shown)
    if column.name == SOURCE_ROW:
        return sql.SQL("CASE WHEN {} THEN {} END").format(_WHOLE, shown)
    variable = column.variable
    if variable is None or column.name != variable.name:
        return shown
    if variable.restricted_codes:
        return _without_codes(codebook, variable, shown)
    children = entity.children
    if children is None or variable.name not in _of_children(entity):
        return shown
    coarse = of_month(shown) if variable.name in children.month else sql.SQL("NULL")
    return sql.SQL("CASE WHEN {} AND NOT ({}) THEN {} ELSE {} END").format(child(entity), _WHOLE, coarse, shown)


def of_extract(key: sql.Composable) -> sql.Composable:
    """A key as another one, the same throughout a transaction: whatever is made of it joins no other extract.

    Hashed with a salt of the transaction. A key has 128 random or keyed bits, so nobody finds it from its hash.
    """
    other = sql.SQL("encode(substr(sha256((SELECT core.extract_salt()) || uuid_send({})), 1, 16), 'hex')::uuid")
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(_WHOLE, key, other.format(key))


def child(entity: Entity) -> sql.Composable:
    """Whether a record of alias `t` is about somebody under 18: an age that nobody knows says nothing."""
    if entity.children is None:
        return sql.SQL("false")
    if entity.children.age is not None:
        return sql.SQL("coalesce({} < {}, false)").format(sql.Identifier("t", entity.children.age), sql.Literal(ADULT))
    day = sql.Identifier("t", str(entity.children.at))  # who turns 18 in that year may not have turned yet
    return sql.SQL("coalesce(date_part('year', {}) - born.year <= {}, false)").format(day, sql.Literal(ADULT))


def births(entity: Entity) -> sql.Composable:
    """A join that `child` needs where a record does not tell the age: what any source said, now or before."""
    if entity.children is None or entity.children.age is not None:
        return sql.SQL("")
    return sql.SQL(
        "LEFT JOIN (SELECT person_token, max(birth_year) AS year FROM (SELECT person_token, birth_year FROM core.person"
        " UNION ALL SELECT person_token, birth_year FROM core.person_history) AS said GROUP BY person_token) AS born"
        " ON born.person_token = t.person_token"
    )


def of_month(date: sql.Composable) -> sql.Composable:
    """The first day of the month of a date."""
    return sql.SQL("date_trunc('month', {}::timestamp)::date").format(date)


def _of_children(entity: Entity) -> set[str]:
    return {*entity.children.month, *entity.children.hide} if entity.children else set()


def _without_codes(codebook: Codebook, variable: Variable, shown: sql.Composable) -> sql.Composable:
    """Restricted codes as `other`, where the list has it: a word of its own would tell what it hides."""
    names = sql.Literal(list(variable.restricted_codes))
    has_other = "other" in codebook.codelists[str(variable.codelist)].names
    other = sql.Literal("other") if has_other else sql.SQL("NULL")
    if variable.type == "codes":
        coarse = sql.SQL(
            "(SELECT array_agg(DISTINCT name) FILTER (WHERE name IS NOT NULL) FROM"
            " (SELECT CASE WHEN one = ANY ({names}) THEN {other} ELSE one END FROM unnest({shown}) AS one) AS n (name))"
        ).format(names=names, other=other, shown=shown)
    else:
        coarse = sql.SQL("CASE WHEN {shown} = ANY ({names}) THEN {other} ELSE {shown} END").format(
            names=names, other=other, shown=shown
        )
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(_WHOLE, shown, coarse)
