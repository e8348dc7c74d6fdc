"""Reading a statistical file into text against pyreadstat's own: prints both times and their ratios.

`python -m benchmarks.readers_statistical [ROWS COLUMNS]`; pyreadstat makes a DataFrame with its defaults, Homeward
the batches of text that a source of the same columns would deliver, from opening the file to the last row.

pyreadstat and Homeward read in turn; ratios are medians of five pairs. On two cores that had much other work to do,
100,000 rows of 60 columns took 0.90 x of pyreadstat's own processor time as .sav, 0.99 x packed row by row, 0.93 x as
.zsav and 0.83 x as .dta (0.94, 1.05, 0.98 and 0.85 x by the clock): numbers are taken out by their place, texts and the
dictionary are pyreadstat's. Of each about 0.2 s are the start of the reading process, which does not grow, and 0.2 s
the search of the texts for their code page. A .sav of 1 million rows (512 MB) took 7.7 s of processor time, packed (199
MB) 9.2 s, with 222 MB here and 436 MB in the reading process, of which 128 MB are texts that are kept; a .sav of 2 GB
was not read again since numbers are taken out by their place (589 MB before).
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
