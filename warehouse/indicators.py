"""Indicator values: how each indicator of the codebook is computed, and by what it is broken down.

The codebook says what an indicator means; here each has its facts (a statement under `sql/facts/`), the expressions
that make one number of them, and the parameters that it is published with. An indicator of the codebook that has no
computation is an error, not a silence.
"""

from __future__ import annotations

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
MEDIAN = """round((percentile_disc(0.5) WITHIN GROUP (ORDER BY f.score)
    + percentile_disc(0.5) WITHIN GROUP (ORDER BY f.score DESC)) / 2, 6)"""
"""Exact, where percentile_cont would calculate in binary fractions."""


@dataclass(frozen=True)
class Computation:
    """Facts, and expressions over them (alias `f`); `n` counts what the minimum cell protects."""

    facts: str
    value: str
    n: str
    numerator: str = "NULL::numeric"
    denominator: str = "NULL::numeric"
    n_low_confidence: str = "NULL::bigint"


def _of_scores(value: str, numerator: str = "sum(f.score)", facts: str = "rss") -> Computation:
    low = "count(*) FILTER (WHERE f.low_confidence)"
    return Computation(facts, value, "count(*)", numerator, "count(*)::numeric", low)


def _share(condition: str) -> Computation:
    matching = f"count(*) FILTER (WHERE {condition})"
    return _of_scores(f"round({matching}::numeric / count(*), 6)", matching)


PERSONS, EVENTS = "count(DISTINCT f.person)", "count(DISTINCT f.event)"

COMPUTATIONS = {
    "persons_returned": Computation("return_event", PERSONS, PERSONS, PERSONS),
    "return_events": Computation("return_event", EVENTS, "count(DISTINCT f.who)", EVENTS),
    "persons_supported": Computation("assistance", PERSONS, PERSONS, PERSONS),
    "services_delivered": Computation("assistance", "count(*)", "count(DISTINCT f.who)", "count(*)"),
    "cases_closed_by_reason": Computation("case", "count(*)", "count(DISTINCT f.who)", "count(*)"),
    "rss_mean": _of_scores("round(avg(f.score), 6)"),
    "rss_median": _of_scores(MEDIAN, "NULL::numeric"),
    "rss_band_share": _share(
        "CASE WHEN f.score < %(low_below)s THEN 'low' WHEN f.score > %(high_above)s THEN 'high' ELSE 'middle' END"
        " = %(band)s"
    ),
    "rss_share_at_or_above": _share("f.score >= %(threshold)s"),
    "rss_low_confidence_share": _share("f.low_confidence"),
    "rss_paired_change": _of_scores("round(avg(f.score), 6)", facts="rss_pair"),
}


def refresh(conn: Connection, codebook: Codebook) -> int:
    """Compute every indicator of the codebook anew, in the caller's transaction; returns rows."""
    missing = sorted(set(codebook.indicators) - set(COMPUTATIONS))
    if missing:
        raise HomewardError(f"indicator {missing[0]} is defined and not computed", "marts", "give it a computation")
    run(conn, "DELETE FROM marts.indicator_value")
    return sum(
        _compute(conn, codebook, indicator, parameters)
        for indicator in codebook.indicators.values()
        for parameters in _runs(indicator)
    )


def _runs(indicator: Indicator) -> list[dict[str, Any]]:
    """The parameters that an indicator is computed with, one set a run; they are published with the value."""
    if indicator.name == "rss_share_at_or_above":
        return [{"threshold": threshold} for threshold in THRESHOLDS]
    if indicator.name == "rss_band_share":
        return [{"band": band} for band in BANDS]
    return [{}]


def _compute(conn: Connection, codebook: Codebook, indicator: Indicator, parameters: dict[str, Any]) -> int:
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
    expressions = {name: sql.SQL(text) for name, text in vars(computation).items() if name != "facts"}
    facts = sql.SQL(template(f"facts/{computation.facts}"))
    return run(conn, template("cells"), values, facts=facts, breakdowns=_breakdowns(indicator), **expressions).rowcount


def _breakdowns(indicator: Indicator) -> sql.Composable:
    """`total`, and one row for each variable of the indicator's disaggregation; waves are always kept apart."""
    variables = [name.partition(".")[2] for name in indicator.disaggregation]
    rows: list[sql.Composable] = [sql.SQL("('total', 'all')")]
    for variable in variables:
        if variable != "wave":
            row = "({}, coalesce({}, 'not_collected'))"
            rows.append(sql.SQL(row).format(sql.Literal(variable), sql.Identifier("f", variable)))
    return sql.SQL(", ").join(rows)
