"""Redaction of the notes of a batch: finds what identifies people and writes its kind in its place.

The bulk way that the gate and the benchmark take. Which column may be redacted is the business of `policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from anonymization.redaction import forms, names, numbers
from anonymization.redaction.dates import named_days
from anonymization.redaction.folding import clean, fold
from anonymization.redaction.installed_model import installed_model, named
from anonymization.redaction.lexicon import lexicon
from anonymization.redaction.names import RowNames
from anonymization.redaction.patterns import Span, shapes
from anonymization.redaction.words import MONTH, SPLIT, Words, flags_of

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

    def redact(
        self, notes: Sequence[str | None], own: Sequence[frozenset[str] | None] | None = None
    ) -> list[str | None]:
        """Notes with `[NAME]`, `[PHONE]` ... in place of what identifies; `own`: each row's own name words, folded."""
        found = self.find(notes, own)
        return [None if note is None else _replaced(note, spans) for note, spans in zip(notes, found, strict=True)]

    def find(self, notes: Sequence[str | None], own: Sequence[frozenset[str] | None] | None = None) -> list[list[Span]]:
        """What identifies people in each note, in order of place; no note changes what is found in another."""
        cleaned = [clean(note or "") for note in notes]
        split = [SPLIT.split(text) for text, _ in cleaned]
        words = self._words_of(split)
        modelled = named(self._model, [text for text, _ in cleaned]) if self._model is not None else None
        own_names: dict[frozenset[str], RowNames] = {}
        found = []
        for row, ((text, _), parts) in enumerate(zip(cleaned, split, strict=True)):
            said = own[row] if own is not None else None
            mine = own_names.setdefault(said, RowNames(said)) if said else None
            flags = flags_of(text, parts, words)
            days = named_days(text) if any(flag & MONTH for flag in flags) else []
            shaped = sorted([*shapes(text, self._lexicon), *days, *forms.values(text, words)])
            names_found = names.find(text, parts, flags, words, self._lexicon, mine, shaped)
            spans = names.merged(text, [*shaped, *names_found]) if names_found or shaped else []
            if modelled is not None:
                spans = names.merged(text, [*spans, *next(modelled)])
            found.append(spans)
        self._tell_numbers(cleaned, found)
        return [
            spans if places is None else [_as_written(span, places) for span in spans]
            for spans, (_, places) in zip(found, cleaned, strict=True)
        ]

    def _tell_numbers(self, cleaned: Sequence[tuple[str, list[int] | None]], found: list[list[Span]]) -> None:
        """Puts the kind of each number in its place, asked for all numbers of the batch at once."""
        asked = [
            (spans, place, text[span.start : span.end])
            for (text, _), spans in zip(cleaned, found, strict=True)
            for place, span in enumerate(spans)
            if span.type == numbers.UNDETERMINED
        ]
        if not asked:
            return
        kinds = numbers.kinds({written for _, _, written in asked}, self._country)
        for spans, place, written in asked:
            spans[place] = spans[place]._replace(type=kinds[written])

    def _words_of(self, split: Sequence[Sequence[str]]) -> Words:
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
