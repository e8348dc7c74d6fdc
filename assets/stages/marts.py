"""Stage 6, marts: scores, indicator values and comparability from what is published now, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from assets.workplace import Workplace
from codebook.loader import load_codebook
from sources.models import Source


def refresh_marts(workplace: Workplace, sources: Sequence[Source]) -> dict[str, int]:
    """Rows of each mart after the refresh, by name."""
    from warehouse import marts

    rows: dict[str, int] = marts.refresh(workplace.warehouse, load_codebook(), comparability(sources))
    return rows


def comparability(sources: Sequence[Source]) -> list[dict[str, str]]:
    """Which source collects which variable, and how exactly: a row per source and variable of its crosswalk."""
    from harmonization.lineage import lineage

    return [
        {
            "source_id": source.source,
            "country": source.country,
            "entity": one.entity,
            "variable": one.variable,
            "status": one.status,
            "note": one.note,
        }
        for source in sources
        for one in lineage(source)
        if one.variable
    ]
