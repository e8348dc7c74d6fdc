"""A database in one file is looked at as it is stored, and nothing that is written in it is run."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codebook.errors import HomewardError, Refused
from connectors.profiling.profile import profile
from connectors.unknown import Looked, open_unknown
from sources.batches import PlainFile


@pytest.fixture
def database(tmp_path: Path) -> Callable[..., PlainFile]:
    def made(*statements: str | tuple[str, list[tuple[Any, ...]]]) -> PlainFile:
        path = tmp_path / "returns of 2023?.db"
        connection = sqlite3.connect(path)
        for statement in statements:
            if isinstance(statement, str):
                connection.execute(statement)
            else:
                connection.executemany(*statement)
        connection.commit()
        connection.close()
        return PlainFile(path)

    return made


def rows(looked: Looked, table: str) -> list[list[str | None]]:
    grid = looked.grids[table]
    pieces = grid.pieces([heading.position for heading in grid.headings], 2)
    return [list(row) for piece in pieces for row in zip(*(cells.to_pylist() for cells in piece.cells), strict=True)]


def test_every_cell_is_what_is_stored_whatever_the_column_promises(database: Callable[..., PlainFile]) -> None:
    stored: list[tuple[Any, ...]] = [
        (1, "007", 0.1 + 0.2, b"\x00\xff"),
        ("one", "", 1.0, None),
        (2**62, " ", None, b""),
    ]
    looked = open_unknown(
        database('CREATE TABLE "a ""b" (n integer, "per cent %" text, r real, d blob)',
                 ('INSERT INTO "a ""b" VALUES (?, ?, ?, ?)', stored))
    )  # fmt: skip
    assert looked.format == "sqlite"
    assert rows(looked, 'a "b') == [
        ["1", "007", "0.30000000000000004", "00ff"],
        ["one", None, "1.0", None],
        [str(2**62), None, None, None],
    ]


def test_a_strangers_views_and_expressions_are_left_alone(database: Callable[..., PlainFile]) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    looked = open_unknown(
        database("CREATE TABLE a (n integer, twice generated always as (n * 2))", f"CREATE VIEW v AS {endless}")
    )
    assert list(looked.grids) == ["a"]
    assert [heading.header for heading in looked.grids["a"].headings] == ["n"]


def test_a_profile_tells_the_tables_and_writes_nothing_beside_them(database: Callable[..., PlainFile]) -> None:
    file = database(
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE retour (nom text, date_naissance text)",
        ("INSERT INTO retour VALUES (?, ?)", [(f"Awa Diallo{'abcdefgh'[n]}", f"198{n}-01-0{n + 1}") for n in range(8)]),
    )
    (told,) = profile(open_unknown(file), file.name)["tables"]
    assert (told["name"], told["rows"]) == ("retour", 8)
    assert "birth_date" in told["columns"][1]["looks_like"]
    assert [path.name for path in file.path.parent.iterdir()] == [file.name]


def test_a_damaged_database_is_refused_in_our_words(database: Callable[..., PlainFile]) -> None:
    file = database("CREATE TABLE a (b text)", ("INSERT INTO a VALUES (?)", [("Secret " * 900,)] * 40))
    whole = file.path.read_bytes()
    cuts = [whole[:100], whole[:5000], whole[: len(whole) // 2], whole[:4096] + b"\xff" * (len(whole) - 4096)]
    for content in cuts:
        file.path.write_bytes(content)
        with pytest.raises(HomewardError) as refusal:
            profile(open_unknown(file), file.name)
        assert "Secret" not in str(refusal.value)


def test_a_cell_that_is_no_text_or_has_no_end_is_refused(database: Callable[..., PlainFile]) -> None:
    for cell in ("CAST(x'ff41' AS text)", "zeroblob(20000000)"):
        file = database("CREATE TABLE IF NOT EXISTS a (b)", "DELETE FROM a", f"INSERT INTO a VALUES ({cell})")
        with pytest.raises(Refused, match="a cell of it cannot be read"):
            profile(open_unknown(file), file.name)
