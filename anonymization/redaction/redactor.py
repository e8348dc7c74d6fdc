"""Redaction of the notes of a batch: finds what identifies people and writes its kind in its place.

The bulk way that the gate and the benchmark take. Which column may be redacted is the business of `policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce
from itertools import repeat
from operator import or_

from anonymization.redaction import forms, names, numbers, papers, patterns, spelled
from anonymization.redaction.dates import named_days, with_weekday
from anonymization.redaction.folding import RowNames, clean, fold
from anonymization.redaction.installed_model import installed_model, named
from anonymization.redaction.lexicon import lexicon
from anonymization.redaction.merging import merged
from anonymization.redaction.patterns import Span, shapes
from anonymization.redaction.words import MONTH, NUMERAL, PAPER, SECRET, SINGLE, SPLIT, WEEKDAY, Words, flags_of

_REMEMBERED = 200_000
"""So many different words are remembered from one batch to the next."""

KnownNames = Callable[[Sequence[str]], Collection[str]]
"""Of folded words, those that are names of people whom the vault knows."""


class Redactor:
    """Redacts notes of one language and country; `known_names`: the vault's look-up, if there is a vault."""

    def __init__(self, language: str, country: str, known_names: KnownNames | None = None) -> None:
        self._language, self._country, self._known_names = language, country, known_names
        self._lexicon, self._model = lexicon(language), installed_model(language)
        self._words = Words(self._lexicon, ())
        numbers.load()
        patterns.load()

    def redact(
        self, notes: Sequence[str | None], own: Sequence[frozenset[str] | None] | None = None
    ) -> list[str | None]:
        """Notes with `[NAME]`, `[PHONE]` ... in place of what identifies; `own`: each row's own name words, folded."""
        found = self.find(notes, own)
        return [None if note is None else _replaced(note, spans) for note, spans in zip(notes, found, strict=True)]

    def find(self, notes: Sequence[str | None], own: Sequence[frozenset[str] | None] | None = None) -> list[list[Span]]:
        """What identifies people in each note, in order of place; no note changes what is found in another."""
        cleaned = [clean(note or "") for note in notes]
        texts = [text for text, _ in cleaned]
        # Where nobody is asked about the words of all notes, those of one are dropped before the next are made.
        split = map(SPLIT.split, texts) if self._known_names is None else [SPLIT.split(text) for text in texts]
        words = self._words_of(split)
        said = own if own is not None else repeat(None, len(texts))
        own_names = {one: RowNames(one) for one in set(said) if one} if own is not None else {}
        found = [
            self._spans(text, parts, words, own_names[one] if one else None)
            for text, parts, one in zip(texts, split, said, strict=True)
        ]
        if self._model is not None:
            modelled = named(self._model, texts)
            found = [merged(text, [*spans, *more]) for text, spans, more in zip(texts, found, modelled, strict=True)]
        self._tell_numbers(texts, found)
        return [
            spans if places is None else [_as_written(span, places) for span in spans]
            for spans, (_, places) in zip(found, cleaned, strict=True)
        ]

    def find_in(self, note: str) -> list[Span]:
        """What identifies people in one note: what `find` finds, sooner than it is found in a batch of one."""
        if self._model is not None or self._known_names is not None:
            return self.find([note])[0]
        text, places = clean(note)
        parts = SPLIT.split(text)
        spans = self._spans(text, parts, self._words_of([parts]), None)
        self._tell_numbers([text], [spans])
        return spans if places is None else [_as_written(span, places) for span in spans]

    def _spans(self, text: str, parts: list[str], words: Words, own: RowNames | None) -> list[Span]:
        """What the rules find in a cleaned note that was split into words."""
        flags = flags_of(text, parts, words)
        shaped = shapes(text, self._lexicon)
        labelled = forms.values(text, words)
        every = reduce(or_, flags, 0)
        more = named_days(text, words) if every & MONTH else []
        if every & NUMERAL:
            more += spelled.numbers(parts, flags)
        if every & PAPER:
            more += papers.codes(text)
        if every & SINGLE and sum(flag & SINGLE for flag in flags) > 3 * SINGLE:
            more += spelled.letters(text)
        if every & SECRET:
            more += forms.secrets(text, words)
        if labelled or more:
            shaped = sorted([*shaped, *more, *labelled])
        if every & WEEKDAY:
            shaped = [with_weekday(text, one) if one.type == "DATE" else one for one in shaped]
        names_found = names.find(text, parts, flags, words, self._lexicon, own, shaped)
        return merged(text, [*shaped, *names_found]) if names_found or shaped else []

    def _tell_numbers(self, texts: Sequence[str], found: list[list[Span]]) -> None:
        """Puts the kind of each number in its place, asked for all numbers of the batch at once."""
        asked = [
            (spans, place, text[span.start : span.end])
            for text, spans in zip(texts, found, strict=True)
            for place, span in enumerate(spans)
            if span.type == numbers.UNDETERMINED
        ]
        if not asked:
            return
        kinds = numbers.kinds({written for _, _, written in asked}, self._country)
        for spans, place, written in asked:
            spans[place] = spans[place]._replace(type=kinds[written])

    def _words_of(self, split: Iterable[Sequence[str]]) -> Words:
        """What the words of these notes are; asked of the vault which of them are names of its people."""
        if self._known_names is None:
            if len(self._words) > _REMEMBERED:
                self._words.clear()
            return self._words
        asked = {form for word in {word for parts in split for word in parts[1::2]} for form in self._words.forms(word)}
        return Words(self._lexicon, self._known_names(sorted(asked - self._lexicon.stop)))


def name_words(*names_of_row: str | None) -> frozenset[str]:
    """The folded words of a row's names; particles and initials are nobody's."""
    words = {fold(word) for name in names_of_row if name for word in SPLIT.split(clean(name)[0])[1::2]}
    return frozenset(word for word in words if len(word) > 1 and not word.isdigit() and word not in _NO_NAMES)


_NO_NAMES = frozenset(
    (
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "do",
        "dos",
        "das",
        "di",
        "du",
        "des",
        "le",
        "van",
        "von",
        "der",
        "den",
        "bin",
        "ben",
        "ibn",
        "ould",
        "el",
        "al",
        "y",
        "e",
    )
)


def _as_written(span: Span, places: list[int]) -> Span:
    """Places in the note as it came, where invisible characters still stand."""
    return Span(places[span.start], places[span.end - 1] + 1, span.type)


def _replaced(note: str, spans: Sequence[Span]) -> str:
    if not spans:
        return note
    pieces, last = [], 0
    for span in spans:
        pieces += [note[last : span.start], f"[{span.type}]"]
        last = span.end
    return "".join([*pieces, note[last:]])
