"""Loads a source from its folder `sources/<iso3>/<source>/`: source.yaml, crosswalk.csv and, if any, corrections.csv.

Two doors: `load_source(id)` and `list_sources()`. Homeward's own folder comes first; the environment variable
HOMEWARD_SOURCES adds a second. A source that loads is consistent in itself and with the codebook (`checks`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from codebook.errors import BadDefinition
from sources.checks import check_declaration
from sources.corrections import read_corrections
from sources.crosswalk import read_crosswalk
from sources.models import Declaration, Source
from sources.reading import LinedYaml, nearest

OWN_FOLDER = Path(__file__).resolve().parent
FILES = ("source.yaml", "crosswalk.csv", "corrections.csv")


def source_folders(root: Path | None = None) -> list[Path]:
    """Where sources lie: `root` alone if given, else Homeward's own folder and then HOMEWARD_SOURCES."""
    if root is not None:
        return [Path(root)]
    added = os.environ.get("HOMEWARD_SOURCES")
    return [OWN_FOLDER, *([Path(added)] if added else [])]


def list_sources(root: Path | None = None) -> list[str]:
    """Ids of all sources, sorted; a folder is a source if it holds a source.yaml."""
    return sorted({_id(path) for folder in source_folders(root) for path in folder.glob("*/*/source.yaml")})


def load_source(id: str, root: Path | None = None) -> Source:
    """The source with this id, with its crosswalk. BadDefinition says file, line and nearest valid name."""
    folder = _folder(id, root)
    lined = LinedYaml(folder / "source.yaml")
    declaration = _declaration(lined)
    if declaration.source != id:
        raise BadDefinition(f"source is {declaration.source!r}", lined.where(["source"]), f"the folder says {id!r}")
    check_declaration(declaration, lined, registered_purposes())
    only_table = declaration.tables[0].name if len(declaration.tables) == 1 else ""
    source = Source.model_construct(
        **dict(declaration),
        folder=folder,
        version=_version(folder),
        crosswalk=read_crosswalk(folder / "crosswalk.csv", only_table),
        corrections=read_corrections(folder / "corrections.csv"),
    )
    return source


@cache
def registered_purposes() -> Mapping[str, str]:
    """The purposes a source may name, with what each allows (purposes.yaml)."""
    text = (OWN_FOLDER / "purposes.yaml").read_text(encoding="utf-8")
    purposes: dict[str, str] = yaml.safe_load(text)["purposes"]
    return purposes


def _id(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.parent.name}"


def _folder(id: str, root: Path | None) -> Path:
    for folder in source_folders(root):
        if (folder / id / "source.yaml").is_file():
            return folder / id
    raise BadDefinition(f"no source {id!r}", "sources", nearest(id, list_sources(root)))


def _version(folder: Path) -> str:
    """First 12 hex of sha256 over the files; line ends do not count, so that a checkout on Windows says the same."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if path.exists():
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def _declaration(lined: LinedYaml) -> Declaration:
    try:
        return Declaration.model_validate(lined.data)
    except ValidationError as invalid:
        errors = sorted(invalid.errors(include_url=False), key=lambda error: error["type"] != "extra_forbidden")
        raise _explained(errors[0], lined) from None  # a misspelt key is also a missing one: name the misspelling


def _explained(error: ErrorDetails, lined: LinedYaml) -> BadDefinition:
    path, name = error["loc"], str(error["loc"][-1]) if error["loc"] else ""
    where = lined.where(path)
    if error["type"] == "extra_forbidden":
        return BadDefinition(f"unknown key {name!r}", where, nearest(name, _keys_beside(path)))
    if error["type"] == "missing":
        return BadDefinition(f"key {name!r} is missing", where, "add it")
    if error["type"] in ("literal_error", "union_tag_invalid"):
        context = error.get("ctx", {})
        expected = str(context.get("expected") or context.get("expected_tags")).replace(" or ", ", ")
        allowed = [word.strip(" '") for word in expected.split(",")]
        tag = str(context.get("discriminator", "")).strip("'")
        given = error["input"].get(tag) if isinstance(error["input"], dict) else error["input"]
        where = lined.where([*path, tag]) if tag else where
        return BadDefinition(f"unknown {tag or name} {str(given)!r}", where, nearest(str(given), allowed))
    return BadDefinition(f"{name}: {error['msg'].lower()}", where)


def _keys_beside(path: tuple[str | int, ...]) -> Iterator[str]:
    """Keys that the model which holds the last part of `path` knows."""
    models: list[type[BaseModel]] = [Declaration]
    for part in path[:-1]:
        inside = [model for owner in models for model in _models_at(owner, part)]
        models = inside or models
    for model in models:
        for name, field in model.model_fields.items():
            yield field.alias or name


def _models_at(owner: type[BaseModel], part: str | int) -> list[type[BaseModel]]:
    field = owner.model_fields.get(str(part))
    return list(_models_in(field.annotation)) if field is not None else []


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
