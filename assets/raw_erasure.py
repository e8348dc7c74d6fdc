"""Sealed deliveries without the rows of people who were erased.

Where the format lets a row be overwritten in place, the delivery is sealed anew without the rows, read back and
compared, and the old file's key destroyed, and those of attachments that only such rows have; the delivery keeps its
key and checksum. Where it does not, the sealed file is destroyed, unless the officer keeps it. What is about to be done
is announced first, so that it can be finished if the process is killed in it. Warehouse and store are not its business
(`vault_erasure`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assets import intake, progress
from assets.intake import Delivery
from assets.workplace import Workplace
from codebook.errors import HomewardError
from sources.batches import DeliveredFile
from sources.models import Source

if TYPE_CHECKING:
    from warehouse.ledger import Entry

CUT, DESTROYED, KEPT, NOT_SEARCHED = "rows overwritten", "destroyed", "kept", "cannot be read, kept"
Rows = dict[str, list[int]]


@dataclass(frozen=True)
class Treated:
    """What is done to the sealed files of one delivery; `rows`: how many in it were of people who were erased, `files`:
    those that go, by their checksum."""

    source: str
    delivery: str
    done: str
    rows: int
    entry: Entry
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manner:
    """How deliveries are treated. `keep`: what cannot be overwritten by row stays as it is, until its retention ends;
    `announce` writes down what is done to a delivery, before it is done; `holds`: whether somebody who is erased stands
    in a file that cannot be read as tables."""

    keep: bool
    announce: Callable[[Treated], None]
    holds: Callable[[BinaryIO], bool]


def treat(workplace: Workplace, source: Source, known: Collection[str], manner: Manner) -> None:
    """Every delivery of the source; `known`: keys of those in which rows of the erased were found in the store."""
    from warehouse import ledger

    for number, entry in enumerate(ledger.deliveries(workplace.warehouse, source=source.source), start=1):
        _treat(workplace, source, entry, entry.delivery_id in known, manner)
        progress.report("sealed deliveries", number)


def whole_only(workplace: Workplace, sources: Iterable[Source]) -> Iterator[str]:
    """Those that have sealed deliveries of which no row can be overwritten: where somebody stands who is erased, the
    rows of all others go from there with theirs."""
    from connectors import NOT_BY_ROW
    from warehouse import ledger

    for source in sources:
        if source.format.kind in NOT_BY_ROW:
            entries = ledger.deliveries(workplace.warehouse, source=source.source, last=None)
            if any(path.exists() for entry in entries for path in _paths(workplace, entry.files)):
                yield source.source


def finish(workplace: Workplace, done: str, files: Sequence[str]) -> None:
    """What was announced, and perhaps cut off: the files go that were to go. Repeatable."""
    from anonymization.vault.sealed_keys import shred
    from warehouse import ledger

    for path, sha256 in zip(_paths(workplace, [(one, 0) for one in files]), files, strict=True):
        # A file that its delivery still needs was not replaced: the delivery is found again, and cut again.
        if done == DESTROYED or not ledger.needs(workplace.warehouse, sha256):
            shred(path, leave_word=done == DESTROYED)


def of_no_delivery(workplace: Workplace) -> list[Path]:
    """Sealed files that no delivery is made of: a crash left them, or they were restored without the warehouse. One
    may have become a delivery's since."""
    from anonymization.vault.seal_format import SUFFIX
    from warehouse import ledger

    there = sorted(workplace.sealed.glob(f"*{SUFFIX}"))
    known = ledger.sealed_files(workplace.warehouse)
    return [path for path in there if path.name.removesuffix(SUFFIX) not in known]


def cut_out(workplace: Workplace, delivery: Delivery) -> None:
    """A delivery that has just brought somebody erased again: their rows go, if its files can be overwritten by row."""
    from warehouse import ledger

    entry = ledger.delivery(workplace.warehouse, delivery.id, delivery.key)
    if entry is not None:
        # Cut off, it leaves a file that no delivery needs: retention removes it (`vault_retention`).
        by_row_only = Manner(keep=True, announce=lambda _: None, holds=lambda _: False)
        _treat(workplace, delivery.source, entry, known=True, manner=by_row_only)


def _treat(workplace: Workplace, source: Source, entry: Entry, known: bool, manner: Manner) -> None:
    if not all(path.exists() for path in _paths(workplace, entry.files)):
        return  # past its retention, or destroyed before
    delivery, found = intake.find(workplace, source, entry.delivery_id), _Found({}, set())

    def tell(done: str, places: Iterable[int] = ()) -> None:
        rows, files = sum(map(len, found.rows.values())), tuple(entry.files[place][0] for place in places)
        manner.announce(Treated(source.source, entry.delivery_id, done, rows, entry, files))

    try:
        found = _look(workplace, delivery)
        if not found.rows or _cut(workplace, delivery, entry, found.rows, partial(tell, CUT)):
            return
    except HomewardError:  # no such file as the source declares: refused when it came, or declared otherwise by now
        if not known:
            found = _Found({}, set(_holding(delivery.files, manner)))
            if not found.places:
                tell(NOT_SEARCHED)
                return
    if manner.keep:
        tell(KEPT)
        return
    # The files that hold the rows; where that is not known, all, since each may.
    places = sorted(found.places) or range(len(entry.files))
    tell(DESTROYED, places)
    _destroy(workplace, entry, places)


def _holding(files: Sequence[DeliveredFile], manner: Manner) -> Iterator[int]:
    """Places of the files in which somebody stands, or whose supplier called them after somebody."""
    for place, file in enumerate(files):
        called = file.sealed.name if isinstance(file, intake.NumberedFile) else file.name
        with file.open() as opened:
            if manner.holds(opened) or manner.holds(BytesIO(called.encode())):
                yield place


@dataclass(frozen=True)
class _Found:
    """Rows of people who were erased, and the places of the files that they lie in."""

    rows: Rows
    places: set[int]


def _look(workplace: Workplace, delivery: Delivery) -> _Found:
    import connectors
    from anonymization.erased_rows import ErasedRows

    opened, erased = (
        connectors.open_delivery(delivery.files, delivery.source),
        ErasedRows(delivery.source, workplace.vault),
    )
    rows: Rows = {}
    for table in opened.tables:
        for batch in opened.batches(table):
            if found := erased.in_batch(batch).to_pylist():
                rows.setdefault(table, []).extend(found)
    return _Found(rows, connectors.files_of(delivery.files, delivery.source, rows))


def _cut(
    workplace: Workplace, delivery: Delivery, entry: Entry, rows: Rows, tell: Callable[[Iterable[int]], None]
) -> bool:
    """Seal the files anew without the rows; False if they cannot be overwritten so that all others read as before."""
    import connectors
    from anonymization.vault.sealed_keys import shred
    from anonymization.vault.store import seal
    from warehouse import ledger

    made = connectors.without_rows(delivery.files, delivery.source, rows)
    if made is None:
        return False
    old, files = _paths(workplace, entry.files), list(entry.files)
    for place, blocks in made.items():
        # By its number: what the supplier called it may be the name of who is erased.
        sealed = seal(blocks, delivery.files[place].name, workplace.sealed, workplace.keyring)
        files[place] = (sealed.sha256, sealed.size)
    attached = connectors.attached_to(delivery.files, delivery.source, rows)
    new = intake.opened(workplace, delivery.source, [sha256 for sha256, _ in files])
    if not connectors.same_but_for(delivery.files, new, delivery.source, rows):
        for place in made:
            shred(_paths(workplace, files)[place], leave_word=False)
        return False
    gone = [*made, *(place for place, (sha256, _) in enumerate(entry.files) if sha256 in attached)]
    files = [file for file in files if file[0] not in attached]
    tell(gone)
    ledger.replace_files(workplace.warehouse, delivery.id, delivery.key, files, "rows_overwritten")
    for place in gone:
        if not ledger.needs(workplace.warehouse, entry.files[place][0]):
            shred(old[place], leave_word=False)
    return True


def _destroy(workplace: Workplace, entry: Entry, places: Sequence[int]) -> None:
    from anonymization.vault.sealed_keys import shred
    from warehouse import ledger

    ledger.note(workplace.warehouse, entry.source_id, entry.delivery_id, "file_destroyed")
    paths = _paths(workplace, entry.files)
    for place in places:
        shred(paths[place], leave_word=True)


def _paths(workplace: Workplace, files: Sequence[tuple[str, int]]) -> list[Path]:
    from anonymization.vault.seal_format import SUFFIX

    return [workplace.sealed / f"{sha256}{SUFFIX}" for sha256, _ in files]
