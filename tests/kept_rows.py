"""Rows as the gate has kept them: the way to a SafeBatch of made-up cells, for tests of what comes after the gate."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from sources.batches import SafeBatch
from sources.models import Source


def read_back(data: pa.Table, source: Source, table: str = "main") -> SafeBatch:
    kept = io.BytesIO()
    pq.write_table(data.replace_schema_metadata({"table": table}), kept)
    kept.seek(0)
    return SafeBatch.read(kept, source)
