"""`homeward demo`: make the sample deliveries, run them all, write the overview, say where to look.

The samples are synthetic and have the field's defects. The real REACH survey of returnee households in Iraq joins them
where the corpus lies beside the project; it is read there and never copied into it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assets import intake
from assets.workplace import Workplace
from pipelines import console
from pipelines.cli import DONE, FAULT
from pipelines.settings import settings
from sources.loader import load_source
from sources.models import DatabaseFormat

IRAQ = "irq/reach_mcna"
IRAQ_FILES = ("raw_data.csv", "xlsform.xlsx")
REGISTRY = "hnd/inm_cases"


def run_demo(as_json: bool) -> int:
    """The whole main job on sample deliveries; 0 when every delivery ended as it should."""
    from examples.make import make_samples
    from pipelines.deliveries import ledger_entries
    from pipelines.instance import dagster_coming
    from pipelines.overview import write_overview
    from pipelines.run import chosen_sources, run_waiting

    workplace = settings().workplace()
    samples = settings().samples.resolve()
    console.err.print(f"Sample deliveries: {samples}", highlight=False)
    made = make_samples(samples)
    with _sample_registry(samples):
        for delivery in made:
            intake.deliver(workplace, load_source(delivery.source), delivery.files)
        _deliver_iraq(workplace)
        outcomes = []
        with console.watching("homeward demo"), dagster_coming() as instance:
            for outcome in run_waiting(workplace, instance, chosen_sources()):
                outcomes.append(outcome)
                console.err.print(f"  {outcome.source} {outcome.delivery}: {outcome.state} {outcome.fault or ''}")
    page = write_overview(workplace)
    if as_json:
        console.print_json({"deliveries": ledger_entries(), "overview": str(page)})
    else:
        _say_where_to_look(workplace, page, ledger_entries())
    return FAULT if any(outcome.state == "failed" for outcome in outcomes) else DONE


@contextmanager
def _sample_registry(samples: Path) -> Iterator[None]:
    """The Honduran registry as a PostgreSQL server of its own, as a supplier's would be; stopped afterwards."""
    from examples.inm_hnd import fill_hnd
    from warehouse.embedded import EmbeddedServer

    registry = load_source(REGISTRY)
    assert isinstance(registry.format, DatabaseFormat)  # noqa: S101  # our own sample
    server = EmbeddedServer(samples / "hnd" / "postgres").start()
    try:
        url = server.url("warehouse")
        fill_hnd(url)
        os.environ[registry.format.url_env] = url
        yield
    finally:
        server.stop()


def _deliver_iraq(workplace: Workplace) -> None:
    folder = settings().corpus / "kobo" / "reach_iraq_returnees"
    if not folder.is_dir():
        console.err.print("The corpus of real files is not here (HOMEWARD_CORPUS): the Iraq survey is left out.")
        return
    intake.deliver(workplace, load_source(IRAQ), [folder / name for name in IRAQ_FILES])


def _say_where_to_look(workplace: Workplace, page: Path, entries: list[dict[str, object]]) -> None:
    columns = ("source", "delivery", "state", "rows_in", "accepted", "rejected")
    console.print_table(columns, [[entry[name] for name in columns] for entry in entries], title="Deliveries")
    say = console.out.print
    say("Where to look:")
    say(f"  {page}", highlight=False)
    say(
        f"  {workplace.outbox}/<country>/<source>/<delivery>/return.html   what goes back to each supplier",
        highlight=False,
    )
    say(
        '  homeward query "SELECT country, wave, band, count(*) FROM marts.rss_score GROUP BY 1, 2, 3"', highlight=False
    )
    say("  homeward ui                                                   the same in Dagster", highlight=False)
