"""What a rule makes of a batch: the variable's physical columns, and the cells it could not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harmonization.cells import Cells, Mask


@dataclass(frozen=True)
class Trouble:
    """Cells of `column` that a `map.*` rule found wrong; `at` are positions in the batch."""

    column: str
    rule: str
    at: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Made:
    """Values of one variable for all rows of a batch; `states` is None for coded variables, whose list has them."""

    values: pa.Array
    states: pa.Array | None = None
    troubles: list[Trouble] = field(default_factory=list)


class Step(Protocol):
    """A compiled rule: reads the cells of a batch, makes one variable."""

    def make(self, cells: Cells) -> Made: ...


def troubles(column: str, rule: str, wrong: Mask) -> list[Trouble]:
    """One trouble, or none where nothing is wrong."""
    at = np.flatnonzero(wrong)
    return [Trouble(column, rule, at)] if len(at) else []
