"""One small right source, which each test makes wrong in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from codebook.errors import BadDefinition
from sources.loader import load_source
from sources.models import Source

YAML = """\
source: zzz/register
title: {en: A register, es: Un registro}
country: SLV
supplier: {name: A ministry, language: es}
owner: data@example.org
purpose: reintegration_statistics
legal_basis: A law
agreement: DSA-1
expires: 2029-12-31
retention_months: 12
delivery: {mode: snapshot}
format: {kind: csv, encoding: cp1252, delimiter: ";"}
tables:
  - name: main
    key: [EXP]
    person: {link: [DUI]}
    consent: {column: CONS, accept: [yes]}
    entities:
      person: {}
      household: {key: [FAM]}
    columns:
      - {name: EXP, class: identifier, kind: case_number}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui}
      - {name: FAM, class: identifier, kind: case_number}
      - {name: CONS, class: ignore}
      - {name: SEXO, class: plain}
      - {name: VULN, class: sensitive}
      - {name: TAM, class: plain}
      - {name: FECHA, class: plain}
      - {name: VERSION, class: technical}
      - {name: OBS, class: free_text, language: es}
      - {name: notes_*, class: free_text}
"""
CROSSWALK = """\
entity,variable,rule,table,column,code,label,when,target,target_label,param,status,note,reviewer,state
person,sex,recode,main,SEXO,M,Hombre,,male,Male,,exact,,me,approved
person,sex,recode,main,SEXO,F,Mujer,,female,Female,,exact,,me,approved
person,vulnerability,select_multiple,main,VULN,ENF,Enfermedad,,chronic_illness,,,exact,,me,approved
household,size,number,main,TAM,,Personas,,,,,exact,,me,approved
household,return_date,date,main,FECHA,,Fecha,,,,%d/%m/%Y,exact,,me,approved
household,tenure,,main,,,,,,,,impossible,not asked,me,approved
,,,main,VERSION,,,,,,,impossible,the codebook has no place for it,me,approved
"""

Load = Callable[..., Source]
Fault = Callable[..., str]


@pytest.fixture
def right_yaml() -> str:
    return YAML


@pytest.fixture
def right_crosswalk() -> str:
    return CROSSWALK


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write_and_load(yaml: str = YAML, crosswalk: str = CROSSWALK, corrections: str | None = None) -> Source:
        folder = tmp_path / "zzz" / "register"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "source.yaml").write_text(yaml, encoding="utf-8")
        (folder / "crosswalk.csv").write_text(crosswalk, encoding="utf-8")
        if corrections is not None:
            (folder / "corrections.csv").write_text(corrections, encoding="utf-8")
        return load_source("zzz/register", root=tmp_path)

    return write_and_load


@pytest.fixture
def fault_in_yaml(load: Load) -> Fault:
    """The error of the source in which `right` is replaced by `wrong`."""

    def fault(right: str, wrong: str) -> str:
        assert YAML.count(right) == 1
        with pytest.raises(BadDefinition) as error:
            load(yaml=YAML.replace(right, wrong))
        return str(error.value)

    return fault


@pytest.fixture
def fault_in_crosswalk(load: Load) -> Fault:
    """The error of the crosswalk in which `right` is replaced by `wrong`, or `wrong` is added as its last row."""

    def fault(right: str, wrong: str) -> str:
        assert not right or CROSSWALK.count(right) == 1
        with pytest.raises(BadDefinition) as error:
            load(crosswalk=CROSSWALK.replace(right, wrong) if right else CROSSWALK + wrong + "\n")
        return str(error.value)

    return fault
