"""National numbers whose form is public: their length, and which digits such a number can have.

Vectorised checks for the schemes that deliveries are linked by. A check shows plausibility, never who issued the
number (domain.md 5.1); what is done with a number is the business of the vault, and of the profile that looks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Digits = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scheme:
    """A national number of `length` digits. Spreadsheets eat leading zeros: from `shortest` on they are put back."""

    length: int
    shortest: int
    plausible: Callable[[Digits], Mask]


def _dui(digits: Digits) -> Mask:
    total = digits[:, :8] @ np.arange(9, 1, -1)
    matches: Mask = (10 - total % 10) % 10 == digits[:, 8]
    return matches


def _cui(digits: Digits) -> Mask:
    department = digits[:, 9] * 10 + digits[:, 10]
    matches: Mask = (digits[:, :8] @ np.arange(2, 10)) % 11 == digits[:, 8]
    return matches & (department >= 1) & (department <= 22)


def _dni(digits: Digits) -> Mask:
    department, century = digits[:, 0] * 10 + digits[:, 1], digits[:, 4] * 10 + digits[:, 5]
    possible: Mask = (department >= 1) & (department <= 18) & ((century == 19) | (century == 20))
    return possible


SCHEMES = {
    "slv_dui": Scheme(9, 6, _dui),
    "gtm_cui": Scheme(13, 12, _cui),
    "hnd_dni": Scheme(13, 12, _dni),
}
"""Numbers whose form is known; every other scheme is an opaque text. Oracles and sources: domain.md 5.1."""


def plausible(values: pa.Array, scheme: Scheme) -> pa.Array:
    """Which texts, without separators and of full length, are numbers that this scheme could have issued."""
    shaped = pc.fill_null(pc.match_substring_regex(values, f"^[0-9]{{{scheme.length}}}$"), False)
    positions = np.flatnonzero(shaped.to_numpy(zero_copy_only=False))
    result = np.zeros(len(values), dtype=bool)
    if len(positions):
        joined = "".join(values.take(pa.array(positions)).to_pylist()).encode()
        digits = np.frombuffer(joined, dtype=np.uint8).reshape(-1, scheme.length).astype(np.int64) - ord("0")
        result[positions] = scheme.plausible(digits)
    return pa.array(result)
