"""Servers of tests wait for no disk: a killed process or server leaves the same behind, and no test cuts the power."""

from __future__ import annotations

from pathlib import Path

import psycopg


def unflushed(folder: Path) -> None:
    """From now on, and after each start, the machine decides when files of the server in `folder` reach the disk."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}", autocommit=True) as server:
        server.execute("ALTER SYSTEM SET fsync TO off")
        server.execute("SELECT pg_reload_conf()")
