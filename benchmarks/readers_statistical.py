"""Reading a statistical file into text against pyreadstat's own: prints processor seconds and the ratio.

`python -m benchmarks.readers_statistical [ROWS COLUMNS]`; pyreadstat makes a DataFrame with its defaults, Homeward
the batches of text that a source of the same columns would deliver, from opening the file to the last row.

pyreadstat and Homeward read in turn, and the ratio is the median of five pairs. On two cores that had much other work
to do (which weighs on two processes more than on one), 100,000 rows of 60 columns took 1.29 x of pyreadstat's own time
as .sav, 1.56 x packed row by row, 1.43 x as .zsav and 1.45 x as .dta: about 0.25 s of each is the start of the reading
process and does not grow. A .sav of 1 million rows (488 MB): 10.8 s, pyreadstat's 10.3 s whole and 9.0 s in chunks; of
4 million rows (1,953 MB): 56.7 s, in chunks 36.1 s; of 4 million rows that are packed (760 MB): 52.6 s, in chunks 51.1
s. Peak memory of Homeward and of its reading process at 1 million rows: 247 and 441 MB (pyreadstat whole: 1,567 MB), at
4 million: 256 and 589 MB, of which up to 128 MB are texts that are kept. The goal, 1.2, is met by some of these files
only.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyreadstat

from benchmarks.processor_time import processor_seconds
from connectors.statistical.reader import look
from sources.batches import PlainFile

ROUNDS = 5


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
            theirs, ours = [], []
            for _ in range(ROUNDS):
                theirs.append(processor_seconds(lambda: pyreadstats(path)))  # noqa: B023
                ours.append(processor_seconds(lambda: read_here(path)))  # noqa: B023
            ratio = median(own / other for own, other in zip(ours, theirs, strict=True))
            print(f"{name}: pyreadstat {median(theirs):.2f} s, here {median(ours):.2f} s, ratio {ratio:.2f}")
        peaks = [resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"peak memory: {peaks[0]} MB in this process (pyreadstat's DataFrame included), {peaks[1]} MB in the child")


if __name__ == "__main__":
    main()
