"""What the header of a SAS transport file (.xpt) says of its rows, which pyreadstat does not look at.

A transport file is made of records of 80 bytes, and its rows are filled up with blanks to the last of them. The layout
is SAS's TS-140: headers, one description of 136 or 140 bytes per variable, and rows of their lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sources.batches import DeliveredFile

_RECORD = 80
_BLOCK = 1 << 20
_REACH = 64 << 20
"""The descriptions of the variables end before this byte, or the file is no table."""
_NAMES = re.compile(rb"HEADER RECORD\*{7}NAM(?:ESTR|STV8) HEADER RECORD!{7}0{6}(\d{4,6})")
_MEMBER = re.compile(rb"HEADER RECORD\*{7}MEM(?:BER|BV8) *HEADER RECORD!{7}\d{16,17}(\d{3,4})0{6,11}")
_ROWS = re.compile(rb"HEADER RECORD\*{7}OBS(V8)? {3,5}HEADER RECORD!{7}(.{15})")
_ANOTHER = re.compile(rb"HEADER RECORD\*{7}MEM(?:BER|BV8) {2,3}HEADER RECORD!{7}")


@dataclass(frozen=True)
class Transport:
    """How many rows the file says it has (release 8 does), where they begin, and how long each is (0: not known)."""

    rows: int | None
    begins: int
    length: int


def transport(file: DeliveredFile) -> Transport | None:
    """None where the headers are not as they are described."""
    with file.open() as handle:
        head = handle.read(_BLOCK)
        while (told := _ROWS.search(head)) is None and len(head) < _REACH and (more := handle.read(_BLOCK)):
            head += more
    if told is None:
        return None
    begins = -(-told.end() // _RECORD) * _RECORD
    stated = told[2].strip()
    rows = int(stated) if told[1] and stated.isdigit() else None
    return Transport(rows, begins, _row_length(head[: told.start()]))


def _row_length(head: bytes) -> int:
    names = _NAMES.search(head)
    if names is None:
        return 0
    member = _MEMBER.search(head)
    size = 136 if member is not None and member[1].lstrip(b"0") == b"136" else 140
    begins = (names.start() // _RECORD + 1) * _RECORD
    n = int(names[1][:4])
    if begins + n * size > len(head):
        return 0
    return sum(int.from_bytes(head[at + 4 : at + 6], "big") for at in range(begins, begins + n * size, size))


def is_cut(file: DeliveredFile, found: Transport) -> bool:
    """Whether the file ends within a row: after the last whole one there is more than the blanks that fill a record.

    A cut between two rows shows only in release 8, which says how many there are: no more and no fewer may be there.
    """
    if not found.length:
        return False
    present, rest = divmod(file.size - found.begins, found.length)
    rows = present if found.rows is None else found.rows
    if present < rows:
        return True
    with file.open() as handle:
        handle.seek(file.size - min(rest, _RECORD) if found.rows is None else found.begins + rows * found.length)
        return bool(handle.read(_BLOCK).strip(b" "))


def holds_several(file: DeliveredFile, found: Transport) -> bool:
    """Whether a second table begins after the rows of the first, which the parser takes for more rows of it."""
    with file.open() as handle:
        handle.seek(found.begins)
        tail = b""
        while block := handle.read(_BLOCK):
            if _ANOTHER.search(tail + block):
                return True
            tail = block[-_RECORD:]
    return False
