"""The pages of the documentation find each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from homes import PROJECT

PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for file, heading in re.findall(r"\]\(([^)#:]*)#?([^):]*)\)", page.read_text(encoding="utf-8")):
        to = page.parent / file if file else page
        assert to.exists(), f"{page.name} leads to {file}, which is not there"
        assert not heading or heading in headings(to), (
            f"{page.name} leads to #{heading} of {to.name}, which is not there"
        )


def headings(page: Path) -> set[str]:
    """As links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_the_readme_names_every_page() -> None:
    named = set(re.findall(r"[a-z-]+\.md", (PROJECT / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in (PROJECT / "docs").glob("*.md")} <= named
