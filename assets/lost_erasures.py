"""Erasures of which the vault does not know: it was brought back from a backup, or a disk's copy, that is older.

The warehouse keeps a copy of each certificate, the home another. Where the vault's audit has no word of one, the person
may be back, and what holds their rows back is not: no delivery of theirs is read before that erasure is repeated. What
an erasure removes is the business of `vault_erasure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets import certificates
from assets.certificates import Certificate
from assets.vault_audit import keep_head
from assets.vault_erasure import Asked, erase
from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable

Said = dict[str, Any]
"""What a certificate says."""


def refuse_older_vault(workplace: Workplace) -> None:
    """Unavailable if the vault lacks an erasure of which the warehouse knows."""
    if lacking := _of_warehouse(workplace):
        raise Unavailable(
            f"the vault is older than {len(lacking)} erasures: a backup was brought back",
            "vault",
            "`homeward vault erase --resume` repeats them, then run again",
        )


def lost(workplace: Workplace) -> list[Said]:
    """Certificates of the warehouse and of the home of which the vault knows nothing; those of other keys are about
    nobody whom it could know."""
    from anonymization.vault import erasure

    known = erasure.certified(workplace.vault)
    found = {said["certificate"]: said for said in (*_of_home(workplace), *_of_warehouse(workplace))}
    return [said for name, said in sorted(found.items()) if name not in known]


def untold(workplace: Workplace, heard: int) -> bool:
    """Whether nothing here tells of erasures after a backup that was restored. `heard`: the line of the vault's audit
    of which the warehouse had heard before; 0: it is as new as the home."""
    return not heard and not any(certificates.folder(workplace).glob("*.json"))


def _of_home(workplace: Workplace) -> Iterator[Said]:
    for path in sorted(certificates.folder(workplace).glob("*.json")):
        with suppress(HomewardError):  # of other keys, or damaged (`doubtful`): nothing is repeated on its word
            yield certificates.verify(workplace.keyring, path)


def doubtful(workplace: Workplace) -> list[str]:
    """Files of the home that say of an erasure what cannot be believed, and of which the vault knows nothing: they were
    damaged or changed, or are of another vault. Whom they are about may be back."""
    from anonymization.vault import erasure

    known = erasure.certified(workplace.vault)
    unknown = (path for path in sorted(certificates.folder(workplace).glob("*.json")) if path.stem not in known)
    return [path.name for path in unknown if not _stands(workplace, path)]


def _stands(workplace: Workplace, path: Path) -> bool:
    try:
        certificates.verify(workplace.keyring, path)
    except HomewardError:
        return False
    return True


def _of_warehouse(workplace: Workplace) -> list[Said]:
    from anonymization.vault import erasure
    from warehouse import erasure_certificates

    lacking = erasure_certificates.names(workplace.warehouse)
    if not lacking or not (lacking := lacking - erasure.certified(workplace.vault)):
        return []
    kept = [said for said in erasure_certificates.kept(workplace.warehouse) if said["certificate"] in lacking]
    return [said for said in kept if certificates.is_signed(workplace.keyring, said)]


def repeat_lost(workplace: Workplace) -> list[Certificate]:
    """Repeat them all, in other programmes and with sealed files kept as they were."""
    done = []
    for said in lost(workplace):
        kept = any(line["done"] == "kept" for line in said["sealed_deliveries"])
        asked = Asked([], said["reason"], said["officer"], bool(said.get("programmes")), kept)
        done += _repeat(workplace, [said], asked)
    return done


def erase_again(workplace: Workplace, folder: Path, asked: Asked) -> list[Certificate]:
    """Erase whom the certificates in a folder name: copies that were kept elsewhere."""
    said = certificates.in_folder(workplace.keyring, folder)
    if not said:
        raise HomewardError("there is no certificate in this folder", folder.name, "name the folder vault/certificates")
    return _repeat(workplace, said, asked)


def _repeat(workplace: Workplace, said: list[Said], asked: Asked) -> list[Certificate]:
    """First the marks that hold their rows back, then whom the vault knows of them; at last that it is done."""
    from anonymization.vault import erasure

    for one in said:
        erasure.mark_again(workplace.vault, one["country"], one.get("marks", ()))
    named = {name for one in said for name in _persons(one)}
    done = [
        certificate
        for tokens in erasure.tokens_by_country(workplace.vault).values()
        if (back := [token for token in tokens if certificates.pseudonym(workplace.keyring, token) in named])
        for certificate in erase(workplace, replace(asked, whom=back))
    ]
    for one in said:
        erasure.certify_again(workplace.vault, one["country"], one["certificate"])
    keep_head(workplace)
    return done


def _persons(said: Said) -> Iterable[str]:
    return (said["person"], *said.get("other_tokens", ()))
