"""kill -9 in the midst of a publication: nothing of it is there, and running it again finishes it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

from sqlalchemy import Engine, text
from warehouse_deliveries import Supplier, key

from codebook.loader import load_codebook
from warehouse import engine as engines
from warehouse import ledger, publish

ENTITIES = ["return_event"]


def _publish(url: str, what: publish.Publication) -> None:
    publish.publish(engines.connect(url), what, ENTITIES, load_codebook())


def _waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as conn:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(conn.scalar(text(waiting)))


def _records(supplier: Supplier) -> dict[bytes, int | None]:
    with supplier.engine.connect() as conn:
        found = text("SELECT record_key, age_at_return FROM core.return_event WHERE source_id = :s")
        return {row.record_key.bytes: row.age_at_return for row in conn.execute(found, {"s": supplier.source})}


def _killed(supplier: Supplier, url: str, delivery: str) -> None:
    """Publish in another process, stop it at its last step with a lock on the events, and kill it there."""
    what = publish.Publication(supplier.source, delivery, "SLV", "snapshot", supplier.codebook.version, "abc123")
    process = multiprocessing.get_context("spawn").Process(target=_publish, args=(url, what))
    with supplier.engine.begin() as conn:
        conn.execute(text("LOCK TABLE audit.delivery_event IN EXCLUSIVE MODE"))
        process.start()
        give_up = time.monotonic() + 240
        while not _waits_for_a_lock(supplier.engine):
            assert time.monotonic() < give_up
            time.sleep(0.05)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()


def test_killed_publication_leaves_nothing_and_is_finished_by_running_again(
    supplier: Supplier, warehouse_url: str
) -> None:
    first = supplier.register("one")
    supplier.stage(first, {"return_event": [{"key": "a", "row": 2, "age_at_return": 30}, {"key": "b", "row": 3}]})
    _killed(supplier, warehouse_url, first)
    assert _records(supplier) == {}, "a first delivery, whose staged table was about to become the partition"
    supplier.publish(first, ENTITIES)
    second = supplier.register("two")
    supplier.stage(second, {"return_event": [{"key": "a", "row": 2, "age_at_return": 31}, {"key": "c", "row": 3}]})
    _killed(supplier, warehouse_url, second)
    assert _records(supplier) == {key("a"): 30, key("b"): None}, "a later one, with all three kinds of change"
    done = supplier.publish(second, ENTITIES)
    assert not done.again
    assert _records(supplier) == {key("a"): 31, key("c"): None}
    assert ledger.mismatches(supplier.engine, supplier.source) == []
