"""Disclosure control measured: `python -m benchmarks.disclosure [--judge PYTHON]`.

Times the measures and the protection of a generated population, and the suppression of a linked pair of tables. With
`--judge`, a Python of another environment that has pycanon and anonymeter (they need an older pandas): pycanon's k, l
and t of the same records stand beside ours, and anonymeter singles people out of the records before and after.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from anonymization.disclosure import (
    Goal,
    closeness,
    cube,
    diversity,
    intervals,
    lay_out,
    measure,
    protect,
    suppress,
)

KEYS = ["country", "sex", "age_band", "return_type", "district"]
Result = TypeVar("Result")

JUDGE = """
import sys
import pandas as pd
from pycanon import anonymity
frame = pd.read_csv(sys.argv[1], dtype=str)
keys, sensitive = sys.argv[4].split(","), sys.argv[5]
print("pycanon      k", anonymity.k_anonymity(frame, keys), " l", anonymity.l_diversity(frame, keys, [sensitive]),
      " t", round(anonymity.t_closeness(frame, keys, [sensitive]), 4))
from anonymeter.evaluators import SinglingOutEvaluator
control = pd.read_csv(sys.argv[3], dtype=str)
for name, path in (("as delivered", sys.argv[1]), ("protected", sys.argv[2])):
    released = pd.read_csv(path, dtype=str).fillna("withheld")
    evaluator = SinglingOutEvaluator(frame, released, n_attacks=300, n_cols=4, control=control, seed=1)
    risk = evaluator.evaluate(mode="multivariate").risk()
    print(f"anonymeter   singling out, {name}: risk {risk.value:.3f} ({risk.ci[0]:.3f} to {risk.ci[1]:.3f})")
"""


def population(rows: int, seed: int) -> pd.DataFrame:
    """Returnees with skewed districts and few of some ways of return, as registers have them."""
    rng = np.random.default_rng(seed)
    countries = rng.choice(["ETH", "GTM", "HND", "SLV"], rows, p=[0.4, 0.2, 0.25, 0.15])
    district = np.minimum(rng.geometric(0.25, rows), 12)
    return pd.DataFrame(
        {
            "country": countries,
            "sex": rng.choice(["f", "m", "x"], rows, p=[0.38, 0.615, 0.005]),
            "age_band": rng.choice(["0-14", "15-24", "25-34", "35-59", "60+"], rows, p=[0.08, 0.3, 0.35, 0.25, 0.02]),
            "return_type": rng.choice(["forced", "assisted", "other", "alone"], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "district": [f"{country}-{number:02d}" for country, number in zip(countries, district, strict=True)],
            "debt": rng.choice(["none", "smaller", "larger"], rows, p=[0.4, 0.35, 0.25]),
        }
    )  # fmt: skip


def timed(name: str, function: Callable[[], Result]) -> Result:
    begun = time.perf_counter()
    result = function()
    print(f"{name:<44} {time.perf_counter() - begun:7.2f} s")
    return result


def main() -> None:
    """Measure, and let the judge look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--judge", type=Path, help="a Python with pycanon and anonymeter")
    options = parser.parse_args()
    frame = population(options.rows, seed=1)
    risk = timed(f"risk of {options.rows:,} records by {len(KEYS)} keys", lambda: measure(frame, KEYS, 5))
    l_of = timed("l-diversity", lambda: diversity(frame, KEYS, "debt"))
    t_of = timed("t-closeness", lambda: closeness(frame, KEYS, "debt"))
    done = timed("protection to k = 5 and 3 %", lambda: protect(frame, Goal(KEYS)))
    print(f"ours         k {risk.k}  l {l_of:.0f}  t {t_of:.4f}")
    for name, found_risk in (("as delivered", risk), ("protected", done.after)):
        print(f"{name:<13}k {found_risk.k}, below 5: {found_risk.below:,}, global risk {found_risk.global_risk:.2%}")
    print(f"{done.withheld:.2%} of the keys' cells withheld")
    tables = [cube(frame, ["district", "sex"]), cube(frame, ["district", "return_type"])]
    cells = lay_out(tables)
    held = timed(f"suppression in linked tables of {len(cells.counts):,} cells", lambda: suppress(cells, 5))
    found = timed("audit", lambda: intervals(cells, held.hidden))
    width = (found[:, 1] - found[:, 0]).min()
    small = int((held.table["reason"] == "small_cell").sum())
    print(f"{small} small cells, {int(held.hidden.sum()) - small} complementary; narrowest interval {width:.0f}")
    if options.judge:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{name}.csv" for name in ("delivered", "protected", "control")]
            people = [frame[[*KEYS, "debt"]], done.frame[[*KEYS, "debt"]], population(options.rows, seed=2)]
            for path, table in zip(paths, people, strict=True):
                table.to_csv(path, index=False)
            subprocess.run([options.judge, "-c", JUDGE, *paths, ",".join(KEYS), "debt"], check=True)


if __name__ == "__main__":
    main()
