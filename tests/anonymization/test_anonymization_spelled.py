"""Free text: what people write in words, and carelessly, is found as what others write with numerals and capitals."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str) -> str:
    return str(Redactor(language, "SLV").redact([note])[0])


@pytest.mark.parametrize(
    ("note", "language", "left"),
    [
        ("Born the third of March nineteen ninety-one.", "en", "Born the [DATE]."),
        ("Né le douze avril mil neuf cent quatre-vingt-dix-huit.", "fr", "Né le [DATE]."),
        ("Nació el veintidós de agosto de dos mil uno.", "es", "Nació el [DATE]."),
        ("متولد هفدهم سنبله سیزده هفتاد و یک است", "fa", "متولد [DATE] است"),
        ("Her number is zero seven two two, 410, then 558.", "en", "Her number is [PHONE]."),
        ("Su número es cinco cinco 41 20 87 39.", "es", "Su número es [PHONE]."),
    ],
)
def test_a_day_or_a_telephone_in_words_goes(note: str, language: str, left: str) -> None:
    assert redacted(note, language) == left


@pytest.mark.parametrize(
    ("note", "language"),
    [
        ("He owes two thousand three hundred and forty-five.", "en"),
        ("One or two may come with three children.", "en"),
        ("Tiene tres hijos y una hija de cinco meses.", "es"),
        ("Ils sont vingt-sept dans deux pièces.", "fr"),
    ],
)
def test_amounts_in_words_stay(note: str, language: str) -> None:
    assert redacted(note, language) == note


@pytest.mark.parametrize(
    ("note", "left"),
    [
        ("They share a taxi, plate GT 4821-19, and quarrel.", "They share a taxi, plate [ID], and quarrel."),
        ("The number plate is QWE 41F.", "The number plate is [ID]."),
    ],
)
def test_what_stands_behind_the_word_for_a_plate_is_one(note: str, left: str) -> None:
    assert redacted(note, "en") == left


def test_a_plate_that_is_a_dish_stays() -> None:
    assert redacted("She sells plates and 3 pots.", "en") == "She sells plates and 3 pots."


def test_where_no_sentence_begins_with_a_capital_a_small_name_is_one() -> None:
    left = redacted("visitamos a yokasta peralta y a su marido. la casa está en Mao.", "es")
    assert "yokasta" not in left
    assert "peralta" not in left


def test_arabic_verbs_in_the_present_stay_and_names_of_their_form_go() -> None:
    assert redacted("يحمل الطفل كتابا", "ar") == "يحمل الطفل كتابا"
    assert redacted("يزيد يحمل كتابا", "ar") == "[NAME] يحمل كتابا"


def test_a_family_name_of_a_place_goes_behind_a_name() -> None:
    assert redacted("زارنا أحمد العراقي", "ar") == "زارنا [NAME]"


def test_amharic_words_are_known_with_either_sign_for_wu() -> None:
    assert redacted("ራሳቸዉ ተመለሱ", "am") == "ራሳቸዉ ተመለሱ"
