"""How much of an approved crosswalk `homeward scaffold` would have proposed, had the source been new.

Each source's own crosswalk is hidden, its sample delivery is scaffolded from codebook and the other sources, and what
comes out is held against what people approved: pairs of column and variable, and (of the variables that were right)
codes and their answers. Iraq's delivery lies in the corpus; without it, it is left out.

    python -m benchmarks.scaffold            prints a table
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assets.scaffold import scaffold
from connectors.database import snapshot
from examples.inm_hnd import fill_hnd
from examples.make import make_samples
from sources.batches import DeliveredFile, PlainFile
from sources.crosswalk import MapRow
from sources.loader import load_source
from sources.models import Source

HND, IRQ = "hnd/inm_cases", "irq/reach_mcna"
_NO_CODE = ("", "*")

Pair = tuple[str, str, str]
"""Column, entity, variable."""
Code = tuple[str, str, str, str, str]
"""Column, entity, variable, code, answer."""


@dataclass(frozen=True)
class Measured:
    """Counts of one source: approved, proposed and right, of pairs and of codes."""

    source: str
    pairs: tuple[int, int, int]
    codes: tuple[int, int, int]
    wrong: tuple[Pair, ...]
    missed: tuple[Pair, ...]


def measure(source: Source, files: list[tuple[DeliveredFile, DeliveredFile | None]]) -> Measured:
    """Scaffold the files of a source's delivery without its crosswalk, and compare."""
    proposed: list[MapRow] = []
    with tempfile.TemporaryDirectory() as folder:
        for n, (file, form) in enumerate(files):
            name = f"{source.source}_{n}"
            scaffold(file, form, source.country, name, Path(folder), hidden=source.source)
            proposed += load_source(name, Path(folder)).crosswalk
    approved = [row.model_copy(update={"column": _bare(row, source)}) for row in source.crosswalk]
    return compare(source.source, proposed, _pairs(approved), _codes(approved))


def _pairs(rows: Iterable[MapRow]) -> set[Pair]:
    read = (row for row in rows if row.rule != "constant" and row.variable and row.column)
    return {(row.column, row.entity, row.variable) for row in read}


def _codes(rows: Iterable[MapRow]) -> set[Code]:
    coded = (row for row in rows if row.column and row.code not in _NO_CODE and row.target)
    return {(row.column, row.entity, row.variable, row.code, row.target) for row in coded}


def compare(source: str, proposed: Iterable[MapRow], true_pairs: set[Pair], true_codes: set[Code]) -> Measured:
    """What was proposed against what is right."""
    rows = list(proposed)
    pairs, codes = _pairs(rows), _codes(rows)
    of_right_pairs = {code for code in codes if code[:3] in pairs & true_pairs}
    return Measured(
        source,
        (len(true_pairs), len(pairs), len(pairs & true_pairs)),
        (len(true_codes), len(of_right_pairs), len(codes & true_codes)),
        tuple(sorted(pairs - true_pairs)),
        tuple(sorted(true_pairs - pairs)),
    )


def _bare(row: MapRow, source: Source) -> str:
    """A joined table's column by its own name: each table of a database is scaffolded alone."""
    joined = bool(row.table and source.table(row.table).joins)
    return row.column.rpartition(".")[2] if joined else row.column


def deliveries(folder: Path, corpus: Path) -> Iterator[tuple[str, list[tuple[DeliveredFile, DeliveredFile | None]]]]:
    """Every source with its sample delivery, and the form beside it where there is one."""
    for sample in make_samples(folder):
        files: list[DeliveredFile] = [PlainFile(path) for path in sample.files]
        if sample.source == HND:
            yield sample.source, [(file, None) for file in _registry(folder)]
        else:
            forms = [file for file in files if "rss" in sample.source and "version" not in file.name]
            data = [file for file in files if file not in forms or len(files) == 1]
            yield sample.source, [(data[0], forms[0] if len(files) > 1 else None)]
    survey = corpus / "kobo" / "reach_iraq_returnees"
    if survey.is_dir():
        yield IRQ, [(PlainFile(survey / "raw_data.csv"), PlainFile(survey / "xlsform.xlsx"))]


def _registry(folder: Path) -> list[DeliveredFile]:
    """The tables of the Honduran database as files."""
    from warehouse.embedded import EmbeddedServer

    place = Path(tempfile.mkdtemp(dir=folder))
    server = EmbeddedServer(place / "postgres").start()
    try:
        url = server.url("warehouse")
        fill_hnd(url)
        for name, content in snapshot(load_source(HND), url):
            (place / name).write_bytes(b"".join(content))
    finally:
        server.stop()
    return [PlainFile(path) for path in sorted(place.glob("*.csv"))]


def shown(measured: list[Measured]) -> Table:
    """Precision and recall of each source and of all together."""
    table = Table("source", "pairs", "precision", "recall", "codes", "precision", "recall")
    totals = [
        tuple(map(sum, zip(*(getattr(one, what) for one in measured), strict=True))) for what in ("pairs", "codes")
    ]
    for name, counts in [*((one.source, (one.pairs, one.codes)) for one in measured), ("all", tuple(totals))]:
        cells = []
        for true, proposed, right in counts:
            cells += [f"{true:,}", f"{right / max(1, proposed):.2f}", f"{right / max(1, true):.2f}"]
        table.add_row(name, *cells)
    return table


def main() -> None:
    corpus = Path(os.environ.get("HOMEWARD_CORPUS", Path(__file__).resolve().parents[2] / "shared" / "data" / "open"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        measured = [measure(load_source(source), files) for source, files in deliveries(Path(folder), corpus)]
    Console(width=110).print(shown(measured))
    if "--pairs" in sys.argv:
        for one in measured:
            for what, pairs in (("wrong", one.wrong), ("missed", one.missed)):
                for pair in pairs:
                    print(one.source, what, *pair)


if __name__ == "__main__":
    main()
