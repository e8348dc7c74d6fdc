"""The commands around deliveries: deliver, run, check, status."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assets import intake, workers
from codebook.errors import HomewardError
from pipelines import console
from pipelines.cli import DONE, FAULT, FINDINGS, REFUSED
from pipelines.instance import dagster_coming
from pipelines.settings import settings
from sources.loader import list_sources, load_source
from sources.models import FETCHED

if TYPE_CHECKING:
    from pipelines.run import Outcome

STATUS_COLUMNS = ("source", "delivery", "state", "rows_in", "accepted", "rejected", "no_consent", "refused_reason")


def deliver_files(files: Sequence[Path], source_id: str) -> None:
    """Put the files of one delivery into the inbox; a database or a server is asked for by delivering nothing."""
    source = load_source(source_id)
    fetched = source.format.kind in FETCHED
    if fetched and files:
        raise HomewardError("this source is a server and takes no files", where=source_id, mend="leave the files out")
    if not fetched and not files:
        raise HomewardError("no file was named", where=source_id, mend="name the files of the delivery")
    intake.deliver(settings().workplace(), source, files)
    console.out.print(
        f"In the inbox of {source_id}. Process it with: homeward run --source {source_id}", highlight=False
    )


def run_all(source_ids: Sequence[str], as_json: bool) -> int:
    """Process everything that waits; the exit code says how it went."""
    from pipelines.run import chosen_sources, run_waiting

    workplace, sources = settings().workplace(), chosen_sources(source_ids)
    news = [source for source in sources if intake.news_waits(workplace, source)]
    if any(intake.large_waits(workplace, source.source) for source in news):
        workers.wake(workplace.workers)  # they get ready while Dagster is imported here
    with console.watching("homeward run"), dagster_coming(soon=bool(news)) as instance:
        outcomes = list(run_waiting(workplace, instance, sources))
    return _told(outcomes, as_json)


def run_again(source_ids: Sequence[str], delivery: str, as_json: bool) -> int:
    """Run one delivery again, whatever its state: after a mapping was mended, say. The result is the same or better."""
    from pipelines.instance import instance
    from pipelines.run import run_delivery, run_marts

    if len(source_ids) != 1:
        raise HomewardError("a delivery is named within its source", where="--delivery", mend="give --source once")
    (source_id,) = source_ids
    workplace, found = settings().workplace(), instance()
    with console.watching("homeward run"):
        outcome = run_delivery(workplace, found, intake.find(workplace, load_source(source_id), delivery), again=True)
        if outcome.state == "published":
            run_marts(workplace, found)
    return _told([outcome], as_json)


def _told(outcomes: list[Outcome], as_json: bool) -> int:
    """Print what became of the deliveries; the exit code for it."""
    entries = {(e["source"], e["delivery"]): e for e in ledger_entries()}
    rows = [
        {
            "source": outcome.source,
            "delivery": outcome.delivery,
            **entries.get((outcome.source, outcome.delivery), {}),
            "state": outcome.state,
            "fault": outcome.fault,
        }
        for outcome in outcomes
    ]
    if as_json:
        console.print_json(rows)
    elif not rows:
        console.out.print("Nothing waits.")
    else:
        columns = ("source", "delivery", "state", "rows_in", "accepted", "rejected")
        console.print_table(columns, [[row.get(name) for name in columns] for row in rows])
    for outcome in outcomes:
        if outcome.fault:
            told = " ".join(
                part for part in (outcome.source, outcome.delivery, f"{outcome.state}:", outcome.fault) if part
            )
            console.err.print(f"homeward: {told}", highlight=False, markup=False, soft_wrap=True)
    return _exit_code(rows)


def _exit_code(rows: list[dict[str, object]]) -> int:
    states = {row["state"] for row in rows}
    if states & {"failed", "held_elsewhere"}:
        return FAULT
    if "refused" in states:
        return REFUSED
    return FINDINGS if any(row.get("rejected") for row in rows) else DONE


def ledger_entries(source_id: str | None = None) -> list[dict[str, object]]:
    """The deliveries of the ledger, newest first, as plain data with the columns STATUS_COLUMNS.

    `no_consent`: rejected rows that were held back for want of consent. Counts are None of what was never read.
    """
    from warehouse import ledger

    warehouse = settings().workplace().warehouse
    refused = ledger.without_consent(warehouse, source_id)
    return [
        {
            "source": entry.source_id,
            "delivery": entry.delivery_id,
            "state": entry.state,
            "rows_in": entry.rows_in,
            "accepted": entry.accepted,
            "rejected": entry.rejected,
            "no_consent": None if entry.rows_in is None else refused.get((entry.source_id, entry.delivery_id), 0),
            "refused_reason": entry.refused_reason,
        }
        for entry in ledger.deliveries(warehouse, source=source_id)
    ]


def show_status(source_id: str | None, as_json: bool) -> None:
    """Print the deliveries, their states and counts, what waits, and erasures that were cut off."""
    from anonymization.vault import unfinished

    if source_id:
        load_source(source_id)
    entries = ledger_entries(source_id)
    if as_json:
        console.print_json(entries)
        return
    console.print_table(STATUS_COLUMNS, [[entry[name] for name in STATUS_COLUMNS] for entry in entries])
    workplace = settings().workplace()
    for source in [source_id] if source_id else list_sources():
        if waiting := len(list(intake.waiting(workplace, source))):
            console.out.print(
                f"{waiting} waiting in the inbox of {source}: homeward run --source {source}", highlight=False
            )
    for at in unfinished.begun_at(workplace.vault):
        begun = f"An erasure begun {at:%Y-%m-%d %H:%M} has no certificate yet"
        console.out.print(f"{begun}: homeward vault erase --resume", highlight=False, soft_wrap=True)


def check_files(files: Sequence[Path], source_id: str, language: str | None, out: Path, as_json: bool) -> int:
    """Dry run of a delivery: write the marked return into `out`, keep nothing."""
    from assets.check import check

    source = load_source(source_id)
    for file in files:
        if not file.is_file():
            raise HomewardError("there is no such file", where=file.name, mend="give the path of a delivered file")
    with console.watching("homeward check"):
        marked = check(settings().workplace(), source, files, language or source.supplier.language, out)
    if as_json:
        console.print_json(marked)
    else:
        totals = marked["totals"]
        console.print_table(("rows_in", "accepted", "flagged", "rejected"), [list(totals.values())])
        if marked["refused_reason"]:
            (why,) = (rule for rule in marked["rules"] if rule["rule"] == marked["refused_reason"])
            told = f"Refused ({why['rule']}): {why['message']} {why['mend']}"
            console.out.print(told, highlight=False, markup=False, soft_wrap=True)
        console.out.print(f"The marked return is in {out}", highlight=False)
    if marked["state"] == "refused":
        return REFUSED
    return FINDINGS if marked["totals"]["rejected"] or marked["findings"] else DONE
