"""From a supplier nobody has met to published rows: a workbook is scaffolded, its rows are approved, and it runs."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow
SOURCE = "irq/returns_register"
HEADER = ["رقم الملف", "الاسم الكامل", "الجنس", "تاريخ الميلاد", "تاريخ العودة", "بلد القدوم", "وسيلة النقل", "ملاحظات"]
SEXES, COUNTRIES, WAYS = ["ذكر", "أنثى"], ["تركيا", "لبنان", "سوريا"], ["جوا", "برا"]
ROWS = 36


def register(path: Path) -> None:
    """A register in Arabic, with two rows of titles above its header."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("السجل")
        sheet.write(0, 0, "سجل العائدين")
        sheet.write(1, 0, "السنة 2025")
        sheet.write_row(2, 0, HEADER)
        for n in range(ROWS):
            born, back = f"{n % 27 + 1:02}/0{n % 9 + 1}/{1960 + n}", f"{n % 27 + 1:02}/0{n % 6 + 1}/2025"
            coded = [SEXES[n % 2], born, back, COUNTRIES[n % 3], WAYS[n % 2]]
            said = f"قال إنه عاد مع جاره أبو حسن بعد {n} أيام من السفر"
            sheet.write_row(n + 3, 0, [f"R{n:03}", f"حسن علي {n}", *coded, said])


def approve(folder: Path) -> None:
    """What a reviewer does: name what is open, read the rows, and sign them."""
    declared = folder / "source.yaml"
    text = declared.read_text(encoding="utf-8").replace("to be named", "Directorate of Returns")
    declared.write_text(re.sub("expires: [-0-9]+", "expires: 2099-12-31", text), encoding="utf-8")
    mapped = folder / "crosswalk.csv"
    rows = list(csv.DictReader(mapped.read_text(encoding="utf-8").splitlines()))
    with mapped.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "state": "approved", "reviewer": "a reviewer"} for row in rows)


def test_a_scaffolded_source_publishes_once_its_rows_are_approved(house: House, tmp_path: Path) -> None:
    file = tmp_path / "register.xlsx"
    register(file)
    sources = tmp_path / "sources"
    more = {"HOMEWARD_SOURCES": str(sources)}
    house.homeward("scaffold", str(file), "--country", "IRQ", "--source", SOURCE, "--out", str(sources))
    text = (sources / SOURCE / "source.yaml").read_text(encoding="utf-8")
    assert "header_row: 3" in text

    house.homeward("deliver", str(file), "--source", SOURCE, **more)
    signed = re.sub("expires: [-0-9]+", "expires: 2099-12-31", text)
    (sources / SOURCE / "source.yaml").write_text(signed, encoding="utf-8")
    (refused,) = house.ask("run", "--source", SOURCE, expect=2, **more)
    assert "proposed" in str(refused)

    approve(sources / SOURCE)
    house.homeward("run", "--source", SOURCE, "--delivery", refused["delivery"], **more)
    published = house.sql(
        "SELECT sex, host_country, transport, count(*), min(return_date)::text, max(return_date)::text"
        " FROM core.return_event JOIN core.person USING (person_token)"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC"
    )
    assert sum(int(row[3]) for row in published) == ROWS
    assert len(published) == len(COUNTRIES) * len(SEXES)
    assert {row[3] for row in published} == {ROWS / 6}
    assert (min(row[4] for row in published), max(row[5] for row in published)) == ("2025-01-01", "2025-06-24")
