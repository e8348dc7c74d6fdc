"""Killed at any moment or run twice at once: running again gives what an undisturbed run gives, once."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest
from interrupted import counts_add_up, deliver, ended, events, finish, rows, start

from warehouse.ledger import WAY

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow


def test_killed_at_random_moments_and_run_again_is_as_if_nothing_had_been(demo: House, house: House) -> None:
    deliver(house)
    moments = random.Random(20261122)
    for _ in range(4):
        process = start(house)
        time.sleep(moments.uniform(0.5, 6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finish(house)
    counts_add_up(house)
    assert rows(house) == rows(demo)


def test_killed_after_every_stage_and_run_again_is_as_if_nothing_had_been(demo: House, house: House) -> None:
    deliver(house)
    for stage in WAY:
        seen, process = len(events(house)), start(house)
        while process.poll() is None and not any(event.startswith(stage) for event in events(house)[seen:]):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert any(event.startswith(stage) for event in events(house)), "if not in this run, one before came so far"
    finish(house)
    counts_add_up(house)
    assert rows(house) == rows(demo)


def test_two_runs_at_once_publish_once(demo: House, house: House) -> None:
    deliver(house)
    codes = [ended(process)[0] for process in (start(house), start(house))]
    assert 1 in codes, "one did it; the other found nothing, or the delivery held"
    assert set(codes) <= {0, 1, 3}
    counts_add_up(house)
    assert rows(house) == rows(demo)
