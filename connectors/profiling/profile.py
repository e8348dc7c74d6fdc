"""What is in a file: rows, columns, labels, types, missing codes and what each column looks like. Counts, no value.

One pass over the pieces in bounded memory. Different values are counted by their hashes, exactly while all columns
together fit a budget; a column that outgrows it is counted "at least". What a column looks like is judged in
`looks_like` from a sample of different values that is spread over the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.profiling.date_shapes import PLACEHOLDER
from connectors.profiling.looks_like import Seen, looks_like, may_show
from connectors.profiling.no_answers import by_labels, far_codes, marks, says_nothing
from connectors.shapes import Grid, Heading, Piece, Text
from connectors.text.header_rows import is_hxl_row
from connectors.unknown import Looked, only_our_errors
from values.digits import with_ascii_digits
from values.distinct import distinct

MAX_HASHES = 8_000_000
"""Hashes kept for all columns of a table together: 64 MB."""
_SAMPLED_CELLS = 4_000_000
_PER_PIECE = 1_000
"""Different values of one piece that enter the sample, so that it is spread over the file."""
_CELLS_A_PIECE = 4_000_000

_KINDS = {
    "integer": r"^\s*[+-]?[0-9]+\s*$",
    "decimal": r"^\s*[+-]?[0-9]*[.,\x{66b}]?[0-9]+([eE][+-]?[0-9]+)?\s*$",
    "integer, grouped": r"^\s*[+-]?[0-9]{1,3}([,.'\x{2019}\x{a0}\x{202f}\x{66c} ][0-9]{3})*\s*$",
    "decimal, grouped": r"^\s*[+-]?[0-9]{1,3}(([. '\x{a0}\x{202f}\x{66c}][0-9]{3})*([,\x{66b}][0-9]+)?"
    r"|([, '\x{a0}\x{202f}][0-9]{3})*(\.[0-9]+)?)\s*$",
    "date": r"^\s*([0-9]{4}[/\-][0-9]{1,2}[/\-][0-9]{1,2}|[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{4})\s*$",
    "datetime": r"^\s*[0-9]{4}[/-][0-9]{2}[/-][0-9]{2}[T ][0-9]{1,2}:[0-9]{2}.*$",
    "time": r"^\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?\s*$",
    "boolean": r"(?i)^(true|false)$",
}
"""Types in the order in which they are told: a value of one kind may also be of a later one."""
_GROUPS_OR_FRACTION = r"^\s*[+-]?[1-9][0-9]{0,2}[,.][0-9]{3}\s*$"
"""57,897: a group of thousands or a decimal comma; where all fractions are such, it cannot be told."""
_ENOUGH = 3
_TAGGED = r"^\.[a-z_]$"
_WITH_LETTERS = frozenset({"dta", "sas7bdat", "xpt"})
"""Formats whose numbers may be a letter that says why there is none."""
_TOTAL = (
    r"(?i)^\s*(grand\s+|sub-?)?total(es|s|e)?(\s+(g[eé]n[eé]ral|nacional|national|geral|pa[ií]s|country))?\b[^\p{L}]*$"
    r"|^\s*(ensemble|gesamt|insgesamt|toplam|totale|ogółem|jumlah|jumla|wadarta|всего|итого|разом|усього"
    r"|المجموع|المجموع الكلي|الإجمالي|اجمالي|مجموع|مجموعه|جمع|جمع کل|ټولټال|کل|মোট|সর্বমোট|जम्मा|ድምር|ጠቅላላ)\s*:?\s*$"
)
"""How a row of totals begins, which is no record."""
_FIRST = 2
"""Columns in which a row says that it is a total."""
_MOSTLY = 0.9
_NOTES = 20
"""Rows below a table that may be its notes."""
_NOTE = r"\p{L}.*:|^\s*[*(]|\S\s+\S+\s+\S"
"""A colon, a mark, or several words: `end group` in a row of its own is no note."""


@dataclass
class _Hashes:
    """Different values of one column; merged in ever larger steps, so that a value is sorted few times."""

    merged: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    waiting: list[NDArray[np.int64]] = field(default_factory=list)
    at_least: int | None = None

    def add(self, values: Sequence[str]) -> None:
        if self.at_least is None:
            self.waiting.append(np.fromiter(map(hash, values), np.int64, len(values)))
            if sum(map(len, self.waiting)) > len(self.merged):
                self._merge()

    def held(self) -> int:
        return len(self.merged) + sum(map(len, self.waiting))

    def give_up(self) -> None:
        """From here on only "at least" is known."""
        self.at_least = self.count()
        self.merged, self.waiting = np.empty(0, np.int64), []

    def count(self) -> int:
        if self.at_least is not None:
            return self.at_least
        self._merge()
        return len(self.merged)

    def _merge(self) -> None:
        if self.waiting:
            # numpy's own `unique` hashes, which takes six times as long as sorting (numpy 2.4, 700,000 of int64).
            every = np.sort(np.concatenate([self.merged, *self.waiting]))
            self.merged = every[np.concatenate([[True], every[1:] != every[:-1]])] if len(every) else every
            self.waiting = []


@dataclass
class _Tally:
    """What one column has shown so far."""

    heading: Heading
    letters: bool = False
    filled: int = 0
    hashes: _Hashes = field(default_factory=_Hashes)
    possible: set[str] = field(default_factory=lambda: set(_KINDS))
    sample: list[pa.Array] = field(default_factory=list)
    sampled: int = 0
    tagged: set[str] = field(default_factory=set)
    nothing: set[str] = field(default_factory=set)

    def add(self, column: Text, room: int) -> None:
        encoded = distinct(column)
        present = encoded.indices.drop_null()
        if not len(present):
            return
        self.filled += len(present)
        values = encoded.dictionary.take(pc.unique(present)).cast(pa.string())
        self.hashes.add(values.to_pylist())
        values = with_ascii_digits(self._answers(values) if self.letters else self._something(values))
        self.possible = {kind for kind in self.possible if pc.all(_fits(values, kind)).as_py()}
        take = min(len(values), _PER_PIECE if self.sample else room, room - self.sampled)
        if take > 0:
            places = np.linspace(0, len(values) - 1, take).astype(np.int64)
            self.sample.append(values.take(pa.array(places)))
            self.sampled += take

    def _answers(self, values: pa.Array) -> pa.Array:
        """The values that are no tagged missing (`.a`): those are kept apart, since they would make a number a text."""
        tagged = pc.match_substring_regex(values, _TAGGED)
        self.tagged.update(values.filter(tagged).to_pylist())
        return values.filter(pc.invert(tagged))

    def _something(self, values: pa.Array) -> pa.Array:
        """The values that do not only say that there is none; nor, where rows begin, that the row is a total."""
        if pc.all(_fits(values, "integer")).as_py():
            return values
        void = says_nothing(values)
        if pc.any(void).as_py():
            self.nothing.update(values.filter(void).to_pylist())
            values = values.filter(pc.invert(void))
        if self.heading.position < _FIRST:
            values = values.filter(pc.invert(pc.match_substring_regex(values, _TOTAL)))
        return values

    def type(self, sample: pa.Array) -> str:
        """One of the kinds, `text` or `empty`; `integer, some text` where nine values in ten are of that kind."""
        if not len(sample):
            return "empty"  # also where all of it says that there is none
        for kind in _KINDS:
            if kind in self.possible:
                return "integer, grouped, or decimal" if kind == "decimal" and _may_be_groups(sample) else kind
        for kind in _KINDS:
            if pc.mean(_fits(sample, kind).cast(pa.int8())).as_py() >= _MOSTLY:
                return f"{kind}, some text"
        return "text"


def _fits(values: pa.Array, kind: str) -> pa.Array:
    return pc.match_substring_regex(values, _KINDS[kind])


def _may_be_groups(sample: pa.Array) -> bool:
    """Whether every fraction has three digits, as a group of thousands has."""
    fractions = sample.filter(pc.match_substring_regex(sample, "[.,]"))
    return len(fractions) >= _ENOUGH and bool(pc.all(pc.match_substring_regex(fractions, _GROUPS_OR_FRACTION)).as_py())


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
    tallies = [_Tally(heading, letters) for heading in headings]
    width = max(1, len(headings))
    room = min(20_000, max(200, _SAMPLED_CELLS // width))
    rows, totals, notes, findings = 0, 0, 0, Counter[str]()
    pieces = grid.pieces([h.position for h in headings], max(200, min(20_000, _CELLS_A_PIECE // width)))
    for whole, last in _until_last(pieces):
        raw = whole if rows or hxl else _without_tags(whole)
        hxl = hxl or raw is not whole
        piece = _without_notes(raw) if last and width > 2 else raw
        notes += len(raw.rows) - len(piece.rows)
        rows += len(piece.rows)
        totals += _total_rows(piece.cells[:_FIRST])
        for finding in piece.findings:
            findings[finding.rule] += len(finding.rows)
        for tally, column in zip(tallies, piece.cells, strict=True):
            tally.add(column, room)
        _keep_to_budget(tallies)
    names = frozenset(heading.header for heading in headings)
    return {
        "name": title,
        "sheet": grid.sheet,
        "rows": rows,
        "total_rows": totals,
        "note_rows": notes,
        "hxl_row": hxl,
        "columns": [_column(tally, rows, names) for tally in tallies],
        "findings": {rule: count for rule, count in sorted(findings.items()) if count},
    }


def _until_last(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Each piece, and whether it is the last; ragged rows, as notes are, come in short pieces of their own."""
    held: Piece | None = None
    for piece in pieces:
        if held is None:
            held = piece
        elif min(len(held.rows), len(piece.rows)) < 2 * _NOTES and len(held.rows) < 20_000:
            held = _joined(held, piece)
        else:
            yield held, False
            held = piece
    if held is not None:
        yield held, True


def _joined(one: Piece, other: Piece) -> Piece:
    cells = [
        pa.chunked_array([column.cast(pa.string()) for column in pair]).combine_chunks()
        for pair in zip(one.cells, other.cells, strict=True)
    ]
    return Piece(np.concatenate([one.rows, other.rows]), cells, (*one.findings, *other.findings))


def _without_notes(piece: Piece) -> Piece:
    """The piece without the notes at its end: `Source: ...`, words in one cell of rows whose others are blank.

    A row of one cell above rows of several is a record, and then those at the end may be records too.
    """
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


def _total_rows(first: Sequence[Text]) -> int:
    """Rows whose first filled cell says that they are a total."""
    if not first:
        return 0
    begin = pc.coalesce(*(column.cast(pa.string()) for column in first))
    return int(pc.sum(pc.match_substring_regex(begin, _TOTAL)).as_py() or 0)


def _without_tags(piece: Piece) -> Piece:
    """The piece without a first row of HXL hashtags, which names the columns once more."""
    if not is_hxl_row([column[0].as_py() for column in piece.cells if len(column)]):
        return piece
    return Piece(piece.rows[1:], [column.slice(1) for column in piece.cells], piece.findings)


def _keep_to_budget(tallies: Sequence[_Tally]) -> None:
    held = sum(tally.hashes.held() for tally in tallies)
    while held > MAX_HASHES:
        largest = max(tallies, key=lambda tally: tally.hashes.held())
        held -= largest.hashes.held()
        largest.hashes.give_up()


def _column(tally: _Tally, rows: int, names: frozenset[str]) -> dict[str, Any]:
    heading = tally.heading
    sample = pa.concat_arrays(tally.sample) if tally.sample else pa.array([], pa.string())
    # Exports of fixed-width registers pad their cells with spaces.
    sample = pc.unique(pc.utf8_trim_whitespace(sample))
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


def _nothing(tally: _Tally, sample: pa.Array, seen: Seen, found: Sequence[str]) -> dict[str, str]:
    """What stands for no answer: NA among numbers, but not among texts, where it may be a word or Namibia; a date of
    nines among dates; 999 among ages, but not among numbers that are somebody's or name something."""
    told = {} if seen.type in ("text", "empty") else marks(tally.nothing)
    if any(kind.startswith("date:") for kind in found):
        told |= marks(sample.filter(pc.match_substring_regex(sample, PLACEHOLDER)).to_pylist())
    elif seen.numeric and not tally.heading.missing and set(found) <= {"weight", "key (unique)"}:
        unique = "key (unique)" in found
        told |= {code: why for code, why in far_codes(sample, unique).items() if code not in seen.codes}
    return told


def _commas(sample: pa.Array) -> bool:
    """Whether most numbers with a fraction are written with a comma."""
    fractions = pc.match_substring_regex(sample, r"^[+-]?[0-9]*[.,][0-9]+$|^[+-]?[0-9. ']+,[0-9]{1,2}$")
    return bool(
        pc.sum(pc.and_(fractions, pc.match_substring(sample, ","))).as_py() * 2 > (pc.sum(fractions).as_py() or 0)
    )
