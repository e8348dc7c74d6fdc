"""Uploads that can never be received: moved out of the way of later ones, with the reason beside them.

What was refused stays where only the supplier and whoever keeps the inbox can read it, as it was delivered: it is
neither sealed nor deleted, since it may be all there is of a delivery. Nobody receives it again by itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from assets.workplace import PRIVATE
from codebook.errors import HomewardError, Unavailable

REFUSED = ".refused"
"""The folder of a source's inbox for what was refused; names that begin with a dot are no uploads."""
REASON = ".why.txt"
"""After the name of a refused upload: the file that says why."""


class UploadRefused(HomewardError):
    """This upload can never be received; it lies in the folder `.refused` of its inbox now."""


def set_aside(upload: Path, source: str, error: HomewardError) -> UploadRefused:
    """Move an upload into the folder of what was refused and write down why; the refusal, to be raised or told."""
    folder = upload.parent / REFUSED
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{upload.name}"
    try:
        folder.mkdir(mode=PRIVATE, exist_ok=True)
        (folder / f"{name}{REASON}").write_text(f"{error}\n", encoding="utf-8")
        upload.rename(folder / name)
    except OSError as fault:
        why = os.strerror(fault.errno or 0)
        raise Unavailable(f"a refused upload cannot be moved away: {why}", source, "mend the disk") from None
    mend = "; ".join(part for part in (error.mend, f"it lies in {REFUSED} of the inbox") if part)
    return UploadRefused(error.what, error.where or source, mend)


def holding(inbox: Path, holds: Callable[[BinaryIO], bool]) -> Iterator[Path]:
    """Refused uploads in whose files somebody stands, or that are called after somebody. A link is not followed: what
    it leads to was never delivered."""
    for upload in refused_uploads(inbox):
        inside = upload.rglob("*") if upload.is_dir() and not upload.is_symlink() else ()
        if any(holds(BytesIO(os.fsencode(path.name))) or _in_file(path, holds) for path in (upload, *inside)):
            yield upload


def _in_file(path: Path, holds: Callable[[BinaryIO], bool]) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as opened:
        return holds(opened)


def remove(upload: Path) -> None:
    """The upload, and why it was refused."""
    if upload.is_dir():
        shutil.rmtree(upload)
    else:
        upload.unlink()
    upload.with_name(f"{upload.name}{REASON}").unlink(missing_ok=True)


def refused_uploads(inbox: Path) -> Iterator[Path]:
    """What was refused in an inbox and still lies there."""
    folder = inbox / REFUSED
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if not path.name.endswith(REASON))
