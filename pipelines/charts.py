"""The overview's charts, drawn by Altair and rendered to static SVG: no script, nothing fetched.

Only aggregates that may be seen come in here: a chart carries the rows of the frame it was made from.
"""

from __future__ import annotations

import altair as alt
import pandas as pd
import vl_convert as vlc

WIDTH = 620
VERDICTS = {"accepted": "#2f7d5b", "rejected": "#b5472f"}
BANDS = {"low": "#b5472f", "middle": "#d9a441", "high": "#2f7d5b"}
WAVES = {"baseline": "#8a9bb0", "midterm": "#5a7ca3", "endline": "#1f4e79"}
FONT = "system-ui, sans-serif"
PADDING = {"left": 48, "right": 8, "top": 4, "bottom": 4}
"""Room at the left: the reader's font may be wider than the one with which the labels were measured."""


def deliveries(frame: pd.DataFrame) -> str:
    """Rows accepted and rejected. Columns: source, verdict, rows."""
    return _svg(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("source:N", title=None, sort=None),
            x=alt.X("rows:Q", title="rows delivered"),
            color=_colour("verdict", VERDICTS),
            order=alt.Order("verdict:N"),
        )
    )


def reasons(frame: pd.DataFrame) -> str:
    """Why rows were rejected. Columns: reason, rows, source."""
    return _svg(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("reason:N", title=None, sort="-x", axis=alt.Axis(labelLimit=330)),
            x=alt.X("rows:Q", title="rejected rows with this finding", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "source:N", title=None, scale=alt.Scale(scheme="tableau10"), legend=alt.Legend(orient="top")
            ),
        )
        .properties(width=WIDTH - 200),
        sized=True,
    )


def scores(frame: pd.DataFrame) -> str:
    """Mean scores. Columns: country, dimension, wave, mean (0 to 1), n."""
    base = alt.Chart(frame).encode(
        x=alt.X("mean:Q", title="mean score", scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("wave:N", title=None, sort=list(WAVES)),
    )
    marks = base.mark_bar(height=12).encode(color=_colour("wave", WAVES))
    numbers = base.mark_text(align="left", dx=4, fontSize=10).encode(text=alt.Text("mean:Q", format=".2f"))
    drawn = alt.layer(marks, numbers).properties(width=120, height=54)
    return _svg(
        drawn.facet(
            row=alt.Row("country:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
            column=alt.Column("dimension:N", title=None, sort=["economic", "social", "psychosocial", "composite"]),
            spacing=12,
        ),
        sized=True,
    )


def bands(frame: pd.DataFrame) -> str:
    """Share of interviews per band. Columns: group (country and wave), band, share (0 to 1)."""
    return _svg(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("group:N", title=None, sort=None),
            x=alt.X("share:Q", title="share of scored interviews", axis=alt.Axis(format="%"), stack="zero"),
            color=_colour("band", BANDS),
            order=alt.Order("position:Q"),
        )
    )


def _colour(field: str, colours: dict[str, str]) -> alt.Color:
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", title=None, scale=scale, legend=alt.Legend(orient="top"))


def _svg(chart: alt.Chart | alt.FacetChart, sized: bool = False) -> str:
    drawn = chart if sized else chart.properties(width=WIDTH)
    styled = (
        drawn.configure(font=FONT, padding=PADDING)
        .configure_view(stroke=None)
        .configure_axis(grid=False, domainColor="#999")
    )
    return str(vlc.vegalite_to_svg(styled.to_json()))
