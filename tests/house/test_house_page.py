"""What people open in a browser - the overview, the marked returns: offline, without script, every chart as a table."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
OWN = "not an origin"
"""How the browser's log calls who asked, where it was no page but the browser itself."""


class Page(HTMLParser):
    """What a page is made of: its tags in order, and the addresses its attributes name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if value and not name.startswith("xmlns")]


def pages(demo: House) -> list[Path]:
    """The overview and every marked return of the demo."""
    found = [demo.home / "outbox" / "overview.html", *sorted(demo.home.glob("outbox/*/*/*/return.html"))]
    assert len(found) > 5
    return found


def test_no_page_has_a_script_or_names_anything_to_fetch(demo: House) -> None:
    for path in pages(demo):
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        assert not {"script", "iframe", "object", "embed", "img", "base"} & set(page.tags), path
        assert [value for value in page.addresses if re.search(r"//|javascript:", value)] == [], path
        assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)", text), path
        assert "default-src 'none'" in text, path


def test_every_chart_of_the_overview_has_its_table(demo: House) -> None:
    tags = Page(pages(demo)[0].read_text(encoding="utf-8")).tags
    shown = [tag for tag in tags if tag in ("svg", "table")]
    assert shown.count("svg") == 4
    assert shown == ["svg", "table"] * 4


@pytest.mark.browser
def test_a_browser_opens_every_page_without_a_request_or_an_error(demo: House, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine: the pages were not opened in a browser")
    # The last page is ours and does both: had the browser been blind, it would show here.
    guilty = tmp_path / "guilty.html"
    guilty.write_text("<img src='http://homeward.invalid/x.png'><script>console.error('seen')</script>")
    for path in [*pages(demo), guilty]:
        log = tmp_path / f"{path.parent.name}.{path.stem}.json"
        command = [
            browser,
            *QUIET,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--log-net-log={log}",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
            "--virtual-time-budget=3000",
            "--dump-dom",
            path.as_uri(),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        assert "</html>" in done.stdout
        if path == guilty:
            assert "homeward.invalid" in requested(log)
            assert said
        else:
            assert requested(log) == ""
            assert said == [], path


def requested(log: Path) -> str:
    """The addresses that a page asked for, one a line. The browser asks for some of its own, which have no origin."""
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    asked = {event["url"] for event in events if event.get("initiator", OWN) != OWN}
    return "\n".join(sorted(asked))
