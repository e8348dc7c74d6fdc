"""Before keys are made: is this a first run, or were the keys lost?

Keys that are made where a vault knows people open nothing of it, and what is sealed under them meanwhile opens no more
once the right ones are brought back. So none are made there. Making and keeping keys is the business of `keys`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anonymization.keys import country_keys
from anonymization.keys.ring import Keyring
from anonymization.vault.seal_format import SUFFIX
from anonymization.vault.vault import ROLE, Vault
from codebook.errors import HomewardError

_IS_MADE = "SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('vault') AND relname = 'country'"


def refuse_if_keys_were_lost(vault_url: str, folder: Path, sealed: Path, audited: Callable[[], bool]) -> None:
    """HomewardError if the vault at `vault_url` or the files in `sealed` need other keys than those that the first run
    would make in `folder`. `audited`: whether the warehouse remembers a vault, asked last."""
    try:
        coming = Keyring.to_be_made(folder)
        _open_all(vault_url, coming, folder)
        if not coming.is_older and any(sealed.glob(f"*{SUFFIX}")):
            raise _lost("there are sealed deliveries", folder)
        if not coming.is_older and audited():
            raise _lost("the warehouse has people of a vault", folder)
    except HomewardError:
        if not Keyring.is_in(folder):  # another first run may just have made them, and have gone on
            raise


def _open_all(vault_url: str, coming: Keyring, folder: Path) -> None:
    vault = Vault(vault_url, coming)
    with vault.transaction(as_role=False) as cursor:
        if not cursor.execute(_IS_MADE).fetchone():
            return
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        known = [country for (country,) in cursor.execute("SELECT country FROM vault.country ORDER BY 1").fetchall()]
        if known and not coming.is_older:
            raise _lost(f"the vault knows people of {', '.join(known)}", folder)
        country_keys.all_opened(cursor, coming)


def _lost(what: str, folder: Path) -> HomewardError:
    mend = "restore the key folder from its backup, or everything by `homeward vault restore` into an empty home"
    return HomewardError(f"{what}, and there are no keys", str(folder), mend)
