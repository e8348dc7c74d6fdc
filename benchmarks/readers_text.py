"""How long reading a CSV takes beside pyarrow's own reading of the same file: the ratio of two medians of five.

`python -m benchmarks.readers_text [--megabytes 100]` makes a register of 40 columns in a temporary folder, once without
and once with every cell in quotation marks, and reads it as a declared source and with pyarrow alone (one thread, the
same types) in turn. Ours includes a pass that proves the encoding and counts the records; quotation marks are its cost.

On two cores that had other work to do: 100 MB without marks 1.02 to 1.09, with every cell in marks 1.10 to
1.11.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from connectors import open_delivery
from sources.batches import PlainFile
from sources.models import Declaration, Source

_COLUMNS = 40
_CODED = 32
"""Columns in which few values repeat, as in a register."""


def make(path: Path, megabytes: int, quoting: str) -> int:
    """Write about so many megabytes; returns the number of rows. `quoting` as pyarrow calls it: none or all_valid."""
    chance = np.random.default_rng(1)
    n = 50_000
    columns = {f"C{i}": pa.array(chance.integers(0, 90, n).astype("U2")) for i in range(_CODED)}
    columns |= {f"C{i}": pa.array(chance.integers(10**9, 10**12, n).astype("U12")) for i in range(_CODED, _COLUMNS)}
    table = pa.table(columns)
    rows, styled = 0, pacsv.WriteOptions(quoting_style=quoting)
    with path.open("wb") as out, pacsv.CSVWriter(out, table.schema, write_options=styled) as writer:
        while out.tell() < megabytes << 20:
            writer.write_table(table)
            rows += n
    return rows


def declared() -> Source:
    """A source that reads every column of the register."""
    names = [f"C{i}" for i in range(_COLUMNS)]
    declaration = Declaration.model_validate(
        {
            "source": "xxx/bench",
            "title": {"en": "Benchmark"},
            "country": "SLV",
            "supplier": {"name": "Benchmark", "language": "en"},
            "owner": "bench@example.org",
            "purpose": "reintegration_statistics",
            "legal_basis": "none",
            "agreement": "none",
            "expires": date(2100, 1, 1),
            "retention_months": 1,
            "delivery": {"mode": "increment"},
            "format": {"kind": "csv"},
            "tables": [
                {"name": "main", "key": names[:1], "columns": [{"name": name, "class": "plain"} for name in names]}
            ],
        }
    )
    fields = {name: getattr(declaration, name) for name in Declaration.model_fields}
    return Source.model_construct(**fields, folder=Path(), version="0" * 12, corrections=())


def ours(path: Path) -> int:
    """Rows that the connector reads, opening and proving the file included."""
    return sum(len(batch) for batch in open_delivery([PlainFile(path)], declared()).batches("main"))


def pyarrows(path: Path) -> int:
    """Rows that pyarrow reads: text and dictionaries in one thread, as the connector asks for them."""
    few = pa.dictionary(pa.int32(), pa.string())
    types = {f"C{i}": few if i < _CODED else pa.string() for i in range(_COLUMNS)}
    reader = pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=16 << 20),
        convert_options=pacsv.ConvertOptions(column_types=types),
    )
    return sum(batch.num_rows for batch in reader)


def timed(read: Callable[[Path], int], path: Path, rows: int) -> float:
    """Processor seconds of one reading, which must give every row; other work on the machine does not count."""
    began = time.process_time()
    if (found := read(path)) != rows:
        raise SystemExit(f"{found} rows of {rows} were read")
    return time.process_time() - began


def main() -> None:
    """Print both medians and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=int, default=100)
    wanted = arguments.parse_args()
    for quoting in ("none", "all_valid"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "register.csv"
            rows = make(path, wanted.megabytes, quoting)
            taken = [(timed(ours, path, rows), timed(pyarrows, path, rows)) for _ in range(5)]
            size = path.stat().st_size / (1 << 20)
        own, theirs = (median(times) for times in zip(*taken, strict=True))
        print(
            f"quotation marks {quoting}: {size:.0f} MiB, {rows} rows: {own:.2f} s, "
            f"pyarrow alone {theirs:.2f} s, ratio {own / theirs:.2f}"
        )


if __name__ == "__main__":
    main()
