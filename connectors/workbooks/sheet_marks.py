"""Tabs, line breaks and marked sections within the text of an .ods cell, which the parser leaves out: `13<tab/>14`
would be the number 1314.

They are written as the characters that they stand for (ODF 1.2, part 1, 6.1.4 and 6.1.5) before the parser reads the
workbook. Runs inside the child process of `sheet_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO

_PART = "content.xml"
_BLOCK = 1 << 20
_LONGEST = 4 << 20
"""Bytes that stand without the end of a paragraph; a marked section that is longer is left for the parser."""
_SECTION, _END_OF_SECTION = b"<![CDATA[", b"]]>"
_MARK = re.compile(rb"<[\w.-]+:(tab|line-break)(?:\s[^<>]*)?(?:/>|>\s*</[\w.-]+:\1\s*>)")
_CHARACTERS = {b"tab": b"&#9;", b"line-break": b"&#10;"}
_SIGNS = (b":tab/", b":tab ", b":tab>", b":line-break", _SECTION)


def with_characters(content: bytes) -> bytes:
    """The workbook with its marks as characters; the same bytes where it is no .ods or has none of them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if _PART not in archive.namelist() or not _holds_marks(archive):
            return content
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as written:
            for member in archive.infolist():
                if member.filename != _PART:
                    written.writestr(member, archive.read(member))
            with archive.open(_PART) as stream, written.open(_PART, "w", force_zip64=True) as target:
                for piece in _pieces(stream):
                    target.write(_written_out(piece))
    return out.getvalue()


def _holds_marks(archive: zipfile.ZipFile) -> bool:
    tail = b""
    with archive.open(_PART) as stream:
        while block := stream.read(_BLOCK):
            joined = tail + block
            if any(sign in joined for sign in _SIGNS):
                return True
            tail = block[-16:]
    return False


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The part in pieces that end before a paragraph does: no mark goes over such an end."""
    rest = b""
    while block := stream.read(_BLOCK):
        rest += block
        end = rest.rfind(b":p>")
        if len(rest) > _LONGEST:
            end = max(end, rest.rfind(b"<"))
        elif rest.rfind(_SECTION, 0, end) > rest.rfind(_END_OF_SECTION, 0, end):
            continue
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
    yield rest


def _written_out(piece: bytes) -> bytes:
    first, *sections = piece.split(_SECTION)
    return b"".join([_MARK.sub(_character, first), *map(_section, sections)])


def _section(begun: bytes) -> bytes:
    """What follows the begin of a marked section: its text, and what comes after it."""
    text, end, after = begun.partition(_END_OF_SECTION)
    if not end:
        return _SECTION + begun
    for sign, name in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;")):
        text = text.replace(sign, name)
    return text + _MARK.sub(_character, after)


def _character(mark: re.Match[bytes]) -> bytes:
    return _CHARACTERS[mark[1]]
