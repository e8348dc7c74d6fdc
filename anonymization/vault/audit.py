"""The vault's audit: one line for everything that is done with it, each chained to the one before by a keyed digest.

A line says who, what and how much, and never a value. It is written in the transaction of what it speaks of. Not its
business: keeping the chain's head elsewhere, by which a cut end is noticed (`assets.vault_audit`).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from anonymization.keys.ring import Keyring

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

WITHDRAWN, OVERWRITTEN, REFUSED = "consent withdrawn", "pages overwritten", "refused"
RESTORED, LOST = "restore", "lines lost"
ERASED, ERASED_AGAIN = "erase", "erased again"
FOUND = "find"
_LOCK = 0x61756469
_START = bytes(32)
_ADD = """
    INSERT INTO vault.audit (entry, at, login, officer, action, country, facts, digest)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
_LAST = """
    SELECT entry, at, login, officer, action, country, facts, digest
    FROM vault.audit ORDER BY entry DESC LIMIT %s"""
_FROM = """
    SELECT entry, at, login, officer, action, country, facts, digest
    FROM vault.audit WHERE entry >= %s ORDER BY entry LIMIT 10000"""

_REPEATED = """
    SELECT count(*) FROM vault.audit WHERE action = %(erased)s
        AND entry > (SELECT max(entry) FROM vault.audit WHERE action = %(restored)s)
        AND entry < (SELECT max(entry) FROM vault.audit WHERE action = %(again)s)"""

Fact = str | int | float | bool | None


@dataclass(frozen=True)
class Line:
    """One entry of the audit."""

    entry: int
    at: datetime
    login: str
    officer: str | None
    action: str
    country: str | None
    facts: dict[str, Any]
    digest: bytes


@dataclass(frozen=True)
class Head:
    """The last line at some time, by number and digest (hex)."""

    entry: int
    digest: str


@dataclass(frozen=True)
class Broken:
    """The first line that does not stand, and why."""

    entry: int
    why: str


def write(
    cursor: Vaultside,
    keyring: Keyring,
    action: str,
    country: str | None = None,
    officer: str | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> None:
    """Add a line in the cursor's transaction. Last thing of a transaction: other writers wait for its end."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    last = cursor.execute("SELECT entry, digest FROM vault.audit ORDER BY entry DESC LIMIT 1").fetchone()
    entry, previous = (last[0] + 1, bytes(last[1])) if last else (1, _START)
    line = Line(entry, datetime.now(UTC), getuser(), officer, action, country, dict(facts or {}), b"")
    cursor.execute(
        _ADD,
        (entry, line.at, line.login, officer, action, country, Jsonb(line.facts), _digest(line, previous, keyring)),
    )


def note(vault: Vault, action: str, country: str | None = None, **facts: Fact) -> None:
    """Add a line about something that has no transaction of its own in the vault."""
    with vault.transaction() as cursor:
        write(cursor, vault.keyring, action, country, facts=facts)


def lines(vault: Vault, last: int) -> list[Line]:
    """The last lines, in order."""
    with vault.transaction() as cursor:
        return [_line(row) for row in reversed(cursor.execute(_LAST, (last,)).fetchall())]


def pages_are_due(vault: Vault) -> bool:
    """Whether something was deleted of people who withdrew consent since the vault's freed pages were overwritten."""
    ask = "SELECT max(entry) FILTER (WHERE action = %s) > coalesce(max(entry) FILTER (WHERE action = %s), 0)"
    with vault.transaction() as cursor:
        row = cursor.execute(ask + " FROM vault.audit", (WITHDRAWN, OVERWRITTEN)).fetchone()
    return bool(row and row[0])


def head(vault: Vault) -> Head | None:
    """The last line; None while there is none."""
    found = lines(vault, 1)
    return Head(found[0].entry, found[0].digest.hex()) if found else None


def restored_at(cursor: Vaultside) -> int:
    """The line of the last restore; 0: there was none."""
    row = cursor.execute("SELECT coalesce(max(entry), 0) FROM vault.audit WHERE action = %s", (RESTORED,)).fetchone()
    return int(row[0]) if row else 0


def repeated(vault: Vault) -> int:
    """Persons erased between the last restore and the last erasure that was repeated after it, by however many runs."""
    values = {"erased": ERASED, "restored": RESTORED, "again": ERASED_AGAIN}
    with vault.transaction() as cursor:
        row = cursor.execute(_REPEATED, values).fetchone()
    return int(row[0]) if row else 0


def verify(vault: Vault, heads: list[Head]) -> Broken | None:
    """The first line that was changed, inserted or taken out; `heads`: what was kept of it elsewhere."""
    kept = {one.entry: one.digest for one in heads}
    previous, expected = _START, 1
    with vault.transaction() as cursor:
        before = cursor.execute("SELECT min(entry) FROM vault.audit WHERE entry < 1").fetchone()
    if before and before[0] is not None:
        return Broken(int(before[0]), "nothing was written before the first line")
    while True:
        with vault.transaction() as cursor:
            page = [_line(row) for row in cursor.execute(_FROM, (expected,)).fetchall()]
        for line in page:
            if line.entry != expected:
                return Broken(expected, "it is missing")
            if not hmac.compare_digest(_digest(line, previous, vault.keyring), line.digest):
                return Broken(line.entry, "it was changed, or what stood before it")
            if kept.get(line.entry, line.digest.hex()) != line.digest.hex():
                return Broken(line.entry, "it is not what the warehouse was told")
            previous, expected = line.digest, expected + 1
        if not page:
            break
    if kept and max(kept) >= expected:
        return Broken(expected, "it is missing, and so is all that came after")
    return None


def _line(row: tuple[Any, ...]) -> Line:
    return Line(*row)


def _digest(line: Line, previous: bytes, keyring: Keyring) -> bytes:
    """Keyed: who can write to the database, but has no keys, cannot make the chain anew."""
    at = line.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = [line.entry, at, line.login, line.officer, line.action, line.country, line.facts]
    text = json.dumps(told, sort_keys=True, ensure_ascii=True).encode()
    return hmac.digest(keyring.derive("", "audit"), previous + text, sha256)
