"""Reading definition files so that every error can name its file and line, and the nearest name that would be right.

For the YAML and CSV that people write in `sources/`; delivered data are never read here.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from codebook.errors import BadDefinition


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a definition CSV: trimmed cells by column name, and where it stands."""

    file: str
    number: int
    cells: Mapping[str, str]

    @property
    def where(self) -> str:
        return f"{self.file} line {self.number}"


def short(path: Path) -> str:
    """A file as people name it: the last three parts of its path, e.g. `slv/dgme_returns/source.yaml`."""
    return "/".join(path.parts[-3:])


def nearest(name: str, allowed: Iterable[str]) -> str:
    """What to say about a wrong name: the closest right one, or what there is."""
    names = sorted(allowed)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use one of {', '.join(names[:12])}" + (" ..." if len(names) > 12 else "") if names else ""


def read_rows(path: Path, header: Sequence[str]) -> Iterator[Line]:
    """Rows of a UTF-8 CSV with exactly this header; line numbers as an editor shows them."""
    file = short(path)
    try:
        stream = path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise BadDefinition("file is missing", file, f"make it with the columns {','.join(header)}") from None
    with stream:
        reader = csv.reader(_text_lines(stream, file), strict=True)
        found = next(reader, [])
        for name in found:
            if name not in header:
                raise BadDefinition(f"unknown column {name!r}", f"{file} line 1", nearest(name, header))
        for name in header:
            if name not in found:
                raise BadDefinition(
                    f"column {name!r} is missing", f"{file} line 1", f"the header is {','.join(header)}"
                )
        start = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                if len(row) != len(found):
                    raise BadDefinition(
                        f"{len(row)} cells where the header has {len(found)}",
                        f"{file} line {start}",
                        'write a cell with a comma in it as "a,b"',
                    )
                yield Line(file, start, {name: cell.strip() for name, cell in zip(found, row, strict=True)})
            start = reader.line_num + 1


def _text_lines(stream: Iterable[str], file: str) -> Iterator[str]:
    try:
        yield from stream
    except UnicodeDecodeError:
        raise BadDefinition("not UTF-8 text", file, "save the file as CSV UTF-8") from None


class LinedYaml:
    """A YAML file as plain data, which still knows the line of each of its keys."""

    def __init__(self, path: Path) -> None:
        self.file = short(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise BadDefinition("file is missing", self.file) from None
        loader = yaml.CSafeLoader(text)
        try:
            self._root = loader.get_single_node()
            self.data: Any = loader.construct_document(self._root) if self._root is not None else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise BadDefinition(f"not YAML: {error.problem}", f"{self.file} line {line}") from None
        finally:
            loader.dispose()
        if not isinstance(self.data, dict):
            raise BadDefinition("not a mapping of keys to values", self.file)

    def where(self, path: Sequence[str | int]) -> str:
        """File and line of the deepest part of `path` that the file has."""
        node: yaml.Node | None = self._root
        line = 1
        for part in path:
            found = _step(node, part)
            if found is not None:
                node, line = found
        return f"{self.file} line {line}"


def _step(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None
