"""Grow the forest that weighs what is said of a pair together (`anonymization/linkage/forest.csv`).

    python -m benchmarks.forest [FILE.csv ...] --write anonymization/linkage/forest.csv

Learns of the project's own populations and of records that are handed over with their true person (as `--data` of
`benchmarks.linkage`; the files of a folder are a family, and all families count alike). `--without FAMILY` leaves one
out, to see how the forest does where it has not been. The forest that is shipped was grown of the project's own and of
the sixth to tenth population of docs/same-person.md, which are no part of it: of its own alone it does not learn enough
to do better elsewhere. Needs lightgbm, which nothing else here does: in an environment
of its own, beside the project's packages.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anonymization.linkage import similarity
from benchmarks.handed_over import read
from benchmarks.linkage import POPULATIONS, persons, prepared

SEED = 5
"""Not the one that `benchmarks.linkage` measures."""
_RECORDS = 20_000
_NOT_ASKED = ("one", "other", "joinable")
_MORE_IS_MORE = ("weight", "alone", "here", "third_", "thirds_", "nearer_", "farther_")
"""Evidence of which more never takes a weight down."""
_LEAST = -5.0
"""Pairs that weigh less by themselves are not learned of: nothing joins them."""
_TREES, _LEAVES = 100, 12
_EACH = 8_000.0
"""What each population counts, in pairs."""


class Made(NamedTuple):
    """Pairs of one population: what is asked of each, its weight, whether it may be joined and whether it is right."""

    family: str
    asked: dict[str, np.ndarray]
    joinable: np.ndarray
    same: np.ndarray


def populations(files: list[Path]) -> Iterator[Made]:
    """Own populations and handed over ones, one after the other."""
    for name, (make, scripts) in POPULATIONS.items():
        for script in scripts:
            table, truth = persons(make(script, _RECORDS, SEED).records())
            yield _made(name, table, truth)
    for path in files:
        for country in read(path)[0]:
            truth = np.empty(len(country.persons), dtype=country.truth.dtype)
            truth[country.person] = country.truth
            yield _made(path.parent.name, country.persons, truth)


def _made(family: str, table: Any, truth: np.ndarray) -> Made:
    everybody, frequencies = prepared(table)
    seen = similarity.seen(everybody, len(table), frequencies)
    print(f"{family}: {len(table):,} persons, {len(seen):,} pairs", file=sys.stderr, flush=True)
    same = truth[seen["one"].to_numpy()] == truth[seen["other"].to_numpy()]
    asked = {name: seen[name].to_numpy() for name in seen.column_names if name not in _NOT_ASKED}
    return Made(family, asked, seen["joinable"].to_numpy(), same)


def grown(made: list[Made]) -> list[dict[str, Any]]:
    """Nodes of all trees, as `forest.of` reads them."""
    import lightgbm

    columns = list(made[0].asked)
    families = Counter(one.family for one in made)
    learned = [one.joinable & (one.asked["alone"] > _LEAST) for one in made]
    said = np.concatenate(
        [np.stack([one.asked[c][of] for c in columns], 1) for one, of in zip(made, learned, strict=True)]
    )
    counts = [np.full(of.sum(), _EACH / of.sum() / families[one.family]) for one, of in zip(made, learned, strict=True)]
    data = lightgbm.Dataset(
        said,
        np.concatenate([one.same[of] for one, of in zip(made, learned, strict=True)]).astype(int),
        weight=np.concatenate(counts) * 7,
        init_score=said[:, columns.index("weight")] * np.log(2),
    )
    settings = {
        "objective": "binary", "num_leaves": _LEAVES, "learning_rate": 0.08, "min_data_in_leaf": 60, "lambda_l2": 5.0,
        "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "seed": 1, "num_threads": 1,
        "deterministic": True, "verbose": -1,
        "monotone_constraints": [int(column.startswith(_MORE_IS_MORE)) for column in columns],
    }  # fmt: skip
    trees = lightgbm.train(settings, data, _TREES).dump_model()["tree_info"]
    return [node for number, tree in enumerate(trees) for node in _nodes(number, tree["tree_structure"], columns)]


def _nodes(tree: int, root: dict[str, Any], columns: list[str]) -> list[dict[str, Any]]:
    """The nodes of one tree, its root first."""
    nodes: list[dict[str, Any]] = []

    def add(node: dict[str, Any]) -> int:
        place = len(nodes)
        made = {"tree": tree, "asks": "", "bound": 0.0, "low": 0, "high": 0, "bits": 0.0}
        nodes.append(made)
        if "leaf_value" in node:
            made["bits"] = round(node["leaf_value"] / np.log(2), 5)
        else:
            made |= {"asks": columns[node["split_feature"]], "bound": float(f"{node['threshold']:.8g}")}
            made |= {"low": add(node["left_child"]), "high": add(node["right_child"])}
        return place

    add(root)
    return nodes


def main() -> None:
    parser = argparse.ArgumentParser(description="Grow the forest that weighs pairs.")
    parser.add_argument("files", type=Path, nargs="*", help="CSV of records with their true person")
    parser.add_argument("--without", metavar="FAMILY", help="learn nothing of this family")
    parser.add_argument("--write", type=Path, required=True, help="the forest, as CSV")
    given = parser.parse_args()
    nodes = grown([made for made in populations(given.files) if made.family != given.without])
    with given.write.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(nodes[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(nodes)
    print(f"{nodes[-1]['tree'] + 1} trees, {len(nodes):,} nodes")


if __name__ == "__main__":
    main()
