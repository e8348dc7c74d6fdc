"""What a form's condition sees beyond its row: answers of the submission or of other repeats, parts counted and summed.

Rows of two tables belong together by their submission and by their place in it (`_position`), as far as the table that
both lie in. Where two devices would not agree (a sum with a blank among its numbers: KoboCollect leaves it out, Enketo
makes the sum no number), or the export does not tell, the answer is not known; that is said, never guessed. Which
conditions see what is the business of `asked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.kobo.grid import KoboGrid
from connectors.kobo.xpath_beyond import TODAY, Seen

if TYPE_CHECKING:
    import pandas as pd

_READ_ROWS = 50_000
AGGREGATES = ("count", "count-non-empty", "sum", "min", "max")
_DOUBTFUL = ("read.unknown_label", "read.ambiguous_label", "read.damaged_value")


@dataclass(frozen=True)
class Keyed:
    """A table, and its columns that say where a row belongs: of the submission, and of its place in it (None: main)."""

    grid: KoboGrid
    submission: int
    place: int | None


@dataclass
class Beside:
    """A column of texts for the rows of `own`, found in `other`; `level`: how many repeats both lie in, or of
    `position` how many the repeat lies in; `answers`: the columns of `other` that are asked."""

    own: Keyed
    other: Keyed
    seen: Seen
    level: int
    answers: tuple[int, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    _found: pd.DataFrame | None = None

    def of(self, rows: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.bool_]]:
        """Texts by the supplier's row numbers, and which of them are not known."""
        if self._found is None:
            self._found = self._looked()
        here = self._found.reindex(rows)
        doubtful = ~here["known"].eq(True).to_numpy(dtype=bool)
        return pa.array(here["text"], pa.string(), from_pandas=True), doubtful

    def _looked(self) -> pd.DataFrame:
        """By the row of `own`: the text, and whether it is known."""
        own = _rows(self.own, ())
        if self.seen.function == "position":
            return _frame(own, own["place"].str.split(".").str[self.level], own["tied"])
        other = _rows(self.other, self.answers)
        if self.seen.function == "indexed-repeat":
            return self._part(own, other)
        above, below = _around(own, self.level), _around(other, self.level)
        if self.seen.function in AGGREGATES:
            return _aggregated(self.seen.function, own, above, other.assign(around=below))
        return _looked_up(own, above, self._of_one(other), below)

    def _of_one(self, other: pd.DataFrame) -> pd.DataFrame:
        """The other table with one text a row: its answer, the label of it, or the day on which the form was filled."""
        first = other["answer0"]
        match self.seen.function:
            case "jr:choice-name":
                known = other["known"] & (first.isna() | first.isin(list(self.labels)))
                return other.assign(answer0=first.map(self.labels), known=known)
            case "today" if self.seen == TODAY[0]:  # of one day where the form was closed on the day it was opened
                day, last = first.str[:10], other["answer1"].str[:10]
                return other.assign(answer0=day, known=other["known"] & (day == last))
            case "today":
                return other.assign(answer0=first.str[:10])
            case "now":  # which moment between the two it was is not known
                return other.assign(known=False)
            case "once(today)":
                return other.assign(answer0=first.str[:10], known=other["known"] & first.notna())
        return other

    def _part(self, own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
        """The answer of one part of a repeat: blank where the repeat has no such part. Of a part before the first one
        device gives the first, the other none."""
        import pandas as pd

        number = self.seen.at.partition(" ")[0]
        at = pd.Series(float(number), index=own.index)
        if number[0] in "+-":
            at += pd.to_numeric(own["place"].str.split(".").str[self.level + 1])
        key = _around(own, self.level) + "." + at.astype("Int64").astype("string").astype("object")
        found = _looked_up(own, key, other, _around(other, self.level + 1))
        beyond = ~key.isin(_around(other, self.level + 1)) & bool(other["tied"].all())
        return found.assign(known=(found["known"] | beyond) & own["tied"] & (at >= 1))


def _rows(table: Keyed, answers: tuple[int, ...]) -> pd.DataFrame:
    """Rows by their number: submission, place (`.2.1`; of the main table blank), answers; `tied`: it is told where the
    row belongs, `known`: its answers are told as well."""
    import pandas as pd

    positions = list(dict.fromkeys([table.submission, *([] if table.place is None else [table.place]), *answers]))
    names = ["submission", "place", *(f"answer{n}" for n in range(len(answers))), "known"]
    frames = [pd.DataFrame(columns=names)]
    for piece in table.grid.pieces(positions, _READ_ROWS):
        told = {at: cell.cast(pa.string()).to_pylist() for at, cell in zip(positions, piece.cells, strict=True)}
        cells = {"submission": told[table.submission], "place": [""] * len(piece.rows)}
        if table.place is not None:
            cells["place"] = told[table.place]
        cells |= {f"answer{n}": told[at] for n, at in enumerate(answers)}
        frame = pd.DataFrame(cells, index=pd.Index(piece.rows), dtype="object")
        bad = [
            found.rows
            for found in piece.findings
            if found.rule in _DOUBTFUL and found.severity == "error" and found.column in answers
        ]
        frames.append(frame.assign(known=~np.isin(piece.rows, np.concatenate(bad)) if bad else True))
    whole = pd.concat(frames[1:] or frames)
    tied = whole["submission"].notna() & whole["place"].notna()
    place = "." + whole["place"].str.replace("/", ".")
    return whole.assign(
        place=place.where(whole["place"] != "", ""), tied=tied, known=whole["known"].astype(bool) & tied
    )


def _around(rows: pd.DataFrame, level: int) -> pd.Series:
    """The submission of each row and the first parts of its place: what rows of one family share."""
    return rows["submission"] + rows["place"].str.split(".").str[: level + 1].str.join(".")


def _frame(own: pd.DataFrame, text: pd.Series, known: pd.Series) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"text": text.astype("object"), "known": known.astype(bool)}, index=own.index)


def _looked_up(own: pd.DataFrame, key: pd.Series, other: pd.DataFrame, others_key: pd.Series) -> pd.DataFrame:
    """The other table's first answer in the row of the same key; not known where no row has it, or two."""
    once = ~others_key.duplicated(keep=False) & others_key.notna()
    one = other[once].set_index(others_key[once])
    return _frame(own, key.map(one["answer0"]), key.map(one["known"]).eq(True))


def _aggregated(function: str, own: pd.DataFrame, key: pd.Series, other: pd.DataFrame) -> pd.DataFrame:
    """Parts counted, or their numbers summed, by family; blank where a family has no number for it."""
    import pandas as pd

    if not other["tied"].all():  # whose these are is not told, so nobody's number is
        return _frame(own, pd.Series(None, index=own.index), pd.Series(data=False, index=own.index))
    known = own["tied"]
    if function == "count":
        found = key.map(other["around"].value_counts()).fillna(0)
        return _frame(own, found.astype(int).astype(str), known)
    filled = other["answer0"].notna()
    families = other["around"]
    unsure = families[~other["known"] | (~filled if function != "count-non-empty" else False)]
    known = known & ~key.isin(unsure)
    if function == "count-non-empty":
        found = key.map(families[filled].value_counts()).fillna(0)
        return _frame(own, found.astype(int).astype(str), known)
    days = other["answer0"].str.match(r"\d{4}-\d\d-\d\d")
    if function != "sum" and bool(days[filled].all()):  # ISO dates stand in the order of their letters
        found = key.map(other["answer0"].groupby(families).agg(function))
        return _frame(own, found, known)
    numbers = pd.to_numeric(other["answer0"], errors="coerce").groupby(families).agg(function)
    found = key.map(numbers).fillna(0 if function == "sum" else np.nan)
    return _frame(own, found.map(lambda number: None if np.isnan(number) else f"{number:.15g}"), known)
