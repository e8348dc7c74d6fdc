"""How far the vault's audit had come, kept beside it: a chain whose end was cut off is noticed by this.

Numbers and digests only. What the chain is, is the vault's business.
"""

from __future__ import annotations

from sqlalchemy import Engine

from warehouse.engine import run, transaction


def keep(engine: Engine, entry: int, digest: str) -> None:
    """Remember that the audit had this line. The first word on a line stands."""
    with transaction(engine, "head of the vault's audit") as conn:
        run(
            conn,
            "INSERT INTO audit.vault_head (entry, digest) VALUES (%(entry)s, %(digest)s) ON CONFLICT DO NOTHING",
            {"entry": entry, "digest": digest},
        )


def kept(engine: Engine) -> list[tuple[int, str]]:
    """Every line that was remembered, as number and digest."""
    with transaction(engine, "head of the vault's audit") as conn:
        return run(conn, "SELECT entry, digest FROM audit.vault_head ORDER BY entry").fetchall()


def last(engine: Engine) -> int:
    """The number of the last line that was remembered; 0: none."""
    return max((entry for entry, _ in kept(engine)), default=0)


def forget_from(engine: Engine, entry: int) -> None:
    """Remember no line from this one on: the vault was restored from a backup that has none of them."""
    with transaction(engine, "head of the vault's audit") as conn:
        run(conn, "DELETE FROM audit.vault_head WHERE entry >= %(entry)s", {"entry": entry})
