"""Scores answers by an instrument's method, in integers only: a decimal weight never becomes a float on the way.

`plan` turns an instrument and a method into whole numbers (the warehouse writes its SQL from the same plan), `score`
applies it to columns of answer names. Which answers a source gives is not known here.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from codebook.errors import Refused
from codebook.instruments import Instrument
from codebook.loader import Codebook, load_codebook
from codebook.models import CodeList
from codebook.plan import Plan, PlannedLine, plan
from codebook.reading import nearest

__all__ = ["DIMENSIONS", "NO_POINTS", "SCORES", "Plan", "PlannedLine", "plan", "score", "score_csv"]

DIMENSIONS = ("economic", "social", "psychosocial")
SCORES = (*DIMENSIONS, "composite")
NO_POINTS = -1
"""Stands for "this answer has no points" among points, which are never negative."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def score(
    frame: pd.DataFrame, instrument: str | Instrument, method: str = "iom_2018", codebook: Codebook | None = None
) -> pd.DataFrame:
    """Scores of each row of `frame`, whose item columns hold answer names (an empty cell is missing_unexpected).

    Columns: the three dimensions and `composite` (float, NaN: no score), `special_answers`, `low_confidence`, `band`,
    `missing_items` (list of item names), `reason` (under_age, no_consent, not_completed, missing_items, or None).
    Gates (age, consent, interview_completed) are honoured where the column is there; a gate's empty cell is closed
    except for age. Refused where an item's column is absent or a cell holds no answer of its list.
    """
    book = codebook or load_codebook()
    planned = plan(instrument, method, book)
    _check_columns(frame, planned)
    answers = {name: _codes(frame, name, book.codelist_of(planned.entity, name)) for name in planned.items}
    sums = {name: np.zeros(len(frame), np.int64) for name in SCORES}
    lacking = {name: np.zeros(len(frame), bool) for name in SCORES}
    special = np.zeros(len(frame), np.int64)
    missing: dict[str, Flags] = {}
    for line in planned.lines:
        points, is_special, absent = _apply(line, answers)
        missing |= absent
        without = points == NO_POINTS
        special += is_special
        for target, weight in ((line.dimension, line.weight), ("composite", line.composite_weight)):
            sums[target] += np.where(without, 0, points) * weight
            lacking[target] |= without
    reason = _gates(frame, planned, book)
    scored = np.array([text is None for text in reason], bool)
    composite_known = scored & ~lacking["composite"]
    for index in np.flatnonzero(scored & ~composite_known):
        reason[index] = "missing_items"
    result = {name: np.where(scored & ~lacking[name], sums[name] / planned.denominator, np.nan) for name in SCORES}

    def column(values: Any) -> pd.Series[Any]:
        return pd.Series(values, index=frame.index, dtype=object)  # text with None in it stays that, not NaN

    names = np.array(list(missing), object)
    flags = np.column_stack(list(missing.values())) if missing else np.zeros((len(frame), 0), bool)
    return pd.DataFrame(
        {
            **result,
            "special_answers": special,
            "low_confidence": special > planned.low_confidence_above,
            "band": column(_bands(sums["composite"], composite_known, planned)),
            "missing_items": column([list(names[row]) for row in flags]),
            "reason": column(reason),
        },
        index=frame.index,
    )


def _check_columns(frame: pd.DataFrame, planned: Plan) -> None:
    for name in planned.items:
        if name not in frame.columns:
            close = nearest(name, [str(column) for column in frame.columns if column not in planned.items])
            mend = close if close.startswith("did you mean") else "every item of the instrument needs its column"
            raise Refused("delivery.missing_column", f"column `{name}` is missing", mend=mend)


def _codes(frame: pd.DataFrame, name: str, codes: CodeList) -> Ints:
    """Answer codes of a column of names; Refused, with column and row, for a name that is not in its list."""
    places, names = pd.factorize(frame[name].fillna("missing_unexpected"))
    for place, answer in enumerate(names):
        if answer not in codes:
            row = frame.index[int(np.flatnonzero(places == place)[0])]
            valid = ", ".join((*codes.names, *codes.state_names))
            raise Refused("delivery.unreadable", "unknown answer", f"column `{name}`, row {row}", f"use one of {valid}")
    return np.array([codes.code(answer) for answer in names] or [0], np.int64)[places]


def _apply(line: PlannedLine, answers: Mapping[str, Ints]) -> tuple[Ints, Flags, dict[str, Flags]]:
    """Points, special answers and missing items of one line. A follow-up counts only where it is asked for."""
    codes = answers[line.item]
    points = np.full(len(codes), NO_POINTS, np.int64)
    for code, worth in line.points.items():
        points[codes == code] = worth
    special = np.isin(codes, list(line.special))
    asked = np.isin(codes, list(line.asks))
    missing = {line.item: (points == NO_POINTS) & ~asked}
    if line.follow_up:
        decided, unsure, absent = _apply(line.follow_up, answers)
        points = np.where(asked, decided, points)
        special |= asked & unsure
        missing |= {item: asked & flags for item, flags in absent.items()}
    return points, special, missing


def _gates(frame: pd.DataFrame, planned: Plan, book: Codebook) -> list[str | None]:
    """Why a row gets no score at all, or None."""
    reason: list[str | None] = [None] * len(frame)
    words = {"consent": "no_consent", "interview_completed": "not_completed"}
    closed: list[tuple[str, Flags]] = []
    for variable, accepted in planned.required_answers.items():
        if variable in frame.columns:
            codes = _codes(frame, variable, book.codelist_of(planned.entity, variable))
            closed.append((words.get(variable, f"gate_{variable}"), ~np.isin(codes, list(accepted))))
    variable, years = planned.minimum_age
    if variable in frame.columns:
        closed.append(("under_age", _ages(frame, variable, book) < years))
    for word, rows in reversed(closed):
        for index in np.flatnonzero(rows):
            reason[index] = word
    return reason


def _ages(frame: pd.DataFrame, variable: str, book: Codebook) -> NDArray[np.float64]:
    """Ages; NaN, which is under no age, where the cell is empty or a reserved state."""
    states = [state.name for state in book.states]
    texts = frame[variable].where(~frame[variable].isin(states), None)
    ages = pd.to_numeric(texts, errors="coerce")
    bad = texts.notna() & ages.isna()
    if bad.any():
        where = f"column `{variable}`, row {frame.index[int(np.flatnonzero(bad)[0])]}"
        raise Refused("delivery.unreadable", "this is no age", where, "write completed years in digits")
    return ages.to_numpy(np.float64)


def _bands(composite: Ints, known: Flags, planned: Plan) -> NDArray[np.object_]:
    bands = np.full(len(composite), "middle", object)
    bands[composite < planned.low_below] = "low"
    bands[composite > planned.high_above] = "high"
    bands[~known] = None
    return bands


def score_csv(path: Path, instrument: str = "rss_2018", method: str = "iom_2018") -> list[dict[str, Any]]:
    """Scores of a CSV of answer names, in row order, as plain objects: what `homeward score` prints.

    Rows are numbered with the header as row 1. Refused for an empty or damaged file, a missing column or an unknown
    answer; columns that are no item are left out.
    """
    frame = _read_answers(path)
    scored = score(frame, instrument, method)
    rows: list[dict[str, Any]] = [dict(row) for row in scored.to_dict("records")]  # type: ignore[arg-type]
    for row in rows:
        for name in SCORES:
            row[name] = None if math.isnan(row[name]) else float(row[name])
        row["special_answers"], row["low_confidence"] = int(row["special_answers"]), bool(row["low_confidence"])
    return rows


def _read_answers(path: Path) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise Refused("delivery.unreadable", "no such file", path.name, "check its name") from None
    except UnicodeDecodeError:
        raise Refused("delivery.wrong_encoding", "the file is not UTF-8", path.name, "save it as UTF-8") from None
    except csv.Error:
        raise Refused("delivery.unreadable", "the file is not CSV", path.name, "check its quotes") from None
    if not rows:
        raise Refused("delivery.empty", "the file is empty", path.name, "give a header and a row for each interview")
    header = [name.strip() for name in rows[0]]
    if len(header) == 1 and ";" in header[0]:
        raise Refused("delivery.unreadable", "cells are separated by `;`", path.name, "separate them by commas")
    for name in header:
        if header.count(name) > 1:
            raise Refused("delivery.unreadable", f"column `{name}` stands twice", path.name, "keep one of them")
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(header):
            what = f"{len(row)} cells where the header has {len(header)}"
            raise Refused("delivery.unreadable", what, f"{path.name}, row {number}", "quote cells that hold a comma")
    numbers = [number for number, row in enumerate(rows[1:], start=2) if row]
    cells = [[cell.strip() or "missing_unexpected" for cell in row] for row in rows[1:] if row]
    return pd.DataFrame(cells, columns=header, index=numbers, dtype=object)
