"""A form on a KoboToolbox server: a sweep is whole or none, the same form makes the same bytes, the token stays."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kobo_api_double import ASSET, TOKEN, KoboServer, cut, hang, html, meanwhile, serving, short, status
from pydantic import ValidationError
from small_sources import rows, source, table

from codebook.errors import HomewardError, Refused, Unavailable
from connectors import open_delivery, sweep
from connectors.kobo.api import Patience, Server
from connectors.kobo.submissions import Flattening, canonical
from sources.batches import PlainFile
from sources.models import KoboServerFormat, Source

HASTY = Patience(attempts=3, first_pause=0.01, longest_pause=2.0, answer=0.5)
SURVEY = [
    {"type": "start", "name": "start", "$xpath": "start"},
    {"type": "begin_group", "name": "who", "$xpath": "who"},
    {"type": "text", "name": "name", "$xpath": "who/name"},
    {"type": "select_multiple", "name": "needs", "$xpath": "who/needs"},
    {"type": "end_group"},
    {"type": "geopoint", "$autoname": "gps"},
    {"type": "note", "name": "thanks"},
    {"type": "begin_repeat", "name": "members", "$xpath": "members"},
    {"type": "text", "name": "name", "$xpath": "members/name"},
    {"type": "begin_repeat", "name": "papers", "$xpath": "members/papers"},
    {"type": "text", "name": "kind", "$xpath": "members/papers/kind"},
    {"type": "end_repeat"},
    {"type": "end_repeat"},
]
MAIN = table("main", ["_stable_id", "who/name", "needs", "gps", "_validation_status"], key=["_stable_id"])
MEMBERS = table(
    "members",
    ["_submission__stable_id", "_position", "name"],
    key=["_submission__stable_id", "_position"],
    parent={"table": "main", "key": ["_submission__stable_id"]},
)
PAPERS = table("papers", ["_submission__id", "_parent_position", "_position", "kind"], key=["_submission__id"])


PATHS = st.sampled_from(
    [
        "_id",
        "who/name",
        "needs",
        "gps",
        "other",
        "meta/rootUuid",
        "_validation_status",
        "members",
        "name",
        "members/papers",
    ]
)
KEPT = {
    "main": {"_stable_id", "who/name", "needs", "gps", "_validation_status"},
    "members": {"_submission__stable_id", "_position", "name", "who/name", "members/name"},
    "papers": {"_submission__id", "_parent_position", "_position", "kind"},
}


class InMemory:
    """Pages of a sweep that a test looks into."""

    def __init__(self) -> None:
        self.pages: list[bytes] = []

    def __len__(self) -> int:
        return len(self.pages)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pages)

    def add(self, page: bytes) -> None:
        self.pages.append(page)

    def clear(self) -> None:
        self.pages = []


def declared(url: str, *tables: dict[str, Any], **more: Any) -> Source:
    format = {"kind": "kobo_server", "url": url, "asset": ASSET, "token_env": "KOBO_TOKEN", "page_size": 100, **more}
    return source(format, *(tables or (MAIN, MEMBERS, PAPERS)))


@pytest.fixture
def kobo() -> KoboServer:
    """Three submissions: one with two members, of whom the second has two papers; one with a validation status."""
    kobo = KoboServer(SURVEY)
    members = [
        {"members/name": "Abel"},
        {"members/name": "Hana", "members/papers": [{"members/papers/kind": "id"}, {"members/papers/kind": "pass"}]},
    ]
    kobo.add(11, who__name="Sara", who__needs="food shelter", gps="9.01 38.76 2355 4.8", members=members)
    kobo.add(12, who__name="Omar")
    kobo.add(15, gps="")
    kobo.submissions[12]["_validation_status"] = {"uid": "validation_status_approved", "label": "Approved"}
    return kobo


@pytest.fixture
def url(kobo: KoboServer) -> Iterator[str]:
    with serving(kobo) as address:
        yield address


@pytest.fixture
def many(kobo: KoboServer) -> KoboServer:
    """250 submissions: three pages of at most 100."""
    kobo.submissions.clear()
    for number in range(1, 251):
        kobo.add(number, who__name=f"N{number}")
    return kobo


def swept(url: str, *tables: dict[str, Any], kept: InMemory | None = None, token: str = TOKEN) -> dict[str, bytes]:
    pages = InMemory() if kept is None else kept
    return {name: b"".join(blocks) for name, blocks in sweep(declared(url, *tables), token, pages, HASTY)}


def read(content: dict[str, bytes], url: str, folder: Path, *tables: dict[str, Any]) -> Any:
    files = []
    for name, body in content.items():
        (folder / name).write_bytes(body)
        files.append(PlainFile(folder / name))
    return open_delivery(files, declared(url, *tables))


def data_requests(kobo: KoboServer) -> list[dict[str, str]]:
    """The queries for pages, without the one for the newest `_id`."""
    return [query for path, query in kobo.asked if path.endswith("/data/") and "fields" not in query]


def names(content: dict[str, bytes]) -> int:
    return content["submissions.jsonl"].count(b'"who/name"')


def test_submissions_and_repeats_read_as_tables(url: str, tmp_path: Path) -> None:
    opened = read(swept(url), url, tmp_path)
    blank = {"who/name": None, "needs": None, "gps": None, "_validation_status": None}
    assert rows(opened, "main") == [
        {**blank, "row": 1, "_stable_id": "root:r-11", "who/name": "Sara", "needs": "food shelter",
         "gps": "9.01 38.76 2355 4.8"},
        {**blank, "row": 2, "_stable_id": "root:r-12", "who/name": "Omar",
         "_validation_status": "validation_status_approved"},
        {**blank, "row": 3, "_stable_id": "root:r-15"},
    ]  # fmt: skip
    assert rows(opened, "members") == [
        {"row": 1, "_submission__stable_id": "root:r-11", "_position": "1", "name": "Abel"},
        {"row": 2, "_submission__stable_id": "root:r-11", "_position": "2", "name": "Hana"},
    ]
    assert rows(opened, "papers") == [
        {"row": 1, "_submission__id": "11", "_parent_position": "2", "_position": "2/1", "kind": "id"},
        {"row": 2, "_submission__id": "11", "_parent_position": "2", "_position": "2/2", "kind": "pass"},
    ]
    assert opened.facts["form_version"] == "vFirst"


def test_a_question_that_nobody_answered_is_a_blank_column(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    for submission in kobo.submissions.values():
        submission.pop("who/needs", None)
    assert [row["needs"] for row in rows(read(swept(url), url, tmp_path), "main")] == [None] * 3


def test_a_declared_question_that_the_form_lacks_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="missing: shoe_size"):
        read(swept(url), url, tmp_path, table("main", ["_id", "who/name", "needs", "shoe_size"], key=["_id"]))


def test_what_is_not_declared_is_named_and_never_kept(url: str, tmp_path: Path) -> None:
    pages = InMemory()
    short_main = table("main", ["_id", "needs"], key=["_id"])
    content = swept(url, short_main, kept=pages)
    assert not any(b"Sara" in body or b"38.76" in body for body in [*content.values(), *pages.pages])
    assert read(content, url, tmp_path, short_main).undeclared["main"] == ["start", "who/name", "gps"]


def test_a_question_that_moved_to_another_group_is_one_column(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    kobo.submissions[11]["intro/name"] = kobo.submissions[11].pop("who/name")
    by_name = table("main", ["_id", "name"], key=["_id"])
    assert [row["name"] for row in rows(read(swept(url, by_name), url, tmp_path, by_name))] == ["Sara", "Omar", None]


def test_the_stable_id_is_root_uuid_then_id(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    del kobo.submissions[12]["meta/rootUuid"]
    found = [row["_stable_id"] for row in rows(read(swept(url), url, tmp_path), "main")]
    assert found == ["root:r-11", "id:12", "root:r-15"]


def test_an_unchanged_form_makes_the_same_bytes(url: str, kobo: KoboServer) -> None:
    once = swept(url)
    kobo.submissions[11]["_attachments"] = [{"download_url": "https://elsewhere.example/1"}]
    kobo.submissions[11]["_uuid"] = "u-another"
    assert swept(url) == once


@pytest.mark.parametrize(
    "change",
    [
        lambda kobo: kobo.edit(11, who__name="Sarah"),
        lambda kobo: kobo.submissions.pop(12),
        lambda kobo: kobo.submissions[15].update(_validation_status={"uid": "validation_status_approved"}),
        lambda kobo: kobo.versions.append("vSecond"),
        lambda kobo: kobo.content["survey"].append({"type": "text", "name": "new", "$xpath": "new"}),
    ],
    ids=["edit", "deletion", "validation", "version", "form"],
)
def test_every_kind_of_change_is_seen(url: str, kobo: KoboServer, change: Any) -> None:
    once = swept(url)
    change(kobo)
    assert swept(url) != once


def test_a_draft_of_the_form_changes_nothing(url: str, kobo: KoboServer) -> None:
    once = swept(url)
    kobo.draft = {"survey": [*SURVEY, {"type": "text", "name": "planned", "$xpath": "planned"}]}
    assert swept(url) == once


def test_the_form_is_delivered_with_the_answers_and_names_nobody(url: str) -> None:
    form = swept(url)["form.json"]
    assert b'"vFirst"' in form
    assert b'"members/papers"' in form
    assert b"somebody" not in form


def test_pages_are_followed_to_the_last(url: str, many: KoboServer) -> None:
    assert names(swept(url)) == 250
    assert [query["start"] for query in data_requests(many)] == ["0", "100", "200"]


def test_a_server_that_gives_smaller_pages_than_asked_for_loses_nothing(url: str, many: KoboServer) -> None:
    many.cap = 60
    assert names(swept(url)) == 250
    assert len(data_requests(many)) == 5


def test_attachments_are_never_asked_for(url: str, kobo: KoboServer) -> None:
    kobo.submissions[11]["_attachments"] = [{"download_url": f"{url}/api/v2/assets/{ASSET}/data/11/attachments/1/"}]
    swept(url)
    asked = {path.removeprefix(f"/api/v2/assets/{ASSET}/") for path, _ in kobo.asked}
    assert asked == {"", "versions/", "versions/vFirst/", "data/"}


def test_a_submission_that_comes_in_meanwhile_belongs_to_the_next_sweep(url: str, many: KoboServer) -> None:
    many.faults = [None, meanwhile(lambda: many.add(251, who__name="Late"))]
    assert names(swept(url)) == 250
    assert len(data_requests(many)) == 3


def test_a_deletion_meanwhile_begins_the_sweep_again(url: str, many: KoboServer) -> None:
    many.faults = [None, meanwhile(lambda: many.submissions.pop(7))]
    assert names(swept(url)) == 249
    assert [query["start"] for query in data_requests(many)] == ["0", "100", "0", "100", "200"]


def test_deletions_during_every_sweep_end_in_unavailable(url: str, many: KoboServer) -> None:
    many.faults = [None, meanwhile(lambda: many.submissions.pop(min(many.submissions))), None] * 4
    with pytest.raises(Unavailable, match="during each of 4 sweeps"):
        swept(url)


def test_a_page_that_comes_short_is_not_believed(url: str, many: KoboServer) -> None:
    many.faults = [None, None, short]
    assert names(swept(url)) == 250


def test_a_form_without_submissions_is_an_empty_delivery(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    """Nothing is withdrawn because a server had nothing to say."""
    kobo.submissions.clear()
    with pytest.raises(Refused) as caught:
        read(swept(url), url, tmp_path)
    assert caught.value.rule == "delivery.empty"


@pytest.mark.parametrize(
    "fault",
    [status(502), status(503), status(429, Retry_After="1"), html, hang(0.8), cut],
    ids=["502", "503", "429", "html", "slow", "cut"],
)
def test_what_passes_is_waited_for(url: str, many: KoboServer, fault: Any) -> None:
    many.faults = [None, None, fault]
    assert names(swept(url)) == 250


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(500), "status 500"),
        (status(429, Retry_After="3600"), "status 429"),
        (html, "not JSON"),
        (cut, "RemoteProtocolError"),
        (hang(0.8), "ReadTimeout"),
    ],
    ids=["500", "429_for_an_hour", "html", "cut", "slow"],
)
def test_what_does_not_pass_is_unavailable_in_one_line(url: str, many: KoboServer, fault: Any, says: str) -> None:
    many.faults = [None, *[fault] * HASTY.attempts]
    with pytest.raises(Unavailable, match=says) as caught:
        swept(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_sweep_that_was_cut_off_goes_on_where_it_stood(url: str, many: KoboServer) -> None:
    kept = InMemory()
    many.faults = [None, None, None, *[cut] * HASTY.attempts]
    with pytest.raises(Unavailable):
        swept(url, kept=kept)
    assert len(kept) == 2
    many.asked.clear()
    assert names(swept(url, kept=kept)) == 250
    assert [query["start"] for query in data_requests(many)] == ["200"]


def test_a_sweep_that_cannot_go_on_begins_again(url: str, many: KoboServer) -> None:
    kept = InMemory()
    many.faults = [None, None, *[status(502)] * HASTY.attempts]
    with pytest.raises(Unavailable):
        swept(url, kept=kept)
    many.submissions.pop(3)
    assert names(swept(url, kept=kept)) == 249


@pytest.mark.parametrize("name", ["submissions.jsonl", "form.json"])
def test_files_that_no_sweep_wrote_are_refused(url: str, tmp_path: Path, name: str) -> None:
    for body in (b"[]\n", b"{", b"\xff\xfe\n", b"[" * 100_000):
        with pytest.raises(Refused) as caught:
            rows(read(swept(url) | {name: body}, url, tmp_path))
        assert caught.value.rule == "delivery.unreadable"


ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PATHS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(PATHS, ANSWERS, max_size=6), st.lists(st.dictionaries(PATHS, ANSWERS, max_size=3), max_size=3))
def test_any_submission_is_taken_apart(submission: dict[str, Any], members: list[dict[str, Any]]) -> None:
    """Whatever JSON a server sends: only declared columns come out, all of them text."""
    flattening = Flattening(declared("http://localhost"))
    made = flattening.tables({**submission, "_id": 1, "members": members})
    canonical(made)
    assert len(made["main"]) == 1
    assert len(made.get("members", [])) >= len(members)
    for name, rows_of_table in made.items():
        for row in rows_of_table:
            assert set(row) <= KEPT[name]
            assert all(isinstance(value, str) for value in row.values())


@pytest.mark.parametrize(
    ("code", "says"), [(403, "shows no such form"), (404, "shows no such form"), (400, "status 400")]
)
def test_a_refusal_is_not_tried_again(url: str, kobo: KoboServer, code: int, says: str) -> None:
    kobo.faults = [status(code)]
    with pytest.raises(HomewardError, match=says):
        swept(url)
    assert len(kobo.asked) == 4


def test_a_redirect_is_not_followed(url: str, kobo: KoboServer) -> None:
    elsewhere = KoboServer(SURVEY)
    with serving(elsewhere) as other:
        kobo.faults = [status(302, Location=f"{other}/api/v2/assets/{ASSET}/data/")]
        with pytest.raises(HomewardError, match="redirects to another address") as caught:
            swept(url)
        assert other not in str(caught.value)
    assert elsewhere.asked == []


def test_a_next_link_to_another_server_takes_the_token_nowhere(url: str, many: KoboServer) -> None:
    elsewhere = KoboServer(SURVEY)
    with serving(elsewhere) as other:
        of_this = many.page
        many.page = lambda query, base: of_this(query, f"{other}/api/v2/assets/{ASSET}/data/")  # type: ignore[method-assign]
        assert names(swept(url)) == 250
    assert elsewhere.asked == []


@pytest.mark.parametrize("token", ["wrong-but-secret", "two\nlines-secret", "", "secret with space"])
def test_the_token_is_in_no_error(url: str, token: str) -> None:
    with pytest.raises(HomewardError) as caught:
        swept(url, token=token)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "KOBO_TOKEN" in told
    assert "secret" not in told


def test_the_token_is_in_no_log_and_no_repr(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        swept(url)
    assert TOKEN not in caplog.text
    format = declared(url).format
    assert isinstance(format, KoboServerFormat)
    server = Server(format, TOKEN)
    assert TOKEN not in repr(server) + repr(vars(server))
    server.close()


def test_an_address_that_is_no_kobotoolbox_is_said_so(url: str, kobo: KoboServer) -> None:
    kobo.content = {}
    with pytest.raises(HomewardError, match="no form"):
        swept(url)
    kobo.versions = [""]
    with pytest.raises(HomewardError, match="not a deployed form"):
        swept(url)


@pytest.mark.parametrize(
    "url",
    ["http://kobo.example.org", "https://user:pw@kobo.example.org", "https://kobo.example.org/?token=x", "ftp://x"],
)
def test_an_address_that_would_give_the_token_away_is_a_bad_definition(url: str) -> None:
    with pytest.raises(ValidationError):
        declared(url)


def test_nothing_answers_at_the_address() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        swept("http://127.0.0.1:1")
