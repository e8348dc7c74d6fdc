"""Scores of the Reintegration Sustainability Survey, held against the published oracles and the rules of the field."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codebook.errors import HomewardError, Refused
from codebook.loader import load_codebook
from codebook.scoring import plan, score, score_csv

BOOK = load_codebook()
RSS = BOOK.instruments["rss_2018"]
ITEMS = plan("rss_2018").items
SCORES = ["economic", "social", "psychosocial", "composite"]
REASON = "pss_remigration_reason"


def answers(worth: str) -> dict[str, str]:
    """The best or worst answer to every item, read from the instrument's scales; the reason only where it is asked."""
    pick = max if worth == "best" else min
    found = {}
    for line in RSS.lines:
        if line.scale:
            points = RSS.points(line.scale, "iom_2018")
            found[line.item] = pick(points, key=lambda name: 0 if points[name] == "follow_up" else points[name])
    found[REASON] = "skipped_by_logic" if found["pss_able_to_stay"] == "yes" else "need"
    return found


BEST, WORST = answers("best"), answers("worst")


def scored(*rows: dict[str, Any], method: str = "iom_2018") -> list[dict[str, Any]]:
    return score(pd.DataFrame(list(rows)), "rss_2018", method).to_dict("records")


def numbers(row: dict[str, Any]) -> list[float | None]:
    return [None if pd.isna(row[name]) else row[name] for name in SCORES]


def one(**changed: str) -> dict[str, Any]:
    """The best answers with some changed."""
    return scored({**BEST, **changed})[0]


def worked_example() -> dict[str, str]:
    """The calculator's own example, as answers: its points in its order of items."""
    points = {
        "econ_satisfaction": 0.75, "econ_food_insecurity": 0.25, "econ_can_borrow": 1, "econ_borrow_frequency": 0.25,
        "econ_debt_vs_spending": 1, "econ_work_training_access": 0.75, "econ_currently_working": 1,
        "econ_has_productive_assets": 1, "econ_searching_job": 0,
        "soc_housing_access": 0.75, "soc_housing_standard": 0.75, "soc_education_access": 0.75,
        "soc_children_in_school": 1, "soc_justice_access": 1, "soc_has_id": 1, "soc_documentation_access": 1,
        "soc_water_access": 1, "soc_health_access": 0.75, "soc_health_quality": 0.25,
        "pss_social_participation": 0.25, "pss_support_network": 0.25, "pss_belonging": 0, "pss_physical_safety": 0.25,
        "pss_family_conflict": 0.5, "pss_discrimination": 1, "pss_distress": 0.25, "pss_wants_psych_support": 0,
    }  # fmt: skip
    found = {}
    for line in RSS.lines:
        if line.item in points and line.scale:
            scale = RSS.points(line.scale, "iom_2018")
            found[line.item] = next(name for name, worth in scale.items() if worth == points[line.item])
    return {**found, "pss_able_to_stay": "no", REASON: "need"}


def test_oracle_1_the_calculators_worked_example() -> None:
    row = scored(worked_example())[0]
    assert numbers(row) == [0.635, 0.745, 0.2625, 0.515]
    assert json.dumps(numbers(row)) == "[0.635, 0.745, 0.2625, 0.515]"
    assert row["band"] == "middle"
    assert row["special_answers"] == 0
    assert row["reason"] is None


def test_oracle_2_all_best_all_worst_all_unknown() -> None:
    unknown = dict.fromkeys(ITEMS, "dont_know")
    best, worst, none = scored(BEST, WORST, unknown)
    assert (numbers(best), best["band"]) == ([1, 1, 1, 1], "high")
    assert (numbers(worst), worst["band"]) == ([0, 0, 0, 0], "low")
    assert (numbers(none), none["band"]) == ([0.5, 0.5, 0.5, 0.5], "middle")
    assert none["low_confidence"]


@pytest.mark.parametrize("case", [(0, 0.27, 0.1975, 0.195), (0.8875, 0.91, 0.62, 0.8075), (0.47, 0.8225, 0.74, 0.6675)])
def test_oracle_3_answers_exist_for_the_note_s_illustrative_scores(case: tuple[float, ...]) -> None:
    """The note gives no answers, only scores: with wrong weights they could hardly all be reached."""
    planned = plan("rss_2018")
    wanted = [round(number * planned.denominator) for number in case]
    composites = {0}
    for name, target in zip(SCORES[:3], wanted, strict=False):
        reached = {(0, 0)}
        for line in (line for line in planned.lines if line.dimension == name):
            worths = {*line.points.values(), *(line.follow_up.points.values() if line.follow_up else ())}
            reached = {(d + p * line.weight, c + p * line.composite_weight) for d, c in reached for p in worths}
        composites = {before + c for before in composites for d, c in reached if d == target}
    assert wanted[3] in composites


def test_the_composite_is_not_the_mean_of_the_dimensions() -> None:
    row = scored(worked_example())[0]
    assert sum(numbers(row)[:3]) / 3 == pytest.approx(0.5475)  # type: ignore[arg-type]
    assert row["composite"] == 0.515


@pytest.mark.parametrize("item", ["soc_documentation_access", "soc_water_access"])
def test_oracle_4_documentation_and_water_count_through_public_services(item: str) -> None:
    row = one(**{item: "very_poor"})
    assert row["social"] == (1 - 0.08 / 6)
    assert row["composite"] == pytest.approx(1 - 0.04 / 6, abs=1e-15)


def test_oracle_5_discrimination_moves_its_dimension_and_never_the_composite() -> None:
    row = one(pss_discrimination="all_the_time")
    assert numbers(row) == [1, 1, 0.89, 1]


def test_the_two_methods_differ_in_discrimination_only() -> None:
    often = {**BEST, "pss_discrimination": "very_often"}
    calculator, note = scored(often)[0], scored(often, method="iom_2018_note")[0]
    assert (calculator["psychosocial"], note["psychosocial"]) == (0.9175, 0.89)
    assert calculator["composite"] == note["composite"] == 1
    assert scored(BEST, worked_example()) == scored(BEST, worked_example(), method="iom_2018_note")


@pytest.mark.parametrize(
    ("answer", "low_is_good"), [("econ_food_insecurity", True), ("pss_social_participation", False)]
)
def test_one_choice_list_two_polarities(answer: str, low_is_good: bool) -> None:
    never, always = one(**{answer: "never"}), one(**{answer: "very_often"})
    assert (never["composite"] > always["composite"]) is low_is_good


@pytest.mark.parametrize("state", ["dont_know", "refused", "not_applicable"])
@pytest.mark.parametrize("item", [item for item in ITEMS if item != REASON])
def test_a_special_answer_scores_half_and_is_counted(item: str, state: str) -> None:
    high, low, half = scored(BEST, WORST, BEST | {item: state})
    line = next(line for line in RSS.lines if line.item == item)
    dimension = next(name for name, lines in RSS.dimensions.items() if line in lines)
    assert half["special_answers"] == 1
    assert not half["missing_items"]
    assert high["composite"] - half["composite"] == pytest.approx(
        float(line.composite_weight) / 2 + (0.04 / 12 if item in public_services() else 0)
    )
    assert low[dimension] < half[dimension] < high[dimension]


def public_services() -> tuple[str, ...]:
    return next(line.mean_of for line in RSS.lines if line.mean_of)


@pytest.mark.parametrize("state", ["skipped_by_logic", "missing_unexpected", None])
@pytest.mark.parametrize("item", [item for item in ITEMS if item not in (REASON, "soc_children_in_school")])
def test_an_answer_without_points_leaves_its_dimension_and_the_composite_without_a_score(
    item: str, state: str | None
) -> None:
    row = scored(BEST | {item: state})[0]  # type: ignore[dict-item]
    dimension = next(name for name, lines in RSS.dimensions.items() if item in [line.item for line in lines])
    assert [name for name in SCORES if pd.isna(row[name])] == [dimension, "composite"]
    assert row["missing_items"] == [item]
    assert row["reason"] == "missing_items"
    assert row["band"] is None


def test_no_school_age_child_is_half_a_point_and_no_special_answer() -> None:
    skipped, lost = one(soc_children_in_school="skipped_by_logic"), one(soc_children_in_school="missing_unexpected")
    assert (skipped["social"], skipped["composite"], skipped["special_answers"]) == (0.965, 0.99, 0)
    assert lost["missing_items"] == ["soc_children_in_school"]


@pytest.mark.parametrize(
    ("able", "reason", "psychosocial", "special"),
    [
        ("yes", "skipped_by_logic", 1, 0),
        ("yes", "missing_unexpected", 1, 0),  # not asked, so nothing is lost
        ("yes", "not_applicable", 1, 0),
        ("no", "wish", 1, 0),
        ("no", "need", 0.85, 0),
        ("no", "refused", 0.925, 1),
        ("dont_know", "skipped_by_logic", 0.925, 1),
        ("dont_know", "need", 0.925, 1),
        ("dont_know", "dont_know", 0.925, 1),  # one line, one count
        ("refused", "missing_unexpected", 0.925, 1),
        ("not_applicable", "wish", 0.925, 1),
    ],
)
def test_remigration(able: str, reason: str, psychosocial: float, special: int) -> None:
    row = one(pss_able_to_stay=able, pss_remigration_reason=reason)
    assert (row["psychosocial"], row["special_answers"], row["missing_items"]) == (psychosocial, special, [])


@pytest.mark.parametrize("reason", ["missing_unexpected", "skipped_by_logic"])
def test_not_able_to_stay_without_a_reason_is_a_missing_answer(reason: str) -> None:
    row = one(pss_able_to_stay="no", pss_remigration_reason=reason)
    assert row["missing_items"] == [REASON]
    assert numbers(row) == [1, 1, None, None]


def test_low_confidence_is_more_than_seven_special_answers() -> None:
    seven, eight = scored(*(BEST | dict.fromkeys(ITEMS[:n], "refused") for n in (7, 8)))
    assert (seven["special_answers"], seven["low_confidence"]) == (7, False)
    assert (eight["special_answers"], eight["low_confidence"]) == (8, True)


def test_bands_are_closed_in_the_middle_exactly() -> None:
    planned = plan("rss_2018")
    assert planned.low_below * 100 == planned.denominator * 33
    assert planned.high_above * 100 == planned.denominator * 66
    lower = scored(WORST | economic("best"))[0]  # the economic weights alone: exactly the low bound
    upper = scored(BEST | psychosocial_worst())[0]  # all but the psychosocial weights: exactly the high bound
    assert (lower["composite"], lower["band"]) == (0.33, "middle")
    assert (upper["composite"], upper["band"]) == (0.66, "middle")
    assert scored(WORST | economic("best") | {"econ_can_borrow": "no"})[0]["band"] == "low"
    assert scored(BEST | psychosocial_worst() | {"pss_support_network": "bad"})[0]["band"] == "high"


def economic(worth: str) -> dict[str, str]:
    return {item: answer for item, answer in (BEST if worth == "best" else WORST).items() if item.startswith("econ")}


def psychosocial_worst() -> dict[str, str]:
    return {item: answer for item, answer in WORST.items() if item.startswith("pss")}


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ({"age": "13"}, "under_age"),
        ({"consent": "no"}, "no_consent"),
        ({"consent": "refused"}, "no_consent"),
        ({"consent": None}, "no_consent"),
        ({"interview_completed": "no"}, "not_completed"),
        ({"age": "9", "consent": "no"}, "no_consent"),
    ],
)
def test_no_score_for_children_without_consent_or_for_unfinished_interviews(gate: dict[str, str], reason: str) -> None:
    row = scored(BEST | gate)[0]
    assert numbers(row) == [None] * 4
    assert (row["band"], row["reason"]) == (None, reason)


@pytest.mark.parametrize("gate", [{"age": "14"}, {"age": None}, {"age": "refused"}, {"consent": "yes"}, {}])
def test_open_gates(gate: dict[str, str]) -> None:
    assert numbers(scored(BEST | gate)[0]) == [1] * 4


def by_hand(row: dict[str, str]) -> list[Fraction]:
    """The scores as a reader computes them from the instrument's file: points times weights, added up."""
    states = RSS.methods["iom_2018"].states

    def worth(item: str, scale: str) -> Fraction:
        points = {**RSS.points(scale, "iom_2018"), **states}[row[item]]
        return worth(REASON, "remigration") if points == "follow_up" else Fraction(points)

    points = {line.item: worth(line.item, line.scale) for line in RSS.lines if line.scale}
    for line in RSS.lines:
        if line.mean_of:
            points[line.item] = sum((points[item] for item in line.mean_of), Fraction(0)) / len(line.mean_of)
    dimensions = [
        sum((points[line.item] * Fraction(line.dimension_weight) for line in lines), Fraction(0))
        for lines in RSS.dimensions.values()
    ]
    return [*dimensions, sum((points[line.item] * Fraction(line.composite_weight) for line in RSS.lines), Fraction(0))]


names = {item: st.sampled_from(BOOK.codelist_of("rss_response", item).names) for item in ITEMS}
special = st.sampled_from(["dont_know", "refused", "not_applicable"])
response = st.fixed_dictionaries({item: names[item] | special for item in ITEMS})


@settings(max_examples=60, deadline=None)
@given(response, st.integers(14, 120), st.sampled_from(["male", "female"]))
def test_every_score_lies_between_0_and_1_and_who_answers_never_matters(
    row: dict[str, str], age: int, sex: str
) -> None:
    plain, person = scored(row)[0], scored(row | {"age": str(age), "sex": sex, "host_country": "LBY"})[0]
    assert all(0 <= number <= 1 for number in numbers(plain))  # type: ignore[operator]
    assert plain == person


@settings(max_examples=60, deadline=None)
@given(response)
def test_every_score_is_what_a_reader_computes_by_hand(row: dict[str, str]) -> None:
    assert numbers(scored(row)[0]) == [float(number) for number in by_hand(row)]


@settings(max_examples=20, deadline=None)
@given(st.lists(response, min_size=1, max_size=5))
def test_a_row_scores_alike_alone_and_among_others(rows: list[dict[str, str]]) -> None:
    assert scored(*rows) == [scored(row)[0] for row in rows]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_csv_is_scored_in_row_order_and_an_empty_cell_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "answers.csv", [worked_example(), WORST | {"econ_can_borrow": ""}, BEST | {"extra": "x"}])
    first, second, third = score_csv(path, "rss_2018", "iom_2018")
    assert json.dumps(first) == (
        '{"economic": 0.635, "social": 0.745, "psychosocial": 0.2625, "composite": 0.515, "special_answers": 0, '
        '"low_confidence": false, "band": "middle", "missing_items": [], "reason": null}'
    )
    assert (second["economic"], second["social"], second["composite"], second["band"]) == (None, 0, None, None)
    assert second["missing_items"] == ["econ_can_borrow"]
    assert third["composite"] == 1


def test_an_unknown_answer_is_refused_by_column_and_row_without_its_value(tmp_path: Path) -> None:
    path = write(tmp_path / "answers.csv", [BEST, BEST | {"econ_can_borrow": "Abebe Bikila"}])
    with pytest.raises(Refused) as caught:
        score_csv(path)
    assert "`econ_can_borrow`, row 3" in str(caught.value)
    assert "use one of yes, no, dont_know" in str(caught.value)
    assert "Abebe" not in str(caught.value)


def test_a_missing_column_is_refused_by_name(tmp_path: Path) -> None:
    rows = [{("soc_has_ids" if item == "soc_has_id" else item): answer for item, answer in BEST.items()}]
    with pytest.raises(Refused, match=r"column `soc_has_id` is missing: did you mean `soc_has_ids`"):
        score_csv(write(tmp_path / "answers.csv", rows))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"econ_can_borrow\n\xff\n", "not UTF-8"),
        (b"a,b\n1\n", "row 2"),
        (b"a;b\n1;2\n", "separated by"),
        (b"a,a\n1,2\n", "stands twice"),
    ],
)
def test_a_damaged_csv_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=message):
        score_csv(path)


def test_a_header_alone_scores_nothing(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(",".join(ITEMS) + "\n")
    assert score_csv(path) == []


def test_age_must_be_a_number_where_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no age \(column `age`, row 2\)"):
        score_csv(write(tmp_path / "answers.csv", [BEST | {"age": "twelve"}]))


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(HomewardError, match="did you mean `iom_2018`"):
        plan("rss_2018", "iom_2081")


def test_the_plan_is_whole_numbers_only() -> None:
    planned = plan("rss_2018")
    for line in planned.lines:
        worths = [line.weight, line.composite_weight, *line.points.values()]
        assert all(type(worth) is int for worth in worths)
    for dimension in ("economic", "social", "psychosocial"):
        total = sum(line.weight for line in planned.lines if line.dimension == dimension)
        assert total * planned.points_scale == planned.denominator
    assert sum(line.composite_weight for line in planned.lines) * planned.points_scale == planned.denominator
