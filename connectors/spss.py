"""SPSS system files (.sav, .zsav): codes stay codes, user-missing codes included; labels are described, never applied.

Applying labels merges two codes of one label and loses the reason why an answer is missing (formats.md 2), so cells are
codes as text and the labels and missing ranges go into the headings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codebook.errors import Refused
from connectors.shapes import Grid, Heading, Piece, Text, numbered
from sources.batches import DeliveredFile
from sources.models import Source

_DATES = {"DATE", "ADATE", "EDATE", "SDATE", "JDATE", "MOYR", "QYR", "WKYR"}
_MOMENTS = {"DATETIME", "YMDHMS"}
_TIMES = {"TIME", "DTIME", "MTIME"}
_EPOCH = np.datetime64("1582-10-14", "s")
"""Dates in SPSS are seconds since the first day of the Gregorian calendar."""
_LAST = 265_621_680_000
"""Seconds to the year 10000; what lies beyond is no date and is left as the number it is."""
_CHECKED_ROWS = 100_000


@dataclass(frozen=True)
class SpssGrid:
    """The cases of a system file; a row's number is its case number, from 1."""

    file: DeliveredFile
    headings: tuple[Heading, ...]
    encoding: str | None
    formats: Mapping[str, str]
    n_rows: int
    sheet: str | None = None

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        names = [self.headings[position].header for position in positions]
        for offset in range(0, self.n_rows, size):
            data = _read(self.file, self.encoding, usecols=names, row_offset=offset, row_limit=size)[0]
            n = min(size, self.n_rows - offset)
            if any(len(data.get(name, ())) != n for name in names):
                raise _unreadable(self.file)
            rows = np.arange(offset + 1, offset + n + 1, dtype=np.int64)
            yield Piece(rows, [_text(data[name], self.formats[name]) for name in names])

    def split(self, n: int) -> list[Grid]:
        return [self]


def open_grids(files: Sequence[DeliveredFile], source: Source) -> tuple[dict[str, Grid], dict[str, object]]:
    """The one table of an `spss` source, after every string in it was read once: a wrong code page shows only there."""
    declared = source.format
    if declared.kind != "spss":
        raise TypeError(declared.kind)
    if len(files) != 1:
        raise Refused(
            "delivery.wrong_source", f"{len(files)} files, one is expected", source.source, "deliver one file at a time"
        )
    file = files[0]
    encoding, meta = _metadata(file, declared.encoding)
    if not meta.number_rows:
        raise Refused("delivery.empty", "there is no case in the file", file.name, "deliver the file again")
    _read_strings(file, encoding, meta)
    grid = SpssGrid(file, _headings(meta, file), encoding, dict(meta.original_variable_types), meta.number_rows)
    facts = {
        "encoding": encoding or meta.file_encoding,
        "records": meta.number_rows,
        "multiple_response_sets": sorted(meta.mr_sets or {}),
    }
    return {source.tables[0].name: grid}, facts


def _metadata(file: DeliveredFile, declared: str | None) -> tuple[str | None, Any]:
    """The encoding to read with (None: the file's own) and pyreadstat's metadata.

    A file that calls itself UTF-8 is believed: reading it in the declared code page would garble it without an error.
    """
    try:
        meta = _read(file, None, metadataonly=True)[1]
    except Refused:
        if declared is None:
            raise
        return declared, _read(file, declared, metadataonly=True)[1]
    own = (meta.file_encoding or "").lower().replace("_", "-")
    if declared is None or own == "utf-8":
        return None, meta
    return declared, _read(file, declared, metadataonly=True)[1]


def _read(file: DeliveredFile, encoding: str | None, **options: Any) -> tuple[dict[str, list[Any]], Any]:
    """Read through the file's own handle: the system file is never written anywhere."""
    import pyreadstat

    options |= {
        "encoding": encoding,
        "user_missing": True,
        "disable_datetime_conversion": True,
        "output_format": "dict",
    }
    read_sav: Any = pyreadstat.read_sav
    with file.open() as handle:
        try:
            data, meta = read_sav(handle, **options)
        except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError) or "convert string" in str(error):
                raise Refused(
                    "delivery.wrong_encoding",
                    f"some text is not in {encoding or 'the code page the file names'}",
                    file.name,
                    "declare the encoding in source.yaml",
                ) from None
            raise _unreadable(file) from None
    return data, meta


def _read_strings(file: DeliveredFile, encoding: str | None, meta: Any) -> None:
    strings = [name for name, kind in meta.readstat_variable_types.items() if kind == "string"]
    columns = strings or meta.column_names[:1]
    for offset in range(0, meta.number_rows, _CHECKED_ROWS):
        data = _read(file, encoding, usecols=columns, row_offset=offset, row_limit=_CHECKED_ROWS)[0]
        if len(data[columns[0]]) != min(_CHECKED_ROWS, meta.number_rows - offset):
            raise _unreadable(file)


def _unreadable(file: DeliveredFile) -> Refused:
    return Refused("delivery.unreadable", "it is no whole SPSS system file", file.name, "save it again as .sav")


def _headings(meta: Any, file: DeliveredFile) -> tuple[Heading, ...]:
    labels: Mapping[str, Mapping[Any, str]] = meta.variable_value_labels
    missing: Mapping[str, Sequence[Mapping[str, Any]]] = meta.missing_ranges
    return tuple(
        Heading(
            header=heading.header,
            position=heading.position,
            names=heading.names,
            value_labels={_code(code): label for code, label in labels.get(heading.header, {}).items()},
            missing=tuple(_range(entry) for entry in missing.get(heading.header, ())),
            date=_kind(meta.original_variable_types[heading.header]) in _DATES | _MOMENTS,
        )
        for heading in numbered(meta.column_names, file.name)
    )


def _range(entry: Mapping[str, Any]) -> str:
    low, high = _code(entry["lo"]), _code(entry["hi"])
    return low if low == high else f"{low}..{high}"


def _code(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _kind(spss_format: str) -> str:
    letters = re.match(r"[A-Z]+", spss_format.upper())
    return letters.group() if letters else ""


def _text(values: Sequence[Any], spss_format: str) -> Text:
    """One variable as text: 98 and not 98.0, dates as ISO dates, durations as HH:MM:SS, blank as null."""
    if any(isinstance(value, str) for value in values):
        return pa.array([value if isinstance(value, str) and value.strip() else None for value in values], pa.string())
    numbers = np.array([np.nan if value is None or value == "" else value for value in values], dtype=np.float64)
    void = np.isnan(numbers)
    whole = np.where(void, 0.0, numbers)
    writers: dict[str, Callable[[NDArray[np.float64]], pa.Array]] = {
        **dict.fromkeys(_DATES, lambda seconds: _moments(seconds, "D")),
        **dict.fromkeys(_MOMENTS, lambda seconds: _moments(seconds, "s")),
        **dict.fromkeys(_TIMES, _clock),
    }
    return pc.if_else(pa.array(~void), writers.get(_kind(spss_format), _digits)(whole), pa.scalar(None, pa.string()))


def _digits(numbers: NDArray[np.float64]) -> pa.Array:
    integral = (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)
    integers = pa.array(np.where(integral, numbers, 0).astype(np.int64)).cast(pa.string())
    return integers if integral.all() else pc.if_else(pa.array(integral), integers, pa.array(numbers).cast(pa.string()))


def _moments(seconds: NDArray[np.float64], unit: str) -> pa.Array:
    known = (seconds >= 0) & (seconds < _LAST)
    moments = _EPOCH + np.round(np.where(known, seconds, 0)).astype("timedelta64[s]")
    text = pa.array(np.datetime_as_string(moments.astype(f"datetime64[{unit}]")).astype(object), pa.string())
    return text if known.all() else pc.if_else(pa.array(known), text, _digits(seconds))


def _clock(seconds: NDArray[np.float64]) -> pa.Array:
    return pa.array([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds.astype(int).tolist()])
