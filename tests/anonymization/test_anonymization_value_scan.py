"""What the value scan has seen of a column in one batch hides nothing that the next batch brings."""

import pyarrow as pa
import pytest

from anonymization.scan import ValueScan
from sources.models import Source

VALID = "04567890-3"
BY_CHANCE = [VALID, *(f"0456789{n}-3" for n in range(1, 9))]
"""One of them passes the check of a DUI: no more than may by chance."""


@pytest.fixture
def scan() -> ValueScan:
    return ValueScan("SLV")


def found(scan: ValueScan, register: Source, *cells: str | None) -> dict[str, list[bool]]:
    masks, _ = scan.personal_data(register.table("main"), pa.array(cells).dictionary_encode(), "SEX")
    return {kind: mask.tolist() for kind, mask in masks.items()}


def test_a_stray_among_answers_that_were_harmless_before_is_found(scan: ValueScan, register: Source) -> None:
    assert found(scan, register, "female", "male", None) == {}
    stray = {"e-mail addresses": [False, True, False]}
    assert found(scan, register, "female", "ana@example.org", None) == stray
    assert found(scan, register, "female", "ana@example.org", None) == stray, "what was caught is caught again"


def test_a_value_that_was_chance_among_others_is_found_where_it_stands_alone(scan: ValueScan, register: Source) -> None:
    assert found(scan, register, *BY_CHANCE) == {}
    assert found(scan, register, VALID, VALID) == {"national numbers": [True, True]}


def test_answers_that_were_harmless_may_be_names_still(scan: ValueScan, register: Source) -> None:
    names = pa.array(["Ana López", "Mario Peña"])
    asked = [scan.personal_data(register.table("main"), names, "SEX") for _ in range(2)]
    assert asked == [({}, True)] * 2


def test_a_value_that_stands_more_often_than_before_is_judged_anew(scan: ValueScan, register: Source) -> None:
    """Of a column that is not encoded every cell counts: one id of a device among answers, then little else."""
    device, answers = "a1b2c3d4e5f60718", ["sixteen letters!", "another answer16", "third answer of."]
    before, after = pa.array([device, *answers * 3]), pa.array([*answers, *[device] * 9])
    assert scan.personal_data(register.table("main"), before, "SEX")[0] == {}
    assert scan.personal_data(register.table("main"), after, "SEX")[0].keys() == {"numbers of devices"}
