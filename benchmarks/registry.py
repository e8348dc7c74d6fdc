"""`make bench`: a 1M-row registry delivery from inbox to published against a raw COPY of the same file.

Whole processes are timed, the command line as a data engineer would run it. Memory is the proportional set size of all
of Homeward's processes, sampled; PostgreSQL's own is told apart. Writes `benchmarks/results.json`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
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
        while not done.wait(0.1):
            own, database = 0.0, 0.0
            for process in _tree(self.pid):
                try:
                    size = process.memory_full_info().pss / 2**20
                    of_postgres = process.name().startswith("postgres")
                except psutil.Error:
                    continue
                own, database = (own, database + size) if of_postgres else (own + size, database)
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


def seconds_by_stage(home: Path) -> dict[str, float]:
    """From the ledger's events: how long after the state before it each state was reached."""
    server = EmbeddedServer(home / "postgres").start()
    try:
        with psycopg.connect(ledger_url(home)) as ledger:
            events = ledger.execute("SELECT event, at FROM audit.delivery_event ORDER BY event_id").fetchall()
    finally:
        server.release()
    pairs = itertools.pairwise(events)
    return {event: round((at - before).total_seconds(), 2) for (_, before), (event, at) in pairs}


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


def delivery(csv_file: Path, home: Path) -> tuple[float, dict[str, float], Peak]:
    """Seconds from inbox to published of one first delivery into a new home, seconds by stage, and the peaks."""
    environment = os.environ | {"HOMEWARD_HOME": str(home), "HOMEWARD_SOURCES": str(home.parent / "sources")}
    homeward = [sys.executable, "-m", "pipelines.cli"]
    deliver = [*homeward, "deliver", str(csv_file), "--source", population.SOURCE]
    subprocess.run(deliver, env=environment, check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)
    run = [*homeward, "run", "--source", population.SOURCE, "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(run, env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL)
    peak, done = Peak(process.pid, home), threading.Event()
    watcher = threading.Thread(target=peak.watch, args=(done,))
    watcher.start()
    code = process.wait()
    elapsed = time.perf_counter() - start
    done.set()
    watcher.join()
    if code not in (0, 1):
        raise SystemExit(f"homeward run ended with {code}")
    return elapsed, seconds_by_stage(home), peak


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
        seconds, by_stage, peak = delivery(file, folder / "var")
        print(
            f"inbox to published {seconds:.1f} s = {seconds / copy:.1f} x COPY;"
            f" peak {peak.homeward:.0f} MB (+ {peak.postgres:.0f} MB PostgreSQL)"
        )
        results = {
            "rows": options.rows,
            "cores": os.cpu_count(),
            "seconds_copy": round(copy, 2),
            "seconds": round(seconds, 2),
            "ratio_to_copy": round(seconds / copy, 2),
            "peak_mb": round(peak.homeward),
            "peak_mb_by_stage": {stage: round(size) for stage, size in peak.by_stage.items()},
            "peak_mb_postgres": round(peak.postgres),
            "seconds_by_stage": by_stage,
        }
        if not options.no_growth:
            population.write_delivery(file, 4 * options.rows)
            larger, _, larger_peak = delivery(file, folder / "var4")
            results |= {"growth_4m_over_1m": round(larger / seconds, 2), "peak_mb_4m": round(larger_peak.homeward)}
            print(f"four times the rows: {larger:.1f} s = {larger / seconds:.2f} x; peak {larger_peak.homeward:.0f} MB")
    print(" | ".join(f"{stage} {seconds} s" for stage, seconds in by_stage.items()))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
