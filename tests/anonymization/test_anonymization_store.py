import errno
import hashlib
import io
import os
import pickle
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from anonymization.keys.ring import Keyring
from anonymization.vault import store
from anonymization.vault.seal_format import FRAME, TAG
from anonymization.vault.store import open_sealed, seal
from codebook.errors import HomewardError, Unavailable
from sources.batches import DeliveredFile

NAME = "Lista Juan Pérez.csv"


def some_bytes(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME])
def test_what_is_sealed_is_read_again(tmp_path: Path, keyring: Keyring, size: int) -> None:
    plain = some_bytes(size)
    sealed = seal(io.BytesIO(plain), NAME, tmp_path / "store", keyring)
    assert (sealed.sha256, sealed.size) == (hashlib.sha256(plain).hexdigest(), size)
    file: DeliveredFile = open_sealed(sealed.sha256, tmp_path / "store", keyring)
    with file.open() as opened:
        assert opened.read() == plain
    assert (file.name, file.size) == (NAME, size)


def test_a_path_and_any_chunks_can_be_sealed(tmp_path: Path, keyring: Keyring) -> None:
    plain = some_bytes(2 * FRAME + 5)
    (tmp_path / "file").write_bytes(plain)
    chunks = (plain[i : i + 70_001] for i in range(0, len(plain), 70_001))
    hashes = {seal(source, NAME, tmp_path / "store", keyring).sha256 for source in (tmp_path / "file", chunks)}
    assert hashes == {hashlib.sha256(plain).hexdigest()}


def test_a_sealed_file_can_be_read_from_anywhere(tmp_path: Path, keyring: Keyring) -> None:
    plain = some_bytes(3 * FRAME)
    with seal([plain], NAME, tmp_path, keyring).file.open() as opened:
        for position in (2 * FRAME - 3, 5, FRAME, 3 * FRAME - 2, 3 * FRAME + 10):
            opened.seek(position)
            assert opened.read(6) == plain[position : position + 6]
        assert opened.seek(-4, io.SEEK_END) == 3 * FRAME - 4
        assert opened.read() == plain[-4:]


def test_neither_name_nor_content_can_be_read_in_the_store(tmp_path: Path, keyring: Keyring) -> None:
    sealed = seal([b"Juan P\xc3\xa9rez;04567890-3" * 100], NAME, tmp_path, keyring)
    (path,) = tmp_path.glob("*.sealed")
    assert path.name == f"{sealed.sha256}.sealed"
    assert path.stat().st_mode & 0o077 == 0
    for secret in (b"Juan P", *("Pérez".encode(page) for page in ("utf-8", "cp1252")), b"04567890"):
        assert secret not in path.read_bytes()
        assert secret not in pickle.dumps(sealed.file)


@pytest.mark.parametrize("place", [0, 20, 50, 60, 200, FRAME + 500, -1])
def test_a_changed_byte_is_noticed(tmp_path: Path, keyring: Keyring, place: int) -> None:
    file = seal([some_bytes(2 * FRAME)], NAME, tmp_path, keyring).file
    raw = bytearray(file.path.read_bytes())
    raw[place] ^= 1
    file.path.write_bytes(raw)
    with pytest.raises(HomewardError, match="damaged, was changed, or was sealed with another key") as raised:
        file.open().read()
    assert "\n" not in str(raised.value)
    assert "Juan" not in str(raised.value)


def test_a_shortened_file_is_noticed_before_its_first_row(tmp_path: Path, keyring: Keyring) -> None:
    file = seal([some_bytes(3 * FRAME)], NAME, tmp_path, keyring).file
    raw = file.path.read_bytes()
    for cut in (len(raw) - (FRAME + TAG), len(raw) - 5, len(raw) - 3 * (FRAME + TAG), 30):
        file.path.write_bytes(raw[:cut])
        with pytest.raises(HomewardError, match="damaged"):
            file.open()


def test_frames_in_another_order_are_noticed(tmp_path: Path, keyring: Keyring) -> None:
    file = seal([some_bytes(3 * FRAME)], NAME, tmp_path, keyring).file
    raw, frame = file.path.read_bytes(), FRAME + TAG
    head, body = raw[: -3 * frame], raw[-3 * frame :]
    file.path.write_bytes(head + body[frame : 2 * frame] + body[:frame] + body[2 * frame :])
    with pytest.raises(HomewardError, match="damaged"):
        file.open().read()


def test_another_key_opens_nothing(tmp_path: Path, keyring: Keyring) -> None:
    sealed = seal([b"abc"], NAME, tmp_path, keyring)
    with pytest.raises(HomewardError, match="sealed with another key"):
        open_sealed(sealed.sha256, tmp_path, Keyring.open(tmp_path / "other")).open()


def test_a_file_that_was_never_sealed_is_unavailable(tmp_path: Path, keyring: Keyring) -> None:
    with pytest.raises(Unavailable, match="missing from the sealed store"):
        open_sealed("0" * 64, tmp_path, keyring)


def test_sealing_again_leaves_one_file(tmp_path: Path, keyring: Keyring) -> None:
    for name in ("a.csv", "b.csv"):
        sealed = seal([b"the same"], name, tmp_path, keyring)
    assert len(list(tmp_path.glob("*.sealed"))) == 1
    assert sealed.file.name == "b.csv"


def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(Unavailable, match="no room left") as raised:
        seal([b"abc"], NAME, tmp_path / "store", keyring)
    assert "Juan" not in str(raised.value)
    assert os.listdir(tmp_path / "store") == []


def test_a_disk_that_fills_up_half_way_leaves_nothing(tmp_path: Path, keyring: Keyring) -> None:
    script = f"""
        import resource, signal, sys
        from pathlib import Path
        from anonymization.keys.ring import Keyring
        from anonymization.vault.store import seal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        keyring = Keyring.open(Path({str(keyring.folder)!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
        try:
            seal([bytes(1 << 20)] * 8, {NAME!r}, Path({str(tmp_path / "store")!r}), keyring)
        except Exception as error:
            sys.exit(f"{{type(error).__name__}}: {{error}}")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.stderr.startswith("Unavailable: the sealed store has no room left")
    assert os.listdir(tmp_path / "store") == []


def test_a_source_that_breaks_off_leaves_nothing(tmp_path: Path, keyring: Keyring) -> None:
    def broken() -> object:
        yield b"x" * FRAME
        raise ConnectionError("the supplier's server went away")

    with pytest.raises(ConnectionError):
        seal(broken(), NAME, tmp_path, keyring)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("*.sealed"))
    assert not list(tmp_path.glob(".sealing-*"))


def test_what_a_killed_process_left_is_swept_after_a_day(tmp_path: Path, keyring: Keyring) -> None:
    old, young = tmp_path / ".sealing-old", tmp_path / ".sealing-young"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    seal([b"abc"], NAME, tmp_path, keyring)
    assert (old.exists(), young.exists()) == (False, True)


def test_reading_keeps_one_frame_in_memory(tmp_path: Path, keyring: Keyring) -> None:
    file = seal((bytes(FRAME) for _ in range(64)), NAME, tmp_path, keyring).file
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with file.open() as opened:
        while opened.read(FRAME):
            pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
