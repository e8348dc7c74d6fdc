"""What a batch says about people: identifiers in comparable form, claims to link by, identity records to seal.

Turns the identifier columns of a table into what the vault links on. Without a vault (a dry run) tokens are made of
throw-away keys and nothing is kept. What passes the gate is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import coded, keyed_once, text
from anonymization.keys.ring import Keyring
from anonymization.linkage.agreement import agreement
from anonymization.linkage.contradiction import disagreement, shared
from anonymization.linkage.described import Described
from anonymization.linkage.identifiers import Normalised, field_of, normalise
from anonymization.linkage.likeness import likeness
from anonymization.linkage.linking import Disagree
from anonymization.vault.enrolment import Claim, Linked, Statement
from anonymization.vault.origins import origin_of
from anonymization.vault.vault import Vault
from sources.batches import KEY
from sources.models import Source, Table
from values.distinct import used
from values.letters import holds
from values.national_numbers import SCHEMES

Mask = npt.NDArray[np.bool_]
_NOT_SHARED: Mapping[str, Mask] = MappingProxyType({})
_RECORD_BYTES = 64
_ESCAPED = "".join(map(chr, range(32))) + '"\\'
"""Signs that JSON does not take as they are."""
"""Identity records are sealed in multiples of this length."""


@dataclass(frozen=True)
class Said:
    """An identifier column of a batch in comparable form: its distinct values, and each row's place among them.

    `indexes`: blind indexes of the distinct values, once they were asked for (`Persons.hashed`).
    """

    field: str
    distinct: Normalised
    codes: pa.Array
    indexes: pa.DictionaryArray | None = None

    def filter(self, rows: pa.Array) -> Said:
        """The same of some rows; what only others say stays among the distinct values."""
        return replace(self, codes=self.codes.filter(rows))

    @property
    def doubtful(self) -> pa.Array:
        """Rows whose number is not one of its scheme (bool)."""
        return pc.fill_null(self.distinct.doubtful.take(self.codes), False)


def read_identifiers(table: Table, cells: pa.Table, source: Source) -> dict[str, Said]:
    """By column: the identifiers that a person is linked by, and national numbers whose scheme can be checked."""
    links = table.person.link if table.person else []
    said = {}
    for name in cells.column_names:
        column = table.column(name)
        if column is not None and column.class_ == "identifier" and (name in links or column.scheme in SCHEMES):
            encoded = coded(cells[name])
            distinct = normalise(encoded.dictionary.cast(pa.string()), column, source.country)
            said[name] = Said(field_of(column, source.source), distinct, encoded.indices)
    return said


class Persons:
    """Links the rows of one source's batches to persons of its country."""

    def __init__(self, source: Source, keyring: Keyring, vault: Vault | None) -> None:
        self._source, self._keyring, self._vault = source, keyring, vault

    def link(self, table: Table, cells: pa.Table, said: Mapping[str, Said], row_keys: pa.Array) -> Linked:
        """A token for every row; a row without a usable identifier is known within the source by its own key."""
        described = Described(table, cells, self._source)
        disagree = disagreement(described)
        of_many = _of_many(described, cells, said, disagree)
        claims = list(self.claims(table, said, row_keys, of_many))
        nobodys = np.logical_or.reduce([*of_many.values(), np.zeros(len(cells), dtype=bool)])
        if self._vault is None:
            first = pc.coalesce(*[claim.index.dictionary.take(claim.own.indices) for claim in claims])
            return Linked(first, nobodys)
        statement = Statement(
            self._source.country,
            origin_of(self._source, table),
            claims,
            identity_records(table, cells),
            likeness(table, cells, said, self._source),
            disagree,
            self._source.programme,
            agreement(described),
        )
        linked = self._vault.link(statement)
        return replace(linked, conflicts=linked.conflicts | nobodys)

    def claims(
        self, table: Table, said: Mapping[str, Said], row_keys: pa.Array, of_many: Mapping[str, Mask] = _NOT_SHARED
    ) -> Iterator[Claim]:
        """What rows say about who they are, strongest first. `of_many`: by column, where several people share it."""
        nameless = pa.repeat(True, len(row_keys))
        for name in table.person.link if table.person else ():
            if name in said:
                index = self._blind(said[name])
                claim = Claim(self._field(said[name]), index, of_many.get(name, False))
                nameless = pc.and_(nameless, claim.own.is_null())
                yield claim
        if pc.any(nameless).as_py():
            own = pc.if_else(nameless, row_keys, pa.scalar(None, KEY))
            yield Claim(f"row {table.name}@{self._source.source}", own.dictionary_encode())

    def hashed(self, table: Table, said: Mapping[str, Said]) -> dict[str, Said]:
        """With the blind indexes of what persons are linked by: to be asked for more than once."""
        links = table.person.link if table.person else ()
        return {name: replace(one, indexes=self._indexes(one)) if name in links else one for name, one in said.items()}

    def _indexes(self, said: Said) -> pa.DictionaryArray:
        programme = self._source.programme
        key = self._keyring.derive(self._source.country, "blind index", said.field, programme=programme)
        return keyed_once(said.distinct.keys, key)

    def _blind(self, said: Said) -> pa.DictionaryArray:
        """Blind indexes of a column's identifiers, null where a row has none that can serve as a key."""
        indexes = self._indexes(said) if said.indexes is None else said.indexes
        return used(pa.DictionaryArray.from_arrays(indexes.indices.take(said.codes), indexes.dictionary))

    def _field(self, said: Said) -> str:
        """Under which the vault compares: a programme's identifiers with those of its own sources only."""
        return f"{self._source.programme}: {said.field}" if self._source.programme else said.field


def _of_many(rows: Described, cells: pa.Table, said: Mapping[str, Said], disagree: Disagree | None) -> dict[str, Mask]:
    """By column, in which rows stands an identifier that several people share."""
    person = rows.table.person
    if person is None or disagree is None:
        return {}
    return {name: shared(rows, cells, said[name].codes, disagree) for name in person.link if name in said}


def identity_records(table: Table, cells: pa.Table) -> pa.Array | None:
    """The identifier columns of each row as one JSON object, as delivered; None if the table has none."""
    declared = {name: table.column(name) for name in cells.column_names}
    names = [name for name, column in declared.items() if column is not None and column.class_ == "identifier"]
    if not names:
        return None
    parts: list[pa.Array | str] = []
    lengths = np.zeros(len(cells), dtype=np.int64)
    before = "{"
    for name in names:
        texts, mark = _json_texts(cells[name])
        parts += [f"{before}{json.dumps(name)}:{mark}", texts]
        lengths += pc.binary_length(texts).to_numpy()
        before = f"{mark},"
    parts.append(before.replace(",", "}"))
    lengths += sum(len(part.encode()) for part in parts if isinstance(part, str))
    # Encryption keeps lengths, and lengths tell names apart: blanks after the object hide them.
    blanks = pc.binary_repeat(" ", pa.array(-lengths % _RECORD_BYTES))
    return pc.binary_join_element_wise(*parts, blanks, "")


def _json_texts(cells: pa.ChunkedArray) -> tuple[pa.Array, str]:
    """Each cell as JSON, null as null; and what is still to be set before and behind each of them."""
    encoded = coded(cells) if pa.types.is_dictionary(cells.type) else None
    values = text(cells) if encoded is None else encoded.dictionary.cast(pa.string())
    escaped = holds(values, _ESCAPED)
    if escaped:
        quoted = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values.to_pylist()]
        values = pa.array(quoted, pa.string())
    texts = values if encoded is None else values.take(encoded.indices)
    if not (escaped or texts.null_count):
        return texts, '"'
    return pc.coalesce(texts if escaped else pc.binary_join_element_wise('"', texts, '"', ""), "null"), ""
