"""Notes in letters, digits and blanks of other keyboards: what they are told by is told of these too."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str) -> str:
    return str(Redactor(language, "SLV").redact([note])[0])


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("fr", "ma sœur yokasta a du cœur", "ma sœur [NAME] a du cœur"),
        ("fr", "le cœur de yokasta est grand", "le cœur de [NAME] est grand"),
        ("en", "the brother of ştefan and łukasz", "the brother of [NAME] and [NAME]"),
        ("en", "DUŠANKA LOVRIĆ WAS NOT AT THE SCHOOL", "[NAME] WAS NOT AT THE SCHOOL"),
    ],
)
def test_letters_beyond_latin_1_are_no_capitals_for_being_there(language: str, note: str, stays: str) -> None:
    assert redacted(note, language) == stays


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("en", "Ｗｒｉｔｅ ｔｏ ａｎａ.ｇｉｌ９＠ｇｍｘ.ｎｅｔ today", "Ｗｒｉｔｅ ｔｏ [EMAIL] today"),
        ("en", "Call ⑦⑨②②③④⑤⑥ today", "Call [PHONE] today"),
        ("en", "The man is 𝐀𝐧𝐚 𝐐𝐮𝐢𝐬𝐩𝐞 and old", "The man is [NAME] and old"),
        ("es", "ＤＵＩ：０４５１２３７８-９", "ＤＵＩ：[ID]"),
        ("am", "ስልክ ፱፩፩፪፫፬፭፮፯", "ስልክ [ID]"),
        ("am", "መጋቢት ፲፬ ቀን ነው", "[DATE] ነው"),
    ],
)
def test_digits_and_letters_in_frames_or_double_width_are_read(language: str, note: str, stays: str) -> None:
    assert redacted(note, language) == stays


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("nl", "Daar  komt  Aagje  van  den  Heuvel  aan", "Daar  komt  [NAME]  aan"),
        ("en", "We saw  Evan  and  April  there", "We saw  [NAME]  and  [NAME]  there"),
    ],
)
def test_two_blanks_are_one(language: str, note: str, stays: str) -> None:
    assert redacted(note, language) == stays
