"""After a rotation people have other keys, their records lie under them, and the old master can be destroyed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from anonymization.gate import Gate
from anonymization.keys import renewal, rotation
from anonymization.keys.ring import RING_FILE, ROOT_FILE, Keyring
from anonymization.linkage import recognition, similarity
from anonymization.vault import audit, backup, erasure, identities, requests, unlearning
from anonymization.vault.sealed_keys import rewrap, sealed_under
from anonymization.vault.store import open_sealed, seal
from anonymization.vault.unfinished import Begun
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]
SECRET = b"a passphrase long enough"


@pytest.fixture
def people(rows: Rows) -> TextBatch:
    said = [
        {"FILE": f"F{n}", "DUI": f"0456789{n}-{n}", "NAME": f"Ana {n}", "BORN": f"0{n + 1}/02/1990"} for n in range(6)
    ]
    return rows(*said)


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return list(Gate(source, vault).pass_batch(batch).data["_person"].to_pylist())


def silent(done: int) -> None:
    """Nobody is watching."""


def sealed(vault: Vault) -> list[tuple[int, int, bytes]]:
    with vault.transaction() as cursor:
        found = cursor.execute(
            "SELECT person_id, origin, sealed FROM vault.identity"
            " UNION ALL SELECT person_id, -1, sealed FROM vault.likeness"
        ).fetchall()
    return [(person, origin, bytes(record)) for person, origin, record in found]


def own_keys(vault: Vault) -> dict[int, bytes]:
    with vault.transaction() as cursor:
        key = vault.keys_of(cursor, "SLV").key
        found = cursor.execute("SELECT person_id, token, wrapped_key FROM vault.person").fetchall()
    return {p: identities.open_person_key(token.bytes, bytes(wrapped), key) for p, token, wrapped in found}


def opened(vault: Vault, keys: dict[int, bytes]) -> list[bytes]:
    return sorted(
        identities.open_likeness(record, keys[person])
        if origin < 0
        else identities.open_record(record, origin, keys[person])
        for person, origin, record in sealed(vault)
    )


def revealed(vault: Vault, token: bytes) -> list[dict[str, str | None]]:
    number = requests.ask(vault, UUID(bytes=token), "tracing", "Marta", 1)
    requests.approve(vault, number, "Jorge")
    return [said.record for said in requests.reveal(vault, number, "Marta")]


def test_after_a_rotation_records_lie_under_other_keys_and_say_the_same(
    similar: Source, vault: Vault, people: TextBatch
) -> None:
    tokens(similar, vault, people)
    old_keys, old_sealed, said = (
        own_keys(vault),
        {record for *_, record in sealed(vault)},
        opened(vault, own_keys(vault)),
    )
    assert len(said) == 12, "an identity and a likeness of each"
    rotation.rotate(vault)
    assert renewal.left(vault) == {"SLV": 6}
    told: list[int] = []
    assert renewal.renew(vault, "SLV", told.append) == renewal.Renewed(6, 0)
    assert (told, renewal.left(vault)) == ([6], {})
    assert not old_sealed & {record for *_, record in sealed(vault)}
    assert not set(old_keys.values()) & set(own_keys(vault).values())
    assert opened(vault, own_keys(vault)) == said
    with pytest.raises(InvalidTag):
        opened(vault, old_keys)
    assert audit.lines(vault, 1)[0].action == "renewed"


DAMAGED_KEY = """
    UPDATE vault.person SET wrapped_key = set_byte(wrapped_key, 3, 255 - get_byte(wrapped_key, 3))
    WHERE token = ANY (%s)"""


def test_one_damaged_key_keeps_nobody_else_under_the_keys_of_before(
    similar: Source, vault: Vault, people: TextBatch
) -> None:
    first = tokens(similar, vault, people)
    with vault.transaction() as cursor:
        cursor.execute(DAMAGED_KEY, ([UUID(bytes=first[0])],))
    (done,) = rotation.rotate(vault)
    assert (done.epoch, done.persons) == (2, 5)
    assert renewal.renew(vault, "SLV", silent) == renewal.Renewed(5, 1)
    assert renewal.left(vault) == {}
    assert revealed(vault, first[1])[0]["NAME"] == "Ana 1"
    with pytest.raises(HomewardError, match="is damaged or was changed"):
        revealed(vault, first[0])


def test_where_many_keys_do_not_open_it_is_the_country_s_that_is_wrong_and_nothing_is_rotated(
    similar: Source, vault: Vault, people: TextBatch
) -> None:
    first = tokens(similar, vault, people)
    with vault.transaction() as cursor:
        cursor.execute(DAMAGED_KEY, ([UUID(bytes=token) for token in first[:2]],))
    with pytest.raises(HomewardError, match="is damaged or was changed"):
        rotation.rotate(vault)
    assert renewal.left(vault) == {}
    assert revealed(vault, first[2])[0]["NAME"] == "Ana 2"


@pytest.mark.parametrize("left_behind", [(), ("compared",), ("rotated again", "compared")])
def test_who_waits_to_be_compared_again_is_compared_with_another_key_too(
    similar: Source, vault: Vault, vault_url: str, rows: Rows, left_behind: tuple[str, ...]
) -> None:
    """What the counts held of them lay under the old key, and no round of the country came to its end any more."""
    known: dict[str, str | None] = {"DUI": "04567890-3", "NAME": "Xochitl"}
    tokens(similar, vault, rows(known | {"BORN": None}))
    vault.recognise("SLV")
    tokens(similar, vault, rows(known))
    with psycopg.connect(vault_url.replace("+psycopg", ""), autocommit=True) as connection:
        ((counted,),) = connection.execute("SELECT counted FROM vault.likeness").fetchall()
        rotation.rotate(vault)
        assert renewal.renew(vault, "SLV", silent) == renewal.Renewed(1, 0)
        if left_behind:  # by a version that did not renew it
            connection.execute("UPDATE vault.likeness SET counted = %s", (counted,))
    if "rotated again" in left_behind:
        rotation.rotate(vault)
        assert renewal.renew(vault, "SLV", silent) == renewal.Renewed(1, 1)
    assert vault.recognise("SLV").compared == 1
    if left_behind:
        return
    with vault.transaction() as cursor:
        keys = vault.keys_of(cursor, "SLV")
        assert unlearning.uncount(cursor, keys, list(own_keys(vault)))
        left = recognition.frequencies_of(cursor, keys).dumps()
    assert left == similarity.no_frequencies().dumps(), "counted once"


def test_persons_with_another_key_are_known_say_something_new_and_can_be_rotated_again(
    similar: Source, vault: Vault, people: TextBatch, rows: Rows
) -> None:
    before = tokens(similar, vault, people)
    rotation.rotate(vault)
    newcomer = tokens(similar, vault, rows({"FILE": "F9", "DUI": "01234567-8"}))
    renewal.renew(vault, "SLV", silent)
    assert tokens(similar, vault, people) == before
    new_name = rows({"FILE": "F0", "DUI": "04567890-0", "NAME": "Xochitl"})
    assert tokens(similar, vault, new_name) == before[:1]
    assert [one["NAME"] for one in revealed(vault, before[0])] == ["Xochitl"]
    rotation.rotate(vault)
    assert renewal.renew(vault, "SLV", silent).persons == 7
    assert tokens(similar, vault, people) == before
    assert [one["DUI"] for one in revealed(vault, newcomer[0])] == ["01234567-8"]


RENEWS = """
import sys, time
from pathlib import Path
from anonymization.keys import renewal
from anonymization.keys.ring import Keyring
from anonymization.vault.vault import Vault
renewal.PAGE = 2
exchange = renewal._exchange
def slow(*arguments):
    done = exchange(*arguments)
    print("exchanged", flush=True)
    if len(pages) == 2: time.sleep(60)
    pages.append(done)
    return done
pages = [0]
renewal._exchange = slow
renewal.renew(Vault(sys.argv[1], Keyring.open(Path(sys.argv[2]))), "SLV", lambda done: None)
"""


def test_killed_in_the_middle_it_goes_on_where_it_stood(
    similar: Source, vault: Vault, vault_url: str, people: TextBatch
) -> None:
    before = tokens(similar, vault, people)
    said = opened(vault, own_keys(vault))
    rotation.rotate(vault)
    command = [sys.executable, "-c", RENEWS, vault_url, str(vault.keyring.folder)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    assert [killed.stdout.readline() for _ in range(2)] == ["exchanged\n"] * 2
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert renewal.left(vault) == {"SLV": 4}, "a page stands, the second one never was"
    assert opened(vault, own_keys(vault)) == said
    assert tokens(similar, vault, people) == before
    assert rotation.rotate(vault, only_finish=True) == []
    assert renewal.renew(vault, "SLV", silent).persons == 4
    assert opened(vault, own_keys(vault)) == said


def test_a_damaged_record_stays_as_it_is_and_is_counted(
    similar: Source, vault: Vault, vault_url: str, people: TextBatch
) -> None:
    tokens(similar, vault, people)
    with psycopg.connect(vault_url.replace("+psycopg", "")) as connection:
        harm = "UPDATE vault.identity SET sealed = set_byte(sealed, 20, 1 - get_byte(sealed, 20) % 2)"
        connection.execute(f"{harm} WHERE person_id = (SELECT min(person_id) FROM vault.person)")
    rotation.rotate(vault)
    assert renewal.renew(vault, "SLV", silent) == renewal.Renewed(6, 1)


def test_with_a_wrong_root_key_nothing_is_changed(similar: Source, vault: Vault, people: TextBatch) -> None:
    tokens(similar, vault, people)
    rotation.rotate(vault)
    before = sealed(vault)
    assert vault.keyring.folder is not None
    (vault.keyring.folder / ROOT_FILE).write_bytes(bytes(32))
    with pytest.raises(HomewardError, match="is not the one that these keys need"):
        Keyring.open(vault.keyring.folder)
    foreign = Vault(vault._url, Keyring.throwaway())
    with pytest.raises(HomewardError, match=r"the keys of epoch 2|another root key"):
        renewal.renew(foreign, "SLV", silent)
    assert sealed(vault) == before


def test_without_the_old_master_everything_goes_on_and_old_copies_are_shut(
    similar: Source, vault: Vault, people: TextBatch, rows: Rows, tmp_path: Path, other_url: str
) -> None:
    keyring, store = vault.keyring, tmp_path / "store"
    before = tokens(similar, vault, people)
    raw = seal([b"rows"], "file.csv", store, keyring)
    copy = raw.file.path.read_bytes()
    begun = Begun("1", "SLV", (UUID(bytes=before[5]),), frozenset(), {}, {"officer": None})
    erasure.mark(vault, [begun])
    erasure.shred(vault, begun.country, [begun])
    rotation.rotate(vault)
    renewal.renew(vault, "SLV", silent)
    assert sealed_under(store) == {1: 1}
    rewrap(raw.file.path, keyring)
    assert sealed_under(store) == {2: 1}
    first = keyring.masters["1"]
    keyring.retire(1, ["SLV"])
    rotation.rotate(vault)
    renewal.renew(vault, "SLV", silent)
    rewrap(raw.file.path, keyring)
    keyring.retire(2, ["SLV"])

    assert keyring.folder is not None
    again = Vault(vault._url, Keyring.open(keyring.folder))
    assert (again.keyring.epochs, again.keyring.retired) == ([3], [1, 2])
    assert first not in again.keyring.masters.values()
    with pytest.raises(HomewardError, match="epoch 1 was retired"):
        again.keyring.derive("SLV", "country key", epoch=1)
    (old_copy := tmp_path / "copy" / raw.file.path.name).parent.mkdir()
    old_copy.write_bytes(copy)
    with pytest.raises(HomewardError, match="a sealed file is damaged"):
        open_sealed(raw.sha256, old_copy.parent, again.keyring).open()

    assert tokens(similar, again, people) == before[:5], "known as before, and the erased one is kept out"
    assert revealed(again, before[0])[0]["DUI"] == "04567890-0"
    assert open_sealed(raw.sha256, store, again.keyring).open().read() == b"rows"
    assert audit.verify(again, []) is None
    here = Gate(similar, again).pass_batch(rows({"FILE": "F8", "DUI": "01234567-8"}))
    there = Gate(similar, vault).pass_batch(rows({"FILE": "F8", "DUI": "01234567-8"}))
    assert here.data["_key"] == there.data["_key"], "a process that has begun before knows the same record keys"

    backup.backup(again, tmp_path / "archive", SECRET, store)
    backup.restore(tmp_path / "archive", SECRET, other_url, tmp_path / "clean", tmp_path / "clean store")
    restored = Vault(other_url, Keyring.open(tmp_path / "clean"))
    assert restored.keyring.masters == again.keyring.masters
    assert tokens(similar, restored, people) == before[:5]
    assert revealed(restored, before[1])[0]["DUI"] == "04567891-1"
    erased = Begun("2", "SLV", (UUID(bytes=before[1]),), frozenset(), {}, {"officer": None})
    erasure.mark(restored, [erased])
    erasure.shred(restored, "SLV", [erased])
    assert erased.done["vault"]["person"] == 1
    assert tokens(similar, restored, people) == [before[0], *before[2:5]]


def test_a_country_that_comes_after_an_epoch_was_retired_is_known_too(
    make_source: Callable[..., Source], vault: Vault, people: TextBatch
) -> None:
    tokens(make_source(), vault, people)
    for epoch in (1, 2):
        rotation.rotate(vault)
        vault.keyring.retire(epoch, ["SLV"])
    late = make_source("gtm/register", "GTM")
    assert tokens(late, vault, people) == tokens(late, Vault(vault._url, Keyring.open(vault.keyring.folder)), people)  # type: ignore[arg-type]


def test_the_newest_epoch_and_one_that_is_gone_cannot_be_retired(keyring: Keyring) -> None:
    keyring.add_epoch()
    keyring.retire(1, [])
    for epoch in (1, 2, 3):
        with pytest.raises(HomewardError, match="no old epoch has this number"):
            keyring.retire(epoch, [])


def test_the_first_epoch_of_a_home_from_before_there_was_a_lasting_key_stays(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    (folder / ROOT_FILE).write_bytes(bytes(range(32)))
    (folder / ROOT_FILE).chmod(0o600)
    old = Keyring.open(folder)
    record = old.derive("SLV", "record")
    assert [old.add_epoch(), old.add_epoch()] == [2, 3]
    with pytest.raises(HomewardError, match="derived from the master of its first epoch"):
        old.retire(1, [])
    old.retire(2, ["SLV"])
    assert (Keyring.open(folder).epochs, Keyring.open(folder).derive("SLV", "record")) == ([1, 3], record)


def test_a_change_of_the_root_key_by_a_process_that_knew_a_retired_master_does_not_bring_it_back(
    keyring: Keyring,
) -> None:
    assert keyring.folder is not None
    keyring.add_epoch()
    older = Keyring.open(keyring.folder)
    keyring.retire(1, [])
    older.change_root()
    assert Keyring.open(keyring.folder).epochs == [2]
    assert '"1"' not in (keyring.folder / RING_FILE).read_text()
