"""Free-text columns of a source at the gate: withheld, or redacted where the source asks for it and it was measured.

A note is redacted with the names of its own row, and with every name that the vault knows in the country by then. What
is found in it, and how, is the business of `redaction`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from anonymization.keys.pseudonyms import text
from anonymization.redaction.policy import may_redact
from anonymization.redaction.redactor import Redactor, name_words
from anonymization.vault.name_words import NameWords, names_in, words_of
from anonymization.vault.vault import Vault
from sources.models import Column, Source, Table


class Notes:
    """The notes of one delivery of `source`. Without a vault (a dry run) only the rows' own names are known."""

    def __init__(self, source: Source, vault: Vault | None) -> None:
        self._country = source.country
        self._known = NameWords(vault, source.country) if vault is not None else None
        self._redactors: dict[str, Redactor] = {}

    def redacts(self, column: Column) -> bool:
        """Whether a free-text column leaves redacted: a language without a figure is withheld whatever is declared."""
        return column.passes and column.language is not None and may_redact(column.language)

    def remember_names(self, table: Table, cells: pa.Table) -> None:
        """Names of the batch's people are names in every note of the country from now on."""
        if self._known is not None and (words := words_of(table, cells)):
            self._known.add(words)

    def redacted(self, table: Table, cells: pa.Table, column: Column, name: str) -> pa.Array:
        """Column `name` of a batch, redacted; null throughout if its language is withheld."""
        if not self.redacts(column) or column.language is None:
            return pa.nulls(len(cells), pa.string())
        notes = text(cells[name]).to_pylist()
        said = self._redactor(column.language).redact(notes, self._own_names(table, cells, notes))
        return pa.array(said, pa.string())

    def _own_names(
        self, table: Table, cells: pa.Table, notes: Sequence[str | None]
    ) -> list[frozenset[str] | None] | None:
        columns = [text(cells[name]).to_pylist() for name in names_in(table, cells)]
        if not columns:
            return None
        rows = zip(notes, zip(*columns, strict=True), strict=True)
        return [name_words(*names) if note is not None else None for note, names in rows]

    def _redactor(self, language: str) -> Redactor:
        if language not in self._redactors:
            known = self._known.among if self._known is not None else None
            self._redactors[language] = Redactor(language, self._country, known)
        return self._redactors[language]
