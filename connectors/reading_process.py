"""How a process that parses delivered files is started: with an interpreter that loads only what the parsing needs.

An ordinary start looks through every installed package for hooks, which takes longer than many a file (70 ms of
processor time). So the child is started without `site`, and told in its arguments in which folders its libraries lie.
What it parses, and how it is asked, is the business of `statistical` and `workbooks`.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_NEEDED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")


def environment() -> dict[str, str]:
    """What such a process is told of ours: no key, token or address, since a hostile file may take it over."""
    return {name: os.environ[name] for name in _NEEDED if name in os.environ}


def command(program: Path, *libraries: str) -> list[str]:
    """The command line of a program that may import the installed `libraries`; Homeward is not among them.

    The program itself has to put its arguments at the end of `sys.path`.
    """
    folders = dict.fromkeys(folder for library in libraries for folder in _folders(library))
    return [sys.executable, "-I", "-S", str(program), *folders]


def _folders(library: str) -> list[str]:
    spec = find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(library)
    return [str(Path(place).parent) for place in spec.submodule_search_locations]
