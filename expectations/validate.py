"""One delivery's verdicts: every rule pass, fail or could not run; every supplier's row accepted, flagged or rejected.

Great Expectations runs inside PostgreSQL (`gx_run`) and only says yes or no (BOOLEAN_ONLY: one counting query a
table). For the rules that failed, one statement a table writes the failing rows into a findings table, inside the
database: no value of a delivery ever comes back into Python. Rows are judged set-wise from those findings and from
the issues that earlier stages found.

Not here: which rules exist (`suites`), what becomes of accepted rows (the warehouse), telling the supplier
(`returns`).
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv

from codebook.errors import Unavailable
from expectations import duplicates
from expectations.conditions import failing
from expectations.suites import Rule
from expectations.verdicts import FINDINGS, CouldNotRun, RowCounts, RuleVerdict, Verdict, Verdicts


def run(
    url: str,
    schema: str,
    tables: Mapping[str, str],
    row_table: str,
    issues: pa.Table,
    received: dt.date,
    *,
    rules: Sequence[Rule],
    outcomes: Mapping[str, Verdict],
    findings_table: str,
    verdict_table: str,
    max_rejected_share: float,
) -> Verdicts:
    """Judge a staged delivery; running again gives the same findings and verdicts.

    `tables`: entity -> staged table; `row_table`: (source_table, source_row, row_key) of every row that was staged;
    `issues`: schema ISSUES; `rules`: of the entities staged; `outcomes`: what `gx_run` said of each of them. Makes
    `findings_table` (columns FINDINGS) and `verdict_table` (source_table, source_row, rejected, flagged) anew in
    `schema`: a row for each row with a finding; all others are accepted. Raises CouldNotRun when a rule
    crashed, Unavailable when the database is away.
    """
    staged = [rule for rule in rules if rule.entity in tables]
    _all_ran(outcomes, schema)
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            findings = _made_anew(connection, _findings(schema, findings_table))
            _load_issues(connection, findings, issues)
            for entity, table in tables.items():
                failed = [rule for rule in staged if rule.entity == entity and outcomes[rule.id] == "fail"]
                if failed:
                    connection.execute(failing_rows(findings, sa.table(table, schema=schema), failed, received))
            connection.execute(duplicates.finding(findings, schema, tables, row_table))
            _agree(outcomes, _count_by_rule(connection, findings), schema)
            connection.execute(_consequences(findings))
            counts = _count_by_rule(connection, findings)
            per_table = _judge_rows(connection, findings, schema, row_table, verdict_table)
    except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
        raise database_error(error, schema) from None
    finally:
        engine.dispose()
    verdicts = tuple(RuleVerdict(rule, outcomes[rule.id], counts.get(rule.id, 0)) for rule in staged)
    return Verdicts(verdicts, per_table, counts, refusal(sum(per_table.values(), RowCounts()), max_rejected_share))


def read_findings(url: str, schema: str, findings_table: str) -> pa.Table:
    """All findings (schema FINDINGS), by table, row and rule: rule ids and places, for the marked return."""
    findings = _findings(schema, findings_table)
    order = (findings.c.source_table, findings.c.source_row.nulls_first(), findings.c.rule, findings.c.source_column)
    engine = sa.create_engine(url, hide_parameters=True)
    lines = io.BytesIO()
    try:
        with engine.connect() as connection:
            select = sa.select(findings).order_by(*order).compile(connection)
            with _cursor(connection) as cursor, cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)") as copy:
                for block in copy:
                    lines.write(block)
    except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
        raise database_error(error, schema) from None
    finally:
        engine.dispose()
    if not lines.tell():
        return FINDINGS.empty_table()
    lines.seek(0)
    nulls = csv.ConvertOptions(column_types=FINDINGS, strings_can_be_null=True, quoted_strings_can_be_null=False)
    return csv.read_csv(lines, csv.ReadOptions(column_names=FINDINGS.names), convert_options=nulls).cast(FINDINGS)


def refusal(totals: RowCounts, max_rejected_share: float) -> str | None:
    """The rule of the whole delivery that these counts break, if any."""
    if totals.rows_in == 0:
        return "delivery.empty"
    if totals.accepted == 0 or totals.rejected > max_rejected_share * totals.rows_in:
        return "delivery.too_many_rejected"
    return None


def database_error(error: sa.exc.SQLAlchemyError | psycopg.Error, schema: str) -> Unavailable:
    """The database's error by its code only: the server's own words may hold values."""
    code = getattr(getattr(error, "orig", error), "sqlstate", None) or type(error).__name__
    return Unavailable("the database did not finish the validation", f"schema {schema}, {code}", "run again")


def failing_rows(
    findings: sa.TableClause, table: sa.TableClause, rules: Sequence[Rule], received: dt.date
) -> sa.Insert:
    """One pass over the table: rows that break any of the rules, then a finding for each rule that they break."""
    broken = {rule.id: failing(rule, received) for rule in rules}
    places = (sa.column("source_table", sa.Text), sa.column("source_row", sa.BigInteger))
    bad = (
        sa.select(*places, *(condition.label(f"r{n}") for n, condition in enumerate(broken.values())))
        .select_from(table)
        .where(sa.or_(*broken.values()))
        .cte("bad")
    )
    selects = [
        sa.select(
            *(_text(part) for part in (rule.id, rule.version, rule.severity)),
            bad.c.source_table,
            bad.c.source_row,
            sa.null().cast(sa.Text),
            _text(rule.variables[0]),
        ).where(bad.c[f"r{n}"])
        for n, rule in enumerate(rules)
    ]
    return sa.insert(findings).from_select(FINDINGS.names, sa.union_all(*selects))


def _all_ran(outcomes: Mapping[str, Verdict], schema: str) -> None:
    crashed = [rule for rule, verdict in outcomes.items() if verdict == "could_not_run"]
    if crashed:
        raise CouldNotRun(crashed, f"schema {schema}")


def _agree(outcomes: Mapping[str, Verdict], counts: Mapping[str, int], schema: str) -> None:
    """A rule that failed without a failing row would reject nothing in silence: then nobody knows what it means."""
    silent = [rule for rule, verdict in outcomes.items() if verdict == "fail" and not counts.get(rule)]
    if silent:
        raise CouldNotRun(silent, f"schema {schema}, failed without a failing row")


def _consequences(findings: sa.Table) -> sa.Delete:
    """One fault, one finding: a date that could not be read is missing, and need not be called missing as well."""
    cause = findings.alias("cause")
    same = (cause.c[name] == findings.c[name] for name in ("source_table", "source_row", "variable"))
    from_codebook, error = findings.c.rule.startswith("rule."), cause.c.severity == "error"
    return sa.delete(findings).where(*same, from_codebook, error, sa.not_(cause.c.rule.startswith("rule.")))


def _text(value: str) -> sa.ColumnElement[str]:
    return sa.literal(value, sa.Text).cast(sa.Text)


def _findings(schema: str, name: str) -> sa.Table:
    columns: list[sa.Column[Any]] = [
        sa.Column(part.name, sa.BigInteger() if part.type == pa.int64() else sa.Text()) for part in FINDINGS
    ]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema, prefixes=["UNLOGGED"])


def _verdicts(schema: str, name: str) -> sa.Table:
    columns: list[sa.Column[Any]] = [sa.Column("source_table", sa.Text), sa.Column("source_row", sa.BigInteger)]
    columns += [sa.Column(name, sa.Boolean) for name in ("rejected", "flagged")]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema, prefixes=["UNLOGGED"])


def _made_anew(connection: sa.Connection, table: sa.Table) -> sa.Table:
    table.drop(connection, checkfirst=True)
    table.create(connection)
    return table


def _load_issues(connection: sa.Connection, findings: sa.Table, issues: pa.Table) -> None:
    if issues.num_rows == 0:
        return
    version = pa.repeat(pa.scalar("1"), issues.num_rows)
    parts = [issues["rule"], version, *(issues[name] for name in ("severity", "table", "row", "column", "variable"))]
    lines = io.BytesIO()
    # One chunk: for an empty chunk among others pyarrow 26.0.1 writes 8 KiB of uninitialised memory into the CSV.
    table = pa.table(parts, names=FINDINGS.names).combine_chunks()
    csv.write_csv(table, lines, csv.WriteOptions(include_header=False))
    target = connection.dialect.identifier_preparer.format_table(findings)
    with _cursor(connection) as cursor, cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy:
        copy.write(lines.getbuffer())


def _cursor(connection: sa.Connection) -> psycopg.Cursor[Any]:
    """The driver's own cursor, inside the connection's transaction: COPY is not in SQLAlchemy."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101  the URLs of this house say postgresql+psycopg
    return driver.cursor()


def _count_by_rule(connection: sa.Connection, findings: sa.Table) -> dict[str, int]:
    by_rule = sa.select(findings.c.rule, sa.func.count()).group_by(findings.c.rule).order_by(findings.c.rule)
    return {str(rule): int(count) for rule, count in connection.execute(by_rule)}


def _judge_rows(
    connection: sa.Connection, findings: sa.Table, schema: str, row_table: str, verdict_table: str
) -> dict[str, RowCounts]:
    """An error rejects its row, a query flags it, a note does neither; a row without a finding needs no verdict row.

    Rows that only an issue names count as well.
    """
    place = (findings.c.source_table, findings.c.source_row)
    rejected = sa.func.bool_or(findings.c.severity == "error")
    queried = sa.func.bool_or(findings.c.severity == "query")
    judged = (
        sa.select(*place, rejected.label("rejected"), sa.and_(sa.not_(rejected), queried).label("flagged"))
        .where(findings.c.source_row.is_not(None))
        .group_by(*place)
    )
    verdicts = _made_anew(connection, _verdicts(schema, verdict_table))
    connection.execute(sa.insert(verdicts).from_select([column.name for column in verdicts.c], judged))
    rows = sa.table(row_table, sa.column("source_table"), sa.column("source_row"), schema=schema)
    same = sa.and_(rows.c.source_table == verdicts.c.source_table, rows.c.source_row == verdicts.c.source_row)
    count, by_table = sa.func.count(), verdicts.c.source_table
    delivered = sa.select(rows.c.source_table, count, sa.func.count(verdicts.c.source_row)).select_from(
        rows.outerjoin(verdicts, same)
    )
    received = {table: (n, met) for table, n, met in connection.execute(delivered.group_by(rows.c.source_table))}
    found = sa.select(by_table, count, count.filter(verdicts.c.rejected), count.filter(verdicts.c.flagged))
    named = {table: counts for table, *counts in connection.execute(found.group_by(by_table))}
    return {
        table: _row_counts(*received.get(table, (0, 0)), *named.get(table, (0, 0, 0)))
        for table in sorted(received.keys() | named.keys())
    }


def _row_counts(delivered: int, met: int, named: int, rejected: int, flagged: int) -> RowCounts:
    """`delivered` rows of the ledger, `met` of them with findings; `named`: all rows with findings."""
    rows_in = delivered + named - met
    return RowCounts(rows_in, rows_in - rejected, flagged, rejected)
