"""Which values of a passing column pass: those that the source's crosswalk can read, and only of rows that pass.

A name where a sex is expected, a note in place of a date: no rule reads it, its row is rejected for that further on,
and its value is of no use there. So it stays here, and a sign that no rule reads either stands in its place: the
verdict is the same. So it is with a number or date beyond what the codebook takes (`stand_ins`), and with the digits of
a fraction that it does not keep. A column that the crosswalk records as without a place in the codebook is of no use.

What looks like personal data is the business of `scan`: a number that could be a count passes here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.stand_ins import Mask, Reading, reading, stand_in
from codebook.loader import Codebook
from sources.crosswalk import ANY, BLANK
from sources.models import Source
from sources.readers import VERSION
from values.distinct import TextColumn, distinct, trimmed, used

WITHHELD = "\ufffd"
"""In place of a value that no rule of the crosswalk reads: the sign for what cannot be shown."""
FEW = 1_000
"""Batch after batch a column of so few different values has the same: what was read once is not read again."""


@dataclass
class _Known:
    """What the crosswalk can read in one column. `words`: cells are several codes, joined by a space; `versions`: it is
    copied as it is, which is for versions of a form; `passed`: values of the last batch that had few, all readable."""

    codes: set[str] = field(default_factory=set)
    reads: list[Reading] = field(default_factory=list)
    words: bool = False
    versions: bool = False
    passed: frozenset[str] = frozenset()


class PassingValues:
    """The values that may pass, of every column of one source."""

    def __init__(self, source: Source, codebook: Codebook) -> None:
        self._known: dict[tuple[str, str], _Known] = {}
        for row in source.crosswalk:
            for column in row.columns:
                self._known.setdefault((row.table, column), _Known())
            for condition in row.when:
                self._known[row.table, condition.column].codes.add(_text(condition.code))
            if not row.column or row.rule is None:
                continue
            known = self._known[row.table, row.column]
            known.words |= row.rule == "select_multiple"
            if row.code:
                known.codes.add(_text(row.code))
            elif row.rule == "copy":
                known.versions = True
            elif row.rule in ("number", "age", "date", "geography"):
                known.reads.append(reading(source, codebook, row))
        for known in self._known.values():
            known.codes -= {BLANK, ANY}

    def of(self, table: str, column: str, cells: TextColumn) -> TextColumn:
        """`cells` with WITHHELD for what cannot be read; nulls and blanks as they are, dictionaries without values
        that no row has (those of rows that were held back would be written with them)."""
        known = self._known.get((table, column))
        encoded = pa.types.is_dictionary(cells.type)
        if known is None:  # loading refuses a passing column that the crosswalk does not know
            return used(distinct(cells)) if encoded else cells
        given = used(distinct(cells))
        values = given.dictionary.cast(pa.string())
        few = frozenset(values.to_pylist()) if len(values) <= FEW else None
        if few is not None and few <= known.passed:
            return given if encoded else cells
        kept, instead = _readable(values, known)
        if kept.all():
            known.passed = known.passed if few is None else few
            return given if encoded else cells
        hidden = [_hidden(values[at].as_py(), known, instead.get(int(at))) for at in np.flatnonzero(~kept)]
        shown = pc.replace_with_mask(values, pa.array(~kept), pa.array(hidden, pa.string())).dictionary_encode()
        return pa.DictionaryArray.from_arrays(shown.indices.take(given.indices), shown.dictionary)


def _readable(values: pa.StringArray, known: _Known) -> tuple[Mask, dict[int, str]]:
    """Which values pass; and by their place those in whose place another text has the same thing wrong with it."""
    texts = pc.utf8_normalize(trimmed(values), "NFC")
    found = _mask(texts.is_null()) | _mask(pc.is_in(texts, pa.array(sorted(known.codes), pa.string())))
    if known.versions:
        found |= _mask(pc.match_substring_regex(texts, f"^(?:{VERSION})$"))
    if known.words and not found.all():
        found |= np.array([text is not None and known.codes.issuperset(text.split()) for text in texts.to_pylist()])
    listed = found.copy()
    instead: dict[int, str] = {}
    for read in known.reads:
        if found.all():
            break
        answers, wrong = read.judge(texts)
        found |= answers
        for what, places in wrong.items():
            if places.any() and (text := stand_in(known.reads, read, what, known.codes)) is not None:
                instead |= {int(place): text for place in np.flatnonzero(places)}
    if len({read.mark for read in known.reads}) == 1:
        cut = {at: text for at, text in known.reads[0].rounded(texts).items() if found[at] and not listed[at]}
        found[list(cut)] = False
        instead |= cut
    return found, instead


def _hidden(text: str, known: _Known, instead: str | None) -> str:
    """Of several codes in one cell, those that are known stay: the others may have an answer of their own (`*`)."""
    if not known.words:
        return instead or WITHHELD
    return " ".join(word if word in known.codes else WITHHELD for word in unicodedata.normalize("NFC", text).split())


def _text(code: str) -> str:
    """Codes are compared in the form in which harmonization compares cells."""
    return unicodedata.normalize("NFC", code.strip())


def _mask(flags: pa.Array) -> Mask:
    mask: Mask = pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
    return mask
