"""Stage 1, received: a complete upload leaves the inbox, sealed into the vault's store, and gets its delivery key.

The order of the steps is what makes it safe to be killed at any point: seal, write the ledger, clear the inbox. Run
again, a step that was done is found done. What a file means is no business of this module.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from anonymization.leaks.guard import no_values
from anonymization.vault.seal_format import SUFFIX, was_shredded
from anonymization.vault.sealed_keys import shred
from anonymization.vault.store import Sealed, SealedFile, seal
from assets.refused_uploads import set_aside
from assets.stages.admit import admit_source, refuse_expired
from assets.workers import LARGE_BYTES
from assets.workplace import PRIVATE, Workplace
from codebook.errors import HomewardError, Refused, Unavailable
from sources.batches import DeliveredFile, ending
from sources.models import FETCHED, Source

if TYPE_CHECKING:
    from warehouse.ledger import Entry

SETTLE_SECONDS = 2.0
"""What is dropped into the inbox is complete when it has not changed for this long (or has a `.done` beside it)."""
COMPLETE = ".complete"
"""In the folder of an upload that `deliver` made: it was put there as a whole."""
TAKEN = ".taken-"
"""Before the name of a folder that was received and is being removed: half of it must not look like an upload."""
DRAFT = ".draft-"
"""Before the name of an upload that `deliver` is writing."""
ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Upload:
    """What a supplier put into the inbox together: a bare file, a folder of files, or a request to read a server."""

    source: str
    path: Path

    def files(self) -> list[Path]:
        """The delivered files, by name."""
        if _kind(self.path) != "folder":
            return [self.path]
        return sorted(p for p in self.path.iterdir() if p.is_file() and not p.name.startswith("."))


@dataclass(frozen=True)
class NumberedFile:
    """A sealed file under a name of ours: the supplier's file name may hold a person's, and stays in the seal."""

    sealed: SealedFile
    number: int

    @property
    def name(self) -> str:
        return f"file {self.number}{ending(self.sealed.name)}"

    @property
    def size(self) -> int:
        return self.sealed.size

    def open(self) -> BinaryIO:
        return self.sealed.open()


@dataclass(frozen=True)
class Delivery:
    """One delivery of one source, known by its key `<received date>-<first 8 of sha256>`."""

    source: Source
    key: str
    sha256: str
    received: date
    files: tuple[DeliveredFile, ...]

    @property
    def id(self) -> str:
        return self.source.source


def deliver(workplace: Workplace, source: Source, files: Sequence[Path]) -> Path:
    """What a supplier does: put `files` into the inbox as one upload, all or nothing. Returns the upload's folder."""
    for file in files:
        if not file.is_file():
            raise HomewardError("there is no such file", where=file.name, mend="give the path of a delivered file")
    names = [file.name for file in files]
    if len(set(names)) != len(names):
        raise HomewardError("two files of one delivery have the same name", where=source.source, mend="rename one")
    inbox = workplace.inbox / source.source
    upload = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}"
    draft, final = inbox / f"{DRAFT}{upload}", inbox / upload
    try:
        draft.mkdir(mode=PRIVATE, parents=True)
        for file in files:
            shutil.copyfile(file, draft / file.name)
        (draft / COMPLETE).touch()
        draft.rename(final)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise Unavailable(
            f"could not write into the inbox: {os.strerror(error.errno or 0)}",
            where=source.source,
            mend="mend the disk and deliver again",
        ) from None
    return final


def waiting(workplace: Workplace, source: str) -> Iterator[Upload]:
    """Complete uploads of `source`, oldest first. What is still being written is left for the next time."""
    inbox = workplace.inbox / source
    if not inbox.is_dir():
        return
    for path in sorted(inbox.iterdir()):
        if path.name.startswith(".") or path.name.endswith(".done"):
            continue
        if _complete(path):
            yield Upload(source, path)


def _refuse_no_files(upload: Path, source: str) -> None:
    """An upload is files: a link could lead to anything on this machine, a folder in it would be cleared unread, and a
    pipe would never end."""
    inside = [path for path in upload.iterdir() if not path.name.startswith(".")] if _kind(upload) == "folder" else []
    for path, is_upload in [(upload, True), *((path, False) for path in inside)]:
        kind = _kind(path)
        if kind != "file" and not (kind == "folder" and is_upload):
            mend = "put the files themselves into the upload"
            # Not by its name: whoever dropped it there may have called it after somebody.
            raise _NoFiles(f"a {kind} lies in the inbox", where=source, mend=mend)


class _NoFiles(HomewardError):
    """An upload that holds something else than files."""


def _kind(path: Path) -> str:
    mode = path.lstat().st_mode
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "symbolic link"}
    return kinds.get(stat.S_IFMT(mode), "device or pipe")


def large_waits(workplace: Workplace, source: str) -> bool:
    """Whether an upload waits that is worth processes of its own."""
    uploads = waiting(workplace, source)
    return any(sum(path.lstat().st_size for path in upload.files()) >= LARGE_BYTES for upload in uploads)


def news_waits(workplace: Workplace, source: Source) -> bool:
    """Whether an upload waits that surely is no delivery that was received before: none of them has its size."""
    return any(not _of_size(workplace, source, upload) for upload in waiting(workplace, source.source))


def settling(workplace: Workplace, source: str) -> int:
    """How many uploads of `source` are in the inbox but not yet known to be complete."""
    inbox = workplace.inbox / source
    if not inbox.is_dir():
        return 0
    uploads = [p for p in inbox.iterdir() if not p.name.startswith(".") and not p.name.endswith(".done")]
    return sum(not _complete(path) for path in uploads)


def _complete(path: Path) -> bool:
    if _kind(path) == "folder":
        files = list(path.iterdir())
        return (path / COMPLETE).exists() or (bool(files) and all(_settled(file) for file in files))
    return path.with_name(path.name + ".done").exists() or _settled(path)


def _settled(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime >= SETTLE_SECONDS


@dataclass(frozen=True)
class Receipt:
    """The answer to an upload: its delivery, and whether the same bytes had been received before."""

    delivery: Delivery
    already_received: bool


def receive(workplace: Workplace, source: Source, upload: Upload, until: float | None = None) -> Receipt | None:
    """Seal the upload's files, enter the delivery into the ledger, clear the inbox; in this order.

    None: another process took the upload in the meantime. UploadRefused: it can never be received, and is out of the
    way. `until`: when (time.monotonic) reading a form's server stops for this time; what was read is kept.
    """
    from warehouse.lock import source_lock

    inbox = f"inbox of {source.source}"
    with no_values(inbox), source_lock(workplace.warehouse, inbox):
        _sweep(workplace.inbox / source.source)
        if not os.path.lexists(upload.path):
            return None
        try:
            _refuse_no_files(upload.path, source.source)
            return _take(workplace, source, upload, until)
        except _NoFiles as error:
            raise set_aside(upload.path, source.source, error) from None
        except Refused as error:
            # A file that is still written to is whole another time; a database or a form stays what it is.
            if source.format.kind not in FETCHED:
                raise
            raise set_aside(upload.path, source.source, error) from None


def _sweep(inbox: Path) -> None:
    """Remove what killed processes left: folders that were being cleared, and uploads that never became whole."""
    for taken in inbox.glob(f"{TAKEN}*"):
        shutil.rmtree(taken)
    for draft in inbox.glob(f"{DRAFT}*"):
        if time.time() - draft.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(draft)


def _take(workplace: Workplace, source: Source, upload: Upload, until: float | None) -> Receipt:
    from warehouse import ledger

    if seen := _seen_before(workplace, source, upload):
        ledger.note(workplace.warehouse, source.source, seen, "already_received")
        _clear(upload)
        return Receipt(find(workplace, source, seen), already_received=True)
    contents = _contents(workplace, source, upload, until)
    sealed: list[Sealed] = [seal(blocks, name, workplace.sealed, workplace.keyring) for name, blocks in contents]
    if any(table.attachments for table in source.tables):
        from assets import sweeps

        sealed += sweeps.attachments(workplace, source, upload.path.name, sealed[0].file)
    sha256 = _identity(workplace, source, _digest([file.sha256 for file in sealed]))
    known = ledger.known(workplace.warehouse, source.source, sha256)
    key = known or f"{datetime.now(UTC):%Y-%m-%d}-{sha256[:8]}"
    if known:
        ledger.note(workplace.warehouse, source.source, key, "already_received")
        _drop_what_was_taken_out(workplace, sealed)
    else:
        ledger.register(
            workplace.warehouse,
            source=source.source,
            delivery=key,
            country=source.country,
            sha256=sha256,
            files=[(file.sha256, file.size) for file in sealed],
        )
    _clear(upload)
    # Pages of a sweep, of this upload or of one that was taken out of the inbox: what was received is sealed elsewhere.
    shutil.rmtree(workplace.sweeps / source.source, ignore_errors=True)
    return Receipt(find(workplace, source, key), already_received=bool(known))


def _seen_before(workplace: Workplace, source: Source, upload: Upload) -> str | None:
    """The delivery whose very bytes these are, told by reading them; they are not sealed a second time.

    A delivery whose sealed files are not all there is received as if it were the first time.
    """
    from warehouse import ledger

    sealed = [entry for entry in _of_size(workplace, source, upload) if _is_sealed(workplace, entry)]
    if not sealed:
        return None
    content = _digest([_sha256(path) for path in upload.files()])
    return ledger.known(workplace.warehouse, source.source, content)


def _of_size(workplace: Workplace, source: Source, upload: Upload) -> list[Entry]:
    """Deliveries of as many bytes as the upload; none for a server, whose bytes are not known before it is read."""
    from warehouse import ledger

    if source.format.kind in FETCHED:
        return []
    size = sum(path.lstat().st_size for path in upload.files())
    return [entry for entry in ledger.deliveries(workplace.warehouse, source=source.source) if entry.size == size]


def _is_sealed(workplace: Workplace, entry: Entry) -> bool:
    return all((workplace.sealed / f"{sha256}{SUFFIX}").is_file() for sha256, _ in entry.files)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _drop_what_was_taken_out(workplace: Workplace, sealed: Sequence[Sealed]) -> None:
    """A file that was cut or destroyed when somebody was erased does not come back with the same bytes."""
    from warehouse import ledger

    for one in sealed:
        if was_shredded(one.file.path) or not ledger.needs(workplace.warehouse, one.sha256):
            shred(one.file.path, leave_word=False)


def find(workplace: Workplace, source: Source, key: str) -> Delivery:
    """The delivery `key` of `source`, with its sealed files opened for reading."""
    from warehouse import ledger

    entry = ledger.delivery(workplace.warehouse, source.source, key)
    if entry is None:
        raise HomewardError(f"no delivery {key}", where=source.source, mend="`homeward status` lists the deliveries")
    files = opened(workplace, source, [sha256 for sha256, _ in entry.files])
    return Delivery(source, key, entry.sha256, date.fromisoformat(key[:10]), tuple(files))


def opened(workplace: Workplace, source: Source, hashes: Sequence[str]) -> Sequence[DeliveredFile]:
    """Sealed files of one delivery of `source`."""
    sealed = [SealedFile(workplace.sealed / f"{sha256}{SUFFIX}", workplace.keyring) for sha256 in hashes]
    # The files of a server are our own, and carry names that we gave them.
    if source.format.kind in FETCHED:
        return sealed
    return [NumberedFile(file, number) for number, file in enumerate(sealed, start=1)]


def _contents(
    workplace: Workplace, source: Source, upload: Upload, until: float | None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Name and blocks of bytes of every file of the upload; a database or a form's server is read now."""
    if source.format.kind in FETCHED:
        admit_source(source)
    still_stands = partial(refuse_expired, source)
    if source.format.kind == "database":
        from assets.credentials import database_url
        from connectors import snapshot

        yield from snapshot(source, database_url(source), still_stands)
    elif source.format.kind == "kobo_server":
        from assets import sweeps
        from assets.credentials import kobo_token
        from connectors import sweep

        pages = sweeps.pages(workplace, source, upload.path.name)
        yield from sweep(source, kobo_token(source), pages, until=until, may_read=still_stands)
    else:
        for path in upload.files():
            yield path.name, _blocks(path)


def _blocks(path: Path, size: int = 4 << 20) -> Iterator[bytes]:
    from connectors.steady import unchanged

    with unchanged(path), path.open("rb") as file:
        while block := file.read(size):
            yield block


def _identity(workplace: Workplace, source: Source, content: str) -> str:
    """The sha256 that a delivery is known by: its content's. A server that is again as it was before its last delivery
    (an edit was taken back) is a new delivery all the same: what it says now is news, though its bytes are not."""
    from warehouse import ledger

    if source.format.kind not in FETCHED:
        return content
    last = next(iter(ledger.deliveries(workplace.warehouse, source=source.source)), None)
    if last is not None and _digest([sha256 for sha256, _ in last.files]) == content:
        return last.sha256
    if last is not None and ledger.known(workplace.warehouse, source.source, content):
        return _digest([content, last.sha256])
    return content


def _digest(hashes: list[str]) -> str:
    """One file is known by its own sha256; a set by the sha256 over its files' sorted hashes."""
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def _clear(upload: Upload) -> None:
    if upload.path.is_dir():
        shutil.rmtree(upload.path.rename(upload.path.with_name(TAKEN + upload.path.name)))
    else:
        upload.path.with_name(upload.path.name + ".done").unlink(missing_ok=True)
        upload.path.unlink(missing_ok=True)
