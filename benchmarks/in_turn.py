"""Two ways of reading one file, in turn: processor seconds and seconds by the clock of each, and their ratios.

Processor seconds are those of the reading and of the processes it starts, whatever else the machine does; by the clock
several processes at once are quicker, but other work on the machine counts.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from statistics import median

ROUNDS = 5


def compared(library: str, theirs: Callable[[], object], ours: Callable[[], object]) -> str:
    """Medians of each way, and of the ratios of the pairs; what a machine is busy with changes less within a pair."""
    pairs = [(_cost(theirs), _cost(ours)) for _ in range(ROUNDS)]
    told = []
    for place, unit in enumerate(("s of processor time", "s by the clock")):
        their, our = ([cost[place] for cost in costs] for costs in zip(*pairs, strict=True))
        ratio = median(mine / other for mine, other in zip(our, their, strict=True))
        told.append(f"{library} {median(their):.2f}, here {median(our):.2f} {unit}, ratio {ratio:.2f}")
    return "; ".join(told)


def _cost(read: Callable[[], object]) -> tuple[float, float]:
    """A child counts once it has ended, so what still holds one is let go of before the clocks are read."""
    used, began = _used(), time.perf_counter()
    read()
    gc.collect()
    return _used() - used, time.perf_counter() - began


def _used() -> float:
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in told)
