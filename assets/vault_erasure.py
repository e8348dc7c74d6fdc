"""Erasing a person from the whole deployment, with a signed certificate of what was removed where, and what stays.

The order makes it safe to be killed at any point: first the marks by which the gate holds the person back, and in one
transaction with them what is to be done; then store, warehouse, sealed deliveries and marts, then the vault, last what
its pages keep. Every step can be run again, and the next erasure or retention finishes what was cut off.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assets import certificates, progress, store_erasure
from assets.tokens import follow_tokens
from assets.vault_audit import keep_head
from assets.workplace import Workplace
from codebook.errors import HomewardError
from sources.loader import list_sources, load_source
from sources.models import Source
from warehouse.lock import source_lock

if TYPE_CHECKING:
    from anonymization.vault.erasure import Person
    from anonymization.vault.unfinished import Begun
    from assets.freed_pages import Overwritten

_LOCK = "vault erase"
"""One erasure at a time: another would take what this one has begun for something cut off."""
_REMAINS = (
    "keyed hashes of the person's identifiers and row keys, by which their rows are held back from now on",
    "row numbers and rule ids in findings and marked returns, which hold no value",
    "aggregates that passed disclosure control before",
    "backups from before this day, and what a disk keeps of removed files, until they are replaced",
)


@dataclass(frozen=True)
class Asked:
    """An erasure as an officer asks for it: of the person behind `token`, or of an approved `request`.

    `everywhere`: in other programmes of the country too; None: there is none in which the person is known.
    `keep_raw`: sealed files that cannot be overwritten by row stay until their retention ends.
    """

    reason: str
    officer: str | None
    token: UUID | None = None
    request: int | None = None
    everywhere: bool | None = None
    keep_raw: bool = False


def erase(workplace: Workplace, asked: Asked) -> tuple[Path, dict[str, Any]]:
    """Erase a person everywhere; the certificate's file and what it says.

    What was begun before is finished first; if that was this person, theirs is the certificate.
    """
    from anonymization.vault import erasure, requests

    if not asked.reason.strip():
        raise HomewardError("the erasure has no reason", "--reason", "say why the person is erased")
    for path, said in resume(workplace):
        mine = asked.token is not None and said["person"] == certificates.pseudonym(workplace.keyring, asked.token)
        if mine or (asked.request is not None and said["request"] == asked.request):
            return path, said
    whose = asked.token or requests.standing(workplace.vault, asked.request or 0).token
    with source_lock(workplace.warehouse, _LOCK):
        person = erasure.find(workplace.vault, whose)
        with _held(workplace, person.country) as sources:
            follow_tokens(workplace, person.country)
            begun = _begin(workplace, sources, person, whose, asked)
            erasure.mark(workplace.vault, begun)
            _remove(workplace, sources, begun)
        return _certify(workplace, begun)


def _begin(workplace: Workplace, sources: list[Source], person: Person, whose: UUID, asked: Asked) -> Begun:
    """What is to be done, before anything is."""
    from anonymization.vault.unfinished import Begun

    tokens, programmes = _with_programmes(workplace, person, asked.everywhere)
    found = store_erasure.find(workplace, sources, tokens)
    who = certificates.pseudonym(workplace.keyring, whose)
    said = {
        "person": who,
        "reason": " ".join(asked.reason.split()),
        "request": asked.request,
        "officer": asked.officer,
        "login": getuser(),
        "keep_raw": asked.keep_raw,
        **programmes,
    }
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{who[:12]}"
    keys = frozenset(found.keys)
    return Begun(name, person.country, tokens, keys, found.rows, said, {"interrupted": 0, "sealed": []})


def _with_programmes(
    workplace: Workplace, person: Person, everywhere: bool | None
) -> tuple[tuple[UUID, ...], dict[str, list[str]]]:
    """Tokens to erase, and for the certificate the other programmes that know the person. HomewardError if there is one
    and the officer did not say what is to become of it: once the person is erased here, nobody can tell any more."""
    from anonymization.vault.elsewhere import elsewhere

    others = elsewhere(workplace.vault, person.country, person.tokens)
    names = [name or "the common one" for name in others]
    if others and everywhere is None:
        raise HomewardError(
            f"the person is known in another programme as well: {', '.join(names)}",
            "homeward vault erase",
            "--everywhere erases there too, --only-here leaves it",
        )
    if not everywhere:
        return person.tokens, {"programmes_left": names}
    return tuple(sorted({*person.tokens, *(t for tokens in others.values() for t in tokens)})), {"programmes": names}


def resume(workplace: Workplace) -> list[tuple[Path, dict[str, Any]]]:
    """Finish the erasures that were begun and have no certificate; their certificates."""
    from anonymization.vault import unfinished

    if not unfinished.begun_at(workplace.vault):
        return []
    finished = []
    with source_lock(workplace.warehouse, _LOCK):  # one that is going on in another process is waited for
        for begun in unfinished.erasures(workplace.vault):
            begun.done["interrupted"] += 1
            unfinished.keep(workplace.vault, begun)
            if not begun.shredded:
                with _held(workplace, begun.country) as sources:
                    _remove(workplace, sources, begun)
            finished.append(_certify(workplace, begun))
    return finished


@contextmanager
def _held(workplace: Workplace, country: str) -> Iterator[list[Source]]:
    """All sources of the country, none of which is being worked on."""
    everywhere = [load_source(name) for name in list_sources()]
    sources = sorted((one for one in everywhere if one.country == country), key=lambda one: one.source)
    with ExitStack() as held:
        for source in sources:
            held.enter_context(source_lock(workplace.warehouse, source.source))
        yield sources


def _remove(workplace: Workplace, sources: list[Source], begun: Begun) -> None:
    """From store, warehouse, sealed deliveries and marts, and at last from the vault; repeatable up to that.

    What a run before had removed is not found again: its counts are added up.
    """
    from anonymization.vault import erasure, unfinished
    from assets.freed_pages import overwrite
    from assets.stages.marts import refresh_marts
    from warehouse import erasure as in_warehouse

    done = begun.done
    done["store"] = _sum(done.get("store", {}), store_erasure.rewrite(workplace, sources, begun))
    unfinished.keep(workplace.vault, begun)
    gone = in_warehouse.erase(workplace.warehouse, begun.country, begun.tokens, begun.rows)
    done["warehouse"] = _sum(done.get("warehouse", {}), gone)
    unfinished.keep(workplace.vault, begun)
    _treat_sealed(workplace, sources, begun)
    progress.report("marts", 0)
    refresh_marts(workplace, [load_source(name) for name in list_sources()])
    # Before the vault forgets the token: by it can be found what is still to be done.
    done["pages"] = asdict(overwrite(workplace.warehouse_url, in_warehouse.tables(workplace.warehouse, begun.country)))
    erasure.shred(workplace.vault, begun)


def _certify(workplace: Workplace, begun: Begun) -> tuple[Path, dict[str, Any]]:
    """Clear the vault's freed pages and write the certificate; repeatable."""
    from anonymization.vault import erasure, unfinished
    from assets.freed_pages import Overwritten, overwrite

    keep_head(workplace)
    done, asked = begun.done, dict(begun.asked)
    del asked["keep_raw"]
    pages = [Overwritten(**done["pages"]), overwrite(workplace.vault_url, erasure.tables(workplace.vault))]
    sealed = [{name: fact for name, fact in line.items() if name != "files"} for line in done["sealed"]]
    said = {
        "certificate": begun.certificate,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "country": begun.country,
        **asked,
        "interrupted": done["interrupted"],
        "removed": {name: done[name] for name in ("vault", "warehouse", "store", "markers_set")},
        "sealed_deliveries": sealed,
        "overwritten": _overwritten(pages),
        "remains": [*_REMAINS, *_not_overwritten(pages)],
    }
    written = certificates.write(workplace, said)
    unfinished.end(workplace.vault, begun)
    return written


def _sum(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    return {name: before.get(name, 0) + now.get(name, 0) for name in before | now}


def _treat_sealed(workplace: Workplace, sources: list[Source], begun: Begun) -> None:
    """Sealed deliveries that the person was in, or that cannot be searched; what is done is written down first."""
    from anonymization.vault import unfinished
    from assets import raw_erasure
    from assets.vault_retention import kept_until

    lines: list[dict[str, Any]] = begun.done["sealed"]
    for line in lines:
        raw_erasure.finish(workplace, line["done"], line["files"])
    for source in sources:
        shutil.rmtree(workplace.sweeps / source.source, ignore_errors=True)  # a server is asked again from the start

        def announce(one: raw_erasure.Treated, source: Source = source) -> None:
            line = {"source": one.source, "delivery": one.delivery, "rows": one.rows, "done": one.done}
            if one.done in (raw_erasure.KEPT, raw_erasure.NOT_SEARCHED):
                line["kept_until"] = kept_until(source, one.entry.received_at.date()).isoformat()
            lines[:] = [old for old in lines if (old["source"], old["delivery"]) != (one.source, one.delivery)]
            lines.append({**line, "files": list(one.files)})
            unfinished.keep(workplace.vault, begun)

        known = [delivery for name, delivery in begun.rows if name == source.source]
        raw_erasure.treat(workplace, source, known, bool(begun.asked["keep_raw"]), announce)


def _overwritten(pages: list[Overwritten]) -> dict[str, Any]:
    return {"tables": sum(one.tables for one in pages), "log": all(one.log for one in pages)}


def _not_overwritten(pages: list[Overwritten]) -> list[str]:
    """What the login was not allowed to clear, or what readers held, for whoever may."""
    told = [f"freed pages of {table}: VACUUM (FULL) is needed" for one in pages for table in one.left]
    if not all(one.log for one in pages):
        told.append("the server's log of transactions, until its segments are written over")
    return told
