"""The rows of a statistical file in steps of bounded size, read by two processes in turn.

pyreadstat reads on one core. Where reading can begin at any row (`Readstat.finds_rows`), a second process reads every
second step, and a step more is under way than there are processes, so that nobody waits for who looks at the last one.
A portable file is read by one, which goes on where it ended. So are files whose pages do not add up, but there each
step passes over all rows before it, so there are few.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from typing import Any

import pyarrow as pa

from connectors.statistical.readstat import Dictionary, Readstat

_QUICK, _SLOW = 64 << 20, 512 << 20
"""Bytes of a step. Where the rows before it are passed over one by one there are few steps, as far as memory allows."""
_PASSES = 4
_CELL = 40
"""Bytes that a number takes in lists of Python."""
_BATCH = 50_000
"""Rows that are read on together; longer steps are so many of them."""
_AT_HAND = 60_000
"""Cells, with what they take in lists of Python, that stay in a processor's own memory."""


def rows(
    readstat: Readstat, dictionary: Dictionary, names: Sequence[str], n_rows: int
) -> Iterator[tuple[int, pa.Table]]:
    """Row offsets and columns, step by step; Refused if rows are not there.

    A text has a letter for each of its bytes, if it is no long string of Stata. `names` are those of `dictionary`,
    which was read so, too.
    """
    strings = set(dictionary.strings)
    step = _step(dictionary)
    if not readstat.finds_rows:
        step = min(max(step, n_rows // _PASSES), _fitting(dictionary, names, _SLOW))
    asked = {
        "do": "read",
        "names": names,
        "texts": [name for name in names if name in strings],
        "every": len(names) == len(dictionary.names) and dictionary.rows is not None,
        # For each reading of a file that does not say how many rows it has, pyreadstat makes room for 100,000.
        "at_once": step if dictionary.rows is None else max(1000, _AT_HAND // len(names)),
    }
    offset = 0
    for table in _in_turn(readstat, asked, n_rows, step):
        if table.num_rows != min(step, n_rows - offset):
            raise readstat.damaged()
        yield offset, table
        offset += table.num_rows


def texts(readstat: Readstat, dictionary: Dictionary) -> Iterator[tuple[int, list[bytes]]]:
    """How many rows there are, and every different text in them that is not ASCII, step by step."""
    names = dictionary.strings or list(dictionary.names[:1])
    step = _step(dictionary) if readstat.finds_rows else _fitting(dictionary, names, _SLOW)
    stated, found = readstat.stated_rows if dictionary.rows is None else dictionary.rows, 0
    for table in _in_turn(readstat, {"do": "letters", "names": names}, stated, step):
        read = table.column("rows")[0].as_py()
        found += read
        if stated is not None and read != min(step, stated - found + read):
            raise readstat.damaged()
        yield read, table.column("texts").drop_null().to_pylist()
        if read < step:
            return


def _in_turn(readstat: Readstat, asked: Mapping[str, Any], n_rows: int | None, step: int) -> Iterator[pa.Table]:
    """The answers for each step, in their order; without an end where nobody knows how many rows there are."""
    offsets: Iterable[int] = count(0, step) if n_rows is None else range(0, n_rows, step)
    ends = float("inf") if n_rows is None else n_rows
    shared = readstat.finds_rows and not readstat.in_order and len(os.sched_getaffinity(0)) > 1
    several = shared and n_rows is not None and n_rows > step
    readers = readstat.both() if several else [readstat]
    ahead = 0 if n_rows is None else len(readers)
    with ExitStack() as opened:
        threads = [opened.enter_context(ThreadPoolExecutor(1)) for _ in readers]
        under_way: deque[Future[pa.Table]] = deque()
        opened.callback(lambda: [answer.cancel() for answer in under_way])
        for number, offset in enumerate(offsets):
            who = number % len(readers)
            request = {**asked, "offset": offset, "limit": int(min(step, ends - offset))}
            under_way.append(threads[who].submit(readers[who].table, **request))
            if len(under_way) > ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _step(dictionary: Dictionary) -> int:
    """Rows of a step, the same whatever columns are asked for: texts that were kept are found again by it."""
    step = _fitting(dictionary, dictionary.names, _QUICK)
    return step // _BATCH * _BATCH or step


def _fitting(dictionary: Dictionary, names: Sequence[str], size: int) -> int:
    """How many rows of some columns fit into so many bytes."""
    widths = dict(zip(dictionary.names, dictionary.widths, strict=True))
    row = sum(_CELL + max(0, widths[name] - 8) for name in names) or _CELL
    return max(100, size // row)
