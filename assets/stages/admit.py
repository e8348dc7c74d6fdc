"""Before a row is read: may this source be read at all, today, for its purpose, with its mapping?

`admit_source` is asked before a supplier's server is, `admit` before the files of a delivery are opened, and whether
the agreement still stands before and after each piece that is read: a run may last longer than an agreement. A day of
an agreement is one of UTC, wherever the machine stands: the same delivery is refused or read on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from assets.workplace import Workplace
from codebook.errors import Refused
from sources.loader import registered_purposes
from sources.models import Source

if TYPE_CHECKING:
    from assets.intake import Delivery

Piece = TypeVar("Piece")


def admit(workplace: Workplace, delivery: Delivery) -> None:
    """Raises Refused for a delivery of a source that may not be read."""
    admit_source(delivery.source)


def admit_source(source: Source) -> None:
    """Raises Refused after the agreement's expiry, for an unknown purpose, or while mapping rows are only proposed."""
    if source.purpose not in registered_purposes():
        what = f"the purpose {source.purpose} is not registered"
        raise Refused("delivery.unknown_purpose", what, source.source, "name a purpose of purposes.yaml")
    refuse_expired(source)
    if proposed := source.crosswalk.proposed:
        raise Refused(
            "delivery.proposed_mapping",
            f"{len(proposed)} mapping rows are only proposed",
            str(source.folder / "crosswalk.csv"),
            "review each row, then set its `state` to approved and name the reviewer",
        )


def refuse_expired(source: Source) -> None:
    """Raises Refused after the last day of the source's agreement."""
    if source.expires < datetime.now(UTC).date():
        what = f"the agreement {source.agreement} has expired: {source.expires} was its last day, in UTC"
        raise Refused("delivery.expired", what, source.source, "renew it, then mend `expires` in source.yaml")


def while_it_stands(source: Source, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """`pieces`, as long as the source's agreement stands: none is read after it, and the one that was being read when
    it expired goes nowhere. Raises Refused."""
    while True:
        refuse_expired(source)
        piece = next(pieces, None)
        refuse_expired(source)
        if piece is None:
            return
        yield piece
