"""The warehouse is told which tokens the vault has found to be one person, or two again."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from uuid import UUID

from assets.workplace import Workplace


def follow_tokens(workplace: Workplace, country: str) -> int:
    """Events of the country's tokens that the warehouse had not heard of yet."""
    from warehouse import tokens

    followed: int = tokens.follow(workplace.warehouse, country, partial(workplace.vault.token_events, country))
    return followed


def follow_for(workplace: Workplace, country: str, tokens: Collection[UUID]) -> None:
    """The same before the persons behind `tokens` are erased. Where events of others are not as they were decided, the
    warehouse hears nothing, and the erasure goes on: it goes by the decisions, which are sealed."""
    from anonymization.vault.followed import Undecided

    try:
        follow_tokens(workplace, country)
    except Undecided as error:
        if not error.tokens.isdisjoint(tokens):
            raise
