"""Every bad file through the real command line: one line, exit 2, within seconds and with bounded memory.

Memory is bounded by the kernel here: the command, and each process that it starts, has so much of it and no more.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from codebook.errors import Refused
from pipelines.cli import app

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 150
"""On an idle machine each takes one or two, with eight others on its two cores up to thirteen."""
MEMORY = 4 << 30
"""Address space, of which the libraries alone map one and a half GiB."""
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def xlsx(sheet: str, prolog: str = "") -> bytes:
    """A workbook of one sheet, written by hand so that it can be wrong."""
    types = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
    )
    sheets = '<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets>'
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheets}</workbook>'
    relation = (
        '<Relationships xmlns="{0}/relationships"><Relationship Id="r1" Type="{1}/{2}" Target="{3}"/></Relationships>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relation.format(PACKAGE, OFFICE, "officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", book)
        archive.writestr(
            "xl/_rels/workbook.xml.rels", relation.format(PACKAGE, OFFICE, "worksheet", "worksheets/sheet1.xml")
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'{prolog}<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>',
        )
    return out.getvalue()


def swollen_xlsx() -> bytes:
    """A workbook whose directory says that it unpacks to six gigabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            archive.writestr(name, b"<a/>")
        for member in archive.filelist[1:]:
            member.file_size = 3 << 30
    return out.getvalue()


def rows_of(cell: str) -> str:
    text = '<c r="{0}{1}" t="inlineStr"><is><t>{2}</t></is></c>'
    header = "".join(text.format(column, 1, name) for column, name in (("A", "id"), ("B", "q")))
    return f'<row r="1">{header}</row><row r="2">{text.format("A", 2, "7")}{cell}</row>'


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
ENTITY = '<c r="B2" t="inlineStr"><is><t>&a;</t></is></c>'
FAR = rows_of('<c r="XFD2"><v>1</v></c>') + "".join(
    f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(3, 3_000)
)
"""One cell far from all others: three thousand rows of sixteen thousand cells, though a dozen kilobytes."""
SPACES = '<text:s text:c="2000000000"/>'
ZEROS = b"\0" * (64 << 20)


def encrypted_xlsx() -> bytes:
    """The head of a compound file whose directory names the stream of a protected workbook ([MS-CFB] 2.2, 2.6)."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0) + b"\xff" * (4 * 108)
    fat = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE) + b"\xff" * (512 - 8)

    def entry(name: str, kind: int, child: int) -> bytes:
        encoded = (name + "\0").encode("utf-16-le")
        told = struct.pack("<HBB", len(encoded), kind, 1) + struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
        return encoded.ljust(64, b"\0") + told + bytes(16 + 4 + 16) + struct.pack("<IQ", 0xFFFFFFFE, 0)

    streams = entry("Root Entry", 5, 1) + entry("EncryptedPackage", 2, 0xFFFFFFFF)
    return header + fat + streams + bytes(256)


def endless_cell(path: Path) -> None:
    """A quotation mark that is opened a gigabyte before the file ends."""
    with path.open("wb") as file:
        file.write(b'id;q\n1;"')
        for _ in range(1024):
            file.write(b"x" * (1 << 20))


STRING = 'office:value-type="string"'


def ods(cells: str) -> bytes:
    """An OpenDocument spreadsheet with a header, and one row of these cells."""
    names = "".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0" ' for n in ("office", "table", "text"))
    header = "".join(f"<table:table-cell {STRING}><text:p>{name}</text:p></table:table-cell>" for name in ("id", "q"))
    rows = f"<table:table-row>{header}</table:table-row>{cells}"
    sheet = f'<table:table table:name="a">{rows}</table:table>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", "<a/>")
        content = f"<office:document-content {names}><office:body><office:spreadsheet>{sheet}"
        archive.writestr("content.xml", content + "</office:spreadsheet></office:body></office:document-content>")
    return out.getvalue()


def repeated(rows: int, columns: int) -> str:
    cell = f'<table:table-cell table:number-columns-repeated="{columns}" {STRING}><text:p>7</text:p></table:table-cell>'
    return f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'


def linked() -> bytes:
    link = zipfile.ZipInfo("x.csv")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/hostname")
    return out.getvalue()


def xform(label: str, prolog: str = "") -> bytes:
    bind = '<bind nodeset="/data/q" type="string"/>'
    model = f"<model><instance><data><id/><q/></data></instance>{bind}</model>"
    body = f'<h:body><input ref="/data/q"><label>{label}</label></input></h:body>'
    spaces = 'xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms"'
    return f"{prolog}<h:html {spaces}><h:head>{model}</h:head>{body}</h:html>".encode()


def long_cell_in_json(path: Path) -> None:
    path.write_bytes(b'[{"id": 1, "q": "' + b"x" * (300 << 20) + b'"}]')


BAD: dict[str, tuple[str, bytes | Callable[[Path], None], str]] = {
    "zip bomb": ("a.zip", zipped("a.csv", ZEROS * 4), "unpacks to too many"),
    "gz bomb": ("a.csv.gz", gzip.compress(ZEROS * 4), "unpacks to too many"),
    "workbook bomb": ("a.xlsx", swollen_xlsx(), "unpacks to more than"),
    "entities that multiply": ("a.xlsx", xlsx(rows_of(ENTITY.replace("&a;", "&j;")), LAUGHS), "entit|document type"),
    "entity from outside": ("a.xlsx", xlsx(rows_of(ENTITY), OUTSIDE), "entit|document type"),
    "path that leads outside": ("a.zip", zipped("../../etc/x.csv", b"a;b\n1;2\n"), "leads outside"),
    "archive in an archive": ("a.zip", zipped("b.zip", zipped("c.csv", b"a;b\n1;2\n")), "archive in the archive"),
    "more columns than a sheet has": ("a.csv", b";".join(b"c%d" % n for n in range(20_000)) + b"\n", "columns"),
    "cell of a gigabyte": ("a.csv", endless_cell, "longer than"),
    "long cell in JSON": ("a.json", long_cell_in_json, "longer than"),
    "NUL bytes": ("a.csv", b"id;q\n1;a\0b\n", "NUL|no text"),
    "password": ("a.xlsx", encrypted_xlsx(), "password"),
    "torn workbook": ("a.xlsx", xlsx(rows_of(ENTITY))[:-40], "damaged|whole"),
    "torn xls": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "workbook"),
    "torn zip": ("a.zip", zipped("a.csv", b"a;b\n1;2\n" * 99)[:-30], "damaged|whole"),
    "torn gz": ("a.csv.gz", gzip.compress(os.urandom(9_000))[:-500], "whole archive"),
    "torn JSON": ("a.json", b'[{"id": 1}, {"id": 2', "breaks off"),
    "torn SPSS": ("a.sav", b"$FL2@(#) SPSS DATA FILE" + bytes(30), ""),
    "torn zsav": ("a.zsav", b"$FL3@(#) SPSS DATA FILE" + bytes(30), ""),
    "torn Stata": ("a.dta", b"<stata_dta><header><release>118</release>", ""),
    "torn SAS": ("a.sas7bdat", bytes(84) + b"SAS FILE" + bytes(300), ""),
    "torn transport file": ("a.xpt", b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!", ""),
    "stray cell in the last column": ("a.xlsx", xlsx(FAR), "far corner|too much memory"),
    "rows that are repeated": ("a.ods", ods(repeated(200_000, 200)), "far corner|too much memory"),
    "spaces that are repeated": (
        "a.ods",
        ods(repeated(1, 2).replace(">7<", f">7{SPACES}<")),
        "far corner|too much memory",
    ),
    "workbook packed too tight": ("a.xlsx", xlsx("<row/>" * 12_000_000), "200 times its size"),
    "absolute path in an archive": ("a.zip", zipped("/etc/x.csv", b"a;b\n1;2\n"), "leads outside"),
    "link in an archive": ("a.zip", linked(), "a link in it"),
    "torn CSV": (
        "a.csv",
        b"id;q;r\n" + b"1;2;3\n" * 9 + b"1;2",
        "breaks off within its last record: row 11 has 2 of 3",
    ),
    "torn JSON lines": ("a.jsonl", b'{"id": 1}\n{"id": 2}\n{"id"', "breaks off"),
    "torn GeoJSON": ("a.geojson", b'{"type": "FeatureCollection", "features": [{"type"', "breaks off"),
    "torn UTF-16": ("a.csv", "id;q\n1;añb\n".encode("utf-16")[:-3], "breaks off|no utf-16"),
    "an open quotation mark": ("a.csv", b'id;q\n1;"a\n2;b\n', "never closed"),
    "XForm": ("a.xml", b'<?xml version="1.0"?><h:html xmlns:h="http://www.w3.org/1999/xhtml"/>', "XML"),
    "empty": ("a.csv", b"", "empty"),
}


BOMBS = frozenset(
    {"zip bomb", "gz bomb", "workbook bomb", "cell of a gigabyte", "long cell in JSON", "rows that are repeated"}
)
"""What could fill the memory is tried in a process whose memory the kernel bounds; others need none of their own."""
FORMS: dict[str, tuple[str, bytes, str]] = {
    "entities that multiply": ("a.xml", xform("&j;", LAUGHS), "a document type or entities"),
    "entity from outside": ("a.xml", xform("&a;", OUTSIDE), "a document type or entities"),
    "elements without end": ("a.xml", xform("<b/>" * 600_000), "more than 500000 elements"),
    "a label nested too deep": ("a.xml", xform("<b>" * 5_000 + "</b>" * 5_000), "more than 200 deep"),
    "torn XForm": ("a.xml", xform("Q")[:-40], "damaged or cut off"),
    "torn XLSForm": ("a.xlsx", xlsx(rows_of(ENTITY))[:-40], "no whole Excel workbook"),
    "torn asset": ("a.json", b'{"content": {"survey": [{"type"', "no JSON"),
    "asset of nothing": ("a.json", b'{"content": {"survey": [' + b"{}," * 6_000_000 + b"{}]}}", "more than 16 MiB"),
}


def profiled(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    bound = ["sh", "-c", f'ulimit -v {MEMORY >> 10}; exec "$@"', "sh"]
    command = [*bound, sys.executable, "-m", "pipelines.cli", "profile", str(path), *more]
    return subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=SECONDS)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert (done.returncode, len(lines)) == (2, 1), done.stdout + done.stderr
    return lines[0]


def refused(path: Path, *more: str) -> str:
    """The same without a process of its own."""
    done = CliRunner().invoke(app, ["profile", str(path), *more])
    assert isinstance(done.exception, Refused), f"{done.output}: {done.exception!r}"
    assert done.exception.__cause__ is None
    assert not done.output.strip()
    return str(done.exception)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    name, content, says = BAD[what]
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    told = one_line(profiled(path)) if what in BOMBS else refused(path)
    assert name in told
    assert re.search(says, told), told
    assert "gave up" not in told
    assert "\n" not in told


@pytest.mark.parametrize("what", FORMS)
def test_a_bad_form_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    name, content, says = FORMS[what]
    (tmp_path / "export.csv").write_bytes(b"id;q\n1;a\n")
    (tmp_path / name).write_bytes(content)
    told = refused(tmp_path / "export.csv", "--form", str(tmp_path / name))
    assert name in told
    assert says in told
    assert "\n" not in told


def test_a_folder_a_link_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id;q\n1;a\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "folder" in one_line(profiled(tmp_path))
    assert "link" in one_line(profiled(tmp_path / "link.csv"))
    assert "pipe" in one_line(profiled(tmp_path / "pipe.csv"))


def test_a_formula_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id;q\n1;\"=cmd|'/c calc'!A0\"\n2;=1+1\n")
    done = profiled(tmp_path / "a.csv", "--json")
    assert (done.returncode, '"type": "text"' in done.stdout) == (0, True)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id;q\n" + b"1;a\n" * 2_000_000)
    stop = threading.Event()

    def write_on() -> None:
        with path.open("ab") as file:
            while not stop.wait(0.05):
                file.write(b"2;b\n")
                file.flush()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        assert "changed while it was read" in one_line(profiled(path))
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_moved_out_of_the_inbox_and_later_uploads_are_taken(
    house: House, tmp_path: Path, kind: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"id;q\n1;a\n")
    upload = house.home / "inbox" / "slv" / "dgme_returns" / "upload Xochitl"
    upload.mkdir(parents=True)
    (upload / "real.csv").write_bytes(b"id;q\n1;a\n")
    match kind:
        case "link":
            (upload / "x.csv").symlink_to(secret)
        case "folder":
            (upload / "x.csv").mkdir()
        case _:
            os.mkfifo(upload / "x.csv")
    for path in upload.iterdir():
        if not path.is_symlink():
            os.utime(path, (time.time() - 60,) * 2)
    later = upload.with_name("upload later.csv")
    later.write_bytes(f"id;q\n1;{kind}\n".encode())
    done = house.homeward("run", "--source", "slv/dgme_returns", expect=2)
    told = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(told) == 2
    assert kind in told[0]
    assert "Xochitl" not in done.stdout + done.stderr, "an upload may be called after somebody"
    assert "columns" in told[1]
    assert not later.exists()
    refused = sorted((upload.parent / ".refused").iterdir(), key=lambda path: path.name)
    moved = [path for path in refused if not path.name.endswith(".why.txt")][-1]
    assert {path.name for path in moved.iterdir()} == {"real.csv", "x.csv"}
    assert kind in moved.with_name(moved.name + ".why.txt").read_text("utf-8")
    assert not upload.exists()
