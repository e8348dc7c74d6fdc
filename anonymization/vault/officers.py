"""Which countries' people a login of the vault may see: those whose officer it is, by the roles that it is granted.

`homeward_officer_<iso3>` are the roles of the warehouse's officers; a login of the vault that is a member of one or
more acts for these countries only. A login that is a member of none is the service itself (it enrols everybody), and a
superuser may do everything in any case. Who an officer is, is the business of the deployment's sign-on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codebook.errors import HomewardError

if TYPE_CHECKING:
    from psycopg import Cursor

    Vaultside = Cursor[tuple[Any, ...]]

_COUNTRIES = """
    SELECT upper(right(o.rolname, 3)) FROM pg_roles AS o
    JOIN pg_roles AS me ON me.rolname = session_user AND NOT me.rolsuper
    WHERE o.rolname ~ '^homeward_officer_[a-z]{3}$' AND pg_has_role(session_user, o.oid, 'MEMBER')
    ORDER BY 1"""


def countries(cursor: Vaultside) -> list[str] | None:
    """The countries of the login; None: it is not bound to any."""
    return [country for (country,) in cursor.execute(_COUNTRIES).fetchall()] or None


def admit(cursor: Vaultside, country: str) -> None:
    """HomewardError if the login is an officer's of other countries."""
    mine = countries(cursor)
    if mine is not None and country not in mine:
        raise HomewardError(
            f"this login sees people of {', '.join(mine)} only", country, f"ask for homeward_officer_{country.lower()}"
        )
