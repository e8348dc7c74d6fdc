"""What a source says of itself once it is loaded."""

from __future__ import annotations

import pickle
import time

import pytest

from codebook.errors import BadDefinition
from codebook.loader import load_codebook
from sources.loader import list_sources, load_source


def test_the_allow_list_is_what_the_source_declares_to_pass(load):
    assert load().passing("main") == ["SEXO", "VULN", "TAM", "FECHA", "VERSION"]


def test_a_column_is_found_by_name_or_family(load):
    source = load()
    assert source.column("main", "DUI").kind == "national_id"
    assert source.column("main", "notes_interviewer").class_ == "free_text"
    assert source.column("main", "DUI2") is None
    with pytest.raises(KeyError):
        source.column("other", "DUI")


def test_of_a_family_that_passes_only_the_columns_of_the_crosswalk_pass(load, right_yaml, right_crosswalk):
    source = load(
        yaml=right_yaml.replace("name: VULN,", 'name: "VULN/*",'),
        crosswalk=right_crosswalk.replace("main,VULN,", "main,VULN/ENF,"),
    )
    assert source.passing("main") == ["SEXO", "TAM", "FECHA", "VERSION", "VULN/ENF"]


def test_a_blank_table_means_the_only_one(load, right_crosswalk):
    source = load(crosswalk=right_crosswalk.replace(",main,", ",,"))
    assert {row.table for row in source.crosswalk} == {"main"}


def test_rows_of_a_variable_are_found_in_file_order(load):
    rows = load().crosswalk.variables[("main", "person", "sex")]
    assert [(row.line, row.code, row.target) for row in rows] == [(2, "M", "male"), (3, "F", "female")]


def test_proposed_rows_are_known(load, right_crosswalk):
    source = load(crosswalk=right_crosswalk.replace("Female,,exact,,me,approved", "Female,,exact,,me,proposed"))
    assert [row.line for row in source.crosswalk.proposed] == [3]


def test_the_version_changes_with_every_file_and_not_with_line_ends(load, right_yaml, right_crosswalk, tmp_path):
    version = load().version
    assert len(version) == 12
    assert load(yaml=right_yaml.replace("\n", "\r\n")).version == version
    assert load(crosswalk=right_crosswalk + "\n").version != version
    assert load(corrections=CORRECTIONS).version != version


CORRECTIONS = """\
kind,table,column,list,language,label,form_code,corrected_code,reason,reported,status,expect
choice_label,main,SEXO,sex,Spanish,Mujer,M,F,labels shifted by one,2026-01-02,open,M
"""


def test_corrections_are_read_and_checked(load):
    (correction,) = load(corrections=CORRECTIONS).corrections
    assert (correction.list, correction.form_code, correction.corrected_code) == ("sex", "M", "F")
    with pytest.raises(BadDefinition, match=r"corrections.csv, line 2.*choice_label"):
        load(corrections=CORRECTIONS.replace("choice_label", "choice_lable"))


def test_a_source_can_be_sent_to_another_process(load):
    source = load()
    again = pickle.loads(pickle.dumps(source))
    assert again.version == source.version
    assert again.passing("main") == source.passing("main")


def test_loading_one_source_takes_less_than_a_third_of_a_second(load):
    load_codebook()
    took = []
    for _ in range(3):  # in one of them Python may look through all that other tests have left
        start = time.process_time()
        load()
        took.append(time.process_time() - start)
    assert min(took) < 0.3


def test_a_second_folder_adds_sources_and_homewards_own_come_first(load, tmp_path, monkeypatch):
    load()
    monkeypatch.setenv("HOMEWARD_SOURCES", str(tmp_path))
    assert "zzz/register" in list_sources()
    assert load_source("zzz/register").source == "zzz/register"


def test_an_unknown_source_is_an_error_with_the_nearest(load, tmp_path):
    load()
    with pytest.raises(BadDefinition, match=r"no source `zzz/registre`.*zzz/register"):
        load_source("zzz/registre", root=tmp_path)


@pytest.mark.parametrize("source", list_sources())
def test_every_source_of_homeward_loads_and_is_approved(source):
    assert load_source(source).crosswalk.proposed == ()
