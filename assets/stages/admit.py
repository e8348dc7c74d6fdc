"""Before a row is read: may this source be read at all, today, for its purpose, with its mapping?"""

from __future__ import annotations

from datetime import UTC, datetime

from assets.intake import Delivery
from assets.workplace import Workplace
from codebook.errors import Refused
from sources.loader import registered_purposes


def admit(workplace: Workplace, delivery: Delivery) -> None:
    """Raises Refused after the agreement's expiry, for an unknown purpose, or while mapping rows are only proposed."""
    source = delivery.source
    if source.purpose not in registered_purposes():
        what = f"the purpose {source.purpose} is not registered"
        raise Refused("delivery.unknown_purpose", what, source.source, "name a purpose of purposes.yaml")
    if source.expires < datetime.now(UTC).date():
        what = f"the agreement {source.agreement} has expired"
        raise Refused("delivery.expired", what, source.source, "renew it, then mend `expires` in source.yaml")
    if proposed := source.crosswalk.proposed:
        raise Refused(
            "delivery.proposed_mapping",
            f"{len(proposed)} mapping rows are only proposed",
            str(source.folder / "crosswalk.csv"),
            "review each row, then set its `state` to approved and name the reviewer",
        )
