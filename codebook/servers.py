"""What a PostgreSQL database must be before any text is stored in it; for whoever connects to one.

A server that was set up without a locale (`LANG=C`, as in many containers) makes databases of SQL_ASCII, and drivers
hand their texts over as bytes; one of LATIN1 has no Arabic letters. No server says so in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codebook.errors import HomewardError

if TYPE_CHECKING:
    from sqlalchemy import Engine


def in_utf8(engine: Engine, where: str) -> Engine:
    """`engine` (psycopg), whose first connection to a database of another encoding raises HomewardError."""
    from sqlalchemy import event

    # Before SQLAlchemy asks the server for its version, and gets bytes.
    event.listen(engine, "connect", lambda connection, _: refuse_other_encodings(connection, where), insert=True)
    return engine


def refuse_other_encodings(connection: Any, where: str) -> None:
    """HomewardError if a connection (of psycopg, or psycopg2) is to a database of another encoding."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        mend = "make it anew: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        raise HomewardError(f"the database keeps its texts in {encoding}, not in UTF-8", where, mend)
