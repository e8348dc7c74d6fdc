"""How long the vault takes to recognise a batch among the persons of a country: seconds and peak memory.

    python -m benchmarks.recognition                                   50,000 records against a vault of 200,000
    python -m benchmarks.recognition --persons 20000 --batch 5000

Records are those of `namesakes`, in no order, so that many a person of the batch is known under another token. Each has
an identifier of its own: all that is recognised is recognised by `person.similar`. Folding is the gate's business and
is not counted. The vault lies in a folder that is thrown away.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from anonymization.keys.pseudonyms import from_bytes
from anonymization.linkage.likeness import LIKENESS
from anonymization.vault.enrolment import Claim, Statement
from anonymization.vault.vault import Vault
from assets.workplace import Workplace
from benchmarks.gate import postmaster, tree
from benchmarks.linkage import persons
from benchmarks.namesakes import STYLES, Population

BATCH = 50_000
COUNTRY, ORIGIN, FIELD = "SLV", "slv/bench_recognition main", "case_number NUMBER@slv/bench_recognition"


def enrol(vault: Vault, said: pa.Table) -> None:
    for start in range(0, len(said), BATCH):
        rows = said.slice(start, BATCH).combine_chunks()
        identifiers = from_bytes(os.urandom(16 * len(rows)))
        vault.link(Statement(COUNTRY, ORIGIN, [Claim(FIELD, identifiers.dictionary_encode())], None, rows))


def recognise(workplace: Workplace, what: str, said: pa.Table) -> None:
    """Enrol and compare; print what each took."""
    times = [_now(workplace)]
    enrol(workplace.vault, said)
    times.append(_now(workplace))
    done = workplace.vault.recognise(COUNTRY)
    times.append(_now(workplace))
    enrolled, compared = (f"{used:.1f} s ({clock:.0f})" for used, clock in np.diff(np.array(times), axis=0).tolist())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: {len(said):,} persons enrolled {enrolled}, compared {compared},"
        f" {done.merged:,} joined, {done.waiting:,} wait; peak {peak:,.0f} MB",
        flush=True,
    )


def _now(workplace: Workplace) -> tuple[float, float]:
    """Seconds of the processors, those of PostgreSQL's server included, and of the clock."""
    processes = [*tree(os.getpid()), *tree(postmaster(workplace.home))]
    return sum(sum(process.cpu_times()[:4]) for process in processes), time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure recognition in the vault.")
    parser.add_argument("--persons", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--script", choices=tuple(STYLES), default="latin_spanish")
    given = parser.parse_args()
    table, _ = persons(Population(given.script, given.persons + given.batch).records())
    shuffled = table.select(LIKENESS.names).take(np.random.default_rng(1).permutation(len(table)))
    with tempfile.TemporaryDirectory(prefix="homeward-recognition-") as name:
        workplace = Workplace(Path(name).resolve())
        workplace.server.start()
        try:
            recognise(workplace, "into an empty vault", shuffled.slice(0, given.persons))
            recognise(workplace, f"among {given.persons:,}", shuffled.slice(given.persons, given.batch))
        finally:
            workplace.server.stop()


if __name__ == "__main__":
    main()
