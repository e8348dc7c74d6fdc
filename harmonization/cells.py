"""The text cells of one batch, each column encoded once: its different texts, and which of them stands in each row.

Text is compared trimmed and in canonical Unicode form (a decomposed accent is the same letter); nothing else is
changed, and what a text means is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sources.batches import ROW, SafeBatch
from sources.crosswalk import ANY, BLANK, Condition
from values.distinct import distinct, trimmed

Mask = npt.NDArray[np.bool_]
BLANK_INDEX = -1


@dataclass(frozen=True)
class Encoded:
    """A column: `texts` (different, none blank) and per row the index of its text, -1 where the cell is blank."""

    texts: pa.StringArray
    index: npt.NDArray[np.int32]

    @cached_property
    def filled(self) -> Mask:
        return np.not_equal(self.index, BLANK_INDEX)

    @cached_property
    def words(self) -> list[str]:
        found: list[str] = self.texts.to_pylist()
        return found

    def spread(self, per_text: npt.NDArray[np.generic], blank: object) -> npt.NDArray[np.generic]:
        """What was found for each text, on the rows; `blank` where the cell is blank."""
        return np.append(per_text, np.asarray([blank], per_text.dtype))[self.index]

    def take(self, per_text: pa.Array) -> pa.Array:
        """The same for an Arrow array; null where the cell is blank."""
        return pc.take(per_text, pa.array(self.index, mask=~self.filled))


class Cells:
    """A batch's columns by name. A column that this file does not have is blank in every row."""

    def __init__(self, batch: SafeBatch) -> None:
        self._data = batch.data
        self._encoded: dict[str, Encoded] = {}
        self.rows: int = batch.data.num_rows

    def places(self, at: npt.NDArray[np.int64]) -> pa.Array:
        """The supplier's row numbers of these positions."""
        return pc.take(self._data[ROW].combine_chunks(), pa.array(at))

    def has(self, column: str) -> bool:
        return column in self._data.column_names

    def __getitem__(self, column: str) -> Encoded:
        if column not in self._encoded:
            self._encoded[column] = self._encode(column)
        return self._encoded[column]

    def _encode(self, column: str) -> Encoded:
        if not self.has(column):
            return Encoded(pa.array([], pa.string()), np.full(self.rows, BLANK_INDEX, np.int32))
        encoded = distinct(self._data[column])
        given = pc.utf8_normalize(trimmed(encoded.dictionary.cast(pa.string())), "NFC")
        index = np.asarray(pc.fill_null(encoded.indices.cast(pa.int32()), BLANK_INDEX), np.int32)
        texts = pc.drop_null(given)
        if len(texts) < len(given):  # a cell of white space is blank
            filled = np.asarray(given.is_valid())
            place = np.where(filled, np.cumsum(filled) - 1, BLANK_INDEX).astype(np.int32)
            index = np.append(place, np.int32(BLANK_INDEX))[index]
        return Encoded(texts, index)

    def holds(self, condition: Condition) -> Mask:
        """Rows on which a condition holds."""
        cells = self[condition.column]
        if condition.code == BLANK:
            return ~cells.filled
        if condition.code == ANY:
            return cells.filled
        equal = np.asarray(pc.equal(cells.texts, condition.code), bool)
        return np.asarray(cells.spread(equal, False), bool)

    def hold(self, conditions: Sequence[Condition]) -> Mask:
        """Rows on which all of them hold."""
        found = np.ones(self.rows, bool)
        for condition in conditions:
            found &= self.holds(condition)
        return found
