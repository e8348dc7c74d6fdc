"""`homeward vault`: what the holder of the vault's keys does by command. Nothing heavy is imported before it is needed.

The only place where names are shown to anybody, and on the screen only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from anonymization.linkage.review import Pair
    from anonymization.vault.mending import Wrong
    from assets.workplace import Workplace

vault_app = typer.Typer(help="The vault: for those who hold its keys.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@vault_app.command()
def review(
    country: Annotated[str | None, typer.Option(help="Only this country (ISO 3166 alpha-3).")] = None,
    accept: Annotated[int | None, typer.Option(metavar="ID", help="These two are one person.")] = None,
    reject: Annotated[int | None, typer.Option(metavar="ID", help="These two are two persons.")] = None,
    undo: Annotated[int | None, typer.Option(metavar="ID", help="Take a merge back: two persons again.")] = None,
    by: Annotated[str | None, typer.Option("--as", help="Who decides (default: the login).")] = None,
    merged: Annotated[bool, typer.Option("--merged", help="List what counts as one person now.")] = False,
    last: Annotated[int, typer.Option(help="So many pairs, the most likely first.")] = 20,
    json: Json = False,
) -> None:
    """Pairs of persons who may be one, side by side; settle one with --accept, --reject or --undo."""
    from anonymization.linkage import review as desk
    from assets.lost_erasures import refuse_older_vault
    from assets.vault_audit import keep_head
    from codebook.errors import HomewardError
    from pipelines.settings import settings

    answers = {desk.ACCEPTED: accept, desk.REJECTED: reject, desk.UNDONE: undo}
    given = [(number, answer) for answer, number in answers.items() if number is not None]
    if len(given) > 1:
        raise HomewardError("one answer at a time", "homeward vault review", "give --accept, --reject or --undo once")
    workplace = settings().workplace()
    if given:
        _settle(workplace, *given[0], by)
        return
    states = ("merged", desk.ACCEPTED) if merged else (desk.WAITING,)
    refuse_older_vault(workplace)
    found = desk.pairs(workplace.vault, country and country.upper(), states, last)
    keep_head(workplace)
    _show(found, json)


def _settle(workplace: Workplace, number: int, answer: str, by: str | None) -> None:
    """Record the answer, and let warehouse and marts follow it."""
    from getpass import getuser

    from anonymization.linkage import review as desk
    from assets.tokens import follow_tokens
    from assets.vault_audit import keep_head
    from assets.way import refresh_marts
    from pipelines import console
    from sources.loader import list_sources, load_source

    with console.watching(f"decision {number}"):
        country = desk.settle(workplace.vault, number, answer, getuser() if by is None else by)
        keep_head(workplace)
        events = follow_tokens(workplace, country)
        if events:
            refresh_marts(workplace, [load_source(name) for name in list_sources()])
    console.out.print(f"Decision {number} is {answer}; {events} tokens changed what they count as.", highlight=False)


def _show(pairs: list[Pair], json: bool) -> None:
    from dataclasses import asdict

    from pipelines import console

    if json:
        console.print_json([asdict(pair) for pair in pairs])
        return
    if not pairs:
        console.out.print("Nothing waits.")
    for pair in pairs:
        names = list(dict.fromkeys([*pair.one, *pair.other]))
        rows = [[name, pair.one.get(name), pair.other.get(name)] for name in names]
        title = f"decision {pair.decision_id}, {pair.country}, {pair.weight:.1f} bits, {pair.state}"
        console.print_table(("", "one", "other"), rows, title)


@vault_app.command()
def events(
    country: Annotated[str, typer.Option(help="Country, ISO 3166-1 alpha-3.")],
    mend: Annotated[bool, typer.Option("--mend", help="Bring them back to what was decided.")] = False,
    by: Annotated[str | None, typer.Option("--as", help="Who mends, for the audit (default: the login).")] = None,
    json: Json = False,
) -> None:
    """Whether tokens count as what was decided; --mend sets right what somebody wrote into the vault or took out."""
    from getpass import getuser

    from anonymization.vault import mending
    from assets.tokens import follow_tokens
    from assets.vault_audit import head_kept
    from assets.way import refresh_marts
    from pipelines import console
    from pipelines.settings import settings
    from sources.loader import list_sources, load_source

    workplace = settings().workplace()
    if not mend:
        wrong = mending.look(workplace.vault, country.upper())
        _tell_wrong(wrong, json)
        raise typer.Exit(1 if wrong else 0)
    with console.watching(f"tokens of {country.upper()}"), head_kept(workplace):
        wrong = mending.mend(workplace.vault, country.upper(), getuser() if by is None else by)
        if follow_tokens(workplace, country.upper()):
            refresh_marts(workplace, [load_source(name) for name in list_sources()])
    _tell_wrong(wrong, json)
    if wrong and not json:
        console.out.print("It is set right.", highlight=False)


def _tell_wrong(wrong: Wrong, json: bool) -> None:
    from pipelines import console

    rows = [
        [one.event, str(one.token), one.says and str(one.says), one.counts_as and str(one.counts_as)]
        for one in wrong.events
    ]
    columns = ("event", "token", "says", "counts_as")
    if json:
        told = [dict(zip(columns, row, strict=True)) for row in rows]
        console.print_json({"decisions": wrong.decisions, "persons": wrong.persons, "events": told})
        return
    if not wrong:
        console.out.print("Every token counts as what was decided.", highlight=False)
    for number in wrong.decisions:
        console.warn(f"decision {number} is not as it was made: undone, an officer may accept it again")
    if wrong.persons:
        console.warn(f"{wrong.persons} tokens stand in other groups than the decisions say")
    if rows:
        console.print_table(columns, rows, "Events that do not say what the groups do (none: it was taken out)")


def tell_doubtful(certificates: list[str]) -> None:
    """Of certificates that nobody can go by: an erasure may be lost with them."""
    from pipelines import console

    for name in certificates:
        console.warn(
            f"the certificate {name} is damaged, was changed or is of another vault: whom it names may be back; look"
            " for a copy of it, then `homeward vault erase --again FOLDER`"
        )
