"""Erasing a person from the whole deployment, with a signed certificate of what was removed where, and what stays.

The order makes it safe to be killed at any point: first the marks by which the gate holds the person back, and in one
transaction with them what is to be done; then store, warehouse, sealed deliveries and marts, then the vault, last what
its pages keep. Every step can be run again, and the next erasure or retention finishes what was cut off.
"""

from __future__ import annotations

import hmac
import json
import os
import shutil
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
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
from warehouse.lock import source_lock

if TYPE_CHECKING:
    from anonymization.keys.ring import Keyring
    from anonymization.vault.erasure import Person
    from anonymization.vault.unfinished import Begun
    from assets.freed_pages import Overwritten

FOLDER = "certificates"
_LOCK = "vault erase"
"""One erasure at a time: another would take what this one has begun for something cut off."""
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
    workplace: Workplace,
    token: UUID | None,
    reason: str,
    officer: str | None,
    request: int | None,
    keep_raw: bool = False,
) -> tuple[Path, dict[str, Any]]:
    """Erase a person everywhere: behind `token`, or of an approved `request`; the certificate's file and what it says.

    What was begun before is finished first; if that was this person, theirs is the certificate.
    `keep_raw`: sealed files that cannot be overwritten by row stay until their retention ends.
    """
    from anonymization.vault import erasure, requests
    from anonymization.vault.unfinished import Begun

    if not reason.strip():
        raise HomewardError("the erasure has no reason", "--reason", "say why the person is erased")
    for path, said in resume(workplace):
        mine = token is not None and said["person"] == _pseudonym(workplace.keyring, token)
        if mine or (request is not None and said["request"] == request):
            return path, said
    whose = token or requests.standing(workplace.vault, request or 0).token
    with source_lock(workplace.warehouse, _LOCK):
        person = erasure.find(workplace.vault, whose)
        with _held(workplace, person.country) as sources:
            follow_tokens(workplace, person.country)
            found = _find(workplace, sources, person)
            who = _pseudonym(workplace.keyring, whose)
            begun = Begun(
                f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{who[:12]}",
                person.country,
                person.tokens,
                frozenset(found.keys),
                found.rows,
                {
                    "person": who,
                    "reason": " ".join(reason.split()),
                    "request": request,
                    "officer": officer,
                    "login": getuser(),
                    "keep_raw": keep_raw,
                },
                {"interrupted": 0, "sealed": []},
            )
            erasure.mark(workplace.vault, begun)
            _remove(workplace, sources, begun)
        return _certify(workplace, begun)


def resume(workplace: Workplace) -> list[tuple[Path, dict[str, Any]]]:
    """Finish the erasures that were begun and have no certificate; their certificates."""
    from anonymization.vault import unfinished

    if not unfinished.begun_at(workplace.vault):
        return []
    finished = []
    with source_lock(workplace.warehouse, _LOCK):  # one that is going on in another process is waited for
        for begun in unfinished.erasures(workplace.vault):
            begun.done["interrupted"] += 1
            unfinished.keep(workplace.vault, begun)
            if not begun.shredded:
                with _held(workplace, begun.country) as sources:
                    _remove(workplace, sources, begun)
            finished.append(_certify(workplace, begun))
    return finished


@contextmanager
def _held(workplace: Workplace, country: str) -> Iterator[list[Source]]:
    """All sources of the country, none of which is being worked on."""
    everywhere = [load_source(name) for name in list_sources()]
    sources = sorted((one for one in everywhere if one.country == country), key=lambda one: one.source)
    with ExitStack() as held:
        for source in sources:
            held.enter_context(source_lock(workplace.warehouse, source.source))
        yield sources


def _remove(workplace: Workplace, sources: list[Source], begun: Begun) -> None:
    """From store, warehouse, sealed deliveries and marts, and at last from the vault; repeatable up to that.

    What a run before had removed is not found again: its counts are added up.
    """
    from anonymization.vault import erasure, unfinished
    from assets.freed_pages import overwrite
    from assets.stages.marts import refresh_marts
    from warehouse import erasure as in_warehouse

    done = begun.done
    done["store"] = _sum(done.get("store", {}), _rewrite(workplace, sources, begun))
    unfinished.keep(workplace.vault, begun)
    gone = in_warehouse.erase(workplace.warehouse, begun.country, begun.tokens, begun.rows)
    done["warehouse"] = _sum(done.get("warehouse", {}), gone)
    unfinished.keep(workplace.vault, begun)
    _treat_sealed(workplace, sources, begun)
    progress.report("marts", 0)
    refresh_marts(workplace, [load_source(name) for name in list_sources()])
    # Before the vault forgets the token: by it can be found what is still to be done.
    done["pages"] = asdict(overwrite(workplace.warehouse_url, in_warehouse.tables(workplace.warehouse, begun.country)))
    erasure.shred(workplace.vault, begun)


def _certify(workplace: Workplace, begun: Begun) -> tuple[Path, dict[str, Any]]:
    """Clear the vault's freed pages and write the certificate; repeatable."""
    from anonymization.vault import erasure, unfinished
    from assets.freed_pages import Overwritten, overwrite

    keep_head(workplace)
    done, asked = begun.done, dict(begun.asked)
    del asked["keep_raw"]
    pages = [Overwritten(**done["pages"]), overwrite(workplace.vault_url, erasure.tables(workplace.vault))]
    sealed = [{name: fact for name, fact in line.items() if name != "files"} for line in done["sealed"]]
    said = {
        "certificate": begun.certificate,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "country": begun.country,
        **asked,
        "interrupted": done["interrupted"],
        "removed": {name: done[name] for name in ("vault", "warehouse", "store", "markers_set")},
        "sealed_deliveries": sealed,
        "overwritten": _overwritten(pages),
        "remains": [*_REMAINS, *_not_overwritten(pages)],
    }
    written = _write(workplace, said)
    unfinished.end(workplace.vault, begun)
    return written


def _sum(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    return {name: before.get(name, 0) + now.get(name, 0) for name in before | now}


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


def _rewrite(workplace: Workplace, sources: list[Source], begun: Begun) -> dict[str, int]:
    """The store's Parquet files without the person; how many files and rows that were."""
    files = rows = 0
    tokens = pa.array([token.bytes for token in begun.tokens], pa.binary(16))
    for source in sources:
        for folder in _deliveries(workplace, source):
            listed = begun.rows.get((source.source, folder.name), [])
            for path in parquet.files(folder / pseudonymize.STAGE, "data"):
                data, _ = _read(path)
                gone = _replace(path, data, pc.invert(_mine(data, tokens, begun.row_keys)))
                files, rows = files + bool(gone), rows + gone
            for path in parquet.files(folder / pseudonymize.STAGE, "rows"):
                files += _without_keys(path, begun.row_keys)
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


def _mine(data: pa.Table, tokens: pa.Array, keys: AbstractSet[bytes]) -> pa.ChunkedArray:
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


def _without_keys(path: Path, keys: AbstractSet[bytes]) -> bool:
    """The row ledger counts the row on, and forgets its key."""
    data = pq.read_table(path)
    mine = pc.is_in(data["row_key"], pa.array(list(keys), pa.binary(16)))
    if not pc.any(mine).as_py():
        return False
    place = data.schema.get_field_index("row_key")
    blank = pc.if_else(mine, pa.scalar(None, pa.binary(16)), data["row_key"])
    parquet.swap(data.set_column(place, data.schema.field(place), blank), path)
    return True


def _treat_sealed(workplace: Workplace, sources: list[Source], begun: Begun) -> None:
    """Sealed deliveries that the person was in, or that cannot be searched; what is done is written down first."""
    from anonymization.vault import unfinished
    from assets import raw_erasure
    from assets.vault_retention import kept_until

    lines: list[dict[str, Any]] = begun.done["sealed"]
    for line in lines:
        raw_erasure.finish(workplace, line["done"], line["files"])
    for source in sources:
        shutil.rmtree(workplace.sweeps / source.source, ignore_errors=True)  # a server is asked again from the start

        def announce(one: raw_erasure.Treated, source: Source = source) -> None:
            line = {"source": one.source, "delivery": one.delivery, "rows": one.rows, "done": one.done}
            if one.done in (raw_erasure.KEPT, raw_erasure.NOT_SEARCHED):
                line["kept_until"] = kept_until(source, one.entry.received_at.date()).isoformat()
            lines[:] = [old for old in lines if (old["source"], old["delivery"]) != (one.source, one.delivery)]
            lines.append({**line, "files": list(one.files)})
            unfinished.keep(workplace.vault, begun)

        known = [delivery for name, delivery in begun.rows if name == source.source]
        raw_erasure.treat(workplace, source, known, bool(begun.asked["keep_raw"]), announce)


def _overwritten(pages: list[Overwritten]) -> dict[str, Any]:
    return {"tables": sum(one.tables for one in pages), "log": all(one.log for one in pages)}


def _not_overwritten(pages: list[Overwritten]) -> list[str]:
    """What the login was not allowed to clear, or what readers held, for whoever may."""
    told = [f"freed pages of {table}: VACUUM (FULL) is needed" for one in pages for table in one.left]
    if not all(one.log for one in pages):
        told.append("the server's log of transactions, until its segments are written over")
    return told


def _pseudonym(keyring: Keyring, token: UUID) -> str:
    """Tells with the keys, and only with them, whom a certificate is about: of the token by which they were erased."""
    return hmac.digest(keyring.derive("", "certificate", "person"), token.bytes, sha256).hex()


def _signature(keyring: Keyring, said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=True).encode()
    return hmac.digest(keyring.derive("", "certificate", "signature"), text, sha256).hex()


def _write(workplace: Workplace, said: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    signed = {**said, "signature": _signature(workplace.keyring, said)}
    folder = workplace.home / "vault" / FOLDER
    path = folder / f"{said['certificate']}.json"
    beside = path.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
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
