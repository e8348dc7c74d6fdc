"""The gate: the one way from a supplier's text to rows that may leave the vault's side.

Default deny: what the source does not declare to pass does not pass. Rows without consent or key are held back; the
others get record keys and person tokens, their identifiers go to the vault, birth dates become years, free text stays
or is redacted.
One gate serves one delivery, parents before children. Reading files and the meaning of codes are not its business.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization import consent, scan
from anonymization.erased_rows import ErasedRows
from anonymization.event_dates import EventDates
from anonymization.keys.pseudonyms import RecordKeys, seen, texts
from anonymization.keys.ring import Keyring
from anonymization.leaks.guard import no_values
from anonymization.notes import Notes
from anonymization.own_values import spread
from anonymization.passing_values import PassingValues
from anonymization.vault import audit
from anonymization.vault.people import Damaged
from anonymization.vault.persons import Persons, Said, read_identifiers
from anonymization.vault.vault import Vault
from codebook.errors import Refused
from codebook.loader import load_codebook
from sources.batches import (
    ALONE,
    ENTITY_KEY_PREFIX,
    ISSUES,
    KEY,
    PARENT,
    PERSON,
    ROW,
    ROW_KEY,
    SEAL,
    WITHDRAWN,
    SafeBatch,
    TextBatch,
    issues_table,
)
from sources.models import Column, Source, Table
from values.dates import read_dates

Mask = npt.NDArray[np.bool_]

A_FEW = 3
"""So many cells of a column may look like personal data by accident (their rows are held back); more is a pattern."""


class Gate:
    """Passes the batches of one delivery of `source`. Without a vault a dry run: nothing is kept."""

    def __init__(self, source: Source, vault: Vault | None) -> None:
        keyring = vault.keyring if vault is not None else Keyring.throwaway()
        self._source = source
        self._record_keys = RecordKeys(keyring, source.country, source.source, source.programme)
        self._persons = Persons(source, keyring, vault)
        self._erased = ErasedRows(source, vault) if vault is not None else None
        self._notes = Notes(source, vault)
        self._scan = scan.ValueScan(source.country)
        self._passing = PassingValues(source, load_codebook())
        self._event_dates = EventDates(source, load_codebook())
        # Of tables that are somebody's parent only: a register of millions need not remember whom it held back.
        self._held_back: dict[str, set[bytes]] = {table.parent.table: set() for table in source.tables if table.parent}
        self._without_consent: dict[str, set[bytes]] = {parent: set() for parent in self._held_back}
        self._noted: set[tuple[str, str]] = set()
        self._strays: Counter[tuple[str, str]] = Counter()
        if vault is not None:
            audit.note(vault, "gate", source.country, source=source.source, purpose=source.purpose)

    def pass_batch(self, batch: TextBatch) -> SafeBatch:
        """The rows and columns that may leave. Refused: a passing column is full of personal data."""
        with no_values(f"{self._source.source}, table {batch.table}"):
            return self._pass(batch)

    def _pass(self, batch: TextBatch) -> SafeBatch:
        table = self._source.table(batch.table)
        findings = _Findings(table.name, batch.rows)
        self._note_free_text(table, batch.cells, findings)
        keys = self._row_keys(table, batch.cells, findings)
        parents = self._parent_keys(table, batch.cells, findings)
        refused = self._require_consent(table, batch.cells, findings) | self._parents_refused(table, parents)
        withdrawn = self._withdrawn(table, keys.filter(pa.array(refused)).drop_null())
        self._look_for_personal_data(table, batch.cells, findings)
        said = self._hold_erased(table, batch.cells, keys, findings)
        tokens, passed = self._linked(table, batch, keys, said, findings)
        self._remember_held_back(table, keys, findings, refused)
        cells, rows, keys, parents = (_kept(one, ~findings.held) for one in (batch.cells, batch.rows, keys, parents))
        self._notes.remember_names(table, cells)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {ROW: rows.cast(pa.int64()), ROW_KEY: keys}
        if tokens is not None:
            columns[PERSON] = tokens
        if parents is not None:
            columns[PARENT] = parents
        columns |= self._entity_keys(table, cells, keys, columns.get(PERSON))
        for name in self._source.passing(table.name):
            if name in cells.column_names:
                columns[name] = self._safe_column(table, name, cells, passed)
        return SafeBatch(
            source=self._source,
            table=table.name,
            data=pa.table(columns),
            issues=pa.concat_tables([*findings.issues, *passed.issues, ISSUES.empty_table()]),
            rejected_rows=batch.rows.filter(pa.array(findings.held)).cast(pa.int64()),
            withdrawn=withdrawn,
            seal=SEAL,
        )

    def _note_free_text(self, table: Table, cells: pa.Table, findings: _Findings) -> None:
        for name in cells.column_names:
            declared = table.column(name)
            if declared is None or declared.class_ != "free_text" or self._notes.redacts(declared):
                continue
            if cells[name].null_count < len(cells) and (table.name, name) not in self._noted:
                self._noted.add((table.name, name))
                findings.note("gate.free_text_withheld", declared.name)  # a member of a family has a name of its own

    def _row_keys(self, table: Table, cells: pa.Table, findings: _Findings) -> pa.Array:
        for name, made in zip(table.key, texts(cells, table.key), strict=True):
            findings.hold("gate.missing_key", _mask(pc.is_null(seen(made))), name)
        return self._record_keys.of_rows(table.name, texts(cells, table.key))

    def _parent_keys(self, table: Table, cells: pa.Table, findings: _Findings) -> pa.Array | None:
        if table.parent is None:
            return None
        for name, made in zip(table.parent.key, texts(cells, table.parent.key), strict=True):
            if name not in table.key:
                findings.hold("gate.missing_key", _mask(pc.is_null(seen(made))), name)
        parents = self._record_keys.of_rows(table.parent.table, texts(cells, table.parent.key))
        held_back = self._held_back[table.parent.table]
        if held_back:
            findings.hold("gate.parent_rejected", _mask(pc.is_in(parents, pa.array(list(held_back), parents.type))))
        return parents

    def _require_consent(self, table: Table, cells: pa.Table, findings: _Findings) -> Mask:
        """Holds back the rows that may not be used at all, and says which they are."""
        if table.consent is None:
            return np.zeros(len(cells), dtype=bool)
        refused = ~consent.given(table.consent, cells)
        findings.hold("gate.no_consent", refused, table.consent.column)
        if guardian := table.consent.guardian:
            alone = consent.without_guardian(guardian, table, cells, self._source)
            findings.hold("gate.no_guardian_consent", alone, guardian.column)
            refused = refused | alone
        return refused

    def _withdrawn(self, table: Table, keys: pa.Array) -> pa.Table:
        """The records that rows without consent would make, by the rows' own keys; a person may have others."""
        if not len(keys):
            return WITHDRAWN.empty_table()
        own = [name for name, declared in table.entities.items() if not declared.key]
        made = [name for name in own if name != "person" or table.person is None]
        if not made:
            return pa.table([pa.repeat(ALONE, len(keys)), keys], schema=WITHDRAWN)
        entities = pa.chunked_array([pa.repeat(name, len(keys)) for name in made], pa.string())
        records = pa.chunked_array([self._record_keys.renamed(name, keys) for name in made], KEY)
        return pa.Table.from_arrays([entities, records], schema=WITHDRAWN)

    def _look_for_personal_data(self, table: Table, cells: pa.Table, findings: _Findings) -> None:
        """A row with a stray contact or number stays here; a column with many of them stops the delivery."""
        names: list[pa.Array] | None = None
        own = spread(table, cells, self._source)
        for name in self._source.passing(table.name):
            declared = table.column(name)
            changed = declared is not None and (declared.keep is not None or declared.class_ == "free_text")
            if name not in cells.column_names or changed:
                continue
            if again := own.repeated_in(name):
                raise self._refused(
                    f"{again} cells of column {name} repeat what identifies their row's person", table, name
                )
            if early := self._event_dates.too_early(table.name, name, own.cells):
                what = f"{early} dates of column {name} lie before all that it tells of, as birth dates do"
                raise self._refused(f"{what}, or days of a calendar that is not declared", table, name)
            found, named = self._scan.personal_data(table, cells[name], name)
            if named:
                names = scan.full_names(table, cells) if names is None else names
                if (full := scan.own_names(cells[name], names)).any():
                    found["names"] = full
            if not found:
                continue
            where = np.logical_or.reduce(list(found.values()))
            self._strays[table.name, name] += int(where.sum())
            if (count := self._strays[table.name, name]) > A_FEW:
                raise self._refused(f"{count} cells of column {name} look like {' or '.join(found)}", table, name)
            findings.hold("gate.personal_data", where, name)

    def _refused(self, what: str, table: Table, column: str) -> Refused:
        mend = "deliver the column without them, or declare it as identifier"
        where = f"{self._source.source}, table {table.name}"
        return Refused("delivery.personal_data_in_plain_column", what, where, mend, [column])

    def _hold_erased(
        self, table: Table, cells: pa.Table, keys: pa.Array, findings: _Findings
    ) -> dict[str, Said] | None:
        """A person who was erased does not come back, neither by an identifier nor by the key of a row of theirs.

        The rows' identifiers, where they had to be read for that: hashing is dear, and linking goes on with them.
        """
        if not self._erased:
            return None
        said = self._erased.said(table, cells)
        findings.hold("gate.erased", self._erased.among(table, said, keys))
        return said

    def _parents_refused(self, table: Table, parents: pa.Array | None) -> Mask:
        """Rows that hang on one without consent: what they brought before goes with it."""
        if table.parent is None or parents is None:
            return np.zeros(1, dtype=bool)  # one for all rows: it is only or-ed with them
        without = pa.array(list(self._without_consent[table.parent.table]), parents.type)
        return _mask(pc.is_in(parents, without))

    def _remember_held_back(self, table: Table, keys: pa.Array, findings: _Findings, refused: Mask) -> None:
        if table.name in self._held_back:
            self._held_back[table.name].update(keys.filter(pa.array(findings.held)).drop_null().to_pylist())
            self._without_consent[table.name].update(keys.filter(pa.array(refused)).drop_null().to_pylist())

    def _linked(
        self, table: Table, batch: TextBatch, keys: pa.Array, said: dict[str, Said] | None, findings: _Findings
    ) -> tuple[pa.Array | None, _Findings]:
        """Tokens of the rows that are not held back, and what is to be asked about them. A person whom the vault cannot
        open any more is held back, and keeps nobody else of the batch from passing."""
        while True:
            kept = ~findings.held
            passed = _Findings(table.name, _kept(batch.rows, kept))
            if table.person is None:
                return None, passed
            theirs = None if said is None else {name: _kept(one, kept) for name, one in said.items()}
            try:
                return self._link(table, _kept(batch.cells, kept), _kept(keys, kept), theirs, passed), passed
            except Damaged as error:
                harmed = np.zeros(len(kept), dtype=bool)
                harmed[np.flatnonzero(kept)[error.rows]] = True
                findings.hold("gate.identity_damaged", harmed)

    def _link(
        self, table: Table, cells: pa.Table, keys: pa.Array, said: dict[str, Said] | None, findings: _Findings
    ) -> pa.Array:
        said = read_identifiers(table, cells, self._source) if said is None else said
        for name, identifiers in said.items():
            findings.query("gate.check_digit", _mask(identifiers.doubtful), name)
        if not len(keys):
            return keys
        linked = self._persons.link(table, cells, said, keys)
        findings.query("gate.identity_conflict", linked.conflicts)
        return linked.tokens

    def _entity_keys(
        self, table: Table, cells: pa.Table, keys: pa.Array, tokens: pa.Array | None
    ) -> dict[str, pa.Array]:
        """`_key_<entity>` of every entity that the table's rows make."""
        made = {}
        for entity, declared in table.entities.items():
            if declared.key:
                made[ENTITY_KEY_PREFIX + entity] = self._record_keys.of_entity(entity, texts(cells, declared.key))
            else:
                whose = tokens if entity == "person" and tokens is not None else keys
                made[ENTITY_KEY_PREFIX + entity] = self._record_keys.renamed(entity, whose)
        return made

    def _safe_column(self, table: Table, name: str, cells: pa.Table, findings: _Findings) -> pa.Array | pa.ChunkedArray:
        declared = table.column(name)
        if declared is not None and declared.class_ == "free_text":
            return self._notes.redacted(table, cells, declared, name)
        if declared is None or declared.keep is None:
            return self._passing.of(table.name, name, cells[name])
        dates, bad = read_dates(cells[name], self._form(declared))
        findings.query("map.unreadable_date", _mask(bad), name)
        years = pc.year(dates).dictionary_encode()
        return pa.DictionaryArray.from_arrays(years.indices, years.dictionary.cast(pa.string()))

    def _form(self, column: Column) -> str:
        return column.format or self._source.format.date_format or "iso"


class _Findings:
    """Issues of one batch as they are found, and which of its rows they hold back."""

    def __init__(self, table: str, rows: pa.Array) -> None:
        self._table, self._rows = table, rows
        self.held: Mask = np.zeros(len(rows), dtype=bool)
        self.issues: list[pa.Table] = []

    def hold(self, rule: str, where: Mask, column: str | None = None) -> None:
        """These rows stay on this side."""
        self.held |= where
        self._add(rule, "error", where, column)

    def query(self, rule: str, where: Mask, column: str | None = None) -> None:
        """These rows pass, with a question to the supplier."""
        self._add(rule, "query", where, column)

    def note(self, rule: str, column: str) -> None:
        """Something about a whole column."""
        self.issues.append(issues_table(self._table, pa.nulls(1, pa.int64()), rule, "note", column))

    def _add(self, rule: str, severity: str, where: Mask, column: str | None) -> None:
        if where.any():
            self.issues.append(issues_table(self._table, self._rows.filter(pa.array(where)), rule, severity, column))


def _kept(said: Any, kept: Mask) -> Any:
    """The same of the rows that are kept; what is not there stays so."""
    return said if said is None or kept.all() else said.filter(pa.array(kept))


def _mask(flags: pa.Array | pa.ChunkedArray) -> Mask:
    whole = flags.combine_chunks() if isinstance(flags, pa.ChunkedArray) else flags
    mask: Mask = pc.fill_null(whole, False).to_numpy(zero_copy_only=False)
    return mask
