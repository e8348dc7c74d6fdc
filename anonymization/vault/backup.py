"""Backup and restore of the vault: its rows, its keys and on demand the sealed files, in one encrypted archive.

The archive opens with its own passphrase or key file and with nothing else; no root key is in it. It is restored into
a home without keys and a vault without people: whole, or not at all. A restore that was cut off is run again, at any
point: what the vault has of this archive already is not brought back twice.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from anonymization.keys import rotation
from anonymization.keys.ring import RING_FILE, Keyring
from anonymization.linkage import decisions
from anonymization.vault import audit
from anonymization.vault.seal_format import SUFFIX
from anonymization.vault.sealed_stream import Reader, Writer
from anonymization.vault.upkeep import at_one_moment, keep_up, put_in_order
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError, Unavailable

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

_FORMAT = 2
"""1: the ring held masters of epochs only. Such archives are read."""
_BLOCK = 1 << 20
_HEAD = struct.Struct(">cI")
_SECTION, _DATA = b"S", b"D"

# A table comes after those that it refers to.
_TABLES = """
    SELECT c.relname FROM pg_class AS c
    WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind = 'r'
    ORDER BY EXISTS (SELECT FROM pg_constraint AS f WHERE f.conrelid = c.oid AND f.contype = 'f'), c.relname"""
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_IDENTITIES = """
    SELECT c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'vault'::regnamespace AND a.attidentity <> ''"""

_RESTORED = """
    SELECT facts FROM vault.audit AS r WHERE action = %s AND facts ->> 'archive' = %s
        AND NOT EXISTS (SELECT FROM vault.audit AS l WHERE l.entry > r.entry AND l.action <> ALL (%s))"""
_REPEATS = [audit.LOST, audit.ERASED, audit.ERASED_AGAIN]
"""What the command writes once the rows are back: who was erased since is erased again."""


@dataclass(frozen=True)
class Held:
    """What an archive holds."""

    tables: int
    persons: int
    files: int
    size: int


def backup(vault: Vault, target: Path, secret: bytes, sealed: Path | None) -> Held:
    """Write the archive to `target`, whole or not at all; `sealed`: the folder of sealed files, to go with it."""
    if target.exists():
        raise HomewardError("there is such a file already", target.name, "name another one")
    with vault.transaction() as guard:
        # What is read, rows first and files last, needs no master that the archive does not begin with.
        rotation.none_begins(guard)
        held = _write(vault, target, secret, sealed)
    epochs = ",".join(map(str, vault.keyring.epochs))
    audit.note(vault, "backup", None, tables=held.tables, persons=held.persons, files=held.files, epochs=epochs)
    return held


def _write(vault: Vault, target: Path, secret: bytes, sealed: Path | None) -> Held:
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        with temporary.open("xb") as out:
            os.fchmod(out.fileno(), 0o600)
            archive = _Archive(Writer(out, secret), target.name)
            tables, persons = _write_rows(vault, archive)
            files = sorted(sealed.glob(f"*{SUFFIX}")) if sealed else []
            for path in files:
                archive.section({"file": path.name})
                with path.open("rb") as file:
                    while block := file.read(_BLOCK):
                        archive.data(block)
            archive.close()
            out.flush()
            os.fsync(out.fileno())
        size = temporary.stat().st_size
        temporary.rename(target)
    except OSError as error:
        raise _unwritten(target.name, error) from None
    finally:
        temporary.unlink(missing_ok=True)
    return Held(tables, persons, len(files), size)


def restore(source: Path, secret: bytes, vault_url: str, keys: Path, sealed: Path, remembered: int = 0) -> Held:
    """Restore into `keys` (a folder without keys) and the empty vault at `vault_url`; see the module. `remembered`: the
    last line of the vault's audit of which somebody else knows; those that the archive lacks are told to be lost."""
    reader = Reader.verified(source, secret)
    sections = _sections(reader)
    manifest = _manifest(sections, source)
    vault = Vault(vault_url, Keyring.throwaway())  # no key is made before it is known that the vault serves
    vault.migrate()
    with vault.transaction() as cursor:
        counted = _restored(cursor, reader.mark)
        if counted is None:
            _refuse_if_used(cursor)
    masters = {name: base64.b64decode(key) for name, key in manifest["masters"].items()}
    keyring = _keyring(keys, masters)
    if counted is None:
        with vault.transaction() as cursor:
            counted = _bring_back(cursor, keyring, sections, manifest, sealed)
            _tell(cursor, keyring, {**counted, "archive": reader.mark}, remembered)
    keep_up(vault)
    put_in_order(vault)
    return Held(**counted, size=source.stat().st_size)


def _bring_back(
    cursor: Vaultside,
    keyring: Keyring,
    sections: Iterator[tuple[dict[str, Any], Iterator[bytes]]],
    manifest: dict[str, Any],
    sealed: Path,
) -> dict[str, int]:
    """Rows and sealed files of the archive; how many tables, persons and files."""
    _refuse_if_used(cursor)
    files, sealed_before = 0, False
    for head, blocks in sections:
        if "table" in head:
            _read_rows(cursor, head["table"], head["columns"], blocks)
            sealed_before |= decisions.COLUMN in head["columns"]
        else:
            _read_file(sealed, head["file"], blocks)
            files += 1
    if not sealed_before:  # the archive, which is authentic, is of a version that did not seal decisions
        decisions.seal_all(cursor, keyring)
    _count_on(cursor, manifest["person_block"])
    return {"tables": len(manifest["tables"]), "persons": _count(cursor, "person"), "files": files}


def _tell(cursor: Vaultside, keyring: Keyring, facts: dict[str, Any], remembered: int) -> None:
    """The restore in the audit, and from which to which line the archive lacks what somebody else remembers."""
    audit.write(cursor, keyring, audit.RESTORED, facts=facts)
    first = audit.restored_at(cursor)
    if remembered >= first:
        audit.write(cursor, keyring, audit.LOST, facts={"first": first, "last": remembered})


def _restored(cursor: Vaultside, archive: str) -> dict[str, int] | None:
    """What was counted, if the vault was restored from this archive and since then people were erased at most."""
    found = cursor.execute(_RESTORED, (audit.RESTORED, archive, _REPEATS)).fetchone()
    return {name: int(found[0][name]) for name in ("tables", "persons", "files")} if found else None


def _unwritten(name: str, error: OSError) -> Unavailable:
    return Unavailable("the backup cannot be written", name, os.strerror(error.errno or 0))


class _Archive:
    """Named sections, each of blocks, into an encrypted stream."""

    def __init__(self, out: Writer, name: str) -> None:
        self._out, self._name = out, name

    def section(self, head: dict[str, Any]) -> None:
        self._write(_SECTION, json.dumps(head).encode())

    def data(self, block: bytes | memoryview) -> None:
        self._write(_DATA, block)

    def close(self) -> None:
        self._out.close()

    def _write(self, kind: bytes, block: bytes | memoryview) -> None:
        try:
            self._out.write(_HEAD.pack(kind, len(block)))
            self._out.write(block)
        except OSError as error:  # said here: around the rows it would be taken for the vault's
            raise _unwritten(self._name, error) from None


def _write_rows(vault: Vault, archive: _Archive) -> tuple[int, int]:
    """All tables as they stand at one moment; how many, and how many persons."""
    with vault.transaction() as cursor:
        at_one_moment(cursor)
        cursor.execute("SET TRANSACTION READ ONLY")
        tables = [name for (name,) in cursor.execute(_TABLES).fetchall()]
        masters = {name: base64.b64encode(key).decode() for name, key in vault.keyring.masters.items()}
        block = cursor.execute("SELECT last_value FROM vault.person_block").fetchone()
        head = {"format": _FORMAT, "tables": tables, "masters": masters, "person_block": block[0] if block else 1}
        archive.section(head)
        for table in tables:
            columns = [name for (name,) in cursor.execute(_COLUMNS, (f"vault.{table}",)).fetchall()]
            archive.section({"table": table, "columns": columns})
            with cursor.copy(_copy(table, columns, "TO STDOUT")) as copy:
                for data in copy:
                    archive.data(bytes(data))
        return len(tables), _count(cursor, "person")


def _read_rows(cursor: Vaultside, table: str, columns: list[str], blocks: Iterator[bytes]) -> None:
    with cursor.copy(_copy(table, columns, "FROM STDIN")) as copy:
        for block in blocks:
            copy.write(block)


def _copy(table: str, columns: list[str], way: str) -> sql.Composed:
    return sql.SQL("COPY {} ({}) {} (FORMAT BINARY)").format(
        sql.Identifier("vault", table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(way),
    )


def _read_file(folder: Path, name: str, blocks: Iterator[bytes]) -> None:
    """A sealed file, whole or not at all; one that is there is the same by its name."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / Path(name).name
    temporary = path.with_name(f".sealing-{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as out:
            os.fchmod(out.fileno(), 0o600)
            for block in blocks:
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(path)
    except OSError as error:
        raise Unavailable("a sealed file cannot be restored", name[:8], os.strerror(error.errno or 0)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _sections(reader: Reader) -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
    """Head and blocks of each section in order; the blocks of one are taken before the next."""
    pieces = _pieces(reader)
    waiting = next(pieces, None)

    def blocks() -> Iterator[bytes]:
        nonlocal waiting
        while (waiting := next(pieces, None)) is not None and waiting[0] == _DATA:
            yield waiting[1]

    while waiting is not None:
        head = json.loads(waiting[1])
        mine = blocks()
        yield head, mine
        for _ in mine:
            pass


def _pieces(reader: Reader) -> Iterator[tuple[bytes, bytes]]:
    held = bytearray()
    for frame in reader.frames():
        held += frame
        while len(held) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(held)
            if len(held) < _HEAD.size + length:
                break
            yield kind, bytes(held[_HEAD.size : _HEAD.size + length])
            del held[: _HEAD.size + length]


def _manifest(sections: Iterator[tuple[dict[str, Any], Iterator[bytes]]], source: Path) -> dict[str, Any]:
    manifest, _ = next(sections)
    if manifest.get("format") not in range(1, _FORMAT + 1):
        raise HomewardError("the backup is of a newer version", source.name, "restore it with that version")
    return manifest


def _keyring(keys: Path, masters: dict[str, bytes]) -> Keyring:
    """The keys of the archive in the folder: put there now, or by a restore that was cut off."""
    if not (keys / RING_FILE).exists():
        return Keyring.restored(keys, masters)
    there = Keyring.open(keys)
    if there.masters != masters:
        raise HomewardError("there are other keys already", str(keys), "restore into a home that has none")
    return there


def _refuse_if_used(cursor: Vaultside) -> None:
    if _count(cursor, "country") or _count(cursor, "audit"):
        raise HomewardError("the vault is not empty", "vault", "restore into an empty database")


def _count(cursor: Vaultside, table: str) -> int:
    row = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("vault", table))).fetchone()
    return int(row[0]) if row else 0


def _count_on(cursor: Vaultside, person_block: int) -> None:
    """Numbers that are given out go on after the last that is there."""
    cursor.execute("SELECT setval('vault.person_block', %s)", (person_block,))
    for table, column in cursor.execute(_IDENTITIES).fetchall():
        cursor.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), coalesce(max({}), 0) + 1, false) FROM {}").format(
                sql.Literal(f"vault.{table}"), sql.Literal(column), sql.Identifier(column),
                sql.Identifier("vault", table),
            )
        )  # fmt: skip
