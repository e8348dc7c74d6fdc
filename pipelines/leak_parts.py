"""Where the files of `homeward leakcheck` hold text beside their table, and no library writes it.

Characteristics of a Stata file, documents and attributes of an SPSS file, extra fields of an archive: each is put into
bytes that are whole without it. What the rows are is in `leak_rows`.
"""

from __future__ import annotations

import struct

from anonymization.leaks.canaries import Canaries

_CHARACTERISTICS = (b"<characteristics>", b"</characteristics>")
_MAP, _PLACES = b"<map>", struct.Struct("<14Q")
_BEHIND = 9
"""Of the places in the map of a .dta, the first that lies behind the characteristics (Stata, `help dta`, 5.3)."""
_NAME = 129
_END_OF_DICTIONARY = struct.pack("<ii", 999, 0)
_LINE = 80


def with_characteristics(dta: bytes, canaries: Canaries) -> bytes:
    """A file of Stata 14 or later with notes on file and variable, and a characteristic called after somebody."""
    called = canaries.name("latin", "name of a characteristic").split()[0]
    notes = [
        ("_dta", "note1", canaries.story("arabic", "note on a file of Stata")),
        ("_dta", called, canaries.name("ethiopic", "characteristic of a file of Stata")),
        ("given", "note1", canaries.story("cyrillic", "note on a variable of Stata")),
    ]
    more = b"".join(_characteristic(*note) for note in notes)
    start, end = (dta.index(tag) for tag in _CHARACTERISTICS)
    written = dta[: start + len(_CHARACTERISTICS[0])] + more + dta[end:]
    at = written.index(_MAP) + len(_MAP)
    places = _PLACES.unpack_from(written, at)
    moved = [place + len(more) * (number >= _BEHIND) for number, place in enumerate(places)]
    return written[:at] + _PLACES.pack(*moved) + written[at + _PLACES.size :]


def _characteristic(variable: str, name: str, text: str) -> bytes:
    body = b"".join(part.encode()[: _NAME - 1].ljust(_NAME, b"\0") for part in (variable, name)) + text.encode() + b"\0"
    return b"<ch>" + struct.pack("<I", len(body)) + body + b"</ch>"


def with_records(sav: bytes, canaries: Canaries) -> bytes:
    """A file of SPSS with a document, attributes of the file and of a variable, and a set of several answers."""
    lines = [canaries.story(script, "document of SPSS") for script in ("latin", "persian")]
    document = struct.pack("<ii", 6, len(lines))
    document += b"".join(line.encode()[:_LINE].decode("utf-8", "ignore").encode().ljust(_LINE) for line in lines)
    called = canaries.name("latin", "name of an attribute of SPSS").split()[0]
    label = canaries.name("cyrillic", "label of a set of SPSS")
    records = [
        (7, f"$several=C {len(label.encode())} {label} sex age\n"),
        (17, f"{called}('{canaries.name('arabic', 'attribute of a file of SPSS')}'\n)\n"),
        (18, f"sex:{called}('{canaries.name('bengali', 'attribute of a variable of SPSS')}'\n)\n"),
    ]
    more = b"".join(struct.pack("<iiii", 7, kind, 1, len(text.encode())) + text.encode() for kind, text in records)
    end = sav.index(_END_OF_DICTIONARY)
    return sav[:end] + document + more + sav[end:]


def extra_field(canaries: Canaries) -> bytes:
    """Of a member of an archive: a second name of the file, as some packers write it (APPNOTE.TXT, 4.6.9)."""
    text = canaries.name("latin", "extra field of an archive").encode()
    return struct.pack("<HH", 0x7075, len(text)) + text
