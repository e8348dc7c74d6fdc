"""A KoboToolbox server that fails, changes or misbehaves: a sweep goes on or says so in one line, the token stays."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kobo_api_double import ASSET, TOKEN, Answering, KoboServer, cut, hang, html, serving, status
from pydantic import ValidationError
from small_kobo import AT_ONCE, HASTY, SURVEY, InMemory, data_requests, declared, names, read, swept
from small_sources import MemoryFile, rows

from codebook.errors import HomewardError, Refused, Unavailable
from connectors import Unfinished, sweep
from connectors.kobo.api import Server
from connectors.kobo.attachments import fetched
from connectors.kobo.submission_rows import rows_left_out
from connectors.kobo.submissions import Flattening, canonical
from sources.models import KoboServerFormat

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


@pytest.mark.parametrize(
    "fault",
    [status(502), status(503), status(429, Retry_After="1"), html, hang(20), cut],
    ids=["502", "503", "429", "html", "slow", "cut"],
)
def test_what_passes_is_waited_for(url: str, many: KoboServer, fault: Any) -> None:
    many.faults = [None, None, fault]
    assert names(swept(url, patience=AT_ONCE)) == 250


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(500), "status 500"),
        (status(429, Retry_After="3600"), "status 429"),
        (html, "not JSON"),
        (cut, "RemoteProtocolError"),
        (hang(20), "ReadTimeout|come to the end"),
    ],
    ids=["500", "429_for_an_hour", "html", "cut", "slow"],
)
def test_what_does_not_pass_is_unavailable_in_one_line(url: str, many: KoboServer, fault: Any, says: str) -> None:
    many.faults = [None, *[fault] * HASTY.attempts]
    with pytest.raises(Unavailable, match=says) as caught:
        swept(url, patience=AT_ONCE)
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


NOT_OURS = [b"[]\n", b"{", b"\xff\xfe\n", b"[" * 100_000]
DAMAGED = {
    "submissions.jsonl": [
        *NOT_OURS,
        b'{"main":1}',
        b'{"main":[1]}',
        b'{"main":[{"_stable_id":7}]}',
        b'{"main":[null]}',
    ],
    "form.json": [*NOT_OURS, b"{}"],
}


def test_files_that_no_sweep_wrote_are_refused(url: str, tmp_path: Path) -> None:
    whole = swept(url)
    form = json.loads(whole["form.json"])
    spoiled = [{**form, name: wrong} for name in ("content", "columns", "versions") for wrong in (None, [1], {"a": 1})]
    spoiled += [{**form, "columns": {}}, {**form, "versions": [{}]}, {**form, "deployed_version": 7}]
    bodies = {**DAMAGED, "form.json": [*DAMAGED["form.json"], *(json.dumps(one).encode() for one in spoiled)]}
    for name, body in ((name, body) for name, listed in bodies.items() for body in listed):
        with pytest.raises(Refused, match="not what a sweep wrote") as caught:
            rows(read(whole | {name: body}, url, tmp_path))
        assert caught.value.rule == "delivery.unreadable"
        assert caught.value.__context__ is None or caught.value.__suppress_context__
    for body in DAMAGED["submissions.jsonl"]:
        with pytest.raises(Refused, match="not what a sweep wrote"):
            fetched(MemoryFile("submissions.jsonl", body))
        with pytest.raises(Refused, match="not what a sweep wrote"):
            list(rows_left_out(MemoryFile("submissions.jsonl", body), {"main": {1}}))


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


class Over(float):
    """A moment that has come once it rang, however slow the machine is."""

    rang = False

    def __le__(self, now: float) -> bool:
        return self.rang

    def rings(self, to: Answering) -> bool:
        self.rang = True
        return False


def test_a_sweep_whose_time_is_over_goes_on_where_it_stood(url: str, many: KoboServer) -> None:
    """A tick of a scheduler has a minute; a form with a million submissions needs more."""
    kept, over = InMemory(), Over()
    many.faults = [None, over.rings]
    with pytest.raises(Unfinished, match="100 of 250 submissions are kept"):
        sweep(declared(url), TOKEN, kept, HASTY, until=over)
    many.asked.clear()
    assert names(swept(url, kept=kept)) == 250
    assert [query["start"] for query in data_requests(many)] == ["100", "200"]
