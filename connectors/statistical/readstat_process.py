"""The process in which pyreadstat reads statistical files: run as a script of its own by `readstat`.

ReadStat, the C library below pyreadstat, takes its process down on damaged system files (measured: one mutated .sav in
a few dozen). So it runs here, behind two pipes: bytes of the file are asked from the other side, descriptions go back
as JSON and columns as Arrow, and a crash, a flood of memory or an endless loop ends this process only. It writes no
value anywhere but into its pipe, holds no key and opens no file. What cells mean as text is the business of the other
side (`statistical_text`).
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path += sys.argv[1:]  # the libraries' folders: see connectors.reading_process

import io
import json
import os
import struct
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from connectors.statistical.packed_rows import PackedRows
    from connectors.statistical.page_rows import PageRows
    from connectors.statistical.portable_rows import PortableRows
    from connectors.statistical.transport_rows import TransportRows

MEMORY = 3 << 30
"""Bytes of data this process may hold; a file that asks for more is damaged or hostile."""
_BUFFER = 128 << 10
_KEPT = 64 << 20
"""Bytes of text that are kept from the search for letters to the reading of rows, so that it is parsed once."""
_ROWS_AT_ONCE = 1000
"""Numbers of a row lie side by side: columns are taken out of rows that the processor still has at hand."""
_COLUMNS_AT_ONCE = 400
"""pyreadstat makes room for 100,000 rows in every column where the file does not say how many it has."""
_CLOSE = 30_000
"""Codes that lie within so many of each other are counted out, which is quicker than hashing them."""
RAW = "ISO-8859-1"
"""Each byte is read as one letter: the way to the bytes as they are."""


class _Reader:
    """Answers requests about the files whose `sizes` it was told."""

    def __init__(self, receive: Connection, send: Connection, sizes: Mapping[str, int]) -> None:
        from served_file import ServedFile

        self._send = send
        self._files: dict[str, io.RawIOBase] = {
            name: ServedFile(receive, send, name, size) for name, size in sizes.items()
        }
        self._shifted: PackedRows | PageRows | PortableRows | TransportRows | None = None
        """The data's file, where another way to a row is needed than the parser's own."""
        self._portable: PortableRows | None = None
        self._texts: dict[tuple[int, int], Mapping[str, pa.Array]] = {}
        """By offset and number of rows: the texts of steps, as far as they may be kept."""
        self._bytes_of_texts = 0

    def look(self, suffix: str) -> None:
        """Make ready for rows that the parser does not find by itself; the answer is whether rows can be found."""
        from packed_rows import PackedRows, is_packed
        from page_rows import PageRows, Unclear
        from portable_rows import PortableRows

        buffered = io.BufferedReader(self._files["data"], _BUFFER)
        found = True
        if suffix == "sas7bdat":
            try:
                self._shifted = PageRows(buffered)
            except Unclear:
                found = False
        elif suffix == "por":
            self._shifted = self._portable = PortableRows(buffered)
        elif is_packed(buffered):
            self._shifted = PackedRows(buffered)
        if self._shifted is None:
            buffered.detach()
        self._send.send_bytes(b"J" + json.dumps(found).encode())

    def rows_at(self, begins: int, length: int) -> None:
        """Rows of a transport file begin there and are so long; the answer is empty."""
        from transport_rows import TransportRows

        self._shifted = TransportRows(self._files["data"], begins, length)
        self._send.send_bytes(b"J")

    def parse(self, of: str, parser: str, encoding: str | None, **options: Any) -> tuple[Any, Any]:
        # The entry point below read_por and read_xport: only it takes `user_missing` for them. Lists and not arrays:
        # in arrays a plain `.` after a tagged `.a` is what was left in memory (formats.md 2), in lists it is None.
        from pyreadstat._readstat_parser import parser_entry_point

        raw, row = self._files[of], options.get("row_offset", 0)
        if self._shifted is not None and of == "data":
            raw, options["row_offset"] = self._shifted, row - self._shifted.start_at(row, options.get("row_limit", 0))
        raw.seek(0)
        handle = io.BufferedReader(raw, _BUFFER)
        try:
            data, meta = parser_entry_point(
                handle,
                parser_format=parser,
                encoding=encoding,
                user_missing=True,
                disable_datetime_conversion=True,
                output_format="dict",
                **options,
            )
            if self._portable is not None:
                self._portable.ended_at(row + max(map(len, data.values()), default=0), handle.tell())
            return data, meta
        finally:
            handle.detach()

    def describe(self, of: str, parser: str, encoding: str | None) -> None:
        meta = self.parse(of, parser, encoding, metadataonly=True)[1]
        told = {
            "names": meta.column_names,
            "labels": meta.column_labels,
            "formats": [meta.original_variable_types.get(name) for name in meta.column_names],
            "types": [meta.readstat_variable_types.get(name) for name in meta.column_names],
            "widths": [meta.variable_storage_width.get(name, 8) for name in meta.column_names],
            "label_sets": {
                name: [[code_text(code), label] for code, label in labels.items()]
                for name, labels in meta.value_labels.items()
            },
            "labelled": meta.variable_to_label,
            "missing": {
                name: [[code_text(entry["lo"]), code_text(entry["hi"])] for entry in entries]
                for name, entries in meta.missing_ranges.items()
            },
            "rows": meta.number_rows,
            "encoding": meta.file_encoding,
            "table": meta.table_name,
            "mr_sets": meta.mr_sets or {},
        }
        self._send.send_bytes(b"J" + json.dumps(told).encode())

    def letters(self, parser: str, names: Sequence[str], offset: int, limit: int) -> None:
        """How many rows there are, and every different text in them that is not plain ASCII, as its bytes; without
        Stata's long strings, which have their letters already."""
        found: set[str] = set()
        rows = 0
        texts: dict[str, pa.Array] = {}
        for group in _groups(names):
            data, meta = self.parse("data", parser, RAW, row_offset=offset, usecols=group, row_limit=limit)
            rows = max([rows, *map(len, data.values())])
            for name, values in data.items():
                if meta.readstat_variable_types[name] == "string":
                    texts[name] = pa.array(values, pa.string())
                    if not is_long_string(parser, meta.variable_storage_width[name]) and not _is_ascii(texts[name]):
                        different = texts[name].unique().to_pylist()
                        found.update(text for text in different if text and not text.isascii())
        self._keep(texts, offset, rows)
        answer = pa.array([value.encode(RAW) for value in found], pa.binary())
        self._table({"rows": pa.array([rows] * max(1, len(answer))), "texts": answer if len(answer) else pa.nulls(1)})

    def _keep(self, texts: Mapping[str, pa.Array], offset: int, rows: int) -> None:
        size = sum(column.nbytes for column in texts.values())
        if self._bytes_of_texts + size <= _KEPT:
            self._texts[offset, rows] = texts
            self._bytes_of_texts += size

    def read(
        self,
        parser: str,
        names: Sequence[str],
        texts: Sequence[str],
        every: bool,
        offset: int,
        limit: int,
        at_once: int,
    ) -> None:
        """Columns of some rows, parsed `at_once` rows at a time: numbers as float64, codes in a dictionary of them, and
        beside numbers with tagged missings their letters; texts with a letter for each of their bytes (but see
        `is_long_string`). `every`: there are no other columns in the file."""
        kept = self._texts.get((offset, limit), {})
        columns = {name: kept[name] for name in texts if name in kept}
        left = [name for name in names if name not in columns]
        groups = _groups(left)
        if every and len(left) > _COLUMNS_AT_ONCE:
            # pyreadstat looks each column of the file up in the list of those it is asked for, where there is one.
            columns, groups = {}, iter([None])
        for group in groups:
            found = _Columns()
            for start in range(offset, offset + limit, at_once):
                wanted = min(at_once, offset + limit - start)
                data, meta = self.parse("data", parser, RAW, row_offset=start, usecols=group, row_limit=wanted)
                found.add(data, {name for name, kind in meta.readstat_variable_types.items() if kind == "string"})
            columns |= found.joined()
        self._table(columns)

    def _table(self, columns: Mapping[str, pa.Array]) -> None:
        batch = pa.record_batch(list(columns.values()), names=list(columns))
        out = io.BytesIO(b"T")
        out.seek(1)
        with pa.ipc.new_stream(out, batch.schema) as writer:
            writer.write_batch(batch)
        self._send.send_bytes(out.getbuffer())


def is_long_string(parser: str, width: int) -> bool:
    """Whether a text is a strL of Stata, for which the file's dictionary keeps no room.

    ReadStat hands its bytes on without converting them, whatever code page it is told, and pyreadstat decodes them as
    UTF-8, strictly: they come in their letters, and no text in another code page comes at all.
    """
    return parser == "dta" and width == 0


def _is_ascii(column: pa.Array) -> bool:
    letters = column.buffers()[2]
    return letters is None or bool((np.frombuffer(letters, np.uint8) < 128).all())


def _groups(names: Sequence[str]) -> Iterator[list[str] | None]:
    for start in range(0, len(names), _COLUMNS_AT_ONCE):
        yield list(names[start : start + _COLUMNS_AT_ONCE])


class _Columns:
    """Columns that grow by some rows at a time."""

    def __init__(self) -> None:
        self._texts: dict[str, list[pa.Array]] = {}
        self._numbers: dict[str, list[NDArray[np.float64]]] = {}
        self._letters: dict[str, list[pa.Array | None]] = {}

    def add(self, data: Mapping[str, list[Any]], texts: Container[str]) -> None:
        rows = max(map(len, data.values()), default=0)
        numbers = [name for name in data if name not in texts]
        for start in range(0, rows, _ROWS_AT_ONCE):
            for name in numbers:
                # One piece mostly: a list is not copied without need.
                values = data[name] if rows <= _ROWS_AT_ONCE else data[name][start : start + _ROWS_AT_ONCE]
                found, letters = _numbers(values)
                self._numbers.setdefault(name, []).append(found)
                self._letters.setdefault(name, []).append(letters)
        for name in data:
            if name in texts:
                self._texts.setdefault(name, []).append(pa.array(data[name], pa.string()))

    def joined(self) -> dict[str, pa.Array]:
        columns = {name: pa.concat_arrays(parts) for name, parts in self._texts.items()}
        for name, parts in self._numbers.items():
            columns[name] = _coded(np.concatenate(parts))
            letters = self._letters[name]
            if any(some is not None for some in letters):
                columns[tags_of(name)] = pa.concat_arrays(
                    [
                        pa.nulls(len(part), pa.string()) if some is None else some
                        for part, some in zip(parts, letters, strict=True)
                    ]
                )
        return columns


def _numbers(values: list[Any]) -> tuple[NDArray[np.float64], pa.Array | None]:
    """A list of numbers as an array, None as NaN, and the letters of tagged missings if any stand between them."""
    try:
        # A third of the time that numpy and Arrow take for a list.
        return np.frombuffer(struct.pack(f"{len(values)}d", *values)), None
    except struct.error:
        pass
    try:
        return pa.array(values, pa.float64()).to_numpy(zero_copy_only=False), None
    except pa.ArrowInvalid:
        letters = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
        return np.array([None if isinstance(value, str) else value for value in values], np.float64), letters


def _coded(numbers: NDArray[np.float64]) -> pa.Array:
    """Whole numbers close together, as codes are, as places in a list of them; others as they are. NaN is null."""
    low, high = np.fmin.reduce(numbers, initial=np.inf), np.fmax.reduce(numbers, initial=-np.inf)
    if not high - low < _CLOSE or abs(low) > 2**53:
        return pa.array(numbers, from_pandas=True)
    blank = np.isnan(numbers)
    unknown = blank if blank.any() else None
    filled = numbers if unknown is None else np.where(unknown, low, numbers)
    places = (filled - low).astype(np.uint16)
    if not (places + low == filled).all():
        return pa.array(numbers, from_pandas=True)
    present = np.zeros(int(high - low) + 1, bool)
    present[places] = True
    order = (np.cumsum(present) - 1).astype(np.int8 if np.count_nonzero(present) < 128 else np.int16)
    codes = (np.flatnonzero(present) + low).astype(np.float64)
    return pa.DictionaryArray.from_arrays(pa.array(order[places], mask=unknown), pa.array(codes))


def tags_of(name: str) -> str:
    """The column of letters beside a column of numbers; no variable's name holds this sign."""
    return f"{name}\0"


def code_text(code: object) -> str:
    """A code as the cells have it: 98 and not 98.0."""
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)


def _explained(error: Exception) -> str:
    """What went wrong, without a word of the file in it."""
    if isinstance(error, MemoryError):
        return "memory"
    # A code page that is not this text's, or that iconv does not know; names that are no UTF-8.
    words = str(error).lower()
    return (
        "encoding" if isinstance(error, UnicodeError) or "convert string" in words or "character set" in words else ""
    )


class _WithoutPandas:
    """pyarrow loads pandas to look at the first list it is given, for 0.4 s; nothing here needs it."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _serve() -> None:
    receive, send = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # nothing that a library prints gets between the messages
    warnings.simplefilter("ignore")
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no values on the disk
    sys.meta_path.insert(0, _WithoutPandas)
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    reader = _Reader(receive, send, json.loads(receive.recv_bytes()))
    while True:
        try:
            asked = json.loads(receive.recv_bytes())
        except EOFError:
            return
        try:
            getattr(reader, asked.pop("do"))(**asked)
        except (Exception, MemoryError) as error:
            send.send_bytes(b"E" + _explained(error).encode())


if __name__ == "__main__":
    _serve()
