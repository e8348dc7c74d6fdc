import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.keys import country_keys, rotation
from anonymization.keys.ring import Keyring
from anonymization.vault import audit, identities
from anonymization.vault.name_words import NameWords
from anonymization.vault.sealed_keys import rewrap
from anonymization.vault.store import open_sealed, seal
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]


@pytest.fixture
def batch(rows: Rows) -> TextBatch:
    return rows(
        {"FILE": "F1", "DUI": "04567890-3", "NAME": "Ana"}, {"FILE": "F2"}, {"FILE": "F3", "PHONE": "7123-4567"}
    )


def passed(source: Source, vault: Vault, batch: TextBatch) -> tuple[list[bytes], list[bytes]]:
    data = Gate(source, vault).pass_batch(batch).data
    return data["_person"].to_pylist(), data["_key"].to_pylist()


def stored(url: str, column: str, table: str) -> set[bytes]:
    with create_engine(url).connect() as connection:
        return {bytes(cell) for cell in connection.scalars(text(f"SELECT {column} FROM vault.{table}"))}


def test_after_a_rotation_an_identical_redelivery_finds_the_same_persons(
    register: Source, vault: Vault, vault_url: str, batch: TextBatch
) -> None:
    before = passed(register, vault, batch)
    held = [("wrapped_key", "country"), ("wrapped_key", "person"), ("uuid_send(idx)", "blind_index")]
    old = [stored(vault_url, *one) for one in held]
    assert [one.epoch for one in rotation.rotate(vault)] == [2]
    assert [one.epoch for one in rotation.rotate(vault)] == [3]
    for was, one in zip(old, held, strict=True):
        now = stored(vault_url, *one)
        assert len(now) == len(was)
        assert not now & was
    assert passed(register, vault, batch) == before
    assert len(stored(vault_url, "wrapped_key", "person")) == 3


def test_an_identifier_that_no_source_repeats_is_still_known(register: Source, vault: Vault, rows: Rows) -> None:
    (first,), _ = passed(register, vault, rows({"DUI": "04567890-3", "PHONE": "7123-4567"}))
    passed(register, vault, rows({"DUI": "04567890-3", "PHONE": "7000-0001"}))
    rotation.rotate(vault)
    assert passed(register, vault, rows({"PHONE": "7123-4567"}))[0] == [first]


def test_identities_and_name_words_are_found_after_a_rotation(
    register: Source, vault: Vault, vault_url: str, batch: TextBatch
) -> None:
    passed(register, vault, batch)
    rotation.rotate(vault)
    with vault.transaction() as cursor:
        key = vault.keys_of(cursor, "SLV").key
        asked = """SELECT p.token, p.wrapped_key, i.origin, i.sealed
                   FROM vault.person AS p JOIN vault.identity AS i USING (person_id)"""
        records = [
            identities.open_record(sealed, origin, identities.open_person_key(token.bytes, wrapped, key))
            for token, wrapped, origin, sealed in cursor.execute(asked).fetchall()
        ]
    assert sum(b"04567890-3" in record for record in records) == 1
    assert NameWords(vault, "SLV").among(["ana", "xochitl"]) == {"ana"}


def test_a_process_that_has_begun_before_the_rotation_goes_on(
    register: Source, vault: Vault, vault_url: str, keyring: Keyring, batch: TextBatch
) -> None:
    assert keyring.folder is not None
    gate = Gate(register, vault)
    before = gate.pass_batch(batch).data["_person"].to_pylist()
    rotation.rotate(Vault(vault_url, Keyring.open(keyring.folder)))
    assert gate.pass_batch(batch).data["_person"].to_pylist() == before


def test_one_country_alone_may_be_rotated(make_source: Callable[..., Source], vault: Vault, rows: Rows) -> None:
    sources = [make_source(f"{c.lower()}/register", c) for c in ("SLV", "GTM")]
    before = [passed(source, vault, rows({"DUI": "04567890-3"})) for source in sources]
    rotation.rotate(vault, "SLV")
    with vault.transaction() as cursor:
        found = country_keys.all_opened(cursor, vault.keyring)
    assert {name: keys.epoch for name, keys in found.items()} == {"SLV": 2, "GTM": 1}
    assert [passed(source, vault, rows({"DUI": "04567890-3"})) for source in sources] == before


def test_a_country_that_comes_after_a_rotation_begins_in_its_epoch(
    make_source: Callable[..., Source], vault: Vault, rows: Rows
) -> None:
    here, there = (make_source(f"{c.lower()}/register", c) for c in ("SLV", "GTM"))
    passed(here, vault, rows({"DUI": "04567890-3"}))
    rotation.rotate(vault)
    before = passed(there, vault, rows({"DUI": "04567890-3"}))
    assert passed(there, vault, rows({"DUI": "04567890-3"})) == before
    assert [(one.country, one.epoch) for one in rotation.rotate(vault)] == [("GTM", 3), ("SLV", 3)]
    assert passed(there, vault, rows({"DUI": "04567890-3"})) == before


def test_a_country_that_nobody_knows_is_not_rotated(vault: Vault) -> None:
    with pytest.raises(HomewardError, match="knows nobody of this country"):
        rotation.rotate(vault, "XXX")
    assert vault.keyring.newest == 1


def test_indexes_can_be_turned_and_turned_back(register: Source, vault: Vault, batch: TextBatch) -> None:
    passed(register, vault, batch)
    rotation.rotate(vault)
    rotation.rotate(vault)
    with vault.transaction() as cursor:
        keys = vault.keys_of(cursor, "SLV")
    indexes = os.urandom(160)
    assert keys.turned(indexes) != indexes
    assert keys.turned_back(keys.turned(indexes)) == indexes


ROTATES = """
import sys
from pathlib import Path
from anonymization.keys import rotation
from anonymization.keys.ring import Keyring
from anonymization.vault.vault import Vault
turn = rotation._turn
def slow(*arguments):
    print("turning", flush=True)
    import time; time.sleep(60)
rotation._turn = slow
rotation.rotate(Vault(sys.argv[1], Keyring.open(Path(sys.argv[2]))))
"""


def test_a_rotation_that_was_killed_is_run_again_and_one_beside_it_waits(
    register: Source, vault: Vault, vault_url: str, keyring: Keyring, batch: TextBatch
) -> None:
    before = passed(register, vault, batch)
    command = [sys.executable, "-c", ROTATES, vault_url, str(keyring.folder)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "turning\n"
    done: list[rotation.Rotated] = []
    beside = threading.Thread(target=lambda: done.extend(rotation.rotate(vault)))
    beside.start()
    time.sleep(0.5)
    assert not done
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    beside.join()
    assert [(one.country, one.epoch, one.persons) for one in done] == [("SLV", 2, 3)]
    assert passed(register, vault, batch) == before


def test_a_rotation_is_a_line_of_the_audit(register: Source, vault: Vault, batch: TextBatch) -> None:
    passed(register, vault, batch)
    rotation.rotate(vault, officer="Keeper")
    line = audit.lines(vault, 1)[0]
    assert (line.action, line.country, line.officer, line.facts["epoch"]) == ("rotate", "SLV", "Keeper", 2)
    assert audit.verify(vault, []) is None


def test_a_sealed_file_is_opened_by_the_new_epochs_key(keyring: Keyring, tmp_path: Path) -> None:
    sealed = seal([b"a" * 3_000_000], "file.csv", tmp_path / "store", keyring)
    path = sealed.file.path
    frames, slot = path.read_bytes()[80:], path.read_bytes()[:80]
    assert rewrap(path, keyring) is False
    keyring.add_epoch()
    assert rewrap(path, keyring) is True
    assert path.read_bytes()[80:] == frames
    assert path.read_bytes()[:80] != slot
    file = open_sealed(sealed.sha256, tmp_path / "store", keyring)
    assert (file.name, file.open().read()) == ("file.csv", b"a" * 3_000_000)


def test_a_file_sealed_before_keys_were_wrapped_is_read_and_sealed_anew(keyring: Keyring, tmp_path: Path) -> None:
    content, salt = b"rows of the first version", os.urandom(32)
    cipher = AESGCM(hashlib.blake2b(salt, key=keyring.derive("", "store", epoch=1), digest_size=32).digest())
    prefix = b"HOMEWARD SEAL 1\n" + salt + (len(b"file.csv") + 16).to_bytes(4, "big")
    header = prefix + cipher.encrypt(b"name".ljust(12, b"\0"), b"file.csv", prefix)
    frame = cipher.encrypt(bytes(11) + b"\1", content, hashlib.sha256(header).digest())
    sha256 = hashlib.sha256(content).hexdigest()
    path = tmp_path / f"{sha256}.sealed"
    path.write_bytes(header + frame)
    for _ in range(2):
        file = open_sealed(sha256, tmp_path, keyring)
        assert (file.name, file.size, file.open().read()) == ("file.csv", len(content), content)
        keyring.add_epoch()
        assert rewrap(path, keyring) is True
    assert path.read_bytes().startswith(b"HOMEWARD SEAL 2\n")


def test_a_sealed_file_with_a_changed_key_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    path = seal([b"rows"], "file.csv", tmp_path / "store", keyring).file.path
    content = bytearray(path.read_bytes())
    for place in (17, 19, 40):
        content[place] ^= 1
        path.write_bytes(content)
        with pytest.raises(HomewardError, match="a sealed file is damaged"):
            open_sealed(path.stem, tmp_path / "store", keyring).open()
        content[place] ^= 1
