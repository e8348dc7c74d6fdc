"""Groups and events of tokens brought back to what sealed decisions say, after somebody wrote into the database.

Of a joining decision that is not as it was made nobody can tell what it was: the pair is kept apart until an officer
says that it is one person. Groups are made anew by the others, and a true event follows each that was forged or taken
out: a line of the audit says how many. That something is wrong is noticed by `followed`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anonymization.linkage import decisions, recognition
from anonymization.vault import audit, followed, officers, requests
from anonymization.vault.followed import Changed
from anonymization.vault.upkeep import at_one_moment

if TYPE_CHECKING:
    from psycopg import Cursor

    from anonymization.keys.ring import Keyring
    from anonymization.vault.vault import Vault

    Vaultside = Cursor[tuple[Any, ...]]

_JOINING = """
    SELECT d.decision_id, d.country, d.one, d.other, d.state, d.seal
    FROM vault.decision AS d LEFT JOIN vault.person AS p ON p.person_id = d.one
    WHERE d.state IN ('merged', 'accepted') AND %s IN (d.country, p.country) ORDER BY d.decision_id"""
_GROUPS = """
    SELECT s.person_id, s.head FROM vault.same_person AS s JOIN vault.person AS p USING (person_id)
    WHERE p.country = %s"""
_THERE = "SELECT person_id FROM vault.person WHERE person_id = ANY (%s)"
_UNDO = "UPDATE vault.decision SET state = %s, seal = %s WHERE decision_id = %s"
_SAID = "INSERT INTO vault.decision_event (decision_id, state, who) VALUES (%s, %s, %s)"
_ABOUT_NOBODY = (
    "DELETE FROM vault.decision_event WHERE decision_id = %s",
    "DELETE FROM vault.decision WHERE decision_id = %s",
)
_NO_EVENT = "DELETE FROM vault.token_event WHERE event_id = ANY (%s)"
_TRUE_EVENT = """
    INSERT INTO vault.token_event (country, kind, token, current_token)
    SELECT %s, CASE WHEN t.token = t.counts_as THEN 'split' ELSE 'merge' END, t.token, t.counts_as
    FROM unnest(%s::uuid[], %s::uuid[]) AS t (token, counts_as)"""


@dataclass(frozen=True)
class Wrong:
    """What is not as it was decided in a country: numbers of decisions, how many persons stand in other groups than the
    decisions say, and tokens whose last event does not say what their groups do."""

    decisions: list[int]
    persons: int
    events: list[Changed]

    def __bool__(self) -> bool:
        return bool(self.decisions or self.persons or self.events)


def look(vault: Vault, country: str) -> Wrong:
    """What is wrong, for an officer of the country; every seal is checked."""
    with vault.transaction() as cursor:
        at_one_moment(cursor)
        return _wrong(vault, cursor, country)[0]


def mend(vault: Vault, country: str, officer: str) -> Wrong:
    """Set right what is wrong; what that was."""
    officer = requests.named(officer)
    with vault.transaction() as cursor:
        recognition.lock(cursor, country)
        wrong, displaced = _wrong(vault, cursor, country)
        if not wrong:
            return wrong
        forged = set(wrong.decisions)
        for row in cursor.execute(_JOINING, (country,)).fetchall():
            if row[0] in forged:
                _keep_apart(cursor, vault.keyring, row, officer)
        recognition.regroup(cursor, country, displaced)
        left = followed.changed(cursor, country)
        cursor.execute(_NO_EVENT, ([one.event for one in left if one.counts_as is None],))
        true = [one for one in left if one.counts_as is not None]
        cursor.execute(_TRUE_EVENT, (country, [one.token for one in true], [one.counts_as for one in true]))
        facts: requests.Facts = {
            "decisions_undone": len(forged),
            "persons_regrouped": wrong.persons,
            "events": len(wrong.events),
        }
        audit.write(cursor, vault.keyring, "events", country, officer, facts)
    return wrong


def _wrong(vault: Vault, cursor: Vaultside, country: str) -> tuple[Wrong, list[int]]:
    """What is wrong, and everybody of the groups of whom that is, as they stand and as they should."""
    officers.admit(cursor, country)
    vault.keys_of(cursor, country)  # with other keys every seal would look forged
    joining = cursor.execute(_JOINING, (country,)).fetchall()
    standing = decisions.standing(cursor, vault.keyring, joining)
    forged = sorted({row[0] for row in joining} - {row[0] for row in standing})
    is_head: dict[int, int] = dict(cursor.execute(_GROUPS, (country,)).fetchall())
    edges = [(row[2], row[3]) for row in standing]
    everybody = {person: person for person in (*is_head, *(person for edge in edges for person in edge))}
    should = recognition.components(everybody, edges)
    moved = [person for person, head in should.items() if is_head.get(person, person) != head]
    return Wrong(forged, len(moved), followed.changed(cursor, country)), _beside(moved, is_head, should)


def _beside(moved: list[int], *groupings: dict[int, int]) -> list[int]:
    """Everybody who shares a group with one of `moved`."""
    found = set(moved)
    for heads in groupings:
        members = defaultdict(list)
        for person, head in heads.items():
            members[head].append(person)
        found |= {one for person in moved if person in heads for one in members[heads[person]]}
    return sorted(found)


def _keep_apart(cursor: Vaultside, keyring: Keyring, row: tuple[Any, ...], officer: str) -> None:
    """A decision that nobody made joins nobody, and the model does not join the pair again."""
    number, country, one, other, *_ = row
    if len(cursor.execute(_THERE, ([one, other],)).fetchall()) < len({one, other}):
        for statement in _ABOUT_NOBODY:
            cursor.execute(statement, (number,))
        return
    (seal,) = decisions.seals(cursor, keyring, country, [(one, other)], decisions.UNDONE)
    cursor.execute(_UNDO, (decisions.UNDONE, seal, number))
    cursor.execute(_SAID, (number, decisions.UNDONE, officer))
