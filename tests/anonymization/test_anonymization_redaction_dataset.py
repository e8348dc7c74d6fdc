"""Redaction is measured on sets that others made: however these write languages, countries and spans."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.notes import LANGUAGES, notes
from benchmarks.redaction_dataset import Dataset, is_name, read


def dataset(folder: Path, *notes: Any) -> Dataset:
    path = folder / "notes.jsonl"
    path.write_text("\n".join(note if isinstance(note, str) else json.dumps(note) for note in notes), "utf-8")
    return read(path)


@pytest.mark.parametrize(
    ("language", "country", "read_as"),
    [
        ("en", "GBR", ("en", "GBR")),
        ("eng", "gb", ("en", "GBR")),
        ("pt_BR", None, ("pt", "BRA")),
        ("German", "Germany", ("de", "DEU")),
        ("amh", "et", ("am", "ETH")),
        ("prs", "", ("fa", "AFG")),
        ("xx", "nowhere", ("xx", "USA")),
        (None, None, ("en", "USA")),
    ],
)
def test_languages_and_countries_come_in_any_code(
    tmp_path: Path, language: str | None, country: str | None, read_as: tuple[str, str]
) -> None:
    [note] = dataset(tmp_path, {"text": "a", "lang": language, "country": country, "spans": []}).notes
    assert (note.language, note.country) == read_as


def test_spans_come_in_any_order_and_form_and_what_was_done_is_said(tmp_path: Path) -> None:
    spans = [
        [4, 9, "PER"],
        {"start": 0, "end": 6, "label": "NAME"},
        [4, 9, "PER"],
        [5, 2, "X"],
        ["a", 3, "X"],
        [8, 99, "Y"],
    ]
    read_notes = dataset(tmp_path, {"text": "abcdefghij", "lang": "en", "country": "USA", "spans": spans})
    assert read_notes.notes[0].spans == [(0, 6, "NAME"), (4, 9, "PER"), (8, 10, "Y")]
    assert {what.split(":")[0]: times for what, times in read_notes.said.items()} == {
        "span said twice": 1,
        "span without a place in its text": 2,
        "span that reaches out of its text": 1,
        "span that overlaps another": 2,
    }


def test_values_in_place_of_places_strings_and_words_with_tags_are_spans_too(tmp_path: Path) -> None:
    found = dataset(
        tmp_path,
        {"text": "Ana saw Ana", "entities": [{"entity": "Ana", "types": ["first_name"]}]},
        {"text": "Ana left", "spans": "[{'start': 0, 'end': 3, 'label': 'PERSON'}]"},
        {"tokens": ["Ana", "Gil", "y", "Eva"], "ner_tags": ["B-PER", "I-PER", "O", "B-PER"], "lang": "es"},
    )
    assert [note.spans for note in found.notes] == [
        [(0, 3, "first_name"), (8, 11, "first_name")],
        [(0, 3, "PERSON")],
        [(0, 7, "PER"), (10, 13, "PER")],
    ]
    assert found.notes[2].text == "Ana Gil y Eva"


def test_a_line_that_is_no_note_is_left_out_and_counted(tmp_path: Path) -> None:
    read_notes = dataset(tmp_path, "nonsense", [1], {"text": None}, "", {"source_text": "b", "privacy_mask": []})
    assert [note.text for note in read_notes.notes] == ["b"]
    assert read_notes.said["no JSON object: left out"] == 2
    assert read_notes.said["without a text: left out"] == 1


@pytest.mark.parametrize("kind", ["PER", "B-PER", "I_PERSON", "first_name", "GIVENNAME", "LASTNAME2", "private_person"])
def test_a_persons_name_is_told_by_whatever_its_type_is_called(kind: str) -> None:
    assert is_name(kind)


@pytest.mark.parametrize("kind", ["LOC", "USERNAME", "STREETNAME", "COMPANYNAME", "PERCENT", "TITLE"])
def test_no_other_type_is_a_persons_name(kind: str) -> None:
    assert not is_name(kind)


@pytest.mark.parametrize("language", LANGUAGES)
def test_made_up_notes_name_people_whom_no_list_has(language: str) -> None:
    made = list(notes(language, 20))
    assert {note["lang"] for note in made} == {language}
    assert any(is_name(kind) for note in made for _, _, kind in note["spans"])
