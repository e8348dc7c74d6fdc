"""Reads definition files - YAML and CSV that people edit - so that every error names file, line and the nearest name.

It knows no entity and no source: `sources/` reads its two files through the same functions. YAML is read strictly:
`yes` and `no` are words, numbers with a decimal point stay exact text, a key may stand once.
"""

from __future__ import annotations

import csv
import difflib
import re
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from codebook.errors import BadDefinition

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class _StrictLoader(yaml.CSafeLoader):
    """YAML without the surprises: `no` stays a word, .15 stays exact, 2024-05-01 is read by the model."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own way to start without the YAML 1.1 words


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


class Lines:
    """Where each part of a definition file stands: path of keys and indexes -> line number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Location, int] = {(): 1}

    def note(self, location: Location, line: int) -> None:
        self._lines[location] = line

    def __contains__(self, location: Location) -> bool:
        return location in self._lines

    def line(self, location: Location) -> int:
        """Line of `location`, or of the nearest part around it."""
        while location not in self._lines:
            location = location[:-1]
        return self._lines[location]

    def where(self, *location: str | int) -> str:
        return place(self.path, self.line(location))


def place(path: Path, line: int) -> str:
    """`codebook/entities/person.yaml, line 12`: the path from the folder of definitions on, never the machine's."""
    folders = path.parts[:-1]
    starts = [index for index, folder in enumerate(folders) if folder in ("codebook", "sources")]
    return f"{'/'.join(path.parts[starts[-1] :] if starts else path.parts[-3:])}, line {line}"


def nearest(word: object, valid: Iterable[str]) -> str:
    """How to mend a wrong name: the nearest valid one, or all of them when they are few."""
    names = [str(name) for name in valid]
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if not names:
        return "there is none to choose from"
    shown = ", ".join(names[:12])
    return f"use one of {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """Plain data of one YAML file and the line of every part of it."""
    lines = Lines(path)
    try:
        loader = _StrictLoader(path.read_text(encoding="utf-8"))
        try:
            root = loader.get_single_node()
            _note_lines(root, (), lines)
            data = loader.construct_document(root) if root is not None else None
        finally:
            loader.dispose()
    except FileNotFoundError:
        raise BadDefinition("no such file", place(path, 1), "write it, or mend the name") from None
    except UnicodeDecodeError:
        raise BadDefinition("the file is not UTF-8", place(path, 1), "save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise BadDefinition("this is not YAML", place(path, line), str(error.problem)) from None
    except yaml.reader.ReaderError as error:
        line = path.read_text(encoding="utf-8")[: error.position].count("\n") + 1
        raise BadDefinition("a control character stands in it", place(path, line), "remove the character") from None
    return data, lines


def _note_lines(node: yaml.Node | None, location: Location, lines: Lines) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen:
                raise BadDefinition(f"key `{name}` stands twice", place(lines.path, line), "keep one of them")
            seen.add(name)
            lines.note((*location, name), line)
            _note_lines(value, (*location, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines.note((*location, index), value.start_mark.line + 1)
            _note_lines(value, (*location, index), lines)


def read_model(path: Path, model: type[Model]) -> tuple[Model, Lines]:
    """One YAML file as a closed model."""
    data, lines = read_yaml(path)
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        raise _explained(error, model, lines) from None


def read_rows(path: Path, model: type[Model]) -> Iterator[tuple[int, Model]]:
    """Rows of one CSV file as closed models, each with its line number. Blank cells are absent keys' defaults."""
    fields = list(model.model_fields)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            _check_header(header, fields, path)
            for cells in reader:
                if not any(cells):
                    continue
                line = reader.line_num
                if len(cells) != len(header):
                    raise BadDefinition(
                        f"{len(cells)} cells where the header has {len(header)}", place(path, line), "quote commas"
                    )
                yield line, _row(dict(zip(header, cells, strict=True)), model, path, line)
    except FileNotFoundError:
        raise BadDefinition("no such file", place(path, 1), "write it, or mend the name") from None
    except UnicodeDecodeError:
        raise BadDefinition("the file is not UTF-8", place(path, 1), "save it as UTF-8") from None
    except csv.Error as error:
        raise BadDefinition("this is not CSV", place(path, 1), str(error)) from None


def _check_header(header: list[str], fields: list[str], path: Path) -> None:
    for name in header:
        if name not in fields:
            raise BadDefinition(f"unknown column `{name}`", place(path, 1), nearest(name, fields))
        if header.count(name) > 1:
            raise BadDefinition(f"column `{name}` stands twice", place(path, 1), "keep one of them")
    for name in fields:
        if name not in header:
            raise BadDefinition(f"column `{name}` is missing", place(path, 1), f"the header is {','.join(fields)}")


def _row(cells: dict[str, str], model: type[Model], path: Path, line: int) -> Model:
    lines = Lines(path)
    lines.note((), line)
    try:
        return model.model_validate({name: cell for name, cell in cells.items() if cell != ""})
    except ValidationError as error:
        raise _explained(error, model, lines) from None


def _explained(error: ValidationError, model: type[BaseModel], lines: Lines) -> BadDefinition:
    """The first error in file order, as one line that a statistician can act on.

    A key that is missing comes last: where a key is misspelt, the misspelling is what to mend.
    """
    first = min(
        error.errors(include_url=False),
        key=lambda detail: (detail["type"] == "missing", lines.line(_in_file(detail["loc"], lines))),
    )
    location = first["loc"]
    where = lines.where(*_in_file(location, lines))
    names = [part for part in _in_file(location, lines) if isinstance(part, str)]
    what, mend = _wording(first, model, names[-1] if names else str(location[-1] if location else "the file"))
    return BadDefinition(what, where, mend)


def _in_file(location: Location, lines: Lines) -> Location:
    """Pydantic's location without the parts that it adds for unions and the like."""
    found: Location = ()
    for part in location:
        if (*found, part) in lines:
            found = (*found, part)
    return found


def _wording(detail: ErrorDetails, model: type[BaseModel], name: str) -> tuple[str, str]:
    """What is wrong and how to mend it; `name` is the key in the file that holds what is wrong."""
    kind = detail["type"]
    if kind == "extra_forbidden":
        elsewhere = (field for field in _fields_at(model, detail["loc"][:-1]) if field != name)
        return f"unknown key `{name}`", nearest(name, elsewhere)
    if kind == "missing":
        return f"`{detail['loc'][-1]}` is missing", "add it"
    if kind == "literal_error":
        allowed = str(detail["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"`{detail['input']}` is no valid {name}", nearest(detail["input"], allowed)
    if kind == "value_error":
        return f"`{name}` is wrong", str(detail["ctx"]["error"])
    return f"`{name}` is wrong", detail["msg"]


def _fields_at(model: type[BaseModel], location: Location) -> list[str]:
    """Names of the keys that are valid at `location` of `model`."""
    here: list[Any] = [model]
    for part in location:
        step: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
                step += _members(kind.model_fields[str(part)].annotation)
            elif get_origin(kind) in (list, tuple, dict):
                step += [member for arg in get_args(kind) for member in _members(arg)]
        here = step or here
    models = (kind for kind in here if isinstance(kind, type) and issubclass(kind, BaseModel))
    return [key.alias or name for model in models for name, key in model.model_fields.items()]


def _members(annotation: Any) -> list[Any]:
    """A union's members; anything else is its own only member."""
    if get_origin(annotation) in (Union, types.UnionType):
        return list(get_args(annotation))
    return [annotation]
