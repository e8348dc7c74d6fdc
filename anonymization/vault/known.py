"""What the vault holds of people, opened to tell whether a row that brings their number speaks of them.

Asked only of numbers that several people of a batch share: nothing of it is kept or leaves this process. Which rows
those are, and when a row agrees, is the business of `linkage`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from cryptography.exceptions import InvalidTag

from anonymization.linkage.agreement import Record
from anonymization.linkage.linking import Ids
from anonymization.vault import identities
from anonymization.vault.people import People

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

_IDENTITIES = """
    SELECT i.person_id, o.name, i.origin, i.sealed FROM vault.identity AS i JOIN vault.origin AS o USING (origin)
    WHERE i.person_id = ANY (%s)"""
_LIKENESSES = "SELECT person_id, sealed FROM vault.likeness WHERE person_id = ANY (%s) AND programme = %s"


def descriptions(cursor: Vaultside, people: People, ids: Ids, programme: str | None) -> dict[int, list[Record]]:
    """Of each known person all that was said of who they are, in this programme; what is damaged says nothing."""
    asked = np.unique(ids)
    places = people.places(asked)
    opened = people.opened(places)
    keys = {person: opened[at] for person, at in zip(asked.tolist(), places.tolist(), strict=True) if at in opened}
    said: dict[int, list[Record]] = {person: [] for person in asked.tolist()}
    theirs = list(keys)
    for person, name, origin, sealed in cursor.execute(_IDENTITIES, (theirs,), binary=True).fetchall():
        with suppress(InvalidTag):
            record = json.loads(identities.open_record(bytes(sealed), origin, keys[person]))
            said[person].append(Record(name, record))
    for person, sealed in cursor.execute(_LIKENESSES, (theirs, programme or ""), binary=True).fetchall():
        with suppress(InvalidTag):
            record = json.loads(identities.open_likeness(bytes(sealed), keys[person]))
            said[person].append(Record(None, record))
    return said
