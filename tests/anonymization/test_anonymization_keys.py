import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anonymization.keys import ROOT_FILE, Keyring
from codebook.errors import HomewardError


def test_the_first_run_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    Keyring.open(folder)
    assert (folder.stat().st_mode & 0o777, (folder / ROOT_FILE).stat().st_mode & 0o777) == (0o700, 0o600)
    assert os.listdir(folder) == [ROOT_FILE]


def test_the_next_run_finds_the_same_key(tmp_path: Path) -> None:
    first = Keyring.open(tmp_path / "keys").derive("SLV", "record")
    assert Keyring.open(tmp_path / "keys").derive("SLV", "record") == first


@pytest.mark.parametrize(("name", "mode"), [(ROOT_FILE, 0o640), (ROOT_FILE, 0o604), (".", 0o750)])
def test_a_key_that_others_can_read_is_refused_in_one_line(tmp_path: Path, name: str, mode: int) -> None:
    folder = tmp_path / "keys"
    Keyring.open(folder)
    (folder / name).chmod(mode)
    with pytest.raises(HomewardError, match="others on this machine can read the keys") as raised:
        Keyring.open(folder)
    assert "\n" not in str(raised.value)


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    Keyring.open(tmp_path / "keys")
    (tmp_path / "keys" / ROOT_FILE).write_bytes(b"short")
    with pytest.raises(HomewardError, match="the root key is damaged"):
        Keyring.open(tmp_path / "keys")


def test_keys_differ_by_country_purpose_field_and_epoch(keyring: Keyring) -> None:
    uses = [("SLV", "record", "", 1), ("GTM", "record", "", 1), ("SLV", "blind", "", 1), ("SLV", "record", "a", 1)]
    uses += [("SLV", "record", "", 2), ("SLV", "recor", "d", 1), ("SLVr", "ecord", "", 1)]
    assert len({keyring.derive(*use) for use in uses}) == len(uses)
    assert {len(keyring.derive(*use)) for use in uses} == {32}


def test_a_keyring_travels_to_another_process_without_its_key(keyring: Keyring) -> None:
    assert keyring.folder is not None
    root = (keyring.folder / ROOT_FILE).read_bytes()
    pickled = pickle.dumps(keyring)
    assert root not in pickled
    assert pickle.loads(pickled).derive("SLV", "record") == keyring.derive("SLV", "record")


def test_first_runs_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Keyring.open(tmp_path / "keys").derive("SLV", "record"), range(16)))
    assert len(set(made)) == 1
