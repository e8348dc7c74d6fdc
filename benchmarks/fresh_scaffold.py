"""How much of a source that nobody has met `homeward scaffold` proposes: twelve made up before the matcher was read.

Each CSV in `fresh_sources/` tells a delivery and what a person would make of it: a row for each column or each of its
codes, with the variable and the answer that are right. Rows are drawn from it; where the codes have labels it is
delivered as SPSS, else as CSV. Before the lexicon was added to, pairs were found with precision .98 and recall .67 in
the `held_` ones, codes with .98 and .57: what a new supplier may expect. The words that were added came from the same
hand as these sources, so what is found now says less. Five `later_` ones were written by another hand: first look
pairs .82/.64 and codes .96/.51; with questions' numbers no longer taken for names, .97/.72 and .97/.62; then words were
added.

    python -m benchmarks.fresh_scaffold [--pairs]
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from assets.scaffold import SOURCE_KINDS, approved_without, describe
from benchmarks.scaffold import Measured, compare, shown
from codebook.loader import load_codebook
from connectors.unknown import open_unknown
from sources.batches import PlainFile
from sources.proposing.known import gather
from sources.proposing.matching import propose

FOLDER = Path(__file__).parent / "fresh_sources"
_ROWS, _SEED = 400, 20261122
_NAMES = ("Amina Traoré", "José Pérez", "Awa Koné", "Luis Ajú", "Rana Salim", "Omar Diallo", "Ana Tum", "Jon Bello")
_SENTENCES = ("llamó el martes y no estaba", "called twice but nobody was there", "est revenu seul au village")
_TOWNS = ("Azogues", "Loja Norte", "Ikeja", "Kano South", "Daule", "Oredo East", "Paute", "Machala")


@dataclass(frozen=True)
class Fresh:
    """A made-up source: its rows as written, and the delivery's format."""

    name: str
    rows: tuple[Mapping[str, str], ...]

    @property
    def columns(self) -> dict[str, list[Mapping[str, str]]]:
        found: dict[str, list[Mapping[str, str]]] = {}
        for row in self.rows:
            found.setdefault(row["column"], []).append(row)
        return found

    @property
    def labelled(self) -> bool:
        return any(row["code_label"] for row in self.rows)

    def pairs(self) -> set[tuple[str, str, str]]:
        return {(row["column"], *_variable(row)) for row in self.rows if row["variable"]}

    def codes(self) -> set[tuple[str, str, str, str, str]]:
        told = [row for row in self.rows if row["variable"] and row["target"]]
        return {(row["column"], *_variable(row), row["code"], row["target"]) for row in told}


def _variable(row: Mapping[str, str]) -> tuple[str, str]:
    entity, _, variable = row["variable"].partition(".")
    return entity, variable


def fresh_sources() -> list[Fresh]:
    """Every source of the folder, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            found.append(Fresh(path.stem, tuple(csv.DictReader(handle))))
    return found


def write(fresh: Fresh, folder: Path) -> PlainFile:
    """A delivery of the source: rows drawn from its codes, and from what its columns are said to hold."""
    drawn = random.Random(_SEED)
    cells = {name: [_cell(listed, n, drawn) for n in range(_ROWS)] for name, listed in fresh.columns.items()}
    if fresh.labelled:
        return _as_spss(fresh, cells, folder / f"{fresh.name}.sav")
    path = folder / f"{fresh.name}.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))
    return PlainFile(path)


def _cell(listed: list[Mapping[str, str]], n: int, drawn: random.Random) -> str:
    row = listed[0]
    kind, _, detail = row["code"].partition(":")
    if row["target"] or kind not in _MADE:
        return drawn.choice(listed)["code"]
    return _MADE["born" if row["variable"] == "person.birth_year" else kind](detail, n, drawn)


def _born(form: str, n: int, drawn: random.Random) -> str:
    return (date(1955, 1, 1) + timedelta(days=drawn.randrange(19_000))).strftime(form)


def _date(form: str, n: int, drawn: random.Random) -> str:
    return (date(2019, 1, 1) + timedelta(days=drawn.randrange(2_400))).strftime(form)


def _whole(ends: str, n: int, drawn: random.Random) -> str:
    low, _, high = ends.partition("-")
    return str(drawn.randint(int(low), int(high)))


def _place(where: str, n: int, drawn: random.Random) -> str:
    country, _, level = where.partition(":")
    named = [p.name for p in load_codebook().places(country.upper()) if str(p.level) == level]
    return drawn.choice(sorted(named))


_MADE: Mapping[str, Callable[[str, int, random.Random], str]] = {
    "id": lambda detail, n, drawn: f"R-{n:05d}",
    "name": lambda detail, n, drawn: drawn.choice(_NAMES),
    "phone": lambda detail, n, drawn: f"+503 7{drawn.randrange(10**7):07d}",
    "text": lambda detail, n, drawn: f"{drawn.choice(_SENTENCES)} {n}",
    "money": lambda detail, n, drawn: str(drawn.randrange(40, 9_000) * 25),
    "placewords": lambda detail, n, drawn: drawn.choice(_TOWNS),
    "date": _date,
    "born": _born,
    "int": _whole,
    "place": _place,
}


def _as_spss(fresh: Fresh, cells: Mapping[str, list[str]], path: Path) -> PlainFile:
    import pandas as pd
    import pyreadstat

    frame = pd.DataFrame(
        {name: [float(cell) if cell.isdigit() else cell for cell in column] for name, column in cells.items()}
    )
    labels = {
        name: {float(row["code"]): row["code_label"] for row in listed if row["code_label"]}
        for name, listed in fresh.columns.items()
    }
    pyreadstat.write_sav(
        frame,
        str(path),
        column_labels={name: listed[0]["label"] for name, listed in fresh.columns.items()},
        variable_value_labels={name: told for name, told in labels.items() if told},
    )
    return PlainFile(path)


def measure(fresh: Fresh, folder: Path) -> Measured:
    """Scaffold a delivery of the source as the first file of a supplier whom nobody knows."""
    file = write(fresh, folder)
    known = gather(load_codebook(), approved_without(None))
    looked = open_unknown(file, None)
    described = describe(looked, file.name, SOURCE_KINDS[looked.format])
    matches = [match for columns in described.values() for match in propose(columns, known)]
    return compare(fresh.name, matches, fresh.pairs(), fresh.codes())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure(fresh, Path(folder)) for fresh in fresh_sources()]
    console = Console(width=110)
    for kind in ("dev", "held", "later"):
        console.print(shown([one for one in measured if one.source.startswith(kind)]))
    if "--pairs" in sys.argv:
        for one in measured:
            for what, pairs in (("wrong", one.wrong), ("missed", one.missed)):
                for pair in pairs if one.source.startswith("dev") else ():
                    print(one.source, what, *pair)


if __name__ == "__main__":
    main()
