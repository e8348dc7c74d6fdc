"""Servers of tests wait for no disk: a killed process or server leaves the same behind, and no test cuts the power.

The one that rooms share does nothing by itself either: what a test sees of its pages is what was done to them."""

from __future__ import annotations

from pathlib import Path
from typing import LiteralString

import psycopg


def unflushed(folder: Path) -> None:
    """From now on, and after each start, the machine decides when files of the server in `folder` reach the disk."""
    _set(folder, "ALTER SYSTEM SET fsync TO off")


def left_alone(folder: Path) -> None:
    """From now on no table of the server in `folder` is vacuumed or analyzed at a moment of the server's own."""
    _set(folder, "ALTER SYSTEM SET autovacuum TO off")


def _set(folder: Path, statement: LiteralString) -> None:
    with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}", autocommit=True) as server:
        server.execute(statement)
        server.execute("SELECT pg_reload_conf()")
