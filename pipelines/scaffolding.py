"""The command `scaffold`: a proposed source from a file, for somebody to approve."""

from __future__ import annotations

from pathlib import Path

from pipelines import console


def scaffold_source(file: Path, form: Path | None, country: str, source: str, out: Path, json: bool) -> None:
    """Write the two proposed files and say how far the proposal goes."""
    from assets.scaffold import scaffold
    from connectors.steady import unchanged
    from connectors.unknown import delivered

    with console.watching(f"reading {file.name}"), unchanged(file):
        written = scaffold(delivered(file), delivered(form) if form else None, country, source, out)
    if json:
        console.print_json({"folder": str(written.folder), "tables": written.counts(), "remarks": written.remarks()})
        return
    counts = written.counts()
    console.print_table(list(counts[0]), [list(row.values()) for row in counts], str(written.folder))
    open_codes = sum(table["open_codes"] for table in counts)
    lines = [f"{table}: {remark}" for table, told in written.remarks().items() for remark in told]
    lines.append("Every row is proposed: check it, set its `state` to approved and name the reviewer.")
    if open_codes:
        lines.append(f"{open_codes} codes have no answer yet: rows of the supplier that hold one are rejected.")
    lines.append("Name in source.yaml what is open: owner, agreement, expires. Until then nothing runs.")
    for line in lines:
        console.out.print(line, markup=False)
