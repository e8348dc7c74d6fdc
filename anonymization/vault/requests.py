"""Naming the person behind a token: one officer asks, another approves, the first sees, until the request expires.

Every step is a line of the audit, and so is every one that was refused. Officers are who they say they are, with the
login of the system recorded beside the name: to prove identity is the business of the deployment's sign-on.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from unicodedata import category
from uuid import UUID

from anonymization.linkage.decisions import same_person
from anonymization.redaction.folding import clean, fold
from anonymization.vault import audit, identities, officers
from codebook.errors import HomewardError, Unavailable
from values.lookalikes import LOOKALIKES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Cursor

    from anonymization.keys.country_keys import CountryKeys
    from anonymization.keys.ring import Keyring
    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

Facts = dict[str, audit.Fact]

LONGEST_DAYS = 90
_LIST = "`homeward vault requests` lists them"

_MAKE = """
    INSERT INTO vault.request (country, token, purpose, asked_by, expires_at)
    VALUES (%s, %s, %s, %s, now() + make_interval(days => %s)) RETURNING request_id"""
_READ = """
    SELECT request_id, country, token, purpose, asked_by, asked_at, expires_at, approved_by, approved_at, now()
    FROM vault.request"""
_SEALS = "SELECT facts ->> 'seal' FROM vault.audit WHERE action = %s AND facts ->> 'request' = %s"
_IDENTITIES = """
    SELECT o.name, i.origin, i.sealed, p.token, p.wrapped_key
    FROM vault.person AS p
    JOIN vault.identity AS i USING (person_id)
    JOIN vault.origin AS o USING (origin)
    WHERE p.came IN (true, false) AND p.token = ANY (%s)
    ORDER BY o.name, p.person_id"""


@dataclass(frozen=True)
class Request:
    """A request to name the person behind a token; `read_at` by the database's clock, which no officer sets back."""

    request_id: int
    country: str
    token: UUID
    purpose: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    read_at: datetime

    @property
    def state(self) -> str:
        if self.expires_at <= self.read_at:
            return "expired"
        return "approved" if self.approved_by else "waiting"


@dataclass(frozen=True)
class Said:
    """What a table of a source last said about the person, as it was delivered."""

    origin: str
    record: dict[str, str | None]


def as_token(text: str, where: str = "--token") -> UUID:
    """HomewardError if it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise HomewardError("this is no person token", where, "copy it from a person_token column") from None


def country_of(cursor: Vaultside, token: UUID) -> str:
    """HomewardError if the vault has no such person, or the login is an officer's of other countries."""
    ask = "SELECT country FROM vault.person WHERE came IN (true, false) AND token = %s"
    row = cursor.execute(ask, (token,)).fetchone()
    if row is None:
        mend = "copy it from a person_token column as an officer sees it; ids of an analyst's extract are no tokens"
        raise HomewardError("the vault knows no person by this token", "vault", mend)
    officers.admit(cursor, str(row[0]))
    return str(row[0])


def ask(vault: Vault, token: UUID, purpose: str, officer: str, days: int) -> int:
    """A new request; returns its number."""
    from anonymization.vault.wording import refuse_people

    officer = named(officer)
    with attempt(vault, "request", officer) as cursor:
        if not purpose.strip():
            raise HomewardError("the request has no purpose", "--purpose", "say what the name is needed for")
        if not 1 <= days <= LONGEST_DAYS:
            raise HomewardError("this is no time for a request", "--expires", f"between 1 and {LONGEST_DAYS} days")
        country = country_of(cursor, token)
        refuse_people(
            cursor, vault.keys_of(cursor, country), same_person(cursor, vault.keyring, token), purpose, "--purpose"
        )
        row = cursor.execute(_MAKE, (country, token, purpose.strip(), officer, days)).fetchone()
        request = _read(cursor, int(row[0]) if row else 0)
        facts: Facts = {"request": request.request_id, "days": days, "seal": _seal(request, vault.keyring)}
        audit.write(cursor, vault.keyring, "request", country, officer, facts)
    return request.request_id


def approve(vault: Vault, number: int, officer: str) -> Request:
    """The second officer's consent."""
    officer = named(officer)
    with attempt(vault, "approve", officer, number) as cursor:
        request = _open(vault, cursor, number)
        if _same(request.asked_by, officer) or _turned(request.asked_by, officer):
            raise HomewardError(
                "who asks cannot approve", f"request {number}", "another officer approves it: --as NAME"
            )
        if request.approved_by is not None:
            raise HomewardError("it is approved already", f"request {number}", _LIST)
        cursor.execute(
            "UPDATE vault.request SET approved_by = %s, approved_at = now() WHERE request_id = %s", (officer, number)
        )
        seal = _seal(replace(request, approved_by=officer), vault.keyring)
        facts: Facts = {"request": number, "seal": seal}
        audit.write(cursor, vault.keyring, "approve", request.country, officer, facts)
    return request


def reveal(vault: Vault, number: int, officer: str) -> list[Said]:
    """What is known about the person, for the officer who asked; the caller shows it and keeps nothing."""
    officer = named(officer)
    with attempt(vault, "reveal", officer, number) as cursor:
        request = _open(vault, cursor, number)
        if not _same(request.asked_by, officer):
            raise HomewardError("another officer asked for this", f"request {number}", "make a request of your own")
        if request.approved_by is None:
            raise HomewardError("nobody has approved it yet", f"request {number}", "`homeward vault approve`")
        said = _said(vault, cursor, request)
        facts = {"request": number, "records": len(said)}
        audit.write(cursor, vault.keyring, "reveal", request.country, officer, facts)
    return said


def requests(vault: Vault) -> list[Request]:
    """All requests of the login's countries, the youngest first."""
    mine = " WHERE %(mine)s::text[] IS NULL OR country = ANY (%(mine)s) ORDER BY request_id DESC"
    with vault.transaction() as cursor:
        rows = cursor.execute(_READ + mine, {"mine": officers.countries(cursor)}).fetchall()
    return [Request(*row) for row in rows]


def standing(vault: Vault, number: int, officer: str | None) -> Request:
    """A request that is approved and has not expired, for `officer` who erases by it."""
    with attempt(vault, "erase", officer, number) as cursor:
        request = _open(vault, cursor, number)
        if request.approved_by is None:
            raise HomewardError("nobody has approved it yet", f"request {number}", "`homeward vault approve`")
    return request


@contextmanager
def attempt(
    vault: Vault, step: str, officer: str | None, number: int | None = None, country: str | None = None
) -> Iterator[Vaultside]:
    """A transaction for a step of an officer, about a request (`number`) or people of a country; if it is refused,
    nothing of it stays but a line of the audit."""
    try:
        with vault.transaction() as cursor:
            yield cursor
    except Unavailable:
        raise
    except HomewardError as error:
        facts: Facts = {"step": step, "why": error.what} | ({"request": number} if number else {})
        with vault.transaction() as cursor:
            row = cursor.execute("SELECT country FROM vault.request WHERE request_id = %s", (number,)).fetchone()
            where = str(row[0]) if row else country
            audit.write(cursor, vault.keyring, audit.REFUSED, where, officer, facts)
        raise error from None


def _said(vault: Vault, cursor: Vaultside, request: Request) -> list[Said]:
    keys = vault.keys_of(cursor, request.country)
    said = records_of(cursor, keys, same_person(cursor, vault.keyring, request.token))
    if not said:
        country_of(cursor, request.token)
    return said


def records_of(cursor: Vaultside, keys: CountryKeys, tokens: Sequence[UUID]) -> list[Said]:
    """The identity records of the person behind these tokens, opened."""
    said = []
    for name, origin, sealed, token, wrapped in cursor.execute(_IDENTITIES, (list(tokens),)).fetchall():
        key = identities.open_person_key(token.bytes, bytes(wrapped), keys.key)
        said.append(Said(name, json.loads(identities.open_record(bytes(sealed), origin, key))))
    return said


def _open(vault: Vault, cursor: Vaultside, number: int) -> Request:
    """The request, held to the end of the transaction, if its time has not passed and it is as it was asked and
    approved: who may write into the database is no second officer."""
    request = _read(cursor, number)
    officers.admit(cursor, request.country)
    if request.state == "expired":
        raise HomewardError("the request has expired", f"request {number}", "make a new one")
    step = "approve" if request.approved_by else "request"
    seals = [seal for (seal,) in cursor.execute(_SEALS, (step, str(number))).fetchall() if seal]
    if not any(hmac.compare_digest(seal, _seal(request, vault.keyring)) for seal in seals):
        mend = "make a new one, and find out who can write to the vault"
        raise HomewardError("the request is not as it was asked and approved", f"request {number}", mend)
    return request


def _read(cursor: Vaultside, number: int) -> Request:
    row = cursor.execute(_READ + " WHERE request_id = %s FOR UPDATE", (number,)).fetchone()
    if row is None:
        raise HomewardError("there is no such request", f"{number}", _LIST)
    return Request(*row)


def _seal(request: Request, keyring: Keyring) -> str:
    """Keyed digest of all that a request stands for; kept in the audit's line of the step."""
    until = request.expires_at.astimezone(UTC).isoformat(timespec="microseconds")
    told = [request.request_id, request.country, request.token.hex, request.purpose, request.asked_by, until]
    text = json.dumps([*told, request.approved_by], ensure_ascii=True).encode()
    return hmac.digest(keyring.derive("", "request"), text, sha256).hex()[:32]


def named(officer: str) -> str:
    """The officer's name as it is recorded: signs that nobody sees make no other officer."""
    name = " ".join(clean(officer)[0].split())
    if not name:
        raise HomewardError("nobody is named as the officer", "--as", "say who you are")
    return name


def _same(one: str, other: str) -> bool:
    """Blanks, stops and hyphens make no other officer either, nor do letters of another script that look the same: in
    the audit who asked and who approved would read alike. Vowel signs do: Kamal and Kamala are two."""
    return "".join(_words(one)) == "".join(_words(other))


def _turned(one: str, other: str) -> bool:
    """Nor does the family name in front, as registers write it: MORALES, Ana. Of two officers whose names are each
    other's turned round neither approves what the other asks; what each may see is told by `_same`."""
    return sorted(_words(one)) == sorted(_words(other))


def _words(name: str) -> list[str]:
    signs = "".join(sign if category(sign)[0] in "LMN" else " " for sign in fold(name))
    return signs.translate(LOOKALIKES).split()
