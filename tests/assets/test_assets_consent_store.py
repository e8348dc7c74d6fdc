"""Which of the supplier's rows brought what lost its consent: by the records they made, or by their own key."""

from pathlib import Path

import pyarrow as pa

from assets import parquet
from assets.consent_store import rows_of
from assets.stages import harmonize, pseudonymize
from sources.batches import ALONE, KEY, WITHDRAWN


def place(key: str, keys: list[bytes], table: str) -> pa.Table:
    rows = pa.array(range(2, 2 + len(keys)), pa.int64())
    return pa.table({"source_table": [table] * len(keys), "source_row": rows, key: pa.array(keys, KEY)})


def test_rows_are_found_by_their_records_and_those_that_make_none_by_their_own_key(tmp_path: Path) -> None:
    keys = [bytes([number] * 16) for number in range(4)]
    for stage, name, table in (
        (harmonize.STAGE, "rss_response-00000", place("record_key", keys, "main")),
        (pseudonymize.STAGE, "rows-members-00000", place("row_key", keys[::-1], "members")),
    ):
        (tmp_path / stage).mkdir()
        parquet.write(table, tmp_path / stage / f"{name}.parquet")
    withdrawn = pa.table([["rss_response", ALONE], pa.array([keys[1], keys[1]], KEY)], schema=WITHDRAWN)
    assert rows_of(tmp_path, withdrawn) == {("main", 3), ("members", 4)}
