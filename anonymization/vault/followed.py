"""Events of tokens, before the warehouse follows them: what they come to must be what sealed decisions say.

An event that somebody wrote into the database would make two people one in every figure, or one person two. It carries
no seal; but the last one of each token must name the person's head, and who is joined with a head is told by decisions,
which do (`linkage.decisions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from anonymization.linkage.decisions import same_person
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.ring import Keyring

    Vaultside = Cursor[tuple[Any, ...]]

_COUNTS_AS = """
    SELECT p.token, coalesce(h.token, p.token) FROM vault.person AS p
    LEFT JOIN vault.same_person AS s ON s.person_id = p.person_id
    LEFT JOIN vault.person AS h ON h.person_id = s.head
    WHERE p.country = %s AND p.token = ANY (%s)"""


def refuse_if_undecided(
    cursor: Vaultside, keyring: Keyring, country: str, events: Sequence[tuple[int, UUID, UUID]]
) -> None:
    """HomewardError if these events (event_id, token, current_token; in order, up to the last one) come to something
    that nobody decided. The transaction must see one moment."""
    last = {token: (current, number) for number, token, current in events}
    counts_as: dict[UUID, UUID] = dict(cursor.execute(_COUNTS_AS, (country, list(last))).fetchall())
    for token, (current, number) in last.items():
        if counts_as.get(token) != current:
            raise HomewardError(
                "a token is said to be somebody whom no decision names",
                f"vault.token_event {number}",
                "find out who can write to the vault, and restore it from its backup",
            )
    for head in {current for token, (current, _) in last.items() if current != token}:
        same_person(cursor, keyring, head)
