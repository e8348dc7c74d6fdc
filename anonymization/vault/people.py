"""The persons whom a batch meets, as rows of parallel arrays: those whom the vault knew, then the new ones.

How they are found and made is the business of `enrolment`, what is said about them that of `testimony`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymization.keys.country_keys import CountryKeys
from anonymization.linkage.linking import Ids
from anonymization.vault import identities

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Persons:
    """Persons as rows of parallel arrays. `digests`: of what this origin last said about them, 0 if nothing."""

    ids: Ids
    tokens: Bytes
    wrapped: Bytes
    digests: Ids

    def __add__(self, other: Persons) -> Persons:
        return Persons(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.wrapped, other.wrapped]),
            np.concatenate([self.digests, other.digests]),
        )


@dataclass(frozen=True)
class People:
    """Everybody of a batch; those from place `known` on are new, and their keys are at hand in `new_keys`."""

    country: CountryKeys
    everyone: Persons
    known: int
    new_keys: list[bytes]

    def places(self, ids: Ids) -> Places:
        """Where persons of these ids stand."""
        by_id = np.argsort(self.everyone.ids)
        return by_id[np.searchsorted(self.everyone.ids, ids, sorter=by_id)]

    def keys(self, places: Places) -> list[bytes]:
        """The persons' own keys."""
        return [self._key(place) for place in places.tolist()]

    def _key(self, place: int) -> bytes:
        if place >= self.known:
            return self.new_keys[place - self.known]
        token, wrapped = self.everyone.tokens[place].tobytes(), self.everyone.wrapped[place].tobytes()
        return identities.open_person_key(token, wrapped, self.country.key)
