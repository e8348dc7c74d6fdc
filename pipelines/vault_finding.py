"""`homeward vault find`: who is known by a number that somebody brings. It prints tokens, and never the number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.vault_commands import Json, vault_app

if TYPE_CHECKING:
    from anonymization.vault.finding import Answer

_LONGEST = 1_000
"""Bytes of what is read from a pipe: a number, not a list of them."""


@vault_app.command()
def find(
    scheme: Annotated[
        str,
        typer.Option(
            help="What the number is: slv_dui or another declared scheme, phone, email, document, case_number."
        ),
    ],
    country: Annotated[str, typer.Option(help="Country, ISO 3166-1 alpha-3.")],
    purpose: Annotated[str, typer.Option(help="What the person asks for: access, correction or erasure.")],
    officer: Annotated[str, typer.Option("--as", help="The officer's name; the login is recorded beside it.")],
    json: Json = False,
) -> None:
    """Tokens of who is known by a number that somebody brings. It is asked, unseen, or read from standard input, and is
    no argument: those stay in a shell's history."""
    from anonymization.vault import finding
    from assets.lost_erasures import refuse_older_vault
    from assets.vault_audit import head_kept
    from pipelines.settings import settings
    from sources.loader import list_sources, load_source

    workplace = settings().workplace()
    refuse_older_vault(workplace)
    value = _brought()
    sources = [load_source(name) for name in list_sources()]
    with head_kept(workplace):
        asked = finding.Asked(country.upper(), scheme, purpose, officer)
        answer = finding.find(workplace.vault, sources, asked, value)
    _tell(answer, json)


def _brought() -> str:
    """The number that somebody brings: typed twice without being shown, or one line of standard input."""
    import sys

    from codebook.errors import HomewardError

    if sys.stdin.isatty():
        typed: str = typer.prompt("Number", hide_input=True, confirmation_prompt="The same again", err=True)
        return typed
    given = sys.stdin.buffer.read(_LONGEST + 1)
    try:
        lines = [line for line in given.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise HomewardError("what was given is no UTF-8", "standard input", "type it at the terminal") from None
    if len(lines) != 1 or len(given) > _LONGEST:
        raise HomewardError("one number is looked up at a time", "standard input", "give it on one line")
    return lines[0]


def _tell(answer: Answer, json: bool) -> None:
    from pipelines import console

    if json:
        persons = [
            {"programme": one.programme or None, "tokens": [str(token) for token in one.tokens], "by": list(one.by)}
            for one in answer.persons
        ]
        told = {"persons": persons, "doubtful": answer.doubtful, "not_searched": answer.unlinked}
        console.print_json(told)
        return
    if answer.doubtful:
        console.warn("the number's check does not fit: see that it was typed as it stands on the paper")
    rows = [
        [number, one.programme or "the common one", str(token), ", ".join(one.by)]
        for number, one in enumerate(answer.persons, start=1)
        for token in one.tokens
    ]
    if rows:
        console.print_table(("person", "programme", "person_token", "known by"), rows)
    count = {0: "Nobody is", 1: "One person is"}.get(len(answer.persons), f"{len(answer.persons)} persons are")
    console.out.print(f"{count} known by it.", highlight=False)
    programmes = [one.programme for one in answer.persons]
    if len(programmes) > len(set(programmes)):
        console.warn("it leads to several persons: have a name told (`homeward vault request`) before one is erased")
    if answer.unlinked:
        console.warn(
            f"such numbers stand in {', '.join(answer.unlinked)} too, by which nobody is found who is known by others"
        )
