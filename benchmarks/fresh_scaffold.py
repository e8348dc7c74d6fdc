"""How much of a made-up source that nobody has met `homeward scaffold` proposes: each was scored before tuning on it.

`fresh_delivery` makes their deliveries, and says what a person would make of them. What was found at the first look
is what a new supplier may expect; the words that were added afterwards came from reading these sources, so what is
found now says less. First look, pairs precision/recall and codes precision/recall:

    held_    .98/.67   .98/.57
    later_   .82/.64   .96/.51    by another hand
    new_     .81/.49   .99/.50    with details columns, conditions, a form in Dari
    last_    .95/.63   .99/.68    the same, with a survey in Portuguese; nothing was tuned on them

    python -m benchmarks.fresh_scaffold [--pairs]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from assets.scaffold import scaffold
from benchmarks.fresh_delivery import Fresh, fresh_sources, write
from benchmarks.scaffold import Measured, compare, shown
from sources.loader import load_source


def measure(fresh: Fresh, folder: Path) -> Measured:
    """Scaffold a delivery of the source as the first file of a supplier whom nobody knows."""
    file, form = write(fresh, folder)
    country = next((row["code"].split(":")[1] for row in fresh.rows if row["code"].startswith("place:")), "civ")
    source = f"{country}/{fresh.name}"
    scaffold(file, form, country.upper(), source, folder / "sources")
    return compare(fresh.name, load_source(source, folder / "sources").crosswalk, fresh.pairs(), fresh.codes())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure(fresh, Path(folder)) for fresh in fresh_sources()]
    console = Console(width=110)
    for kind in dict.fromkeys(one.source.partition("_")[0] for one in measured):
        console.print(shown([one for one in measured if one.source.startswith(kind)]))
    if "--pairs" in sys.argv:
        for one in measured:
            for what, pairs in (("wrong", one.wrong), ("missed", one.missed)):
                for pair in pairs if not one.source.startswith("held") else ():
                    print(one.source, what, *pair)


if __name__ == "__main__":
    main()
