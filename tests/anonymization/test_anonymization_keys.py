import base64
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from anonymization.gate import Gate
from anonymization.keys import roots
from anonymization.keys.ring import RING_FILE, ROOT_FILE, Keyring
from anonymization.keys.roots import make_file
from anonymization.vault.vault import Vault
from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable
from sources.batches import TextBatch
from sources.models import Source


def test_the_first_run_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    Keyring.open(folder)
    assert (folder.stat().st_mode & 0o777, (folder / ROOT_FILE).stat().st_mode & 0o777) == (0o700, 0o600)
    assert sorted(os.listdir(folder)) == [RING_FILE, ROOT_FILE]
    assert (folder / RING_FILE).stat().st_mode & 0o777 == 0o600


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
    assert keyring.add_epoch() == 2
    assert len({keyring.derive(*use) for use in uses}) == len(uses)
    assert {len(keyring.derive(*use)) for use in uses} == {32}


def test_a_keyring_travels_to_another_process_without_its_key(keyring: Keyring) -> None:
    assert keyring.folder is not None
    root = (keyring.folder / ROOT_FILE).read_bytes()
    pickled = pickle.dumps(keyring)
    assert not any(key in pickled for key in (root, *keyring.masters.values()))
    assert pickle.loads(pickled).derive("SLV", "record") == keyring.derive("SLV", "record")


def test_first_runs_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Keyring.open(tmp_path / "keys").derive("SLV", "record"), range(16)))
    assert len(set(made)) == 1


def test_a_home_from_before_there_was_a_ring_keeps_its_keys(tmp_path: Path) -> None:
    """Vaults of version 1 derived everything from the root key itself: what they hold must still be found."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    (folder / ROOT_FILE).write_bytes(bytes(range(32)))
    (folder / ROOT_FILE).chmod(0o600)
    as_then = "987097911cf2c061e6f9f872f4bcef823acb7acb01e30e352bca628ee88cf7d7"
    assert Keyring.open(folder).derive("SLV", "record", "main").hex() == as_then


def test_a_new_home_derives_nothing_from_the_root_key_itself(keyring: Keyring) -> None:
    assert keyring.root is not None
    assert keyring.root.key not in keyring.masters.values()


def test_an_older_process_finds_the_keys_of_an_epoch_that_another_has_added(keyring: Keyring) -> None:
    assert keyring.folder is not None
    other = Keyring.open(keyring.folder)
    assert keyring.add_epoch() == 2
    assert other.derive("SLV", "index", epoch=2) == keyring.derive("SLV", "index", epoch=2)


def test_the_root_key_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWARD_ROOT_KEY", base64.b64encode(bytes(range(32))).decode())
    first = Keyring.open(tmp_path / "keys")
    assert not (tmp_path / "keys" / ROOT_FILE).exists()
    assert first.root is not None
    assert first.root.source == "environment"
    assert Keyring.open(tmp_path / "keys").derive("SLV", "record") == first.derive("SLV", "record")


def test_the_root_key_may_come_from_a_command_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    (tmp_path / "service.py").write_text(f"import sys; print({key!r}); print({key!r}, file=sys.stderr)")
    monkeypatch.setenv("HOMEWARD_ROOT_KEY_COMMAND", f"{sys.executable} {tmp_path / 'service.py'}")
    keyring = Keyring.open(tmp_path / "keys")
    assert keyring.root is not None
    assert keyring.root.source == "command"
    said = capfd.readouterr()
    assert key not in said.out + said.err + repr(keyring) + repr(keyring.root)


@pytest.mark.parametrize(
    "command", ["/nowhere/at-all", f"{sys.executable} -c 'exit(3)'", f"{sys.executable} -c 'print(5)'"]
)
def test_a_command_that_gives_no_key_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("HOMEWARD_ROOT_KEY_COMMAND", command)
    with pytest.raises(HomewardError) as raised:
        Keyring.open(tmp_path / "keys")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "command", ["/nowhere/at-all", f"{sys.executable} -c 'exit(3)'", f"{sys.executable} -c 'print(5)'", "yes"]
)
def test_of_two_commands_the_one_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("HOMEWARD_ROOT_KEY_COMMAND_NEXT", command)
    with pytest.raises(HomewardError) as raised:
        roots.outside(roots.NEXT)
    assert raised.value.where == "HOMEWARD_ROOT_KEY_COMMAND_NEXT"


def test_a_command_that_prints_for_ever_or_never_ends_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEWARD_ROOT_KEY_COMMAND", "yes")
    with pytest.raises(HomewardError, match="prints far more than a key"):
        Keyring.open(tmp_path / "keys")
    monkeypatch.setattr(roots, "_WAIT_SECONDS", 5)  # within which a busy machine has begun with the command
    monkeypatch.setenv("HOMEWARD_ROOT_KEY_COMMAND", f"sh -c 'echo $$ > {tmp_path / 'number'}; sleep 600; echo x'")
    with pytest.raises(Unavailable, match="did not answer"):
        Keyring.open(tmp_path / "keys")
    group = _told(tmp_path / "number")
    given_up = time.monotonic() + 120
    while _at_work(group) and time.monotonic() < given_up:  # who is killed is gone a moment later
        time.sleep(0.01)
    assert not _at_work(group)


def test_a_command_whose_output_somebody_else_holds_open_is_not_waited_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it starts in a session of its own is not ended with it, and may never end."""
    number = tmp_path / "number"
    monkeypatch.setattr(roots, "_WAIT_SECONDS", 5)
    monkeypatch.setenv(
        "HOMEWARD_ROOT_KEY_COMMAND", f"sh -c 'setsid sh -c \"echo \\$\\$ > {number}; exec sleep 600\" &'"
    )
    try:
        with pytest.raises(Unavailable, match="did not answer"):
            Keyring.open(tmp_path / "keys")
        assert _at_work(_told(number)), "nobody waited for its end"
    finally:
        os.kill(_told(number), signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
@pytest.mark.parametrize("name", [ROOT_FILE, "."])
def test_a_key_that_belongs_to_another_user_is_refused(keyring: Keyring, name: str) -> None:
    assert keyring.folder is not None
    os.chown(keyring.folder / name, 12345, -1)
    with pytest.raises(HomewardError, match="belong to another user") as raised:
        Keyring.open(keyring.folder)
    assert "\n" not in str(raised.value)


def test_a_link_to_the_key_is_followed_where_nobody_else_can_exchange_it(keyring: Keyring, tmp_path: Path) -> None:
    assert keyring.folder is not None
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    (keyring.folder / ROOT_FILE).rename(folder / "key")
    (keyring.folder / ROOT_FILE).symlink_to(folder / "key")
    assert Keyring.open(keyring.folder).root == keyring.root
    folder.chmod(0o777)
    with pytest.raises(HomewardError, match="can exchange the key"):
        Keyring.open(keyring.folder)


def test_a_run_that_is_cancelled_ends_the_command_that_it_waits_for(tmp_path: Path) -> None:
    number = tmp_path / "number"
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # as in no background job
    asks = f"{listens}; from anonymization.keys.ring import Keyring; Keyring.open({str(tmp_path / 'keys')!r})"
    waits = os.environ | {"HOMEWARD_ROOT_KEY_COMMAND": f"sh -c 'echo $$ > {number}; sleep 600; echo x'"}
    run = subprocess.Popen([sys.executable, "-c", asks], env=waits, stderr=subprocess.DEVNULL, start_new_session=True)
    given_up = time.monotonic() + 120
    while not _is_waiting(run, number) and time.monotonic() < given_up:
        time.sleep(0.01)
    group = int(number.read_text())
    while run.poll() is None:  # one that comes just before it begins to read is seen only behind it
        run.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            run.wait(15)
    while _at_work(group) and time.monotonic() < given_up:
        time.sleep(0.01)
    left = _at_work(group)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    assert not left
    assert run.returncode == -signal.SIGINT, "it ended since it was cancelled, not since its patience was over"


def _told(number: Path) -> int:
    """What a command said of itself, however late it came to it."""
    given_up = time.monotonic() + 120
    while not (number.exists() and number.read_text().endswith("\n")) and time.monotonic() < given_up:
        time.sleep(0.01)
    return int(number.read_text())


def _is_waiting(run: subprocess.Popen[bytes], number: Path) -> bool:
    """Whether its key command is at work."""
    return run.poll() is None and number.exists() and number.read_text().endswith("\n")


def _at_work(group: int) -> list[int]:
    """Processes of a group, those that ended and were not fetched left out."""
    found = []
    for one in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(one.pid) == group and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
    return found


def test_a_wrong_root_key_is_told_by_its_id_and_not_by_itself(tmp_path: Path, keyring: Keyring) -> None:
    assert keyring.folder is not None
    assert keyring.root is not None
    wrong = os.urandom(32)
    (keyring.folder / ROOT_FILE).write_bytes(wrong)
    with pytest.raises(HomewardError, match="is not the one that these keys need") as raised:
        Keyring.open(keyring.folder)
    assert keyring.root.key_id in str(raised.value)
    assert wrong.hex() not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_lost_root_key_is_not_made_anew(keyring: Keyring) -> None:
    assert keyring.folder is not None
    (keyring.folder / ROOT_FILE).unlink()
    with pytest.raises(HomewardError, match="the root key is missing"):
        Keyring.open(keyring.folder)
    assert not (keyring.folder / ROOT_FILE).exists()


@pytest.mark.parametrize("gone", ["all", RING_FILE])
def test_no_other_keys_are_made_beside_a_vault_whose_keys_were_lost(
    register: Source, vault: Vault, vault_url: str, rows: Callable[..., TextBatch], tmp_path: Path, gone: str
) -> None:
    Gate(register, vault).pass_batch(rows({"DUI": "04567890-3"}))
    keys = tmp_path / "keys"
    for path in keys.iterdir():
        if gone in ("all", path.name):
            path.unlink()
    left = sorted(keys.iterdir())
    why = "knows people of SLV" if gone == "all" else "made with another root key"
    with pytest.raises(HomewardError, match=why) as raised:
        _ = Workplace(tmp_path, vault_url=vault_url).keyring
    assert "\n" not in str(raised.value)
    assert sorted(keys.iterdir()) == left


def test_no_other_keys_are_made_beside_sealed_deliveries(vault_url: str, tmp_path: Path) -> None:
    """A database that was lost too must not make the store unreadable for good."""
    (tmp_path / "vault" / "store").mkdir(parents=True)
    (tmp_path / "vault" / "store" / "0.sealed").touch()
    with pytest.raises(HomewardError, match="sealed deliveries, and there are no keys"):
        _ = Workplace(tmp_path, vault_url=vault_url).keyring
    assert not (tmp_path / "keys").exists()


def test_a_home_from_before_there_was_a_ring_opens_its_vault(
    register: Source, vault_url: str, rows: Callable[..., TextBatch], tmp_path: Path
) -> None:
    make_file(tmp_path / "keys")
    Gate(register, Workplace(tmp_path, vault_url=vault_url).vault).pass_batch(rows({"DUI": "04567890-3"}))
    (tmp_path / "keys" / RING_FILE).unlink()
    assert Workplace(tmp_path, vault_url=vault_url).keyring.present == 1


def test_a_tampered_ring_is_refused(keyring: Keyring) -> None:
    assert keyring.folder is not None
    ring = (keyring.folder / RING_FILE).read_text()
    (keyring.folder / RING_FILE).write_text(ring.replace('"1": "', '"1": "AAAA', 1))
    with pytest.raises(HomewardError, match="the ring of keys is damaged"):
        Keyring.open(keyring.folder)


def test_a_changed_root_key_opens_the_same_keys_and_the_old_one_none(keyring: Keyring) -> None:
    assert keyring.folder is not None
    old, record = (keyring.folder / ROOT_FILE).read_bytes(), keyring.derive("SLV", "record")
    keyring.change_root()
    assert Keyring.open(keyring.folder).derive("SLV", "record") == record
    (keyring.folder / ROOT_FILE).write_bytes(old)
    with pytest.raises(HomewardError, match="is not the one that these keys need"):
        Keyring.open(keyring.folder)


def test_a_root_key_from_outside_goes_over_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    monkeypatch.setenv("HOMEWARD_ROOT_KEY", one)
    keyring = Keyring.open(tmp_path / "keys")
    with pytest.raises(HomewardError, match="no root key to change to"):
        keyring.change_root()
    monkeypatch.setenv("HOMEWARD_ROOT_KEY_NEXT", other)
    keyring.change_root()
    for key in (one, other):
        monkeypatch.setenv("HOMEWARD_ROOT_KEY", key)
        assert Keyring.open(tmp_path / "keys").derive("SLV", "record") == keyring.derive("SLV", "record")
