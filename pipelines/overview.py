"""The overview page: what was delivered, accepted, rejected and why; scores by country, dimension and wave; bands.

One self-contained HTML file: static SVG, no script, nothing fetched. Aggregates only, and none below the minimum cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from assets.workplace import Workplace
from codebook.loader import load_codebook

METHOD = "iom_2018"
REASONS_SHOWN = 15
SQL = Path(__file__).with_name("sql")
COUNTS = {"rows_in", "accepted", "rejected", "rows", "n", "low_confidence"}
NUMERIC = COUNTS | {"mean", "median", "share"}


@dataclass(frozen=True)
class Figure:
    """One number at the top of the page."""

    name: str
    value: str


@dataclass(frozen=True)
class Frame:
    """A table of the page: column names and rows of text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(cls, data: pd.DataFrame) -> Frame:
        names = list(map(str, data.columns))
        rows = [
            [_text(name, value) for name, value in zip(names, row, strict=True)] for row in data.itertuples(index=False)
        ]
        return cls(names, rows)


def write_overview(workplace: Workplace) -> Path:
    """Write `outbox/overview.html` from what the warehouse holds now."""
    page = workplace.outbox / "overview.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    draft = page.with_name(".overview.html")
    draft.write_text(render(read(workplace)), encoding="utf-8")
    draft.replace(page)
    return page


def read(workplace: Workplace) -> dict[str, pd.DataFrame]:
    """The page's aggregates, by the name of the statement under `sql/` that makes them."""
    import sqlalchemy as sa

    from expectations.words import Words

    with workplace.warehouse.connect() as conn:
        data = {
            path.stem: pd.read_sql(sa.text(path.read_text(encoding="utf-8")), conn, params={"method": METHOD})
            for path in sorted(SQL.glob("*.sql"))
        }
    words = Words("en", load_codebook())
    data["reasons"].insert(0, "reason", [words.rule(rule).message for rule in data["reasons"]["rule"]])
    return data


def render(data: dict[str, pd.DataFrame]) -> str:
    """The page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Path(__file__).with_name("templates")
    environment = Environment(loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined)
    codebook = load_codebook()
    return environment.get_template("overview.html.j2").render(
        codebook_version=codebook.version,
        method=METHOD,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        minimum_cell=codebook.indicators["rss_mean"].minimum_cell,
        figures=_figures(data["deliveries"], data["persons"]),
        charts=_charts(data),
        numeric=NUMERIC,
        **{name: Frame.of(data[name]) for name in ("deliveries", "reasons", "scores", "bands")},
    )


def _figures(deliveries: pd.DataFrame, persons: pd.DataFrame) -> list[Figure]:
    rows_in, accepted = int(deliveries["rows_in"].sum()), int(deliveries["accepted"].sum())
    return [
        Figure("countries", str(deliveries["country"].nunique())),
        Figure("deliveries", str(len(deliveries))),
        Figure("rows delivered", f"{rows_in:,}"),
        Figure("rows accepted", f"{accepted:,}"),
        Figure("rows rejected", f"{rows_in - accepted:,}"),
        Figure("persons", f"{int(persons['persons'].iloc[0]):,}"),
    ]


def _charts(data: dict[str, pd.DataFrame]) -> dict[str, str]:
    """SVG by name; a chart without data is left out."""
    from pipelines import charts

    deliveries = data["deliveries"].melt("source", ["accepted", "rejected"], "verdict", "rows")
    drawn = {"deliveries": charts.deliveries(deliveries), "reasons": "", "scores": "", "bands": ""}
    if len(data["reasons"]):
        drawn["reasons"] = charts.reasons(data["reasons"].head(REASONS_SHOWN))
    if len(data["scores"]):
        drawn["scores"] = charts.scores(data["scores"])
    if len(data["bands"]):
        bands = data["bands"].assign(group=lambda frame: frame["country"] + ", " + frame["wave"])
        order = {band: position for position, band in enumerate(charts.BANDS)}
        drawn["bands"] = charts.bands(bands.assign(position=bands["band"].map(order)))
    return drawn


def _text(name: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    if name in COUNTS:
        return f"{int(value):,}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
