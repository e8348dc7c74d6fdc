"""Where the root key of an installation comes from: a command, the environment, or a file that only its owner reads.

`HOMEWARD_ROOT_KEY_COMMAND` (a key service: its standard output is the key) goes before `HOMEWARD_ROOT_KEY` (base64),
and that before `keys/root.key`. The key is never shown; its id is, so that a wrong one can be told from the right one.
"""

from __future__ import annotations

import base64
import binascii
import os
import select
import shlex
import signal
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from codebook.errors import HomewardError, Unavailable

ROOT_FILE = "root.key"
ROOT_BYTES = 32
VARIABLE, COMMAND = "HOMEWARD_ROOT_KEY", "HOMEWARD_ROOT_KEY_COMMAND"
NEXT = "_NEXT"
"""Ending of the same two names for the key that a rotation of the root goes over to."""
_WAIT_SECONDS = 60
_LONGEST = 4096
"""Bytes."""


@dataclass(frozen=True)
class Root:
    """A root key and where it came from."""

    key: bytes
    source: str

    @property
    def key_id(self) -> str:
        """Eight hex digits that tell which key this is, and nothing about it."""
        return sha256(b"homeward key id\0" + self.key).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Root({self.key_id}, from {self.source})"


def outside(ending: str = "") -> Root | None:
    """The root key that command or environment give, if one of them is set."""
    if command := os.environ.get(COMMAND + ending):
        return Root(_read(_said_by(command, COMMAND + ending), COMMAND + ending), "command")
    if text := os.environ.get(VARIABLE + ending):
        return Root(_read(text.encode(), VARIABLE + ending), "environment")
    return None


def in_file(folder: Path) -> Root | None:
    """The root key of the file in `folder`, if there is one; refused when others can read it."""
    path = folder / ROOT_FILE
    if not path.exists():
        return None
    refuse_if_others_can_read(folder)
    refuse_if_others_can_read(path)
    _refuse_if_others_can_exchange(path)
    key = path.read_bytes()
    if len(key) != ROOT_BYTES:
        raise HomewardError("the root key is damaged", str(path), "restore it from your backup of the key folder")
    return Root(key, "file")


def make_file(folder: Path) -> None:
    """A new root key in `folder`; of two first runs at once, one key wins and both use it."""
    write_new(folder, ROOT_FILE, os.urandom(ROOT_BYTES))


def write_new(folder: Path, name: str, content: bytes, replace: bool = False) -> None:
    """Write a file of the key folder whole or not at all (0600); what is there stays, unless told to `replace` it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        folder.chmod(0o700)
    temporary = folder / f".{name}.{os.urandom(8).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(folder / name)
            return
        try:
            os.link(temporary, folder / name)  # a link, not a rename: it never replaces what is already there
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)


def refuse_if_others_can_read(path: Path) -> None:
    """HomewardError if group or others have any right on `path`, or it is somebody else's (root reads all anyway)."""
    found = path.stat()
    if found.st_uid not in (os.geteuid(), 0):
        raise HomewardError(
            f"the keys belong to another user of this machine, number {found.st_uid}",
            str(path),
            "run as that user, or make them your own",
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        raise HomewardError(
            f"others on this machine can read the keys, mode is {mode:o}", str(path), f"chmod {wanted} {path}"
        )


def _refuse_if_others_can_exchange(path: Path) -> None:
    """HomewardError if `path` is a link into a folder in which others may put another file in its place."""
    folder = path.resolve().parent
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise HomewardError(
            f"others on this machine can exchange the key that a link leads to, mode is {mode:o}",
            str(folder),
            f"chmod go-w {folder}",
        )


def _said_by(command: str, where: str) -> bytes:
    """Standard output of a command, run without a shell; what it says on its error stream is dropped with the key.
    `where`: the setting that holds it."""
    try:
        service = subprocess.Popen(  # noqa: S603  # the operator's own command, from the environment
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError):
        raise HomewardError("the command for the root key cannot be run", where, "mend the command") from None
    given_up = time.monotonic() + _WAIT_SECONDS
    with service:
        try:
            said = _output(service, given_up)
            code = service.wait(max(0.0, given_up - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            _end(service)
            raise Unavailable("the command for the root key did not answer", where, "see that it is up") from None
        except OverflowError:
            _end(service)
            raise HomewardError(
                "the command for the root key prints far more than a key", where, "mend the command"
            ) from None
        except BaseException:  # the run was cancelled: nobody else would end it, and leaving waits for it
            _end(service)
            raise
    if code:
        raise Unavailable(f"the command for the root key failed, exit {code}", where, "mend it")
    return said


def _output(service: subprocess.Popen[bytes], given_up: float) -> bytes:
    """All that it prints. TimeoutError if that has no end until then: what it started in a session of its own may hold
    its output open for good. OverflowError if it is no key: one that prints for ever would fill the memory."""
    said = b""
    while service.stdout is not None:
        waits = max(0.0, given_up - time.monotonic())
        if not select.select([service.stdout], [], [], waits)[0]:
            raise TimeoutError
        block = os.read(service.stdout.fileno(), _LONGEST)
        if not block:
            break
        said += block
        if len(said) >= _LONGEST:
            raise OverflowError
    return said


def _end(service: subprocess.Popen[bytes]) -> None:
    """With whatever it has started itself, which may hold its output open."""
    with suppress(ProcessLookupError):
        os.killpg(service.pid, signal.SIGKILL)


def _read(said: bytes, where: str) -> bytes:
    """32 bytes as they are, or as base64."""
    if len(said) == ROOT_BYTES:
        return said
    try:
        key = base64.b64decode(said.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != ROOT_BYTES:
        raise HomewardError("this is no root key", where, f"give {ROOT_BYTES} bytes in base64")
    return key
