"""Loads a source from its folder `sources/<iso3>/<source>/`: source.yaml, crosswalk.csv and, if any, corrections.csv.

Two doors: `load_source(id)` and `list_sources()`. Homeward's own folder comes first; the environment variable
HOMEWARD_SOURCES adds a second. A source that loads is consistent in itself and with the codebook (`checks`,
`mapping_checks`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from codebook.errors import BadDefinition
from codebook.loader import load_codebook
from codebook.reading import nearest, read_model
from sources.checks import check_declaration
from sources.corrections import read_corrections
from sources.crosswalk import read_crosswalk
from sources.mapping_checks import check_crosswalk
from sources.models import Declaration, Source

OWN_FOLDER = Path(__file__).resolve().parent
FILES = ("source.yaml", "crosswalk.csv", "corrections.csv")


class Purposes(BaseModel):
    """The purposes a source may name, with what each allows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    purposes: Mapping[str, str]


def source_folders(root: Path | None = None) -> list[Path]:
    """Where sources lie: `root` alone if given, else Homeward's own folder and then HOMEWARD_SOURCES."""
    if root is not None:
        return [Path(root)]
    added = os.environ.get("HOMEWARD_SOURCES")
    return [OWN_FOLDER, *([Path(added)] if added else [])]


def list_sources(root: Path | None = None) -> list[str]:
    """Ids of all sources, sorted; a folder is a source if it holds a source.yaml."""
    files = (path for folder in source_folders(root) for path in folder.glob("*/*/source.yaml"))
    return sorted({f"{path.parts[-3]}/{path.parts[-2]}" for path in files})


def load_source(id: str, root: Path | None = None) -> Source:
    """The source with this id, checked against the codebook. BadDefinition says file, line and nearest valid name."""
    folder = _folder(id, root)
    declaration, lines = read_model(folder / "source.yaml", Declaration)
    if declaration.source != id:
        raise BadDefinition(f"source is `{declaration.source}`", lines.where("source"), f"the folder says `{id}`")
    check_declaration(declaration, lines, registered_purposes())
    only_table = declaration.tables[0].name if len(declaration.tables) == 1 else ""
    source = Source.model_construct(
        **dict(declaration),
        folder=folder,
        version=_version(folder),
        crosswalk=read_crosswalk(folder / "crosswalk.csv", only_table),
        corrections=read_corrections(folder / "corrections.csv"),
    )
    check_crosswalk(source, lines, load_codebook())
    return source


@cache
def registered_purposes() -> Mapping[str, str]:
    """The purposes a source may name (purposes.yaml)."""
    return read_model(OWN_FOLDER / "purposes.yaml", Purposes)[0].purposes


def _folder(id: str, root: Path | None) -> Path:
    for folder in source_folders(root):
        if (folder / id / "source.yaml").is_file():
            return folder / id
    raise BadDefinition(f"no source `{id}`", "sources", nearest(id, list_sources(root)))


def _version(folder: Path) -> str:
    """First 12 hex of sha256 over the files; line ends do not count, so that a checkout on Windows says the same."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if path.exists():
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]
