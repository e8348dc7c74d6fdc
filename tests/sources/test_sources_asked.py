"""A question that the form did not ask is skipped by logic, one that was asked and not answered is missing."""

from __future__ import annotations

import json
from pathlib import Path

from anonymization.gate import Gate
from codebook.loader import load_codebook
from connectors import open_delivery
from harmonization import Harmonizer
from sources.batches import PlainFile
from sources.loader import load_source

SOURCE = """
source: slv/asked
title: {en: A survey whose form skips}
country: SLV
supplier: {name: A supplier, language: es}
owner: owner@example.org
purpose: reintegration_statistics
legal_basis: consent
agreement: T-1
expires: 2099-12-31
retention_months: 12
delivery: {mode: snapshot}
format: {kind: kobo_csv, values: xml}
tables:
  - name: main
    key: [_id]
    entities: {rss_response: {}}
    columns:
      - {name: _id, class: technical}
      - {name: children, class: technical}
      - {name: school, class: plain}
      - {name: asked(school), class: technical}
"""
CROSSWALK = """entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state
rss_response,soc_children_in_school,recode,main,school,all,All,,all,"Yes, all school-age children",,exact,,t,approved
rss_response,soc_children_in_school,recode,main,school,(blank),,asked(school)=no,skipped_by_logic,Skipped,,exact,,t,approved
,,,main,_id,,,,,,,impossible,the key,t,approved
,,,main,children,,,,,,,impossible,decides what is asked,t,approved
,,,main,asked(school),,,,,,,impossible,decides what a blank is,t,approved
"""
SURVEY = [
    {"type": "integer", "name": "children"},
    {"type": "begin_group", "name": "family", "relevant": "${children} > 0"},
    {"type": "select_one yn", "name": "school"},
    {"type": "end_group"},
]
CHOICES = [{"list_name": "yn", "name": "all", "label": "All"}]
EXPORT = '"_id";"children";"family/school"\r\n"1";"2";"all"\r\n"2";"0";""\r\n"3";"1";""\r\n"4";"";""\r\n'


def test_a_forms_relevance_decides_what_a_blank_answer_is(tmp_path: Path) -> None:
    folder = tmp_path / "sources" / "slv" / "asked"
    folder.mkdir(parents=True)
    (folder / "source.yaml").write_text(SOURCE, encoding="utf-8")
    (folder / "crosswalk.csv").write_text(CROSSWALK, encoding="utf-8")
    (tmp_path / "export.csv").write_bytes(EXPORT.encode())
    (tmp_path / "form.json").write_text(json.dumps({"content": {"survey": SURVEY, "choices": CHOICES}}))
    source = load_source("slv/asked", root=tmp_path / "sources")
    opened = open_delivery([PlainFile(tmp_path / "export.csv"), PlainFile(tmp_path / "form.json")], source)
    codebook = load_codebook()
    gate, harmonizer = Gate(source, None), Harmonizer(source, codebook)
    school = codebook.codelist_of("rss_response", "soc_children_in_school")
    (batch,) = opened.batches("main")
    rows = harmonizer.apply(gate.pass_batch(batch)).entities["rss_response"].to_pylist()
    assert {row["source_row"]: school.name(row["soc_children_in_school"]) for row in rows} == {
        2: "all",
        3: "skipped_by_logic",
        4: "missing_unexpected",
        # Nobody said how many children there are, and without it the form asks nothing.
        5: "skipped_by_logic",
    }
