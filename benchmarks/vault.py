"""How long the vault takes to answer when it knows millions: `Vault.link` of batches of 50,000 rows.

    python -m benchmarks.vault                                    one million persons, in a folder that is thrown away
    python -m benchmarks.vault --persons 10000000 --home FOLDER   ten million; FOLDER is kept, and used again

The vault is filled by `Vault.link` itself, two processes at a time, asked as it is then, and asked again after what the
house does at the end of a delivery (`upkeep.keep_up`) and once a week (`upkeep.put_in_order`). Batches of persons it
knows, of new ones and of both are linked: warm, as a house at work answers; right after a restart of PostgreSQL; and
cold, which is after a restart with its files out of the system's cache as well, as after one of the machine.
Every person has two identifiers and one sealed record; blind indexes are made here, hashing is the gate's business.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from anonymization.keys.pseudonyms import from_bytes
from anonymization.vault.enrolment import Claim, Statement
from anonymization.vault.upkeep import keep_up, put_in_order
from anonymization.vault.vault import Vault
from assets.workplace import Workplace
from benchmarks.gate import Watch, postmaster, tree

BATCH = 50_000
COUNTRY, ORIGIN = "SLV", "slv/bench_vault main"
FIELDS = ("slv_dui", "case_number NUMBER@slv/bench_vault")
RESTARTED = ("restarted", "cold")
NEW_FROM = 1 << 40
"""Numbers of persons that no earlier run has made begin above this one."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answer:
    """One batch: seconds of the clock, and of the processors."""

    clock: float
    processor: float


def claims(numbers: Numbers) -> list[Claim]:
    """The identifiers of persons as blind indexes: as random as those of the gate, and known by the person's number."""
    return [Claim(field, _index(field, numbers).dictionary_encode()) for field in FIELDS]


def _index(field: str, numbers: Numbers) -> pa.Array:
    blocks = np.zeros((len(numbers), 2), dtype=np.int64)
    blocks[:, 0] = numbers
    cipher = Cipher(algorithms.AES(field.encode().ljust(64)[:32]), modes.ECB()).encryptor()
    return from_bytes(cipher.update(blocks.tobytes()) + cipher.finalize())


def records(numbers: Numbers) -> pa.Array:
    """What is sealed for each person: a JSON object of 128 bytes, as of a registry's four identifiers."""
    filled = pc.binary_join_element_wise('{"NUMBER":"', pa.array(numbers).cast(pa.string()), '","NAME":"', "")
    return pc.utf8_rpad(filled, 128, "x")


def link(vault: Vault, numbers: Numbers) -> pa.Array:
    """Tokens of the persons."""
    return vault.link(Statement(COUNTRY, ORIGIN, claims(numbers), records(numbers))).tokens


def fill(workplace: Workplace, persons: int) -> None:
    """Grow the vault to `persons`; numbers that it has are left out."""
    have = count(workplace.vault)
    starts = range(have, persons, BATCH)
    work = [(workplace.vault, start, min(start + BATCH, persons)) for start in starts]
    if not work:
        return
    began = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for done, _ in enumerate(pool.imap_unordered(_fill, work), start=1):
            if done % 40 == 0:
                print(f"{done * BATCH:,} persons in {time.perf_counter() - began:.0f} s", flush=True)
    seconds = time.perf_counter() - began
    print(f"filled from {have:,} to {persons:,} persons: {(persons - have) / seconds:,.0f} persons/s on two processes")


def _fill(work: tuple[Vault, int, int]) -> None:
    vault, start, end = work
    link(vault, np.arange(start, end))


def count(vault: Vault) -> int:
    with vault.transaction() as cursor:
        (persons,) = cursor.execute("SELECT count(*) FROM vault.person").fetchone() or (0,)
    return int(persons)


def batches(kind: str, persons: int, random: np.random.Generator) -> Iterator[Numbers]:
    """Persons of a kind, in no order; a new one is in no other batch of any run."""
    while True:
        known = random.choice(persons, BATCH, replace=False)
        new = NEW_FROM + time.time_ns() // 1000 * BATCH % NEW_FROM + np.arange(BATCH)
        share = {"known": 0, "mixed": BATCH // 2, "new": BATCH}[kind]
        yield random.permutation(np.concatenate([known[share:], new[:share]]))


def ask(workplace: Workplace, kind: str, persons: int, times: int, when: str) -> list[Answer]:
    random = np.random.default_rng()
    answers = []
    for numbers, _ in zip(batches(kind, persons, random), range(times), strict=False):
        if when in RESTARTED:
            restart(workplace, forget=when == "cold")
        said, spoken = claims(numbers), records(numbers)
        vault = workplace.vault
        watch = Watch(lambda: [*tree(os.getpid()), *tree(postmaster(workplace.home))])
        began = time.perf_counter()
        vault.link(Statement(COUNTRY, ORIGIN, said, spoken))
        clock = time.perf_counter() - began
        answers.append(Answer(clock, 2 * BATCH / watch.lap(BATCH).processor))
    return answers


def restart(workplace: Workplace, forget: bool) -> None:
    """PostgreSQL anew; `forget`: and its files out of the system's cache."""
    workplace.vault._engine.dispose()
    workplace.vault._beside_engine.dispose()
    workplace.server.stop()
    for path in (workplace.home / "postgres" / "base").rglob("*"):
        if forget and path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    workplace.server.start()
    count_nothing = workplace.vault.transaction()
    with count_nothing as cursor:  # connected: what is timed is the vault's answer
        cursor.execute("SELECT 1")


def report(when: str, kind: str, answers: list[Answer]) -> None:
    clock, processor = median(a.clock for a in answers), median(a.processor for a in answers)
    print(
        f"{when} {kind:6} {BATCH:,} rows in {clock:.2f} s ({processor:.2f} s of the processors),"
        f" {BATCH / clock:,.0f} rows/s; first {answers[0].clock:.2f} s ({answers[0].processor:.2f}),"
        f" worst {max(a.clock for a in answers):.2f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the vault.")
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="kept, and used again if it has so many persons")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="homeward-vault-") as name:
        workplace = Workplace((given.home or Path(name)).resolve())
        workplace.server.start()
        fill(workplace, given.persons)
        report("just filled", "known", ask(workplace, "known", given.persons, given.times, "warm"))
        for keep in (keep_up, put_in_order):
            began = time.perf_counter()
            kept = keep(workplace.vault)
            print(f"{keep.__name__} of {', '.join(kept) or 'nothing'}: {time.perf_counter() - began:.1f} s", flush=True)
        for when in ("warm", *RESTARTED):
            for kind in ("known", "mixed", "new"):
                report(when, kind, ask(workplace, kind, given.persons, given.times, when))
        workplace.server.stop()


if __name__ == "__main__":
    main()
