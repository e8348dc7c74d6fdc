"""Spreading work over local processes. The same function runs in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from functools import lru_cache
from typing import Any, TypeVar

from anonymization.leaks.process import guard_process

Result = TypeVar("Result")


LARGE_BYTES = 32 << 20
"""From this size on a delivery is worth processes of its own; below it they cost more than they save."""


def wake(workers: int) -> None:
    """Start the processes now and let them import what their work needs, while this one prepares it."""
    if _pool.cache_info().currsize:
        return
    for _ in range(workers):
        _pool(workers).submit(_ready)
    _judge().submit(_ready_to_judge)


def judge() -> Executor:
    """Where rules are asked, one table after the other: a process of its own if the processes are awake.

    Great Expectations takes as long to import as a small delivery takes as a whole.
    """
    return _judge() if _judge.cache_info().currsize else ThreadPoolExecutor(1)


def spread(function: Callable[..., Result], work: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Result]:
    """Results of `function(*arguments)` for each of `work`, as they come, from up to `workers` processes."""
    if len(work) < 2 or workers < 2:
        for arguments in work:
            yield function(*arguments)
        return
    try:
        for future in as_completed([_pool(workers).submit(function, *arguments) for arguments in work]):
            yield future.result()
    except BaseException:
        _pool.cache_clear()
        _judge.cache_clear()  # what still runs is left to end by itself; the next stage starts with new processes
        raise


@lru_cache(maxsize=1)
def _pool(workers: int) -> ProcessPoolExecutor:
    """Processes for the life of this one. Spawned, never forked: this one holds connections and threads."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=guard_process)


@lru_cache(maxsize=1)
def _judge() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=guard_process)


def _ready() -> None:
    import harmonization  # noqa: F401


def _ready_to_judge() -> None:
    import great_expectations  # noqa: F401
