"""How well the same person is found again: precision and recall per script, on populations nobody tuned by hand.

    python -m benchmarks.linkage                        all populations, every script, 20,000 records each
    python -m benchmarks.linkage --records 1000000 --script latin_spanish
    python -m benchmarks.linkage --data FILE.csv        a population of your own

FILE.csv has the columns record_id, entity_id (the truth), birth_date (YYYY, YYYY-MM or YYYY-MM-DD) and any of given,
father, grandfather, family, full, sex, phone, place. What is measured is the vault's own way: names folded, splink,
rounds; a pair is found if both records end as one person without an officer, missed or `asked` if it waits for one.
Seconds are the processor's.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from anonymization.linkage import features, rounds, similarity
from anonymization.linkage.names import fold
from benchmarks.namesakes import STYLES, Population
from benchmarks.registers import Registers
from benchmarks.returnees import SCRIPTS, Returnees

POPULATIONS: dict[str, tuple[Callable[[str, int, int], Population | Registers | Returnees], Sequence[str]]] = {
    "namesakes": (Population, tuple(STYLES)),
    "registers": (Registers, tuple(STYLES)),
    "returnees": (Returnees, SCRIPTS),
}


def persons(records: Iterable[dict[str, str]]) -> tuple[pa.Table, np.ndarray]:
    """Records as the vault compares them, and whose they are."""
    columns: dict[str, list[str | None]] = {name: [] for name in features.PERSONS.names[1:]}
    truth = []
    for record in records:
        for role in features.ROLES:
            columns[role].append(fold(record.get(role) or "") or None)
        columns["born"].append(record.get("birth_date") or None)
        for name in ("sex", "phone", "place", "number"):
            columns[name].append(record.get(name) or None)
        truth.append(record["entity_id"])
    ids = pa.array(range(len(truth)), pa.int64())
    codes = np.unique(np.array(truth), return_inverse=True)[1]
    return pa.table({"person_id": ids, **columns}, schema=features.PERSONS), codes


def measure(name: str, records: Iterable[dict[str, str]]) -> tuple[float, float]:
    started = time.process_time()
    table, truth = persons(records)
    prepared = features.prepared(table)
    frequencies = similarity.no_frequencies()
    frequencies.add(prepared)
    read = time.process_time()
    pairs = similarity.compare(prepared, len(table), frequencies)
    one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
    same = np.array(pairs["band"].to_pylist()) == similarity.SAME
    settled = rounds.settle(one, other, pairs["weight"].to_numpy(), same, similarity.rules())
    group = _components(len(table), one[settled.merged], other[settled.merged])
    found, right = _pairs(group), _pairs(np.stack([group, truth]))
    wanted = _pairs(truth)
    asked = int(np.sum(truth[one[settled.waiting]] == truth[other[settled.waiting]]))
    precision, recall = right / max(1, found), right / max(1, wanted)
    done = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:27} records {len(table):>9,}  true pairs {wanted:>8,}  precision {precision:.4f}  recall {recall:.4f}"
        f"  asked {len(settled.waiting):>6,} (right {asked:,})  folded {read - started:.1f} s"
        f"  compared {done - read:.1f} s  peak {peak:,.0f} MB",
        flush=True,
    )
    return precision, recall


def _components(size: int, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(one), dtype=np.int8), (one, other)), shape=(size, size))
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels


def _pairs(labels: np.ndarray) -> int:
    """Pairs of records with equal labels (of each row of `labels`, if there are two)."""
    counts = Counter(map(tuple, labels.T.tolist())) if labels.ndim == 2 else Counter(labels.tolist())
    return sum(n * (n - 1) // 2 for n in counts.values())


def read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure linkage, per script.")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--script", choices=sorted({*STYLES, *SCRIPTS}), action="append")
    parser.add_argument("--population", choices=sorted(POPULATIONS), action="append")
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--data", type=Path, help="a CSV of records with their true person")
    given = parser.parse_args()
    if given.data:
        measure(given.data.stem, read(given.data))
        return
    for population in given.population or POPULATIONS:
        made, scripts = POPULATIONS[population]
        for script in [name for name in scripts if name in (given.script or scripts)]:
            for seed in given.seed or (1,):
                measure(f"{population} {script} {seed}", made(script, given.records, seed).records())


if __name__ == "__main__":
    main()
