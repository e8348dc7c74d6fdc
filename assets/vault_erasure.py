"""Erasing a person from the whole deployment, with a signed certificate of what was removed where, and what stays.

The order makes it safe to be killed at any point: first the marks by which the gate holds the person back, then store,
warehouse, sealed deliveries and marts, last the vault. While the vault knows the token it can be run again.
"""

from __future__ import annotations

import hmac
import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from getpass import getuser
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets import parquet, progress
from assets.stages import harmonize, pseudonymize
from assets.tokens import follow_tokens
from assets.vault_audit import keep_head
from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable
from sources.batches import PARENT, PERSON, ROW, ROW_KEY
from sources.loader import list_sources, load_source
from sources.models import Source

if TYPE_CHECKING:
    from anonymization.keys.ring import Keyring
    from anonymization.vault.erasure import Person
    from assets.freed_pages import Overwritten

FOLDER = "certificates"
_REMAINS = (
    "keyed hashes of the person's identifiers and row keys, by which their rows are held back from now on",
    "row numbers and rule ids in findings and marked returns, which hold no value",
    "aggregates that passed disclosure control before",
    "backups from before this day, and what a disk keeps of removed files, until they are replaced",
)


@dataclass
class _Found:
    """The person's rows in the store: keys of rows, and the supplier's table and row by source and delivery."""

    keys: set[bytes] = field(default_factory=set)
    rows: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)


def erase(
    workplace: Workplace, token: UUID, reason: str, officer: str | None, request: int | None, keep_raw: bool = False
) -> tuple[Path, dict[str, Any]]:
    """Erase the person behind `token` everywhere; the certificate's file and what it says.

    `keep_raw`: sealed files that cannot be overwritten by row stay until their retention ends.
    """
    from anonymization.vault import erasure
    from assets.freed_pages import overwrite
    from assets.stages.marts import refresh_marts
    from warehouse import erasure as in_warehouse
    from warehouse.lock import source_lock

    if not reason.strip():
        raise HomewardError("the erasure has no reason", "--reason", "say why the person is erased")
    person = erasure.find(workplace.vault, token)
    everywhere = [load_source(name) for name in list_sources()]
    sources = [source for source in everywhere if source.country == person.country]
    with ExitStack() as held:
        for source in sorted(sources, key=lambda one: one.source):
            held.enter_context(source_lock(workplace.warehouse, source.source))
        follow_tokens(workplace, person.country)
        found = _find(workplace, sources, person)
        markers = erasure.mark(workplace.vault, person, found.keys)
        store = _rewrite(workplace, sources, person, found)
        warehouse = in_warehouse.erase(workplace.warehouse, person.country, person.tokens, found.rows)
        sealed = _treat_sealed(workplace, sources, found, keep_raw)
        progress.report("marts", 0)
        refresh_marts(workplace, everywhere)
        # Before the vault forgets the token: what goes wrong until then can be run again.
        pages = [overwrite(workplace.warehouse_url, in_warehouse.tables(workplace.warehouse, person.country))]
        number = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{_pseudonym(workplace.keyring, person)[:12]}"
        vault = erasure.shred(workplace.vault, person, officer, number)
    keep_head(workplace)
    pages.append(overwrite(workplace.vault_url, erasure.tables(workplace.vault)))
    said = {
        "certificate": number,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "country": person.country,
        "person": _pseudonym(workplace.keyring, person),
        "reason": " ".join(reason.split()),
        "request": request,
        "officer": officer,
        "login": getuser(),
        "removed": {"vault": vault, "warehouse": warehouse, "store": store, "markers_set": markers},
        "sealed_deliveries": sealed,
        "overwritten": _overwritten(pages),
        "remains": [*_REMAINS, *_not_overwritten(pages)],
    }
    return _write(workplace, said)


def verify(keyring: Keyring, path: Path) -> dict[str, Any]:
    """What a certificate says; HomewardError if it is not as it was signed."""
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        signature = said.pop("signature")
    except OSError:
        raise HomewardError("there is no such certificate", path.name, "name its file") from None
    except (ValueError, KeyError, AttributeError):
        raise HomewardError("this is no certificate", path.name, "name another file") from None
    if not hmac.compare_digest(str(signature), _signature(keyring, said)):
        raise HomewardError("the certificate was changed, or is of another vault", path.name, "ask for the original")
    return said


def _find(workplace: Workplace, sources: list[Source], person: Person) -> _Found:
    """Row keys and rows of the person in the store, rows that hang on theirs included."""
    found = _Found()
    tokens = pa.array([token.bytes for token in person.tokens], pa.binary(16))
    for source in sources:
        before = -1
        while len(found.keys) != before:  # children of children: until nothing is found any more
            before = len(found.keys)
            for folder in _deliveries(workplace, source):
                rows = []
                for path in parquet.files(folder / pseudonymize.STAGE, "data"):
                    data, table = _read(path)
                    mine = data.filter(_mine(data, tokens, found.keys))
                    found.keys.update(mine[ROW_KEY].to_pylist())
                    rows += [(table, row) for row in mine[ROW].to_pylist()]
                if rows:
                    found.rows[source.source, folder.name] = rows
    return found


def _rewrite(workplace: Workplace, sources: list[Source], person: Person, found: _Found) -> dict[str, int]:
    """The store's Parquet files without the person; how many files and rows that were."""
    files = rows = 0
    tokens = pa.array([token.bytes for token in person.tokens], pa.binary(16))
    for source in sources:
        for folder in _deliveries(workplace, source):
            listed = found.rows.get((source.source, folder.name), [])
            for path in parquet.files(folder / pseudonymize.STAGE, "data"):
                data, _ = _read(path)
                gone = _replace(path, data, pc.invert(_mine(data, tokens, found.keys)))
                files, rows = files + bool(gone), rows + gone
            for path in parquet.files(folder / pseudonymize.STAGE, "rows"):
                files += _without_keys(path, found.keys)
            for path in sorted((folder / harmonize.STAGE).glob("*.parquet")):
                data, _ = _read(path)
                if "person_token" in data.column_names:
                    gone = _replace(path, data, pc.invert(_made_of(data, tokens, listed)))
                    files, rows = files + bool(gone), rows + gone
        progress.report("store", files)
    return {"files": files, "rows": rows}


def _deliveries(workplace: Workplace, source: Source) -> list[Path]:
    folder = workplace.home / "store" / source.source
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _read(path: Path) -> tuple[pa.Table, str]:
    data = pq.read_table(path)
    return data, (data.schema.metadata or {}).get(b"table", b"").decode()


def _mine(data: pa.Table, tokens: pa.Array, keys: set[bytes]) -> pa.ChunkedArray:
    """Rows with the person's token or a row key of theirs, and rows that hang on such a one."""
    listed = pa.array(list(keys), pa.binary(16))
    mine = pc.is_in(data[ROW_KEY], listed)
    for name, values in ((PERSON, tokens), (PARENT, listed)):
        if name in data.column_names:
            mine = pc.or_(mine, pc.is_in(data[name], values))
    return mine


def _made_of(data: pa.Table, tokens: pa.Array, rows: list[tuple[str, int]]) -> pa.ChunkedArray:
    """Harmonized rows with the person's token, or made of one of these rows."""
    mine = pc.is_in(data["person_token"], tokens)
    for table in {table for table, _ in rows}:
        numbers = pa.array([row for name, row in rows if name == table], pa.int64())
        here = pc.and_(pc.equal(data["source_table"], table), pc.is_in(data["source_row"], numbers))
        mine = pc.or_(mine, here)
    return mine


def _replace(path: Path, data: pa.Table, kept: pa.ChunkedArray) -> int:
    """Write the file anew without what is not kept; how many rows that were."""
    left = data.filter(kept)
    gone: int = data.num_rows - left.num_rows
    if gone:
        parquet.swap(left, path)
    return gone


def _without_keys(path: Path, keys: set[bytes]) -> bool:
    """The row ledger counts the row on, and forgets its key."""
    data = pq.read_table(path)
    mine = pc.is_in(data["row_key"], pa.array(list(keys), pa.binary(16)))
    if not pc.any(mine).as_py():
        return False
    place = data.schema.get_field_index("row_key")
    blank = pc.if_else(mine, pa.scalar(None, pa.binary(16)), data["row_key"])
    parquet.swap(data.set_column(place, data.schema.field(place), blank), path)
    return True


def _treat_sealed(workplace: Workplace, sources: list[Source], found: _Found, keep: bool) -> list[dict[str, Any]]:
    """What was done to each sealed delivery that the person was in, or that could not be searched."""
    from assets import raw_erasure
    from assets.vault_retention import kept_until

    told = []
    for source in sources:
        shutil.rmtree(workplace.sweeps / source.source, ignore_errors=True)  # a server is asked again from the start
        known = [delivery for name, delivery in found.rows if name == source.source]
        for one in raw_erasure.treat(workplace, source, known, keep):
            line = {"source": one.source, "delivery": one.delivery, "rows": one.rows, "done": one.done}
            if one.done in (raw_erasure.KEPT, raw_erasure.NOT_SEARCHED):
                line["kept_until"] = kept_until(source, one.entry.received_at.date()).isoformat()
            told.append(line)
    return told


def _overwritten(pages: list[Overwritten]) -> dict[str, Any]:
    return {"tables": sum(one.tables for one in pages), "log": all(one.log for one in pages)}


def _not_overwritten(pages: list[Overwritten]) -> list[str]:
    """What the login was not allowed to clear, or what readers held, for whoever may."""
    told = [f"freed pages of {table}: VACUUM (FULL) is needed" for one in pages for table in one.left]
    if not all(one.log for one in pages):
        told.append("the server's log of transactions, until its segments are written over")
    return told


def _pseudonym(keyring: Keyring, person: Person) -> str:
    """Tells with the keys, and only with them, whom a certificate is about: from the token that was erased."""
    return hmac.digest(keyring.derive("", "certificate", "person"), person.tokens[0].bytes, sha256).hex()


def _signature(keyring: Keyring, said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=True).encode()
    return hmac.digest(keyring.derive("", "certificate", "signature"), text, sha256).hex()


def _write(workplace: Workplace, said: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    signed = {**said, "signature": _signature(workplace.keyring, said)}
    folder = workplace.home / "vault" / FOLDER
    path = folder / f"{said['certificate']}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps(signed, indent=2) + "\n", encoding="utf-8")
    except OSError:
        raise Unavailable(
            "the certificate cannot be written", path.name, "the person is erased; mend the disk"
        ) from None
    return path, signed
