"""Every rule speaks to its supplier in four languages."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from codebook.loader import load_codebook
from codebook.models import LANGUAGES
from expectations import words
from expectations.suites import rules_for
from expectations.words import CATALOGUES, KINDS, RULES, Words

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("sources", "connectors", "anonymization", "harmonization", "expectations", "warehouse", "assets", "pipelines")
OTHERS = [language for language in LANGUAGES if language != "en"]

REJECTED = ("{n} row was rejected; all others were taken.", "{n} rows were rejected; all others were taken.")


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "لم يُرفض أي صف؛ أُخذت كل الصفوف."),
        (1, "رُفض صف واحد؛ وأُخذ كل ما سواه."),
        (2, "رُفض صفان؛ وأُخذ كل ما سواهما."),
        (3, "رُفضت 3 صفوف؛ وأُخذ كل ما سواها."),
        (11, "رُفض 11 صفًا؛ وأُخذ كل ما سواها."),
        (100, "رُفض 100 صف؛ وأُخذ كل ما سواها."),
        (101, "رُفض 101 صف؛ وأُخذ كل ما سواها."),
    ],
)
def test_arabic_has_six_forms_for_a_number(n: int, text: str) -> None:
    assert Words("ar", load_codebook()).count(*REJECTED, n) == text


def test_french_says_zero_in_the_singular_and_spanish_in_the_plural() -> None:
    assert Words("fr", load_codebook()).count(*REJECTED, 0).startswith("0 ligne a été rejetée")
    assert Words("es", load_codebook()).count(*REJECTED, 0).startswith("Se rechazaron 0 filas")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_of_the_codebook_has_a_message_and_says_how_to_mend(language: str) -> None:
    codebook = load_codebook()
    speaker = Words(language, codebook)
    for entity in codebook.entities:
        for rule in rules_for(entity, codebook):
            text = speaker.rule(rule.id)
            assert text.message, rule.id
            assert text.mend, rule.id
            assert "{" not in text.message + text.mend, rule.id
            assert rule.id not in text.message, f"{rule.id} has no text of its own"


@pytest.mark.parametrize("language", OTHERS)
def test_every_fixed_rule_is_translated(language: str) -> None:
    english, other = Words("en", load_codebook()), Words(language, load_codebook())
    for rule in RULES:
        assert english.rule(rule).message != other.rule(rule).message, rule
        assert english.rule(rule).mend != other.rule(rule).mend, rule


def test_every_rule_id_that_the_house_writes_has_words() -> None:
    """An id in the code of any room without a text here would reach its supplier unexplained."""
    quoted = re.compile(r'"((?:read|gate|map|key|delivery)\.[a-z_]+)"')
    files = [file for room in ROOMS for file in (PROJECT / room).rglob("*.py")]
    written = {rule for file in files for rule in quoted.findall(file.read_text("utf-8"))}
    assert written - set(RULES) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_holds_what_is_said_and_nothing_else(language: str) -> None:
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    said = {text for pair in (*RULES.values(), *KINDS.values(), words.UNKNOWN) for text in pair if text}
    room = PROJECT / "expectations"
    texts = "".join(file.read_text("utf-8") for file in (*room.glob("*.py"), *room.glob("templates/*.html")))
    for message in catalogue:
        if not message.id:
            continue
        ids = [str(one) for one in (message.id if isinstance(message.id, tuple) else (message.id,))]
        forms = [
            str(form or "") for form in (message.string if isinstance(message.string, tuple) else (message.string,))
        ]
        assert all(forms), ids
        assert all(f'"{one}"' in texts for one in ids), f"{ids} is no longer said"
        fields = set(re.findall(r"\{\w+\}", "".join(ids)))
        assert all(set(re.findall(r"\{\w+\}", form)) <= fields for form in forms), ids
        said -= set(ids)
    spoken = set(re.findall(r'say\("([^"]+)"', texts))
    assert said == set()
    assert spoken <= {str(one) for m in catalogue for one in (m.id if isinstance(m.id, tuple) else (m.id,))}


def test_a_range_open_on_one_side_names_the_other() -> None:
    codebook = load_codebook()
    messages = {rule.id: Words("en", codebook).rule(rule.id).message for rule in rules_for("household", codebook)}
    assert not [message for message in messages.values() if "None" in message]


def test_a_rule_without_words_is_named_by_its_id() -> None:
    assert "rule.case.new_one" in Words("es", load_codebook()).rule("rule.case.new_one").message
    assert "read.new_one" in Words("ar", load_codebook()).rule("read.new_one").message


def test_another_language_is_answered_in_english() -> None:
    assert Words("tr", load_codebook()).rule("key.duplicate_row").message.startswith("This row repeats")
