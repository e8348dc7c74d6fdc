"""`homeward vault erase|certificate|retain`: who is forgotten, by whose word, and what was removed. They print counts,
and never a value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.vault_commands import Json, tell_doubtful, vault_app

if TYPE_CHECKING:
    from uuid import UUID


@vault_app.command()
def erase(
    reason: Annotated[str, typer.Option(help="Why, naming nobody: it stands in the certificate.")] = "",
    token: Annotated[list[str] | None, typer.Option(help="person_token, as an officer sees it; repeatable.")] = None,
    request: Annotated[
        list[int] | None, typer.Option(metavar="ID", help="The person of this approved request; repeatable.")
    ] = None,
    listed: Annotated[Path | None, typer.Option("--list", help="A file with a person_token on each line.")] = None,
    officer: Annotated[str | None, typer.Option("--as", help="Who erases, for the audit.")] = None,
    keep_raw: Annotated[
        bool,
        typer.Option(
            "--keep-raw",
            help="Keep sealed files whose rows cannot be overwritten one by one (.sav, .dta, .xls ...): without it they"
            " are destroyed.",
        ),
    ] = False,
    everywhere: Annotated[
        bool | None,
        typer.Option("--everywhere/--only-here", help="Where another programme knows the person: there too, or not."),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Whom the certificates in it name: an older backup was restored."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Only finish erasures that were cut off, and repeat those of which the vault does not know.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Erase people everywhere, for good, in one pass, and write a certificate for each. Cut off, run it again: it goes
    on."""
    from assets import lost_erasures, vault_erasure
    from codebook.errors import HomewardError
    from pipelines import console
    from pipelines.settings import settings

    whom = _whom(token or [], listed, request or [])
    if resume + bool(whom) + (again is not None) > 1:
        raise HomewardError(
            "--resume and --again say whom", "homeward vault erase", "leave out who else is to be erased"
        )
    if not resume and again is None and not whom:
        raise HomewardError("who is to be erased?", "homeward vault erase", "give --token, --request or --list")
    workplace = settings().workplace()
    _warn_of_pairs(vault_erasure.undecided(workplace, whom))
    _warn_of_same_records(vault_erasure.same_records(workplace, whom))
    if not (resume or keep_raw):
        _warn(vault_erasure.destroys_whole(workplace, whom))
    with console.watching("erasure"):
        if resume:
            finished = [*vault_erasure.resume(workplace), *lost_erasures.repeat_lost(workplace)]
            tell_doubtful(lost_erasures.doubtful(workplace))
        else:
            asked = vault_erasure.Asked(whom, reason, officer, everywhere, keep_raw)
            if again is None:
                finished = vault_erasure.erase(workplace, asked)
            else:
                finished = lost_erasures.erase_again(workplace, again, asked)
    if json:
        told = [said for _, said in finished]
        console.print_json(told[0] if len(whom) == 1 and listed is None else told)
        return
    for path, said in finished:
        _tell_erasure(path, said)
    if not finished:
        console.out.print("No erasure was cut off." if resume else "The vault knows nobody whom they name.")


def _warn_of_pairs(count: int) -> None:
    """Said before anything is removed; asked, where somebody sits there who can answer."""
    from pipelines import console

    if count:
        console.warn(
            f"{count} pairs of these people wait for an officer (`homeward vault review`): who else is in them stays,"
            " and nobody can tell afterwards that it may be the same person"
        )
        _ask("`homeward vault review` settles the pairs")


def _warn_of_same_records(left: list[UUID]) -> None:
    """The same of who else stands for a record that goes: somebody's number was filled in or mended later, mostly."""
    from pipelines import console

    if left:
        named = " ".join(f"--token {token}" for token in left)
        console.warn(
            f"a record of these people came with another number as well: its rows go, and who is known by that number"
            f" stays in the vault; if it is the same person, erase with {named} too"
        )
        _ask("name the other tokens too, or have a name told first (`homeward vault request`)")


def _warn(sources: list[str]) -> None:
    """The same of files that are destroyed whole."""
    from pipelines import console

    for source in sources:
        console.warn(
            f"{source} delivers files of a statistics package (.sav, .dta, .sas7bdat ...), of which no row can be"
            " overwritten: a sealed one in which the person stands is destroyed whole, with the rows of all others;"
            " --keep-raw keeps it until its retention ends"
        )
    if sources:
        _ask("--keep-raw keeps these files")


def _ask(otherwise: str) -> None:
    """HomewardError if somebody sits at a terminal and says no; `otherwise`: what else can be done."""
    import sys

    from codebook.errors import HomewardError

    if sys.stdin.isatty() and not typer.confirm("Erase all the same?", err=True):
        raise HomewardError("nothing was erased", "homeward vault erase", otherwise)


def _whom(tokens: list[str], listed: Path | None, numbers: list[int]) -> list[UUID | int]:
    from anonymization.vault import requests
    from codebook.errors import HomewardError

    lines: list[tuple[int, str]] = []
    if listed is not None:
        try:
            text = listed.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise HomewardError("the list cannot be read", "--list", "name a text file") from None
        lines = [(at, line) for at, line in enumerate(map(str.strip, text.splitlines()), start=1) if line]
        if not lines:
            raise HomewardError("the list names nobody", "--list", "write a person_token on each line")
    return [
        *(requests.as_token(token) for token in tokens),
        *(requests.as_token(line, f"--list, line {at}") for at, line in lines),
        *numbers,
    ]


def _tell_erasure(path: Path, said: dict[str, Any]) -> None:
    from pipelines import console

    removed = said["removed"]
    rows = [["vault", name, count] for name, count in removed["vault"].items() if count]
    rows += [["warehouse", name, count] for name, count in removed["warehouse"].items() if count]
    rows += [["store", name, count] for name, count in removed["store"].items() if count]
    console.print_table(("where", "what", "removed"), rows)
    for one in said["sealed_deliveries"]:
        until = f" until {one['kept_until']}" if "kept_until" in one else ""
        console.out.print(f"Sealed {one['source']} {one['delivery']}: {one['done']}{until}", highlight=False)
    for remains in said["remains"]:
        if "not searched" in remains:
            console.warn(remains)
    if left := said.get("programmes_left"):
        console.out.print(f"Left in another programme: {', '.join(left)}", highlight=False)
    console.out.print(f"Certificate: {path}", highlight=False, soft_wrap=True)


@vault_app.command()
def certificate(file: Annotated[Path, typer.Argument(help="A certificate of an erasure.")]) -> None:
    """Check that a certificate is as it was signed."""
    from assets import certificates
    from pipelines import console
    from pipelines.settings import settings

    said = certificates.verify(settings().workplace().keyring, file)
    console.out.print(f"{said['certificate']} of {said['at']} is as it was signed.", highlight=False)


@vault_app.command()
def retain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    json: Json = False,
) -> None:
    """Remove what is past its retention: sealed raw files, Parquet, marked returns, identities."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from assets import vault_retention
    from pipelines import console
    from pipelines.settings import settings

    with console.watching("retention"):
        removed = vault_retention.retain(settings().workplace(), datetime.now(UTC).date(), dry_run)
    if json:
        console.print_json([asdict(one) for one in removed])
        return
    if not removed:
        console.out.print("Nothing is past its retention.")
        return
    columns = ("source", "deliveries", "raw_files", "parquet_folders", "returns", "identities")
    rows = [list(asdict(one).values()) for one in removed]
    console.print_table(columns, rows, title="Would be removed" if dry_run else "Removed")
