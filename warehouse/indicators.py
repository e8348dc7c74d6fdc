"""Indicator values: how each indicator of the codebook is computed, and by what it is broken down.

The codebook says what an indicator means; here each has its facts (a statement under `sql/facts/`), the expressions
that make one number of them, and the parameters that it is published with. An indicator of the codebook that has no
computation is an error, not a silence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.types.json import Json
from sqlalchemy import Connection

from codebook.errors import HomewardError
from codebook.indicators import Indicator
from codebook.loader import Codebook
from warehouse.engine import run, template

THRESHOLDS = (Decimal("0.5"), Decimal("0.66"))
"""The shares at or above a threshold that are always computed; none of them is the right one (domain.md 1.4)."""

BANDS = ("low", "middle", "high")


@dataclass(frozen=True)
class Computation:
    """Facts, and expressions over them (alias `f`); `n` counts what the minimum cell protects."""

    facts: str
    value: str
    n: str
    numerator: str = "NULL::numeric"
    denominator: str = "NULL::numeric"
    n_low_confidence: str = "NULL::bigint"


@dataclass(frozen=True)
class OfScores(Computation):
    """Facts are scores, in groups that are made once for all indicators; `f.n` interviews are in a group.

    `total` is what this indicator needs of a group's scores: `f.total`, from `score`.
    """

    total: str = "count(*)"


def _of_scores(value: str, numerator: str, total: str = "count(*)", facts: str = "rss") -> OfScores:
    return OfScores(facts, value, "sum(f.n)::bigint", numerator, "sum(f.n)", "sum(f.n_low)::bigint", total)


def _mean(total: str, facts: str = "rss") -> OfScores:
    return _of_scores("round(sum(f.total) / sum(f.n), 6)", "sum(f.total)", total, facts)


def _share(condition: str) -> OfScores:
    return _mean(f"count(*) FILTER (WHERE {condition})")


PERSONS, EVENTS = "count(DISTINCT f.person)", "count(DISTINCT f.event)"

COMPUTATIONS = {
    "persons_returned": Computation("return_event", PERSONS, PERSONS, PERSONS),
    "return_events": Computation("return_event", EVENTS, "count(DISTINCT f.who)", EVENTS),
    "persons_supported": Computation("assistance", PERSONS, PERSONS, PERSONS),
    "services_delivered": Computation("assistance", "count(*)", "count(DISTINCT f.who)", "count(*)"),
    "cases_closed_by_reason": Computation("case", "count(*)", "count(DISTINCT f.who)", "count(*)"),
    "rss_mean": _mean("sum(score)"),
    "rss_median": _of_scores("array_agg(f.part)", "NULL::numeric"),
    "rss_band_share": _share(
        "CASE WHEN score < %(low_below)s THEN 'low' WHEN score > %(high_above)s THEN 'high' ELSE 'middle' END"
        " = %(band)s"
    ),
    "rss_share_at_or_above": _share("score >= %(threshold)s"),
    "rss_low_confidence_share": _of_scores("round(sum(f.n_low) / sum(f.n), 6)", "sum(f.n_low)"),
    "rss_paired_change": _mean("sum(score)", "rss_pair"),
}
VALUED = {"rss_median": "median"}
"""Statements that make the value of what a cell has gathered, for indicators that are no total."""


READ_FROM = {
    "return_event": {"return_event"},
    "assistance": {"assistance", "case"},
    "case": {"case"},
}
"""The entities whose rows are the facts of an indicator of no scores; what a person is, is only told beside them."""


def refresh(conn: Connection, codebook: Codebook) -> int:
    """Compute every indicator of the codebook anew, in the caller's transaction; returns rows."""
    missing = sorted(set(codebook.indicators) - set(COMPUTATIONS))
    if missing:
        raise HomewardError(f"indicator {missing[0]} is defined and not computed", "marts", "give it a computation")
    run(conn, "DELETE FROM marts.indicator_value")
    return _compute_all(conn, codebook, list(codebook.indicators.values()))


def refresh_country(conn: Connection, codebook: Codebook, country: str, entities: Collection[str]) -> int:
    """Compute those indicators anew, of this country, whose facts are rows of one of `entities`; returns rows."""
    chosen = [one for one in codebook.indicators.values() if not _read_from(codebook, one).isdisjoint(entities)]
    values = {"country": country, "names": [one.name for one in chosen]}
    run(conn, "DELETE FROM marts.indicator_value WHERE country = %(country)s AND indicator = ANY (%(names)s)", values)
    return _compute_all(conn, codebook, chosen, country)


def _read_from(codebook: Codebook, indicator: Indicator) -> set[str]:
    if indicator.instrument is not None:
        return {codebook.instruments[indicator.instrument].entity}
    return READ_FROM[COMPUTATIONS[indicator.name].facts]


def _compute_all(
    conn: Connection, codebook: Codebook, indicators: Sequence[Indicator], country: str | None = None
) -> int:
    for facts, instrument in sorted(
        {(COMPUTATIONS[i.name].facts, i.instrument) for i in indicators if i.instrument is not None}
    ):
        _group(conn, facts, instrument, country)
    return sum(
        _compute(conn, codebook, indicator, parameters, country)
        for indicator in indicators
        for parameters in _runs(indicator)
    )


def _runs(indicator: Indicator) -> list[dict[str, Any]]:
    """The parameters that an indicator is computed with, one set a run; they are published with the value."""
    if indicator.name == "rss_share_at_or_above":
        return [{"threshold": threshold} for threshold in THRESHOLDS]
    if indicator.name == "rss_band_share":
        return [{"band": band} for band in BANDS]
    return [{}]


def _compute(
    conn: Connection, codebook: Codebook, indicator: Indicator, parameters: dict[str, Any], country: str | None
) -> int:
    computation = COMPUTATIONS[indicator.name]
    values = {
        "indicator": indicator.name,
        "version": indicator.version,
        "parameters": Json({name: str(value) for name, value in parameters.items()}),
        "minimum_cell": indicator.minimum_cell,
        "codebook_version": codebook.version,
        "instrument": indicator.instrument,
        "scores": list(indicator.scores),
        **parameters,
    }
    if indicator.instrument is not None:
        bands = codebook.instruments[indicator.instrument].bands
        values |= {"low_below": bands.low_below, "high_above": bands.high_above}
    shared = ("value", "numerator", "denominator", "n", "n_low_confidence")
    expressions: dict[str, sql.Composable] = {name: sql.SQL(getattr(computation, name)) for name in shared}
    facts, origin = _facts(computation, indicator.instrument, country)
    valued: sql.Composable = sql.SQL("SELECT * FROM cell")
    if indicator.name in VALUED:
        valued = _filled(VALUED[indicator.name], grouped=_grouped(computation.facts, indicator.instrument))
    return run(
        conn, template("cells"), values, facts=facts, origin=origin, valued=valued,
        breakdowns=_breakdowns(indicator), **expressions,
    ).rowcount  # fmt: skip


def _group(conn: Connection, facts: str, instrument: str, country: str | None) -> None:
    """Groups of the instrument's scores and their deliveries, as tables that live as long as the transaction."""
    names = {"grouped": _grouped(facts, instrument), "origin": _origin(facts, instrument)}
    for statement in ("group_scores", "group_origins"):
        run(conn, template(statement), {"instrument": instrument}, facts=_of_country(facts, country), **names)
    run(conn, "ANALYZE {grouped}", grouped=names["grouped"])


def _grouped(facts: str, instrument: str | None) -> sql.Identifier:
    return sql.Identifier(f"{facts} {instrument} groups")


def _origin(facts: str, instrument: str | None) -> sql.Identifier:
    return sql.Identifier(f"{facts} {instrument} origins")


def _of_country(facts: str, country: str | None) -> sql.Composable:
    """All facts, or one country's: none says anything about another country.

    OFFSET 0 keeps the country out of the plan of the facts: with it the planner expects one pair of interviews, and
    compares every interview with every other (182 seconds instead of 19 with 8,000 of them)."""
    whole = sql.SQL(template(f"facts/{facts}"))
    if country is None:
        return whole
    return sql.SQL("SELECT * FROM ({} OFFSET 0) AS every WHERE every.country = {}").format(whole, sql.Literal(country))


def _facts(
    computation: Computation, instrument: str | None, country: str | None
) -> tuple[sql.Composable, sql.Composable]:
    """Facts of an indicator, and the rows that name their deliveries."""
    if not isinstance(computation, OfScores):
        return _of_country(computation.facts, country), sql.Identifier("facts")
    grouped, origin = _grouped(computation.facts, instrument), _origin(computation.facts, instrument)
    deliveries = sql.SQL("{} WHERE dimension = ANY (%(scores)s)").format(origin)
    return _filled("facts/grouped", grouped=grouped, total=sql.SQL(computation.total)), deliveries


def _filled(name: str, **names: sql.Composable) -> sql.Composable:
    return sql.SQL(template(name)).format(**names)


def _breakdowns(indicator: Indicator) -> sql.Composable:
    """`total`, and one row for each variable of the indicator's disaggregation; waves are always kept apart."""
    variables = [name.partition(".")[2] for name in indicator.disaggregation]
    rows: list[sql.Composable] = [sql.SQL("('total', 'all')")]
    for variable in variables:
        if variable != "wave":
            row = "({}, coalesce({}, 'not_collected'))"
            rows.append(sql.SQL(row).format(sql.Literal(variable), sql.Identifier("f", variable)))
    return sql.SQL(", ").join(rows)
