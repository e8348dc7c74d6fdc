"""The files that a sweep over a server's form wrote, read again: each is what a sweep writes, or one refusal.

They were sealed since, and may be of an older Homeward or damaged. What they mean is the business of `submissions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from codebook.errors import Refused
from sources.batches import DeliveredFile

SUBMISSIONS, FORM = "submissions.jsonl", "form.json"
Tables = dict[str, list[dict[str, str]]]
"""One submission: the rows of each table, with the values that the source declares."""


class Version(BaseModel):
    """A version of a form that was deployed."""

    uid: str


class Content(BaseModel, extra="allow"):
    """What a form asks."""

    survey: list[Any]


class SweptForm(BaseModel):
    """The form that was swept. Sweeps that were sealed before they noted changes and versions say nothing of them."""

    content: Content
    columns: dict[str, list[str]]
    versions: list[Version]
    deployed_version: str | None
    type_changes: list[str] = []
    versions_not_read: list[str] = []
    versions_not_listed: Annotated[int, Field(ge=0)] = 0


@cache
def _submission() -> TypeAdapter[Tables]:
    return TypeAdapter(Tables)


def form(file: DeliveredFile) -> SweptForm:
    """The form of a sweep."""
    with file.open() as handle:
        content = handle.read()
    try:
        return SweptForm.model_validate_json(content, strict=True)
    except ValidationError:
        raise no_sweep(file) from None


def submissions(file: DeliveredFile) -> Iterator[Tables]:
    """The submissions of a sweep, in its order."""
    tables = _submission()
    with file.open() as handle:
        for line in handle:
            try:
                yield tables.validate_json(line, strict=True)
            except ValidationError:
                raise no_sweep(file) from None


def no_sweep(file: DeliveredFile) -> Refused:
    return Refused("delivery.unreadable", "it is not what a sweep wrote", file.name, "read the server again")
