"""What the documentation tells people to type."""

from __future__ import annotations

import re
from collections.abc import Sequence

from homes import PROJECT

PAGES = ("README.md", "docs/data-engineer.md", "docs/statistics-office.md", "docs/analyst.md", "docs/vault.md")
"""Not add-a-source.md and kobo-server.md: their examples are taken off the page and run by tests of their own."""


def commands(pages: Sequence[str] = PAGES) -> list[str]:
    """Every `homeward ...` line of a shell block, and every one within a sentence that names a source; each once."""
    found = []
    for page in pages:
        text = (PROJECT / page).read_text(encoding="utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            found += [line for line in block.splitlines() if line.startswith("homeward ")]
        found += re.findall(r"`(homeward [^`\n]*--source[^`\n]*)`", text)
    return list(dict.fromkeys(line.split("  #")[0].strip() for line in found))
