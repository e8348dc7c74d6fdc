"""A header that nobody declared may be somebody's name, number or note: then only its place is told."""

import pytest

from anonymization.leaks.canaries import SCRIPTS, Canaries
from assets.headers import shown, tellable_questions
from sources.loader import load_source

SOURCE = load_source("slv/dgme_returns")


@pytest.mark.parametrize(
    "header",
    [
        "TEL",
        "second_phone",
        "MUNICIPIO_2",
        "_submission_time",
        "__version__",
        "Rs_econ_9",
        "_gps_latitude",
        "audio_url",
        "rCSI",
        "hh_no",
        "tel 2",
        "q1a",
    ],
)
def test_a_header_of_known_words_is_named(header: str) -> None:
    assert shown(header, 17, SOURCE) == header


@pytest.mark.parametrize(
    "header", ["Xóchitl Quetzal", "Maria", "MARIA", "+964 770 123", "04567890-3", "12/03/1999", "a@b"]
)
def test_a_header_that_may_be_personal_is_told_by_its_place(header: str) -> None:
    assert shown(header, 17, SOURCE) == "(column 17)"


@pytest.mark.parametrize(
    "header",
    ["王伟", "김민준", "علي عمر", "አበበ በላይ", "রহিম", "राम", "Li Wu", "Ngo Ba Do", "Eva Paz", "Kim_Lee", "7 7 1 2 3 4"],
)
def test_a_name_is_no_header_however_short_it_is(header: str) -> None:
    assert shown(header, 17, SOURCE) == "(column 17)"


@pytest.mark.parametrize("script", SCRIPTS)
def test_nobodys_name_is_a_header_in_any_script(script: str) -> None:
    assert shown(Canaries(7).name(script), 3, SOURCE) == "(column 3)"


def test_of_the_questions_that_stand_as_headers_only_those_that_name_somebody_are_not_told() -> None:
    questions = ["¿Cuántas comidas hizo ayer?", "¿Tiene usted una fuente de ingresos?", "FECHA_RETORNO"]
    names = [f"{Canaries(7).name(script)}?" for script in SCRIPTS]
    names += ["ចាន់ សុភា", "สมชาย ใจดี", "အောင်ဆန်း", "Νίκος Παπαδάκης"]
    named = [*names, "Teléfono de Xóchitl Quetzal: +503 7123 4567"]
    assert tellable_questions([*questions, *named], SOURCE) == set(questions)
