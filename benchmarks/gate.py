"""How fast the gate is: rows a second of people the vault has never met, and of people it knows.

    python -m benchmarks.gate                           three rounds of 200,000 rows on two processes
    python -m benchmarks.gate --rows 1000000 --rounds 1 --linked 3

Alone: batches wait in memory, and each process passes its own through its own gate into one vault. Stage: stage 2 as a
delivery runs it, from the CSV to Parquet. Rows have four identifier columns; a person is found by the first --linked of
DUI, case number and phone. Beside the clock stands what the processors did, PostgreSQL included, for a machine on which
others work as well: rows for one second of each of two cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

import psutil

import connectors
from anonymization.gate import Gate
from anonymization.vault.vault import Vault
from assets.intake import Delivery
from assets.stages.pseudonymize import pseudonymize
from assets.workplace import Workplace
from benchmarks import population
from connectors.delivery import Part
from sources.batches import PlainFile, TextBatch
from sources.loader import load_source
from sources.models import Source

CORES = 2
LINKS = ("DUI", "EXPEDIENTE", "TELEFONO")


@dataclass(frozen=True)
class Pace:
    """Rows a second: by the clock, and by the processors' time if two cores had nothing else to do."""

    clock: float
    processor: float


class Watch:
    """Seconds of the clock and of the processors since it was last read."""

    def __init__(self, processes: Callable[[], list[psutil.Process]]) -> None:
        self._processes = processes
        self.start()

    def start(self) -> None:
        self._clock, self._processor = time.perf_counter(), self._spent()

    def lap(self, rows: int) -> Pace:
        """The pace since the start or the last lap."""
        clock, processor = time.perf_counter() - self._clock, self._spent() - self._processor
        self.start()
        return Pace(rows / clock, rows / processor * CORES)

    def _spent(self) -> float:
        """Processor seconds of the processes; of those that have ended, their parent knows."""
        return sum(sum(process.cpu_times()[:4]) for process in self._processes())


def tree(pid: int) -> list[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def alone(source: Source, workplace: Workplace, file: Path, rounds: int) -> dict[str, list[Pace]]:
    """Batches in memory; each round has people of its own and passes them twice."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(CORES + 1)
    (table,) = source.tables
    parts = connectors.open_delivery((PlainFile(file),), source).parts(table.name, CORES)
    workers = [context.Process(target=_pass, args=(workplace.vault, source, part, rounds, barrier)) for part in parts]
    for worker in workers:
        worker.start()
    pids = [worker.pid for worker in workers if worker.pid] + [postmaster(workplace.home)]
    rows = _rows(file) // rounds
    paces: dict[str, list[Pace]] = {"new": [], "known": []}
    barrier.wait()
    watch = Watch(lambda: [process for pid in pids for process in tree(pid)])
    for _ in range(rounds):
        for measured in paces.values():
            barrier.wait()
            measured.append(watch.lap(rows))
    for worker in workers:
        worker.join()
    return paces


def _pass(vault: Vault, source: Source, part: Part, rounds: int, barrier: Barrier) -> None:
    batches = list(part.batches())
    barrier.wait()
    for number in range(rounds):
        mine = batches[number * len(batches) // rounds : (number + 1) * len(batches) // rounds]
        for _ in ("new", "known"):
            _pass_all(Gate(source, vault), mine)
            barrier.wait()


def _pass_all(gate: Gate, batches: list[TextBatch]) -> None:
    for batch in batches:
        gate.pass_batch(batch)


def stage(source: Source, workplace: Workplace, files: list[Path]) -> dict[str, list[Pace]]:
    """Stage 2 as a whole: each file as a first delivery, and once more."""
    paces: dict[str, list[Pace]] = {"new": [], "known": []}
    watch = Watch(lambda: [*tree(psutil.Process().pid), *tree(postmaster(workplace.home))])
    for number, file in enumerate(files):
        for kind, measured in paces.items():
            key = f"2026-01-{number + 1:02d}-{kind}"
            delivery = Delivery(source, key, "", date(2026, 1, 1), (PlainFile(file),))
            watch.start()
            pseudonymize(workplace, delivery)
            measured.append(watch.lap(_rows(file)))
    return paces


def _rows(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b"")) - 1


def _say(name: str, paces: dict[str, list[Pace]]) -> None:
    for kind, measured in paces.items():
        clock, processor = median(p.clock for p in measured), median(p.processor for p in measured)
        print(f"{name:6} {kind:6} {clock:>9,.0f} rows/s  ({processor:>9,.0f} by processor time; runs: {len(measured)})")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the gate.")
    parser.add_argument("--rows", type=int, default=200_000, help="of one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--linked", type=int, default=1, choices=range(1, len(LINKS) + 1))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="homeward-gate-") as name:
        folder = Path(name)
        population.write_source(folder / "sources", LINKS[: given.linked])
        source = load_source(population.SOURCE, folder / "sources")
        file = folder / "registry.csv"
        population.write_delivery(file, given.rows * given.rounds)
        workplace = Workplace(folder / "alone", workers=CORES)
        workplace.server.start()
        _say("alone", alone(source, workplace, file, given.rounds))
        workplace.server.stop()
        files = [folder / f"registry{number}.csv" for number in range(given.rounds)]
        for number, one in enumerate(files):
            population.write_delivery(one, given.rows, seed=number, first=number * given.rows)
        workplace = Workplace(folder / "stage", workers=CORES)
        workplace.server.start()
        _say("stage", stage(source, workplace, files))
        workplace.server.stop()


if __name__ == "__main__":
    main()
