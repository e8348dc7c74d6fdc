"""Several tables in one sheet or file: told by a profile, refused when a delivery is read, and never made one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from small_forms import workbook
from small_sources import rows, source, table

from codebook.errors import Refused
from connectors import open_delivery
from connectors.profiling.profile import profile
from connectors.unknown import delivered, open_unknown
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
Cells = Sequence[Sequence[Any]]

PLACES: Cells = [["Province", "Returnees", "Date"], *([f"Prov {n}", 10 * n, f"0{n}/02/2023"] for n in range(1, 9))]
CASES: Cells = [["Case", "Sex", "Age"], *([f"C{n}", "FM"[n % 2], 20 + n] for n in range(5))]
WORDS: Cells = [["Name", "Village"], ["Awa", "Kita"], ["Boubou", "Gao"], ["Cheick", "Mopti"]]
BLANK: Cells = [[]]


def beside(first: Cells, second: Cells, lower: int = 0) -> Cells:
    wide = len(first[0]) + 1
    moved = [*([[]] * lower), *second, *([[]] * len(first))]
    return [[*row, *[None] * (wide - len(row)), *more] for row, more in zip(first, moved, strict=False)]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([*PLACES, *BLANK, *CASES], [{"row": 11}]),
        ([*PLACES, ["Table 2. Cases"], *CASES], [{"row": 11}]),
        ([*PLACES, *BLANK, ["Table 2. Cases"], *BLANK, *CASES], [{"row": 13}]),
        ([*PLACES, *BLANK, *WORDS], [{"row": 11}]),
        ([*PLACES, *BLANK, *CASES, *BLANK, *WORDS], [{"row": 11}, {"row": 18}]),
        (beside(PLACES, CASES), [{"column": 5}]),
        (beside(PLACES, CASES, lower=2), [{"column": 5}]),
        (PLACES, []),
        ([*PLACES, *BLANK, *PLACES[1:], *BLANK, *PLACES[3:]], []),
        ([*PLACES, *BLANK, ["Total", 360]], []),
        ([*PLACES, *BLANK, ["Source: the ministry"], ["* provisional figures of May"]], []),
        ([PLACES[0], ["North"], *PLACES[1:4], ["South"], *PLACES[4:]], []),
        ([*PLACES, *BLANK, ["unknown", "n/a", "n/a"], *PLACES[2:]], []),
    ],
)
def test_a_profile_tells_where_another_table_begins(deliver: Deliver, cells: Cells, told: Any) -> None:
    file = deliver("a.xlsx", workbook({"places": cells}))
    (found,) = profile(open_unknown(delivered(file.path)), file.name)["tables"]
    assert (found["other_tables"], found["header_again"]) == (told, 0)


def test_a_header_that_comes_again_is_told_and_is_no_other_table(deliver: Deliver) -> None:
    file = deliver("a.xlsx", workbook({"places": [*PLACES, *BLANK, *PLACES, *BLANK, *PLACES]}))
    (found,) = profile(open_unknown(delivered(file.path)), file.name)["tables"]
    assert (found["other_tables"], found["header_again"]) == ([], 2)


@pytest.mark.parametrize("header", ["case,age,sex", "case,age", "case,age,sex,district"])
def test_tables_of_any_width_in_a_text_are_told_and_refused(deliver: Deliver, header: str) -> None:
    more = "\n".join(",".join([f"c{n}", f"{20 + n}", "m", "x"][: header.count(",") + 1]) for n in range(4))
    file = deliver("a.csv", f"place,n,day\nx,1,2\ny,2,3\n\n{header}\n{more}\n".encode())
    (found,) = profile(open_unknown(delivered(file.path)), file.name)["tables"]
    assert found["other_tables"] == [{"row": 5}]
    opened = open_delivery([file], source({"kind": "csv"}, table("cases", ["place", "n", "day"], ["place"])))
    with pytest.raises(Refused, match="row 5 looks like the header of another table"):
        rows(opened, "cases")


def test_records_of_another_table_are_not_read_as_of_the_first(deliver: Deliver) -> None:
    declared = source({"kind": "xlsx"}, table("places", ["Province", "Returnees"], ["Province"]))
    two = deliver("a.xlsx", workbook({"places": [*PLACES, *BLANK, ["Camp", "Families"], ["A", 3], ["B", 4]]}))
    with pytest.raises(Refused, match=r"another table \(sheet places\): deliver each table on a sheet"):
        rows(open_delivery([two], declared), "places")
    side_by_side = deliver("b.xlsx", workbook({"places": beside(PLACES, CASES)}))
    assert len(rows(open_delivery([side_by_side], declared), "places")) == 8
