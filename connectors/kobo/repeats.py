"""Repeats tied to their submission: what a repeat's sheet leaves out is worked out from its chain of parents.

`_index` numbers the rows of one export and is no key across exports (formats.md 1.1). Within one export it leads from a
repeat to its parent, and so to `_submission__id` where the sheet has none, and to each row's place in its submission:
`_position` (`2.1`: the first row of the second), which is the same in the next export as long as no answer moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from connectors.kobo.sheet_names import may_hold
from connectors.shapes import Grid, Heading, Piece

if TYPE_CHECKING:
    import pandas as pd

_READ_ROWS = 50_000
_COLUMNS = ("_index", "_parent_index", "_parent_table_name", "_id", "_uuid", "_submission__id", "_submission__uuid")
_FROM_MAIN = {"_submission__id": "_id", "_submission__uuid": "_uuid"}
_NESTED = "_parent_position"


@dataclass(frozen=True)
class RepeatGrid:
    """A repeat with the columns that tie it; `chain`: the main table, the repeats between, and the repeat itself."""

    inner: Grid
    headings: tuple[Heading, ...]
    chain: tuple[Grid, ...]

    @property
    def sheet(self) -> str | None:
        return self.inner.sheet

    def pieces(self, positions: Sequence[int], size: int) -> Iterator[Piece]:
        made = {h.position: h.names[0] for h in self.headings[len(self.inner.headings) :] if h.position in positions}
        own = [position for position in positions if position not in made]
        tied = _tied(self.chain) if made else None
        for piece in self.inner.pieces(own, size):
            cells = dict(zip(own, piece.cells, strict=True))
            if tied is not None:
                here = tied.reindex(piece.rows)
                cells |= {at: pa.array(here[name], pa.string(), from_pandas=True) for at, name in made.items()}
            yield replace(piece, cells=[cells[position] for position in positions])

    def split(self, n: int) -> list[Grid]:
        return [replace(self, inner=grid) for grid in self.inner.split(n)]


def tie(grids: Mapping[str, Grid], main: str) -> tuple[dict[str, Grid], list[str]]:
    """The tables of one export with repeats tied; and the repeats whose submission is known by `_parent_index` only."""
    tied: dict[str, Grid] = dict(grids)
    by_index = []
    for name, grid in grids.items():
        if name == main:
            continue
        chain = _chain(grids, main, name)
        headers = {heading.header for heading in grid.headings}
        if chain is None or not headers.intersection({"_submission__id", "_submission__uuid", "_parent_index"}):
            continue
        of_main = {heading.header for heading in grids[main].headings}
        made = [key for key, own in _FROM_MAIN.items() if key not in headers and own in of_main]
        if not headers.intersection(_FROM_MAIN):
            by_index.append(name)
        names = [*made, "_position", *([_NESTED] if len(chain) > 2 else [])]
        free = max(heading.position for heading in grid.headings) + 1
        added = tuple(Heading("", free + n, (key,)) for n, key in enumerate(names))
        tied[name] = RepeatGrid(grid, (*grid.headings, *added), chain)
    return tied, by_index


def _chain(grids: Mapping[str, Grid], main: str, name: str) -> tuple[Grid, ...] | None:
    """From the main table down to the repeat; None where parents go in a circle, or cannot be told apart."""
    names = [name]
    while names[0] != main:
        above = _above(grids, main, names[0])
        if above is None or above in names:
            return None
        names.insert(0, above)
    return tuple(grids[table] for table in names)


def _above(grids: Mapping[str, Grid], main: str, name: str) -> str | None:
    """The table of the parents. The cut names of two sheets can be alike, and a sheet's name be changed by hand: then
    the submissions that parents and children name must be the same."""
    parent = _parent_name(grids[name])
    if parent is None:
        return main
    called = [table for table in grids if table != name and may_hold(table, parent)]
    if len(called) == 1:
        return called[0]
    fitting = [table for table in called or [main] if _agree(grids[table], grids[name], table == main)]
    return fitting[0] if len(fitting) == 1 else None


def _agree(parents: Grid, children: Grid, is_main: bool) -> bool:
    """Whether no child names another submission than the row that it calls its parent."""
    above, keys = (
        _keys(parents).dropna(subset=["_index"]).drop_duplicates("_index").set_index("_index"),
        _keys(children),
    )
    for name, own in _FROM_MAIN.items():
        told = keys["_parent_index"].map(above[own if is_main else name])
        both = told.notna() & keys[name].notna()
        if (told[both] != keys[name][both]).any():
            return False
    return True


def _parent_name(grid: Grid) -> str | None:
    """What the first filled cell of `_parent_table_name` says; one sheet has one parent."""
    at = next((h.position for h in grid.headings if h.header == "_parent_table_name"), None)
    if at is None:
        return None
    for piece in grid.pieces([at], _READ_ROWS):
        found = next((text for text in piece.cells[0].to_pylist() if text), None)
        if found:
            return str(found)
    return None


def _tied(chain: Sequence[Grid]) -> pd.DataFrame:
    """Key columns and positions of the last table of a chain, by the supplier's row number."""
    above = _keys(chain[0])
    above["_position"] = ""
    for keys in ("_id", "_uuid"):
        above[f"_submission_{keys}"] = above[keys]
    for grid in chain[1:]:
        above = _below(above, _keys(grid))
    return above


def _below(above: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """A repeat's rows with what their parent row knows, and their number among the children of that parent."""
    parents = above.dropna(subset=["_index"]).drop_duplicates("_index").set_index("_index")
    parent = keys["_parent_index"]
    for name in _FROM_MAIN:
        known = parent.map(parents[name]).astype("object")
        keys[name] = keys[name].fillna(known)
    keys[_NESTED] = parent.map(parents["_position"]).astype("object")
    # A first repeat without `_parent_index` can still be told apart by its submission.
    first_level = bool((above["_position"] == "").all())
    family = keys["_submission__id"].fillna(keys["_submission__uuid"]).fillna(parent) if first_level else parent
    if first_level:
        keys.loc[family.notna(), _NESTED] = ""
    # Rows that belong to nobody are a family too: without one their numbers are blank, and all others no whole ones.
    number = (keys.groupby(family, dropna=False).cumcount() + 1).astype("string")
    place = (keys[_NESTED].astype("string") + "." + number).str.lstrip(".")
    keys["_position"] = place.where(family.notna())
    return keys


def _keys(grid: Grid) -> pd.DataFrame:
    """The key columns of a table as text, absent ones blank, by row number."""
    import pandas as pd

    places = {heading.header: heading.position for heading in grid.headings if heading.header in _COLUMNS}
    frames = []
    for piece in grid.pieces(list(places.values()), _READ_ROWS):
        cells = {name: pd.Series(c.cast(pa.string()).to_pylist()) for name, c in zip(places, piece.cells, strict=True)}
        frame = pd.DataFrame(cells, dtype="object")
        frame.index = pd.Index(piece.rows)
        frames.append(frame)
    whole = pd.concat(frames) if frames else pd.DataFrame(index=pd.Index([], dtype="int64"))
    return whole.reindex(columns=list(_COLUMNS)).astype("object").sort_index()
