"""Imports Great Expectations in little more than half its time: every run of deliveries waits for it.

It imports altair and scipy.stats for three expectations that no codebook asks (with 1.24: 1.3 of 3.7 s of a processor).
Both are imported when something of them is used, as nothing is here. What is asked of it is not known here.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_HARDLY_USED = ("altair", "scipy.stats")


class _Later(ModuleType):
    """Stands where a module is imported, and has whatever the module has, which is imported then."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def load() -> None:
    """Import Great Expectations; every import of it after that finds it there."""
    if "great_expectations" in sys.modules:
        return
    with _later(*_HARDLY_USED), _nothing_thrown_away():
        import_module("great_expectations")


@contextmanager
def _later(*names: str) -> Iterator[None]:
    """Who imports these meanwhile has what stands for them; who does afterwards has themselves."""
    stand_ins = {name: _Later(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


@contextmanager
def _nothing_thrown_away() -> Iterator[None]:
    """An import makes some hundred thousand objects that all stay; looking which do not is a sixth of its time."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()
