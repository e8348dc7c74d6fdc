"""The marts, refreshed together: scores, indicator values, comparability.

One transaction: a reader sees the old figures until all new ones are there, and figures of one refresh belong
together. How a score or an indicator is computed is the business of `scores` and `indicators`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from codebook.loader import Codebook
from warehouse import indicators, scores
from warehouse.engine import driver, run, transaction


def refresh(engine: Engine, codebook: Codebook, comparability: Sequence[Mapping[str, str]] = ()) -> dict[str, int]:
    """Compute all marts from what is published now; returns rows of each.

    `comparability`: source_id, country, entity, variable, status and note for each variable a source speaks of.
    """
    with transaction(engine, "refresh of the marts") as conn:
        run(conn, "SELECT pg_advisory_xact_lock(hashtextextended('homeward:marts', 0))")
        run(conn, "SET LOCAL work_mem = '128MB'")
        # It would remember every interview's answers, which never come again: three quarters of the time of scoring.
        run(conn, "SET LOCAL enable_memoize = off")
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
    return {"rss_score": scored, "indicator_value": values, "comparability": len(comparability)}
