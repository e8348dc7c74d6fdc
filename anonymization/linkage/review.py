"""The officer's desk: pairs that wait for a human eye, and decisions that are taken back.

Names are opened here, in memory, for the one who holds the vault's keys; they are returned to be shown and are neither
logged nor kept. Every answer is an event with who and when, and moves tokens as `recognition.regroup` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anonymization.keys import country_keys
from anonymization.linkage import decisions, likeness, recognition
from anonymization.vault import audit, identities, officers
from codebook.errors import HomewardError

if TYPE_CHECKING:
    from anonymization.linkage.recognition import Vaultside
    from anonymization.vault.vault import Vault

ACCEPTED, REJECTED, UNDONE, WAITING = decisions.ACCEPTED, "rejected", decisions.UNDONE, "waiting"
_FROM = {ACCEPTED: (WAITING, REJECTED, UNDONE), REJECTED: (WAITING,), UNDONE: ("merged", ACCEPTED)}
"""Which states an answer can follow."""

_LISTED = """
    SELECT d.decision_id, d.country, d.weight, d.model, d.state, d.one, d.other, d.seal
    FROM vault.decision AS d
    WHERE d.state = ANY (%(states)s) AND (%(country)s::text IS NULL OR d.country = %(country)s)
        AND (%(mine)s::text[] IS NULL OR d.country = ANY (%(mine)s))
    ORDER BY d.weight DESC, d.decision_id
    LIMIT %(limit)s"""
_LIKENESS = """
    SELECT l.person_id, p.token, p.wrapped_key, l.sealed, l.country
    FROM vault.likeness AS l JOIN vault.person AS p USING (person_id)
    WHERE l.person_id = ANY (%s)"""


@dataclass(frozen=True)
class Pair:
    """A decision with what its two persons are compared by, in the clear."""

    decision_id: int
    country: str
    weight: float
    model: str
    state: str
    one: dict[str, str]
    other: dict[str, str]


def pairs(vault: Vault, country: str | None = None, states: Sequence[str] = (WAITING,), limit: int = 20) -> list[Pair]:
    """Pairs of the login's countries in one of `states`, the strongest first. Who was erased has nothing to show."""
    with vault.transaction() as cursor:
        keys = country_keys.all_opened(cursor, vault.keyring)
        asked = {"states": list(states), "country": country, "mine": officers.countries(cursor), "limit": limit}
        rows = cursor.execute(_LISTED, asked).fetchall()
        judged = [(number, whose, one, other, state, seal) for number, whose, _, _, state, one, other, seal in rows]
        decisions.refuse_if_changed(cursor, vault.keyring, judged)
        persons = sorted({person for row in judged for person in row[2:4]})
        said = {}
        for person, token, wrapped, sealed, whose in cursor.execute(_LIKENESS, (persons,), binary=True).fetchall():
            key = identities.open_person_key(token.bytes, wrapped, keys[whose].key)
            (row,) = likeness.from_records(np.array([person]), [identities.open_likeness(sealed, key)]).to_pylist()
            said[person] = {name: value for name, value in row.items() if value is not None and name != "person_id"}
        if said:
            audit.write(cursor, vault.keyring, "review", country, facts={"persons_shown": len(said)})
    return [
        Pair(number, whose, weight, model, state, said.get(one, {}), said.get(other, {}))
        for number, whose, weight, model, state, one, other, _ in rows
    ]


def settle(vault: Vault, decision_id: int, answer: str, who: str) -> str:
    """Record an officer's answer (ACCEPTED, REJECTED, UNDONE) and bring the tokens to it; returns the country."""
    if not who.strip():
        raise HomewardError("nobody is named as the officer", f"decision {decision_id}", "say who decides: --as NAME")
    with vault.transaction() as cursor:
        country: str = _decision(cursor, decision_id)[1]
        officers.admit(cursor, country)
        recognition.lock(cursor, country)
        decision = _decision(cursor, decision_id)  # again under the lock: another officer may have been faster
        decisions.refuse_if_changed(cursor, vault.keyring, [decision])
        _, _, one, other, state, _ = decision
        if state not in _FROM[answer]:
            raise HomewardError(
                f"it is {state} and cannot become {answer}",
                f"decision {decision_id}",
                "`homeward vault review` lists them",
            )
        (seal,) = decisions.seals(cursor, vault.keyring, country, [(one, other)], answer)
        cursor.execute(
            "UPDATE vault.decision SET state = %s, seal = %s WHERE decision_id = %s", (answer, seal, decision_id)
        )
        cursor.execute(
            "INSERT INTO vault.decision_event (decision_id, state, who) VALUES (%s, %s, %s)", (decision_id, answer, who)
        )
        recognition.regroup(cursor, country, [one, other])
        mark = decisions.mark(cursor, vault.keyring, country, (one, other))
        facts: dict[str, audit.Fact] = {"decision": decision_id, "answer": answer, "pair": mark}
        audit.write(cursor, vault.keyring, "decision", country, who, facts)
    return country


def _decision(cursor: Vaultside, decision_id: int) -> tuple[Any, ...]:
    ask = "SELECT decision_id, country, one, other, state, seal FROM vault.decision WHERE decision_id = %s"
    found = cursor.execute(ask, (decision_id,)).fetchone()
    if found is None:
        raise HomewardError("there is no such decision", f"{decision_id}", "`homeward vault review` lists them")
    return found
