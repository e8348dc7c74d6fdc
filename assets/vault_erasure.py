"""Erasing people from the whole deployment, with a signed certificate for each of what was removed, and what stays.

The order makes it safe to be killed at any point: first the marks by which the gate holds these people back, and in one
transaction with them what is to be done; then store, warehouse, sealed deliveries and marts, then the vault, last what
its pages keep. Each step is one pass for all of them and can be run again; the next erasure or retention finishes what
was cut off. What a certificate says is the business of `certificates`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from getpass import getuser
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assets import certificates, progress, store_erasure
from assets.certificates import Certificate
from assets.tokens import follow_for
from assets.vault_audit import keep_head
from assets.workplace import Workplace
from codebook.errors import HomewardError
from sources.loader import list_sources, load_source
from sources.models import Source
from warehouse.lock import source_lock

if TYPE_CHECKING:
    from anonymization.vault.erasure import Person
    from anonymization.vault.unfinished import Begun

_LOCK = "vault erase"
"""One erasure at a time: another would take what this one has begun for something cut off."""
Whom = UUID | int
"""A person's token, or the number of an approved request about them."""


@dataclass(frozen=True)
class Asked:
    """An erasure as an officer asks for it, of one person or of several of a country.

    `everywhere`: in other programmes of the country too; None: there is none in which a person is known.
    `keep_raw`: sealed files that cannot be overwritten by row stay until their retention ends.
    """

    whom: Sequence[Whom]
    reason: str
    officer: str | None
    everywhere: bool | None = None
    keep_raw: bool = False


@dataclass(frozen=True)
class _Chosen:
    """Who is to be erased: named by which token, in which request; all their tokens, and for the certificate the
    other programmes that know them."""

    named: UUID
    request: int | None
    country: str
    tokens: tuple[UUID, ...]
    programmes: dict[str, list[str]]


def erase(workplace: Workplace, asked: Asked) -> list[Certificate]:
    """Erase people everywhere; their certificates, one for each.

    What was begun before is finished first; of whom that was, theirs are those certificates.
    """
    from anonymization.vault import erasure

    if not asked.reason.strip():
        raise HomewardError("the erasure has no reason", "--reason", "say why the person is erased")
    before = [one for one in resume(workplace) if _named(workplace, one, asked)]
    known = {whom for one in before for whom in _named(workplace, one, asked)}
    with source_lock(workplace.warehouse, _LOCK):
        people = _chosen(workplace, [whom for whom in asked.whom if whom not in known], asked)
        if not people:
            return before
        _refuse_names(workplace, people, asked.reason)
        with _held(workplace, people[0].country) as sources:
            follow_for(workplace, people[0].country, {token for one in people for token in one.tokens})
            begun = _begin(workplace, sources, people, asked)
            erasure.mark(workplace.vault, begun)
            _remove(workplace, sources, begun)
        return [*before, *_certify(workplace, begun)]


def destroys_whole(workplace: Workplace, whom: Sequence[Whom]) -> list[str]:
    """Sources of which an erasure of these people, of anybody where none is named, may destroy whole sealed files."""
    from anonymization.vault import erasure
    from assets import raw_erasure

    theirs = erasure.countries(workplace.vault, *_by_kind(whom)) if whom else None
    sources = [load_source(name) for name in list_sources()]
    return list(raw_erasure.whole_only(workplace, (s for s in sources if theirs is None or s.country in theirs)))


def undecided(workplace: Workplace, whom: Sequence[Whom]) -> int:
    """Pairs of these people and somebody else of which no officer has decided whether they are one person."""
    from anonymization.vault import erasure

    pairs: int = erasure.undecided(workplace.vault, *_by_kind(whom))
    return pairs


def same_records(workplace: Workplace, whom: Sequence[Whom]) -> list[UUID]:
    """Tokens that stay although a record of these people came under them as well: their rows go by the record's key,
    and who is known by the number that it had then stays in the vault."""
    from anonymization.vault import erasure

    people = erasure.tokens_of(workplace.vault, *_by_kind(whom))
    sources = [load_source(name) for name in list_sources()]
    return [
        token
        for country, tokens in people.items()
        for token in _same_records(workplace, [one for one in sources if one.country == country], country, tokens)
    ]


def _same_records(workplace: Workplace, sources: list[Source], country: str, tokens: set[UUID]) -> list[UUID]:
    from anonymization.vault import erasure

    keys, others = store_erasure.same_records(workplace, sources, {token.bytes for token in tokens})
    left = {UUID(bytes=other) for other in others} - tokens
    known = erasure.known(workplace.vault, left) if left else set()
    return sorted(known.difference(erasure.by_rows(workplace.vault, country, keys)))


def _by_kind(whom: Sequence[Whom]) -> tuple[list[UUID], list[int]]:
    return [one for one in whom if isinstance(one, UUID)], [one for one in whom if isinstance(one, int)]


def _named(workplace: Workplace, certificate: Certificate, asked: Asked) -> set[Whom]:
    """By what of `asked` the person of a certificate is named."""
    pseudonyms: dict[Any, Whom] = {
        certificates.pseudonym(workplace.keyring, one) if isinstance(one, UUID) else one: one for one in asked.whom
    }
    return {pseudonyms[name] for name in (certificate[1]["person"], certificate[1]["request"]) if name in pseudonyms}


def _chosen(workplace: Workplace, whom: Sequence[Whom], asked: Asked) -> list[_Chosen]:
    """Everybody once, however often and by which of their tokens they are named."""
    from anonymization.vault import erasure, requests

    named = [
        (one, None) if isinstance(one, UUID) else (requests.standing(workplace.vault, one, asked.officer).token, one)
        for one in whom
    ]
    found = [erasure.find(workplace.vault, token) for token, _ in named]
    if len({person.country for person in found}) > 1:
        raise HomewardError("they are of several countries", "homeward vault erase", "erase each country's by itself")
    all_tokens = {token for person in found for token in person.tokens}
    people: list[_Chosen] = []
    for (token, request), person in zip(named, found, strict=True):
        if not any(token in one.tokens for one in people):
            tokens, programmes = _with_programmes(workplace, person, asked.everywhere, all_tokens)
            people.append(_Chosen(token, request, person.country, tokens, programmes))
    return people


def _with_programmes(
    workplace: Workplace, person: Person, everywhere: bool | None, chosen: set[UUID]
) -> tuple[tuple[UUID, ...], dict[str, list[str]]]:
    """Tokens to erase, and for the certificate the other programmes that know the person; `chosen`: erased anyway.
    HomewardError if there is one and the officer did not say what is to become of it: once the person is erased here,
    nobody can tell any more."""
    from anonymization.vault.elsewhere import elsewhere

    others = {
        programme: left
        for programme, tokens in elsewhere(workplace.vault, person.country, person.tokens).items()
        if (left := set(tokens) - chosen)
    }
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


def _refuse_names(workplace: Workplace, people: Sequence[_Chosen], reason: str) -> None:
    """The reason stands in certificates, which are kept: it names nobody."""
    from anonymization.vault.wording import refuse_people

    with workplace.vault.transaction() as cursor:
        keys = workplace.vault.keys_of(cursor, people[0].country)
        refuse_people(cursor, keys, [token for one in people for token in one.tokens], reason, "--reason")


def _begin(workplace: Workplace, sources: list[Source], people: Sequence[_Chosen], asked: Asked) -> list[Begun]:
    """What is to be done, before anything is."""
    from anonymization.vault import erasure
    from anonymization.vault.unfinished import Begun

    begun = []
    found = store_erasure.find(workplace, sources, [one.tokens for one in people])
    beside = _same_records(workplace, sources, people[0].country, {token for one in people for token in one.tokens})
    for one, rows in zip(people, found, strict=True):
        who = certificates.pseudonym(workplace.keyring, one.named)
        tokens = tuple(sorted({*one.tokens, *erasure.by_rows(workplace.vault, one.country, rows.keys)}))
        said = {
            "person": who,
            "reason": " ".join(asked.reason.split()),
            "request": one.request,
            "officer": asked.officer,
            "login": getuser(),
            "keep_raw": asked.keep_raw,
            "persons_together": len(people),
            "other_tokens": [certificates.pseudonym(workplace.keyring, t) for t in tokens if t != one.named],
            **one.programmes,
        }
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{who[:12]}"
        done = {"interrupted": 0, "sealed": [], "same_records": len(beside)}
        begun.append(Begun(name, one.country, tokens, frozenset(rows.keys), rows.rows, said, done))
    return begun


def resume(workplace: Workplace) -> list[Certificate]:
    """Finish the erasures that were begun and have no certificate; their certificates."""
    from anonymization.vault import unfinished

    if not unfinished.begun_at(workplace.vault):
        return []
    with source_lock(workplace.warehouse, _LOCK):  # one that is going on in another process is waited for
        begun = unfinished.erasures(workplace.vault)
        for one in begun:
            one.done["interrupted"] += 1
        unfinished.keep(workplace.vault, begun)
        for country in sorted({one.country for one in begun if not one.shredded}):
            with _held(workplace, country) as sources:
                left = [one for one in begun if one.country == country and not one.shredded]
                _remove(workplace, sources, left)
        return _certify(workplace, begun)


@contextmanager
def _held(workplace: Workplace, country: str) -> Iterator[list[Source]]:
    """All sources of the country, none of which is being worked on."""
    everywhere = [load_source(name) for name in list_sources()]
    sources = sorted((one for one in everywhere if one.country == country), key=lambda one: one.source)
    with source_lock(workplace.warehouse, *(source.source for source in sources)):
        yield sources


def _remove(workplace: Workplace, sources: list[Source], begun: Sequence[Begun]) -> None:
    """From store, warehouse, sealed deliveries and marts, and at last from the vault; repeatable up to that.

    What a run before had removed is not found again: its counts are added up.
    """
    from anonymization.vault import erasure, unfinished
    from assets.freed_pages import overwrite
    from warehouse import erasure as in_warehouse

    country, vault = begun[0].country, workplace.vault
    _count(begun, "store", store_erasure.rewrite(workplace, sources, begun))
    unfinished.keep(vault, begun)
    people = [in_warehouse.Person(one.tokens, one.rows) for one in begun]
    gone = in_warehouse.erase(workplace.warehouse, country, people, partial(store_erasure.told, workplace))
    _count(begun, "warehouse", gone.rows)
    unfinished.keep(vault, begun)
    _treat_sealed(workplace, sources, begun)
    progress.report("marts", 0)
    _refresh_marts(workplace, begun, gone.others)
    # Before the vault forgets the tokens: by them can be found what is still to be done.
    pages = asdict(overwrite(workplace.warehouse_url, in_warehouse.tables(workplace.warehouse, country)))
    for one in begun:
        one.done["pages"] = pages
    erasure.shred(vault, country, begun)


def _refresh_marts(workplace: Workplace, begun: Sequence[Begun], others: bool) -> None:
    """What these people's rows were counted in; all, where more than that may have changed."""
    from assets.stages.marts import refresh_marts
    from codebook.loader import load_codebook
    from warehouse import marts

    cut_off = any(one.done["interrupted"] for one in begun)  # rows may be gone of which nobody has written down whose
    if others or cut_off or not marts.are_of(workplace.warehouse, load_codebook()):
        refresh_marts(workplace, [load_source(name) for name in list_sources()])
        return
    tables = {table for one in begun for table, rows in one.done["warehouse"].items() if rows}
    entities = {table.removeprefix("core.") for table in tables}
    marts.refresh_country(workplace.warehouse, load_codebook(), begun[0].country, entities)


def _count(begun: Sequence[Begun], where: str, gone: Sequence[dict[str, int]]) -> None:
    for one, now in zip(begun, gone, strict=True):
        before = one.done.get(where, {})
        one.done[where] = {name: before.get(name, 0) + now.get(name, 0) for name in before | now}


def _certify(workplace: Workplace, begun: Sequence[Begun]) -> list[Certificate]:
    """Clear the vault's freed pages and write the certificates; repeatable."""
    from anonymization.vault import erasure, unfinished
    from assets import raw_erasure
    from assets.freed_pages import overwrite

    keep_head(workplace)
    pages = overwrite(workplace.vault_url, erasure.tables(workplace.vault))
    written, unsearched = [], len(raw_erasure.of_no_delivery(workplace))
    for one in begun:
        written.append(certificates.certify(workplace, one, pages, unsearched))
        unfinished.end(workplace.vault, one)
    return written


def _treat_sealed(workplace: Workplace, sources: list[Source], begun: Sequence[Begun]) -> None:
    """Sealed deliveries that somebody was in, or that cannot be searched; what is done is written down first."""
    from anonymization.leaks.unreadable import Wanted
    from anonymization.vault import unfinished
    from assets import raw_erasure, refused_uploads
    from assets.vault_retention import kept_until

    lines: dict[tuple[str, str], dict[str, Any]] = {
        (line["source"], line["delivery"]): line for one in begun for line in one.done["sealed"]
    }
    for line in lines.values():
        raw_erasure.finish(workplace, line["done"], line["files"])

    def write_down(line: dict[str, Any]) -> None:
        where = (line["source"], line["delivery"])
        lines.pop(where, None)
        lines[where] = line
        for one in begun:
            one.done["sealed"] = list(lines.values())
        unfinished.keep(workplace.vault, begun)

    keep_raw = any(one.asked["keep_raw"] for one in begun)
    tokens = [token for one in begun for token in one.tokens]
    wanted = Wanted(workplace.vault, begun[0].country, sources, tokens)
    for source in sources:
        shutil.rmtree(workplace.sweeps / source.source, ignore_errors=True)  # a server is asked again from the start

        def announce(treated: raw_erasure.Treated, source: Source = source) -> None:
            line = {"source": treated.source, "delivery": treated.delivery, "rows": treated.rows, "done": treated.done}
            if treated.done in (raw_erasure.KEPT, raw_erasure.NOT_SEARCHED):
                line["kept_until"] = kept_until(source, treated.entry.received_at.date()).isoformat()
            write_down({**line, "files": list(treated.files)})

        known = {delivery for one in begun for name, delivery in one.rows if name == source.source}
        raw_erasure.treat(workplace, source, known, raw_erasure.Manner(keep_raw, announce, wanted.stand_in))
        for upload in refused_uploads.holding(workplace.inbox / source.source, wanted.stand_in):
            # Not by its name: whoever dropped it there may have called it after somebody.
            done = raw_erasure.KEPT if keep_raw else raw_erasure.DESTROYED
            write_down({"source": source.source, "delivery": "a refused upload", "rows": 0, "done": done, "files": []})
            if not keep_raw:
                refused_uploads.remove(upload)
