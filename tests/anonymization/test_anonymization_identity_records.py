"""Identity records: the identifier columns of a row as one JSON object as delivered, of a length that tells nothing."""

import json
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymization.vault.persons import identity_records
from sources.models import Table

CELL = st.none() | st.text(max_size=5) | st.sampled_from(['"', "\\", "\n", "\x00", "Ana", "José", "أحمد", "a,b"])
TABLE = Table.model_validate(
    {
        "name": "main",
        "key": ["case_id"],
        "columns": [
            {"name": "case_id", "class": "identifier", "kind": "case_number"},
            {"name": 'the "name"', "class": "identifier", "kind": "name", "part": "full"},
            {"name": "sex", "class": "plain"},
        ],
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=8))
@pytest.mark.parametrize("encode", [pa.Array.dictionary_encode, lambda column: column])
def test_a_record_says_what_the_row_says_and_nothing_else(
    encode: Callable[[pa.Array], pa.Array], rows: list[tuple[str | None, str | None, str | None]]
) -> None:
    names = ["case_id", 'the "name"', "sex"]
    columns = [encode(pa.array([row[at] for row in rows], pa.string())) for at in range(3)]
    records = identity_records(TABLE, pa.table(columns, names=names))
    assert records is not None
    assert [json.loads(record) for record in records.to_pylist()] == [
        dict(zip(names[:2], row[:2], strict=True)) for row in rows
    ]
    assert all(len(record.encode()) % 64 == 0 for record in records.to_pylist())
    # The digest of a record tells whether a source says something new: its form stays what it always was.
    for record, row in zip(records.to_pylist(), rows, strict=True):
        said = ",".join(
            f"{json.dumps(n)}:{json.dumps(v, ensure_ascii=False)}" for n, v in zip(names, row[:2], strict=False)
        )
        assert record.rstrip(" ") == f"{{{said}}}"
