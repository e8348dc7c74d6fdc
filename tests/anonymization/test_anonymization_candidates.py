"""Who is compared with whom, and who is dropped before names are compared in full."""

from itertools import combinations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from anonymization.linkage import candidates, features, sieve, similarity
from anonymization.linkage.roster import Roster
from anonymization.linkage.sieve import Sieve
from benchmarks.linkage import persons
from benchmarks.registers import Registers


def made(keys: list[list[str]], asked: list[bool] | None = None, crowd: int = 40) -> list[tuple[int, int]]:
    """Pairs of rows, as often as they are made."""
    numbers = candidates.numbered(pa.array(keys, pa.list_(pa.string())))
    parts = candidates.in_parts(numbers, np.array(asked or [True] * len(keys), dtype=bool), crowd)
    return sorted(
        (min(a, b), max(a, b)) for one, other in parts for a, b in zip(one.tolist(), other.tolist(), strict=True)
    )


def test_who_shares_a_key_is_a_pair() -> None:
    assert made([["a", "b"], ["b"], ["c"], ["a"]]) == [(0, 1), (0, 3)]


def test_a_pair_of_two_keys_is_made_once() -> None:
    assert made([["a", "b"], ["a", "b"], []]) == [(0, 1)]


def test_a_key_of_a_crowd_finds_nobody() -> None:
    assert made([["a", "b"], ["a", "b"], ["a"]], crowd=2) == [(0, 1)]


def test_one_of_a_pair_is_asked_for() -> None:
    assert made([["a"], ["a"], ["a"]], [False, False, True]) == [(0, 2), (1, 2)]


def test_nobody_is_a_pair_with_nobody() -> None:
    assert made([]) == []
    assert made([["a"], []]) == []


def test_parts_hold_every_pair_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_PART", 7)
    rng = np.random.default_rng(3)
    keys = [sorted({str(key) for key in rng.integers(0, 40, 4)}) for _ in range(100)]
    asked = (rng.random(100) < 0.6).tolist()
    wanted = [(a, b) for a, b in combinations(range(100), 2) if (asked[a] or asked[b]) and set(keys[a]) & set(keys[b])]
    assert made(keys, asked) == wanted


def test_who_is_dropped_early_would_have_been_dropped_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    table, _ = persons(Registers("arabic", 1_000, seed=5).records())
    prepared = features.prepared(table)
    counted = similarity.no_frequencies()
    counted.add(prepared)
    dropped: list[int] = []
    passed = Sieve.passed

    def count(self: Sieve, connection: duckdb.DuckDBPyConnection, persons: Roster, pairs: pa.Table) -> pa.Table:
        left = passed(self, connection, persons, pairs)
        dropped.append(len(pairs) - len(left))
        return left

    monkeypatch.setattr(sieve, "_WORTHWHILE", 1)
    monkeypatch.setattr(sieve, "_AT_ONCE", 1_000)
    monkeypatch.setattr(Sieve, "passed", count)
    early = similarity.compare(Roster.of([prepared]), 1_000_000, counted)
    monkeypatch.setattr(Sieve, "passed", lambda self, connection, persons, pairs: pairs)
    late = similarity.compare(Roster.of([prepared]), 1_000_000, counted)
    order = [("one", "ascending"), ("other", "ascending")]
    assert sum(dropped) > 1_000
    assert len(late) > 300
    assert early.sort_by(order).equals(late.sort_by(order))
