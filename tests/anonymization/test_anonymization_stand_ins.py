"""A number or date that the codebook cannot take stays in the vault; what stands in its place has the same verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from anonymization.passing_values import WITHHELD, PassingValues
from codebook.loader import load_codebook
from sources.crosswalk import Crosswalk, MapRow
from sources.models import Source
from sources.readers import reader

TABLE = """
  - name: main
    key: [id]
    entities: {person: {}, return_event: {}, case: {}}
    columns:
      - {name: id, class: identifier, kind: other}
      - {name: day, class: plain}
      - {name: months, class: plain}
"""
RETURNED, MONTHS = "return_event.return_date", "return_event.years_outside"


def row(variable: str, rule: str, column: str, **more: Any) -> MapRow:
    entity, _, name = variable.partition(".")
    given = {"entity": entity, "variable": name, "rule": rule, "table": "main", "column": column, "state": "approved"}
    return MapRow(**({"status": "exact"} | given | more))


@pytest.fixture
def mapped(make_source: Callable[..., Source]) -> Callable[..., Source]:
    def make(*rows: MapRow) -> Source:
        return make_source(tables=TABLE).model_copy(update={"crosswalk": Crosswalk(rows)})

    return make


def passed(source: Source, column: str, *cells: str) -> list[str | None]:
    told: list[str | None] = PassingValues(source, load_codebook()).of("main", column, pa.array(cells)).to_pylist()
    return told


@pytest.mark.parametrize(
    ("form", "born", "returned"),
    [
        ("iso", "1931-04-13", "2024-05-17T10:11:12Z"),
        ("%d/%m/%Y", "13/04/1931", "17/05/2024"),
        ("%d %B %Y", "13 abril 1931", "17 mayo 2024"),
        ("%d/%m/%Y %H:%M", "13/04/1931 10:15", "17/05/2024 10:15"),
        ("ethiopian:%d/%m/%Y", "13/04/1923", "17/05/2016"),
        ("jalali:%Y/%m/%d", "1310/01/24", "1403/02/28"),
        ("hijri:%Y-%m-%d", "1349-11-25", "1445-11-09"),
        ("hijri_civil:%Y-%m-%d", "1349-11-25", "1445-11-09"),
    ],
)
def test_a_birth_date_among_days_of_return_stays(
    mapped: Callable[..., Source], form: str, born: str, returned: str
) -> None:
    read = row(RETURNED, "date", "day", param=form)
    source = mapped(read)
    kept, instead = passed(source, "day", returned, born)
    assert kept == returned
    assert instead not in (born, WITHHELD)
    days, rejected = reader(source, load_codebook(), read)(pa.array([instead]))
    assert not rejected, "it is read like the other one, and as early"
    assert days[0].as_py().year < 1980


def test_a_number_beyond_its_range_stays(mapped: Callable[..., Source]) -> None:
    source = mapped(row("return_event.age_at_return", "number", "months"))
    assert passed(source, "months", "34", "77123456", "-5", "120") == ["34", "121", "-1", "120"]


def test_a_stand_in_is_beyond_the_range_in_the_unit_of_the_source(mapped: Callable[..., Source]) -> None:
    source = mapped(row("return_event.age_at_return", "number", "months", param="unit=month>year"))
    kept, instead = passed(source, "months", "408", "77123456")
    assert (kept, instead) == ("408", "12100")


def test_a_stand_in_is_no_code(mapped: Callable[..., Source]) -> None:
    """-1 would be an answer here, and the row be accepted with it."""
    source = mapped(
        row("return_event.age_at_return", "number", "months", code="-1", target="dont_know"),
        row("return_event.age_at_return", "number", "months"),
    )
    assert passed(source, "months", "-1", "-77123456") == ["-1", "-10"]


def test_what_is_beyond_for_one_variable_is_no_answer_to_another(mapped: Callable[..., Source]) -> None:
    """Of the two first days the later one has a day before it that the other variable takes."""
    both = [row(RETURNED, "date", "day", param="iso"), row("case.open_date", "date", "day", param="iso")]
    for rows in (both, both[::-1]):
        kept, instead = passed(mapped(*rows), "day", "1985-03-04", "1931-04-13")
        assert kept == "1985-03-04"
        assert instead in ("1979-12-31", "1000-01-01")


def test_what_only_asks_a_question_passes_as_it_is(
    mapped: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    codebook = load_codebook()
    variable = codebook.entities["return_event"].variable("age_at_return")
    asking = variable.model_copy(update={"range_severity": "query"})
    entity = codebook.entities["return_event"]
    changed = entity.model_copy(update={"variables": [asking if one == variable else one for one in entity.variables]})
    monkeypatch.setitem(codebook.entities, "return_event", changed)  # type: ignore[arg-type]
    source = mapped(row("return_event.age_at_return", "number", "months"))
    told = PassingValues(source, codebook).of("main", "months", pa.array(["34", "140"])).to_pylist()
    assert told == ["34", "140"]


INCOME = "return_event.monthly_income_abroad"


@pytest.mark.parametrize(
    ("param", "delivered", "kept"),
    [
        ("", "13.698765", "13.70"),
        ("", "13.695", "13.70"),
        ("decimal=, thousands=.", "1.234,56789", "1234,57"),
        ("decimal=٫", "١٣٫٦٩٨٧", "13٫70"),
        ("", "13.69", "13.69"),
        ("", "13.7", "13.7"),
        ("decimal=, thousands=.", "1.234", "1.234"),
    ],
)
def test_digits_that_the_codebook_does_not_keep_stay(
    mapped: Callable[..., Source], param: str, delivered: str, kept: str
) -> None:
    """Half of somebody's position stood in the store's Parquet as an amount with six digits."""
    read = row(INCOME, "number", "months", param=param)
    source = mapped(read)
    assert passed(source, "months", delivered) == [kept]
    values, _ = reader(source, load_codebook(), read)(pa.array([delivered, kept]))
    assert values[0] == values[1], "the codebook has the same number of both"


def test_digits_that_are_multiplied_or_are_a_code_are_needed(mapped: Callable[..., Source]) -> None:
    by_week = mapped(row(INCOME, "number", "months", param="per=week>month"))
    assert passed(by_week, "months", "13.698765") == ["13.698765"]
    coded = mapped(row(INCOME, "number", "months"), row(INCOME, "recode", "months", code="999.000", target="refused"))
    assert passed(coded, "months", "999.000", "998.999") == ["999.000", "999.00"]


def test_a_column_of_few_values_is_cut_batch_after_batch(mapped: Callable[..., Source]) -> None:
    known = PassingValues(mapped(row(INCOME, "number", "months")), load_codebook())
    for _ in range(2):
        assert known.of("main", "months", pa.array(["13.698765", "7", None])).to_pylist() == ["13.70", "7", None]
