"""Processor seconds of a reading, those of the processes it started included; other work on the machine is not."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable


def processor_seconds(read: Callable[[], object]) -> float:
    """A child counts once it has ended, so what still holds one is let go of before the clock is read."""
    began = _now()
    read()
    gc.collect()
    return _now() - began


def _now() -> float:
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in told)
