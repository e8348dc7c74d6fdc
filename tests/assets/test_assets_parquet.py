"""What a stage writes is what it reads again, whatever its columns are kept as."""

from pathlib import Path

import pyarrow as pa

from assets import parquet

ROWS = [2, 3, None, 9_000_000_000, -1, 4]


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    text = pa.array(["a", None, "b", "a", "", "é"])
    table = pa.table(
        {
            "row": pa.array(ROWS, pa.int64()),
            "key": pa.array([bytes(16), None, *[bytes(range(16))] * 4], pa.binary(16)),
            "text": text,
            "coded": text.dictionary_encode(),
            "code": pa.array([1, 2, None, 1, 2, 3], pa.int16()),
            "several": pa.array([[1, 2], [], None, [3], [1], [2]], pa.list_(pa.int64())),
        }
    )
    parquet.write(table, tmp_path / "data-0.parquet")
    assert parquet.read([tmp_path / "data-0.parquet"], table.schema).equals(table)


def test_row_numbers_take_no_room(tmp_path: Path) -> None:
    parquet.write(pa.table({"row": pa.array(range(50_000), pa.int64())}), tmp_path / "rows.parquet")
    assert (tmp_path / "rows.parquet").stat().st_size < 50_000
