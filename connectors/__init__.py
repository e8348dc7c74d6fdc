"""Reads any supplier's file or server into batches of text. Knows formats; knows nothing of meaning."""

from connectors.database import snapshot
from connectors.delivery import Opened, Part, open_delivery
from connectors.kobo.server import sweep
from connectors.shapes import ColumnShape, TableShape

__all__ = ["ColumnShape", "Opened", "Part", "TableShape", "open_delivery", "snapshot", "sweep"]
