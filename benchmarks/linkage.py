"""How well the same person is found again: precision and recall per script, on populations nobody tuned by hand.

    python -m benchmarks.linkage                        all populations, every script, 20,000 records each
    python -m benchmarks.linkage --records 1000000 --script latin_spanish
    python -m benchmarks.linkage --data FILE.csv        a population of your own

FILE.csv is read as docs/same-person.md tells (`handed_over`). What is measured is the vault's own way: exact national
numbers first, names folded, splink, rounds, all within a country; a pair is found if both records end as one person
without an officer. A pair that waits for one (`asked`) counts as missed. Seconds are the processor's, then the clock's.
What a long run has done so far is told on stderr.
"""

from __future__ import annotations

import argparse
import logging
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from anonymization.linkage import features, rounds, similarity
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.names import fold, fold_place
from anonymization.linkage.roster import Roster
from benchmarks.handed_over import Unreadable, read
from benchmarks.namesakes import STYLES, Population
from benchmarks.registers import Registers
from benchmarks.returnees import SCRIPTS, Returnees

POPULATIONS: dict[str, tuple[Callable[[str, int, int], Population | Registers | Returnees], Sequence[str]]] = {
    "namesakes": (Population, tuple(STYLES)),
    "registers": (Registers, tuple(STYLES)),
    "returnees": (Returnees, SCRIPTS),
}


_PAGE = 20_000
_LOG = logging.getLogger(__name__)


def persons(records: Iterable[dict[str, str]]) -> tuple[pa.Table, np.ndarray]:
    """Records as the vault compares them, and whose they are."""
    pages: list[pa.Table] = []
    truth: list[str] = []
    waiting = iter(records)
    while page := list(islice(waiting, _PAGE)):
        columns: dict[str, list[str | None]] = {name: [] for name in features.PERSONS.names[1:]}
        for record in page:
            for role in features.ROLES:
                columns[role].append(fold(record.get(role) or "") or None)
            columns["born"].append(record.get("birth_date") or None)
            columns["place"].append(fold_place(record.get("place") or "") or None)
            for name in ("sex", "phone", "number"):
                columns[name].append(record.get(name) or None)
        ids = pa.array(range(len(truth), len(truth) + len(page)), pa.int64())
        pages.append(pa.table({"person_id": ids, **columns}, schema=features.PERSONS))
        truth += [record["entity_id"] for record in page]
    codes = np.unique(np.array(truth), return_inverse=True)[1]
    return pa.concat_tables(pages), codes


def prepared(table: pa.Table) -> tuple[Roster, Frequencies]:
    """What is compared of persons, made page by page, and how frequent it is."""
    frequencies = similarity.no_frequencies()

    def pages() -> Iterator[pa.Table]:
        for start in range(0, len(table), _PAGE):
            page = features.prepared(table.slice(start, _PAGE))
            frequencies.add(page)
            yield page
            _LOG.info("%d of %d persons prepared", min(start + _PAGE, len(table)), len(table))

    return Roster.of(pages()), frequencies


def measure(name: str, records: Iterable[dict[str, str]]) -> tuple[float, float]:
    """Precision and recall of records without identifiers, printed."""
    start = _now()
    table, truth = persons(records)
    linked = _Linked(table, start)
    return _told(name, linked, linked.group, truth, int(np.sum(truth[linked.one] == truth[linked.other])))


def measure_file(path: Path) -> None:
    """The same of records that were handed over, by country and, within it, by script."""
    countries, ignored = read(path)
    _LOG.warning("columns not read: %s; cells that are none of their kind: %s", *ignored)
    for country in countries:
        linked = _Linked(country.persons, _now())
        group = linked.group[country.person]
        first = np.unique(country.person, return_index=True)[1]
        right = int(np.sum(country.truth[first[linked.one]] == country.truth[first[linked.other]]))
        scripts = np.unique(country.scripts)
        for script in scripts.tolist() if len(scripts) > 1 else ():
            of = country.scripts == script
            quality = _quality(group[of], country.truth[of])
            print(f"{script:27} records {int(of.sum()):>9,}  {quality}")
        _told(f"{path.stem} {country.name}", linked, group, country.truth, right)


class _Linked:
    """Persons linked the vault's way: of each its `group`; `one` and `other` of the pairs that wait; what it took."""

    def __init__(self, table: pa.Table, start: tuple[float, float]) -> None:
        times, size = [start], len(table)
        everybody, frequencies = prepared(table)
        times.append(_now())
        pairs = similarity.compare(everybody, size, frequencies)
        times.append(_now())
        one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
        same = np.array(pairs["band"].to_pylist()) == similarity.SAME
        settled = rounds.settle(one, other, pairs["weight"].to_numpy(), same, similarity.rules())
        self.group = _components(size, one[settled.merged], other[settled.merged])
        self.one, self.other = one[settled.waiting], other[settled.waiting]
        times.append(_now())
        self.took = [f"{used:.1f} s ({clock:.0f})" for used, clock in np.diff(np.array(times), axis=0).tolist()]


def _told(name: str, linked: _Linked, group: np.ndarray, truth: np.ndarray, right: int) -> tuple[float, float]:
    quality = _quality(group, truth)
    folded, compared, joined = linked.took
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:27} records {len(truth):>9,}  {quality}"
        f"  asked {len(linked.one):>6,} (right {right:,})  made and folded {folded}  compared {compared}"
        f"  joined {joined}  peak {peak:,.0f} MB",
        flush=True,
    )
    return quality.precision, quality.recall


class _Quality(NamedTuple):
    pairs: int
    precision: float
    recall: float

    def __str__(self) -> str:
        return f"true pairs {self.pairs:>8,}  precision {self.precision:.4f}  recall {self.recall:.4f}"


def _quality(group: np.ndarray, truth: np.ndarray) -> _Quality:
    codes = np.unique(truth, return_inverse=True)[1]
    found, right, wanted = _pairs(group), _pairs(np.stack([group, codes])), _pairs(codes)
    return _Quality(wanted, right / max(1, found), right / max(1, wanted))


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


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


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure linkage, per script.")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--script", choices=sorted({*STYLES, *SCRIPTS}), action="append")
    parser.add_argument("--population", choices=sorted(POPULATIONS), action="append")
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--data", type=Path, help="a CSV of records with their true person")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    for told in (_LOG, logging.getLogger(similarity.__name__)):
        told.setLevel(logging.INFO if given.data or given.records > 50_000 else logging.WARNING)
    if given.data:
        try:
            measure_file(given.data)
        except (Unreadable, OSError) as error:
            parser.error(str(error))
        return
    asked = [
        (population, script)
        for population in given.population or POPULATIONS
        for script in POPULATIONS[population][1]
        if script in (given.script or POPULATIONS[population][1])
    ]
    if not asked:
        scripts = {population: " ".join(POPULATIONS[population][1]) for population in given.population or POPULATIONS}
        parser.error(f"no population has that script: {scripts}")
    for population, script in asked:
        for seed in given.seed or (1,):
            made = POPULATIONS[population][0](script, given.records, seed)
            measure(f"{population} {script} {seed}", made.records())


if __name__ == "__main__":
    main()
