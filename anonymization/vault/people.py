"""The persons whom a batch meets, as rows of parallel arrays: those whom the vault knew, then the new ones.

How they are found and made is the business of `enrolment`, what is said about them that of `testimony`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag

from anonymization.keys.country_keys import CountryKeys
from anonymization.linkage.linking import Ids
from anonymization.vault import identities
from codebook.errors import HomewardError

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


class Damaged(HomewardError):
    """Rows of a batch (bool, one each) bring somebody whose sealed key or record does not open: nothing new can be
    sealed about them, and it may be that the token is not theirs. Nothing of the batch was kept."""

    def __init__(self, rows: npt.NDArray[np.bool_]) -> None:
        super().__init__("what the vault holds of a person is damaged or was changed", "vault", "restore its backup")
        self.rows = rows
        self.args = (rows,)


class DoesNotOpen(Exception):
    """Places of persons of whom something does not open."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = places


NOTHING = 0
"""In place of a digest: an origin has said nothing about somebody, or nothing that counts (`keys.rotation`)."""


@dataclass(frozen=True)
class Persons:
    """Persons as rows of parallel arrays. `digests`: of what this origin last said about them, or NOTHING. It is turned
    over (~) where an identifier that was stated is not theirs."""

    ids: Ids
    tokens: Bytes
    digests: Ids

    def __add__(self, other: Persons) -> Persons:
        return Persons(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.digests, other.digests]),
        )


Wrapped = Callable[[Ids], Bytes]
"""The wrapped keys of known persons, by rising id."""


@dataclass(frozen=True)
class People:
    """Everybody of a batch; those from place `known` on are new, and their keys are at hand in `new_keys`. The others'
    are asked for (`wrapped`) where they are needed: who says nothing new needs none."""

    country: CountryKeys
    everyone: Persons
    known: int
    new_keys: list[bytes]
    wrapped: Wrapped

    def places(self, ids: Ids) -> Places:
        """Where persons of these ids stand."""
        by_id = np.argsort(self.everyone.ids)
        return by_id[np.searchsorted(self.everyone.ids, ids, sorter=by_id)]

    def keys(self, places: Places) -> list[bytes]:
        """The persons' own keys; DoesNotOpen if one of them does not."""
        met = np.unique(places[places < self.known])
        opened = self.opened(met)
        if len(opened) < len(met):
            raise DoesNotOpen([place for place in met.tolist() if place not in opened])
        return [opened[one] if one < self.known else self.new_keys[one - self.known] for one in places.tolist()]

    def opened(self, met: Places) -> dict[int, bytes]:
        """By place the own keys of known persons (each once), those that open. InvalidTag if many do not: then it is
        the country's key that is wrong, or the table."""
        by_id = met[np.argsort(self.everyone.ids[met])]
        wrapped = self.wrapped(self.everyone.ids[by_id]) if len(by_id) else np.empty((0, 0), np.uint8)
        found = {}
        for place, token, key in zip(by_id.tolist(), self.everyone.tokens[by_id], wrapped, strict=True):
            with suppress(InvalidTag):
                found[place] = identities.open_person_key(token.tobytes(), key.tobytes(), self.country.key)
        if identities.are_many(len(met) - len(found), len(met)):
            raise InvalidTag
        return found
