"""The containers in which a value can hide: archives, compressed streams, Parquet, SQLite. What is in them as bytes.

`members(data)` opens data that is a container as a whole, `embedded(data)` what begins anywhere in it. What is looked
for, and which texts the bytes are, is not known here. What cannot be opened to its end is told, not left out.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import pyarrow as pa

LARGEST = 256 << 20
"""Bytes that one container may unfold to: more is a bomb, or no container that this house writes."""
_BLOCK = 1 << 20
_ENDING_BLOCKS = (_BLOCK, 1 << 10, 1)
_EMBEDDED = re.compile(
    rb"\x1f\x8b\x08|x[\x01\x5e\x9c\xda]|PK\x03\x04|\x28\xb5\x2f\xfd|BZh[1-9]|\xfd7zXZ\x00|\x04\x22\x4d\x18|\xff\x06\x00\x00sNaPpY"
)
_PAGE = re.compile(rb"\x15[\x00\x04\x06]\x15([\x80-\xff]{0,4}[\x00-\x7f])\x15([\x80-\xff]{0,4}[\x00-\x7f])")
_PAGE_CODECS = ("lz4_raw", "snappy", "zstd", "gzip", "brotli")
_LONGEST_HEADER = 64
"""Bytes of a page's header behind its sizes; this house writes no statistics into them."""
_UNREADABLE = (
    pa.ArrowException,
    sqlite3.Error,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    NotImplementedError,
    RuntimeError,
)


def members(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """The kind of container that `data` is, with each member; None for one that could not be read. Nothing: it is none.

    A Parquet file that was torn has no footer: its pages are unpacked one after the other.
    """
    opened = _opener(data)
    if opened is None:
        return
    kind, opener = opened
    try:
        for member in opener(data):
            yield kind, member
    except _UNREADABLE:
        yield kind, None


def _opener(data: bytes) -> tuple[str, Callable[[bytes], Iterator[bytes | None]]] | None:
    if data[:4] == b"PAR1":
        return ("parquet", _of_parquet) if data[-4:] == b"PAR1" else ("torn parquet", _of_pages)
    if data[:16] == b"SQLite format 3\x00":
        return "sqlite", _of_sqlite
    if data[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(data)):
        return "zip", _of_zip
    return None


def embedded(data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Compressed streams that begin anywhere in it: their kind, what comes out, and whether that is all."""
    for found in _EMBEDDED.finditer(data):
        sign = found.group()
        kind, unfold = next(known for magic, known in _UNFOLD.items() if sign.startswith(magic))
        unfolded, whole = unfold(memoryview(data)[found.start() :])
        if unfolded:
            yield kind, unfolded, whole


def _of_parquet(data: bytes) -> Iterator[bytes]:
    """The footer's key-value pairs, statistics included, and every column as text."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(data))
    yield str(file.metadata.to_dict()).encode()
    for key, value in (file.schema_arrow.metadata or {}).items():
        yield key + b"\n" + value
    yield str(file.schema_arrow).encode()
    for batch in file.iter_batches(batch_size=100_000):
        for column in batch.columns:
            yield cells(column)


def cells(column: pa.Array) -> bytes:
    """The cells of a column, one a line: bytes as they are, the rest as Arrow writes it as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return cells(column.dictionary)
    if pa.types.is_struct(kind):
        return b"\n".join(cells(field) for field in column.flatten())
    if pa.types.is_map(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return cells(column.flatten()) if not pa.types.is_map(kind) else cells(column.keys) + cells(column.items)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return b"\n".join(value for value in column.to_pylist() if value is not None)
    return "\n".join(str(value) for value in column.to_pylist() if value is not None).encode("utf-8", "ignore")


def _of_pages(data: bytes) -> Iterator[bytes]:
    """Pages of a Parquet file without its footer, by whichever codec makes the size that their headers tell.

    A header is a Thrift struct in the compact protocol (parquet.thrift, PageHeader): kind, size unpacked, size packed,
    each a zigzag integer behind 0x15, then what the kind of page needs, and a zero at the end.
    """
    for found in _PAGE.finditer(data):
        size, packed = (_zigzag(number) for number in found.groups())
        if 0 < packed <= len(data) - found.end() and size <= LARGEST:
            for start in range(found.end() + 1, min(found.end() + _LONGEST_HEADER, len(data))):
                if data[start - 1] == 0:
                    yield from _unpacked(data[start : start + packed], size)


def _unpacked(page: bytes, size: int) -> Iterator[bytes]:
    for codec in _PAGE_CODECS:
        with suppress(pa.ArrowException, OSError):
            yield pa.Codec(codec).decompress(page, size, asbytes=True)


def _zigzag(number: bytes) -> int:
    value = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(number))
    return value >> 1 ^ -(value & 1)


def _of_sqlite(data: bytes) -> Iterator[bytes]:
    with sqlite3.connect(":memory:") as database:
        database.deserialize(data)
        database.text_factory = bytes
        yield b"\n".join(sql for (sql,) in database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            quoted = name.decode().replace('"', '""')
            for row in database.execute(f'SELECT * FROM "{quoted}"'):  # noqa: S608  # a table's own name, quoted
                yield b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    database.close()


def _of_zip(data: bytes) -> Iterator[bytes | None]:
    """Names, comments and members; xlsx, docx, ods and kmz are zips."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield archive.comment
        for entry in archive.infolist():
            yield f"{entry.filename}\n".encode("utf-8", "ignore") + entry.comment + entry.extra
            yield None if entry.flag_bits & 1 or entry.file_size > LARGEST else archive.read(entry)


def _inflate(data: memoryview, bits: int) -> tuple[bytes, bool]:
    """What comes out before damage, the end of the data, or the limit; whether the limit was not in the way.

    Two bytes are no proof of a compressed stream: a page of zeros after them unfolds into a thousand times its size of
    one pattern. Of such a run only the beginning is kept, and it does not count against the limit.
    """
    engine, out, size = zlib.decompressobj(bits), [], 0
    try:
        for part in (data[:4096], data[4096:]):  # most finds are chance, and end within a few bytes
            block = engine.decompress(part, _BLOCK)
            while block:
                out.append(block[:4096] if _is_one_pattern(block) else block)
                size += len(out[-1])
                if size >= LARGEST:
                    return b"".join(out), False
                block = engine.decompress(engine.unconsumed_tail, _BLOCK)
    except zlib.error:
        pass
    return b"".join(out), True


def _is_one_pattern(block: bytes) -> bool:
    return len(block) == _BLOCK and len(zlib.compress(block, 1)) < _BLOCK // 200


def _of_local_zip(data: memoryview) -> tuple[bytes, bool]:
    """One member of a zip that was cut off or embedded: its local header says how long its names are."""
    if len(data) < 30:
        return b"", True
    method, name, extra = (int.from_bytes(data[at : at + 2], "little") for at in (8, 26, 28))
    names, body = bytes(data[30 : 30 + name]), data[30 + name + extra :]
    if method == zipfile.ZIP_DEFLATED:
        out, whole = _inflate(body, -zlib.MAX_WBITS)
        return names + b"\n" + out, whole
    return names, True  # stored: its bytes are in the stream as they are


def _other(make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor], data: memoryview) -> tuple[bytes, bool]:
    try:
        out = (engine := make()).decompress(data, LARGEST)
    except (OSError, lzma.LZMAError, EOFError):
        return b"", True
    return out, len(out) < LARGEST or engine.eof


def _arrow(codec: str, data: memoryview) -> tuple[bytes, bool]:
    """What follows a frame is an error to Arrow, and the block is lost that it was found with: the last ones are read
    again in smaller blocks. Where a frame was cut off, what came before it is what there is."""
    out = b""
    for size in _ENDING_BLOCKS:
        with (
            suppress(pa.ArrowException, OSError),
            pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), codec) as stream,
        ):
            stream.read(len(out))
            while len(out) < LARGEST and (block := stream.read(size)):
                out += block
            break
    return out, len(out) < LARGEST


def _snappy(data: memoryview) -> tuple[bytes, bool]:
    """Snappy's framing format: chunks of a kind, a length of three bytes and, if it is data, a checksum of four."""
    out, at = b"", 10
    while at + 8 <= len(data) and data[at] in (0, 1) and len(out) < LARGEST:
        end = at + 4 + int.from_bytes(data[at + 1 : at + 4], "little")
        body = data[at + 8 : end]
        try:
            out += _snappy_block(body) if data[at] == 0 else bytes(body)
        except (pa.ArrowException, OSError):
            break  # cut off: what came before it is what there is
        at = end
    return out, len(out) < LARGEST


def _snappy_block(body: memoryview) -> bytes:
    """A block begins with the size of what is in it, seven bits a byte."""
    size = 0
    for place, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    found: bytes = pa.Codec("snappy").decompress(pa.py_buffer(body), min(size, LARGEST), asbytes=True)
    return found


_UNFOLD: dict[bytes, tuple[str, Callable[[memoryview], tuple[bytes, bool]]]] = {
    b"\x1f\x8b": ("gzip", lambda data: _inflate(data, 16 + zlib.MAX_WBITS)),
    b"x": ("zlib", lambda data: _inflate(data, zlib.MAX_WBITS)),
    b"PK": ("zip", _of_local_zip),
    b"\x28\xb5": ("zstd", lambda data: _arrow("zstd", data)),
    b"BZ": ("bzip2", lambda data: _other(bz2.BZ2Decompressor, data)),
    b"\x04\x22": ("lz4", lambda data: _arrow("lz4", data)),
    b"\xff\x06": ("snappy", _snappy),
    b"\xfd7": ("xz", lambda data: _other(lzma.LZMADecompressor, data)),
}
