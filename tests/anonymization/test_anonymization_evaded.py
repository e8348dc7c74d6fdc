"""Free text that hides what it says, by mischance or on purpose: other digits, odd separators, letters one by one."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str = "en", country: str = "NGA") -> str:
    return str(Redactor(language, country).redact([note])[0])


@pytest.mark.parametrize(
    "number",
    [
        "\U0001d7ce\U0001d7d6\U0001d7ce\U0001d7d1\U0001d7cf\U0001d7d0\U0001d7d1\U0001d7d2\U0001d7d3\U0001d7d4\U0001d7d5",
        "".join(f"{digit}\ufe0f\u20e3" for digit in "08031234567"),
        "".join(chr(0x1E950 + int(digit)) for digit in "08031234567"),  # Adlam, of the Fula
        "".join(chr(0x104A0 + int(digit)) for digit in "08031234567"),  # Osmanya, of the Somali
        "".join(chr(0xA620 + int(digit)) for digit in "08031234567"),  # Vai
        "0803*123*4567",
        "0803~123~4567",
        "0803•123•4567",
        "0803·123·4567",
    ],
)
def test_a_telephone_goes_whatever_its_digits_and_separators(number: str) -> None:
    found = redacted(f"please call {number} now")
    assert found.startswith("please call [PHONE]")
    assert not any(sign.isdigit() for sign in found)


@pytest.mark.parametrize(
    ("note", "stays"),
    [
        ("Her name is written X-i-o-m-a-r-a with an x", "Her name is written [NAME] with an x"),
        ("They call her B i n t a at home", "They call her [NAME] at home"),
        ("They call her B - i - n - t - a at home", "They call her [NAME] at home"),
        ("It is written X, i, o, m, a, r, a", "It is written [NAME]"),
        ("It is written X–i–o–m–a–r–a", "It is written [NAME]"),
        ("It is written B  i  n  t  a", "It is written [NAME]"),
        ("It is " + "-".join("AbdulrahmanMohammedIbrahimAlsalehiHassanzadeh"), "It is [NAME]"),
        ("Blocks A, B, C, D, E are full", "Blocks A, B, C, D, E are full"),
        ("he has x x x x of six", "he has x x x x of six"),
        ("the U.N.H.C.R. office was closed", "the U.N.H.C.R. office was closed"),
        ("a u b and c d", "a u b and c d"),
        ("we met Oluwa-\nseun in town", "we met [NAME]-\n[NAME] in town"),
        ("The son is oLUWASEUN and he came", "The son is [NAME] and he came"),
        ("mail ana.lopez＠gmail．com today", "mail [EMAIL] today"),
    ],
)
def test_a_name_goes_though_its_letters_are_set_apart_or_turned(note: str, stays: str) -> None:
    assert redacted(note) == stays


@pytest.mark.parametrize("unit", ["A ", "a-", "1*", "1~", "van 't ", "de' ", "y Ana ", "a e ", "X-", "-\n", "a, "])
def test_time_grows_with_the_length_of_a_note_of_one_thing_over_and_over(unit: str) -> None:
    assert Redactor("nl", "NLD").redact([unit * 100_000])[0]
