"""Certificates of erasures: what was removed where and what stays, signed with the keys of the vault, checked later,
and about nobody to who has no keys. Removing is the business of `vault_erasure`.
"""

from __future__ import annotations

import hmac
import json
import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from anonymization.keys.ring import Keyring
    from anonymization.vault.unfinished import Begun
    from assets.freed_pages import Overwritten

FOLDER = "certificates"
Certificate = tuple[Path, dict[str, Any]]
"""A certificate's file and what it says."""
_REMAINS = (
    "keyed hashes of the person's identifiers and row keys, by which their rows are held back from now on",
    "row numbers and rule ids in findings and marked returns, which hold no value",
    "aggregates that passed disclosure control before",
    "what rows about others say of the person (a note, a contact), in sealed deliveries until these are removed",
    "backups from before this day, and what a disk keeps of removed files, until they are replaced",
)


def folder(workplace: Workplace) -> Path:
    """Where the home keeps them."""
    return workplace.home / "vault" / FOLDER


def verify(keyring: Keyring, path: Path) -> dict[str, Any]:
    """What a certificate says; HomewardError if it is not as it was signed."""
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
    except OSError:
        raise HomewardError("there is no such certificate", path.name, "name its file") from None
    except ValueError:
        raise HomewardError("this is no certificate", path.name, "name another file") from None
    if not isinstance(said, dict) or "signature" not in said:
        raise HomewardError("this is no certificate", path.name, "name another file")
    if not is_signed(keyring, said):
        raise HomewardError("the certificate was changed, or is of another vault", path.name, "ask for the original")
    return said


def is_signed(keyring: Keyring, said: dict[str, Any]) -> bool:
    """Whether a certificate is as these keys signed it."""
    told = {name: fact for name, fact in said.items() if name != "signature"}
    return hmac.compare_digest(str(said.get("signature")).encode(errors="replace"), _signature(keyring, told).encode())


def pseudonym(keyring: Keyring, token: UUID) -> str:
    """Tells with the keys, and only with them, whom a certificate is about: of the token by which they were erased."""
    return hmac.digest(keyring.derive("", "certificate", "person"), token.bytes, sha256).hex()


def in_folder(keyring: Keyring, folder: Path) -> list[dict[str, Any]]:
    """What the certificates in a folder say."""
    return [verify(keyring, path) for path in sorted(folder.glob("*.json"))]


def _signature(keyring: Keyring, said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=True).encode()
    return hmac.digest(keyring.derive("", "certificate", "signature"), text, sha256).hex()


def certify(workplace: Workplace, begun: Begun, vault: Overwritten, unsearched: int) -> Certificate:
    """Write what was done of one erasure; `vault`: what was overwritten there, last of all; `unsearched`: sealed files
    of which nothing says how they are read. Repeatable."""
    from assets.freed_pages import Overwritten

    done, asked = begun.done, {name: fact for name, fact in begun.asked.items() if name != "keep_raw"}
    pages = [Overwritten(**done["pages"]), vault]
    return _write(
        workplace,
        {
            "certificate": begun.certificate,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "country": begun.country,
            **asked,
            "interrupted": done["interrupted"],
            "marks": done.get("marks", []),
            "removed": {name: done[name] for name in ("vault", "warehouse", "store", "markers_set")},
            "sealed_deliveries": [
                {name: fact for name, fact in line.items() if name != "files"} for line in done["sealed"]
            ],
            "overwritten": {"tables": sum(one.tables for one in pages), "log": all(one.log for one in pages)},
            "remains": [
                *_REMAINS,
                *_not_decided(done.get("undecided", 0)),
                *_same_records(done.get("same_records", 0)),
                *_not_overwritten(pages),
                *_not_searched(unsearched),
            ],
        },
    )


def _not_decided(pairs: int) -> list[str]:
    return [f"{pairs} other tokens that may be the person's, of which no officer had decided"] if pairs else []


def _same_records(tokens: int) -> list[str]:
    if not tokens:
        return []
    return [
        f"{tokens} other tokens in the vault under which a record of the erased came as well, with another number or"
        " with one: their rows of that record are removed"
    ]


def _not_overwritten(pages: list[Overwritten]) -> list[str]:
    """What the login was not allowed to clear, or what readers held, for whoever may."""
    told = [f"freed pages of {table}: VACUUM (FULL) is needed" for one in pages for table in one.left]
    if not all(one.log for one in pages):
        told.append("the server's log of transactions, until its segments are written over")
    return told


def _not_searched(count: int) -> list[str]:
    if not count:
        return []
    return [
        f"{count} sealed files of no delivery that the warehouse knows, which were not searched: bring its ledger back"
        " and erase again, or let `homeward vault retain` remove them after a day"
    ]


def _write(workplace: Workplace, said: dict[str, Any]) -> Certificate:
    from warehouse import erasure_certificates

    signed = {**said, "signature": _signature(workplace.keyring, said)}
    erasure_certificates.keep(workplace.warehouse, signed)
    path = folder(workplace) / f"{said['certificate']}.json"
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with beside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(signed, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        raise Unavailable(
            "the certificate cannot be written", path.name, "mend the disk, then `homeward vault erase --resume`"
        ) from None
    return path, signed
