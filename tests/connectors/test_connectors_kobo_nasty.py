"""A KoboToolbox server whose answers lie: cut, repeated, of no meaning, or of another clock."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kobo_api_double import KoboServer, meanwhile, status, told
from small_kobo import InMemory, names, swept

from codebook.errors import HomewardError
from connectors.kobo.api import asked_pause


@pytest.mark.parametrize(
    "fault",
    [
        status(429, Retry_After="\u00b2"),
        told(lambda page: None, packed=0.5),
        told(lambda page: page.update(next=page["next"].replace("start=100", "start=0"))),
        told(lambda page: page["results"].append(page["results"][-1])),
    ],
    ids=["garbled_pause", "gzip_cut", "page_again", "submission_again"],
)
def test_a_page_that_lies_is_asked_for_again(url: str, many: KoboServer, fault: Any) -> None:
    many.faults = [None, fault]
    assert names(swept(url)) == 250


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda page: page["results"][0].update(_id=True), "no whole number"),
        (lambda page: page.update(count=True), "API v2"),
        (lambda page: page["results"][0].update({"who/\ud800": "x"}), "half a letter"),
    ],
)
def test_a_page_that_cannot_be_meant_is_refused(url: str, many: KoboServer, change: Any, says: str) -> None:
    many.faults = [None, told(change)]
    with pytest.raises(HomewardError, match=says):
        swept(url)


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
