import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import rotation
from anonymization.keys.ring import Keyring
from anonymization.vault import audit, requests
from anonymization.vault import backup as backups
from anonymization.vault.backup import Held, backup, restore
from anonymization.vault.sealed_stream import secret_of_file, secret_of_passphrase
from anonymization.vault.store import open_sealed, seal
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError, Unavailable
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
SECRET = secret_of_passphrase("correct horse battery")


@pytest.fixture
def batch(rows: Rows) -> TextBatch:
    return rows({"FILE": "F1", "DUI": "04567890-3", "NAME": "Xochitl"}, {"FILE": "F2"})


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


def test_a_backup_restored_on_a_clean_home_names_a_person_lawfully(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path, rows: Rows
) -> None:
    before = tokens(register, vault, batch)
    rotation.rotate(vault)
    sealed = seal([b"the raw file"], "names.csv", tmp_path / "store", vault.keyring)
    held = backup(vault, tmp_path / "vault.backup", SECRET, tmp_path / "store")
    assert (held.persons, held.files) == (2, 1)
    clean = tmp_path / "clean"
    restore(tmp_path / "vault.backup", SECRET, other_url, clean / "keys", clean / "store")

    there = Vault(other_url, Keyring.open(clean / "keys"))
    assert there.keyring.root != vault.keyring.root
    assert tokens(register, there, batch) == before
    assert open_sealed(sealed.sha256, clean / "store", there.keyring).open().read() == b"the raw file"
    number = requests.ask(there, UUID(bytes=before[0]), "family tracing", "Marta", 7)
    requests.approve(there, number, "Jorge")
    assert requests.reveal(there, number, "Marta")[0].record["NAME"] == "Xochitl"
    assert audit.verify(there, []) is None
    assert len(set(tokens(register, there, rows({"FILE": "F7"}, {"FILE": "F8"})) + before)) == 4


def test_a_backup_from_before_a_rotation_still_restores(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path
) -> None:
    before = tokens(register, vault, batch)
    backup(vault, tmp_path / "old.backup", SECRET, None)
    rotation.rotate(vault)
    vault.keyring.change_root()
    restore(tmp_path / "old.backup", SECRET, other_url, tmp_path / "clean", tmp_path / "store")
    assert tokens(register, Vault(other_url, Keyring.open(tmp_path / "clean")), batch) == before


def test_a_backup_that_waited_for_its_passphrase_while_keys_were_rotated_opens_what_it_holds(
    register: Source, vault: Vault, vault_url: str, other_url: str, batch: TextBatch, tmp_path: Path
) -> None:
    before = tokens(register, vault, batch)
    assert vault.keyring.folder is not None
    waiting = Vault(vault_url, Keyring.open(vault.keyring.folder))
    rotation.rotate(vault)
    backup(waiting, tmp_path / "vault.backup", SECRET, None)
    restore(tmp_path / "vault.backup", SECRET, other_url, tmp_path / "clean", tmp_path / "store")
    assert tokens(register, Vault(other_url, Keyring.open(tmp_path / "clean")), batch) == before


def test_while_an_archive_is_written_no_rotation_begins(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free: list[tuple[object, ...] | None] = []
    write = backups._write

    def looked_at(vault: Vault, target: Path, secret: bytes, sealed: Path | None) -> Held:
        with vault.transaction() as other:
            ask = "SELECT pg_try_advisory_xact_lock(%s)"
            free.append(other.execute(ask, (rotation.LOCK,)).fetchone())
        return write(vault, target, secret, sealed)

    monkeypatch.setattr(backups, "_write", looked_at)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    assert free == [(False,)]


def test_the_archive_is_for_its_owner_and_holds_nothing_readable(
    register: Source, vault: Vault, batch: TextBatch, tmp_path: Path
) -> None:
    tokens(register, vault, batch)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    content = (tmp_path / "vault.backup").read_bytes()
    assert (tmp_path / "vault.backup").stat().st_mode & 0o777 == 0o600
    assert not any(secret in content for secret in (b"slv_dui", b"masters", *vault.keyring.masters.values()))


def cut(content: bytes) -> bytes:
    return content[:-1]


def cut_at_a_frame(content: bytes) -> bytes:
    return content[: 42 + (1 << 20) + 16]


def changed(content: bytes) -> bytes:
    return content[:500] + bytes([content[500] ^ 1]) + content[501:]


def longer(content: bytes) -> bytes:
    return content + b"more"


@pytest.mark.parametrize("harm", [cut, cut_at_a_frame, changed, longer])
def test_a_damaged_archive_restores_nothing(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    tokens(register, vault, batch)
    seal([os.urandom(2_000_000)], "big", tmp_path / "store", vault.keyring)
    path = tmp_path / "vault.backup"
    backup(vault, path, SECRET, tmp_path / "store")
    path.write_bytes(harm(path.read_bytes()))
    refused(path, SECRET, other_url, tmp_path, "is damaged, cut short or was changed")


def test_a_wrong_passphrase_is_refused_in_one_line(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path
) -> None:
    tokens(register, vault, batch)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    refused(
        tmp_path / "vault.backup", secret_of_passphrase("another passphrase"), other_url, tmp_path, "is not the one"
    )


@pytest.mark.parametrize("name", ["nowhere", ""])
def test_a_file_that_is_none_is_bad_input_and_no_fault(other_url: str, tmp_path: Path, name: str) -> None:
    for ask in (
        lambda: restore(tmp_path / name, SECRET, other_url, tmp_path, tmp_path),
        lambda: secret_of_file(tmp_path / name),
    ):
        with pytest.raises(HomewardError, match=r"there is no such|others on this machine") as raised:
            ask()
        assert not isinstance(raised.value, Unavailable)


def refused(path: Path, secret: bytes, url: str, tmp_path: Path, what: str) -> None:
    with pytest.raises(HomewardError, match=what) as raised:
        restore(path, secret, url, tmp_path / "clean" / "keys", tmp_path / "clean" / "store")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "clean").exists()
    with create_engine(url).connect() as connection:
        assert connection.scalar(text("SELECT to_regnamespace('vault')")) is None


def test_a_vault_in_use_is_not_restored_over(
    register: Source, vault: Vault, vault_url: str, keyring: Keyring, batch: TextBatch, tmp_path: Path
) -> None:
    tokens(register, vault, batch)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    assert keyring.folder is not None
    with pytest.raises(HomewardError, match="the vault is not empty"):
        restore(tmp_path / "vault.backup", SECRET, vault_url, keyring.folder, tmp_path / "store")


def test_other_keys_are_not_restored_over(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path
) -> None:
    tokens(register, vault, batch)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    other = Keyring.open(tmp_path / "other")
    with pytest.raises(HomewardError, match="there are other keys already"):
        restore(tmp_path / "vault.backup", SECRET, other_url, tmp_path / "other", tmp_path / "store")
    assert Keyring.open(tmp_path / "other").masters == other.masters


def test_a_restore_that_was_cut_off_after_the_keys_is_run_again(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path
) -> None:
    before = tokens(register, vault, batch)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    Keyring.restored(tmp_path / "clean", vault.keyring.masters)
    restore(tmp_path / "vault.backup", SECRET, other_url, tmp_path / "clean", tmp_path / "store")
    assert tokens(register, Vault(other_url, Keyring.open(tmp_path / "clean")), batch) == before


def test_a_restore_is_run_again_until_something_has_happened_since(
    register: Source, vault: Vault, other_url: str, batch: TextBatch, tmp_path: Path
) -> None:
    before = tokens(register, vault, batch)
    backup(vault, tmp_path / "vault.backup", SECRET, None)
    backup(vault, tmp_path / "other.backup", SECRET, None)
    asked = (SECRET, other_url, tmp_path / "clean", tmp_path / "store", 9)
    held = restore(tmp_path / "vault.backup", *asked)
    there = Vault(other_url, Keyring.open(tmp_path / "clean"))
    told = [(line.action, line.facts.get("first"), line.facts.get("last")) for line in audit.lines(there, 2)]
    at = audit.lines(there, 2)[0].entry
    assert told == [("restore", None, None), ("lines lost", at, 9)]
    assert restore(tmp_path / "vault.backup", *asked) == held
    assert audit.lines(there, 1)[0].entry == at + 1, "and says nothing twice"
    for action in ("erase", "erased again"):  # cut off while who was erased since is erased again
        audit.note(there, action, "SLV", certificate="one")
        assert restore(tmp_path / "vault.backup", *asked) == held
    with pytest.raises(HomewardError, match="the vault is not empty"):
        restore(tmp_path / "other.backup", *asked)
    assert tokens(register, there, batch) == before
    audit.note(there, "gate")
    with pytest.raises(HomewardError, match="the vault is not empty"):
        restore(tmp_path / "vault.backup", *asked)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup.key"
    path.write_bytes(os.urandom(32))
    path.chmod(0o644)
    with pytest.raises(HomewardError, match="others on this machine can read the keys"):
        secret_of_file(path)
    path.chmod(0o600)
    assert secret_of_file(path) == path.read_bytes()


def test_a_disk_that_is_full_is_told_of_the_archive_and_leaves_nothing(
    vault: Vault, vault_url: str, tmp_path: Path
) -> None:
    with create_engine(vault_url).begin() as connection:  # more than a frame, so that it is written amid the rows
        connection.execute(
            text("INSERT INTO vault.frequency (country, sealed) VALUES ('SLV', decode(repeat('00', 3000000), 'hex'))")
        )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))
    try:
        with pytest.raises(Unavailable, match=r"the backup cannot be written \(vault\.backup\): File too large"):
            backup(vault, tmp_path / "vault.backup", SECRET, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.glob("*vault.backup*"))
