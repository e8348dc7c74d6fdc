"""The command `profile`: what is in a file that nobody has declared yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import console


def show_profile(file: Path, form: Path | None, json: bool) -> None:
    """Print the profile of a file, read beside its form if one is given."""
    from connectors.profile import profile
    from connectors.unknown import delivered, open_unknown

    with console.watching(f"reading {file.name}"):
        looked = open_unknown(delivered(file), delivered(form) if form else None)
        found = profile(looked, file.name)
    if json:
        console.print_json(found)
        return
    console.out.print(
        f"[bold]{file.name}[/]: {found['format']}" + (f", {found['encoding']}" if found["encoding"] else "")
    )
    for table in found["tables"]:
        _show_table(table)


def _show_table(table: dict[str, Any]) -> None:
    columns = table["columns"]
    title = f"{table['name']}: {table['rows']:,} rows, {len(columns)} columns"
    rows = [
        [
            column["name"],
            column["label"],
            column["type"],
            column["filled"],
            f"{'' if column['distinct_exact'] else 'at least '}{column['distinct']:,}",
            len(column["value_labels"]) or None,
            ", ".join([*column["missing_codes"], *(f"{code}?" for code in column["missing_by_label"])]),
            ", ".join(column["looks_like"]),
        ]
        for column in columns
    ]
    heads = ("name", "label", "type", "filled", "distinct", "labels", "missing codes", "looks like")
    console.print_table(heads, rows, title)
    for rule, count in table["findings"].items():
        console.out.print(f"{rule}: {count:,} rows")
