"""The process in which pyreadstat reads statistical files: run as a script of its own by `readstat`.

ReadStat, the C library below pyreadstat, takes its process down on damaged system files (measured: one mutated .sav in
a few dozen). So it runs here, behind two pipes: bytes of the file are asked from the other side, descriptions go back
as JSON and columns as Arrow, and a crash, a flood of memory or an endless loop ends this process only. It writes no
value anywhere but into its pipe, holds no key and opens no file. What cells mean as text is the business of the other
side (`statistical_text`).
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MEMORY = 3 << 30
"""Bytes of data this process may hold; a file that asks for more is damaged or hostile."""
_BLOCK, _BLOCKS = 1 << 20, 64
"""Bytes that are asked for at a time, and how many such blocks are kept: a file is passed over more than once."""
_BUFFER = 128 << 10
_ROWS_AT_ONCE = 2000
"""Numbers of a row lie side by side: columns are taken out of rows that the processor still has at hand."""
_COLUMNS_AT_ONCE = 400
"""pyreadstat makes room for 100,000 rows in every column where the file does not say how many it has."""
_NONE = np.empty(0)
RAW = "ISO-8859-1"
"""Each byte is read as one letter: the way to the bytes as they are."""


class _Served(io.RawIOBase):
    """The delivered file, whose bytes the other side of the pipes serves."""

    def __init__(self, receive: Connection, send: Connection, name: str, size: int) -> None:
        super().__init__()
        self._receive, self._send, self._of, self._size, self._at = receive, send, name, size, 0
        self._block = lru_cache(_BLOCKS)(self._fetched)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        if not 0 <= self._at < self._size:
            return 0
        number, start = divmod(self._at, _BLOCK)
        content = self._block(number)[start : start + len(buffer)]
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _fetched(self, number: int) -> memoryview:
        start = number * _BLOCK
        self._send.send_bytes(b"R" + json.dumps([self._of, start, min(_BLOCK, self._size - start)]).encode())
        return memoryview(self._receive.recv_bytes())


class _Reader:
    """Answers requests about the files whose `sizes` it was told."""

    def __init__(self, receive: Connection, send: Connection, sizes: Mapping[str, int]) -> None:
        self._receive, self._send = receive, send
        self._files = {
            name: io.BufferedReader(_Served(receive, send, name, size), _BUFFER) for name, size in sizes.items()
        }

    def parse(self, of: str, parser: str, encoding: str | None, **options: Any) -> tuple[Any, Any]:
        # The entry point below read_por and read_xport: only it takes `user_missing` for them. Lists and not arrays:
        # in arrays a plain `.` after a tagged `.a` is what was left in memory (formats.md 2), in lists it is None.
        from pyreadstat._readstat_parser import parser_entry_point

        handle = self._files[of]
        handle.seek(0)
        return parser_entry_point(  # type: ignore[no-any-return]
            handle,
            parser_format=parser,
            encoding=encoding,
            user_missing=True,
            disable_datetime_conversion=True,
            output_format="dict",
            **options,
        )

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

    def read(
        self,
        of: str,
        parser: str,
        encoding: str | None,
        names: Sequence[str] | None,
        offset: int,
        limit: int,
        at_once: int,
    ) -> None:
        """Columns of some rows: float64 as a dictionary, string, and beside numbers with tagged missings the letters.

        They are parsed `at_once` rows at a time.
        """
        columns: dict[str, pa.Array] = {}
        for group in _groups(names):
            found = _Columns()
            for start in range(offset, offset + limit, at_once):
                wanted = min(at_once, offset + limit - start)
                data, meta = self.parse(of, parser, encoding, usecols=group, row_offset=start, row_limit=wanted)
                found.add(data, {name for name, kind in meta.readstat_variable_types.items() if kind == "string"})
            columns |= found.joined()
        self._table(columns)

    def letters(self, of: str, parser: str, names: Sequence[str] | None, offset: int, limit: int) -> None:
        """How many rows there are, and every different text in them that is not plain ASCII, as its bytes."""
        found: set[str] = set()
        rows = 0
        for group in _groups(names):
            data, meta = self.parse(of, parser, RAW, usecols=group, row_offset=offset, row_limit=limit)
            for name, values in data.items():
                rows = max(rows, len(values))
                texts_here = filter(None, values) if meta.readstat_variable_types[name] == "string" else ()
                if not "".join(texts_here).isascii():
                    found.update(value for value in set(filter(None, values)) if not value.isascii())
        texts = pa.array([value.encode(RAW) for value in found], pa.binary())
        self._table({"rows": pa.array([rows] * max(1, len(texts))), "texts": texts if len(texts) else pa.nulls(1)})

    def _table(self, columns: Mapping[str, pa.Array]) -> None:
        batch = pa.record_batch(list(columns.values()), names=list(columns))
        out = io.BytesIO(b"T")
        out.seek(1)
        with pa.ipc.new_stream(out, batch.schema) as writer:
            writer.write_batch(batch)
        self._send.send_bytes(out.getbuffer())


def _groups(names: Sequence[str] | None) -> Iterator[list[str] | None]:
    if names is None:
        yield None
        return
    for start in range(0, len(names), _COLUMNS_AT_ONCE):
        yield list(names[start : start + _COLUMNS_AT_ONCE])


class _Columns:
    """Columns that grow by some rows at a time."""

    def __init__(self) -> None:
        self._texts: dict[str, list[pa.Array]] = {}
        self._numbers: dict[str, list[NDArray[np.float64]]] = {}
        self._letters: dict[str, list[pa.Array]] = {}

    def add(self, data: Mapping[str, list[Any]], texts: Container[str]) -> None:
        for name, found in _numbers({name: values for name, values in data.items() if name not in texts}).items():
            values = data[name]
            if found is None:
                letters = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
                numbers = np.array([None if isinstance(value, str) else value for value in values], np.float64)
            else:
                letters, numbers = pa.nulls(len(values), pa.string()), found
            self._numbers.setdefault(name, []).append(numbers)
            self._letters.setdefault(name, []).append(letters)
        for name, values in data.items():
            if name in texts:
                self._texts.setdefault(name, []).append(pa.array(values, pa.string()))

    def joined(self) -> dict[str, pa.Array]:
        columns = {name: pa.concat_arrays(parts) for name, parts in self._texts.items()}
        for name, parts in self._numbers.items():
            columns[name] = pa.array(np.concatenate(parts), from_pandas=True).dictionary_encode()
            letters = pa.concat_arrays(self._letters[name])
            if letters.null_count < len(letters):
                columns[tags_of(name)] = letters
        return columns


def _numbers(columns: Mapping[str, list[Any]]) -> dict[str, NDArray[np.float64] | None]:
    """Lists of numbers as arrays, None as NaN; None for a list in which letters of tagged missings stand."""
    rows = max(map(len, columns.values()), default=0)
    parts: dict[str, list[NDArray[np.float64]] | None] = {name: [] for name in columns}
    for start in range(0, rows, _ROWS_AT_ONCE):
        for name, values in columns.items():
            some = parts[name]
            if some is not None:
                try:
                    some.append(np.array(values[start : start + _ROWS_AT_ONCE], np.float64))
                except ValueError:
                    parts[name] = None
    return {name: None if some is None else np.concatenate([*some, _NONE]) for name, some in parts.items()}


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
