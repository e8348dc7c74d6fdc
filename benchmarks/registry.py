"""`make bench`: a 1M-row registry delivery from inbox to published against a raw COPY of the same file.

Whole processes are timed, the command line as a data engineer would run it. Memory is the proportional set size of all
of Homeward's processes, sampled; PostgreSQL's own is told apart. Writes `benchmarks/results.json`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil
import psycopg

from benchmarks import population
from warehouse.embedded import EmbeddedServer
from warehouse.ledger import WAY

PROJECT = Path(__file__).resolve().parent.parent
NEXT_STAGE = dict(itertools.pairwise(WAY))
RESULTS = Path(__file__).with_name("results.json")


@dataclass
class Peak:
    """Largest memory of a tree of processes as it runs, in MB: as a whole, and per stage of the ledger."""

    pid: int
    home: Path
    homeward: float = 0.0
    postgres: float = 0.0
    by_stage: dict[str, float] = field(default_factory=dict)

    def watch(self, done: threading.Event) -> None:
        ledger = None
        while not done.wait(0.5):  # walking the page tables slows down what is measured
            own, database = _size(_tree(self.pid)), _size(_tree(_postmaster(self.home)))
            self.homeward, self.postgres = max(self.homeward, own), max(self.postgres, database)
            try:
                ledger = ledger or psycopg.connect(ledger_url(self.home), autocommit=True)
                row = ledger.execute("SELECT state FROM audit.delivery").fetchone()
            except psycopg.Error:
                ledger, row = None, None
            stage = NEXT_STAGE.get(row[0], "marts") if row else "start"
            self.by_stage[stage] = max(self.by_stage.get(stage, 0.0), own)


def ledger_url(home: Path) -> str:
    return f"postgresql://postgres@/warehouse?host={home / 'postgres'}"


def seconds_by_stage(home: Path, started: float) -> dict[str, float]:
    """From the ledger's events, how long each stage took; `received` has the start of the program in it.

    The last event of a delivery is written when its marked return lies in the outbox.
    """
    with psycopg.connect(ledger_url(home)) as ledger:
        events = ledger.execute("SELECT event, extract(epoch FROM at)::float8 FROM audit.delivery_event ORDER BY 2")
        reached = {event.removesuffix("_again"): at for event, at in events}
    ends = [started, *(reached[state] for state in WAY)]
    return {state: round(end - begin, 2) for state, (begin, end) in zip(WAY, itertools.pairwise(ends), strict=True)}


def _postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def _size(processes: list[psutil.Process]) -> float:
    """Proportional set size in MB: shared pages are counted once."""
    size = 0.0
    for process in processes:
        try:
            size += process.memory_full_info().pss / 2**20
        except psutil.Error:
            continue
    return size


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def raw_copy(csv_file: Path, home: Path, runs: int = 3) -> float:
    """Median seconds of COPY of the file into an unlogged text table of the same server settings."""
    server = EmbeddedServer(home / "copy" / "postgres").start()
    names = ", ".join(f'"{name}" text' for name in population.columns())
    seconds = []
    try:
        with psycopg.connect(server.url("warehouse").replace("+psycopg", ""), autocommit=True) as connection:
            for _ in range(runs):
                connection.execute("DROP TABLE IF EXISTS raw_copy")
                connection.execute(f"CREATE UNLOGGED TABLE raw_copy ({names})")
                start = time.perf_counter()
                with (
                    connection.cursor() as cursor,
                    csv_file.open("rb") as file,
                    cursor.copy("COPY raw_copy FROM STDIN (FORMAT csv, HEADER, DELIMITER ';')") as copy,
                ):
                    while block := file.read(1 << 20):
                        copy.write(block)
                seconds.append(time.perf_counter() - start)
    finally:
        server.stop()
    return median(seconds)


@dataclass(frozen=True)
class Measured:
    """One first delivery into a new home. `seconds`: from the command to the marked return; `marts`: after that."""

    seconds: float
    by_stage: dict[str, float]
    marts: float | None
    peak: Peak


def delivery(csv_file: Path, home: Path, with_marts: bool) -> Measured:
    """Deliver `csv_file` into a new home and run it, as a data engineer would on the command line."""
    environment = os.environ | {"HOMEWARD_HOME": str(home), "HOMEWARD_SOURCES": str(home.parent / "sources")}
    homeward = [sys.executable, "-m", "pipelines.cli"]
    run = [*homeward, "run", "--source", population.SOURCE, "--json"]
    # A home that is set up: schemas and Dagster's storage are made once, not for each delivery.
    subprocess.run(run, env=environment, check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)
    deliver = [*homeward, "deliver", str(csv_file), "--source", population.SOURCE]
    subprocess.run(deliver, env=environment, check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)
    server = EmbeddedServer(home / "postgres").start()
    try:
        started = time.time()
        process = subprocess.Popen(run, env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL)
        peak, done = Peak(process.pid, home), threading.Event()
        watcher = threading.Thread(target=peak.watch, args=(done,))
        watcher.start()
        returned = home / "outbox" / population.SOURCE
        while process.poll() is None and (with_marts or not any(returned.glob("*/return.json"))):
            time.sleep(0.2)
        if not with_marts:
            time.sleep(1)  # the last event is written just after the return
            process.terminate()
        code = process.wait()
        ended = time.time()
        done.set()
        watcher.join()
        if with_marts and code not in (0, 1):
            raise SystemExit(f"homeward run ended with {code}")
        by_stage = seconds_by_stage(home, started)
    finally:
        server.stop()
    seconds = sum(by_stage.values())
    return Measured(seconds, by_stage, ended - started - seconds if with_marts else None, peak)


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--no-growth", action="store_true", help="leave out the run of four times the rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="homeward-bench-") as name:
        folder = Path(name)
        population.write_source(folder / "sources")
        file = folder / "registry.csv"
        population.write_delivery(file, options.rows)
        copy = raw_copy(file, folder)
        print(f"{options.rows:,} rows, {file.stat().st_size / 2**20:.0f} MB; raw COPY {copy:.2f} s")
        first = delivery(file, folder / "var", with_marts=True)
        peak = first.peak
        print(
            f"inbox to published {first.seconds:.1f} s = {first.seconds / copy:.1f} x COPY,"
            f" then marts {first.marts:.1f} s; peak {peak.homeward:.0f} MB (+ {peak.postgres:.0f} MB PostgreSQL)"
        )
        results = {
            "rows": options.rows,
            "cores": os.cpu_count(),
            "seconds_copy": round(copy, 2),
            "seconds": round(first.seconds, 2),
            "ratio_to_copy": round(first.seconds / copy, 2),
            "peak_mb": round(peak.homeward),
            "peak_mb_by_stage": {stage: round(size) for stage, size in peak.by_stage.items()},
            "peak_mb_postgres": round(peak.postgres),
            "seconds_by_stage": first.by_stage,
            "seconds_marts": round(first.marts or 0, 2),
        }
        if not options.no_growth:
            shutil.rmtree(folder / "var")
            population.write_delivery(file, 4 * options.rows)
            larger = delivery(file, folder / "var4", with_marts=False)
            growth = larger.seconds / first.seconds
            results |= {"growth_4m_over_1m": round(growth, 2), "peak_mb_4m": round(larger.peak.homeward)}
            print(f"four times the rows: {larger.seconds:.1f} s = {growth:.2f} x; peak {larger.peak.homeward:.0f} MB")
    print(" | ".join(f"{stage} {seconds} s" for stage, seconds in first.by_stage.items()))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
