"""National numbers, against the published examples of domain.md 5.1 and of python-stdnum."""

import pyarrow as pa
import pytest
from stdnum.pk import cnic
from stdnum.si import emso

from anonymization.linkage.identifiers import normalise
from sources.models import Column
from values.national_numbers import SCHEMES, plausible


def key_and_doubt(written: str, scheme: str) -> tuple[str | None, bool]:
    column = Column.model_validate({"name": "ID", "class": "identifier", "kind": "national_id", "scheme": scheme})
    normalised = normalise(pa.array([written]), column, SCHEMES[scheme].country if scheme in SCHEMES else "SOM")
    return normalised.keys[0].as_py(), normalised.doubtful[0].as_py()


@pytest.mark.parametrize(
    ("scheme", "written", "key"),
    [
        ("slv_dui", "04567890-3", "045678903"),
        ("slv_dui", "4567890-3", "045678903"),
        ("slv_nit", "0614-050707-104-8", "06140507071048"),
        ("hnd_dni", "801-1990-12345", "0801199012345"),
        ("mex_curp", "boxw310820hnerxn09", "BOXW310820HNERXN09"),
        ("dom_cedula", "001-1391820-5", "00113918205"),
        ("dom_cedula", "113918205", "00113918205"),
        ("ecu_cedula", "171430710-3", "1714307103"),
        ("nic_cedula", "001-150585-0023K", "0011505850023K"),
        ("nic_cedula", "1-150585-0023k", "0011505850023K"),
        ("srb_jmbg", "0101990700002", "0101990700002"),
        ("bih_jmbg", "101990700002", "0101990700002"),
        ("pak_cnic", "34201-0729125-1", "3420107291251"),
        ("pak_cnic", "۳۴۲۰۱-۰۷۲۹۱۲۵-۱", "3420107291251"),
        ("afg_tazkira", "۱۴۰۱-۰۱۰۳-۲۵۸۷۶", "1401010325876"),
        ("irq_national_card", "١٩٩٠ ١٢٣٤ ٥٦٧٨", "199012345678"),
        ("bgd_nid", "৬৪০১২৩৪৫৬৭", "6401234567"),
        ("nga_nin", "04567891234", "04567891234"),
        ("geo_pn", "1024056789", "01024056789"),
        ("civ_nni", "11793254680", "11793254680"),
        ("hti_ninu", "204 567 8913", "2045678913"),
    ],
)
def test_a_number_is_one_key_however_it_is_written(scheme: str, written: str, key: str) -> None:
    assert key_and_doubt(written, scheme) == (key, False)


@pytest.mark.parametrize(
    ("scheme", "written", "key"),
    [
        ("slv_dui", "04567890-0", "045678900"),
        ("mex_curp", "BOXW310820HNERXN08", "BOXW310820HNERXN08"),
        ("dom_cedula", "00113918204", "00113918204"),
        ("ecu_cedula", "1714307104", "1714307104"),
        ("srb_jmbg", "0101990700003", "0101990700003"),
        ("srb_jmbg", "3301990700002", "3301990700002"),
        ("pak_cnic", "84201-0729125-1", "8420107291251"),
        ("nic_cedula", "001-151385-0023K", "0011513850023K"),
        ("eth_fayda", "234567890123", "234567890123"),
    ],
)
def test_a_failed_check_is_asked_about_and_still_a_key(scheme: str, written: str, key: str) -> None:
    assert key_and_doubt(written, scheme) == (key, True)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("written", ["{zeros}", "{nines}", "{rising}", "no tiene", "pending", "XXXXXXXX", "12", "0"])
def test_placeholders_are_no_keys_in_any_scheme(scheme: str, written: str) -> None:
    length = max(SCHEMES[scheme].lengths)
    filled = written.format(zeros="0" * length, nines="9" * length, rising="12345678901234567"[:length])
    assert key_and_doubt(filled, scheme) == (None, True)


def test_jmbg_agrees_with_the_library() -> None:
    numbers = [f"010199{n:07d}" for n in range(0, 9_999_999, 3571) if not f"{n:07d}".startswith("9")]
    ours = plausible(pa.array(numbers), SCHEMES["srb_jmbg"]).to_pylist()
    same_year = [(n, valid) for n, valid in zip(numbers, ours, strict=True) if n[4:7] == "990"]
    assert [valid for _, valid in same_year] == [emso.is_valid(n) for n, _ in same_year]
    assert any(valid for _, valid in same_year)


def test_cnic_agrees_with_the_library() -> None:
    numbers = [f"{n:013d}" for n in range(0, 9_999_999_999_999, 99_999_999_973)]
    assert plausible(pa.array(numbers), SCHEMES["pak_cnic"]).to_pylist() == [cnic.is_valid(n) for n in numbers]


def test_fayda_ends_in_a_verhoeff_digit_and_its_aliases_never_say_who_a_person_is() -> None:
    valid = next(
        f"23456789012{digit}" for digit in range(10) if not key_and_doubt(f"23456789012{digit}", "eth_fayda")[1]
    )
    assert key_and_doubt(f"{valid[:4]} {valid[4:8]} {valid[8:]}", "eth_fayda") == (valid, False)
    for alias in ("eth_fan", "eth_fcn"):
        assert key_and_doubt("2345 6789 0123 4561", alias) == (None, False)
    assert key_and_doubt("2345 6789 0123 4561", "eth_fayda") == (None, True)


def test_both_long_forms_of_bangladesh_are_one_person() -> None:
    assert key_and_doubt("19852691649876543", "bgd_nid") == key_and_doubt("2691649876543", "bgd_nid")
    assert key_and_doubt("10002691649876543", "bgd_nid") == ("2691649876543", True)  # nobody was born in 1000


def test_the_sex_of_a_curp_may_be_x() -> None:
    from stdnum.mx import curp

    body = "BOXW310820XNERXN0"
    assert key_and_doubt(body + curp.calc_check_digit(body), "mex_curp")[1] is False


def test_a_scheme_that_nobody_knows_is_an_opaque_text() -> None:
    assert key_and_doubt("so-12/34", "som_id") == ("SO1234", False)
