"""What the parser leaves out of an .ods: tabs, line breaks and marked sections within a text (`13<tab/>14` would be the
number 1314), errors of formulas (`#DIV/0!` would be 0, or blank), and texts of cells without a type.

Marks are written as the characters that they stand for (ODF 1.2, part 1, 6.1.4 and 6.1.5), and such cells as texts,
before the parser reads the workbook. Runs inside the child process of `sheet_process` and imports nothing of Homeward.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO

_PART = "content.xml"
_BLOCK = 1 << 20
_TAIL = 2048
"""No start of a cell is longer."""
_LONGEST = 4 << 20
"""Bytes that stand without the end of a row; a marked section that is longer is left for the parser."""
_SECTION, _END_OF_SECTION = b"<![CDATA[", b"]]>"
_MARK = re.compile(rb"<[\w.-]+:(tab|line-break)(?:\s[^<>]*)?(?:/>|>\s*</[\w.-]+:\1\s*>)")
_CHARACTERS = {b"tab": b"&#9;", b"line-break": b"&#10;"}
_CELL = rb"<[\w.-]+:(?:covered-)?table-cell"
_UNTYPED = re.compile(_CELL + rb"(?![^<>]*:[a-z-]{0,20}value[a-z-]{0,20}=)(?=[^<>]*(?<!/)>\s*<[\w.-]+:p[\s>])")
_ERROR = re.compile(
    rb"(" + _CELL + rb"(?=[^<>]*:formula=))([^<>]*)(?=>\s*<[\w.-]+:p>(?:#[A-Z][A-Z0-9/_]*[!?]?|Err:\d+)</)"
)
"""A formula whose shown text is an error: LibreOffice gives it an empty text as its value, OpenOffice the number 0."""
_VALUE = re.compile(rb"""\s[\w.-]+:[a-z-]{0,20}value[a-z-]{0,20}=(?:"[^"]*"|'[^']*')""")
_TYPED = b' office:value-type="string"'
_SIGNS = (b":tab/", b":tab ", b":tab>", b":line-break", b":p>#", b":p>Err:", _SECTION)


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
            if any(sign in joined for sign in _SIGNS) or _UNTYPED.search(joined):
                return True
            tail = block[-_TAIL:]
    return False


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The part in pieces that end where a row does: no mark and no cell goes over such an end."""
    rest = b""
    while block := stream.read(_BLOCK):
        rest += block
        end = rest.rfind(b":table-row>")
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
    return b"".join([_outside(first), *map(_section, sections)])


def _outside(text: bytes) -> bytes:
    """What stands outside of marked sections."""
    return _ERROR.sub(_shown, _UNTYPED.sub(_typed, _MARK.sub(_character, text)))


def _section(begun: bytes) -> bytes:
    """What follows the begin of a marked section: its text, and what comes after it."""
    text, end, after = begun.partition(_END_OF_SECTION)
    if not end:
        return _SECTION + begun
    for sign, name in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;")):
        text = text.replace(sign, name)
    return text + _outside(after)


def _character(mark: re.Match[bytes]) -> bytes:
    return _CHARACTERS[mark[1]]


def _typed(cell: re.Match[bytes]) -> bytes:
    return cell[0] + _TYPED


def _shown(cell: re.Match[bytes]) -> bytes:
    """The start of a cell that shows an error, as one of text: its value is none."""
    return cell[1] + _TYPED + _VALUE.sub(b"", cell[2])
