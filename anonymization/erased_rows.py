"""Rows that are about somebody who was erased: by an identifier, by the key of a row of theirs, or hanging on such one.

The gate holds them back, and the sealed file that they came in is cut by them. What is kept of the erased to know them
by is the business of `vault.erasure`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import RecordKeys, texts
from anonymization.vault.erasure import Erased
from anonymization.vault.persons import Persons, Said, read_identifiers
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source, Table

Mask = npt.NDArray[np.bool_]


class ErasedRows:
    """Of one delivery of `source`; for `in_batch`, parents before children."""

    def __init__(self, source: Source, vault: Vault) -> None:
        self._source = source
        self._erased = Erased(vault, source.country)
        self._persons = Persons(source, vault.keyring, vault)
        self._record_keys = RecordKeys(vault.keyring, source.country, source.source, source.programme)
        self._found: dict[str, set[bytes]] = {table.parent.table: set() for table in source.tables if table.parent}

    def __bool__(self) -> bool:
        """Whether anybody of the country was erased."""
        return bool(self._erased)

    def among(self, table: Table, said: Mapping[str, Said], keys: pa.Array) -> Mask:
        """Which rows hold an identifier (`said`: hashed) or have a key (`keys`: of the rows) of somebody erased."""
        mine = self._erased.among(keys)
        if table.person is not None:
            for claim in self._persons.claims(table, said, keys):
                mine = mine | self._erased.among(claim.index)
        return mine

    def said(self, table: Table, cells: pa.Table) -> dict[str, Said]:
        """The identifiers of the rows, hashed."""
        return self._persons.hashed(table, read_identifiers(table, cells, self._source))

    def in_batch(self, batch: TextBatch) -> pa.Array:
        """Numbers of the rows of a batch as it was read that are somebody's who was erased."""
        if not self._erased:
            return pa.array([], batch.rows.type)
        table = self._source.table(batch.table)
        keys = self._record_keys.of_rows(table.name, texts(batch.cells, table.key))
        mine = self.among(table, self.said(table, batch.cells), keys)
        if table.parent is not None:
            parents = self._record_keys.of_rows(table.parent.table, texts(batch.cells, table.parent.key))
            found = pa.array(list(self._found[table.parent.table]), parents.type)
            mine = mine | self._erased.among(parents) | pc.is_in(parents, found).to_numpy(zero_copy_only=False)
        if table.name in self._found:
            self._found[table.name].update(keys.filter(pa.array(mine)).drop_null().to_pylist())
        return batch.rows.filter(pa.array(mine))
