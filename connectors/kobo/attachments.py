"""Photos, recordings and files that belong to submissions: which a source declares, and what became of each.

Of an attachment a row holds where it lies in the sealed store, or why it is not there; nothing reads what is in it.
How its bytes come is the business of `downloads`, where they are kept that of the room above.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from codebook.errors import HomewardError
from connectors.kobo.api import Server
from connectors.kobo.downloads import Gone, TooLarge, download
from connectors.kobo.sealed import submissions
from sources.batches import DeliveredFile

MARK = "@"
"""Before the path of a question in a row: `<uid> <sha256>` of its attachment, or a reason. No name of XML begins so."""
NOT_FETCHED = "read.attachment_not_fetched"
GONE, TOO_LARGE, UNCLEAR = "gone", "too_large", "unclear"
_PLACE = re.compile(r"\[\d+\]")
_UID = re.compile(r"[A-Za-z0-9]{1,64}")


@dataclass(frozen=True)
class Attached:
    """An answer that names an attachment: its row, its question's path, and its place in the submission
    (`members[2]/photo`); `most` bytes are wanted."""

    row: dict[str, str]
    path: str
    place: str
    answer: str
    most: int


class Attachments(Protocol):
    """Where the bytes of attachments are kept, by the uid that the server gives to each."""

    def known(self, uid: str) -> str | None:
        """The sha256 of an attachment that lies there already. The server never changes one under its uid."""
        ...

    def add(self, uid: str, blocks: Iterator[bytes]) -> str:
        """Keep the bytes if they all come; their sha256."""
        ...


def fetch(server: Server, submission: Mapping[str, Any], attached: Attached, kept: Attachments) -> None:
    """Fetch what an answer names, if it was not before, and note in its row what became of it."""
    attached.row[MARK + attached.path] = _fetched(server, submission, attached, kept)


def _fetched(server: Server, submission: Mapping[str, Any], attached: Attached, kept: Attachments) -> str:
    found = _named(submission.get("_attachments"), attached)
    if len(found) != 1:
        return UNCLEAR if found else GONE
    uid = str(found[0].get("uid") or found[0].get("id") or "")
    if not _UID.fullmatch(uid):
        raise HomewardError("an attachment has no uid", server.where, "is this KoboToolbox?")
    sha256 = kept.known(uid)
    if sha256 is None:
        try:
            path = f"data/{submission['_id']}/attachments/{uid}/"
            sha256 = kept.add(uid, download(server, path, attached.most))
        except Gone:
            return GONE
        except TooLarge:
            return TOO_LARGE
    return f"{uid} {sha256}"


def _named(listed: object, attached: Attached) -> Sequence[Mapping[str, Any]]:
    """The attachments that an answer may mean. A server says whose question one is; an old one names files only."""
    here = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
    here = [one for one in here if not one.get("is_deleted")]
    placed = [one for one in here if one.get("question_xpath") == attached.place]
    if placed:
        return placed
    wanted = _stored_as(attached.answer)
    return [
        one
        for one in here
        if _PLACE.sub("", str(one.get("question_xpath") or attached.path)) == attached.path
        and wanted in (_stored_as(str(one.get("media_file_basename") or "")), _stored_as(_base(one)))
    ]


def _base(attachment: Mapping[str, Any]) -> str:
    return str(attachment.get("filename") or "").rpartition("/")[2]


def _stored_as(name: str) -> str:
    """A file's name as the server's storage writes it (Django's get_valid_filename)."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))


def fetched(lines: DeliveredFile) -> dict[str, str]:
    """The sha256 of every attachment of a sweep by uid, in the order of its submissions."""
    found: dict[str, str] = {}
    for tables in submissions(lines):
        for rows in tables.values():
            for row in rows:
                found |= dict(of_row(row))
    return found


def of_row(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Uid and sha256 of the attachments of a row that were fetched."""
    for path, told in row.items():
        uid, space, sha256 = told.partition(" ")
        if path.startswith(MARK) and space:
            yield uid, sha256


def is_short(row: Mapping[str, str]) -> bool:
    """Whether an attachment of the row was not fetched."""
    return any(path.startswith(MARK) and " " not in told for path, told in row.items())
