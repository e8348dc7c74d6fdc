"""Reads any supplier's file or server into batches of text. Knows formats; knows nothing of meaning."""

from connectors.cutting import NOT_BY_ROW, attached_to, files_of, same_but_for, without_rows
from connectors.database import snapshot
from connectors.delivery import Opened, Part, open_delivery, with_tables
from connectors.kobo.server import Unfinished, sweep
from connectors.shapes import ColumnShape, TableShape

__all__ = [
    "NOT_BY_ROW",
    "ColumnShape",
    "Opened",
    "Part",
    "TableShape",
    "Unfinished",
    "attached_to",
    "files_of",
    "open_delivery",
    "same_but_for",
    "snapshot",
    "sweep",
    "with_tables",
    "without_rows",
]
