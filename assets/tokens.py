"""The warehouse is told which tokens the vault has found to be one person, or two again."""

from __future__ import annotations

from functools import partial

from assets.workplace import Workplace


def follow_tokens(workplace: Workplace, country: str) -> int:
    """Events of the country's tokens that the warehouse had not heard of yet."""
    from warehouse import tokens

    followed: int = tokens.follow(workplace.warehouse, country, partial(workplace.vault.token_events, country))
    return followed
