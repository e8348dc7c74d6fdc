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
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

import pyarrow as pa

MEMORY = 3 << 30
"""Bytes of data this process may hold; a file that asks for more is damaged or hostile."""
_BLOCK = 8 << 20
_COLUMNS_AT_ONCE = 400
"""pyreadstat makes room for 100,000 rows in every column where the file does not say how many it has."""
RAW = "ISO-8859-1"
"""Each byte is read as one letter: the way to the bytes as they are."""


class _Served(io.RawIOBase):
    """The delivered file, whose bytes the other side of the pipes serves."""

    def __init__(self, receive: Connection, send: Connection, name: str, size: int) -> None:
        super().__init__()
        self._receive, self._send, self._of, self._size, self._at = receive, send, name, size, 0

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
        wanted = max(0, min(len(buffer), self._size - self._at))
        if not wanted:
            return 0
        self._send.send_bytes(b"R" + json.dumps([self._of, self._at, wanted]).encode())
        content = self._receive.recv_bytes()
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


class _Reader:
    """Answers requests about the files whose `sizes` it was told."""

    def __init__(self, receive: Connection, send: Connection, sizes: Mapping[str, int]) -> None:
        self._receive, self._send = receive, send
        self._files = {
            name: io.BufferedReader(_Served(receive, send, name, size), _BLOCK) for name, size in sizes.items()
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
        self, of: str, parser: str, encoding: str | None, names: Sequence[str] | None, offset: int, limit: int
    ) -> None:
        """Columns of some rows: float64, string, and for numbers with tagged missings beside it the letters."""
        columns: dict[str, pa.Array] = {}
        for group in _groups(names):
            data, meta = self.parse(of, parser, encoding, usecols=group, row_offset=offset, row_limit=limit)
            for name, kind in meta.readstat_variable_types.items():
                columns |= _arrays(name, data.pop(name), kind == "string")
        self._table(columns)

    def letters(self, of: str, parser: str, names: Sequence[str] | None, offset: int, limit: int) -> None:
        """How many rows there are, and every different text in them that is not plain ASCII, as its bytes."""
        found: set[str] = set()
        rows = 0
        for group in _groups(names):
            data, _ = self.parse(of, parser, RAW, usecols=group, row_offset=offset, row_limit=limit)
            for values in data.values():
                rows = max(rows, len(values))
                found.update(value for value in values if isinstance(value, str) and not value.isascii())
        texts = pa.array([value.encode(RAW) for value in found], pa.binary())
        self._table({"rows": pa.array([rows] * max(1, len(texts))), "texts": texts if len(texts) else pa.nulls(1)})

    def _table(self, columns: Mapping[str, pa.Array]) -> None:
        table = pa.Table.from_arrays(list(columns.values()), names=list(columns))
        out = io.BytesIO()
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
        self._send.send_bytes(b"T" + out.getbuffer())


def _groups(names: Sequence[str] | None) -> Iterator[list[str] | None]:
    if names is None:
        yield None
        return
    for start in range(0, len(names), _COLUMNS_AT_ONCE):
        yield list(names[start : start + _COLUMNS_AT_ONCE])


def _arrays(name: str, values: list[Any], text: bool) -> dict[str, pa.Array]:
    if text:
        return {name: pa.array(values, pa.string())}
    try:
        return {name: pa.array(values, pa.float64(), from_pandas=True)}
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        numbers = [None if isinstance(value, str) else value for value in values]
        letters = [value if isinstance(value, str) else None for value in values]
        return {name: pa.array(numbers, pa.float64(), from_pandas=True), tags_of(name): pa.array(letters, pa.string())}


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


def _serve() -> None:
    receive, send = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # nothing that a library prints gets between the messages
    warnings.simplefilter("ignore")
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no values on the disk
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
