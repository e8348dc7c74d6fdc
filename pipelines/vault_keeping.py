"""`homeward vault`: the commands of who keeps the vault. They print counts, and never a value or a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.vault_commands import Json, tell_doubtful, vault_app

if TYPE_CHECKING:
    from anonymization.vault.backup import Held
    from assets.vault_epochs import Epoch


@vault_app.command()
def keys(
    retire: Annotated[
        int | None, typer.Option(metavar="EPOCH", help="Destroy the master key of an old epoch that nothing needs.")
    ] = None,
    by: Annotated[str | None, typer.Option("--as", help="Who retires it, for the audit.")] = None,
    json: Json = False,
) -> None:
    """Which root key opens this vault, each country's epoch, and what needs which epoch; no key is shown."""
    from anonymization.keys import country_keys, roots
    from assets import vault_epochs
    from pipelines import console
    from pipelines.settings import settings

    workplace = settings().workplace()
    if retire is not None:
        with console.watching(f"epoch {retire}"):
            gone = vault_epochs.retire(workplace, retire, by)
        _tell_retired(gone, json)
        return
    vault, keyring = workplace.vault, workplace.keyring
    root = keyring.root
    with vault.transaction() as cursor:
        opened = country_keys.all_opened(cursor, keyring)
        counted = cursor.execute("SELECT country, count(*) FROM vault.person GROUP BY country").fetchall()
    persons = dict(counted)
    epochs = {name: one.epoch for name, one in opened.items()}
    needed = vault_epochs.epochs(workplace, opened)
    told = {
        "root_from": root.source if root else None,
        "key_id": root.key_id if root else None,
        "ring": str(workplace.home / "keys"),
        "newest_epoch": keyring.present,
        "countries": [{"country": c, "epoch": e, "persons": persons.get(c, 0)} for c, e in epochs.items()],
        "epochs": [
            {"epoch": o.epoch, "state": o.state, "needed_by": list(o.needs), "backups": o.backups} for o in needed
        ],
        "retired": keyring.retired,
    }
    if json:
        console.print_json(told)
        return
    where = {"file": f"file {roots.ROOT_FILE}", "environment": roots.VARIABLE, "command": roots.COMMAND}
    came = where[root.source] if root else "nowhere"
    console.out.print(f"Root key {told['key_id']}, from {came}; newest epoch {keyring.present}.", highlight=False)
    rows = [[c, e, persons.get(c, 0)] for c, e in epochs.items()]
    console.print_table(("country", "epoch", "persons"), rows)
    rows = [[o.epoch, o.state, ", ".join(o.needs), o.backups] for o in needed]
    rows += [[epoch, "retired", "", ""] for epoch in keyring.retired]
    console.print_table(("epoch", "state", "needed by", "backups that carry it"), sorted(rows))


def _tell_retired(gone: Epoch, json: bool) -> None:
    from pipelines import console

    if json:
        console.print_json({"retired": gone.epoch, "backups": gone.backups})
        return
    console.out.print(f"The master key of epoch {gone.epoch} is destroyed.", highlight=False)
    carry = f"{gone.backups} archives of `vault backup` and copies of the key folder carry it still"
    console.out.print(f"{carry}: replace those, and `homeward vault rotate --root`.", highlight=False)


@vault_app.command()
def rotate(
    country: Annotated[str | None, typer.Option(help="Only this country (ISO 3166 alpha-3).")] = None,
    root: Annotated[bool, typer.Option("--root", help="Change the root key as well.")] = False,
    by: Annotated[str | None, typer.Option("--as", help="Who rotates, for the audit.")] = None,
    json: Json = False,
) -> None:
    """New keys for every country and sealed file; tokens stay. Cut off, run it again: it goes on."""
    from dataclasses import asdict

    from assets import vault_rotation
    from pipelines import console
    from pipelines.settings import settings

    with console.watching("rotation"):
        done = vault_rotation.rotate(settings().workplace(), country and country.upper(), root, by)
    if json:
        told = [{"country": o.country, "epoch": o.epoch, "persons": o.persons} for o in done.countries]
        console.print_json({"countries": told, **asdict(done.renewed), "files": done.files, "root": done.root})
        return
    rows = [[one.country, one.epoch, one.persons, one.indexes] for one in done.countries]
    console.print_table(("country", "epoch", "persons", "indexes"), rows)
    told_persons = f"{done.renewed.persons} persons have another key, {done.renewed.damaged} damaged records stay"
    console.out.print(f"{told_persons}; {done.files} sealed files; tokens are what they were.", highlight=False)
    if done.root:
        console.out.print(f"The root key is now {done.root}: back up the key folder.", highlight=False)


KeyFile = Annotated[Path | None, typer.Option(help="Key file (0600, 32 random bytes) in place of a passphrase.")]


@vault_app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write.")],
    key_file: KeyFile = None,
    store: Annotated[bool, typer.Option("--store", help="With the sealed raw files.")] = False,
    json: Json = False,
) -> None:
    """Write vault and keys into one encrypted archive. The passphrase: asked, or HOMEWARD_BACKUP_PASSPHRASE."""
    from anonymization.vault import backup as archive
    from assets.vault_audit import keep_head
    from pipelines import console
    from pipelines.settings import settings

    workplace = settings().workplace()
    secret = _secret(key_file, twice=True)
    with console.watching("backup"):
        held = archive.backup(workplace.vault, file, secret, workplace.sealed if store else None)
        keep_head(workplace)
    _tell_archive(held, json)


@vault_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The archive to read.")], key_file: KeyFile = None, json: Json = False
) -> None:
    """Bring an archive back into a home without keys and an empty vault; whole, or not at all. Who was erased since is
    erased again. Cut off, run it again."""
    from anonymization.vault import audit
    from anonymization.vault import backup as archive
    from assets import lost_erasures, vault_audit
    from pipelines import console
    from pipelines.settings import settings
    from warehouse import vault_head

    workplace = settings().workplace()
    secret = _secret(key_file, twice=False)
    with console.watching("restore"):
        known = vault_head.last(workplace.warehouse)
        held = archive.restore(file, secret, workplace.vault_url, workplace.home / "keys", workplace.sealed, known)
        vault_audit.follow_restore(workplace)
        lost_erasures.repeat_lost(workplace)
        again = audit.repeated(workplace.vault)
    if lost_erasures.untold(workplace, known):
        console.warn(
            "neither warehouse nor home tells whether anybody was erased after this backup was made: who was is back."
            " Before a delivery is read, `homeward vault erase --again FOLDER` with the certificates that you keep"
            " elsewhere"
        )
    tell_doubtful(lost_erasures.doubtful(workplace))
    _tell_archive(held, json, again)


def _secret(key_file: Path | None, twice: bool) -> bytes:
    """What the archive opens with: of a key file, of the environment, or asked on the terminal."""
    import os

    from anonymization.vault.sealed_stream import secret_of_file, secret_of_passphrase

    if key_file is not None:
        return secret_of_file(key_file)
    given = os.environ.get("HOMEWARD_BACKUP_PASSPHRASE")
    return secret_of_passphrase(given or typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice))


def _tell_archive(held: Held, json: bool, erased_again: int = 0) -> None:
    from dataclasses import asdict

    from pipelines import console

    if json:
        console.print_json(asdict(held) | {"erased_again": erased_again})
        return
    told = f"{held.persons} persons, {held.tables} tables, {held.files} sealed files, {held.size:,} bytes."
    console.out.print(told, highlight=False)
    if erased_again:
        console.out.print(f"{erased_again} persons who were erased since are erased again.", highlight=False)


@vault_app.command("audit")
def show_audit(
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain.")] = False,
    last: Annotated[int, typer.Option(help="So many lines.")] = 20,
    json: Json = False,
) -> None:
    """What was done with the vault, by whom; --verify finds the first line that was changed or taken out."""
    from anonymization.vault import audit
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
            "entry": line.entry, "at": console.moment(line.at, "seconds"), "login": line.login,
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
