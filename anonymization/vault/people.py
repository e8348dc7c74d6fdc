"""The persons whom a batch meets, as rows of parallel arrays: those whom the vault knew, then the new ones.

How they are found and made is the business of `enrolment`, what is said about them that of `testimony`.
"""

from __future__ import annotations

from collections.abc import Callable
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
        """The persons' own keys."""
        met = np.unique(places[places < self.known])
        by_id = met[np.argsort(self.everyone.ids[met])]
        wrapped = self.wrapped(self.everyone.ids[by_id]) if len(by_id) else np.empty((0, 0), np.uint8)
        opened = {
            place: identities.open_person_key(token.tobytes(), key.tobytes(), self.country.key)
            for place, token, key in zip(by_id.tolist(), self.everyone.tokens[by_id], wrapped, strict=True)
        }
        return [opened[one] if one < self.known else self.new_keys[one - self.known] for one in places.tolist()]
