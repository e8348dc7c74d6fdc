"""Questions that KoboToolbox's form builder writes in rows of its own kind (matrix, rank, score), as the plain rows
that the server deploys and exports: one group with a question for each cell, place or line.

As kpi's `kobo_to_xlsform` does it; an XLSForm downloaded from the server has the plain rows already, an asset of the
API has not. Rows are mappings of a survey, with labels as the asset (a list) or an XLSForm (`label::English`) has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

BuilderRow: TypeAlias = Mapping[str, Any]
_ITEMS = {"rank": "kobo--rank-items", "score": "kobo--score-choices", "kobomatrix": "kobo--matrix_list"}


def plain_rows(survey: Sequence[BuilderRow], choices: Sequence[BuilderRow]) -> Iterator[BuilderRow]:
    """The rows of a survey, those of the builder's own kinds as what they stand for."""
    opened: BuilderRow | None = None
    inside: list[BuilderRow] = []
    for row in survey:
        begins, kind = _bracket(row)
        if opened is None and begins == "begin" and kind in _ITEMS:
            opened, inside = row, []
        elif opened is not None and begins == "end" and kind == _bracket(opened)[1]:
            yield from _group(opened, inside, choices)
            opened = None
        elif opened is not None:
            inside.append(row)
        else:
            yield row
    if opened is not None:  # a group that is not closed is nobody's to explain
        yield opened
        yield from inside


def _bracket(row: BuilderRow) -> tuple[str, str]:
    """`begin` or `end` and of what; two blanks for any other row."""
    kind = row.get("type")
    begins, _, what = kind.strip().lower().replace(" ", "_").partition("_") if isinstance(kind, str) else ("", "", "")
    return (begins, "kobomatrix" if what == "matrix" else what) if begins in ("begin", "end") else ("", "")


def _group(opened: BuilderRow, inside: Sequence[BuilderRow], choices: Sequence[BuilderRow]) -> Iterator[BuilderRow]:
    kind = _bracket(opened)[1]
    items = opened.get(_ITEMS[kind])
    if kind == "kobomatrix":
        yield from _matrix(_name(opened), inside, [one for one in choices if one.get("list_name") == items])
        return
    yield {"type": "begin_group", **{key: opened[key] for key in ("name", "$autoname", "relevant") if key in opened}}
    asks = {"type": "select_one", "select_from_list_name": items}
    # Of a rank the question itself is a note; of a score it stands above the answers, as a question nobody answers.
    head: dict[str, Any] = {"type": "note", "name": f"{_name(opened)}_label"}
    if kind == "score":
        head = {**asks, "name": f"{_name(opened)}_header"}
    yield {**head, **_labels(opened)}
    yield from ({**row, **asks} for row in inside)
    yield {"type": "end_group"}


def _matrix(name: str, columns: Sequence[BuilderRow], items: Sequence[BuilderRow]) -> Iterator[BuilderRow]:
    """A group for each line, with a question for each column: `m1_car/m1_car_owned`."""
    for item in items:
        line = f"{name}_{_name(item)}"
        yield {"type": "begin_group", "name": line}
        yield {"type": "note", "name": f"{line}_note", **_labels(item)}
        for column in columns:
            asked = {key: value for key, value in column.items() if key not in ("$autoname", "$xpath", "$kuid")}
            asked |= {"name": f"{line}_{_name(column)}", **_labels(column, f"{_name(item)}-")}
            if isinstance(relevant := column.get("relevant"), str):
                for other in columns:
                    relevant = relevant.replace(f"${{{_name(other)}}}", f"${{{line}_{_name(other)}}}")
                asked["relevant"] = relevant
            yield asked
        yield {"type": "end_group"}


def _name(row: BuilderRow) -> str:
    return str(row.get("name") or row.get("$autoname") or row.get("$autovalue") or "")


def _labels(row: BuilderRow, before: str = "") -> dict[str, Any]:
    """The labels of a row in all its languages, with something before them."""
    found: dict[str, Any] = {}
    for key, label in row.items():
        if isinstance(label, str) and key.lower().startswith("label"):
            found[key] = before + label
        elif isinstance(label, list) and key == "label":
            found[key] = [before + one if isinstance(one, str) else one for one in label]
    return found
