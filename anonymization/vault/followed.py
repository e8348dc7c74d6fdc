"""Events of tokens, before the warehouse follows them: what they come to must be what sealed decisions say.

An event that somebody wrote into the database would make two people one in every figure, or one person two; so would
one that somebody took out. Events carry no seal; but the last one of each token must name the person's head, who is
joined with a head is told by decisions, which do (`linkage.decisions`), and each of these must have joined its two.
Bringing events back to what was decided is the business of `mending`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from anonymization.linkage import decisions
from anonymization.linkage.decisions import same_person
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.ring import Keyring

    Vaultside = Cursor[tuple[Any, ...]]

_MEND = "`homeward vault events --country {}` tells what is wrong, --mend sets it right; see who can write to the vault"
# Persons one by one: there are many more of them than of joined ones.
_CHANGED = """
    WITH last AS (
        SELECT DISTINCT ON (token) token, event_id, current_token FROM vault.token_event
        WHERE country = %(country)s ORDER BY token, event_id DESC
    ),
    joined AS MATERIALIZED (
        SELECT (SELECT token FROM vault.person AS p WHERE p.person_id = s.person_id AND country = %(country)s) AS token,
            (SELECT token FROM vault.person AS h WHERE h.person_id = s.head) AS head
        FROM vault.same_person AS s WHERE s.person_id <> s.head
    ),
    whole AS (SELECT token, coalesce(head, token) AS counts_as FROM joined WHERE token IS NOT NULL),
    changed AS MATERIALIZED (
        SELECT token, l.event_id, l.current_token, coalesce(j.counts_as, token) AS counts_as
        FROM last AS l FULL JOIN whole AS j USING (token)
        WHERE coalesce(l.current_token, token) <> coalesce(j.counts_as, token)
    )
    SELECT token, event_id, current_token, CASE WHEN p.country = %(country)s THEN counts_as END
    FROM changed LEFT JOIN (SELECT token, country FROM vault.person WHERE came IN (true, false)) AS p USING (token)
    ORDER BY event_id, token"""
_APART = """
    WITH apart AS MATERIALIZED (
        SELECT d.decision_id, d.country, d.one, d.other, d.state, d.seal
        FROM vault.decision AS d
        LEFT JOIN vault.same_person AS a ON a.person_id = d.one
        LEFT JOIN vault.same_person AS b ON b.person_id = d.other
        WHERE d.state IN ('merged', 'accepted') AND coalesce(a.head, d.one) <> coalesce(b.head, d.other)
    )
    SELECT decision_id, country, one, other, state, seal FROM apart WHERE country = %s ORDER BY decision_id"""
_TOKENS = "SELECT token FROM vault.person WHERE person_id = ANY (%s)"


@dataclass(frozen=True)
class Changed:
    """A token whose last event does not say as whom it counts. `event`: None, there is none and should be;
    `counts_as`: by the groups of the vault; None: the country has no such token."""

    token: UUID
    event: int | None
    says: UUID | None
    counts_as: UUID | None


class Undecided(HomewardError):
    """Events of a country's tokens that nobody decided, or decided ones that are missing; `tokens`: of whom."""

    def __init__(self, what: str, where: str, country: str, tokens: frozenset[UUID]) -> None:
        super().__init__(what, f"{country}, {where}", _MEND.format(country))
        self.tokens = tokens
        self.args = (what, where, country, tokens)


def changed(cursor: Vaultside, country: str) -> list[Changed]:
    """Tokens of which events and groups do not say the same."""
    return [Changed(*row) for row in cursor.execute(_CHANGED, {"country": country}).fetchall()]


def refuse_if_undecided(
    cursor: Vaultside, keyring: Keyring, country: str, events: Sequence[tuple[int, UUID, UUID]]
) -> None:
    """Undecided if all events of the country do not come to what was decided, or if one of `events` (event_id, token,
    current_token; the new ones) joins by a decision that nobody made. The transaction must see one moment."""
    if found := changed(cursor, country):
        tokens = {token for one in found for token in (one.token, one.says, one.counts_as) if token is not None}
        raise Undecided(*_told(found[0]), country, frozenset(tokens))
    apart = decisions.standing(cursor, keyring, cursor.execute(_APART, (country,)).fetchall())
    if apart:
        persons = [person for row in apart for person in row[2:4]]
        tokens = {token for (token,) in cursor.execute(_TOKENS, (persons,)).fetchall()}
        what = "two tokens that were decided to be one person count as two"
        raise Undecided(what, f"decision {apart[0][0]}", country, frozenset(tokens))
    last = {token: current for _, token, current in events}
    for head in {current for token, current in last.items() if current != token}:
        try:
            same_person(cursor, keyring, head)
        except HomewardError as error:
            theirs = frozenset(decisions.group(cursor, head).values())
            raise Undecided(error.what, error.where, country, theirs) from None


def _told(one: Changed) -> tuple[str, str]:
    if one.event is None:
        return "two tokens count as one person, and no event says so", "vault.token_event"
    return "a token is said to be somebody whom no decision names", f"vault.token_event {one.event}"
