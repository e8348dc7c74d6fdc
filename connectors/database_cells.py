"""What the driver of a supplier's database gives, as text that loses nothing.

Dates that Python does not have (`infinity`, years before Christ and after 9999, 24:00:00), and spans of months and
years, which are no number of hours, stay as PostgreSQL writes them: one such cell does not cost the delivery. Not its
business: which rows and columns are asked for (`database`).
"""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa


def take_dates_as_written(connection: sa.Connection) -> None:
    """Make a connection to PostgreSQL give the server's own words where Python has no such moment."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.driver == "psycopg":
        for kind, loader in _loaders().items():
            driver.adapters.register_loader(kind, loader)


@cache
def _loaders() -> dict[str, type[Any]]:
    from psycopg import DataError
    from psycopg.types import datetime as known

    def or_as_written(loader: type[Any]) -> type[Any]:
        class OrAsWritten(loader):  # type: ignore[misc]
            def load(self, data: Any) -> object:
                try:
                    return super().load(data)
                except DataError:
                    return bytes(data).decode()

        return OrAsWritten

    class SpanOrAsWritten(known.IntervalLoader):
        def load(self, data: Any) -> Any:
            written = bytes(data)
            return written.decode() if b"mon" in written or b"year" in written else super().load(data)

    return {
        "date": or_as_written(known.DateLoader),
        "time": or_as_written(known.TimeLoader),
        "timetz": or_as_written(known.TimetzLoader),
        "timestamp": or_as_written(known.TimestampLoader),
        "timestamptz": or_as_written(known.TimestamptzLoader),
        "interval": SpanOrAsWritten,
    }


def as_stored(column: sa.Column[Any], connection: sa.Connection) -> sa.ColumnElement[Any]:
    """What the driver gives, without another reading of it: SQLite's numbers, JSON's digits stay as they are."""
    if isinstance(column.type, sa.JSON) and connection.dialect.name == "postgresql":
        return sa.cast(column, sa.Text()).label(column.name)
    if column.type.__visit_name__ == "BIT" and connection.dialect.name in ("mysql", "mariadb"):
        return column  # bits are a number there, of which the driver gives the bytes
    return sa.type_coerce(column, sa.types.NULLTYPE).label(column.name)


def text(value: object) -> str:
    """Dates in ISO form, decimals with the digits they have, bytes in hexadecimal, arrays and objects as JSON."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case timedelta():
            minutes, seconds = divmod(abs(value).total_seconds(), 60)
            sign = "-" if value < timedelta() else ""
            return f"{sign}{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds:09.6f}".removesuffix(".000000")
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case list() | tuple() | dict() | set():
            whole = sorted(map(text, value)) if isinstance(value, set) else value
            return json.dumps(whole, ensure_ascii=False, default=text)
        case _:
            return str(value)
