"""The commands of analysts: query, explain, score."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from codebook.errors import HomewardError
from pipelines import console
from pipelines.settings import settings

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUTS = ("table", "csv", "json", "parquet")


def ask(sql: str, role: str, layout: str, out: Path | None) -> None:
    """Run one read-only statement with the rights of `role` and print or write the answer."""
    from warehouse import access, extracts

    if layout not in LAYOUTS:
        raise HomewardError(f"no format {layout}", where="--format", mend=f"one of {', '.join(LAYOUTS)}")
    if layout == "parquet" and out is None:
        raise HomewardError("parquet is not for a terminal", where="--format", mend="name a file with --out")
    answer = access.query(settings().workplace().ready_url(), sql, role)
    if extracts.rekeyed_for(role):
        answer = extracts.rekeyed(answer, shuffle=layout != "table")
    answer = answer.rename_columns(_told_apart(answer.column_names))
    if layout == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(answer, out)
    elif layout == "csv":
        import pyarrow.csv as pa_csv

        # One chunk: pyarrow 26.0.1 writes uninitialised memory for an empty chunk among others.
        pa_csv.write_csv(_flat(answer).combine_chunks(), out or sys.stdout.buffer)
    elif layout == "json":
        rows = [{name: _plain(value) for name, value in row.items()} for row in answer.to_pylist()]
        console.print_json(rows)
    else:
        console.print_table(answer.column_names, [list(row.values()) for row in answer.to_pylist()])


def _told_apart(names: list[str]) -> list[str]:
    """Column names, of several alike all but the first numbered: PostgreSQL calls every `count(...)` count, and JSON
    would keep one of them."""
    told: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(2) if f"{name}_{number}" not in names)
        told.append(name if name not in told else next(one for one in numbered if one not in told))
    return told


def _flat(answer: pa.Table) -> pa.Table:
    """The answer with its lists as text, joined by `|`: CSV has no lists."""
    import pyarrow as pa

    for index, field in enumerate(answer.schema):
        if pa.types.is_list(field.type):
            joined = [None if one is None else "|".join(map(str, one)) for one in answer[field.name].to_pylist()]
            answer = answer.set_column(index, field.name, pa.array(joined, pa.string()))
    return answer


def _plain(value: object) -> object:
    """A value as JSON has it: numbers stay numbers, everything else that JSON lacks becomes text."""
    from decimal import Decimal

    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return float(value) if isinstance(value, Decimal) else str(value)


def explain_record(record_key: str, as_json: bool) -> None:
    """Where a row of the warehouse came from."""
    from assets.explain import explain

    told = explain(settings().workplace(), record_key)
    if as_json:
        console.print_json(told)
        return
    console.print_table(("", ""), [[name, value] for name, value in told["record"].items()], title="Record")
    console.print_table(
        ("variable", "from", "rule", "status"),
        [[m["variable"], ", ".join(m["columns"]), m["rule"], m["status"]] for m in told["mapping"]],
        title="Mapping",
    )
    if told["history"]:
        names = tuple(told["history"][0])
        console.print_table(names, [list(h.values()) for h in told["history"]], title="History")
    if told["findings"]:
        console.print_table(
            ("rule", "severity", "variable"), [list(f.values()) for f in told["findings"]], title="Findings"
        )


def score_file(file: Path, instrument: str, method: str, as_json: bool) -> None:
    """Score a CSV of item answers; in row order."""
    from codebook.scoring import score_csv

    if not file.is_file():
        raise HomewardError("there is no such file", where=file.name, mend="give the path of a CSV file")
    scores = score_csv(file, instrument, method)
    if as_json:
        console.print_json(scores)
        return
    columns = (
        "economic",
        "social",
        "psychosocial",
        "composite",
        "band",
        "special_answers",
        "low_confidence",
        "missing_items",
    )
    rows = [[n, *(_shown(s[name]) for name in columns)] for n, s in enumerate(scores, start=1)]
    console.print_table(("row", *columns), rows, title=f"{instrument}, {method}")


def _shown(value: object) -> object:
    return ", ".join(value) if isinstance(value, list) else value
