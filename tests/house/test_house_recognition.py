"""The same person in two deliveries without an identifier, through the whole house and past the officer's desk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from declared import AGREED
from homes import House

SOURCE = (
    AGREED
    + """source: gtm/doors
title: {en: Arrivals}
country: GTM
supplier: {name: A supplier, language: en}
delivery: {mode: increment}
format: {kind: csv, encoding: utf-8, delimiter: ",", date_format: "%Y-%m-%d"}
tables:
  - name: main
    key: [FILE]
    person: {link: [CUI], similar: [GIVEN, FAMILY, BORN, PHONE]}
    entities: {person: {}, return_event: {}}
    columns:
      - {name: FILE, class: technical}
      - {name: CUI, class: identifier, kind: national_id, scheme: gtm_cui}
      - {name: GIVEN, class: identifier, kind: name, part: given}
      - {name: FAMILY, class: identifier, kind: name, part: family}
      - {name: BORN, class: quasi_identifier, keep: year, format: "%Y-%m-%d"}
      - {name: PHONE, class: identifier, kind: phone}
      - {name: SEX, class: plain}
      - {name: RETURNED, class: plain}
"""
)
CROSSWALK = """\
entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state
,,,main,FILE,,,,,,,impossible,the supplier's number,me,approved
person,sex,recode,main,SEX,F,,,female,Female,,exact,,me,approved
person,sex,recode,main,SEX,M,,,male,Male,,exact,,me,approved
person,birth_year,number,main,BORN,,,,,,,exact,,me,approved
return_event,return_date,date,main,RETURNED,,,,,,%Y-%m-%d,exact,,me,approved
return_event,country_of_return,constant,main,,,,,GTM,Guatemala,,exact,,me,approved
"""
HEAD = "FILE,CUI,GIVEN,FAMILY,BORN,PHONE,SEX,RETURNED\n"
FIRST = HEAD + "1,,Xiomara Beatriz,Quiñónez Batz,1991-04-23,5512-3456,F,2025-01-10\n"
SECOND = (
    HEAD + "2,,Siomara,QUIÑONES,1991-04-23,,F,2026-02-11\n3,,Xiomara Beatriz,Quiñónez Batz,,5512-3456,F,2026-03-12\n"
)


def declared(folder: Path) -> dict[str, str]:
    """The source, and the setting by which it is found."""
    doors = folder / "sources" / "gtm" / "doors"
    doors.mkdir(parents=True)
    (doors / "source.yaml").write_text(SOURCE, encoding="utf-8")
    (doors / "crosswalk.csv").write_text(CROSSWALK, encoding="utf-8")
    return {"HOMEWARD_SOURCES": str(folder / "sources")}


def deliver(house: House, folder: Path, content: str, more: dict[str, str]) -> None:
    file = folder / "arrivals.csv"
    file.write_text(content, encoding="utf-8")
    house.homeward("deliver", str(file), "--source", "gtm/doors", **more)
    house.homeward("run", "--source", "gtm/doors", **more)


@pytest.mark.slow
def test_one_person_in_two_deliveries_counts_once_until_an_officer_says_otherwise(house: House, tmp_path: Path) -> None:
    more = declared(tmp_path)

    def persons() -> int:
        ((count,),) = house.sql(
            "SELECT value::int FROM marts.indicator_value WHERE indicator = 'persons_returned' AND period = 'all'"
            " AND country = 'GTM' AND source_id IS NULL AND disaggregation = 'total'"
        )
        return int(count)

    deliver(house, tmp_path, FIRST, more)
    assert persons() == 1
    deliver(house, tmp_path, SECOND, more)
    assert persons() == 2  # the second row is recognised; the third has no birth date and waits
    facts = house.sql("SELECT r::text FROM core.return_event r ORDER BY 1")

    def waiting() -> list[int]:
        return [pair["decision_id"] for pair in house.ask("vault", "review", "--country", "gtm", **more)]

    first = waiting()[0]
    house.homeward("vault", "review", "--accept", str(first), "--as", "officer 1", **more)
    assert persons() == 1
    house.homeward("vault", "review", "--undo", str(first), "--as", "officer 2", **more)
    assert persons() == 2
    (merged,) = house.ask("vault", "review", "--merged", **more)
    house.homeward("vault", "review", "--undo", str(merged["decision_id"]), "--as", "officer 2", **more)
    assert persons() == 3
    assert house.sql("SELECT r::text FROM core.return_event r ORDER BY 1") == facts
    again = house.homeward("vault", "review", "--undo", str(first), "--as", "officer 2", expect=2, **more)
    assert "cannot become undone" in again.stderr


@pytest.mark.slow
def test_who_erases_is_told_of_pairs_that_wait(house: House, tmp_path: Path) -> None:
    """The pair goes with the person; the other one, who may be her too, stays, and nobody was told."""
    more = declared(tmp_path)
    deliver(house, tmp_path, FIRST, more)
    deliver(house, tmp_path, SECOND, more)
    ((token,),) = house.sql("SELECT person_token::text FROM core.return_event WHERE return_date = '2025-01-10'")
    erase = ("vault", "erase", "--token", token, "--reason", "asked for it", "--as", "officer 1")
    done = house.homeward(*erase, "--json", **more)
    assert "1 pairs of these people wait for an officer (`homeward vault review`)" in done.stderr
    said = json.loads(done.stdout)
    assert "1 other tokens that may be the person's, of which no officer had decided" in said["remains"]
    ((left,),) = house.sql("SELECT person_token::text FROM core.person")
    last = house.homeward("vault", "erase", "--token", left, "--reason", "asked for it", **more)
    assert "wait for an officer" not in last.stderr
