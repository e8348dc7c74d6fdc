"""Attachments of a form on a server: none unless declared, whole or not at all, and the token stays with the server."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kobo_api_double import TOKEN, Answering, KoboServer, cut_file, serving, status, whole_again
from small_kobo import HASTY, InMemory, declared, read, swept
from small_sources import issues, table

from codebook.errors import BadDefinition, HomewardError, Unavailable
from codebook.reading import Lines
from connectors import Unfinished, attached_to, sweep, without_rows
from connectors.kobo.api import Server
from connectors.kobo.attachments import fetched
from sources.batches import PlainFile
from sources.checks import check_declaration

FACE = bytes(range(256)) * 4000
MANY = 1024
"""Quarters of a MiB: more than the machine keeps between who writes and who has stopped reading."""
PHOTO = {"type": "image", "name": "photo", "$xpath": "who/photo"}
MAIN = table("main", ["_stable_id"], key=["_stable_id"], attachments=[{"question": "who/photo", "max_mib": 1}])
MEMBERS = table(
    "members",
    ["_submission__stable_id", "_position"],
    key=["_submission__stable_id", "_position"],
    parent={"table": "main", "key": ["_submission__stable_id"]},
    attachments=[{"question": "card"}],
)


@pytest.fixture
def kobo(kobo: KoboServer) -> KoboServer:
    """The second submission has a photo."""
    kobo.content["survey"].append(PHOTO)  # type: ignore[attr-defined]
    kobo.edit(12, who__photo="my face.jpg")
    kobo.attach(12, "who/photo", "my_face.jpg", FACE)
    return kobo


def marks(content: dict[str, bytes], name: str = "main") -> list[dict[str, str]]:
    """What the rows of a table say of their attachments."""
    lines = [json.loads(line) for line in content["submissions.jsonl"].splitlines()]
    rows = [row for line in lines for row in line.get(name, [])]
    return [{path: told for path, told in row.items() if path.startswith("@")} for row in rows]


def mark(uid: str, content: bytes) -> str:
    return f"{uid} {hashlib.sha256(content).hexdigest()}"


def took(url: str, *tables: dict[str, Any]) -> tuple[InMemory, dict[str, bytes]]:
    kept = InMemory()
    return kept, swept(url, *(tables or (MAIN,)), kept=kept)


def test_a_declared_attachment_comes_whole_and_its_row_says_which(url: str, kobo: KoboServer) -> None:
    kept, content = took(url)
    assert kept.attachments.bytes == {"att0": FACE}
    assert marks(content) == [{}, {"@who/photo": mark("att0", FACE)}, {}]
    assert b"my face" not in content["submissions.jsonl"]
    assert "elsewhere" not in repr(kobo.asked)


def test_what_is_not_declared_is_not_asked_for(url: str, kobo: KoboServer) -> None:
    kept, _ = took(url, table("main", ["_stable_id", {"name": "photo", "class": "ignore"}], key=["_stable_id"]))
    assert not kept.attachments.bytes
    assert not [path for path, _ in kobo.asked if "attachments" in path]


def test_parts_of_a_repeat_keep_their_own(url: str, kobo: KoboServer) -> None:
    """Two parts that name their files alike are told apart by their place."""
    members = [{"members/card": "card.jpg"}, {"members/card": "card.jpg"}]
    kobo.edit(15, members=members)
    for number, content in ((2, b"second"), (1, b"first")):
        kobo.attach(15, f"members[{number}]/card", "card.jpg", content)
    _, content = took(url, MAIN, MEMBERS)
    said = marks(content, "members")
    assert said[-2:] == [{"@members/card": mark("att2", b"first")}, {"@members/card": mark("att1", b"second")}]


def test_an_old_server_names_files_only(url: str, kobo: KoboServer) -> None:
    kobo.submissions[12]["_attachments"] = []
    kobo.attach(12, "", "my_face.jpg", b"old", question_xpath=None, media_file_basename=None, uid=None, id=46493730)
    kobo.files["46493730"] = b"old"
    assert marks(took(url)[1])[1] == {"@who/photo": mark("46493730", b"old")}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda kobo: kobo.files.clear(), "gone"),
        (lambda kobo: kobo.submissions[12]["_attachments"][0].update(is_deleted=True), "gone"),
        (lambda kobo: kobo.submissions[12].update(_attachments=[]), "gone"),
        (lambda kobo: kobo.files.update(att0=bytes((1 << 20) + 1)), "too_large"),
        (lambda kobo: kobo.attach(12, "who/photo", "my_face.jpg", b"another"), "unclear"),
    ],
    ids=["missing", "deleted", "unlisted", "too large", "two of them"],
)
def test_one_that_cannot_be_had_is_said_of_its_row(
    url: str, kobo: KoboServer, tmp_path: Path, spoil: Callable[[KoboServer], Any], why: str
) -> None:
    spoil(kobo)
    kept, content = took(url)
    assert marks(content)[1] == {"@who/photo": why}
    assert not kept.attachments.bytes
    opened = read(content, url, tmp_path, MAIN)
    list(opened.batches("main"))
    assert issues(opened) == [(2, None, "read.attachment_not_fetched", "query")]


@pytest.mark.parametrize(
    "faults",
    [
        [cut_file(400_000)],
        [cut_file(400_000), cut_file(100_000), status(502)],
        [cut_file(99_000), whole_again],
        [status(503)],
    ],
    ids=["once", "again and again", "without ranges", "before it begins"],
)
def test_a_download_that_is_cut_goes_on(url: str, kobo: KoboServer, faults: list[Any]) -> None:
    kobo.file_faults = faults
    assert took(url)[0].attachments.bytes == {"att0": FACE}


def test_it_goes_on_from_the_byte_where_it_was_cut(url: str, kobo: KoboServer) -> None:
    kobo.file_faults = [cut_file(400_000)]
    took(url)
    ((_, start),) = kobo.resumed
    assert 0 < start <= 400_000


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([cut_file(0)] * 3, "does not answer"),
        ([status(403)], "shows no such form"),
        ([status(401)], "refuses the token"),
        ([status(500)] * 3, "status 500"),
        ([status(302, Location="http://127.0.0.1:1/")], "redirects to another address"),
        ([cut_file(100_000), lambda to: to.kobo.files.update(att0=b"x" * len(FACE)) or whole_again(to)], "was changed"),
        ([lambda to: to.say(206, b"other part", Content_Range="bytes 9-18/19") or True], "another part of a file"),
    ],
    ids=["cut", "forbidden", "token", "broken", "redirect", "changed", "range"],
)
def test_what_does_not_pass_is_one_line(url: str, kobo: KoboServer, faults: list[Any], says: str) -> None:
    kobo.file_faults = faults
    kept = InMemory()
    with pytest.raises(HomewardError, match=says) as caught:
        swept(url, MAIN, kept=kept)
    assert not kept.attachments.bytes
    assert not kept.pages
    told = "".join(traceback.format_exception(caught.value))
    assert not [word for word in (TOKEN, "secret-of-the-server", "my face", "127.0.0.1:1/") if word in told]


def test_the_token_never_follows_a_redirect(url: str, kobo: KoboServer) -> None:
    other = KoboServer([])
    with serving(other) as elsewhere:
        kobo.file_faults = [status(307, Location=f"{elsewhere}/file")]
        with pytest.raises(HomewardError, match="which the token must not follow"):
            took(url)
    assert not other.asked


def test_a_large_one_is_not_downloaded_to_be_thrown_away(url: str, kobo: KoboServer) -> None:
    sent: list[int] = []

    def endless(to: Answering) -> bool:
        """A body without a length, as a proxy that packs anew sends it."""
        to.protocol_version = "HTTP/1.1"
        to.send_response(200)
        to.send_header("Transfer-Encoding", "chunked")
        to.end_headers()
        try:
            for _ in range(MANY):
                to.wfile.write(b"40000\r\n" + bytes(1 << 18) + b"\r\n")
                sent.append(1)
        except OSError:
            pass
        to.close_connection = True
        return True

    kobo.file_faults = [endless]
    assert marks(took(url)[1])[1] == {"@who/photo": "too_large"}
    assert len(sent) < MANY


def test_what_lies_there_is_not_fetched_again(url: str, kobo: KoboServer) -> None:
    kept, once = took(url)
    kobo.asked.clear()
    kept.clear()
    assert swept(url, MAIN, kept=kept) == once
    assert not [path for path, _ in kobo.asked if "attachments" in path]


def test_a_sweep_that_must_stop_goes_on_within_a_page(url: str, kobo: KoboServer) -> None:
    kobo.edit(15, who__photo="b.jpg")
    kobo.attach(15, "who/photo", "b.jpg", b"second")
    kept = InMemory()
    with pytest.raises(Unfinished):
        list(sweep(declared(url, MAIN), TOKEN, kept, HASTY, until=time.monotonic()))
    kobo.file_faults = [None, status(500), status(500), status(500)]
    with pytest.raises(Unavailable):
        swept(url, MAIN, kept=kept)
    assert list(kept.attachments.bytes) == ["att0"]
    kobo.asked.clear()
    swept(url, MAIN, kept=kept)
    assert [path for path, _ in kobo.asked if "att0" in path] == []


def test_rows_that_are_left_out_take_their_attachments_along(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    """One that another row has as well stays."""
    for number, content in ((11, FACE), (15, b"own")):
        kobo.edit(number, who__photo="f.jpg")
        kobo.attach(number, "who/photo", "f.jpg", content)
    _, content = took(url)
    (tmp_path / "submissions.jsonl").write_bytes(content["submissions.jsonl"])
    files = [PlainFile(tmp_path / "submissions.jsonl")]
    source = declared(url, MAIN)
    assert attached_to(files, source, {"main": [2, 3]}) == {hashlib.sha256(b"own").hexdigest()}
    made = without_rows(files, source, {"main": [2, 3]})
    assert made is not None
    (tmp_path / "new").write_bytes(b"".join(made[0]))
    assert list(fetched(PlainFile(tmp_path / "new"))) == ["att1"]
    assert (tmp_path / "new").read_bytes().count(b"\n") == 3


@pytest.mark.parametrize(
    ("attachments", "says"),
    [
        ([{"question": "photo"}, {"question": "photo"}], "declared twice"),
        ([{"question": "face"}], "names an attachment's file and is plain"),
    ],
)
def test_a_files_name_does_not_pass(url: str, attachments: list[dict[str, Any]], says: str) -> None:
    source = declared(url, table("main", ["_id", "face"], key=["_id"], attachments=attachments))
    with pytest.raises(BadDefinition, match=says):
        check_declaration(source, Lines(Path("source.yaml")), ["reintegration_statistics"])


def test_nothing_of_a_server_shows_in_its_repr(url: str) -> None:
    server = Server(declared(url).format, TOKEN)  # type: ignore[arg-type]
    assert repr(server) == "Server(...)"
    server.close()
