"""Before a row is read: a purpose of the closed list, an agreement that still stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from pydantic import ValidationError

from assets.intake import Delivery
from assets.stages.admit import admit
from assets.workplace import Workplace
from codebook.errors import Refused
from sources.loader import load_source
from sources.models import Declaration


class Unread:
    """A delivered file that must stay closed."""

    name, size = "returns.csv", 1

    def open(self) -> BinaryIO:
        raise AssertionError("a row was about to be read")


def delivery(**declared: Any) -> Delivery:
    source = load_source("slv/dgme_returns").model_copy(update=declared)
    return Delivery(source, "2026-11-22-00000000", "0" * 64, date(2026, 11, 22), (Unread(),))


def today() -> date:
    return datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ({"purpose": "law_enforcement"}, "delivery.unknown_purpose"),
        ({"expires": today() - timedelta(days=1)}, "delivery.expired"),
    ],
)
def test_without_purpose_or_after_expiry_no_row_is_read(tmp_path: Path, declared: dict[str, Any], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        admit(Workplace(tmp_path), delivery(**declared))
    assert refused.value.rule == rule


def test_before_its_end_an_agreement_stands(tmp_path: Path) -> None:
    admit(Workplace(tmp_path), delivery(expires=today() + timedelta(days=1)))


@pytest.mark.parametrize("name", ["purpose", "legal_basis", "agreement", "expires", "retention_months"])
def test_a_source_declares_why_by_what_right_and_how_long(name: str) -> None:
    declared = {field: getattr(load_source("slv/dgme_returns"), field) for field in Declaration.model_fields}
    with pytest.raises(ValidationError, match=name):
        Declaration.model_validate({field: value for field, value in declared.items() if field != name})
