"""What the columns of a table have shown so far, counted piece by piece in bounded memory.

Different values are counted by their hashes, exactly while all columns together fit a budget; a column that outgrows it
is counted "at least". Of its values a sample is kept that is spread over the file. What a column looks like is judged
elsewhere, from that sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.profiling.no_answers import says_nothing
from connectors.profiling.samples import Mask, Places, Sample, Vocabulary, first_met
from connectors.shapes import Heading, Text
from values.digits import with_ascii_digits
from values.distinct import distinct

_PER_PIECE = 1_000
"""Different values of one piece that enter the sample, so that it is spread over the file."""
_TOGETHER, _FEW_ROWS = 60_000, 2_000
"""Cells that are looked at in one; columns of more rows are looked at one by one."""

KINDS = {
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
_MOSTLY = 0.9
_TAGGED = r"^\.[a-z_]$"
TOTAL = (
    r"(?i)^\s*(grand\s+|sub-?)?total(es|s|e)?(\s+(g[eé]n[eé]ral|nacional|national|geral|pa[ií]s|country))?\b[^\p{L}]*$"
    r"|^\s*(ensemble|gesamt|insgesamt|toplam|totale|ogółem|jumlah|jumla|wadarta|всего|итого|разом|усього"
    r"|المجموع|المجموع الكلي|الإجمالي|اجمالي|مجموع|مجموعه|جمع|جمع کل|ټولټال|کل|মোট|সর্বমোট|जम्मा|ድምር|ጠቅላላ)\s*:?\s*$"
)
"""How a row of totals begins, which is no record."""
FIRST = 2
"""Columns in which a row says that it is a total."""


@dataclass
class Hashes:
    """Different values of one column; merged in ever larger steps, so that a value is sorted few times."""

    merged: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    waiting: list[NDArray[np.int64]] = field(default_factory=list)
    at_least: int | None = None

    def add(self, hashes: NDArray[np.int64]) -> None:
        if self.at_least is None:
            self.waiting.append(hashes)
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
class Tally:
    """What one column has shown so far. `letters`: whether `.a` is a missing."""

    heading: Heading
    letters: bool = False
    filled: int = 0
    hashes: Hashes = field(default_factory=Hashes)
    possible: tuple[str, ...] = tuple(KINDS)
    sample: list[pa.Array] = field(default_factory=list)
    sampled: int = 0
    tagged: set[str] = field(default_factory=set)
    nothing: set[str] = field(default_factory=set)

    def look(self, values: Sample, mended: Vocabulary, room: int) -> Places:
        """Look at the different values of a piece and give the places of those that enter the sample.

        `mended` are all values of `values` with digits of ASCII.
        """
        places = self._answers(values) if self.letters else self._something(values)
        self.possible = tuple(kind for kind in self.possible if mended.which(KINDS[kind])[places].all())
        take = min(len(places), _PER_PIECE if self.sampled else room, room - self.sampled)
        if take <= 0:
            return places[:0]
        self.sampled += take
        return places if take == len(places) else places[np.linspace(0, len(places) - 1, take).astype(np.int64)]

    def _answers(self, values: Sample) -> Places:
        """The values that are no tagged missing (`.a`): those are kept apart, since they would make a number a text."""
        tagged = values.which(_TAGGED)
        self.tagged.update(values.where(tagged).texts if tagged.any() else ())
        return values.places[~tagged]

    def _something(self, values: Sample) -> Places:
        """The values that do not only say that there is none; nor, where rows begin, that the row is a total."""
        if values.which(KINDS["integer"]).all():
            return values.places
        void = says_nothing(values)
        if void.any():
            self.nothing.update(values.where(void).texts)
            values = values.where(~void)
        if self.heading.position < FIRST:
            values = values.where(~values.which(TOTAL))
        return values.places

    def type(self, sample: Sample) -> str:
        """One of the kinds, `text` or `empty`; `integer, some text` where nine values in ten are of that kind."""
        if not len(sample):
            return "empty"  # also where all of it says that there is none
        if self.possible:
            kind = self.possible[0]
            return "integer, grouped, or decimal" if kind == "decimal" and _may_be_groups(sample) else kind
        for kind, shape in KINDS.items():
            if sample.share(shape) >= _MOSTLY:
                return f"{kind}, some text"
        return "text"


def _may_be_groups(sample: Sample) -> bool:
    """Whether every fraction has three digits, as a group of thousands has."""
    fractions = sample.where(sample.which("[.,]"))
    return len(fractions) >= _ENOUGH and bool(fractions.which(_GROUPS_OR_FRACTION).all())


def add(tallies: Sequence[Tally], cells: Sequence[Text], room: int) -> None:
    """Count the cells of a piece, a column for each tally, and keep at most `room` values of each column."""
    rows = len(cells[0]) if cells else 0
    step = max(1, _TOGETHER // rows) if 0 < rows < _FEW_ROWS else 1
    for begin in range(0, len(cells), step):
        _add_together(tallies[begin : begin + step], cells[begin : begin + step], room)


def _add_together(tallies: Sequence[Tally], cells: Sequence[Text], room: int) -> None:
    values, filled, places = _different(cells)
    vocabulary, mended = Vocabulary(values), Vocabulary(with_ascii_digits(values))
    hashes = np.fromiter(map(hash, vocabulary.texts), np.int64, len(values))
    kept = []
    for tally, count, own in zip(tallies, filled, places, strict=True):
        tally.filled += count
        if count:
            tally.hashes.add(hashes[own])
            kept.append((tally, tally.look(Sample(vocabulary, own), mended, room)))
    if not kept:
        return
    texts, begin = mended.array.take(pa.array(np.concatenate([own for _, own in kept]))), 0
    for tally, own in kept:
        if len(own):
            tally.sample.append(texts.slice(begin, len(own)))
            begin += len(own)


def _different(cells: Sequence[Text]) -> tuple[pa.Array, list[int], list[Places]]:
    """The different values of some columns, how many cells of each are filled, and where its own values are."""
    if len(cells) == 1:
        encoded = distinct(cells[0])
        present = encoded.indices.drop_null()
        values = encoded.dictionary.take(pc.unique(present)).cast(pa.string())
        return values, [len(present)], [np.arange(len(values))]
    encoded = distinct(pa.concat_arrays(list(_as_strings(cells))))
    filled: Mask = np.asarray(encoded.indices.is_valid()).reshape(len(cells), -1)
    sizes = filled.sum(axis=1)
    places = np.asarray(encoded.indices.drop_null(), np.int64)
    return encoded.dictionary, sizes.tolist(), first_met(places, sizes, len(encoded.dictionary))


def _as_strings(cells: Sequence[Text]) -> Iterator[pa.Array]:
    for column in cells:
        for array in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
            yield array if pa.types.is_string(array.type) else array.cast(pa.string())
