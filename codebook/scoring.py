"""Scores answers by an instrument's method, in integers only: a decimal weight never becomes a float on the way.

`plan` turns an instrument and a method into whole numbers over one common denominator (the warehouse writes its SQL
from the same plan), `score` applies it to columns of answer names. Which answers a source gives is not known here.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from codebook.errors import HomewardError, Refused
from codebook.instruments import Instrument
from codebook.loader import Codebook, load_codebook
from codebook.models import CodeList
from codebook.reading import nearest

DIMENSIONS = ("economic", "social", "psychosocial")
SCORES = (*DIMENSIONS, "composite")
NO_POINTS = -1
"""Stands for "this answer has no points" among points, which are never negative."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PlannedLine:
    """One item: points of each answer code (x `Plan.points_scale`), and its integer weights.

    `weight` counts in `dimension`, `composite_weight` in the composite; both hold the share that the item has in a
    derived line. A code that is in `points` nowhere has no points. Where the answer is one of `asks`, the points are
    those of `follow_up` instead. `special` are the codes that count as special answers.
    """

    item: str
    dimension: str
    points: Mapping[int, int]
    weight: int
    composite_weight: int
    special: frozenset[int]
    asks: frozenset[int] = frozenset()
    follow_up: PlannedLine | None = None


@dataclass(frozen=True)
class Plan:
    """A scoring method as integers: score = sum(points x weight) / denominator, exactly."""

    instrument: str
    instrument_version: str
    method: str
    entity: str
    lines: tuple[PlannedLine, ...]
    points_scale: int
    denominator: int
    low_below: int
    high_above: int
    low_confidence_above: int
    minimum_age: tuple[str, int]
    required_answers: Mapping[str, frozenset[int]]

    @property
    def items(self) -> tuple[str, ...]:
        """Columns that are read, a follow-up after its question."""
        return tuple(
            item for line in self.lines for item in (line.item, *((line.follow_up.item,) if line.follow_up else ()))
        )


def plan(instrument: str | Instrument, method: str = "iom_2018", codebook: Codebook | None = None) -> Plan:
    """The method's plan. HomewardError for an instrument or method that the codebook does not define."""
    book = codebook or load_codebook()
    source = instrument if isinstance(instrument, Instrument) else _known(instrument, book.instruments, "instrument")
    chosen = _known(method, source.methods, "scoring method")
    shares = {line.item: len(line.mean_of) for line in source.lines if line.mean_of}
    all_points = [
        worth for scale in source.scales for worth in source.points(scale, method).values() if worth != "follow_up"
    ] + [*chosen.states.values(), *(line.when_skipped for line in source.lines if line.when_skipped is not None)]
    points_scale = _common_denominator(all_points)
    weights = [weight for line in source.lines for weight in (line.dimension_weight, line.composite_weight)]
    weight_scale = _common_denominator(weights) * math.lcm(1, *shares.values())
    denominator = points_scale * weight_scale
    bounds = [source.bands.low_below, source.bands.high_above]
    stretch = _common_denominator([bound * denominator for bound in bounds])
    weight_scale, denominator = weight_scale * stretch, denominator * stretch

    def planned(item: str, scale: str, dimension: str, when_skipped: Decimal | None) -> PlannedLine:
        codes = book.codelist_of(source.entity, item)
        worths: dict[str, Any] = {**source.points(scale, method), **chosen.states}
        if when_skipped is not None:
            worths["skipped_by_logic"] = when_skipped
        points = {codes.code(name): int(w * points_scale) for name, w in worths.items() if w != "follow_up"}
        asks = frozenset(codes.code(name) for name, worth in worths.items() if worth == "follow_up")
        special = frozenset(codes.code(name) for name in chosen.states)
        own, whole = _weights_of(item, source, weight_scale)
        return PlannedLine(item, dimension, points, own, whole, special, asks)

    lines = []
    for dimension, rows in source.dimensions.items():
        for row in rows:
            if row.scale is None:
                continue
            line = planned(row.item, row.scale, dimension, row.when_skipped)
            if row.follow_up:
                reason = planned(row.follow_up.item, row.follow_up.scale, dimension, None)
                line = PlannedLine(**{**vars(line), "follow_up": reason})
            lines.append(line)
    return Plan(
        instrument=source.name,
        instrument_version=source.version,
        method=method,
        entity=source.entity,
        lines=tuple(lines),
        points_scale=points_scale,
        denominator=denominator,
        low_below=int(source.bands.low_below * denominator),
        high_above=int(source.bands.high_above * denominator),
        low_confidence_above=source.low_confidence_above,
        minimum_age=(source.gates.minimum_age.variable, source.gates.minimum_age.years),
        required_answers={
            gate.variable: frozenset(book.codelist_of(source.entity, gate.variable).code(name) for name in gate.equals)
            for gate in source.gates.answers
        },
    )


def _weights_of(item: str, source: Instrument, weight_scale: int) -> tuple[int, int]:
    """The item's own weights and its share of every derived line it belongs to."""
    own = whole = Decimal(0)
    for line in source.lines:
        share = 1 if line.item == item else line.mean_of.count(item)
        parts = len(line.mean_of) or 1
        own += line.dimension_weight * weight_scale * share / parts
        whole += line.composite_weight * weight_scale * share / parts
    return int(own), int(whole)


def _common_denominator(numbers: Iterable[Any]) -> int:
    return math.lcm(*(Decimal(number).as_integer_ratio()[1] for number in numbers))


def _known(name: str, valid: Mapping[str, Any], what: str) -> Any:
    if name not in valid:
        raise HomewardError(f"unknown {what} `{name}`", mend=nearest(name, valid))
    return valid[name]


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
