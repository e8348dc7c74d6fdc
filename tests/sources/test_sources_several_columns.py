"""What a scaffold proposes of several columns together: answers with a column each, either of two questions, and blank
cells that were not asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from codebook.loader import load_codebook
from sources.proposing.constants import constants
from sources.proposing.declaring import ProposedTable, with_key
from sources.proposing.described import Described, Match
from sources.proposing.known import Known, gather
from sources.proposing.matching import propose
from sources.proposing.skipped import Filled, Seen


@pytest.fixture(scope="module")
def known() -> Known:
    return gather(load_codebook(), [])


def column(name: str, *codes: str, label: str = "", type: str = "text", **labelled: str) -> Described:
    told = dict.fromkeys(codes, "") | {code.removeprefix("_"): said for code, said in labelled.items()}
    return Described("main", name, label, type, (), told)


def asked(columns: Sequence[Described], rows: Sequence[Mapping[str, str]]) -> Seen:
    """What these rows say; a column that a row leaves out is blank."""

    def count(wanted: Sequence[Described]) -> Filled:
        names = [one.name for one in wanted]
        holding = {(c.name, code): [r for r in rows if r.get(c.name) == code] for c in wanted for code in c.codes}
        return Filled(
            len(rows),
            {name: sum(name in row for row in rows) for name in names},
            {(a, b): sum(a in row and b in row for row in rows) for a in names for b in names},
            {at: (len(held), {n: sum(n in row for row in held) for n in names}) for at, held in holding.items()},
        )

    return Seen(count, {})


def of(matches: Sequence[Match], variable: str) -> list[Match]:
    return [match for match in matches if match.target.variable.name == variable]


BESIDE = (column("SEXO", "M", "F"), column("EST_CIVIL", "S", "C", "V"))


def test_answers_with_a_column_each_make_one_variable(known: Known) -> None:
    ticked = [column(name, "SI", "NO") for name in ("EMBARAZADA", "DISCAPACIDAD", "ADULTO_MAYOR")]
    found = of(propose([*BESIDE, *ticked], known), "vulnerability")
    assert {match.column.name: match.answers["SI"].target for match in found} == {
        "EMBARAZADA": "pregnant_or_lactating",
        "DISCAPACIDAD": "disability",
        "ADULTO_MAYOR": "elderly",
    }
    assert {(match.rule, match.nothing) for match in found} == {("select_multiple", ("NO",))}


def test_a_single_ticked_column_is_no_list(known: Known) -> None:
    found = propose([*BESIDE, column("DISCAPACIDAD", "SI", "NO")], known)
    assert [match.target.variable.name for match in found if match.column.name == "DISCAPACIDAD"] == ["disability"]


def test_ticked_columns_far_from_each_other_are_no_list(known: Known) -> None:
    between = [column(f"lote {n}", "A", "B") for n in range(3)]
    apart = [column("EMBARAZADA", "SI", "NO"), *between, column("ADULTO_MAYOR", "SI", "NO")]
    assert not of(propose([*BESIDE, *apart], known), "vulnerability")


def test_a_number_labelled_yes_and_no_is_no_number(known: Known) -> None:
    beside = [column("hh_size", type="integer"), column("head_sex", "M", "F")]
    yes_no = column("income_5", label="Total income", type="integer", _1="Yes", _0="No")
    assert not of(propose([*beside, yes_no], known), "monthly_income")


DEED = column("deed", "yes", "no", label="Do you have a title deed for the dwelling?")
LEASE = column("lease", "yes", "no", label="Do you have a written lease for the dwelling?")
HOUSE = (column("hh_size", type="integer"), column("tenure", "owned", "rented", "hosted"))


def test_either_of_two_questions_is_the_first_that_is_filled(known: Known) -> None:
    rows = [{"tenure": "owned", "deed": "yes"}, {"tenure": "rented", "lease": "no"}, {"tenure": "hosted"}] * 20
    columns = [*HOUSE, DEED, LEASE]
    found = of(propose(columns, known, asked(columns, rows)), "tenure_document")
    assert [(match.column.name, match.rule) for match in found] == [("deed", "first_of"), ("lease", "first_of")]
    assert [[skip.when for skip in match.skipped] for match in found] == [["tenure=hosted"], []]


def test_two_questions_that_are_both_answered_are_two(known: Known) -> None:
    rows = [{"tenure": "owned", "deed": "yes", "lease": "no"}] * 20
    columns = [*HOUSE, DEED, LEASE]
    assert len(of(propose(columns, known, asked(columns, rows)), "tenure_document")) == 1


DEBT = (column("has_debt", "yes", "no"), column("debt_vs_spending", "debt is larger", "spending is larger"))


@pytest.mark.parametrize(
    ("answered_too", "when"),
    [([], ["has_debt=no"]), ([{"has_debt": "no", "debt_vs_spending": "debt is larger"}], []), ([{}] * 30, [])],
    ids=["always blank", "once answered", "mostly blank for no reason"],
)
def test_what_an_answer_closes_was_not_asked(known: Known, answered_too: list[dict[str, str]], when: list[str]) -> None:
    blank = [{"has_debt": "no"}] * 12
    if len(answered_too) > 1:
        blank += [{"has_debt": "yes"}] * 30
    rows = [*blank, *[{"has_debt": "yes", "debt_vs_spending": "debt is larger"}] * 20, *answered_too]
    columns = [column("hh_size", type="integer"), *DEBT]
    (match,) = of(propose(columns, known, asked(columns, rows)), "debt_vs_spending")
    assert [skip.when for skip in match.skipped] == when
    assert all(skip.score < 0.95 for skip in match.skipped)  # seen, not said: a person decides


def test_a_currency_is_that_of_the_labels_if_they_name_one(known: Known) -> None:
    beside = [column("hh_size", type="integer"), column("head_sex", "M", "F")]
    birr = column("monthly_income", label="Income in birr", type="integer")
    dollars = column("monthly_expenditure", label="Spending (USD)", type="integer")
    for amounts, told in (([birr], ["ETB"]), ([birr, dollars], [])):
        matches = propose([*beside, *amounts], known)
        assert [one.target for one in constants(matches, "ETH", load_codebook())] == told


def test_the_country_of_return_is_the_one_it_is_proposed_for(known: Known) -> None:
    back = Described("main", "FECHA_RETORNO", "", "date", ("date:gregorian:%d/%m/%Y",))
    matches = propose([*BESIDE, back, column("PAIS_PROCEDENCIA", "MEX", "USA")], known)
    (one,) = constants(matches, "GTM", load_codebook())
    assert (one.entity, one.variable, one.target) == ("return_event", "country_of_return", "GTM")


def test_a_column_that_is_the_key_is_proposed_for_nothing_and_decides_nothing(known: Known) -> None:
    """Where every column is recognised, one of them still has to name the row, and that one stays in the vault."""
    rows = [{"has_debt": "no"}] * 12 + [{"has_debt": "yes", "debt_vs_spending": "debt is larger"}] * 20
    matches = propose(DEBT, known, asked(DEBT, rows))
    assert [skip.when for skip in of(matches, "debt_vs_spending")[0].skipped] == ["has_debt=no"]
    table = with_key(ProposedTable("main", DEBT, matches))
    assert [(match.column.name, match.skipped) for match in table.matches] == [("debt_vs_spending", ())]
