"""All that is known of a pair beside the two persons themselves, and the weight that it has for it.

A weight is the mean of what this country's birth dates say of pairs like it (`calibration`) and of what was learned of
the standing of pairs among all others (`standing`), with what years without a day and names written one for the other
are worth here (`ages`, `correspondence`). Beside it stands what a forest is asked: company, birth, and how much is said
of either of the two. What is joined by it is the business of `similarity`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anonymization.linkage import ages, correspondence
from anonymization.linkage.calibration import alike, calibrated
from anonymization.linkage.company import company
from anonymization.linkage.roster import NONE, Roster
from anonymization.linkage.standing import Coefficients, among_others

Bits = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]

_NO_YEAR = -1
_FAR = 12
"""Years apart that say no more."""


def evidence(pairs: pa.Table, persons: Roster, asked: Flags, groups: Ids, model: dict[str, Any]) -> pa.Table:
    """Weighed pairs (one, other, weight, besides, phone, phones, joinable) with `weight` as it is here and with what a
    forest is asked, in an order of their own, since sums in another one differ in their last bit.

    `asked`: of which persons all candidates are among the pairs; `groups`: as whom each is known; `model`: settings."""
    pairs = pairs.sort_by([("one", "ascending"), ("other", "ascending")])
    order = np.argsort(persons.ids)
    one, other = (
        order[np.searchsorted(persons.ids, pairs[side].to_numpy(), sorter=order)] for side in ("one", "other")
    )
    among = {"one": one, "other": other, "one_group": groups[one], "other_group": groups[other]}
    rows = pa.table(among | {name: pairs[name] for name in pairs.column_names[2:]})
    dated, nobody = persons.said["date"].code != NONE, float(model["seen_from"])
    both = dated[one] & dated[other]
    here = calibrated(rows, both, nobody)
    weight = (here + among_others(rows, asked, dated, nobody, Coefficients(**model["standing"]))) / 2
    apart = _years_apart(persons, one, other)
    years = _of_years(rows, apart, here, both, model["unknown_days"])
    weight += years
    day = np.where(
        persons.said["date"].code[one] == persons.said["date"].code[other], persons.said["date"].code[one], NONE
    )
    surely = pairs["joinable"].to_numpy() & (weight >= model["same_from"]["least"])
    weight += correspondence.learned(weight, one, other, day, surely, correspondence.given_names(persons))
    said = sum((of.code != NONE).astype(np.int64) for of in persons.said.values())
    alone = rows["weight"].to_numpy()
    asked_of = {
        "weight": weight,
        "alone": alone,
        "here": here,
        "born": alone - rows["besides"].to_numpy(),
        "phone": rows["phone"],
        "years": years,
        "apart": np.minimum(apart, _FAR),
        "dated": dated[one].astype(np.int64) + dated[other],
        "said_less": np.minimum(said[one], said[other]),
        "said_more": np.maximum(said[one], said[other]),
        **{f"{name}_alone": bits for name, bits in asdict(company(rows, alone)).items()},
        **{f"{name}_weight": bits for name, bits in asdict(company(rows, weight)).items()},
    }
    return pa.table({"one": pairs["one"], "other": pairs["other"], "joinable": pairs["joinable"]} | asked_of)


def _years_apart(persons: Roster, one: Ids, other: Ids) -> Ids:
    """Of each pair; less than zero where a year is not said."""
    said = persons.said["year"]
    values = said.values["year"].combine_chunks().fill_null(_NO_YEAR).to_numpy()
    year = np.append(values, _NO_YEAR).astype(np.int64)[said.code]
    unsaid = (year[one] == _NO_YEAR) | (year[other] == _NO_YEAR)
    apart: Ids = np.where(unsaid, _NO_YEAR, np.abs(year[one] - year[other]))
    return apart


def _of_years(rows: pa.Table, apart: Ids, here: Bits, dated: Flags, usual: dict[str, float]) -> Bits:
    """What years of birth without a day are worth here, to be added: learned of pairs that are somewhat `alike`, and
    beside that what generated populations say of all others."""
    besides = rows["besides"].to_numpy()
    near = alike(besides)
    kinds = [apart == _NO_YEAR, dated, apart > 0, ~near]
    added: Bits = np.select(kinds, [usual["no_year"], 0.0, usual["another_year"], usual["same_year"]], 0.0)
    # The weight here without what the model says of birth dates.
    beside_years = here - (rows["weight"].to_numpy() - besides)
    added[near] += ages.learned(here[near], beside_years[near], apart[near], dated[near])
    return added
