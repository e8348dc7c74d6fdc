"""Numbers of the rows of a Stata file, column by column, without a step for each cell.

Rows are as long as their variables' types say and lie one after another, so columns are taken as they lie: releases 113
to 119 (Stata 8 and later) in the usual order of bytes; other files are left to pyreadstat, as are texts and the
dictionary. The layout is Stata's own description (`help dta_115`, `help dta`). Runs in the child process of
`readstat_process` and imports nothing of Homeward.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from connectors.statistical.sav_layout import Broken
else:
    from sav_layout import Broken

_AT_ONCE = 1 << 20
"""Bytes of rows that are turned into columns while the processor has them at hand."""
_OLD = range(113, 116)
_NEW = {b"117": (2, 4, 1), b"118": (2, 8, 2), b"119": (4, 8, 2)}
"""By release: bytes of the number of variables, of the number of rows, and of the length of the file's label."""
_OLD_HEADER, _OLD_TYPES = 109, 251
_OLD_VARIABLES = {113: 33 + 2 + 12 + 33 + 81, 114: 33 + 2 + 49 + 33 + 81, 115: 33 + 2 + 49 + 33 + 81}
"""Bytes of names, order of sorting, formats, names of labels and labels, for each variable."""
_DOUBLE, _BYTE, _LONG_TEXT = 65526, 65530, 32768
_KINDS = ("<i8", "<i4", "<i4", "<i2", "<i1")
"""From double to byte; floats are told from missing ones by their bits."""
_LARGEST = (0x7FDF_FFFF_FFFF_FFFF, 0x7EFF_FFFF, 0x7FFF_FFE4, 0x7FE4, 0x64)
_BETWEEN = (40, 11, 0, 0, 0)
"""The first missing value follows the largest number; from one to the next so many bits are passed over."""
_LETTERS = pa.array(list(ascii_lowercase))


class StataNumbers:
    """Columns of numbers, by their place among the variables that are numbers."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        types = self._types()
        widths = [_width(kind) for kind in types]
        begins = np.cumsum([0, *widths])
        self._length = int(begins[-1])
        if not self._length:
            raise Broken
        self._numbers = [(kind - _DOUBLE, int(at)) for kind, at in zip(types, begins, strict=False) if kind >= _DOUBLE]
        self.count = len(self._numbers)

    def columns(
        self, places: Sequence[int], offset: int, limit: int
    ) -> list[tuple[NDArray[np.float64], pa.Array | None]]:
        """The columns at some places, of `limit` rows from `offset` on; Broken if the rows are not there."""
        wanted = [self._numbers[place] for place in places]
        raw = [np.empty(limit, _KINDS[kind]) for kind, _ in wanted]
        rows_at_once = max(1, _AT_ONCE // self._length)
        self._file.seek(self._begins + self._length * offset)
        for start in range(0, limit, rows_at_once):
            rows = min(rows_at_once, limit - start)
            content = self._file.read(rows * self._length)
            if len(content) < rows * self._length:
                raise Broken
            for column, (kind, at) in zip(raw, wanted, strict=True):
                column[start : start + rows] = np.ndarray(rows, _KINDS[kind], content, at, self._length)
        return [_shown(column, kind) for column, (kind, _) in zip(raw, wanted, strict=True)]

    def _types(self) -> list[int]:
        """The types of the variables as newer releases have them, and where the rows begin."""
        self._file.seek(0)
        head = self._file.read(4)
        if head[:1] == b"<":
            return self._types_of_new()
        if len(head) < 4 or head[0] not in _OLD or head[1] != 2:
            raise Broken
        n = self._number(2)
        self._file.seek(_OLD_HEADER)
        types = [kind if kind < _OLD_TYPES else _BYTE + _OLD_TYPES - kind for kind in self._read(n)]
        self._file.seek(2 + n * _OLD_VARIABLES[head[0]], 1)
        while any(field := self._read(5)):
            self._file.seek(int.from_bytes(field[1:], "little"), 1)
        self._begins = self._file.tell()
        return types

    def _types_of_new(self) -> list[int]:
        self._file.seek(0)
        self._expect(b"<stata_dta><header><release>")
        sizes = _NEW.get(self._read(3))
        if sizes is None:
            raise Broken
        of_variables, of_rows, of_label = sizes
        self._expect(b"</release><byteorder>LSF</byteorder><K>")
        n = self._number(of_variables)
        self._expect(b"</K><N>")
        self._number(of_rows)
        self._expect(b"</N><label>")
        self._read(self._number(of_label))
        self._expect(b"</label><timestamp>")
        self._read(self._number(1))
        self._expect(b"</timestamp></header><map>")
        places = np.frombuffer(self._read(14 * 8), "<i8")
        self._expect(b"</map><variable_types>")
        types: list[int] = np.frombuffer(self._read(2 * n), "<u2").tolist()
        self._file.seek(int(places[9]))
        self._expect(b"<data>")
        self._begins = self._file.tell()
        return types

    def _read(self, n: int) -> bytes:
        content = self._file.read(n)
        if len(content) < n:
            raise Broken
        return content

    def _number(self, size: int) -> int:
        return int.from_bytes(self._read(size), "little")

    def _expect(self, tag: bytes) -> None:
        if self._read(len(tag)) != tag:
            raise Broken


def _width(kind: int) -> int:
    if kind < _DOUBLE:
        return 8 if kind == _LONG_TEXT else kind
    if kind > _BYTE:
        raise Broken
    return int(_KINDS[kind - _DOUBLE][-1])


def _shown(raw: NDArray[Any], kind: int) -> tuple[NDArray[np.float64], pa.Array | None]:
    """Numbers, missing ones as NaN, and the letters of those that have one, if there are any."""
    largest = _LARGEST[kind]
    missing = raw > largest
    numbers: NDArray[np.float64] = (raw.view(f"<f{raw.itemsize}") if kind < 2 else raw).astype(np.float64)
    if not missing.any():
        return numbers, None
    numbers[missing] = np.nan
    if not (raw > largest + 1).any():
        return numbers, None
    tags = (raw[missing].astype(np.int64) - largest - 1) >> _BETWEEN[kind]
    letters = np.zeros(len(raw), np.int8)
    letters[missing] = np.where(tags <= len(_LETTERS), tags, 0)
    return numbers, _LETTERS.take(pa.array(letters - 1, mask=letters == 0))
