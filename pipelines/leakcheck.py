"""`homeward leakcheck`: delivers canaries to this deployment, searches everything outside the vault, takes them back.

It exercises what really runs here: databases, Dagster's storage, folders, server log, the command line in processes of
its own, one of them killed in mid-run. The made-up people live in a country that does not exist and are gone at the
end; the vault's audit tells that the check was made. What is delivered and where is searched: `leak_deliveries`,
`leak_sinks`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anonymization.leaks.canaries import SCRIPTS, Canaries
from anonymization.leaks.search import LeakSearch
from assets import intake
from assets.workplace import Workplace
from codebook.errors import Unavailable
from pipelines import console, leak_removal
from pipelines.cli import DONE, REFUSED
from pipelines.instance import prepare_environment
from pipelines.leak_deliveries import (
    DATABASE,
    SOURCES,
    LeakDelivery,
    database_url,
    write_deliveries,
    write_large_delivery,
    write_sources,
)
from pipelines.leak_runs import Said, Strike, cut_off_from, fill_the_disk, kill, say, struck
from pipelines.leak_services import Shown, make_storage, run_by_services
from pipelines.leak_sinks import Database, search_home
from pipelines.settings import settings
from sources.loader import load_source

Answer = tuple[str, str, bytes]
"""Of what was answered on the way: its sink, its place there, and the answer."""

OWN = "qzz/leakcheck_%"
FOLDERS = {
    "postgres": "files and log of the embedded server",
    "dagster": "Dagster's home",
    "store": "Parquet store",
    "outbox": "returns",
    "inbox": "inbox",
    "vault": "sealed store",
}
STRIKES: tuple[tuple[str, Strike], ...] = (
    ("received", kill),
    ("received", fill_the_disk),
    ("pseudonymized", kill),
    ("harmonized", kill),
    ("validated", kill),
)
"""Done to a run once a delivery has come so far; the next one goes on from there."""


def check_leaks(as_json: bool) -> int:
    """The whole check; prints what was searched and found. 0: no canary got out; 2: some did, or a sink is unread."""
    workplace = settings().workplace()
    with tempfile.TemporaryDirectory(prefix="homeward-leakcheck-") as made, console.watching("homeward leakcheck"):
        search, canaries = run_check(workplace, Path(made))
    told = report(search, len(canaries))
    if as_json:
        console.print_json(told)
    else:
        show(told)
    return DONE if told["clean"] else REFUSED


def run_check(workplace: Workplace, folder: Path) -> tuple[LeakSearch, Canaries]:
    """Deliver, run, search, and take everything back, whatever happens."""
    canaries, since = Canaries(), time.time() - 1  # clocks of file systems are coarse
    with _sources(folder / "sources"):
        deliveries = [*write_deliveries(folder / "files", canaries), write_large_delivery(folder / "files", canaries)]
        leak_removal.remove(workplace)  # what a killed check left
        databases = _databases(workplace)
        try:
            for database in databases:
                database.before_all()
            answers = _deliver_and_run(workplace, deliveries, folder, [database.url for database in databases])
            search = LeakSearch(canaries)
            for sink, place, content in answers:
                search.look(content, sink, place)
            _search(search, workplace, databases, folder, since)
            leaks = len(search.leaks)
        finally:
            leak_removal.remove(workplace)
        leak_removal.write_down(workplace, canaries=len(canaries), leaks=leaks)
    return search, canaries


@contextmanager
def _sources(folder: Path) -> Iterator[None]:
    """The check's own sources beside the deployment's; known to nobody afterwards."""
    added = os.environ.get("HOMEWARD_SOURCES")
    write_sources(folder, Path(added) if added else None)
    os.environ["HOMEWARD_SOURCES"] = str(folder)
    try:
        yield
    finally:
        if added is None:
            del os.environ["HOMEWARD_SOURCES"]
        else:
            os.environ["HOMEWARD_SOURCES"] = added


def _databases(workplace: Workplace) -> list[Database]:
    workplace.ready_url()
    urls = {
        "warehouse": workplace.warehouse_url,
        "Dagster's storage": prepare_environment()["HOMEWARD_DAGSTER_URL"],
        "vault, as it lies there": workplace.vault_url,
    }
    return [Database(name, url, OWN) for name, url in urls.items()]


def _deliver_and_run(
    workplace: Workplace, deliveries: Sequence[LeakDelivery], folder: Path, urls: Sequence[str]
) -> list[Answer]:
    """Good files first, with runs that are struck; then the spoiled ones and a large one; the last good one by the
    daemon of Dagster; and what people ask afterwards. All that was answered."""
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = os.environ | prepare_environment() | {"TMPDIR": str(temporary)}
    environment[DATABASE] = database_url(folder / "files")
    *good, last_good, large = (delivery for delivery in deliveries if not delivery.refused)
    spoiled = [delivery for delivery in deliveries if delivery.refused]

    _deliver(workplace, good)
    run = ["run", *(word for source in SOURCES for word in ("--source", source))]
    strikes = (*STRIKES, ("harmonized", cut_off_from(urls)))
    said = [struck(workplace, run, environment, state, strike) for state, strike in strikes]
    _deliver(workplace, [*spoiled, large])
    said.append(say(run, environment))
    _deliver(workplace, [last_good])
    storage = make_storage(environment["HOMEWARD_DAGSTER_URL"])
    shown = run_by_services(environment | {"HOMEWARD_DAGSTER_URL": storage}, folder / "services.log", runs=1)
    _expect(workplace, said[-1], deliveries)

    checked = folder / "checked.csv"  # a dry run tells its caller the name by which he called the file
    of_csv = next(delivery for delivery in good if delivery.source == large.source)
    shutil.copyfile(of_csv.files[0], checked)
    dry_run = ["check", str(checked), "--source", of_csv.source, "--out", str(temporary / "checked"), "--json"]
    said += [say(words, environment) for words in (["status", "--json"], dry_run)]
    return heard(said, shown)


def heard(said: Sequence[Said], shown: Shown) -> list[Answer]:
    """What commands and Dagster's services said and showed, by the sink that it is."""
    return [
        *(("stdout", one.command, one.out) for one in said),
        *(("stderr", one.command, one.err) for one in said),
        ("output of Dagster's services", "dagster dev", shown.said),
        *(("Dagster's pages", page, answer) for page, answer in shown.pages.items()),
    ]


def _deliver(workplace: Workplace, deliveries: Sequence[LeakDelivery]) -> None:
    for delivery in deliveries:
        intake.deliver(workplace, load_source(delivery.source), delivery.files)


def _expect(workplace: Workplace, undisturbed: Said, deliveries: Sequence[LeakDelivery]) -> None:
    """A check whose deliveries did not go their way proves nothing, and must not say that all is well."""
    from warehouse import ledger

    states = [entry.state for source in SOURCES for entry in ledger.deliveries(workplace.warehouse, source=source)]
    refused = sum(delivery.refused for delivery in deliveries)
    if states.count("refused") != refused or states.count("published") != len(deliveries) - refused:
        counted = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
        told = [line for line in undisturbed.err.decode(errors="replace").splitlines() if line.startswith("homeward: ")]
        raise Unavailable(
            f"the deliveries of the check did not end as they must: {counted}",
            f"homeward leakcheck, run exited with {undisturbed.code}",
            "; ".join(told[:3]) or "see that the deployment runs, and check again",
        )


def _search(
    search: LeakSearch, workplace: Workplace, databases: Sequence[Database], folder: Path, since: float
) -> None:
    from pipelines.overview import read, render

    search.look_at_folder(folder / "tmp", "temporary files")
    for database in databases:
        database.search(search)
    search_home(search, workplace.home, since, FOLDERS)
    search.look(render(read(workplace)), "overview", "overview.html")


def report(search: LeakSearch, canaries: int) -> dict[str, Any]:
    """What was searched and found, as plain data without a value."""
    sinks = {sink: {"streams": search.streams[sink], "bytes": search.bytes[sink]} for sink in sorted(search.streams)}
    return {
        "clean": not search.leaks and not search.unread,
        "canaries": canaries,
        "scripts": list(SCRIPTS),
        "sinks": sinks,
        "forms_undone": sorted(search.forms),
        "leaks": [asdict(leak) for leak in search.leaks],
        "unread": [asdict(unread) for unread in search.unread],
    }


def show(told: dict[str, Any]) -> None:
    """The report as tables."""
    leaks: dict[str, int] = {}
    for leak in told["leaks"]:
        leaks[leak["sink"]] = leaks.get(leak["sink"], 0) + 1
    rows = [[sink, counts["streams"], counts["bytes"], leaks.get(sink, 0)] for sink, counts in told["sinks"].items()]
    console.print_table(("searched", "streams", "bytes", "leaks"), rows, f"{told['canaries']} canaries")
    console.out.print(f"Undone on the way: {', '.join(told['forms_undone'])}", highlight=False)
    if told["leaks"]:
        found = [[leak["sink"], leak["place"], leak["canary"], leak["form"]] for leak in told["leaks"]]
        console.print_table(("sink", "place", "canary", "form"), found, "Leaks")
    if told["unread"]:
        unread = [[one["sink"], one["place"], one["form"]] for one in told["unread"]]
        console.print_table(("sink", "place", "form"), unread, "Not searched to the end")
    if told["clean"]:
        console.out.print("No canary got out.", highlight=False)
