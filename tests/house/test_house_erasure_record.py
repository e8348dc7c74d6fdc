"""What an erasure finds beside rows: a record that once came without its number, and files called after somebody."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from declared import AGREED

from anonymization.keys.ring import Keyring
from anonymization.vault.name_words import NameWords
from anonymization.vault.seal_format import was_shredded
from anonymization.vault.store import SealedFile
from anonymization.vault.vault import Vault
from assets.refused_uploads import REFUSED

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

DECLARED = (
    AGREED
    + """source: slv/desk
title: {en: Desk}
country: SLV
supplier: {name: A desk, language: en}
delivery: {mode: increment}
format: {kind: csv}
tables:
  - name: main
    key: [CASE]
    person: {link: [DUI]}
    entities: {person: {}}
    columns:
      - {name: CASE, class: identifier, kind: case_number}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui}
      - {name: NAME, class: identifier, kind: name, part: full}
      - {name: SEX, class: plain}
"""
)
CROSSWALK = """entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state
person,sex,recode,main,SEX,F,,,female,,,exact,,me,approved
person,sex,recode,main,SEX,M,,,male,,,exact,,me,approved
"""
HERS = {"CASE": "C-0001", "DUI": "04567890-3", "NAME": "Xochitl Tezcal", "SEX": "F"}
OTHER = {"CASE": "C-0002", "DUI": "04015838-0", "NAME": "Tlaloc Quispe", "SEX": "M"}
CALLED = "Xochitl Tezcal 04567890-3"


@pytest.fixture
def desk(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    folder = tmp_path / "sources" / "slv" / "desk"
    folder.mkdir(parents=True)
    (folder / "source.yaml").write_text(DECLARED)
    (folder / "crosswalk.csv").write_text(CROSSWALK)
    monkeypatch.setenv("HOMEWARD_SOURCES", str(tmp_path / "sources"))
    return house


def table(*rows: dict[str, str]) -> bytes:
    told = io.StringIO()
    writer = csv.DictWriter(told, list(HERS))
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue().encode()


def deliver(house: House, name: str, content: bytes) -> None:
    house.samples.mkdir(parents=True, exist_ok=True)
    path = house.samples / name
    path.write_bytes(content)
    house.homeward("deliver", str(path), "--source", "slv/desk")
    house.homeward("run", "--source", "slv/desk")


def erase(house: House, case: str) -> None:
    ((token,),) = house.sql(f"SELECT DISTINCT person_token::text FROM core.person WHERE {case}")
    house.homeward("vault", "erase", "--token", token, "--reason", "asked for it")


def vault_of(house: House) -> Vault:
    keyring = Keyring.open(house.home / "keys")
    return Vault(f"postgresql+psycopg://postgres@/vault?host={house.home / 'postgres'}", keyring)


def test_a_record_that_once_came_without_its_number_leaves_nobody_in_the_vault(desk: House) -> None:
    # Without a number the row's own key stands for the person: another token, and what it said of her name stayed.
    deliver(desk, "1.csv", table(HERS, OTHER))
    ((token,),) = desk.sql("SELECT person_token::text FROM core.person WHERE source_row = 2")
    deliver(desk, "2.csv", table(HERS | {"DUI": ""}))
    done = desk.homeward("vault", "erase", "--token", token, "--reason", "asked for it")
    assert "another number" not in done.stderr, "who is known by the record alone goes with her"
    vault = vault_of(desk)
    with vault.transaction() as cursor:
        assert cursor.execute("SELECT count(*) FROM vault.person").fetchone() == (1,)
        assert cursor.execute("SELECT count(*) FROM vault.identity").fetchone() == (1,)
    assert NameWords(vault, "SLV").among(["xochitl", "tezcal", "tlaloc"]) == {"tlaloc"}


def test_who_else_stands_for_an_erased_record_is_told_before_and_in_the_certificate(desk: House) -> None:
    # Erased by the token of the record without a number, she stayed in the vault by it, without a row, and nobody knew.
    deliver(desk, "1.csv", table(HERS | {"DUI": ""}, OTHER))
    ((old,),) = desk.sql("SELECT person_token::text FROM core.person WHERE source_row = 2")
    deliver(desk, "2.csv", table(HERS))
    newest = "SELECT person_token::text FROM core.person ORDER BY valid_from DESC LIMIT 1"
    ((new,),) = desk.sql(newest)
    done = desk.homeward("vault", "erase", "--token", old, "--reason", "asked for it", "--json")
    assert f"--token {new}" in " ".join(done.stderr.split())
    assert old not in done.stderr
    assert any("1 other tokens in the vault under which" in one for one in json.loads(done.stdout)["remains"])
    done = desk.homeward("vault", "erase", "--token", new, "--reason", "asked for it", "--json")
    assert "another number" not in done.stdout + done.stderr
    with vault_of(desk).transaction() as cursor:
        assert cursor.execute("SELECT count(*) FROM vault.person").fetchone() == (1,)


def test_no_file_stays_called_after_who_was_erased(desk: House) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{CALLED}/{CALLED}.csv", table(HERS | {"CASE": "C-0003"}, OTHER | {"CASE": "C-0004"}))
    deliver(desk, f"{CALLED}.csv", table(HERS, OTHER))
    deliver(desk, f"{CALLED}.zip", packed.getvalue())
    deliver(desk, f"{CALLED}.csv.gz", gzip.compress(table(HERS | {"CASE": "C-0005"}, OTHER | {"CASE": "C-0006"})))
    scanned = desk.samples / f"{CALLED}.pdf"
    scanned.write_bytes(b"%PDF-1.7 a picture of her paper")
    desk.homeward("deliver", str(scanned), "--source", "slv/desk")
    desk.homeward("run", "--source", "slv/desk", expect=2)
    aside = desk.home / "inbox" / "slv" / "desk" / REFUSED
    aside.mkdir()
    (aside / f"1-{CALLED}").symlink_to(scanned)
    (aside / "2-nobody").symlink_to(scanned)
    erase(desk, "source_row = 2")
    assert [path.name for path in aside.iterdir()] == ["2-nobody"]
    keyring, names = Keyring.open(desk.home / "keys"), []
    for path in sorted((desk.home / "vault" / "store").glob("*.sealed")):
        if was_shredded(path):
            continue
        sealed = SealedFile(path, keyring)
        content = sealed.open().read()
        names.append(sealed.name)
        assert b"Xochitl" not in content
        assert b"04567890" not in content
    assert sorted(names) == ["file 1.csv", "file 1.gz", "file 1.zip"]
    desk.homeward("run", "--source", "slv/desk")
