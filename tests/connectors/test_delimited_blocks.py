"""A delimited file is parsed in blocks and given in larger ones: wherever they end, its rows are the same."""

from collections.abc import Callable, Sequence

import pytest

from connectors.text import delimited
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
Row = tuple[int, list[str | None]]
NAMES = ["Ana", "José", "", "Óscar", "a;b", 'say "no"', "two\nlines", "ሰላም", "Ñ" * 40]


def content(rows: int) -> bytes:
    """Rows with quoted cells and breaks in them, too long and too short rows, blank rows and blank lines."""
    lines = ["id;name;kind;note"]
    for k in range(rows):
        name = NAMES[k % len(NAMES)].replace('"', '""')
        lines.append(f'{k};"{name}";{"ab"[k % 2]};{"x" * (k % 70)}')
        if k % 37 == 0:
            lines += [f"{k};too;short", f"{k};far;too;long;by;four", "", ";;;"]
    return "\n".join(lines).encode()


def read(file: PlainFile, parts: int = 1, encoding: str = "utf-8") -> tuple[list[Row], list[tuple[str, list[int]]]]:
    """All rows by their number, and what was found."""
    opened, _ = delimited.open_grid(file, delimited.Layout(encoding=encoding, delimiter=";"))
    rows: list[Row] = []
    found: list[tuple[str, list[int]]] = []
    for grid in opened.split(parts):
        for piece in grid.pieces([0, 1, 2, 3], 1000):
            assert len(piece.rows) <= 1000
            rows += zip(piece.rows.tolist(), _rows([column.to_pylist() for column in piece.cells]), strict=True)
            found += [(finding.rule, finding.rows.tolist()) for finding in piece.findings if len(finding.rows)]
    numbers = sorted((rule, number) for rule, its in found for number in its)
    return sorted(rows, key=lambda row: row[0]), [(rule, [number]) for rule, number in numbers]


def _rows(columns: Sequence[list[str | None]]) -> list[list[str | None]]:
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize(("parsed", "given"), [(512, 512), (512, 4096), (700, 3000), (4096, 1 << 16)])
def test_blocks_of_any_size_hold_the_same_rows(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch, parsed: int, given: int
) -> None:
    file = deliver("a.csv", content(3000))
    whole = read(file)
    monkeypatch.setattr(delimited, "_SCAN", 256)
    monkeypatch.setattr(delimited, "_PARSED", (parsed,))
    monkeypatch.setattr(delimited, "BLOCK", given)
    monkeypatch.setattr(delimited, "_PART", 20 * given)
    assert read(file) == whole
    assert read(file, parts=3) == whole
    assert len(whole[0]) > 3000


def test_small_blocks_are_given_together(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads them pays for each batch."""
    file = deliver("a.csv", b"id;name\n" + b"".join(b"%06d;somebody\n" % k for k in range(4000)))
    monkeypatch.setattr(delimited, "_SCAN", 256)
    monkeypatch.setattr(delimited, "_PARSED", (1024,))
    monkeypatch.setattr(delimited, "BLOCK", 32 << 10)
    opened, _ = delimited.open_grid(file, delimited.Layout(encoding="utf-8", delimiter=";"))
    assert [len(piece.rows) for piece in opened.pieces([0, 1], 10_000)] == [2048, 1952]


@pytest.mark.parametrize(("encoding", "letter"), [("utf-8", "x"), ("cp1252", "€"), ("utf-16", "x")])
def test_a_record_longer_than_what_is_parsed_at_once_is_read(deliver: Deliver, encoding: str, letter: str) -> None:
    note = letter * (3 << 20)
    lines = ["id;name;kind;note", *(f"{k};a;b;c" for k in range(2000)), f"2000;a;b;{note}", "2001;a;b;c"]
    rows, found = read(deliver("a.csv", "\n".join([*lines, ""]).encode(encoding)), encoding=encoding)
    assert len(rows) == 2002
    assert rows[2000] == (2002, ["2000", "a", "b", note])
    assert found == []
