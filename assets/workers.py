"""Spreading work over local processes. The same function runs in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.connection import wait
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
    with dismissed_on_faults():
        for future in as_completed([_pool(workers).submit(function, *arguments) for arguments in work]):
            yield future.result()


@contextmanager
def dismissed_on_faults() -> Iterator[None]:
    """End the processes where what they work on failed or was interrupted; the next stage starts with new ones.

    Whoever ends waits for processes of its own, and those for their part of the file: a run that was told to stop went
    on for minutes. What they were writing is rolled back, or lies in a draft that nobody reads. They are killed: where
    Homeward was started with SIGTERM ignored, as some supervisors do, so are they."""
    try:
        yield
    except BaseException:
        _pool.cache_clear()
        _judge.cache_clear()
        while _awake:
            executor = _awake.pop()
            processes = list(executor._processes.values())
            executor.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()
        raise


@lru_cache(maxsize=1)
def _pool(workers: int) -> ProcessPoolExecutor:
    """Processes for the life of this one. Spawned, never forked: this one holds connections and threads."""
    return _started(workers)


@lru_cache(maxsize=1)
def _judge() -> ProcessPoolExecutor:
    return _started(1)


def _started(workers: int) -> ProcessPoolExecutor:
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
    _awake.append(executor)
    return executor


_awake: list[ProcessPoolExecutor] = []


def _begin() -> None:
    """A worker ends with the process that made it: whose parent was killed would wait for work for ever, hold its
    output open, and write its part of a delivery beside the next run's."""
    guard_process()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _ready() -> None:
    import harmonization  # noqa: F401


def _ready_to_judge() -> None:
    from expectations import gx_import

    gx_import.load()
