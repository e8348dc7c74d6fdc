"""Spreading one stage's work over local processes. The same function runs in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from typing import Any, TypeVar

Result = TypeVar("Result")


def wake(workers: int) -> None:
    """Start the processes now and let them import what their work needs, while this one prepares it."""
    for _ in range(workers):
        _pool(workers).submit(_ready)


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
        _pool.cache_clear()  # what still runs is left to end by itself; the next stage starts with new processes
        raise


@lru_cache(maxsize=1)
def _pool(workers: int) -> ProcessPoolExecutor:
    """Processes for the life of this one. Spawned, never forked: this one holds connections and threads."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _ready() -> None:
    import harmonization  # noqa: F401
