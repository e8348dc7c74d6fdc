from collections.abc import Iterable

from sqlalchemy import Connection

from codebook.loader import Codebook


def grant(conn: Connection, codebook: Codebook, countries: Iterable[str]) -> None: ...
