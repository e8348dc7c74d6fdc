"""What officers write beside what they do: why somebody is erased, what a name is needed for. It names nobody.

It is kept for good, in requests and certificates, where no value of a delivery may stand. So it is refused if a name
of the person or of anybody else of the country stands in it, one that many people bear, one of the person's other
identifiers, or a phone, an e-mail address or the like of anybody's. Officers' own names are not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

from anonymization.redaction.folding import clean, fold
from anonymization.redaction.lexicon import Lexicon, frequent_names, given_names, lexicon
from anonymization.redaction.redactor import Redactor, name_words
from anonymization.redaction.words import SPLIT, Words
from anonymization.vault.name_words import known_words
from anonymization.vault.requests import Said, records_of
from anonymization.vault.unlearning import words_said
from codebook.errors import HomewardError
from sources.models import Language

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.country_keys import CountryKeys

    Vaultside = Cursor[tuple[Any, ...]]

_SHORTEST = 5
"""Signs of an identifier that is looked for: fewer stand in any sentence by chance."""
_PHONE = 8
"""Digits of the shortest phone."""
_NO_MATTER = frozenset({"NAME", "DATE", "TIME", "ID", "REFERENCE"})
"""Kinds that a letter's day and number have as well; names are told by the vault and not by their place in a text."""


def refuse_people(cursor: Vaultside, keys: CountryKeys, tokens: Sequence[UUID], text: str, where: str) -> None:
    """HomewardError if `text` says who the person behind `tokens` is, or anybody else."""
    ask = "SELECT person_id FROM vault.person WHERE came IN (true, false) AND token = ANY (%s)"
    numbers = cursor.execute(ask, (list(tokens),)).fetchall()
    own = words_said(cursor, keys, [number for (number,) in numbers])
    words = _words(text)
    asked = {form for word in words if word.may_name for form in word.forms}
    known = own | known_words(cursor, keys, asked)
    common = frequent_names() | given_names()
    for place, word in enumerate(words, start=1):
        if not known.isdisjoint(word.forms) or (not word.everyday and word.folded in common):
            raise _named(f"word {place} is a name", where)
    if _holds_value(text, records_of(cursor, keys, tokens)):
        raise _named("an identifier of the person stands in it", where)
    if kinds := _kinds(text, keys.country):
        raise _named(f"it holds what looks like {' or '.join(kinds)}", where)


def _named(what: str, where: str) -> HomewardError:
    return HomewardError(what, where, "write it without naming anybody: it is kept when the person is gone")


@dataclass(frozen=True)
class _Word:
    """A word folded, and with what is joined to it taken off; whether it is an everyday one, and whether it may be
    somebody's name all the same: one that has a capital within a sentence may (Cruz, Paz)."""

    folded: str
    forms: frozenset[str]
    everyday: bool
    may_name: bool


def _words(text: str) -> list[_Word]:
    lexicons = [lexicon(language) for language in get_args(Language)]
    forms_of = [Words(one, ()).forms for one in lexicons]
    told: list[_Word] = []
    pieces = SPLIT.split(clean(text)[0])
    for between, word in zip(pieces[::2], pieces[1::2], strict=False):
        folded = fold(word)
        everyday = any(_is_everyday(folded, one) for one in lexicons)
        begins = not told or any(sign in between for sign in ".!?:")
        forms = frozenset(form for forms in forms_of for form in forms(word) if name_words(form))
        told.append(_Word(folded, forms, everyday, not everyday or (word[0] != word[0].lower() and not begins)))
    return told


def _is_everyday(folded: str, one: Lexicon) -> bool:
    return folded in one.words or one.has_known_stem(folded)


def _kinds(text: str, country: str) -> list[str]:
    """What else identifies by its shape; a phone that is no longer than a letter's number and year is none."""
    spans = Redactor("en", country).find_in(text)
    short = {span for span in spans if span.type == "PHONE" and not _as_long(text[span.start : span.end])}
    return sorted({span.type for span in spans if span not in short} - _NO_MATTER)


def _as_long(number: str) -> bool:
    return "/" not in number and sum(sign.isdigit() for sign in number) >= _PHONE


def _holds_value(text: str, said: Iterable[Said]) -> bool:
    """Whether what was said about the person stands in the text, in whatever spacing."""
    written = _signs(text)
    values = {_signs(value) for one in said for value in one.record.values() if value}
    return any(len(value) >= _SHORTEST and value in written for value in values)


def _signs(text: str) -> str:
    return "".join(sign for sign in clean(text)[0].casefold() if sign.isalnum())
