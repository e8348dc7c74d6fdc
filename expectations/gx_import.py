"""Imports Great Expectations in a third of its time: every run of deliveries waits for it.

It imports altair and scipy.stats for three expectations that no codebook asks (with 1.24: 1.3 of 3.7 s of a processor),
and makes models of fourteen kinds of files and frames, where a database is asked (0.6 s). All of them are imported when
something of them is used, as nothing is here. What is asked of it is not known here.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, NamedTuple

_HARDLY_USED = ("altair", "scipy.stats")
_SOURCES = "great_expectations.datasource.fluent"
_PLACES = ("", "_file_path", "_filesystem", "_dbfs", "_s3", "_google_cloud_storage", "_azure_blob_storage")
_KINDS = tuple(f"{_SOURCES}.{engine}{place}_datasource" for engine in ("pandas", "spark") for place in _PLACES)
"""Modules of the data sources that are files and frames. Of them their package takes the names of classes only, and
nothing else of Great Expectations takes any."""
_LOOKED_AT = "1.24."
"""The version in which that is so: another one is imported whole."""


class _Name(NamedTuple):
    """Stands for what a module has, and says where that is."""

    module: str
    name: str


class _Names(ModuleType):
    """Stands where names are taken from a module."""

    def __getattr__(self, name: str) -> _Name:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(self.__name__, name)


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
    kinds = _KINDS if version("great_expectations").startswith(_LOOKED_AT) else ()
    with _later(*_HARDLY_USED), _named(_SOURCES, kinds), _nothing_thrown_away():
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
def _named(package: str, modules: Collection[str]) -> Iterator[None]:
    """Of these modules `package` has names meanwhile; who asks it for one of them afterwards has what it names."""
    stand_ins = {name: _Names(name) for name in modules if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]
        if imported := sys.modules.get(package):
            names = {name: said for name, said in vars(imported).items() if isinstance(said, _Name)}
            for name in names:
                delattr(imported, name)
            setattr(imported, "__getattr__", lambda name: _named_by(names, imported, name))  # noqa: B010  # of a module


def _named_by(names: dict[str, _Name], package: ModuleType, name: str) -> Any:
    if name not in names:
        raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}", name=name, obj=package)
    return getattr(import_module(names[name].module), names[name].name)


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
