"""Names told by what stands beside them, that are an everyday word, a letter or a particle by themselves."""

import pytest

from anonymization.redaction.redactor import Redactor


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("en", "We wrote to Mr A.B. and Dr. K. today", "We wrote to [NAME]. and [NAME]. today"),
        ("en", "Mr X and Ms K came", "[NAME] and [NAME] came"),
        ("es", "La causa contra T. M. R. sigue", "La causa contra [NAME]. sigue"),
        ("ar", "المتهم م. ع. أنكر التهمة.", "المتهم [NAME]. أنكر التهمة."),
        ("fr", "Selon J.-P. Sartre et Me A.-B. de La Tour", "Selon [NAME] et [NAME]"),
        ("it", "Di Maio e Lo Russo sono qui", "[NAME] e [NAME] sono qui"),
        ("it", "hai visto cosa ha scritto Salvo?", "hai visto cosa ha scritto [NAME]?"),
        ("nl", "Dat is zo, aldus van den Heuvel.", "Dat is zo, aldus [NAME]."),
        ("fr", "Ange Le Floc'h est venu", "[NAME] est venu"),
        ("fa", "نظری گفت که نه", "[NAME] گفت که نه"),
        ("fa", "قیس دهقان آمد", "[NAME] آمد"),
        ("de", "Rosa ist da, und ihre Enkelin kreszentia auch", "[NAME] ist da, und ihre Enkelin [NAME] auch"),
    ],
)
def test_names_told_by_their_neighbours_go(language: str, note: str, stays: str) -> None:
    assert str(Redactor(language, "SLV").redact([note])[0]) == stays


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("es", "La empresa S. A. ganó"),
        ("de", "Im Frühjahr ist er zu Hause, z. B. im Garten."),
        ("en", "Options: A. yes B. no C. both"),
        ("nl", "Zie het artikel en vul het formulier in."),
    ],
)
def test_letters_and_words_that_are_nobodys_stay(language: str, note: str) -> None:
    assert str(Redactor(language, "SLV").redact([note])[0]) == note


def test_a_list_that_breaks_off_behind_its_first_name_is_read() -> None:
    assert Redactor("en", "SLV").redact(["There were six: Jan, "]) == ["There were six: Jan, "]
