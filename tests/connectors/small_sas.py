"""Writes small SAS data sets (.sas7bdat), which no library here does: 32 bit, little endian, numbers and texts.

The layout is M. Shotwell's "SAS7BDAT Database Binary Format". `mixed` rows lie on the page of the columns, the others
on pages of their own, packed row by row where `packed`; `amended`: the formats' names lie on a page at the end.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Cell = float | str
_MAGIC = b"\0" * 12 + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
_HEADER = _PAGE = 4096
_META, _DATA, _MIX, _AMENDED = 0x0000, 0x0100, 0x0200, 0x0400
_WIDTH = 8


@dataclass(frozen=True)
class Table:
    """Columns (names, and their formats) and rows; in a number, a dot and one letter is a special missing."""

    columns: dict[str, str]
    rows: Sequence[Sequence[Cell]]
    mixed: int = 0
    packed: bool = False
    amended: bool = False


def write_sas(path: Path, table: Table) -> Path:
    pages = _pages(table)
    head = bytearray(_HEADER)
    head[:32], head[32], head[35], head[37], head[39], head[70] = _MAGIC, 0x22, 0x22, 1, 0x31, 20
    head[84:92], head[92:100], head[156:164] = b"SAS FILE", b"RETURNS ", b"DATA    "
    struct.pack_into("<3I", head, 196, _HEADER, _PAGE, len(pages))
    head[216:224] = b"9.0401M1"
    path.write_bytes(bytes(head) + b"".join(pages))
    return path


def _pages(table: Table) -> list[bytes]:
    is_text = [
        any(isinstance(row[n], str) and row[n][:1] != "." for row in table.rows) for n in range(len(table.columns))
    ]
    rows = [b"".join(map(_cell, row, is_text)) for row in table.rows]
    own = rows[table.mixed :]
    names, formats = "".join(table.columns), "".join(table.columns.values())
    text = ("SASYZCRL" if table.packed else "").rjust(16) + names + ("" if table.amended else formats)
    blocks = [_row_size(len(rows[0]), len(rows), table.mixed), struct.pack("<2I", 0xF6F6F6F6, len(is_text)) + bytes(4)]
    blocks += [_sized(0xFFFFFFFD, text.encode(), 0), *_columns(table, is_text)]
    pages = [_page(_MIX if table.mixed else _META, blocks, rows[: table.mixed])]
    if table.packed:
        squeezed = [_run_lengths(row) for row in own]
        fit = (_PAGE - 24) // (12 + len(squeezed[0]))
        pages += [_page(_META, squeezed[n : n + fit], [], packing=4) for n in range(0, len(own), fit)]
    else:
        fit = (_PAGE - 24) // len(rows[0])
        pages += [_page(_DATA, [], own[n : n + fit]) for n in range(0, len(own), fit)]
    return [*pages, _page(_AMENDED, [_sized(0xFFFFFFFD, formats.encode(), 0)], [])] if table.amended else pages


def _cell(value: Cell, is_text: bool) -> bytes:
    if is_text:
        return str(value).encode().ljust(_WIDTH)
    if isinstance(value, str):  # a missing is no number, with its letter turned over in the third byte
        return bytes(5) + bytes([0xFF ^ ord(value[1:] or "."), 0xFF, 0xFF])
    return struct.pack("<d", value)


def _row_size(length: int, rows: int, mixed: int) -> bytes:
    block = bytearray(480)
    struct.pack_into("<I", block, 0, 0xF7F7F7F7)
    struct.pack_into("<2I", block, 20, length, rows)
    struct.pack_into("<I", block, 60, mixed)
    return bytes(block)


def _sized(signature: int, content: bytes, after: int) -> bytes:
    """A block that says how long it is."""
    filled = content + bytes(-len(content) % 4 + after)
    return struct.pack("<IH6x" if after else "<IH2x", signature, len(filled) - (0 if after else 4)) + filled


def _columns(table: Table, is_text: Sequence[bool]) -> list[bytes]:
    named, end = _placed(0, 20, table.columns)
    shown, _ = _placed(1, 4, table.columns.values()) if table.amended else _placed(0, end, table.columns.values())
    kinds = [struct.pack("<2IHBx", _WIDTH * n, _WIDTH, 4, 2 if text else 1) for n, text in enumerate(is_text)]
    of_formats = [struct.pack("<I30x", 0xFFFFFBFE) + place + bytes(12) for place in shown]
    of_names = b"".join(place + b"\0\0" for place in named)
    return [_sized(0xFFFFFFFF, of_names, 8), _sized(0xFFFFFFFC, b"".join(kinds), 8), *of_formats]


def _placed(text: int, at: int, words: Iterable[str]) -> tuple[list[bytes], int]:
    """Where each word lies in which text, and where the last one ends."""
    places = []
    for word in words:
        places.append(struct.pack("<3H", text, at, len(word)))
        at += len(word)
    return places, at


def _run_lengths(row: bytes) -> bytes:
    """A packed row, of nothing but bytes that are copied."""
    pieces = [row[n : n + 16] for n in range(0, len(row), 16)]
    return b"".join(bytes([0x80 + len(piece) - 1]) + piece for piece in pieces)


def _page(kind: int, blocks: Sequence[bytes], rows: Sequence[bytes], packing: int = 0) -> bytes:
    page = bytearray(_PAGE)
    count = len(rows) if kind == _DATA else len(rows) + len(blocks)
    struct.pack_into("<3H", page, 16, kind, count, len(blocks))
    at, end = 24, _PAGE
    for block in blocks:
        end -= len(block)
        page[end : end + len(block)] = block
        struct.pack_into("<2I2B2x", page, at, end, len(block), packing, 1 if packing else 0)
        at += 12
    at += at % 8 if kind == _MIX else 0
    content = b"".join(rows)
    page[at : at + len(content)] = content
    return bytes(page)
