"""Scores in SQL, written from the codebook's plan: the same whole numbers that `codebook.scoring` works with.

One statement a scoring method fills `core.rss_score`. What an instrument asks and weighs is the codebook's business.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql
from sqlalchemy import Connection

from codebook import scoring
from codebook.loader import Codebook
from codebook.models import Entity
from codebook.plan import Plan, PlannedLine
from codebook.scoring import DIMENSIONS, NO_POINTS
from warehouse import veil
from warehouse.engine import run, template

GATE_REASONS = {"consent": "no_consent", "interview_completed": "not_completed"}


def refresh(conn: Connection, codebook: Codebook) -> int:
    """Score every interview by every method of its instrument, in the caller's transaction; returns rows."""
    run(conn, "DELETE FROM core.rss_score")
    return sum(
        _insert(conn, scoring.plan(instrument, method, codebook), codebook)
        for instrument in codebook.instruments.values()
        for method in instrument.methods
    )


def forget(conn: Connection, codebook: Codebook, country: str) -> int:
    """Delete the scores of the country whose interview is gone; how many."""
    entities = {name: sql.Identifier("core", one.entity) for name, one in codebook.instruments.items()}
    return sum(
        run(
            conn,
            "DELETE FROM core.rss_score AS s WHERE s.country = {country} AND s.instrument = {instrument} AND NOT EXISTS"
            " (SELECT FROM {entity} AS t WHERE t.source_id = s.source_id AND t.record_key = s.record_key)",
            country=sql.Literal(country),
            instrument=sql.Literal(name),
            entity=entity,
        ).rowcount
        for name, entity in entities.items()
    )


def _insert(conn: Connection, plan: Plan, codebook: Codebook) -> int:
    numbers = {
        "instrument": plan.instrument,
        "method": plan.method,
        "denominator": plan.denominator,
        "low_below": plan.low_below,
        "high_above": plan.high_above,
        "low_confidence_above": plan.low_confidence_above,
    }
    return run(
        conn,
        template("scores"),
        numbers,
        entity=sql.Identifier("core", plan.entity),
        labelled=sql.Identifier("core", f"{plan.entity}_named"),
        interview_date=_interview_date(codebook.entities[plan.entity]),
        births=veil.births(codebook, codebook.entities[plan.entity], sql.Identifier("named", "person_token")),
        points=_listed(", ", (sql.SQL("{} AS {}").format(_points(line), _name(line)) for line in plan.lines)),
        special=_listed(" + ", (term for line in plan.lines for term in _special(line))),
        missing=_listed(", ", (term for line in plan.lines for term in _missing(line))),
        totals=_totals(plan),
        gates=_gates(plan),
    ).rowcount


def _interview_date(entity: Entity) -> sql.Composable:
    """The day, of a child's interview the month: everybody who reads the marts reads the scores."""
    day = sql.Identifier("t", "interview_date")
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(veil.child(entity), veil.of_month(day), day)


def _listed(separator: str, parts: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(separator).join(parts)


def _answer(line: PlannedLine) -> sql.Identifier:
    return sql.Identifier("t", line.item)


def _name(line: PlannedLine) -> sql.Identifier:
    return sql.Identifier(line.item)


def _points(line: PlannedLine) -> sql.Composable:
    """Points of the answer; where it asks for a follow-up, the points of that."""
    worths = [sql.SQL("WHEN {} THEN {}").format(sql.Literal(code), sql.Literal(n)) for code, n in line.points.items()]
    if line.follow_up is not None:
        worths += [
            sql.SQL("WHEN {} THEN {}").format(sql.Literal(c), _points(line.follow_up)) for c in sorted(line.asks)
        ]
    return sql.SQL("CASE {} {} ELSE {} END").format(_answer(line), _listed(" ", worths), sql.Literal(NO_POINTS))


def _among(line: PlannedLine, codes: Iterable[int]) -> sql.Composable:
    """True where the answer is one of the codes; false, not null, where there is none."""
    return sql.SQL("coalesce({} = ANY ({}), false)").format(_answer(line), sql.Literal(sorted(codes)))


def _special(line: PlannedLine) -> Iterable[sql.Composable]:
    yield sql.SQL("{}::int").format(_among(line, line.special))
    if line.follow_up is not None:
        asked, unsure = _among(line, line.asks), _among(line.follow_up, line.follow_up.special)
        yield sql.SQL("({} AND {})::int").format(asked, unsure)


def _missing(line: PlannedLine) -> Iterable[sql.Composable]:
    """Name of the item, or of its follow-up, that has no points."""
    without = sql.SQL("{} = {}").format(sql.Identifier("point", line.item), sql.Literal(NO_POINTS))
    asked = _among(line, line.asks)
    yield sql.SQL("CASE WHEN {} AND NOT {} THEN {} END").format(without, asked, sql.Literal(line.item))
    if line.follow_up is not None:
        yield sql.SQL("CASE WHEN {} AND {} THEN {} END").format(without, asked, sql.Literal(line.follow_up.item))


def _totals(plan: Plan) -> sql.Composable:
    """Sum of points x weight for each dimension and the composite; null where one of its lines has no points."""
    totals = []
    for name in DIMENSIONS:
        lines = [line for line in plan.lines if line.dimension == name]
        totals.append(_total(name, [(line, line.weight) for line in lines]))
    totals.append(_total("composite", [(line, line.composite_weight) for line in plan.lines]))
    return _listed(", ", totals)


def _total(name: str, weighted: list[tuple[PlannedLine, int]]) -> sql.Composable:
    points = [sql.Identifier("point", line.item) for line, _ in weighted]
    products = [sql.SQL("{} * {}").format(p, sql.Literal(w)) for p, (_, w) in zip(points, weighted, strict=True)]
    return sql.SQL("CASE WHEN least({}) <> {} THEN {} END AS {}").format(
        _listed(", ", points), sql.Literal(NO_POINTS), _listed(" + ", products), sql.Identifier(name)
    )


def _gates(plan: Plan) -> sql.Composable:
    """Why there is no score at all. A gate is open where its variable is null: the source does not collect it."""
    gates = [
        sql.SQL("WHEN {} <> ALL ({}) THEN {}").format(
            sql.Identifier("t", variable),
            sql.Literal(sorted(accepted)),
            sql.Literal(GATE_REASONS.get(variable, f"gate_{variable}")),
        )
        for variable, accepted in plan.required_answers.items()
    ]
    variable, years = plan.minimum_age
    under = sql.SQL("WHEN {} < {} THEN 'under_age'").format(sql.Identifier("t", variable), sql.Literal(years))
    return _listed(" ", [*gates, under])
