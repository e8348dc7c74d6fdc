"""How numbers, ages, dates and places are read: special codes first, errors named, nothing guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from codebook.loader import load_codebook
from codebook.models import Place
from harmonization import Harmonized
from sources.readers import folded, places


def column(done: Harmonized, entity: str, variable: str) -> tuple[list[Any], list[int | None]]:
    table = done.entities[entity]
    return table[variable].to_pylist(), table[f"{variable}_state"].to_pylist()


def issues(done: Harmonized) -> list[tuple[int, str, str, str]]:
    return [(i["row"], i["column"], i["variable"], i["rule"]) for i in done.issues.to_pylist()]


def test_a_number_is_read_with_its_decimal_mark(harmonize):
    done = harmonize(
        "household.monthly_income | number | INCOME | | | | decimal=, thousands=.",
        {"INCOME": ["1.234,5", "7", "0,005"]},
    )
    assert column(done, "household", "monthly_income") == (
        [Decimal("1234.50"), Decimal("7.00"), Decimal("0.01")],
        [None, None, None],
    )


def test_an_unreadable_number_is_an_error_and_missing(harmonize):
    done = harmonize("household.size | number | SIZE | | | | ", {"SIZE": ["4", "four", "3.5", None]})
    assert column(done, "household", "size") == ([4, None, None, None], [None, -5, -5, -5])
    assert issues(done) == [
        (3, "SIZE", "size", "map.unreadable_number"),
        (4, "SIZE", "size", "map.unreadable_number"),
    ]


def test_a_special_code_is_a_state_and_not_a_number(harmonize):
    done = harmonize(
        """
        household.size | number | SIZE | | | |
        household.size | number | SIZE | 98 | | dont_know |
        household.size | number | SIZE | (blank) | ASKED=no | skipped_by_logic |
        """,
        {"SIZE": ["5", "98", None, None], "ASKED": ["yes", "yes", "no", "yes"]},
    )
    assert column(done, "household", "size") == ([5, None, None, None], [None, -1, -4, -5])
    assert issues(done) == []


@pytest.mark.parametrize(
    ("param", "text", "months"),
    [
        ("unit=year>month", "2", 24),
        ("unit=week>month", "52", 12),
        ("unit=day>month", "45", 1),
        ("unit=day>month", "46", 2),
    ],
)
def test_a_duration_is_converted_and_rounded_once(harmonize, param, text, months):
    done = harmonize(f"return_event.absence_months | number | LENGTH | | | | {param}", {"LENGTH": [text]})
    assert column(done, "return_event", "absence_months")[0] == [months]


def test_an_amount_per_period_is_multiplied_where_a_duration_is_divided(harmonize):
    done = harmonize("household.monthly_income | number | PAY | | | | per=week>month", {"PAY": ["100"]})
    assert column(done, "household", "monthly_income")[0] == [Decimal("434.81")]  # 365.2425 / 12 / 7 weeks


def test_a_converted_number_that_is_too_large_is_an_error(harmonize):
    done = harmonize("return_event.absence_months | number | Y | | | | unit=year>month", {"Y": ["999999999", "1"]})
    assert column(done, "return_event", "absence_months") == ([None, 12], [-5, None])
    assert issues(done) == [(2, "Y", "absence_months", "map.unreadable_number")]


def test_the_unit_may_depend_on_another_column(harmonize):
    done = harmonize(
        """
        return_event.absence_months | number | N | | UNIT=y | | unit=year>month
        return_event.absence_months | number | N | | UNIT=m | |
        """,
        {"N": ["2", "2", "2"], "UNIT": ["y", "m", "fortnight"]},
    )
    assert column(done, "return_event", "absence_months") == ([24, 2, None], [None, None, -5])
    assert issues(done) == [(4, "N", "absence_months", "map.unknown_code")]


def test_of_two_columns_the_first_filled_one_is_read(harmonize):
    done = harmonize(
        """
        household.size | number | NEW | | | |
        household.size | number | OLD | | | |
        household.size | number | OLD | -9 | | refused |
        """,
        {"NEW": ["1", None, None, None], "OLD": ["8", "2", "-9", None]},
    )
    assert column(done, "household", "size") == ([1, 2, None, None], [None, None, -2, -5])


def test_an_age_lies_between_0_and_120(harmonize):
    done = harmonize("rss_response.age | age | AGE | | | | ", {"AGE": ["0", "120", "121", "-1", "300"]})
    assert column(done, "rss_response", "age") == ([0, 120, None, None, None], [None, None, -5, -5, -5])
    assert [row for row, *_ in issues(done)] == [4, 5, 6]


def test_a_date_is_read_in_its_declared_form_only(harmonize):
    done = harmonize(
        "household.return_date | date | D | | | | %d/%m/%Y", {"D": ["03/04/2024", "2024-04-03", "31/02/2024", "3/4/24"]}
    )
    assert column(done, "household", "return_date") == ([date(2024, 4, 3), None, None, None], [None, -5, -5, -5])
    assert issues(done) == [
        (3, "D", "return_date", "map.unreadable_date"),
        (4, "D", "return_date", "map.unreadable_date"),
        (5, "D", "return_date", "map.two_digit_year"),
    ]


def test_a_date_of_another_calendar_becomes_gregorian(harmonize):
    done = harmonize("household.return_date | date | D | | | | ethiopian:%d/%m/%Y", {"D": ["01/01/2016"]})
    assert column(done, "household", "return_date")[0] == [date(2023, 9, 12)]


def test_one_cell_that_two_entities_read_is_one_issue(harmonize):
    done = harmonize(
        """
        household.return_date | date | D | | | | iso
        return_event.return_date | date | D | | | | iso
        """,
        {"D": ["soon"]},
    )
    assert issues(done) == [(2, "D", "return_date", "map.unreadable_date")]


UNITS = (
    Place(pcode="SV01", level=1, parent="SLV", name="Ahuachapán"),
    Place(pcode="SV02", level=1, parent="SLV", name="Santa Ana", alternates=("Sta. Ana",)),
    Place(pcode="SV0101", level=2, parent="SV01", name="San José"),
    Place(pcode="SV0201", level=2, parent="SV02", name="San José"),
    Place(pcode="SV0202", level=2, parent="SV02", name="Metapán", valid_to=date(2024, 4, 30)),
    Place(pcode="SV0203", level=2, parent="SV02", name="Metapán", valid_from=date(2024, 5, 1)),
)


def pcodes(level: int, *texts: str) -> list[str | None]:
    import pyarrow as pa

    found, rejected = places(UNITS, level)(pa.array(texts))
    assert rejected["map.unknown_place"].tolist() == [pcode is None for pcode in found.to_pylist()]
    return found.to_pylist()


def test_a_place_is_found_by_code_name_or_other_spelling_however_it_is_written():
    assert pcodes(1, "SV01", "AHUACHAPAN", " ahuachapán ", "sta ana", "Santa  Ana") == [
        "SV01",
        "SV01",
        "SV01",
        "SV02",
        "SV02",
    ]


def test_a_place_of_another_level_or_of_two_districts_is_nobodys():
    assert pcodes(1, "Metapán", "Atlantis") == [None, None]
    assert pcodes(2, "San José") == [None]


def test_of_a_closed_and_an_open_unit_the_name_means_the_open_one():
    assert pcodes(2, "Metapan") == ["SV0203"]


def test_an_unknown_place_is_an_error(harmonize):
    name = load_codebook().places("SLV")[0]
    done = harmonize(
        f"household.adm{name.level} | geography | P | | | | adm{name.level}", {"P": [name.name, "Atlantis", None]}
    )
    assert column(done, "household", f"adm{name.level}") == ([name.pcode, None, None], [None, -5, -5])
    assert issues(done) == [(3, "P", f"adm{name.level}", "map.unknown_place")]


def test_folding_keeps_letters_of_other_scripts():
    assert folded("Dire-Dawa") == folded("dire dawa") != ""
    assert folded("ድሬ ዳዋ") == "ድሬ ዳዋ"
    assert folded("نينوى") != folded("أربيل")


def test_technical_text_is_copied(harmonize):
    done = harmonize(
        "rss_response.form_version | copy | __version__ | | | | ",
        {"__version__": ["v1", None]},
        classes={"__version__": "technical"},
    )
    assert column(done, "rss_response", "form_version") == (["v1", None], [None, -5])


def test_constants_of_variables_that_are_no_codes(harmonize):
    done = harmonize(
        """
        household.size | number | SIZE | | | |
        household.return_date | constant | | | | | 2024-05-01
        household.monthly_income | constant | | | | not_applicable |
        """,
        {"SIZE": ["1"]},
    )
    assert column(done, "household", "return_date") == ([date(2024, 5, 1)], [None])
    assert column(done, "household", "monthly_income") == ([None], [-3])
