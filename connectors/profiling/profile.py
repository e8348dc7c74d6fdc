"""What is in a file: rows, columns, labels, types, missing codes and what each column looks like. Counts, no value.

One pass over the pieces in bounded memory. Columns are counted in `tallies`; what a column looks like is judged in
`looks_like`, from a sample of different values that is spread over the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.profiling.date_shapes import PLACEHOLDER
from connectors.profiling.looks_like import Seen, looks_like, may_show
from connectors.profiling.no_answers import by_labels, far_codes, marks
from connectors.profiling.samples import Sample, sampled
from connectors.profiling.tallies import FIRST, TOTAL, Tally, add
from connectors.shapes import Grid, Piece, Text
from connectors.text.header_rows import is_hxl_row
from connectors.text.other_tables import OtherTables, beside
from connectors.unknown import Looked, only_our_errors

MAX_HASHES = 8_000_000
"""Hashes kept for all columns of a table together: 64 MB."""
_SAMPLED_CELLS = 4_000_000
_CELLS_A_PIECE = 4_000_000

_WITH_LETTERS = frozenset({"dta", "sas7bdat", "xpt"})
"""Formats whose numbers may be a letter that says why there is none."""
_NOTES = 20
"""Rows below a table that may be its notes."""
_FEW_ROWS = 20
"""In fewer rows an age is as unique as a key."""
_NOTE = r"\p{L}.*:|^\s*[*(]|\S\s+\S+\s+\S"
"""A colon, a mark, or several words: `end group` in a row of its own is no note."""


def profile(looked: Looked, name: str) -> dict[str, Any]:
    """The profile of a file, as it is printed: names, labels and counts."""
    with only_our_errors(name):
        tagged = isinstance(looked.facts.get("hxl"), list)
        letters = looked.format in _WITH_LETTERS
        tables = [_table(title, grid, tagged, letters) for title, grid in looked.grids.items()]
    return {"format": looked.format, "encoding": looked.encoding, "tables": tables, "facts": _plain(looked.facts)}


def _plain(facts: Any) -> Any:
    """Facts as JSON has them."""
    if isinstance(facts, dict):
        return {str(key): _plain(value) for key, value in facts.items() if key not in ("format", "encoding")}
    if isinstance(facts, list | tuple | set | frozenset):
        return [_plain(one) for one in facts]
    return facts if facts is None or isinstance(facts, bool | int | float | str) else str(facts)


def _table(title: str, grid: Grid, hxl: bool, letters: bool) -> dict[str, Any]:
    """`hxl`: whether the reader has already passed over a row of hashtags; `letters`: whether `.a` is a missing."""
    headings = list(grid.headings)
    tallies = [Tally(heading, letters) for heading in headings]
    width = max(1, len(headings))
    room = min(20_000, max(200, _SAMPLED_CELLS // width))
    rows, totals, notes, findings = 0, 0, 0, Counter[str]()
    others = OtherTables([heading.header for heading in headings])
    pieces = grid.pieces([h.position for h in headings], max(200, min(20_000, _CELLS_A_PIECE // width)))
    for whole, last in _until_last(pieces):
        raw = whole if rows or hxl else _without_tags(whole)
        hxl = hxl or raw is not whole
        piece = _without_notes(raw) if last and width > 2 else raw
        notes += len(raw.rows) - len(piece.rows)
        rows += len(piece.rows)
        totals += _total_rows(piece.cells[:FIRST])
        for finding in piece.findings:
            findings[finding.rule] += len(finding.rows)
        add(tallies, piece.cells, room)
        others.look(piece)
        _keep_to_budget(tallies)
    names = frozenset(heading.header for heading in headings)
    others.finish()
    starts = beside([(tally.heading.header, tally.filled) for tally in tallies])
    return {
        "name": title,
        "sheet": grid.sheet,
        "rows": rows,
        "total_rows": totals,
        "note_rows": notes,
        "hxl_row": hxl,
        "other_tables": [*({"row": row} for row in others.found), *({"column": column} for column in starts)],
        "header_again": others.again,
        "columns": _columns(tallies, rows, names),
        "findings": {rule: count for rule, count in sorted(findings.items()) if count},
    }


def _until_last(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Each piece, and whether it is the last; ragged rows, as notes are, come in short pieces of their own."""
    held: list[Piece] = []
    rows = 0
    for piece in pieces:
        if held and (min(rows, len(piece.rows)) >= 2 * _NOTES or rows >= 20_000):
            yield _joined(held), False
            held, rows = [], 0
        held.append(piece)
        rows += len(piece.rows)
    if held:
        yield _joined(held), True


def _joined(pieces: Sequence[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    cells = [
        pa.chunked_array([column.cast(pa.string()) for column in columns]).combine_chunks()
        for columns in zip(*(piece.cells for piece in pieces), strict=True)
    ]
    findings = tuple(finding for piece in pieces for finding in piece.findings)
    return Piece(np.concatenate([piece.rows for piece in pieces]), cells, findings)


def _without_notes(piece: Piece) -> Piece:
    """The piece without the notes at its end: `Source: ...`, words in one cell of rows whose others are blank.

    A row of one cell above rows of several is a record, and then those at the end may be records too.
    """
    if not len(piece.rows) or not _one_cell_is_filled(piece.cells, len(piece.rows) - 1):
        return piece
    start = max(len(piece.rows) - 2 * _NOTES, 0)
    tail = [column.slice(start).cast(pa.string()) for column in piece.cells]
    filled = np.sum([np.asarray(column.is_valid()) for column in tail], axis=0)
    words = np.asarray(pc.fill_null(pc.match_substring_regex(pc.coalesce(*tail), _NOTE), False))
    alone = (filled == 1) & words
    first = len(alone) - int(np.argmin(alone[::-1])) if not alone.all() else 0
    kept = start + first
    if first == 0 or kept == len(piece.rows) or len(piece.rows) - kept > _NOTES or (filled[:first] == 1).any():
        return piece
    findings = tuple(replace(one, rows=one.rows[one.rows < piece.rows[kept]]) for one in piece.findings)
    return Piece(piece.rows[:kept], [column.slice(0, kept) for column in piece.cells], findings)


def _one_cell_is_filled(cells: Sequence[Text], row: int) -> bool:
    """Whether a row has one cell; few of its cells are looked at where it has more."""
    return len(list(islice((column for column in cells if column[row].is_valid), 2))) == 1


def _total_rows(first: Sequence[Text]) -> int:
    """Rows whose first filled cell says that they are a total."""
    if not first:
        return 0
    begin = pc.coalesce(*(column.cast(pa.string()) for column in first))
    return int(pc.sum(pc.match_substring_regex(begin, TOTAL)).as_py() or 0)


def _without_tags(piece: Piece) -> Piece:
    """The piece without a first row of HXL hashtags, which names the columns once more."""
    if not is_hxl_row([column[0].as_py() for column in piece.cells if len(column)]):
        return piece
    return Piece(piece.rows[1:], [column.slice(1) for column in piece.cells], piece.findings)


def _keep_to_budget(tallies: Sequence[Tally]) -> None:
    held = sum(tally.hashes.held() for tally in tallies)
    while held > MAX_HASHES:
        largest = max(tallies, key=lambda tally: tally.hashes.held())
        held -= largest.hashes.held()
        largest.hashes.give_up()


def _columns(tallies: Sequence[Tally], rows: int, names: frozenset[str]) -> list[dict[str, Any]]:
    """Columns of one kind are judged after each other: what they share is asked of their texts together."""
    found: dict[int, dict[str, Any]] = {}
    order = sorted(range(len(tallies)), key=lambda at: tallies[at].possible)
    for at, sample in zip(order, sampled([tallies[at].sample for at in order]), strict=True):
        found[at] = _column(tallies[at], sample, rows, names)
    return [found[at] for at in range(len(tallies))]


def _column(tally: Tally, sample: Sample, rows: int, names: frozenset[str]) -> dict[str, Any]:
    heading = tally.heading
    kind = tally.type(sample)
    seen = Seen(
        name=heading.header or (heading.names[0] if heading.names else ""),
        label=heading.label,
        type="date" if heading.date and kind in ("text", "integer") else kind,
        sample=sample,
        filled=tally.filled,
        distinct=tally.hashes.count(),
        exact=tally.hashes.at_least is None,
        rows=rows,
        codes=tuple(heading.value_labels),
        declared_date=heading.date,
        beside=names,
    )
    found = looks_like(seen)
    labels = dict(heading.value_labels) if may_show(seen, found) else {}
    missing = [*heading.missing, *sorted(tally.tagged.difference(heading.missing))]
    return {
        "name": seen.name,
        "label": heading.label,
        "type": seen.type,
        "filled": tally.filled,
        "distinct": seen.distinct,
        "distinct_exact": seen.exact,
        "value_labels": labels,
        "decimal": "," if kind.startswith("decimal") and _commas(sample) else ".",
        "missing_codes": missing,
        "missing_by_label": by_labels(labels, missing) | _nothing(tally, sample, seen, found),
        "looks_like": found,
    }


def _nothing(tally: Tally, sample: Sample, seen: Seen, found: Sequence[str]) -> dict[str, str]:
    """What stands for no answer: NA among numbers, but not among texts, where it may be a word or Namibia; a date of
    nines among dates; 999 among ages, but not among numbers that are somebody's or name something."""
    told = {} if seen.type in ("text", "empty") else marks(tally.nothing)
    if any(kind.startswith("date:") for kind in found):
        told |= marks(sample.where(sample.which(PLACEHOLDER)).texts)
    elif seen.numeric and not tally.heading.missing and set(found) <= {"weight", "key (unique)"}:
        unique = "key (unique)" in found and seen.rows >= _FEW_ROWS
        told |= {code: why for code, why in far_codes(sample, unique).items() if code not in seen.codes}
    return told


def _commas(sample: Sample) -> bool:
    """Whether most numbers with a fraction are written with a comma."""
    fractions = sample.which(r"^[+-]?[0-9]*[.,][0-9]+$|^[+-]?[0-9. ']+,[0-9]{1,2}$")
    return bool(2 * np.count_nonzero(fractions & sample.which(",")) > np.count_nonzero(fractions))
