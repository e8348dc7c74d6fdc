"""The marts, refreshed together: scores, indicator values, comparability.

One transaction: a reader sees the old figures until all new ones are there, and figures of one refresh belong
together. How a score or an indicator is computed is the business of `scores` and `indicators`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Engine

from codebook.loader import Codebook
from warehouse.engine import driver, run, transaction


def refresh(engine: Engine, codebook: Codebook, comparability: Sequence[Mapping[str, str]] = ()) -> dict[str, int]:
    """Compute all marts from what is published now; returns rows of each.

    `comparability`: source_id, country, entity, variable, status and note for each variable a source speaks of.
    """
    from warehouse import indicators, scores  # pandas comes with them, half a second

    with transaction(engine, "refresh of the marts") as conn:
        _alone(conn)
        scored = scores.refresh(conn, codebook)
        run(conn, "ANALYZE core.rss_score")
        values = indicators.refresh(conn, codebook)
        run(conn, "DELETE FROM marts.comparability")
        with driver(conn).cursor() as cursor:
            cursor.executemany(
                "INSERT INTO marts.comparability (source_id, country, entity, variable, status, note)"
                " VALUES (%(source_id)s, %(country)s, %(entity)s, %(variable)s, %(status)s, nullif(%(note)s, ''))",
                [dict(row) for row in comparability],
            )
        run(conn, "DELETE FROM audit.marts_refresh")
        run(conn, "INSERT INTO audit.marts_refresh (at) VALUES (now())")
    return {"rss_score": scored, "indicator_value": values, "comparability": len(comparability)}


def refresh_country(engine: Engine, codebook: Codebook, country: str, entities: Collection[str]) -> None:
    """After rows of one country's `entities` were deleted, and nothing else was done: as `refresh` would make them.

    Scores are of one interview each: those of others stay as they are. Only where the marts `are_of` this codebook.
    """
    from warehouse import indicators, scores

    with transaction(engine, "refresh of the marts") as conn:
        _alone(conn)
        scores.forget(conn, codebook, country)
        indicators.refresh_country(conn, codebook, country, entities)


def are_of(engine: Engine, codebook: Codebook) -> bool:
    """Whether all figures are of what is published now and of this codebook."""
    other = "SELECT EXISTS (SELECT FROM marts.indicator_value WHERE codebook_version <> %(version)s)"
    with transaction(engine, "marts") as conn:
        row = run(conn, other, {"version": codebook.version}).fetchone()
    return row == (False,) and not are_behind(engine)


def _alone(conn: Connection) -> None:
    """One refresh at a time, in this transaction, and how it is best planned."""
    run(conn, "SELECT pg_advisory_xact_lock(hashtextextended('homeward:marts', 0))")
    run(conn, "SET LOCAL work_mem = '128MB'")
    # It would remember every interview's answers, which never come again: three quarters of the time of scoring.
    run(conn, "SET LOCAL enable_memoize = off")


def are_behind(engine: Engine) -> bool:
    """Whether something was published after the last refresh: the run that should have done it was killed."""
    with transaction(engine, "marts") as conn:
        row = run(
            conn,
            "SELECT EXISTS (SELECT FROM audit.delivery WHERE published_at >"
            " coalesce((SELECT max(at) FROM audit.marts_refresh), '-infinity'))",
        ).fetchone()
    return row is not None and bool(row[0])
