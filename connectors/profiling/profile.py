"""What is in a file: rows, columns, labels, types, missing codes and what each column looks like. Counts, no value.

One pass over the pieces in bounded memory. Different values are counted by their hashes, exactly while all columns
together fit a budget; a column that outgrows it is counted "at least". What a column looks like is judged in
`looks_like` from a sample of different values that is spread over the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.profiling.date_shapes import PLACEHOLDER
from connectors.profiling.looks_like import Seen, looks_like, may_show
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
    "decimal": r"^\s*[+-]?[0-9]*[.,]?[0-9]+([eE][+-]?[0-9]+)?\s*$",
    "integer, grouped": r"^\s*[+-]?[0-9]{1,3}([,.'\x{2019}\x{a0}\x{202f} ][0-9]{3})*\s*$",
    "decimal, grouped": r"^\s*[+-]?[0-9]{1,3}(([. '\x{a0}][0-9]{3})*(,[0-9]+)?|([, '\x{a0}][0-9]{3})*(\.[0-9]+)?)\s*$",
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
_NO_ANSWER = r"^\s*(#*N/?A#*|n/a|#?NULL!?|null|NaN|nan|[.:]|-+)\s*$"
"""What programs write into a cell for nothing: R's NA, a database's NULL, Eurostat's colon, ##N/A## of Survey
Solutions. Told as proposed missing codes, since they would make a number a text."""
_WITH_LETTERS = frozenset({"dta", "sas7bdat", "xpt"})
"""Formats whose numbers may be a letter that says why there is none."""
_TOTAL = (
    r"(?i)^\s*(grand\s+|sub-?)?total(es|s|e|\s+g[eé]n[eé]ral)?\b[^\p{L}]*$|^\s*(ensemble|gesamt|insgesamt|всего|итого|разом"
    r"|усього|المجموع|الإجمالي|جمع|جمع کل)\s*:?\s*$"
)
"""How a row of totals begins, which is no record."""
_MOSTLY = 0.9
_REASONS = {
    "dont_know": (
        "don't know",
        "dont know",
        "do not know",
        "no sabe",
        "ne sait pas",
        "je ne sais pas",
        "لا أعرف",
        "dk",
    ),
    "refused": ("refused", "refuse", "prefer not to", "does not wish", "no responde", "prefiere no", "refus", "رفض"),
    "not_applicable": ("not applicable", "n/a", "no aplica", "sans objet", "non applicable", "لا ينطبق"),
    "missing": ("missing", "no answer", "not stated", "sin dato", "non réponse", "manquant"),
}
"""Words of labels that say that a code is no answer: many files declare none of their missing codes (formats.md 2)."""


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
        """The values that do not only say that there is none."""
        void = pc.match_substring_regex(values, _NO_ANSWER)
        if not pc.any(void).as_py():
            return values
        self.nothing.update(values.filter(void).to_pylist())
        return values.filter(pc.invert(void))

    def type(self, sample: pa.Array) -> str:
        """One of the kinds, `text` or `empty`; `integer, some text` where nine values in ten are of that kind."""
        if not self.filled or not len(sample):
            return "empty"
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
    rows, totals, findings = 0, 0, Counter[str]()
    for raw in grid.pieces([h.position for h in headings], max(200, min(20_000, _CELLS_A_PIECE // width))):
        piece = raw if rows or hxl else _without_tags(raw)
        hxl = hxl or piece is not raw
        rows += len(piece.rows)
        totals += _total_rows(piece.cells[:2])
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
        "hxl_row": hxl,
        "columns": [_column(tally, rows, names) for tally in tallies],
        "findings": {rule: count for rule, count in sorted(findings.items()) if count},
    }


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
        "missing_by_label": _no_answers(labels, missing) | _nothing(tally, sample, found),
        "looks_like": found,
    }


def _nothing(tally: _Tally, sample: pa.Array, found: Sequence[str]) -> dict[str, str]:
    """What stands for no answer: NA among numbers, but not among texts, where it may be a word or Namibia; a date of
    nines among dates."""
    void = set() if tally.type(sample) == "text" else {text.strip() for text in tally.nothing}
    if any(kind.startswith("date:") for kind in found):
        void = void | set(sample.filter(pc.match_substring_regex(sample, PLACEHOLDER)).to_pylist())
    return dict.fromkeys(sorted(void), "missing")


def _commas(sample: pa.Array) -> bool:
    """Whether most numbers with a fraction are written with a comma."""
    fractions = pc.match_substring_regex(sample, r"^[+-]?[0-9]*[.,][0-9]+$|^[+-]?[0-9. ']+,[0-9]{1,2}$")
    return bool(
        pc.sum(pc.and_(fractions, pc.match_substring(sample, ","))).as_py() * 2 > (pc.sum(fractions).as_py() or 0)
    )


def _no_answers(labels: dict[str, str], declared: Iterable[str]) -> dict[str, str]:
    """Codes that are no answers by their label and that the file does not declare: proposed for review."""
    known = set(declared)
    found = {}
    for code, label in labels.items():
        folded = label.casefold().replace("’", "'")
        reason = next((why for why, words in _REASONS.items() if any(word in folded for word in words)), None)
        if reason and code not in known:
            found[code] = reason
    return found
