"""Folders that are searched for canaries: those that may not be read are told, and links lead nowhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anonymization.leaks.canaries import Canaries
from anonymization.leaks.search import LeakSearch, Unread
from pipelines.leak_sinks import search_home

MADE = Canaries(seed=20261123)
EMAIL = f"somebody wrote from {MADE.email()} yesterday"


def test_a_folder_that_may_not_be_read_is_told_and_the_others_are_searched() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        closed, open_ = Path(folder, "closed"), Path(folder, "open")
        closed.mkdir(mode=0)
        open_.mkdir(mode=0o755)
        (open_ / "rows.log").write_text(EMAIL)
        LeakSearch(MADE).look_at_folder(Path(folder), "folder")  # imports what nobody may read on some machines
        search = LeakSearch(MADE)
        with nobody_in_particular():
            search.look_at_folder(Path(folder), "folder")
        assert [(leak.place, leak.canary) for leak in search.leaks] == [("open/rows.log", "e-mail, latin")]
        assert search.unread == [Unread("folder", "closed", "the folder")]


@contextmanager
def nobody_in_particular() -> Iterator[None]:
    """Without root's right to read everything, where the tests have it."""
    me = os.geteuid()
    os.seteuid(me or 65534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_a_home_is_searched_but_for_its_keys_and_for_what_links_lead_to(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (elsewhere, home / "keys", home / "store" / "deep"):
        folder.mkdir(parents=True)
        (folder / "rows.log").write_text(EMAIL)
    (home / "link").symlink_to(elsewhere)
    (home / "top.log").write_text(EMAIL)
    search = LeakSearch(MADE)
    search_home(search, home, 0, {"store": "the store"})
    assert [(leak.sink, leak.place) for leak in search.leaks] == [
        ("the store", "store/deep/rows.log"),
        ("top.log", "top.log"),
    ]
    assert search.unread == []
