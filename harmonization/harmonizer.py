"""Applies a source's crosswalk to pseudonymous batches: one table per entity in the codebook's columns, and the issues.

It works row by row in meaning and column by column in fact: the result for a row does not depend on its batch. Nothing
here decides whether a row is accepted, and no value of a delivery gets into an issue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from codebook.loader import Codebook
from harmonization.cells import Cells
from harmonization.compile import step
from harmonization.made import Made, Step, Trouble
from sources.batches import ENTITY_KEY_PREFIX, ISSUES, PERSON, ROW, SafeBatch, UnsafeColumn, issues_table
from sources.models import Source

SYSTEM_KEYS = {"person_token": PERSON, "household_key": "_key_household", "case_key": "_key_case"}


@dataclass(frozen=True)
class Harmonized:
    """`entities`: by entity name, exactly the codebook's Arrow schema. `issues`: schema ISSUES, in the rows' order."""

    entities: dict[str, pa.Table]
    issues: pa.Table


@dataclass(frozen=True)
class _Variable:
    name: str
    step: Step
    columns: tuple[str, ...]


class Harmonizer:
    """The compiled crosswalk of one source. Made once, applied to every batch of every delivery."""

    def __init__(self, source: Source, codebook: Codebook) -> None:
        self._codebook = codebook
        self._of = (source.source, source.version)
        self._made: dict[str, dict[str, list[_Variable]]] = {
            table.name: {entity: [] for entity in source.makes(table.name)} for table in source.tables
        }
        for (table, entity, name), rows in source.crosswalk.variables.items():
            columns = tuple(dict.fromkeys(column for row in rows for column in row.columns))
            self._made[table][entity].append(_Variable(name, step(source, codebook, rows), columns))

    def apply(self, batch: SafeBatch) -> Harmonized:
        """Harmonize one batch that the gate has passed for this version of the source; UnsafeColumn if it has not.

        A row without the key of an entity makes no record of it.
        """
        if type(batch) is not SafeBatch or (batch.source.source, batch.source.version) != self._of:
            raise UnsafeColumn("only what the gate has passed for this source is harmonized")
        cells, table, entities, issues = Cells(batch), batch.table, {}, []
        for entity, variables in self._made[table].items():
            made = {variable.name: found for variable in variables if (found := _make(variable, cells)) is not None}
            entities[entity] = self._entity(entity, table, made, batch.data)
            issues += [issue for name, found in made.items() for issue in _issues(found.troubles, name, table, cells)]
        return Harmonized(entities, _in_order(issues))

    def _entity(self, entity: str, table: str, made: dict[str, Made], data: pa.Table) -> pa.Table:
        schema = self._codebook.arrow_schema(entity)
        columns: dict[str, pa.Array] = dict(_system_columns(entity, table, data))
        for name, found in made.items():
            columns[name] = found.values
            if found.states is not None:
                columns[f"{name}_state"] = found.states
        arrays = [columns[field.name] if field.name in columns else pa.nulls(len(data), field.type) for field in schema]
        whole = pa.Table.from_arrays(arrays, schema=schema)
        keyed = columns["record_key"].is_valid()
        return whole if pc.all(keyed).as_py() else whole.filter(keyed)


def _make(variable: _Variable, cells: Cells) -> Made | None:
    """None where the file has none of the columns: then it does not collect the variable, which is no answer state."""
    if variable.columns and not any(cells.has(column) for column in variable.columns):
        return None
    return variable.step.make(cells)


def _system_columns(entity: str, table: str, data: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    for name, column in {"record_key": ENTITY_KEY_PREFIX + entity, **SYSTEM_KEYS}.items():
        if column in data.column_names:
            yield name, data[column].combine_chunks().cast(pa.binary(16))
    yield "source_table", pa.repeat(pa.scalar(table, pa.string()), len(data))
    yield "source_row", data[ROW].combine_chunks()


def _issues(found: Iterable[Trouble], variable: str, table: str, cells: Cells) -> Iterator[pa.Table]:
    for trouble in found:
        yield issues_table(table, cells.places(trouble.at), trouble.rule, "error", trouble.column, variable)


def _in_order(issues: list[pa.Table]) -> pa.Table:
    """Once each (two entities may read one cell), in an order that does not depend on how rows were batched."""
    if not issues:
        return ISSUES.empty_table()
    once = pa.concat_tables(issues).group_by(ISSUES.names, use_threads=False).aggregate([])
    order = [(name, "ascending") for name in ("row", "column", "variable", "rule")]
    return once.select(ISSUES.names).sort_by(order).cast(ISSUES)
