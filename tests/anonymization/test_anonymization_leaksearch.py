"""The search for canaries finds what is there, in every form: each test leaks on purpose."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import pickle
import quopri
import sqlite3
import tarfile
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from email.header import Header
from html.entities import codepoint2name
from pathlib import Path
from typing import Literal

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from anonymization.leaks.canaries import FIRST_YEARS, SCRIPTS, Canaries, Canary
from anonymization.leaks.search import Leak, LeakSearch

MADE = Canaries(seed=20261122)
NAMES = {script: MADE.name(script) for script in SCRIPTS}
NUMBERS = {script: MADE.number(script) for script in SCRIPTS}
PHONE, EMAIL, GPS, BORN = MADE.phone("arabic"), MADE.email(), MADE.gps(), MADE.birth_date("%d/%m/%Y")
DEGREES, LATITUDE = MADE.gps_in_degrees(), MADE.latitude()
PASSPORT, PAGE = MADE.passport_lines(), MADE.page()
BORN_THERE = [MADE.birth_date_in(calendar) for calendar in FIRST_YEARS]
OTHERS = [*NUMBERS.values(), PHONE, EMAIL, GPS, BORN, DEGREES, LATITUDE, PASSPORT, PAGE, *BORN_THERE]


SEARCH = LeakSearch(MADE)
"""Which knows after the first text what it looks for: in the tests that takes as long as looking."""


def found(data: bytes | str, place: str = "here") -> list[Leak]:
    SEARCH.leaks = []
    SEARCH.look(data, "a sink", place)
    return SEARCH.leaks


def around(secret: str) -> str:
    return f'{{"row": 17, "value": "{secret}", "rule": "map.unknown_code"}}\n'


def xlsx(text: str) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.create_sheet().append(["row", text])
    book.save(out)
    return out.getvalue()


def xlsx_with_texts_in_cells(text: str) -> bytes:
    """As this house writes them: no strings that cells share."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        book.add_worksheet().write_string(0, 0, text)
    return out.getvalue()


def arrow(text: str, codec: str) -> bytes:
    out, table = io.BytesIO(), pa.table({"a": [text] * 50})
    with pa.ipc.new_file(out, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as file:
        file.write(table)
    return out.getvalue()


def zipped(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/rows.txt", text)
    return out.getvalue()


def parquet(text: str, codec: str = "zstd") -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([text] * 3).dictionary_encode()}), out, compression=codec)
    return out.getvalue()


def snappy_frame(data: bytes) -> bytes:
    """One chunk of compressed data: its kind, its length, a checksum that nobody looks at."""
    body = b"\0\0\0\0" + bytes(pa.Codec("snappy").compress(data, asbytes=True))
    return b"\0" + len(body).to_bytes(3, "little") + body


def tarred(text: str, mode: Literal["w", "w:gz", "w:xz"]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        info = tarfile.TarInfo("inner/rows.txt")
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def database_named(text: str) -> bytes:
    with sqlite3.connect(":memory:") as made:
        made.execute('CREATE TABLE "{}" (body text)'.format(text.replace('"', "'")))
        return made.serialize()


def footer(text: str) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"made from": text}), out)
    return out.getvalue()


def database(text: str) -> bytes:
    with sqlite3.connect(":memory:") as made:
        made.execute("CREATE TABLE event (body text)")
        made.execute("INSERT INTO event VALUES (?)", (text,))
        content: bytes = made.serialize()
    return content


FORMS: dict[str, Callable[[str], bytes | str]] = {
    "utf-8": lambda text: text,
    "utf-8 among binary": lambda text: bytes(range(256)) * 4 + text.encode() + b"\xff\xfe\x00" * 9,
    "utf-16-le": lambda text: b"\x07" + text.encode("utf-16-le"),
    "utf-16-be": lambda text: b"\x07" + text.encode("utf-16-be"),
    "utf-16 with mark": lambda text: text.encode("utf-16"),
    "utf-32-le": lambda text: b"\x01\x02\x03" + text.encode("utf-32-le"),
    "utf-32-be": lambda text: text.encode("utf-32-be"),
    "numpy": lambda text: np.array([text]).tobytes(),
    "json": lambda text: json.dumps({"a": [text]}),
    "json in json": lambda text: json.dumps({"b": json.dumps({"a": [text]})}),
    "python escapes": ascii,
    "bytes as python shows them": lambda text: repr(text.encode()),
    "octal": lambda text: "".join(f"\\{byte:03o}" if byte > 126 else chr(byte) for byte in text.encode()),
    "braces": lambda text: "".join(f"\\u{{{ord(sign):x}}}" for sign in text),
    "base64": lambda text: "id=" + base64.b64encode(text.encode()).decode(),
    "base64, second alignment": lambda text: base64.b64encode(b"x" + text.encode()),
    "base64, third alignment": lambda text: base64.b64encode(b"xy" + text.encode()),
    "base64 after letters": lambda text: b"data" + b"Q" + base64.b64encode(text.encode()),
    "base64 in lines": lambda text: base64.encodebytes(b"." * 60 + text.encode()),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(b"\xff\xfe\xfb" + text.encode()).rstrip(b"="),
    "base64 of utf-16": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "hex": lambda text: "\\x" + text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "hex, odd start": lambda text: "a" + text.encode().hex(),
    "hex with blanks": lambda text: text.encode().hex(" "),
    "hex as C writes it": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "URL": lambda text: "https://localhost/?q=" + urllib.parse.quote(text),
    "URL of a form": lambda text: urllib.parse.urlencode({"q": text}),
    "URL, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()),
    "HTML entities": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace"),
    "HTML, all decimal": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "HTML, all hexadecimal": lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
    "HTML, named": lambda text: "".join(f"&{_named(sign)};" if _named(sign) else sign for sign in text),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip in the middle": lambda text: b"\x00head" + gzip.compress(text.encode()) + b"tail",
    "gzip, cut off": lambda text: gzip.compress(text.encode() + bytes(range(256)) * 99)[:-40],
    "zlib": lambda text: b"##" + zlib.compress(text.encode()),
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "zip": zipped,
    "zip, cut off": lambda text: zipped(text)[:-30],
    "zip in gzip": lambda text: gzip.compress(zipped(text)),
    "gzip in base64 in json": lambda text: json.dumps([base64.b64encode(gzip.compress(text.encode())).decode()]),
    "xlsx": xlsx,
    "parquet": parquet,
    "parquet footer": footer,
    "sqlite": database,
    "sqlite, a name of a table": database_named,
    "base32": lambda text: "id=" + base64.b32encode(text.encode()).decode(),
    "base32 in small letters": lambda text: base64.b32encode(b"xyz" + text.encode()).decode().lower(),
    "ascii85": lambda text: b"stream " + base64.a85encode(text.encode(), adobe=True),
    "zstd": lambda text: pa.Codec("zstd").compress(text.encode(), asbytes=True),
    "lz4": lambda text: b"head" + pa.Codec("lz4").compress(text.encode() * 3, asbytes=True),
    "zstd in the middle": lambda text: b"head" + pa.Codec("zstd").compress(text.encode(), asbytes=True) + b"tail" * 99,
    "lz4 in the middle": lambda text: b"\x00" + pa.Codec("lz4").compress(text.encode() * 3, asbytes=True) + b"\xff" * 9,
    "arrow, zstd": lambda text: arrow(text, "zstd"),
    "arrow, lz4": lambda text: arrow(text, "lz4"),
    "xlsx, texts in cells": xlsx_with_texts_in_cells,
    "snappy frames": lambda text: b"\xff\x06\x00\x00sNaPpY" + snappy_frame(text.encode() * 3),
    "parquet, snappy": lambda text: parquet(text, codec="snappy"),
    "parquet, brotli": lambda text: parquet(text, codec="brotli"),
    "parquet, lz4": lambda text: parquet(text, codec="lz4"),
    "torn parquet, lz4": lambda text: parquet(text, codec="lz4")[:-200],
    "torn parquet, brotli": lambda text: parquet(text, codec="brotli")[:-200],
    "tar": lambda text: tarred(text, "w"),
    "tar in gzip": lambda text: tarred(text, "w:gz"),
    "tar in xz": lambda text: tarred(text, "w:xz"),
    "URL, twice": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "JavaScript": lambda text: "".join(f"%u{ord(sign):04X}" if ord(sign) > 126 else sign for sign in text),
    "Office Open XML": lambda text: "".join(f"_x{ord(sign):04X}_" if ord(sign) > 126 else sign for sign in text),
    "HTML entities in JSON": lambda text: json.dumps([text.encode("ascii", "xmlcharrefreplace").decode()]),
    "words of a mail header": lambda text: str(Header(text, "utf-8")),
    "pickle": lambda text: pickle.dumps({"a": [text]}),
    "pickle 0": lambda text: pickle.dumps([text], protocol=0),
    "pickled frame": lambda text: pickle.dumps(pd.DataFrame({"a": [text]})),
    "pickled error in hex": lambda text: pickle.dumps(ValueError(text)).hex(),
    "upper case": str.upper,
    "casefolded": str.casefold,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "NFKC": lambda text: unicodedata.normalize("NFKC", text),
    "full width": lambda text: "".join(chr(ord(s) + 0xFEE0) if "!" <= s <= "~" else s for s in text),
    "with marks of direction": "\u200f".join,
}  # fmt: skip


def _named(sign: str) -> str:
    return codepoint2name.get(ord(sign), "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_of_every_script_is_found_in_every_form(form: str, script: str) -> None:
    assert any(leak.canary == f"name, {script}" for leak in found(FORMS[form](around(NAMES[script]))))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", OTHERS)
def test_numbers_contacts_places_and_dates_are_found_in_every_form(form: str, secret: str) -> None:
    assert found(FORMS[form](around(secret))), form


@pytest.mark.parametrize("page", ["cp1252", "mac-roman", "cp1256", "iso8859-6", "cp1251", "koi8-r"])
def test_a_name_in_an_old_code_page_is_found(page: str) -> None:
    script = {"cp1252": "latin", "mac-roman": "latin", "cp1251": "cyrillic", "koi8-r": "cyrillic"}.get(page, "arabic")
    assert any(page in leak.form for leak in found(around(NAMES[script]).encode(page)))


def test_one_word_of_a_name_is_enough() -> None:
    for name in NAMES.values():
        for word in name.split():
            assert found(f"duplicate key ({word}) exists")


def test_letters_without_their_accents_and_other_forms_of_a_letter_are_found() -> None:
    bare = "".join(s for s in unicodedata.normalize("NFD", NAMES["latin"]) if not unicodedata.combining(s))
    assert found(bare)
    assert found(NAMES["persian"].replace("ی", "ي").replace("ک", "ك"))


def test_a_number_is_found_however_it_is_written() -> None:
    plain = next(canary for canary in MADE if canary.kind == "phone").marks[0]
    for written in (
        plain,
        f"00964{plain}",
        f"(0{plain[:3]}) {plain[3:6]}-{plain[6:]}",
        f"+964.{plain[:3]}.{plain[3:]}",
        " ".join(plain[at : at + 2] for at in range(0, 10, 2)),
        "\u00a0".join(plain[at : at + 3] for at in range(0, 10, 3)),
        f"{plain[:3]}\u2011{plain[3:6]}\u2011{plain[6:]}",
        f"{int(plain):,}",
        f"{int(plain):_}",
        f"{int(plain):,}".replace(",", "'"),
        f"{float(plain):.9e}",
        f"{int(plain)}.0",
    ):
        assert found(f"a,{written},b"), "a separator was in the way"


def test_a_date_is_found_in_the_orders_in_which_libraries_write_it() -> None:
    canary = next(canary for canary in MADE if canary.kind == "birth date")
    assert len(canary.marks) == 7
    for mark in canary.marks:
        assert found(f"({mark} 00:00:00)")


def test_a_date_of_another_calendar_is_found_as_the_day_that_it_is_in_ours() -> None:
    made = Canaries(seed=1)
    made.birth_date_in("ethiopian")
    (canary,) = made
    days = {mark for mark in canary.marks if mark[:4].isdigit() and mark[4] == "-"}
    years = sorted(int(day[:4]) for day in days)
    assert years[1] - years[0] in (7, 8)
    search = LeakSearch(made)
    search.look(max(days), "a sink", "here")
    assert search.leaks


def test_a_date_of_a_parquet_column_is_found() -> None:
    out = io.BytesIO()
    born = pd.to_datetime(BORN, format="%d/%m/%Y")
    pq.write_table(pa.table({"born": pa.array([born], pa.date32())}), out)
    assert found(out.getvalue())


def test_what_is_not_there_is_not_found() -> None:
    for form in FORMS.values():
        assert found(form(around("Xochitl Quetzal 04567890-3, +964 750 123 4567"))) == []


def test_times_of_day_and_groups_of_numbers_are_not_taken_for_places_and_days() -> None:
    """One in a hundred million times ends like a coordinate, and a log has ten thousands of them."""
    made = Canaries(seed=1)
    north, east = made.gps().split()[:2]
    day = made.birth_date("%Y%m%d")
    search = LeakSearch([*made, Canary("phone", "latin", "7265173251", ("7265173251",))])
    search.look('{"timestamp": 1795377726.5173251, "step_key": null}', "a log", "here")
    search.look(f'"timestamp": 17638229{north}, 17638229{east}', "a log", "here")
    search.look(f"{day[:3]} {day[3:6]} {day[6:]}1 5", "a log", "here")
    search.look(f"c3{day}9f04e1, \\x{day}00a1b2c3d4, 1{day}2, 0.{day}7", "keys", "here")
    search.look(f'{{"\\\\x0026cb5b3c0aa{day}dc4a9a71fbf6"}}', "keys", "here")
    search.look(f"\\x9a26cb5b3c0aa{day}dc4a9a71fbf6 \\x5026cb5b3c0aa{day}dc4a9a71fbf6", "keys", "here")
    assert search.leaks == []
    search.look(f'"place": [{north}, {east}], "day": {day}', "a log", "there")
    assert len(search.leaks) == 2


@pytest.mark.parametrize(
    ("after", "is_it"), [("", 1), ("7", 1), ("51", 1), ("5000000001", 1), ("99999997", 1), ("5714", 0)]
)
def test_a_place_is_found_as_people_and_machines_write_it_and_not_as_the_beginning_of_a_share(
    after: str, is_it: int
) -> None:
    search = LeakSearch([Canary("GPS", "latin", "13.692941", ("13.692941",))])
    search.look(f"[13.692941{after}, -89.2]", "a sink", "here")
    search.look(f"[13,692941{after}]", "a sink", "there")
    assert len(search.leaks) == 2 * is_it


@pytest.mark.parametrize("around_it", ["{}", "born{}", "{}000000", "({}T101500Z)", "of {}.csv", "{}-1234567"])
def test_a_day_of_eight_digits_is_found_beside_letters_and_before_a_time(around_it: str) -> None:
    made = Canaries(seed=1)
    day = made.birth_date("%Y%m%d")
    search = LeakSearch(made)
    search.look(around_it.format(day), "a sink", "here")
    assert [leak.canary for leak in search.leaks] == ["birth date, latin"]


def test_a_file_is_told_by_place_and_its_name_is_searched(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "rows.log").write_text(around(NAMES["ethiopic"]))
    (tmp_path / f"{NAMES['cyrillic']}.csv").write_text(around(EMAIL))
    search = LeakSearch(MADE)
    search.look_at_folder(tmp_path, "folder")
    assert {(leak.sink, leak.place, leak.canary) for leak in search.leaks} == {
        ("folder", "plain/rows.log", "name, ethiopic"),
        ("folder", "(a name that holds a canary)", "e-mail, latin"),
        ("folder: names", "(a name that holds a canary)", "name, cyrillic"),
    }


def test_the_same_content_is_told_wherever_it_lies() -> None:
    search = LeakSearch(MADE)
    content = gzip.compress(around(NAMES["latin"]).encode())
    for sink, place in (("store", "one"), ("store", "two"), ("outbox", "one")):
        search.look(content, sink, place)
    assert {(leak.sink, leak.place) for leak in search.leaks} == {("store", "one"), ("store", "two"), ("outbox", "one")}
    assert search.streams == {"store": 2, "outbox": 1}


def test_no_leak_shows_the_value_that_leaked() -> None:
    leaks = [
        leak for form in FORMS.values() for name in NAMES.values() for leak in found(form(around(name)), place=name)
    ]
    assert leaks
    shown = repr(leaks) + repr(list(MADE))
    assert not any(mark in shown for canary in MADE for mark in canary.marks)


def test_what_could_not_be_searched_is_told() -> None:
    secret = around(NAMES["latin"])
    for _ in range(9):
        secret = base64.b64encode(secret.encode()).decode()
    search = LeakSearch(MADE)
    search.look(secret, "a sink", "a place")
    search.look(secret, "a sink", "another place")
    assert search.leaks == []
    assert {(unread.sink, unread.place) for unread in search.unread} == {
        ("a sink", "a place"),
        ("a sink", "another place"),
    }


def test_two_sets_of_canaries_have_nothing_in_common() -> None:
    one, other = Canaries(), Canaries()
    for made in (one, other):
        for script in SCRIPTS:
            made.name(script)
            made.number(script)
            made.story(script)
    search = LeakSearch(one)
    search.look("\n".join(canary.text for canary in other), "a sink", "here")
    assert search.leaks == []
