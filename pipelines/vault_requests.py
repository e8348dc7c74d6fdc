"""`homeward vault request|approve|reveal|requests`: naming a person takes two officers, a purpose and an end.

`reveal` shows identities on the terminal and nowhere else.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.vault_commands import Json, vault_app

Officer = Annotated[str, typer.Option("--as", help="The officer's name; the login is recorded beside it.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Number of the request.")]


@vault_app.command()
def request(
    token: Annotated[str, typer.Option(help="person_token, as an officer sees it.")],
    purpose: Annotated[str, typer.Option(help="What the name is needed for; name nobody in it.")],
    officer: Officer,
    expires: Annotated[int, typer.Option(metavar="DAYS", help="Days of 24 hours until it ends.")] = 7,
    json: Json = False,
) -> None:
    """Ask to be told who a person is; another officer must approve."""
    from anonymization.vault import requests
    from assets.vault_audit import head_kept
    from pipelines import console
    from pipelines.settings import settings

    workplace = settings().workplace()
    with head_kept(workplace):
        number = requests.ask(workplace.vault, requests.as_token(token), purpose, officer, expires)
    if json:
        console.print_json({"request": number})
    else:
        console.out.print(f"Request {number} waits for another officer.", highlight=False)


@vault_app.command()
def approve(number: Number, officer: Officer) -> None:
    """Approve another officer's request."""
    from anonymization.vault import requests
    from assets.vault_audit import head_kept
    from pipelines import console
    from pipelines.settings import settings

    workplace = settings().workplace()
    with head_kept(workplace):
        approved = requests.approve(workplace.vault, number, officer)
    until = console.moment(approved.expires_at)
    console.out.print(f"Request {number} is approved until {until} (UTC).", highlight=False)


@vault_app.command()
def reveal(number: Number, officer: Officer, json: Json = False) -> None:
    """Show, to the officer who asked, who the person is. On the terminal only: keep no copy."""
    from anonymization.vault import requests
    from assets.lost_erasures import refuse_older_vault
    from assets.vault_audit import head_kept
    from pipelines import console
    from pipelines.settings import settings

    workplace = settings().workplace()
    refuse_older_vault(workplace)
    with head_kept(workplace):
        said = requests.reveal(workplace.vault, number, officer)
    if json:
        console.print_json([{"source": one.origin, "record": one.record} for one in said])
        return
    if not said:
        console.out.print("No source has said who this is.")
    for one in said:
        console.print_table(("", ""), list(one.record.items()), title=one.origin)


@vault_app.command("requests")
def list_requests(json: Json = False) -> None:
    """Requests to name a person, and where they stand; no name is shown."""
    from anonymization.vault import requests
    from pipelines import console
    from pipelines.settings import settings

    told = [
        {
            "request": one.request_id, "country": one.country, "purpose": one.purpose, "asked_by": one.asked_by,
            "approved_by": one.approved_by, "expires": console.moment(one.expires_at),
            "state": one.state,
        }
        for one in requests.requests(settings().workplace().vault)
    ]  # fmt: skip
    if json:
        console.print_json(told)
        return
    columns = ("request", "country", "purpose", "asked_by", "approved_by", "expires", "state")
    console.print_table(columns, [[one[name] for name in columns] for one in told])
