"""Who is known by a number that somebody brings with their papers: tokens, and nothing else.

The number goes the way of a delivered cell: brought to one form, hashed under the keys of every field of the country,
and of each programme, in which it could stand. It is in no error, no log and no line of the audit. That somebody is
known at all can endanger them, so who looks says for which right of the person, and each look is a line of the audit,
the refused ones too. Naming whom a token stands for takes two officers (`requests`), removing them is `erasure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from anonymization.keys.country_keys import CountryKeys
from anonymization.keys.pseudonyms import WIDTH, RecordKeys, as_matrix, keyed
from anonymization.linkage.decisions import same_person
from anonymization.linkage.identifiers import field_of, normalise
from anonymization.vault import audit, officers, requests
from anonymization.vault.enrolment import CAME
from codebook.errors import HomewardError
from sources.models import Column, Source, Table
from values.national_numbers import SCHEMES

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

PURPOSES = ("access", "correction", "erasure")
"""What somebody may be looked up for: rights that the person asks for. A closed list, so that it names nobody."""
_CONTACTS = ("phone", "email")
_PAPERS = ("national_id", "document")
_KINDS = (*_PAPERS, "case_number", "other")
"""Kinds that a source may number on its own. Names, dates of birth and addresses look nobody up."""
_OF_PROGRAMME = re.compile(r"([a-z][a-z0-9_]{0,39}): (.+)", re.DOTALL)
_OWN = re.compile(r"([a-z_]+) (.+)@(\S+)", re.DOTALL)
_COUNTRY = re.compile(r"[A-Z]{3}")
_FIELDS = "SELECT name, field FROM vault.field WHERE country = %s ORDER BY name"
_WHO = """
    SELECT p.token FROM vault.blind_index AS b JOIN vault.person AS p USING (person_id)
    WHERE b.field = ANY (%s) AND b.idx = ANY (%s) ORDER BY p.token"""


@dataclass(frozen=True)
class Asked:
    """Who looks somebody up, where and for what. `scheme`: a declared scheme of national numbers or documents,
    `phone`, `email`, or the kind of what sources number on their own."""

    country: str
    scheme: str
    purpose: str
    officer: str


@dataclass(frozen=True)
class Known:
    """Tokens that count as one person, of one programme ('': the common one), and the fields that found them."""

    programme: str
    tokens: tuple[UUID, ...]
    by: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """`doubtful`: the number fails the check of its scheme; `unlinked`: declared columns that hold such numbers, and by
    which nobody is found, or only who is known by nothing else."""

    persons: list[Known]
    doubtful: bool
    unlinked: list[str]


@dataclass(frozen=True)
class _Field:
    """A field of the country's indexes, and what the number is in it."""

    programme: str
    name: str
    number: int
    stated: pa.Array


def find(vault: Vault, sources: Sequence[Source], asked: Asked, value: str) -> Answer:
    """Who is known by `value` (as it stands on the paper). HomewardError if nobody could be, or may not be told."""
    if _COUNTRY.fullmatch(asked.country) is None:
        raise HomewardError("this is no country", "--country", "ISO 3166-1 alpha-3, such as SLV")
    if asked.purpose not in PURPOSES:
        raise HomewardError("nobody is looked up for that", "--purpose", f"one of {', '.join(PURPOSES)}")
    officer = requests.named(asked.officer)
    theirs = [source for source in sources if source.country == asked.country]
    with requests.attempt(vault, "find", officer, country=asked.country) as cursor:
        officers.admit(cursor, asked.country)
        keys = vault.keys_of(cursor, asked.country)
        fields = dict(cursor.execute(_FIELDS, (asked.country,)).fetchall())
        _refuse_unknown(asked, fields, theirs)
        stated, doubtful = _read(value, asked)
        searched = [*_shared(keys, fields, asked, stated, value), *_rows(keys, fields, asked, theirs, value)]
        persons = _persons(cursor, keys, searched)
        facts: requests.Facts = {"scheme": asked.scheme, "purpose": asked.purpose, "persons": len(persons)}
        audit.write(cursor, vault.keyring, audit.FOUND, asked.country, officer, facts)
    return Answer(persons, doubtful, sorted(_unlinked(theirs, asked.scheme)))


def who(cursor: Vaultside, keys: CountryKeys, number: int, stated: pa.Array) -> list[UUID]:
    """Tokens of persons with one of these indexes (as a source states them) in a field of the country."""
    if not len(stated):
        return []
    turned = keys.turned(as_matrix(stated).tobytes())
    indexes = [UUID(bytes=turned[at : at + WIDTH]) for at in range(0, len(turned), WIDTH)]
    return [token for (token,) in cursor.execute(_WHO, ([number, CAME * number], indexes)).fetchall()]


def indexes(keys: CountryKeys, field: str, programme: str, values: pa.Array) -> pa.Array:
    """Indexes of comparable values as the sources of a programme ('': the common one) state them."""
    key = keys.keyring.derive(keys.country, "blind index", field, programme=programme or None)
    return keyed(values.drop_null(), key)


def _persons(cursor: Vaultside, keys: CountryKeys, searched: Sequence[_Field]) -> list[Known]:
    found: dict[tuple[str, tuple[UUID, ...]], list[str]] = {}
    for field in searched:
        for token in who(cursor, keys, field.number, field.stated):
            tokens = tuple(same_person(cursor, keys.keyring, token))
            found.setdefault((field.programme, tokens), []).append(field.name)
    return [Known(programme, tokens, tuple(by)) for (programme, tokens), by in found.items()]


def _read(value: str, asked: Asked) -> tuple[pa.Array, bool]:
    """The value as the named scheme compares it, and whether it is doubtful; HomewardError if it is no key."""
    scheme = SCHEMES.get(asked.scheme)
    if scheme is not None and not scheme.matches:
        what = "a number of this scheme changes with the card and says of nobody who they are"
        raise HomewardError(what, "--scheme", "ask for another paper")
    read = normalise(pa.array([value], pa.string()), _column(asked.scheme), asked.country)
    if read.keys.null_count:
        what = "by this nobody can be known: it is blank, a placeholder, or no number of the kind"
        raise HomewardError(what, f"{asked.country}, {asked.scheme}", "type it as it stands on the paper")
    return read.keys, bool(read.doubtful[0].as_py())


def _column(scheme: str) -> Column:
    """A column of such identifiers."""
    of_kind = scheme in _CONTACTS or scheme in _KINDS
    said = {"kind": scheme} if of_kind else {"kind": "document", "scheme": scheme}
    return Column.model_validate({"name": "asked", "class": "identifier", **said})


def _shared(keys: CountryKeys, fields: dict[str, int], asked: Asked, stated: pa.Array, value: str) -> Iterator[_Field]:
    """Fields in which the number could stand: under its scheme, and where a source compares by itself."""
    for whole, number in fields.items():
        programme, name = _split(whole)
        if not _serves(name, asked.scheme):
            continue
        own = _OWN.fullmatch(name)
        values = normalise(pa.array([value], pa.string()), _column(own[1]), keys.country).keys if own else stated
        yield _Field(programme, name, number, indexes(keys, name, programme, values))


def _rows(
    keys: CountryKeys, fields: dict[str, int], asked: Asked, sources: Sequence[Source], value: str
) -> Iterator[_Field]:
    """Those of persons whom a table knows by nothing but the key of their row, where that is such a number."""
    for source, table in _tables(sources):
        name = f"row {table.name}@{source.source}"
        column = table.column(table.key[0]) if len(table.key) == 1 else None
        if name in fields and column is not None and column.kind is not None and column.kind == asked.scheme:
            made = RecordKeys(keys.keyring, source.country, source.source, source.programme)
            stated = made.of_rows(table.name, [pa.array([value.strip()], pa.string())])
            yield _Field(source.programme or "", name, fields[name], stated)


def _unlinked(sources: Sequence[Source], scheme: str) -> Iterator[str]:
    for source, table in _tables(sources):
        links = table.person.link if table.person else []
        for column in table.columns:
            unlinked = column.class_ == "identifier" and column.name not in links
            if unlinked and _serves(field_of(column, source.source), scheme):
                yield f"{source.source} {table.name}.{column.name}"


def _refuse_unknown(asked: Asked, fields: dict[str, int], sources: Sequence[Source]) -> None:
    """HomewardError if nobody of the country is known by such numbers. What was typed is not said again: it may be the
    number itself."""
    names = {_split(whole)[1] for whole in fields}
    known = {name for name in names if _OWN.fullmatch(name) is None}
    known |= {own[1] for name in names if (own := _OWN.fullmatch(name)) and own[1] in _KINDS}
    of_rows = {f"row {table.name}@{source.source}": table for source, table in _tables(sources)}
    keyed_by = (table.column(table.key[0]) for name, table in of_rows.items() if name in names and len(table.key) == 1)
    known |= {column.kind for column in keyed_by if column is not None and column.kind in _KINDS}
    if asked.scheme not in known:
        mend = f"people are known there by {', '.join(sorted(known)) or 'nothing'}"
        raise HomewardError(f"nobody of {asked.country} is known by such a number", "--scheme", mend)


def _serves(name: str, scheme: str) -> bool:
    """Whether a number of this scheme can stand in a field. A source that declares no scheme may hold any paper."""
    own = _OWN.fullmatch(name)
    if own is None:
        return name == scheme
    return own[1] in _KINDS and (own[1] == scheme or (own[1] in _PAPERS and scheme not in (*_CONTACTS, *_KINDS)))


def _split(whole: str) -> tuple[str, str]:
    """Programme and name of a field."""
    told = _OF_PROGRAMME.fullmatch(whole)
    return (told[1], told[2]) if told else ("", whole)


def _tables(sources: Sequence[Source]) -> Iterator[tuple[Source, Table]]:
    return ((source, table) for source in sources for table in source.tables)
