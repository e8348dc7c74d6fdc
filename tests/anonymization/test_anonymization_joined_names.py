"""Small words beside names: particles and titles go with them, words between two people and labels of numbers stay."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str, country: str) -> str:
    return str(Redactor(language, country).redact([note])[0])


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("nl", "daar zijn Joost van 't Hoff en Femke in 't Veld", "daar zijn [NAME] en [NAME]"),
        ("it", "oggi Lorenzo de' Medici non viene", "oggi [NAME] non viene"),
        ("es", "ayer vino Pilar Ortega y Gasset sola", "ayer vino [NAME] sola"),
        ("pt", "ontem veio Inês Castro e Silva aqui", "ontem veio [NAME] aqui"),
        ("pt", "ontem vieram Jandira Teles e Thiago Quadros aqui", "ontem vieram [NAME] e [NAME] aqui"),
        ("fr", "elle loge chez Honorine Roux à Kindia", "elle loge chez [NAME] à [NAME]"),
        ("fr", "le peintre Eugène Delacroix admirait Rubens", "le peintre [NAME] admirait [NAME]"),
        ("en", "we saw Ana quispe Rojas again", "we saw [NAME] again"),
        ("fa", "پروین وردک و یما هاشمی", "[NAME] و [NAME]"),
    ],
)
def test_particles_are_parts_of_a_name_and_words_between_people_are_not(language: str, note: str, stays: str) -> None:
    assert redacted(note, language, "SLV") == stays


@pytest.mark.parametrize(
    ("language", "note", "name", "stays"),
    [
        ("ar", "ذهب مع أخيه إلى البيت، سلمت المال لأخيه وحيد", "وحيد", "المال"),
        ("am", "ከእህቱ ፍቅር ጋር", "ፍቅር", "ጋር"),
    ],
)
def test_a_relative_behind_a_joined_preposition_announces_a_name(
    language: str, note: str, name: str, stays: str
) -> None:
    found = redacted(note, language, "IRQ")
    assert name not in found
    assert stays in found


def test_a_word_that_ends_in_a_bare_alef_is_no_family_name() -> None:
    note = "أحيل المريض حيدر الجبوري إلى المستشفى اليوم"
    assert redacted(note, "ar", "IRQ") == "أحيل المريض [NAME] إلى المستشفى اليوم"


def test_a_label_in_capitals_before_a_number_is_no_name() -> None:
    assert (
        redacted("Informe de Wendy Rubio, NHC JP1296700, ingresa", "es", "ESP")
        == "Informe de [NAME], NHC [ID], ingresa"
    )
