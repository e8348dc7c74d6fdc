"""Stage 5, published: the verdict is read again and accepted rows enter the warehouse, in one transaction.

Then the marked return is written for the supplier. A delivery that was refused gets its return as well.
"""

from __future__ import annotations

from assets.consent_store import forget_withdrawn
from assets.intake import Delivery
from assets.returning import write_return
from assets.stages.report import StageReport
from assets.stages.validate import entities_of
from assets.tokens import follow_tokens
from assets.workplace import Workplace
from codebook.loader import load_codebook

STAGE = "published"


def publish(workplace: Workplace, delivery: Delivery) -> StageReport:
    """Publish the judged delivery and leave its marked return in the outbox."""
    from warehouse import ledger
    from warehouse import publish as publishing

    codebook, source = load_codebook(), delivery.source
    what = publishing.Publication(
        source=source.source,
        delivery=delivery.key,
        country=source.country,
        mode=source.delivery.mode,
        codebook_version=codebook.version,
        crosswalk_version=source.version,
    )
    follow_tokens(workplace, source.country)
    published = publishing.publish(workplace.warehouse, what, entities_of(source), codebook)
    forget_withdrawn(workplace, delivery)
    write_return(workplace, delivery)
    entry = ledger.delivery(workplace.warehouse, delivery.id, delivery.key)
    state = entry.state if entry else STAGE
    tables = published.tables.values()
    rows_in = sum(table["rows_in"] for table in tables)
    counts = {"rows_in": rows_in, "accepted": published.accepted, "rejected": published.rejected}
    for entity, counted in published.entities.items():
        counts |= {f"{entity} {what}": rows for what, rows in counted.items()}
    return StageReport(STAGE, state, counts)
