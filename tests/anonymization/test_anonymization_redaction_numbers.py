"""Which numbers of a note identify somebody, by what stands beside them."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str) -> str:
    return str(Redactor(language, "SLV").redact([note])[0])


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("en", "Please call for help 70123456 today", "Please call for help [PHONE] today"),
        ("fr", "Appelez le docteur 70123456 demain", "Appelez le docteur [PHONE] demain"),
        ("es", "llamar al 70123456 Dinara", "llamar al [PHONE] [NAME]"),
        ("am", "ስልክ 70123456 ብርሃኑ ነው", "ስልክ [PHONE] [NAME] ነው"),
    ],
)
def test_a_word_that_only_looks_like_a_currency_makes_no_amount(language: str, note: str, stays: str) -> None:
    assert redacted(note, language) == stays


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("en", "It cost 5000000 afs or EUR 5000000 or $ 5000000, 5000000 birr or 5000000€"),
        ("ar", "راتبه 5000000 دينارا في السنة"),
        ("en", "from 2010-2015, 2010 2011 2012 and 2019—2020"),
    ],
)
def test_amounts_and_years_stay(language: str, note: str) -> None:
    assert redacted(note, language) == note


@pytest.mark.parametrize(
    ("note", "stays"),
    [
        ("call +503 (7123) - 4567 now", "call [PHONE] now"),
        ("call 7123—4567 now", "call [PHONE] now"),
        ("call 7123 — 4567 now", "call [PHONE] now"),
        ("call 7123,4567 now", "call [PHONE] now"),
        ("she was born 20121987 at home", "she was born [PHONE] at home"),
        ("The old one (Tr33Gate!7) or 'Tr33Gate!8' fails", "The old one ([SECRET] or '[SECRET] fails"),
        ("MRN 448172 here", "MRN [ID] here"),
        ("see anagil.pe or blog.anagil.com.br now", "see [URL] or [URL] now"),
        ("ask for tuca.moura.", "ask for [USERNAME]."),
    ],
)
def test_numbers_and_addresses_of_the_net_go_whole(note: str, stays: str) -> None:
    assert redacted(note, "en") == stays


@pytest.mark.parametrize(
    ("note", "stays"),
    [
        ("Egon Quispe, 41, a carpenter, went", "[NAME], 41, a carpenter, went"),
        ("He lives in Rosenweg, 41, Ulm", "He lives in [ADDRESS]"),
    ],
)
def test_an_age_between_commas_is_no_house(note: str, stays: str) -> None:
    assert redacted(note, "en") == stays
