import os
import time
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assets.sweeps import abandoned
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


def test_what_a_server_gave_for_a_sweep_that_nobody_goes_on_with_is_removed(tmp_path: Path) -> None:
    """Pages and attachments; of a sweep that had something within the day everything stays."""
    day = 24 * 3600
    for name, age in (
        ("slv/one/u1-v1/a.sealed", 3 * day),
        ("slv/one/u1-v1.attachments/b.sealed", 2 * day),
        ("slv/one/u2-v1/c.sealed", 3 * day),
        ("slv/one/u2-v1.attachments/d.sealed", day // 2),
        ("ssd/two/u3-v1/e.sealed", day // 2),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert [path.name for path in abandoned(tmp_path)] == ["a.sealed", "b.sealed"]
