"""Reading a statistical file into text against pyreadstat's own: prints both times and their ratios.

`python -m benchmarks.readers_statistical [ROWS COLUMNS]`; pyreadstat makes a DataFrame with its defaults, Homeward
the batches of text that a source of the same columns would deliver, from opening the file to the last row.

pyreadstat and Homeward read in turn; ratios are medians of five pairs. On two quiet cores 100,000 rows of 60 columns
took 1.00 x of pyreadstat's own time by the clock as .sav, 1.10 x packed row by row, 1.09 x as .zsav and 1.03 x as .dta:
two processes read the steps of a file in turn, all of them through pyreadstat. It costs 1.7 to 1.9 x of its processor
time: about 0.2 s for the start of each process, the search of the texts for their code page, and text in place of
numbers. On a machine with one core one process reads, for 1.5 x. Where 22 processes shared two cores it was 1.9 to 2.2.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from benchmarks.in_turn import compared
from connectors.statistical.reader import look
from sources.batches import PlainFile

KINDS: dict[str, dict[str, bool]] = {
    "plain.sav": {},
    "packed.sav": {"row_compress": True},
    "deflated.zsav": {"compress": True},
    "plain.dta": {},
}


def survey(rows: int, columns: int) -> pd.DataFrame:
    """Two thirds coded answers, then counts with blanks, amounts, names and dates, as surveys are."""
    chance = np.random.default_rng(1)
    kinds: list[Callable[[], object]] = [
        *[lambda: chance.integers(1, 9, rows).astype(float)] * 10,
        *[lambda: np.where(chance.random(rows) < 0.1, np.nan, chance.integers(0, 99, rows))] * 2,
        lambda: np.round(chance.normal(1000, 200, rows), 2),
        lambda: np.char.add("name ", chance.integers(0, 50_000, rows).astype(str)),
        lambda: np.datetime64("2020-01-01", "s") + chance.integers(0, 2000, rows) * np.timedelta64(86_400, "s"),
    ]
    return pd.DataFrame({f"v{n}": kinds[n % len(kinds)]() for n in range(columns)})


def read_here(path: Path) -> None:
    (grid,) = look(PlainFile(path))[0].values()
    for piece in grid.pieces(range(len(grid.headings)), 50_000):
        assert len(piece.rows)


def pyreadstats(path: Path) -> None:
    (pyreadstat.read_dta if path.suffix == ".dta" else pyreadstat.read_sav)(path)


def main() -> None:
    rows, columns = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (100_000, 60)
    frame = survey(rows, columns)
    with tempfile.TemporaryDirectory() as folder:
        for name, options in KINDS.items():
            path = Path(folder, name)
            stata = path.suffix == ".dta"
            (pyreadstat.write_dta if stata else pyreadstat.write_sav)(frame, path, **options)
            print(f"{name}:", compared("pyreadstat", partial(pyreadstats, path), partial(read_here, path)))
        peaks = [resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"peak memory: {peaks[0]} MB in this process (pyreadstat's DataFrame included), {peaks[1]} MB in the child")


if __name__ == "__main__":
    main()
