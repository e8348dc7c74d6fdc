"""`homeward vault`: the commands of who keeps the vault. They print counts, and never a value or a key."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.vault_commands import Json, vault_app


@vault_app.command("audit")
def show_audit(
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain.")] = False,
    last: Annotated[int, typer.Option(help="So many lines.")] = 20,
    json: Json = False,
) -> None:
    """What was done with the vault, by whom; --verify finds the first line that was changed or taken out."""
    from anonymization import audit
    from assets import vault_audit
    from codebook.errors import HomewardError
    from pipelines import console
    from pipelines.settings import settings

    workplace = settings().workplace()
    if verify:
        broken = vault_audit.verify(workplace)
        if broken is not None:
            raise HomewardError(
                f"the audit is broken at entry {broken.entry}: {broken.why}",
                "vault.audit",
                "compare with a backup, and find out who can write to the vault",
            )
        vault_audit.keep_head(workplace)
        head = audit.head(workplace.vault)
        entries = head.entry if head else 0
        if json:
            console.print_json({"entries": entries, "broken": None})
        else:
            console.out.print(f"{entries} entries, every one as it was written.", highlight=False)
        return
    told = [
        {
            "entry": line.entry, "at": line.at.isoformat(timespec="seconds"), "login": line.login,
            "officer": line.officer, "action": line.action, "country": line.country, "facts": line.facts,
        }
        for line in audit.lines(workplace.vault, last)
    ]  # fmt: skip
    if json:
        console.print_json(told)
        return
    columns = ("entry", "at", "login", "officer", "action", "country", "facts")
    rows = [[_told(line[name]) for name in columns] for line in told]
    console.print_table(columns, rows)


def _told(value: object) -> object:
    return ", ".join(f"{name} {fact}" for name, fact in value.items()) if isinstance(value, dict) else value
