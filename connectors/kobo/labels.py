"""Labels of an export decoded to the codes of its form: one answer or several joined by a space, corrections applied.

A label that two choices share, or that can be cut into choices in two ways ("No work No work permit"), is ambiguous;
one that no choice has is unknown. Both become null and an error: a guess is never silent.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codebook.errors import BadDefinition
from connectors.kobo.form import Choice, Question, plain
from connectors.shapes import Text
from sources.corrections import Correction

AMBIGUOUS = "ambiguous"
UNKNOWN = "unknown"


class Several(Enum):
    """How many labels a cell holds."""

    ONE = "one"
    SET = "set"
    RANKED = "ranked"
    """Several, and their order is the answer."""


def several(question: Question) -> Several:
    if question.type == "rank":
        return Several.RANKED
    return Several.SET if question.multiple else Several.ONE


@dataclass(frozen=True)
class Decoding:
    """What the labels of one question mean: label -> codes (two or none: ambiguous), one or several a cell."""

    codes: Mapping[str, tuple[str, ...]]
    several: Several

    def code(self, text: str) -> tuple[str | None, str | None]:
        """The code(s) of a cell's text, joined by a space, or None and why not."""
        label = plain(text)
        if self.several is Several.ONE:
            codes = self.codes.get(label)
            if codes is None:
                return None, UNKNOWN
            return (codes[0], None) if len(codes) == 1 else (None, AMBIGUOUS)
        ways = self._ways(label)
        if len(ways) == 1:
            codes = next(iter(ways.values()))
            return (None, AMBIGUOUS) if "" in codes else (" ".join(codes), None)
        return None, AMBIGUOUS if ways else UNKNOWN

    def _ways(self, text: str) -> dict[Hashable, tuple[str, ...]]:
        """Up to two different answers whose labels, joined by a space, are this text."""
        labels = sorted(self.codes, key=len, reverse=True)
        ends: dict[int, bool] = {len(text): True}

        def can_end(at: int) -> bool:
            if at not in ends:
                ends[at] = any(can_end(nxt) for label in labels for nxt in _after(text, at, label))
            return ends[at]

        found: dict[Hashable, tuple[str, ...]] = {}

        def walk(at: int, taken: tuple[str, ...]) -> None:
            if len(found) > 1:
                return
            if at == len(text):
                found.setdefault(taken if self.several is Several.RANKED else frozenset(taken), taken)
                return
            for label in labels:
                for nxt in _after(text, at, label):
                    if can_end(nxt):
                        # No code stands for a label that is declared ambiguous, "" marks it.
                        for code in self.codes[label] or ("",):
                            if code not in taken:
                                walk(nxt, (*taken, code))

        walk(0, ())
        return found


def _after(text: str, at: int, label: str) -> tuple[int, ...]:
    """Where the next label would begin if `label` stands at `at`; nowhere if it does not."""
    end = at + len(label)
    if label and text.startswith(label, at) and (end == len(text) or text[end] == " "):
        return (min(end + 1, len(text)),)
    return ()


def decoding(choices: Sequence[Choice], several: Several, corrections: Sequence[Correction], where: str) -> Decoding:
    """The decoding of a choice list; a blank label is its XML name, as the export writes it (formats.md 1.1).

    BadDefinition if a correction no longer describes the form: the supplier has mended it.
    """
    codes: dict[str, tuple[str, ...]] = {}
    for choice in choices:
        label = plain(choice.label) or choice.name
        codes[label] = tuple(dict.fromkeys([*codes.get(label, ()), choice.name]))
    for correction in corrections:
        label = plain(correction.label)
        if codes.get(label) != (correction.form_code,):
            raise BadDefinition(
                f"the form no longer gives {correction.form_code} for a corrected label of list {correction.list}",
                where,
                "the supplier has mended it, remove the row",
            )
    corrected = {plain(c.label): (c.corrected_code,) if c.corrected_code else () for c in corrections}
    return Decoding({**codes, **corrected}, several)


@dataclass(frozen=True)
class Decoded:
    """A decoded column and the cells that could not be decoded, by why."""

    column: Text
    unknown: NDArray[np.bool_]
    ambiguous: NDArray[np.bool_]


def decode(column: Text, meaning: Decoding) -> Decoded:
    """Each different text is decoded once, however often it occurs."""
    encoded: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not isinstance(encoded, pa.DictionaryArray):
        encoded = encoded.dictionary_encode()
    results = [meaning.code(text) for text in encoded.dictionary.to_pylist()]
    if not results:
        void = np.zeros(len(encoded), dtype=bool)
        return Decoded(pa.nulls(len(encoded), pa.string()), void, void)
    filled: NDArray[np.bool_] = encoded.is_valid().to_numpy(zero_copy_only=False)
    indices = encoded.indices.fill_null(0).to_numpy()

    def cells_that_are(reason: str) -> NDArray[np.bool_]:
        caught: NDArray[np.bool_] = np.array([why == reason for _, why in results])[indices]
        return caught & filled

    codes = pa.array([code for code, _ in results], pa.string())
    return Decoded(codes.take(encoded.indices), cells_that_are(UNKNOWN), cells_that_are(AMBIGUOUS))
