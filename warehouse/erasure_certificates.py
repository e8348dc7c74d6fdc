"""Copies of the certificates of erasures, kept apart from the vault: one that is brought back from an older backup is
told by them whom it must not know. They hold no value, and keyed hashes only. What they say is the vault's business.
"""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from warehouse.engine import run, transaction


def keep(engine: Engine, said: dict[str, Any]) -> None:
    """The copy of a certificate; once more changes nothing."""
    with transaction(engine, "certificates of erasures") as conn:
        run(
            conn,
            "INSERT INTO audit.erasure (certificate, said) VALUES (%(certificate)s, %(said)s) ON CONFLICT DO NOTHING",
            {"certificate": said["certificate"], "said": Jsonb(said)},
        )


def kept(engine: Engine) -> list[dict[str, Any]]:
    """What the certificates say, in the order of their names, which begin with their time."""
    with transaction(engine, "certificates of erasures") as conn:
        return [said for (said,) in run(conn, "SELECT said FROM audit.erasure ORDER BY certificate").fetchall()]


def names(engine: Engine) -> set[str]:
    """The names of all of them."""
    with transaction(engine, "certificates of erasures") as conn:
        return {name for (name,) in run(conn, "SELECT certificate FROM audit.erasure").fetchall()}
