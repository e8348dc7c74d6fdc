"""Records that somebody else hands over are read as the gate reads a delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.handed_over import Country, Unreadable, read


def _only(tmp_path: Path, text: str) -> Country:
    path = tmp_path / "handed.csv"
    path.write_text(text, encoding="utf-8")
    ((country,), _) = read(path)
    return country


def test_columns_come_in_any_order_and_some_not_at_all(tmp_path: Path) -> None:
    country = _only(tmp_path, "Family,birth_date,entity_id,given\nPérez,1990-05-17T00:00:00,a,Ana\nPerez,1990,b,Eva\n")

    assert country.persons.column("family").to_pylist() == ["perez", "perez"]
    assert country.persons.column("born").to_pylist() == ["1990-05-17", "1990"]
    assert country.truth.tolist() == ["a", "b"]


@pytest.mark.parametrize("code", ["SLV", "sv"])
def test_phones_are_read_as_dialled_in_their_country(tmp_path: Path, code: str) -> None:
    country = _only(
        tmp_path, f"entity_id,full,phone,country\na,Ana Paz,7012 3456,{code}\nb,Eva Paz,+503-7012-3456,{code}\n"
    )

    assert country.persons.column("phone").to_pylist() == ["+50370123456"] * 2


def test_who_shares_a_national_number_is_one_person_and_junk_is_no_number(tmp_path: Path) -> None:
    country = _only(
        tmp_path,
        "entity_id,full,birth_date,national_id,id_scheme,country\n"
        "a,Ana Paz,1990,04567890-3,slv_dui,SLV\n"
        "a,Ana Paz,1990-05-17,\u200f۰۴۵۶۷۸۹۰۳,slv_dui,SLV\n"
        "b,Eva Paz,,00000000-0,slv_dui,SLV\n"
        "c,Eva Luz,,00000000-0,slv_dui,SLV\n",
    )

    assert country.person.tolist() == [0, 0, 1, 2]
    assert country.persons.column("born").to_pylist() == ["1990-05-17", None, None]
    assert country.persons.column("number").to_pylist() == ["slv_dui:045678903", None, None]


def test_a_scheme_is_known_without_its_country_in_front_and_others_are_opaque(tmp_path: Path) -> None:
    country = _only(
        tmp_path,
        "entity_id,full,national_id,id_scheme,country\n"
        "a,Ana Paz,2691234567895,nid,BD\n"
        "a,Ana Paz,19902691234567895,NID,BD\n"
        "b,Eva Paz,19902691234567895,village,BD\n",
    )

    assert country.persons.column("number").to_pylist() == ["bgd_nid:2691234567895", "village:19902691234567895"]


def test_a_country_is_linked_for_itself_and_what_is_not_read_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "handed.csv"
    path.write_text(
        "entity_id,given,birth_date,wave,country\na,Ana,31/12/1990,1,SLV\na,Ana,1990-12-31,2,GTM\n", encoding="utf-8"
    )
    countries, ignored = read(path)

    assert [country.name for country in countries] == ["GTM", "SLV"]
    assert ignored.columns == ["wave"]
    assert ignored.cells["birth_date"] == 1


def test_scripts_are_told_from_the_names_where_no_column_says_them(tmp_path: Path) -> None:
    country = _only(tmp_path, "entity_id,full\na,محمد علي\nb,Олег Бондар\nc,አበበ ከበደ\nd,Ana Paz\n")

    assert country.scripts.tolist() == ["arabic", "cyrillic", "ethiopic", "latin"]


@pytest.mark.parametrize("text", ["given,family\nAna,Paz\n", "entity_id,phone\na,1\n", "entity_id,given\n,Ana\n"])
def test_without_truth_or_names_nothing_is_measured(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unreadable, match="entity_id"):
        _only(tmp_path, text)


def test_a_record_that_names_nobody_is_read_like_all_others(tmp_path: Path) -> None:
    country = _only(tmp_path, "entity_id,given,phone,script\na,Ana,,latin\nb,,70123456,latin\n")
    assert country.scripts.tolist() == ["latin", "latin"]
    assert country.persons.column("given").to_pylist() == ["ana", None]
