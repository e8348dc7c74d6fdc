"""Which rows are a table's header: titles and padding are not, names over several rows are, data never are."""

import csv
from pathlib import Path

import pytest

from connectors.text.header_rows import HeaderGuess, is_hxl_row, joined_header, propose_header


def place(guess: HeaderGuess) -> tuple[int, int]:
    return guess.first, guess.count


def test_a_plain_table_begins_with_its_header() -> None:
    guess = propose_header([["ID", "NAME", "AGE"], ["1", "a", "30"], ["2", "b", "31"]])
    assert place(guess) == (0, 1)
    assert guess.score > 0.9


def test_a_table_of_words_begins_with_its_header_though_a_later_row_is_fuller() -> None:
    rows = [["code", "name", None], ["A", "Alta", "north"], ["B", "Baja", "south"], ["C", "Centro", "south"]]
    assert place(propose_header(rows)) == (0, 1)


def test_titles_and_padding_stand_above_the_header() -> None:
    rows = [["Returns by year", None, None], [], ["Country:", "Honduras"], [], ["Region", "2024", "2025"]]
    rows += [[f"r{n}", str(n * 7), str(n * 9)] for n in range(9)]
    guess = propose_header(rows)
    assert place(guess) == (4, 1)
    assert "4 rows of titles or padding above" in guess.reasons


def test_ages_below_the_sexes_belong_to_the_header_and_in_a_column_are_values() -> None:
    rows = [["District", "Men", "", "Women", ""], ["", "0-17", "18+", "0-17", "18+"]]
    rows += [[f"r{n}", str(n), "5", "6", "7"] for n in range(9)]
    assert place(propose_header(rows)) == (0, 2)
    listed = [["age", "sex", "n"], *([band, sex, "7"] for band in ("0-17", "18-59", "60+") for sex in "mf")]
    assert place(propose_header(listed)) == (0, 1)


def test_a_header_over_two_rows_with_merged_cells_is_joined() -> None:
    rows = [["Region", "Men", "", "Women", ""], ["", "2024", "2025", "2024", "2025"], ["North", "1", "2", "3", "4"]]
    rows += [[f"r{n}", str(n), "5", "6", "7"] for n in range(9)]
    assert place(propose_header(rows)) == (0, 2)
    assert joined_header(rows[:2]) == ["Region", "Men / 2024", "Men / 2025", "Women / 2024", "Women / 2025"]


def test_a_year_in_a_row_of_data_is_no_name() -> None:
    rows = [["Region", "from", "to"], *([f"r{n}", "2024", str(2025 + n % 2)] for n in range(9))]
    assert place(propose_header(rows)) == (0, 1)


def test_a_row_of_hashtags_is_no_header_and_no_part_of_it() -> None:
    rows = [["Place", "Code", "People"], ["#adm1+name", "#adm1 +code", "#affected"], ["Kabul", "AF01", "7"]]
    assert place(propose_header(rows)) == (0, 1)
    assert [is_hxl_row(row) for row in rows] == [False, True, False]
    assert not is_hxl_row(["#", "#N/A"])
    assert not is_hxl_row([None, ""])


def test_rows_without_a_header_are_said_to_have_none() -> None:
    guess = propose_header([["1", "2"], ["3", "4"], ["5", "6"]])
    assert guess.score < 0.5
    assert propose_header([[], [None, " "]]) == HeaderGuess(0, 0, 0.0, ("no row is filled",))


def test_a_first_record_of_words_is_not_taken_for_a_header() -> None:
    """A row of words above words that are all different may be somebody: it is in doubt, and is not shown."""
    different = [["Rojas", "Beatriz", "Barinas"], ["Lugo", "Tomas", "Merida"], ["Paz", "Ines", "Zulia"]]
    guess = propose_header(different)
    assert (place(guess), guess.score < 0.5) == ((0, 0), True)
    assert "is a record" in guess.reasons[0]


def test_a_row_whose_words_come_again_below_is_a_record() -> None:
    people = [
        ["Rojas", "Beatriz"],
        ["Lugo", "Tomas"],
        ["Paz", "Ines"],
        ["Mora", "Luis"],
        ["Vega", "Ana"],
        ["Gil", "Eva"],
    ]
    answers = ["SI", "NO", "SI", "SI", "NO", "SI"]
    assert propose_header([[*who, said] for who, said in zip(people, answers, strict=True)]).count == 0


@pytest.mark.parametrize(
    "header",
    [
        ["apellidos", "nombres", "estado"],
        ["Прізвище", "Ім'я", "Область"],
        ["q1", "q2", "q3"],
        ["case_of", "caseHolder", "Where from?"],
    ],
)
def test_words_that_head_columns_and_spellings_of_programs_make_a_header(header: list[str]) -> None:
    rows = [["Rojas", "Beatriz", "Barinas"], ["Lugo", "Tomas", "Merida"], ["Paz", "Ines", "Zulia"]]
    assert place(propose_header([header, *rows])) == (0, 1)


def test_a_name_above_answers_that_come_again_is_a_header_in_any_language() -> None:
    rows = [["qof", "magac"], *([["haa", "maya"][n % 2], f"w{chr(97 + n)}x"] for n in range(9))]
    assert place(propose_header(rows)) == (0, 1)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "delimiter", "first", "count"),
    [
        ("begrotingsanalyse-2011.csv", ",", 3, 4),
        ("excel_pasting.csv", ",", 3, 1),
        ("weird_head_padding.csv", ";", 11, 1),
        ("spanish_chars.csv", ",", 0, 1),
    ],
)
def test_real_government_tables(corpus: Path, name: str, delimiter: str, first: int, count: int) -> None:
    with (corpus / "registries" / "messytables" / name).open(encoding="utf-8", errors="replace", newline="") as lines:
        assert place(propose_header(list(csv.reader(lines, delimiter=delimiter)))) == (first, count)


@pytest.mark.corpus
def test_every_real_export_begins_with_its_header(corpus: Path) -> None:
    files = sorted((corpus / "kobo").rglob("*.csv"))
    assert files
    for file in files:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            delimiter = ";" if ";" in lines.readline() else ","
            lines.seek(0)
            assert place(propose_header(list(csv.reader(lines, delimiter=delimiter)))) == (0, 1), file.name


@pytest.mark.parametrize(
    "rows",
    [
        [["Rosa Paz", "Eva Luz", "Mario Vela"]],
        [["REG", "NOM"], ["E1", "Ana Gil"], ["E2", "Rosa Paz", *(f"Pilar Sol{letter}" for letter in "abcdefghijklm")]],
    ],
)
def test_a_last_row_of_names_is_no_header(rows: list[list[str | None]]) -> None:
    # A note with commas that nobody quoted is longer than its header, and nothing stood below it.
    assert propose_header(rows).count == 0


@pytest.mark.parametrize("names", [["REG", "DUI", "NOM"], ["municipio", "aldea", "edad"], ["q1", "q2a", "hhSize"]])
def test_a_template_without_records_has_a_header(names: list[str | None]) -> None:
    assert propose_header([names]).count == 1
