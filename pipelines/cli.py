"""The `homeward` command line. Thin: every command reads its arguments and calls one function of the house.

Exit codes: 0 done, 1 done with rejected rows or findings, 2 refused or bad input, 3 internal error or something that
did not serve. Nothing heavy is imported before it is needed, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from codebook.errors import HomewardError, Unavailable
from pipelines import vault_finding, vault_keeping, vault_removing, vault_requests  # noqa: F401  # join `homeward vault`
from pipelines.vault_commands import vault_app

app = typer.Typer(
    name="homeward",
    help="Turns deliveries about returning migrants into one comparable, pseudonymous warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
warehouse_app = typer.Typer(help="The embedded PostgreSQL server.", no_args_is_help=True)
app.add_typer(warehouse_app, name="warehouse")
app.add_typer(vault_app, name="vault")

SourceOption = Annotated[str, typer.Option("--source", help="Source id, such as slv/dgme_returns.")]
AnySources = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be given again.")]
AnySource = Annotated[str | None, typer.Option("--source", help="Only this source.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

DONE, FINDINGS, REFUSED, FAULT = 0, 1, 2, 3


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    if debug:
        os.environ["HOMEWARD_DEBUG"] = "1"


@app.command()
def demo(json: Json = False) -> None:
    """Make sample deliveries, run them all, say where to look."""
    from pipelines.demo import run_demo

    raise typer.Exit(run_demo(json))


@app.command()
def deliver(
    files: Annotated[list[Path] | None, typer.Argument(help="The files of one delivery.")] = None,
    *,
    source: SourceOption,
) -> None:
    """Put files into the inbox as one delivery (what a supplier does). A database source takes no files."""
    from pipelines.deliveries import deliver_files

    deliver_files(files or [], source)


@app.command()
def run(
    source: AnySources = None,
    delivery: Annotated[str | None, typer.Option(help="Run this delivery of --source again.")] = None,
    json: Json = False,
) -> None:
    """Process every waiting delivery through its Dagster job."""
    from pipelines.deliveries import run_again, run_all

    raise typer.Exit(run_again(source or [], delivery, json) if delivery else run_all(source or [], json))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="The files of one delivery.")],
    source: SourceOption,
    language: Annotated[str | None, typer.Option(help="Language of the return: en, fr, es or ar.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the marked return.")] = Path("check"),
    json: Json = False,
) -> None:
    """Dry run: write the marked return; nothing is stored, nothing enters the warehouse."""
    from pipelines.deliveries import check_files

    raise typer.Exit(check_files(files, source, language, out, json))


@app.command()
def profile(
    file: Annotated[Path, typer.Argument(help="Any file that a supplier has.")],
    form: Annotated[Path | None, typer.Option(help="The XLSForm that the file was collected with.")] = None,
    json: Json = False,
) -> None:
    """What is in a file: tables, columns, labels, types, likely personal data. Counts only, never a value."""
    from pipelines.profiling import show_profile

    show_profile(file, form, json)


@app.command()
def scaffold(
    file: Annotated[Path, typer.Argument(help="A file that the supplier delivers.")],
    country: Annotated[str, typer.Option(help="Country, ISO 3166-1 alpha-3.")],
    source: SourceOption,
    form: Annotated[Path | None, typer.Option(help="The XLSForm that the file was collected with.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of sources to write into.")] = Path("sources"),
    json: Json = False,
) -> None:
    """Propose source.yaml and crosswalk.csv for a file; every row waits for somebody's approval."""
    from pipelines.scaffolding import scaffold_source

    scaffold_source(file, form, country, source, out, json)


@app.command()
def status(source: AnySource = None, json: Json = False) -> None:
    """Deliveries, their states and counts."""
    from pipelines.deliveries import show_status

    show_status(source, json)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement.")],
    role: Annotated[
        str, typer.Option("--as", help="Role: analyst, officer_<iso3>, release_officer, auditor.")
    ] = "analyst",
    layout: Annotated[str, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    out: Annotated[Path | None, typer.Option(help="File to write (needed for parquet).")] = None,
) -> None:
    """Ask the warehouse, read-only, with the rights of a role."""
    from pipelines.analysis import ask

    ask(sql, role, layout, out)


@app.command()
def explain(
    record_key: Annotated[str, typer.Argument(help="Record key of a row of core.*")], json: Json = False
) -> None:
    """Where a row came from: delivery, row, mapping, rules, versions."""
    from pipelines.analysis import explain_record

    explain_record(record_key, json)


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="CSV with the columns and answer names of the instrument.")],
    instrument: Annotated[str, typer.Option(help="Instrument.")] = "rss_2018",
    method: Annotated[str, typer.Option(help="Scoring method.")] = "iom_2018",
    json: Json = False,
) -> None:
    """Score item answers without a warehouse."""
    from pipelines.analysis import score_file

    score_file(file, instrument, method, json)


@app.command()
def leakcheck(json: Json = False) -> None:
    """Deliver made-up people to this deployment, search all of it for them, and take them out again."""
    from pipelines.leakcheck import check_leaks

    raise typer.Exit(check_leaks(json))


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on the loopback interface.")] = 3000) -> None:
    """Start the Dagster UI and its daemon on loopback."""
    from pipelines.ui import serve

    raise typer.Exit(serve(port))


@warehouse_app.command("url")
def warehouse_url() -> None:
    """Print the warehouse's URL; the server runs while somebody uses it."""
    from pipelines.settings import settings

    typer.echo(settings().workplace().warehouse_url)


@warehouse_app.command("start")
def warehouse_start() -> None:
    """Start the embedded server and leave it running."""
    from pipelines.settings import settings
    from warehouse.embedded import EmbeddedServer

    server = EmbeddedServer(settings().workplace().home / "postgres", keep_running=True).start()
    typer.echo(server.url("warehouse"))


@warehouse_app.command("stop")
def warehouse_stop() -> None:
    """Stop the embedded server."""
    from pipelines.settings import settings

    settings().workplace().server.stop()


def main() -> None:
    """Entry point: every expected error is one line on stderr, and the exit code says what kind it was."""
    from anonymization.leaks.process import guard_process

    guard_process()
    try:
        app(standalone_mode=True)
    except HomewardError as error:
        if os.environ.get("HOMEWARD_DEBUG"):
            raise
        print(f"homeward: {error}", file=sys.stderr)  # noqa: T201  # the one place that speaks to the terminal
        sys.exit(FAULT if isinstance(error, Unavailable) else REFUSED)
    except SystemExit:
        raise
    except Exception as error:
        if os.environ.get("HOMEWARD_DEBUG"):
            raise
        from anonymization.leaks.guard import scrub  # the text of an unforeseen error could quote a delivery

        print(f"homeward: {scrub(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(FAULT)
    except BaseException:  # Ctrl-C, or a signal that Dagster turned into an exception of its own
        print("homeward: stopped before the end: run again, it goes on from here", file=sys.stderr)  # noqa: T201
        sys.exit(FAULT)


if __name__ == "__main__":
    main()
