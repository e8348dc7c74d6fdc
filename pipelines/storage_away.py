"""Dagster's storage that does not answer any more: who runs a delivery hears it in seconds, and not in a minute. Nor
does one serve that is no UTF-8.

Dagster tries six times to connect, in some ten seconds, and does so again for every event that it still wants to write
of a run. Once six tries in a row have failed, each further one is the last of its call.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.engine import ExceptionContext

from codebook.errors import Unavailable
from codebook.servers import refuse_other_encodings

_TRIES = 6
"""Of one call of Dagster's storage, before it gives up (`dagster_postgres.utils.retry_pg_connection_fn`)."""


@cache
def give_up_soon(url: str) -> None:
    """From now on, in this process, of the storage at this address."""
    storage, failed = make_url(url), 0

    def count(context: ExceptionContext) -> None:
        nonlocal failed
        if context.connection is not None or context.engine is None or context.engine.url != storage:
            return
        failed += 1
        if failed > _TRIES:
            raise Unavailable("Dagster's storage does not answer", "its database", "see that it runs, and run again")

    def answered(connection: Connection) -> None:
        nonlocal failed
        if connection.engine.url == storage:
            failed = 0
            refuse_other_encodings(connection.connection.dbapi_connection, "Dagster's storage")

    event.listen(Engine, "handle_error", count)
    event.listen(Engine, "engine_connect", answered)
