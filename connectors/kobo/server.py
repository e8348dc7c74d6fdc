"""A form on a KoboToolbox server: one sweep over all its submissions, as the files of a delivery.

The API has no modified timestamp and deletions leave no trace (formats.md 1.2), so every delivery is a full sweep: what
was edited, validated or deleted is found by comparing it with the one before, as for any snapshot. The files hold what
the source declares and nothing that changes by itself, in order of `_id`: an unchanged form makes the same bytes.
Attachments that the source declares are fetched with their page.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from codebook.errors import HomewardError, Unavailable
from connectors.kobo.api import Patience, Server
from connectors.kobo.attachments import Attachments, fetch
from connectors.kobo.sealed import FORM, SUBMISSIONS
from connectors.kobo.submissions import Flattening, canonical, homes, questions, types_of
from sources.models import KoboServerFormat, Source

MOST_VERSIONS = 30
"""Former versions of a form whose questions are compared with the deployed one's."""
MOST_SWEEPS = 4
"""A sweep during which submissions are deleted begins again, so many times in all."""
_MOST_PAGES = 1_000_000
BRIEF: Mapping[str, Any] = {"attempts": 1, "longest_pause": 5.0, "answer": 10.0}
"""How patient a sweep is that must stop soon: what does not come now is asked for the next time."""


class Kept(Protocol):
    """Where the pages of a sweep are kept until it is whole, in order; they outlive the process and hold answers."""

    @property
    def attachments(self) -> Attachments: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def add(self, page: bytes) -> None: ...

    def clear(self) -> None: ...


class Unfinished(Unavailable):
    """The time for a sweep is over before it is whole; what came is kept, and the next one goes on from there."""


class _Changed(Exception):
    """The submissions are no longer those that the sweep began with."""


def sweep(
    source: Source,
    token: str,
    kept: Kept,
    patience: Patience | None = None,
    until: float | None = None,
    may_read: Callable[[], None] = lambda: None,
) -> list[tuple[str, Iterator[bytes]]]:
    """File names and bytes of a delivery, after a whole sweep into `kept`; pages that are there already are not asked
    for again. `until`: when (time.monotonic) to stop for this time, with Unfinished. `may_read` is asked before each
    request and after its answer; what it raises ends the sweep.

    Unavailable if the server does not serve (what came is kept), HomewardError if it refuses.
    """
    declared = source.format
    if not isinstance(declared, KoboServerFormat):
        raise TypeError(declared.kind)
    server = Server(declared, token, patience or (Patience() if until is None else Patience(**BRIEF)), may_read)
    try:
        form = _form(server)
        for _ in range(MOST_SWEEPS):
            try:
                _sweep(server, partial(Flattening, source, homes(form["content"], source)), kept, until)
                break
            except _Changed:
                kept.clear()
        else:
            raise Unavailable(
                f"submissions were deleted, or pages came short or unsorted, during each of {MOST_SWEEPS} sweeps",
                source.source,
                "run again when nobody works on the form",
            )
        if _deployed(server) != form["deployed_version"]:
            # A version that was deployed meanwhile has submissions in the last pages.
            form = _form(server)
    finally:
        server.close()
    return [(SUBMISSIONS, _lines(kept)), (FORM, _form_file(source, form, kept))]


def _form(server: Server) -> dict[str, Any]:
    """What the deployed form asks, and which versions of it were deployed. Drafts change nothing, and of the asset no
    more is taken: it names people."""
    deployed = _deployed(server)
    content = server.get(f"versions/{deployed}/").get("content")
    if not isinstance(content, dict) or not isinstance(content.get("survey"), list):
        raise HomewardError("the deployed version has no form", "format.asset", "is this a survey?")
    versions = _versions(server)
    changes, unread = _type_changes(server, content, [one["uid"] for one in versions if one["uid"] != deployed])
    return {
        "type_changes": changes,
        "versions_not_read": unread,
        "content": {name: content.get(name) for name in ("survey", "choices", "settings", "translations")},
        "deployed_version": deployed,
        "versions": versions,
    }


def _versions(server: Server) -> list[dict[str, Any]]:
    """The deployed versions, newest first. Pages that bring nothing new are not followed any further."""
    versions: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    query: dict[str, str] | None = {"limit": "100"}
    while query is not None:
        page = server.get("versions/", query)
        found = {str(one.get("uid")): one for one in _results(page)}
        for uid, one in found.items():
            if uid.isalnum() and one.get("date_deployed"):
                told = {name: one.get(name) for name in ("uid", "date_deployed", "content_hash")}
                versions.setdefault(uid, told)
        query = _next(page) if found.keys() - seen else None
        seen |= found.keys()
    return list(versions.values())


def _deployed(server: Server) -> str:
    """The uid of the version that is asked now."""
    deployed = server.get("").get("deployed_version_id")
    if not isinstance(deployed, str) or not deployed.isalnum():
        raise HomewardError("the asset is not a deployed form", "format.asset", "give the uid of a deployed survey")
    return deployed


def _type_changes(server: Server, newest: Mapping[str, Any], former: Sequence[str]) -> tuple[list[str], list[str]]:
    """What questions came, went, or became of another type between versions (`former`: newest first), as `<path>:
    <type> -> <type>`, oldest first; and versions that the server no longer shows, or that are too many to be asked for.
    """
    after, changes, unread = types_of(newest), list[str](), list(former[MOST_VERSIONS:])
    for uid in former[:MOST_VERSIONS]:
        try:
            content = server.get(f"versions/{uid}/").get("content")
        except Unavailable:
            raise
        except HomewardError:
            unread.append(uid)
            continue
        before = types_of(content if isinstance(content, dict) else {})
        paths = [path for path in (before | after) if before.get(path) != after.get(path)]
        changes += [f"{path}: {before.get(path, 'new')} -> {after.get(path, 'gone')}" for path in reversed(paths)]
        after = before
    return list(reversed(changes)), unread


def _sweep(server: Server, flattened: Callable[[], Flattening], kept: Kept, until: float | None) -> None:
    """Fetch the pages that are missing. Every page is flattened to what is declared before it is kept.

    The sweep is bounded by the newest `_id` at its beginning: submissions that come in meanwhile belong to the next.
    """
    state = _last_state(kept)
    if state is None:
        page = server.get("data/", {"limit": "1", "start": "0", "sort": '{"_id":-1}', "fields": '["_id"]'})
        newest = _results(page)
        last_id = _id(newest[0]) if newest else 0
        # As many as there are now: a server that does not sort would show one of its oldest as the newest.
        state = {"count": _count(page), "had": 0, "last": -1, "next": _first(server.declared, last_id)}
    for _ in range(_MOST_PAGES):
        if state["next"] is None:
            break
        so_far = f"{state['had']} of {state['count']} submissions are kept"
        flattening = flattened()
        _stop_at(until, so_far, flattening.source)
        page = server.get("data/", state["next"])
        found, count = _results(page), _count(page)
        if count != state["count"]:
            raise _Changed
        last = state["last"]
        for submission in found:
            if _id(submission) <= last:
                raise _Changed
            last = _id(submission)
        rows = []
        for submission in found:
            rows.append(flattening.tables(submission))
            for attached in flattening.attached:
                _stop_at(until, so_far, flattening.source)
                fetch(server, submission, attached, kept.attachments)
        state = {
            "count": count,
            "had": state["had"] + len(found),
            "last": last,
            "next": _next(page) if found else None,
        }
        versions = {str(submission["__version__"]) for submission in found if submission.get("__version__")}
        kept.add(canonical({**state, "rows": rows, "seen": flattening.seen, "versions": sorted(versions)}))
    # Fewer than were counted: a page came short, or what it said of the next one was wrong.
    if state["had"] != state["count"]:
        raise _Changed


def _stop_at(until: float | None, so_far: str, source: Source) -> None:
    if until is not None and time.monotonic() >= until:
        raise Unfinished(f"the sweep is not whole yet: {so_far}", source.source, "it goes on by itself")


def _first(declared: KoboServerFormat, until: int) -> dict[str, str]:
    query = json.dumps({"_id": {"$lte": until}}, separators=(",", ":"))
    return {"start": "0", "limit": str(declared.page_size), "sort": '{"_id":1}', "query": query}


def _last_state(kept: Kept) -> dict[str, Any] | None:
    """Where a sweep that was cut off stands."""
    last = None
    for page in kept:
        last = page
    return None if last is None else dict(json.loads(last))


def _results(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = page.get("results")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise HomewardError("the answer is not one of KoboToolbox's API v2", "results", "correct format.url")
    return found


def _count(page: Mapping[str, Any]) -> int:
    count = page.get("count")
    if not isinstance(count, int) or isinstance(count, bool):
        raise HomewardError("the answer is not one of KoboToolbox's API v2", "count", "correct format.url")
    return count


def _id(submission: Mapping[str, Any]) -> int:
    number = submission.get("_id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise HomewardError("a submission has no whole number as its _id", "results", "is this KoboToolbox?")
    return number


def _next(page: Mapping[str, Any]) -> dict[str, str] | None:
    """The query of the next page. The rest of the link is not used: behind a proxy it may name another server."""
    link = page.get("next")
    return dict(parse_qsl(urlsplit(link).query)) if isinstance(link, str) and link else None


def _lines(kept: Kept) -> Iterator[bytes]:
    for page in kept:
        yield b"".join(canonical(tables) + b"\n" for tables in json.loads(page)["rows"])


def _form_file(source: Source, form: Mapping[str, Any], kept: Kept) -> Iterator[bytes]:
    """The form, and every column of every table: of its questions, and of answers to questions it no longer has."""
    columns: dict[str, set[str]] = {table.name: set() for table in source.tables}
    for question in questions(form["content"], source):
        columns[question.table].add(question.path)
    answered: set[str] = set()
    for page in kept:
        told = json.loads(page)
        answered.update(told.get("versions", ()))  # pages that were kept before versions were noted have none
        for table, paths in told["seen"].items():
            columns[table].update(paths)
    # Not which: a version is whatever text a submission says it is. The server's own exports leave these answers out.
    unlisted = len(answered - {one["uid"] for one in form["versions"]})
    listed = {table: sorted(paths) for table, paths in columns.items()}
    yield canonical({**form, "columns": listed, **({"versions_not_listed": unlisted} if unlisted else {})})
