"""How source codes become codes of the codebook."""

from __future__ import annotations

import pytest

from codebook.errors import BadDefinition
from codebook.loader import load_codebook
from harmonization import Harmonized

CODEBOOK = load_codebook()
SEX = """
person.sex | recode | SEX | 1 | | male |
person.sex | recode | SEX | 2 | | female |
"""
STATES = ("dont_know", "refused", "not_applicable", "skipped_by_logic", "missing_unexpected")


def names(done: Harmonized, entity: str, variable: str) -> list[str]:
    codes = CODEBOOK.codelist_of(entity, variable)
    return [codes.name(code) for code in done.entities[entity][variable].to_pylist()]


def issues(done: Harmonized) -> list[tuple[int, str, str, str]]:
    return [(i["row"], i["column"], i["variable"], i["rule"]) for i in done.issues.to_pylist()]


def test_a_code_becomes_the_code_of_its_target(harmonize):
    done = harmonize(SEX, {"SEX": ["2", "1", "2"]})
    assert names(done, "person", "sex") == ["female", "male", "female"]
    assert issues(done) == []


def test_a_blank_cell_is_missing_and_no_issue(harmonize):
    done = harmonize(SEX, {"SEX": ["1", None, "  "]})
    assert names(done, "person", "sex") == ["male", "missing_unexpected", "missing_unexpected"]
    assert issues(done) == []


def test_a_code_without_a_row_is_an_issue_and_never_a_default(harmonize):
    done = harmonize(SEX, {"SEX": ["1", "3"]})
    assert names(done, "person", "sex") == ["male", "missing_unexpected"]
    assert issues(done) == [(3, "SEX", "sex", "map.unknown_code")]
    assert done.issues["severity"].to_pylist() == ["error"]


def test_no_issue_holds_a_value(harmonize):
    done = harmonize(SEX, {"SEX": ["a secret"]})
    assert "secret" not in str(done.issues.to_pylist())


def test_five_states_stay_five(harmonize):
    rows = "".join(f"person.sex | recode | SEX | {90 + i} | | {state} |\n" for i, state in enumerate(STATES))
    done = harmonize(SEX + rows, {"SEX": ["90", "91", "92", "93", "94", "1"]})
    assert names(done, "person", "sex") == [*STATES, "male"]
    assert done.entities["person"]["sex"].to_pylist()[:5] == [-1, -2, -3, -4, -5]


def test_a_row_for_blank_says_what_blank_means(harmonize):
    done = harmonize(SEX + "person.sex | recode | SEX | (blank) | | skipped_by_logic |", {"SEX": [None, "1"]})
    assert names(done, "person", "sex") == ["skipped_by_logic", "male"]


def test_a_blank_answer_that_the_form_did_not_ask_for_is_skipped_by_logic(harmonize):
    """A KoboToolbox source declares `asked(SEX)`; blank is a condition that could not be worked out."""
    done = harmonize(
        SEX + "person.sex | recode | SEX | (blank) | asked(SEX)=no | skipped_by_logic |",
        {"SEX": ["1", None, None, None], "asked(SEX)": ["yes", "no", "yes", None]},
    )
    assert names(done, "person", "sex") == ["male", "skipped_by_logic", "missing_unexpected", "missing_unexpected"]


def test_the_first_match_in_file_order_wins(harmonize):
    done = harmonize(
        """
        person.sex | recode | SEX | 1 | AGE=5 | female |
        person.sex | recode | SEX | 1 | | male |
        person.sex | recode | SEX | * | | refused |
        person.sex | recode | SEX | 2 | | female |
        """,
        {"SEX": ["1", "1", "2", "x"], "AGE": ["5", "6", "5", None]},
    )
    assert names(done, "person", "sex") == ["female", "male", "refused", "refused"]


def test_conditions_that_fail_fall_through_and_nothing_left_is_unknown(harmonize):
    done = harmonize(
        """
        person.sex | recode | SEX | 1 | FORM=a & LANG=es | male |
        person.sex | recode | SEX | 1 | FORM=b | female |
        person.sex | recode | SEX | (blank) | FORM=* | refused |
        """,
        {
            "SEX": ["1", "1", "1", None, None],
            "FORM": ["a", "b", "a", "a", None],
            "LANG": ["es", "es", "fr", None, None],
        },
    )
    assert names(done, "person", "sex") == ["male", "female", "missing_unexpected", "refused", "missing_unexpected"]
    assert issues(done) == [(4, "SEX", "sex", "map.unknown_code")]


def test_a_decomposed_accent_is_the_same_code(harmonize):
    done = harmonize("rss_response.consent | recode | D | SÍ | | yes |", {"D": ["SI\u0301", "SÍ", " SÍ\u00a0"]})
    assert names(done, "rss_response", "consent") == ["yes", "yes", "yes"]


def test_first_of_takes_the_first_filled_column_even_if_its_code_is_unknown(harmonize):
    done = harmonize(
        """
        person.sex | first_of | A | m | | male |
        person.sex | first_of | A | f | | female |
        person.sex | first_of | B | 1 | | male |
        person.sex | first_of | B | (blank) | | refused |
        """,
        {"A": ["f", None, "x", None, None], "B": ["1", "1", "1", None, "2"]},
    )
    assert names(done, "person", "sex") == ["female", "male", "missing_unexpected", "refused", "missing_unexpected"]
    assert issues(done) == [(4, "A", "sex", "map.unknown_code"), (6, "B", "sex", "map.unknown_code")]


DEBT = """
household.has_debt | recode | DEBT | yes | | yes |
household.has_debt | recode | DEBT | no | | no |
household.debt_vs_spending | case | DEBT | no | | no_debt |
household.debt_vs_spending | case | SIZE | larger | DEBT=yes | debt_is_larger |
"""


def test_case_answers_from_several_columns_in_order(harmonize):
    done = harmonize(DEBT, {"DEBT": ["no", "yes", "no", None], "SIZE": [None, "larger", "larger", None]})
    assert names(done, "household", "debt_vs_spending") == [
        "no_debt",
        "debt_is_larger",
        "no_debt",
        "missing_unexpected",
    ]
    assert issues(done) == []


def test_case_a_code_known_to_another_variable_is_no_answer_and_no_error(harmonize):
    done = harmonize(DEBT, {"DEBT": ["yes"], "SIZE": [None]})
    assert names(done, "household", "debt_vs_spending") == ["missing_unexpected"]
    assert issues(done) == []


def test_case_a_code_nobody_knows_and_a_code_under_other_conditions_are_unknown(harmonize):
    done = harmonize(DEBT, {"DEBT": ["yes", None], "SIZE": ["enormous", "larger"]})
    found = [issue for issue in issues(done) if issue[2] == "debt_vs_spending"]
    assert found == [
        (2, "SIZE", "debt_vs_spending", "map.unknown_code"),
        (3, "SIZE", "debt_vs_spending", "map.unknown_code"),
    ]


SENSITIVE = {"V": "sensitive"}  # the codebook restricts the variable
VULNERABILITY = """
person.vulnerability | select_multiple | V | chr | | chronic_illness |
person.vulnerability | select_multiple | V | old | | elderly |
person.vulnerability | select_multiple | V | ref | | refused |
person.vulnerability | select_multiple | V | (blank) | | skipped_by_logic |
"""


def test_select_multiple_collects_all_ticked_codes(harmonize):
    done = harmonize(VULNERABILITY, {"V": ["old chr", "chr", "old  old"]}, classes=SENSITIVE)
    codes = CODEBOOK.codelist_of("person", "vulnerability")
    chronic, elderly = codes.code("chronic_illness"), codes.code("elderly")
    assert done.entities["person"]["vulnerability"].to_pylist() == [sorted([chronic, elderly]), [chronic], [elderly]]


def test_select_multiple_a_state_is_a_list_of_one_and_never_beside_an_answer(harmonize):
    done = harmonize(VULNERABILITY, {"V": ["ref", "ref chr", None]}, classes=SENSITIVE)
    chronic = CODEBOOK.codelist_of("person", "vulnerability").code("chronic_illness")
    assert done.entities["person"]["vulnerability"].to_pylist() == [[-2], [chronic], [-4]]


def test_select_multiple_every_ticked_code_needs_a_row(harmonize):
    done = harmonize(VULNERABILITY, {"V": ["chr new"]}, classes=SENSITIVE)
    assert done.entities["person"]["vulnerability"].to_pylist() == [[-5]]
    assert issues(done) == [(2, "V", "vulnerability", "map.unknown_code")]


def test_select_multiple_of_a_single_code_takes_the_first_row_that_is_ticked(harmonize):
    done = harmonize(
        """
        rss_response.econ_has_productive_assets | select_multiple | A | land | | yes |
        rss_response.econ_has_productive_assets | select_multiple | A | none | | no |
        """,
        {"A": ["none land", "none", None, "boat"]},
    )
    made = names(done, "rss_response", "econ_has_productive_assets")
    assert made == ["yes", "no", "missing_unexpected", "missing_unexpected"]
    assert issues(done) == [(5, "A", "econ_has_productive_assets", "map.unknown_code")]


TICKED = """
person.vulnerability | select_multiple | ILL | Yes | | chronic_illness |
person.vulnerability | select_multiple | ILL | No | | |
person.vulnerability | select_multiple | ILL | Not known | | dont_know |
person.vulnerability | select_multiple | OLD | Yes | | elderly |
person.vulnerability | select_multiple | OLD | No | | |
"""


def test_select_multiple_collects_what_is_ticked_in_several_columns(harmonize):
    ill = ["Yes", "Yes", "No", "Not known", "Not known", None, "No", None]
    old = ["Yes", "No", "No", "Yes", "No", "Yes", None, None]
    done = harmonize(TICKED, {"ILL": ill, "OLD": old}, classes={"ILL": "sensitive", "OLD": "sensitive"})
    codes = CODEBOOK.codelist_of("person", "vulnerability")
    chronic, elderly = codes.code("chronic_illness"), codes.code("elderly")
    made = done.entities["person"]["vulnerability"].to_pylist()
    assert made[:3] == [[chronic, elderly], [chronic], []]
    assert made[3:] == [[elderly], [-1], [elderly], [-5], [-5]]  # no and a blank: nobody said that there is nothing
    assert issues(done) == []


def test_select_multiple_of_several_columns_reports_the_column_of_an_unknown_code(harmonize):
    ticked = {"ILL": ["Yes", "Si"], "OLD": ["2", "Yes"]}
    done = harmonize(TICKED, ticked, classes={"ILL": "sensitive", "OLD": "sensitive"})
    assert issues(done) == [
        (2, "OLD", "vulnerability", "map.unknown_code"),
        (3, "ILL", "vulnerability", "map.unknown_code"),
    ]


def test_a_single_answer_is_not_collected_from_several_columns(write_source):
    rows = """
    household.drinking_water | select_multiple | A | 1 | | borehole |
    household.drinking_water | select_multiple | B | 1 | | public_tap |
    """
    with pytest.raises(BadDefinition, match="first_of or case"):
        write_source(rows, ["A", "B"])


def test_recode_of_a_list_variable_makes_lists_of_one(harmonize):
    done = harmonize("person.vulnerability | recode | V | 1 | | elderly |", {"V": ["1", None]}, classes=SENSITIVE)
    elderly = CODEBOOK.codelist_of("person", "vulnerability").code("elderly")
    assert done.entities["person"]["vulnerability"].to_pylist() == [[elderly], [-5]]


def test_a_constant_is_the_same_in_every_row(harmonize):
    done = harmonize(SEX + "return_event.country_of_return | constant | | | | SLV |", {"SEX": ["1", None]})
    assert names(done, "return_event", "country_of_return") == ["SLV", "SLV"]


def test_what_the_source_does_not_collect_is_null_and_no_answer_state(harmonize):
    done = harmonize(SEX, {"SEX": ["1"]})
    person = done.entities["person"]
    assert person.schema.equals(CODEBOOK.arrow_schema("person"))
    assert person["nationality"].to_pylist() == [None]
    assert person["birth_year"].to_pylist() == person["birth_year_state"].to_pylist() == [None]
