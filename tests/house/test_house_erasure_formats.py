"""A person of a plain workbook, of a JSON file, of a Stata file and of another programme is erased from all of them,
and from nothing that is others' but the sealed Stata file, of which is warned."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import psycopg
import pyreadstat
import pytest
import xlsxwriter
from declared import AGREED

from anonymization.keys.ring import Keyring
from anonymization.vault.store import SealedFile
from assets import intake
from assets.certificates import folder
from assets.lost_erasures import lost, refuse_older_vault, repeat_lost
from assets.vault_erasure import Asked, destroys_whole, erase
from assets.way import STAGES, pass_stage
from assets.workplace import Workplace
from codebook.errors import HomewardError, Unavailable
from sources.loader import load_source

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

DECLARED = (
    AGREED
    + """source: slv/{name}
title: {{en: Arrivals}}
country: SLV
supplier: {{name: A desk, language: en}}
{programme}
delivery: {{mode: snapshot}}
format: {format}
tables:
  - name: main
    key: [CASE]
    person: {{link: [DUI]}}
    entities: {{person: {{}}}}
    columns:
      - {{name: CASE, class: identifier, kind: case_number}}
      - {{name: DUI, class: identifier, kind: national_id, scheme: slv_dui}}
      - {{name: NAME, class: identifier, kind: name, part: full}}
      - {{name: SEX, class: plain}}
"""
)
CROSSWALK = """entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state
person,sex,recode,main,SEX,F,,,female,,,exact,,me,approved
person,sex,recode,main,SEX,M,,,male,,,exact,,me,approved
"""
PEOPLE = [
    {"CASE": "C-0001", "DUI": "04567890-3", "NAME": "Xochitl Tezcal", "SEX": "F"},
    {"CASE": "C-0002", "DUI": "04015838-0", "NAME": "Tlaloc Quispe", "SEX": "M"},
]


def workbook() -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    sheet = book.add_worksheet("main")
    for number, row in enumerate([dict(zip(PEOPLE[0], PEOPLE[0], strict=True)), *PEOPLE]):
        sheet.write_row(number, 0, list(row.values()))
    book.close()
    return made.getvalue()


def stata() -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".dta") as file:
        pyreadstat.write_dta(pd.DataFrame(PEOPLE[:1]), file.name)
        return Path(file.name).read_bytes()


FILES = {
    "stata": ("{kind: stata}", "", "p.dta", stata()),
    "book": ("{kind: xlsx}", "", "p.xlsx", workbook()),
    "items": ("{kind: json}", "", "p.json", json.dumps(PEOPLE).encode()),
    "shielded": (
        "{kind: json}",
        "programme: protection",
        "p.json",
        json.dumps([*PEOPLE, PEOPLE[0] | {"CASE": "C-3"}]).encode(),
    ),
}


@pytest.fixture
def workplace(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """The four deliveries, published."""
    monkeypatch.setenv("HOMEWARD_SOURCES", str(tmp_path / "sources"))
    workplace = Workplace(house.home)
    for name, (format, programme, file, content) in FILES.items():
        folder = tmp_path / "sources" / "slv" / name
        folder.mkdir(parents=True)
        (folder / "source.yaml").write_text(DECLARED.format(name=name, format=format, programme=programme))
        (folder / "crosswalk.csv").write_text(CROSSWALK)
        (folder / file).write_bytes(content)
        source = load_source(f"slv/{name}")
        intake.deliver(workplace, source, [folder / file])
        receipt = intake.receive(workplace, source, next(intake.waiting(workplace, source.source)))
        assert receipt is not None
        for stage in STAGES:
            report = pass_stage(workplace, source, receipt.delivery.key, stage)
            assert report.refused is None
    return workplace


def opened(workplace: Workplace) -> list[bytes]:
    """What the sealed deliveries say, workbooks unpacked."""
    keyring = Keyring.open(workplace.home / "keys")
    found = [SealedFile(path, keyring).open().read() for path in sorted(workplace.sealed.glob("*.sealed"))]
    return [unpacked(content) if content.startswith(b"PK") else content for content in found]


def unpacked(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"".join(book.read(name) for name in book.namelist())


def test_a_person_goes_from_workbook_json_and_the_other_programme(house: House, workplace: Workplace) -> None:
    ask = "SELECT source_id, person_token FROM core.person ORDER BY source_id, source_row"
    tokens: dict[str, list[Any]] = {}
    for source, token in house.sql(ask):
        tokens.setdefault(source.removeprefix("slv/"), []).append(token)
    assert tokens["book"] == tokens["items"]
    mine, shielded = tokens["book"][0], tokens["shielded"][0]
    assert mine != shielded
    assert destroys_whole(workplace, [mine]) == ["slv/stata"]
    with pytest.raises(HomewardError, match="known in another programme as well: protection"):
        erase(workplace, Asked([mine], "asked for it", "Marta"))
    ((_, said),) = erase(workplace, Asked([mine], "asked for it", "Marta", everywhere=True))

    assert said["programmes"] == ["protection"]
    assert {(line["source"], line["done"]) for line in said["sealed_deliveries"]} == {
        (f"slv/{name}", "destroyed" if name == "stata" else "rows overwritten") for name in FILES
    }
    assert destroys_whole(workplace, []) == []
    left = house.sql("SELECT source_id, count(*) FROM core.person GROUP BY 1 ORDER BY 1")
    assert left == [("slv/book", 1), ("slv/items", 1), ("slv/shielded", 1)]
    for content in opened(workplace):
        assert b"Tlaloc" in content
        assert not any(word in content for word in (b"Xochitl", b"04567890-3", b"C-0001"))
    assert house.sql(f"SELECT count(*) FROM core.person_history WHERE person_token IN ('{mine}', '{shielded}')") == [
        (0,)
    ]
    assert_an_older_vault_is_told_of_the_erasure(house, workplace)


def assert_an_older_vault_is_told_of_the_erasure(house: House, workplace: Workplace) -> None:
    """As a backup from before it would be, with a person who came after that backup."""
    marks = "SELECT count(*) FROM vault.erased"
    with psycopg.connect(workplace.vault_url.replace("+psycopg", ""), autocommit=True) as vault:
        before = vault.execute(marks).fetchall()
        vault.execute("ALTER TABLE vault.audit DISABLE TRIGGER ALL")
        vault.execute("DELETE FROM vault.audit WHERE action = 'erase'")
        vault.execute("DELETE FROM vault.erased")
        with pytest.raises(Unavailable, match="the vault is older than 1 erasures: a backup was brought back"):
            refuse_older_vault(workplace)
        assert "the vault is older" in house.homeward("vault", "review", expect=3).stderr
        (folder(workplace) / "damaged.json").write_bytes(b"\0")
        assert repeat_lost(workplace) == []
        assert vault.execute(marks).fetchall() == before
        refuse_older_vault(workplace)
        assert lost(workplace) == []
