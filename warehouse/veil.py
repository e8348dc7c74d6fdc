"""What readers without the right see less of: keys, restricted codes, and days and places of records about children.

Analysts and release officers see months and first levels, and in place of each key one that holds for their
transaction only; an officer sees the records of his own countries whole, and so does the loader. Restricted variables
are left out of the views altogether. A child's record names no household: its row, and the parents' rows, would tell
the day and the place that the child's own does not.
"""

from __future__ import annotations

from psycopg import sql

from codebook.loader import Codebook
from codebook.models import Children, Column, Entity, Variable

ADULT = 18
_WHOLE = sql.SQL("(SELECT core.reads_whole()) OR t.country = ANY ((SELECT core.my_countries())::text[])")


SOURCE_ROW, HOUSEHOLD = "source_row", "household_key"


def veiled(codebook: Codebook, entity: Entity, column: Column, shown: sql.Composable) -> sql.Composable:
    """`shown`, an expression over alias `t`, as whole as its reader may see it."""
    if column.name == HOUSEHOLD and entity.children is not None:
        hidden = sql.SQL("CASE WHEN {} AND NOT ({}) THEN NULL ELSE {} END")
        return hidden.format(child(entity), _WHOLE, of_extract(shown))
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
    """Whether a record of alias `t` is about somebody under 18: by its own age, else by what `births` knows. Of whom
    nothing is known, nothing is said."""
    if entity.children is None:
        return sql.SQL("false")
    # Who turns 18 in that year may not have turned yet.
    by_year = sql.SQL("date_part('year', {}) - born.year <= {}").format(_day(entity.children), sql.Literal(ADULT))
    age = entity.children.age
    own = [sql.SQL("t.{} < {}").format(sql.Identifier(age), sql.Literal(ADULT))] if age else []
    return sql.SQL("coalesce({}, false)").format(sql.SQL(", ").join([*own, by_year]))


def births(codebook: Codebook, entity: Entity, token: sql.Composable) -> sql.Composable:
    """A join that `child` needs: the latest year in which the person of a record, whose current token is `token`, can
    be born, by a year of birth or an age under 18 that any record of theirs tells, of whatever source, now or before.
    """
    if entity.children is None:
        return sql.SQL("")
    told = [_tells("person", sql.SQL("birth_year"), sql.SQL("birth_year IS NOT NULL"))]
    for name, one in codebook.entities.items():
        if one.children is not None and one.children.age is not None:
            age = sql.SQL("t.{}").format(sql.Identifier(one.children.age))
            year = sql.SQL("date_part('year', {}) - {}").format(_day(one.children), age)
            told.append(_tells(name, year, sql.SQL("{} < {}").format(age, sql.Literal(ADULT))))
    return sql.SQL(
        "LEFT JOIN (SELECT coalesce(c.current_token, person_token) AS token, max(year) AS year FROM ({}) AS told"
        " LEFT JOIN core.current_token AS c ON c.token = person_token GROUP BY 1) AS born ON born.token = {}"
    ).format(sql.SQL(" UNION ALL ").join(told), token)


def _tells(entity: str, year: sql.Composable, where: sql.Composable) -> sql.Composable:
    """Persons and years by the records of an entity, current and closed."""
    asked = sql.SQL("SELECT person_token, {} AS year FROM {} AS t WHERE {}")
    tables = [sql.Identifier("core", f"{entity}{part}") for part in ("", "_history")]
    return sql.SQL(" UNION ALL ").join([asked.format(year, table, where) for table in tables])


def _day(children: Children) -> sql.Composable:
    """The first day that a record of alias `t` speaks of; of one without a date the day on which it was published."""
    dates = [sql.SQL("t.{}").format(sql.Identifier(name)) for name in children.month]
    return sql.SQL("least({})").format(sql.SQL(", ").join([*dates, sql.SQL("t.valid_from::date")]))


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
