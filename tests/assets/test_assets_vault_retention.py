from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from assets.vault_retention import kept_until


@pytest.mark.parametrize(
    ("received", "months", "expires", "until"),
    [
        (date(2026, 1, 31), 1, date(2099, 1, 1), date(2026, 2, 28)),
        (date(2026, 11, 22), 60, date(2099, 1, 1), date(2031, 11, 22)),
        (date(2026, 11, 22), 1, date(2099, 1, 1), date(2026, 12, 22)),
        (date(2026, 12, 31), 12, date(2099, 1, 1), date(2027, 12, 31)),
        (date(2026, 11, 22), 60, date(2029, 12, 31), date(2030, 1, 30)),
    ],
)
def test_a_delivery_is_kept_for_its_months_and_thirty_days_beyond_the_agreement_at_most(
    received: date, months: int, expires: date, until: date
) -> None:
    source: Any = SimpleNamespace(retention_months=months, expires=expires)
    assert kept_until(source, received) == until
