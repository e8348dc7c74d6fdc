"""A KoboToolbox server whose answers lie: cut, repeated, of no meaning, or of another clock."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from kobo_api_double import KoboServer, drip, drip_headers, drip_packed, meanwhile, status, told
from small_kobo import AT_ONCE, InMemory, names, read, swept

from codebook.errors import HomewardError, Unavailable
from connectors.kobo.api import asked_pause


@pytest.mark.parametrize(
    "fault",
    [
        status(429, Retry_After="\u00b2"),
        told(lambda page: None, packed=0.5),
        told(lambda page: page.update(next=page["next"].replace("start=100", "start=0"))),
        told(lambda page: page["results"].append(page["results"][-1])),
        told(lambda page: None, packed=1.0),
        told(lambda page: page.update(count=100, next=None)),
        told(lambda page: page.update(count=99)),
        told(lambda page: page.update(count=251)),
        told(lambda page: page.update(next="http://elsewhere.example/?start=100&limit=100")),
        told(lambda page: page.update(results=[])),
        told(lambda page: page["results"].reverse()),
        drip(0.02),
        drip_headers,
        drip_packed,
        status(429, Retry_After=formatdate(time.time() - 60, usegmt=True)),
    ],
    ids=[
        "garbled_pause", "gzip_cut", "page_again", "submission_again", "gzip", "few_as_all", "count_falls",
        "count_rises", "next_elsewhere", "empty_page", "backwards", "drip", "drip_headers", "drip_packed",
        "pause_that_is_over",
    ],
)  # fmt: skip
def test_a_page_that_lies_is_asked_for_again(url: str, many: KoboServer, fault: Any) -> None:
    many.faults = [None, fault]
    assert names(swept(url, patience=AT_ONCE)) == 250


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda page: page["results"][0].update(_id=True), "no whole number"),
        (lambda page: page.update(count=True), "API v2"),
        (lambda page: page.update(count="250"), "API v2"),
        (lambda page: page.update(results=None), "API v2"),
        (lambda page: (page.clear(), page.update(detail="a secret of the server")), "API v2"),
        (lambda page: page["results"][0].update({"who/\ud800": "x"}), "half a letter"),
        (lambda page: page["results"][0].update({"who/name": "\ud800"}), "half a letter"),
        (lambda page: page["results"][0].update(__version__="\ud800"), "half a letter"),
        (lambda page: page["results"][0].update(_notes=[{"a": "\ud800"}]), "half a letter"),
    ],
)
def test_a_page_that_cannot_be_meant_is_refused(url: str, many: KoboServer, change: Any, says: str) -> None:
    many.faults = [None, told(change)]
    with pytest.raises(HomewardError, match=says) as refusal:
        swept(url)
    assert "secret" not in str(refusal.value)


def test_a_form_with_half_a_letter_is_one_line(url: str, many: KoboServer) -> None:
    many.content["survey"].append({"type": "text", "name": "x", "label": ["secret \ud800"]})  # type: ignore[attr-defined]
    with pytest.raises(HomewardError, match="half a letter") as refusal:
        swept(url)
    assert "secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_token_that_ends_within_a_sweep_loses_no_page(url: str, many: KoboServer) -> None:
    kept = InMemory()
    many.faults = [None, None, status(401)]
    with pytest.raises(HomewardError, match="token"):
        swept(url, kept=kept)
    assert len(kept) == 1
    assert names(swept(url, kept=kept)) == 250


def test_a_version_that_is_deployed_meanwhile_is_the_forms(url: str, many: KoboServer) -> None:
    def deploy() -> None:
        many.former["vFirst"] = list(many.content["survey"])
        many.content["survey"].append({"type": "text", "name": "extra", "$xpath": "extra"})
        many.versions.append("vSecond")

    many.faults = [None, None, meanwhile(deploy)]
    form = json.loads(swept(url)["form.json"])
    assert (form["deployed_version"], form["type_changes"]) == ("vSecond", ["extra: new -> text"])


@pytest.mark.parametrize(
    ("header", "date", "pause"),
    [
        ("7", "", 7),
        ("Sun, 22 Nov 2026 10:00:05 GMT", "Sun, 22 Nov 2026 10:00:00 GMT", 5),  # whatever the clock here says
        ("Sun, 22 Nov 2026 10:00:00 GMT", "Sun, 22 Nov 2026 10:00:05 GMT", 0),
        ("soon", "", None),
        ("\u0663", "", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", "", None),
        ("", "", None),
    ],
)
def test_a_pause_is_counted_by_the_servers_clock(header: str, date: str, pause: float | None) -> None:
    assert asked_pause({"Retry-After": header, "Date": date}) == pause


@pytest.mark.parametrize("dropped", ["sort", "query"])
def test_a_server_that_does_not_sort_is_not_believed(url: str, many: KoboServer, dropped: str) -> None:
    """Its newest submission would be its oldest, and a sweep up to that one would withdraw all others."""
    of_this = many.page
    many.page = lambda query, base: of_this({k: v for k, v in query.items() if k != dropped}, base)  # type: ignore[method-assign]
    if dropped == "query":
        assert names(swept(url)) == 250
        return
    with pytest.raises(Unavailable, match="unsorted"):
        swept(url)


def test_versions_whose_pages_never_end_are_read_once(url: str, many: KoboServer) -> None:
    many.next_of_versions = "http://elsewhere.example/?limit=100&offset=0"
    assert names(swept(url)) == 250
    assert len([path for path, _ in many.asked if path.endswith("/versions/")]) == 2


def test_answers_to_a_version_that_the_server_does_not_list_are_kept_and_counted(
    url: str, many: KoboServer, tmp_path: Path
) -> None:
    """The server's own exports leave them out (formats.md 1.4.1). Which version is not said: it may be any text."""
    many.submissions[3]["__version__"] = "vGone"
    many.submissions[4]["__version__"] = "Rosalba Tezcal"
    del many.submissions[5]["__version__"]
    content = swept(url)
    assert names(content) == 250
    opened = read(content, url, tmp_path)
    assert opened.facts["versions_not_listed"] == 2
    assert "Tezcal" not in json.dumps(opened.facts)


@pytest.mark.parametrize(
    "change",
    [
        lambda kobo: kobo.edit(150, who__name="new", meta__deprecatedID="uuid:u-150"),
        lambda kobo: kobo.submissions[150].update(_validation_status={"uid": "validation_status_approved"}),
    ],
    ids=["edited", "validated"],
)
def test_what_changes_during_a_sweep_is_there_once_and_in_one_state(url: str, many: KoboServer, change: Any) -> None:
    many.faults = [None, None, meanwhile(lambda: change(many))]
    lines = [json.loads(line) for line in swept(url)["submissions.jsonl"].splitlines()]
    stable = [line["main"][0]["_stable_id"] for line in lines]
    assert len(stable) == len(set(stable)) == 250
    assert stable[149] == "root:r-150"


@pytest.mark.parametrize("code", [401, 403, 404, 410, 302])
def test_a_page_for_people_is_one_line_without_its_words(url: str, many: KoboServer, code: int) -> None:
    many.faults = [None, status(code, Location="/accounts/login/?next=secret")]
    with pytest.raises(HomewardError) as refusal:
        swept(url)
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
