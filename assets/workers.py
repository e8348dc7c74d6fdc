"""Spreading one stage's work over local processes. The same function runs in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

Result = TypeVar("Result")


def spread(function: Callable[..., Result], work: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Result]:
    """Results of `function(*arguments)` for each of `work`, as they come, from up to `workers` processes.

    Processes are spawned, never forked: the parent holds database connections and threads.
    """
    if len(work) < 2 or workers < 2:
        for arguments in work:
            yield function(*arguments)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(work)), mp_context=context) as pool:
        for future in as_completed([pool.submit(function, *arguments) for arguments in work]):
            yield future.result()
