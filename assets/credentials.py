"""What only the environment knows of a supplier's server: the token of a form, the address of a database.

Never written down, and in no message.
"""

from __future__ import annotations

import os

from codebook.errors import HomewardError
from sources.models import DatabaseFormat, KoboServerFormat, Source


def kobo_token(source: Source) -> str:
    """The API token of the supplier's KoboToolbox server, which only the environment knows."""
    if not isinstance(source.format, KoboServerFormat):
        raise HomewardError("this source is no KoboToolbox server", where=source.source)
    return _from_environment(source, source.format.token_env, "the API token of the KoboToolbox server")


def database_url(source: Source) -> str:
    """The URL of the supplier's database, which only the environment knows."""
    if not isinstance(source.format, DatabaseFormat):
        raise HomewardError("this source is no database", where=source.source)
    return _from_environment(source, source.format.url_env, "the address of the supplier's database")


def _from_environment(source: Source, name: str, what: str) -> str:
    """What only the environment knows; never written down, and in no message."""
    value = os.environ.get(name)
    if not value:
        raise HomewardError(f"{what} is not set", where=source.source, mend=f"set {name} in the environment")
    return value
