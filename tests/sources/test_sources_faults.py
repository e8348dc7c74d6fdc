"""Every fault in the two files is one line: what, in which file and line, and the nearest name that would be right."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("delimiter:", "delimter:", ["unknown key `delimter`", "source.yaml, line 12", "delimiter"]),
        ("owner:", "ower:", ["`ower`", "line 5", "owner"]),
        ("SEXO, class: plain", "SEXO, class: plian", ["plian", "line 26", "plain"]),
        ("SEXO, class:", "SEXO, clas:", ["unknown key `clas`", "line 26", "did you mean `class`"]),
        ("kind: csv", "kind: cvs", ["cvs", "line 12", "csv"]),
        ("kind: national_id", "kind: natinal_id", ["natinal_id", "line 23", "national_id"]),
        ("mode: snapshot", "mode: snap", ["snap", "line 11"]),
        ("purpose: reintegration_statistics", "purpose: marketing", ["`marketing` is not registered", "line 6"]),
        ("source: zzz/register", "source: zzz/other", ["zzz/other", "line 1", "zzz/register"]),
        ("key: [EXP]", "key: [EXPE]", ["key column `EXPE`", "line 15", "EXP"]),
        ("key: [FAM]", "key: [FAMILIA]", ["household key column `FAMILIA`", "line 20"]),
        ("link: [DUI]", "link: [SEXO]", ["link column `SEXO` is plain", "line 16", "identifier"]),
        ("column: CONS", "column: CONSE", ["consent column `CONSE`", "line 17", "CONS"]),
        ("household: {key", "houshold: {key", ["unknown entity `houshold`", "line 20", "household"]),
        ("    person: {link: [DUI]}\n", "", ["makes persons but links none"]),
        ("EXP, class: identifier, kind: case_number", "EXP, class: identifier", ["without kind", "line 22"]),
        ("name: TAM, class: plain", "name: SEXO, class: plain", ["`SEXO` is declared twice", "line 28"]),
        ("    consent:", "    parent: {table: mian, key: [EXP]}\n    consent:", ["parent table `mian`", "line 17"]),
        ("name: TAM, class: plain", "name: TAM, class: plain, format: '%d/%y'", ["no form of dates", "line 28"]),
        ("name: TAM, class: plain", "name: _geolocation, class: geo", ["`_geolocation` says by its name", "line 28"]),
        ("name: TAM, class: plain", "name: form/username, class: technical", ["`form/username` says", "line 28"]),
        ("name: TAM, class: plain", "name: X_submitted_by, class: plain", ["`X_submitted_by` says", "class: ignore"]),
        ("name: TAM, class: plain", "name: imei2, class: technical", ["`imei2` says by its name", "class: ignore"]),
        ("name: TAM, class: plain", "name: form/dob, class: technical", ["`form/dob` says", "keep: year"]),
        ("name: TAM, class: plain", "name: Fecha_Nacimiento, class: plain", ["birth date, and is plain", "line 28"]),
        ("name: TAM, class: plain", "name: deviceid, class: technical", ["`deviceid` says by its name", "line 28"]),
        ("name: TAM, class: plain", "name: _home_latitude, class: geo", ["`_home_latitude` says", "line 28"]),
        ("    consent:", "    attachments: [{question: OBS}]\n    consent:", ["has no attachments", "line 17"]),
        ("OBS, class: free_text, language: es", "OBS, class: plain", ["`OBS` passes", "line 31", "crosswalk.csv"]),
    ],
)  # fmt: skip
def test_a_fault_in_source_yaml(fault_in_yaml, right, wrong, says):
    message = fault_in_yaml(right, wrong)
    assert "\n" not in message
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("label,when", "lable,when", ["unknown column `lable`", "crosswalk.csv, line 1"]),
        ("person,sex,recode,main,SEXO,M", "persona,sex,recode,main,SEXO,M", ["`persona`", "line 2", "person"]),
        ("household,size", "household,sise", ["unknown variable `sise`", "line 5", "size"]),
        ("select_multiple", "select_many", ["select_many", "line 4", "select_multiple"]),
        ("main,TAM", "mian,TAM", ["unknown table `mian`", "line 5", "main"]),
        ("main,TAM", "main,TAMM", ["`TAMM` is not declared", "line 5", "TAM"]),
        ("main,TAM", "main,DUI", ["`DUI` is an identifier", "line 5", "never leave the gate"]),
        ("main,TAM", "main,OBS", ["`OBS` is free text", "line 5"]),
        ("main,TAM", "main,notes_1", ["`notes_1` is free text", "line 5"]),
        ("main,TAM", "main,CONS", ["does not pass the gate", "line 5"]),
        (",female,", ",femal,", ["`femal` is not in code list `sex`", "line 3", "female"]),
        (",male,Male,,exact", ",male,Male,,exakt", ["exakt", "line 2", "exact"]),
        (",Male,,exact,,me,approved", ",Male,,exact,,me,aproved", ["aproved", "line 2", "approved"]),
        ("%d/%m/%Y", "", ["a date needs its form", "line 6"]),
        ("%d/%m/%Y", "%d/%m/%y", ["two-digit year", "line 6"]),
        ("TAM,,Personas,,,,,", "TAM,,Personas,,,,unit=weeks>month,", ["weeks>month", "line 5", "week"]),
        ("TAM,,Personas,,,,,", "TAM,,Personas,,,,decimals=.,", ["unknown param `decimals`", "line 5", "decimal"]),
        ("household,size,number", "household,size,recode", ["rule recode cannot make `size`", "line 5", "number"]),
        ("Hombre,,male", "Hombre,SEXO,male", ["line 2", "column=code"]),
        ("Hombre,,male", "Hombre,SEXX=M,male", ["`SEXX` is not declared", "line 2", "SEXO"]),
        ("SEXO,F", "SEXO,M", ["never matches", "line 3", "line 2"]),
        ("SEXO,F", "TAM,F", ["recode of columns", "line 3", "first_of"]),
        ("SEXO,F,Mujer,,female", "SEXO,F,Mujer,,", ["without target", "line 3"]),
        ("ENF,Enfermedad,,", "ENF,Enfermedad,SEXO=F,", ["line 4", "case"]),
        (",,,main,VERSION", "rss,,,main,VERSION", ["line 8", "together"]),
        ("the codebook has no place for it", "", ["line 8", "note"]),
        (",,,,impossible,not asked", ",,,,exact,not asked", ["line 7", "without a rule"]),
        ("", "person,sex,recode,main,SEXO,X,,,refused,,,exact,,me,approved", ["stand together", "line 9", "line 3"]),
        ("", "return_event,transport,constant,main,,,,,air,,,exact,,me,approved", ["makes no `return_event`"]),
        ("", "household,currency,constant,main,,,,,,,USD,exact,,me,approved", ["is a code", "line 9"]),
        ("", "household,returned_family_members,constant,main,,,,,,,some,exact,,me,approved", ["no integer", "line 9"]),
        ("", "person,sex,recode,main", ["4 cells", "line 9"]),
    ],
)  # fmt: skip
def test_a_fault_in_crosswalk_csv(fault_in_crosswalk, right, wrong, says):
    message = fault_in_crosswalk(right, wrong)
    assert "\n" not in message
    for part in says:
        assert part in message


def test_a_restricted_variable_takes_a_column_that_is_declared_sensitive(fault_in_yaml):
    message = fault_in_yaml("VULN, class: sensitive", "VULN, class: plain")
    assert "`vulnerability`, which is restricted" in message
    assert "crosswalk.csv, line 4" in message


def test_a_special_code_needs_a_row_that_reads_the_other_cells(fault_in_crosswalk):
    message = fault_in_crosswalk("main,TAM,,Personas,,,", "main,TAM,98,No sabe,,dont_know,")
    assert "no row that reads it" in message
