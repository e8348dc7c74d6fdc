"""The detail columns of a select_multiple, one per choice: put back together, and compared with the summary column.

A cell of a detail column is 1/0, True/False, or the choice's own name or label where it was ticked; blank is not asked,
or a version of the form that did not have the choice (formats.md 1.4.3): it says nothing either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.kobo.form import plain
from connectors.shapes import Text

_TICKED = ("1", "1.0", "true", "True", "TRUE")
_NOT_TICKED = ("0", "0.0", "false", "False", "FALSE")

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Detail:
    """One choice's column: its code, its label if there is one, and its place in the file."""

    code: str
    label: str
    position: int


@dataclass(frozen=True)
class Ticks:
    """What the detail columns of one question say: row by row and choice by choice."""

    codes: tuple[str, ...]
    ticked: NDArray[np.bool_]
    """Shape (rows, choices)."""
    filled: NDArray[np.bool_]
    unknown: Flags
    """Rows in which a cell is neither ticked nor not."""

    def joined(self) -> pa.Array:
        """The summary: ticked codes joined by a space in the columns' order; none is blank."""
        n = len(self.ticked)
        parts = [
            pc.if_else(pa.array(self.ticked[:, place]), pa.scalar(code), pa.scalar(""))
            for place, code in enumerate(self.codes)
        ]
        if not parts:
            return pa.nulls(n, pa.string())
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(pc.binary_join_element_wise(*parts, " "), " +", " "))
        return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)

    def contradicts(self, summary: Text) -> Flags:
        """Rows whose summary holds a choice that is not ticked, or the other way round."""
        encoded = _whole(summary)
        encoded = encoded if isinstance(encoded, pa.DictionaryArray) else encoded.dictionary_encode()
        known = {code: place for place, code in enumerate(self.codes)}
        answers = encoded.dictionary.to_pylist()
        said = np.zeros((len(answers) + 1, len(self.codes)), dtype=bool)
        for row, answer in enumerate(answers):
            for code in answer.split():
                if code in known:
                    said[row, known[code]] = True
        # The last row of `said` is the blank summary.
        of_row = said[encoded.indices.fill_null(len(answers)).to_numpy(zero_copy_only=False)]
        flags: Flags = (self.filled & (of_row != self.ticked)).any(axis=1)
        return flags


def ticks(details: Sequence[Detail], cells: Mapping[int, Text], n: int) -> Ticks:
    """The detail columns of `n` rows."""
    ticked = np.zeros((n, len(details)), dtype=bool)
    filled = np.zeros((n, len(details)), dtype=bool)
    unknown = np.zeros(n, dtype=bool)
    for place, detail in enumerate(details):
        column = _whole(cells[detail.position]).cast(pa.string())
        own = [word for word in (detail.code, detail.label, plain(detail.label)) if word and word not in _NOT_TICKED]
        ticked[:, place] = _is_in(column, [*_TICKED, *own])
        filled[:, place] = column.is_valid().to_numpy(zero_copy_only=False)
        unknown |= filled[:, place] & ~ticked[:, place] & ~_is_in(column, _NOT_TICKED)
    return Ticks(tuple(detail.code for detail in details), ticked, filled, unknown)


def _is_in(column: pa.Array, words: Sequence[str]) -> Flags:
    flags: Flags = pc.is_in(column, pa.array(words, pa.string())).to_numpy(zero_copy_only=False)
    return flags


def _whole(column: Text) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
