"""The workplace of a deployment: its folders, keys and databases, opened when they are first needed.

Passed to every stage in place of global state. It knows where things are and nothing of what they mean.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from anonymization.keys.ring import Keyring
    from anonymization.vault.vault import Vault
    from warehouse.embedded import EmbeddedServer

PRIVATE = 0o770
"""Of folders with rows about persons, delivered or pseudonymous: others have logins on this machine, and no right to
them. The group is left what the umask leaves it, so that suppliers may have an account of their own."""


class Workplace:
    """One deployment under `home`: embedded databases unless URLs of real ones are given."""

    def __init__(self, home: Path, warehouse_url: str | None = None, vault_url: str | None = None, workers: int = 2):
        self.home = home
        self.workers = max(1, min(workers, os.cpu_count() or 1))
        self._warehouse_url, self._vault_url = warehouse_url, vault_url

    def __reduce__(self) -> tuple[Callable[..., Workplace], tuple[object, ...]]:
        return Workplace, (self.home, self._warehouse_url, self._vault_url, self.workers)

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    @property
    def outbox(self) -> Path:
        return self.home / "outbox"

    @property
    def sealed(self) -> Path:
        """Raw files as delivered, encrypted."""
        return self.home / "vault" / "store"

    @property
    def sweeps(self) -> Path:
        """Sealed pages of servers that are being read; gone when the delivery is received."""
        return self.home / "vault" / "sweeps"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    def store(self, source: str, delivery: str) -> Path:
        """The Parquet files that stages 2 and 3 of one delivery write."""
        return self.home / "store" / source / delivery

    def returned(self, source: str, delivery: str) -> Path:
        """Where the marked return of one delivery is left for its supplier."""
        return self.outbox / source / delivery

    @cached_property
    def warehouse_url(self) -> str:
        """SQLAlchemy URL (psycopg 3) of the warehouse; starts the embedded server where no other was named."""
        return self._warehouse_url or self.server.url("warehouse")

    @cached_property
    def vault_url(self) -> str:
        """SQLAlchemy URL of the vault, a database of its own."""
        return self._vault_url or self.server.url("vault")

    @cached_property
    def keyring(self) -> Keyring:
        from anonymization.keys.ring import Keyring
        from anonymization.vault.first_run import refuse_if_keys_were_lost
        from warehouse import vault_head

        folder = self.home / "keys"
        if not Keyring.is_in(folder):
            refuse_if_keys_were_lost(self.vault_url, folder, self.sealed, lambda: bool(vault_head.kept(self.warehouse)))
        return Keyring.open(folder)

    @cached_property
    def vault(self) -> Vault:
        from anonymization.vault.vault import Vault

        vault = Vault(self.vault_url, self.keyring)
        vault.migrate()
        return vault

    @cached_property
    def warehouse(self) -> Engine:
        """Engine on the warehouse, with its schemas in place."""
        from codebook.loader import load_codebook
        from sources.loader import list_sources
        from warehouse import engine, schema

        connected = engine.connect(self.warehouse_url)
        schema.migrate(connected, load_codebook(), {source[:3].upper() for source in list_sources()})
        return connected

    def ready_url(self) -> str:
        """The warehouse's URL, once its schemas and roles are in place."""
        return self.warehouse.url.render_as_string(hide_password=False)

    @cached_property
    def server(self) -> EmbeddedServer:
        """The embedded PostgreSQL of this home, started."""
        from warehouse.embedded import EmbeddedServer

        return EmbeddedServer(self.home / "postgres").start()
