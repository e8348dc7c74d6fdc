"""Reading a statistical file into text against pyreadstat's own: prints processor seconds and the ratio.

`python -m benchmarks.readers_statistical [ROWS COLUMNS]`; pyreadstat makes a DataFrame with its defaults, Homeward
the batches of text that a source of the same columns would deliver, from opening the file to the last row.

On two cores that had other work to do, a .sav of 60 columns took 1.73 x of pyreadstat's own time as it is; compressed
row by row 1.8 to 2.0 x at 100,000 rows, 1.7 at 200,000 and 1.6 at 400,000 (1.7, 3.0 and 6.6 s: linear in rows). The
goal, 1.2, is missed: texts are read twice, and numbers pass through lists of Python as pyreadstat hands them over.
"""

from __future__ import annotations

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

ROUNDS = 3


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


def main() -> None:
    rows, columns = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (100_000, 60)
    frame = survey(rows, columns)
    with tempfile.TemporaryDirectory() as folder:
        for name, options in {"a.sav": {}, "a.zsav": {"compress": True}, "a.dta": {}}.items():
            path = Path(folder, name)
            write, read = (
                (pyreadstat.write_dta, pyreadstat.read_dta)
                if name == "a.dta"
                else (pyreadstat.write_sav, pyreadstat.read_sav)
            )
            write(frame, path, **options)
            theirs = median(processor_seconds(lambda read=read, path=path: read(path)) for _ in range(ROUNDS))  # type: ignore[misc]
            ours = median(processor_seconds(lambda path=path: read_here(path)) for _ in range(ROUNDS))  # type: ignore[misc]
            print(f"{name}: pyreadstat {theirs:.2f} s, here {ours:.2f} s, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
