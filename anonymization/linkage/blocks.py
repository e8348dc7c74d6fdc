"""Keys under which persons lie in the vault: blocking keys hashed under the country's key, in its present epoch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from anonymization.keys.country_keys import CountryKeys
from anonymization.keys.pseudonyms import as_matrix, keyed
from anonymization.vault import wire


def rows_of(persons: pa.Table, country_keys: CountryKeys, programme: str | None) -> bytes:
    """Rows (key, person_id) of the binary COPY for `prepared` persons, sorted by key; programmes share no key."""
    listed = persons["keys"].combine_chunks()
    stated = as_matrix(keyed(listed.flatten(), country_keys.block_key(programme)))
    turned = np.frombuffer(country_keys.turned(stated.tobytes()), dtype=np.uint8)
    keys = turned.view(">u8").reshape(-1, 2).astype(np.uint64)
    ids = np.repeat(persons["unique_id"].to_numpy(), listed.value_lengths().to_numpy())
    order = np.lexsort((ids, keys[:, 1], keys[:, 0]))
    return wire.rows([np.ascontiguousarray(keys[order].astype(">u8")).view(np.uint8).reshape(-1, 16), ids[order]])
