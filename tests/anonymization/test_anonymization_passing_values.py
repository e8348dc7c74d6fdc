"""A passing column lets pass what its crosswalk can read; a name in it stays, and its row is rejected all the same."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonymization.gate import Gate
from anonymization.passing_values import WITHHELD, PassingValues
from assets import parquet
from codebook.errors import Refused
from codebook.loader import load_codebook
from harmonization import Harmonizer
from sources.batches import SafeBatch, TextBatch
from sources.crosswalk import Crosswalk, MapRow
from sources.models import Source
from values.distinct import used

NAME = "Xochitl Quetzal"
HELD = "vXochitlQuetzal"
TABLE = """
  - name: main
    key: [id]
    entities: {person: {}, return_event: {}, rss_response: {}}
    columns:
      - {name: id, class: identifier, kind: other}
      - {name: sex, class: plain}
      - {name: needs, class: sensitive}
      - {name: returned, class: plain}
      - {name: age, class: plain}
      - {name: place, class: geo}
      - {name: form, class: technical}
      - {name: channel, class: plain}
      - {name: answered, class: technical}
"""
COLUMNS = ("sex", "needs", "returned", "age", "place", "form", "channel", "answered")


def row(variable: str, rule: str | None, column: str, **more: Any) -> MapRow:
    entity, _, name = variable.partition(".")
    given = {"entity": entity, "variable": name, "rule": rule, "table": "main", "column": column, "state": "approved"}
    return MapRow(**({"status": "exact"} | given | more))


CROSSWALK = (
    row("person.sex", "recode", "sex", code="F", target="female"),
    row("person.sex", "recode", "sex", code="M", target="male", when="answered=yes"),
    row("person.vulnerability", "select_multiple", "needs", code="ill", target="chronic_illness"),
    row("person.vulnerability", "select_multiple", "needs", code="*", target="dont_know"),
    row("return_event.return_date", "date", "returned", code="?", target="dont_know"),
    row("return_event.return_date", "date", "returned", param="%d/%m/%Y"),
    row("return_event.age_at_return", "age", "age"),
    row("return_event.return_adm1", "geography", "place", param="adm1"),
    row("rss_response.form_version", "copy", "form"),
    row("", None, "channel", status="impossible", note="means nothing"),
)


@pytest.fixture
def source(make_source: Callable[..., Source]) -> Source:
    return make_source(tables=TABLE).model_copy(update={"crosswalk": Crosswalk(CROSSWALK)})


def passed(source: Source, column: str, cells: Iterable[str | None], encoded: bool = False) -> list[str | None]:
    given = pa.array(cells, pa.string())
    found = PassingValues(source, load_codebook()).of("main", column, given.dictionary_encode() if encoded else given)
    assert pa.types.is_dictionary(found.type) or not encoded
    told: list[str | None] = found.to_pylist()
    return told


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(
    ("column", "cells", "passes"),
    [
        ("sex", ["F", " F ", "M", None, " ", NAME], ["F", " F ", "M", None, " ", WITHHELD]),
        ("needs", ["ill", f"ill {NAME}", NAME], ["ill", f"ill {WITHHELD} {WITHHELD}", f"{WITHHELD} {WITHHELD}"]),
        ("returned", ["17/05/2024", "?", "17/05/24", "2024-05-17"], ["17/05/2024", "?", "01/01/01", WITHHELD]),
        ("returned", ["01/01/1980", "13/04/1931", "01/01/2101"], ["01/01/1980", "31/12/1979", "01/01/2101"]),
        ("returned", ["31/02/2024", NAME, "٠١/٠٢/٢٠٢٤"], [WITHHELD, WITHHELD, "٠١/٠٢/٢٠٢٤"]),
        ("age", ["34", "3O", "0456789012345", "٣٤", "9" * 40], ["34", WITHHELD, WITHHELD, "٣٤", WITHHELD]),
        ("place", ["San Salvador", NAME], ["San Salvador", WITHHELD]),
        ("form", ["vQ7aXk2LmN", "ESR-2", "2024051701", NAME], ["vQ7aXk2LmN", "ESR-2", "2024051701", WITHHELD]),
        ("channel", ["office", NAME, None], [WITHHELD, WITHHELD, None]),
        ("answered", ["yes", NAME], ["yes", WITHHELD]),
    ],
)
def test_what_no_rule_reads_does_not_pass(
    source: Source, column: str, cells: list[str | None], passes: list[str | None], encoded: bool
) -> None:
    assert passed(source, column, cells, encoded) == passes


def test_what_one_batch_was_read_of_hides_nothing_in_the_next(source: Source) -> None:
    values = PassingValues(source, load_codebook())
    told = [values.of("main", "sex", pa.array(cells)).to_pylist() for cells in (["F", "M"], ["M", NAME], ["F", None])]
    assert told == [["F", "M"], ["M", WITHHELD], ["F", None]]


def batch(rows: list[dict[str, str | None]]) -> TextBatch:
    blank: dict[str, str | None] = dict.fromkeys(COLUMNS)
    cells = pa.Table.from_pylist([{"id": str(number)} | blank | one for number, one in enumerate(rows)])
    return TextBatch("main", pa.array(range(2, len(rows) + 2), pa.int64()), cells)


def test_the_row_is_rejected_for_the_same_reason(source: Source) -> None:
    wrong = [{column: NAME} for column in ("sex", "returned", "age", "place")]
    safe = Gate(source, None).pass_batch(batch([*wrong, {"returned": "17/05/24"}, {"sex": "F"}]))
    told = Harmonizer(source, load_codebook()).apply(safe).issues.to_pylist()
    assert NAME not in str(safe.data.to_pydict())
    assert {(one["row"], one["column"], one["rule"]) for one in told} == {
        (2, "sex", "map.unknown_code"),
        (3, "returned", "map.unreadable_date"),
        (4, "age", "map.unreadable_number"),
        (5, "place", "map.unknown_place"),
        (6, "returned", "map.two_digit_year"),
    }


def kept(safe: SafeBatch, folder: Path) -> bytes:
    parquet.write(safe.to_keep(), folder / "data.parquet")
    return (folder / "data.parquet").read_bytes()


def test_a_value_of_a_row_that_is_held_back_is_in_no_dictionary(source: Source, tmp_path: Path) -> None:
    rows = batch([{"form": "v1", "sex": "F"}, {"id": None, "form": HELD, "sex": "F"}])
    form = rows.cells.column_names.index("form")
    encoded = rows.cells.set_column(form, "form", rows.cells["form"].dictionary_encode())
    safe = Gate(source, None).pass_batch(TextBatch("main", rows.rows, encoded))
    assert safe.data["form"].to_pylist() == ["v1"]
    content = kept(safe, tmp_path)
    assert b"v1" in content
    assert HELD.encode() not in content


def test_a_value_of_a_row_that_is_taken_out_of_a_file_is_taken_out_of_its_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    parquet.write(pa.table({"form": pa.array(["v1", NAME]).dictionary_encode()}), path)
    assert NAME.encode() in path.read_bytes()
    parquet.swap(pq.read_table(path).slice(0, 1), path)
    assert NAME.encode() not in path.read_bytes()
    assert pq.read_table(io.BytesIO(path.read_bytes()))["form"].to_pylist() == ["v1"]


def test_a_dictionary_keeps_its_cells() -> None:
    whole = pa.array(["a", "b", None, "c", "b"]).dictionary_encode()
    part = used(whole.filter(pa.array([False, True, True, True, True])))
    assert part.to_pylist() == ["b", None, "c", "b"]
    assert part.dictionary.to_pylist() == ["b", "c"]


ADULTS = [f"{1 + n:02d}/{1 + n % 12:02d}/{1950 + 2 * n}" for n in range(24)]
RETURNS = [f"{1 + n:02d}/{1 + n % 12:02d}/{2000 + n}" for n in range(24)]


def test_birth_dates_of_others_in_a_column_of_returns_stop_the_delivery(source: Source) -> None:
    batch = TextBatch("main", pa.array(range(24)), pa.table({"id": [f"F{n}" for n in range(24)], "returned": ADULTS}))
    with pytest.raises(Refused, match="15 dates of column returned lie before all") as raised:
        Gate(source, None).pass_batch(batch)
    assert raised.value.rule == "delivery.personal_data_in_plain_column"
    assert not any(day in str(raised.value) for day in ADULTS)


@pytest.mark.parametrize(
    "dates",
    [
        RETURNS,
        ["01/01/1900"] * 16 + RETURNS[:8],  # how some programs write that there is none
        [*ADULTS[:3], *RETURNS[3:]],  # slips, told as such by a rule of their own
        ["?"] * 24,
    ],
)
def test_dates_of_returns_pass_with_slips_and_placeholders(source: Source, dates: list[str]) -> None:
    batch = TextBatch("main", pa.array(range(24)), pa.table({"id": [f"F{n}" for n in range(24)], "returned": dates}))
    assert len(Gate(source, None).pass_batch(batch).data) == 24
