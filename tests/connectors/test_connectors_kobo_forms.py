"""Forms as people really keep them: as CSV, with lists twice, languages half filled, choices in files of their own."""

from collections.abc import Callable

import pytest
from small_forms import export, workbook
from small_sources import issues, rows, source, table

from codebook.errors import Refused
from connectors import Opened, open_delivery
from connectors.kobo.export import look
from connectors.kobo.form import in_language
from connectors.kobo.form_files import read_form
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
SECTIONS = (
    "survey,,,\n,type,name,label::English (en),label::French (fr),relevant\n"
    ",select_one yn,work,\"Work, paid?\",Travail ?,\n,text,why,Why not?,,${work} = 'no'\n"
    "choices,,,\n,list_name,name,label::English (en),label::French (fr)\n,yn,yes,Yes,Oui\n,yn,no,No,\n"
    "settings,,,\n,version,\n,2026050101,\n"
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_form_in_sections_of_a_csv_is_a_form(deliver: Deliver, delimiter: str, mark: str) -> None:
    text = SECTIONS.replace('"Work, paid?"', "Work?").replace(",", delimiter)
    sheets = read_form(deliver("form.csv", (mark + text).encode()))
    assert (sheets.version, sheets.languages) == ("2026050101", ["English (en)", "French (fr)"])
    form = in_language(sheets, "French")
    assert [(q.name, q.label, q.relevant) for q in form.questions] == [
        ("work", "Travail ?", ()),
        ("why", "", ("${work} = 'no'",)),
    ]


def test_a_form_as_csv_stands_beside_an_export_as_csv(deliver: Deliver) -> None:
    """A translation that is missing is the name in the export, cell by cell (formats.md 1.1)."""
    declared = source(
        {"kind": "kobo_csv", "values": "labels", "language": "French (fr)"},
        table("main", ["work", "why", "_id", "asked(why)"], key=["_id"]),
    )
    data = export(["Travail ?", "why", "_id"], ["Oui", "", "1"], ["no", "", "2"])
    opened = open_delivery([deliver("x.csv", data), deliver("form.csv", SECTIONS.encode())], declared)
    assert [(row["work"], row["asked(why)"]) for row in rows(opened)] == [("yes", "no"), ("no", "yes")]
    assert not issues(opened)


def test_the_sheet_of_questions_alone_is_a_form(deliver: Deliver) -> None:
    sheets = read_form(deliver("survey.csv", b"type;name;label\ntext;who;Who?\n"))
    assert [row["name"] for row in sheets.survey] == ["who"]


@pytest.mark.parametrize(
    "content", [b"a;b\n1;2\n", b"survey,,\n,x,y\n", "survey,,\n,type,name\n,text,\xe9\n".encode("cp1252"), b"survey\n"]
)
def test_a_csv_that_is_no_form_is_refused_as_one(deliver: Deliver, content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_form(deliver("form.csv", content))
    assert "\n" not in str(caught.value)


def delivered(deliver: Deliver, survey: list[list[str]], choices: list[list[str]], *data: list[str]) -> Opened:
    """One question `q` with labels, read through a form of these rows."""
    book = workbook(
        {"survey": [["type", "name", "label"], *survey], "choices": [["list_name", "name", "label"], *choices]}
    )
    declared = source({"kind": "kobo_csv", "values": "labels"}, table("main", ["q", "_id"], key=["_id"]))
    header, *answers = data
    return open_delivery([deliver("x.csv", export(header, *answers)), deliver("f.xlsx", book)], declared)


def test_choices_that_stand_in_a_file_of_their_own_have_no_labels_to_decode(deliver: Deliver) -> None:
    """The form does not know them, so the export writes what was stored."""
    survey = [["select_one_from_file villages.csv", "q", "Village"], ["select_one yn", "w", "Work"]]
    opened = delivered(deliver, survey, [["yn", "1", "Yes"]], ["Village", "_id"], ["TD07", "1"])
    assert [row["q"] for row in rows(opened)] == ["TD07"]
    assert not issues(opened)


def test_a_list_that_stands_twice_is_one_list(deliver: Deliver) -> None:
    survey = [["select_one yn", "q", "Work"]]
    choices = [["yn", "1", "Yes"], ["yn", "2", "No"], ["", "", ""], ["yn", "1", "Yes"], ["yn", "2", "No"]]
    opened = delivered(deliver, survey, choices, ["Work", "_id"], ["No", "1"])
    assert [row["q"] for row in rows(opened)] == ["2"]


def test_a_village_of_two_districts_is_ambiguous_and_not_the_first(deliver: Deliver) -> None:
    choices = [["village", "101", "Mirador"], ["village", "202", "Mirador"], ["village", "203", "Nahuizalco"]]
    opened = delivered(
        deliver,
        [["select_one village", "q", "Village"]],
        choices,
        ["Village", "_id"],
        ["Mirador", "1"],
        ["Nahuizalco", "2"],
    )
    assert [row["q"] for row in rows(opened)] == [None, "203"]
    assert issues(opened) == [(2, "q", "read.ambiguous_label", "error")]


@pytest.mark.parametrize(
    "header", ["label::English (en)", "label:English (en)", "label :: English (en)", "Label::English (en)"]
)
def test_a_language_is_found_however_its_column_is_written(deliver: Deliver, header: str) -> None:
    book = workbook({"survey": [["type", "name", header, "label::French (fr)"], ["text", "q", "Who?", "Qui ?"]]})
    sheets = read_form(deliver("f.xlsx", book))
    assert in_language(sheets, "English").questions[0].label == "Who?"
    assert in_language(sheets, "French (fr)").questions[0].label == "Qui ?"


def test_a_list_that_was_renamed_and_coded_anew_does_not_decode_old_answers_by_new_codes(deliver: Deliver) -> None:
    """`Yes` was `y` and is `1`: which it was then, a label does not say. `Maybe` has had one code only."""

    def version(number: str, name: str, *choices: str) -> bytes:
        labels = ["Yes", "No", "Maybe"]
        listed = [[name, code, label] for code, label in zip(choices, labels, strict=False)]
        survey = [["type", "name", "label"], [f"select_one {name}", "q", "Work?"]]
        return workbook(
            {
                "survey": survey,
                "choices": [["list_name", "name", "label"], *listed],
                "settings": [["version"], [number]],
            }
        )

    data = export(["Work?", "_id"], ["Yes", "1"], ["Maybe", "2"])
    files = [("x.csv", data), ("2.xlsx", version("2", "yn2", "1", "0", "2")), ("1.xlsx", version("1", "yn", "y", "n"))]
    declared = source({"kind": "kobo_csv", "values": "labels"}, table("main", ["q", "_id"], key=["_id"]))
    opened = open_delivery([deliver(*file) for file in files], declared)
    assert [row["q"] for row in rows(opened)] == [None, "2"]
    assert issues(opened) == [(2, "q", "read.ambiguous_label", "error")]


@pytest.mark.parametrize("said", ["Other", "other"])
def test_the_other_that_has_no_translation_is_other_however_it_is_written(deliver: Deliver, said: str) -> None:
    survey = [["select_one yn or_other", "q", "Work?"]]
    opened = delivered(deliver, survey, [["yn", "1", "Yes"]], ["Work?", "q_other", "_id"], [said, "a tent", "1"])
    assert [row["q"] for row in rows(opened)] == ["other"]
    assert opened.tables["main"].columns[0].value_labels == {"1": "Yes", "other": "Other"}


def test_a_label_that_holds_the_separator_is_still_found(deliver: Deliver) -> None:
    survey = [["begin_group", "g", "Sect. A"], ["select_multiple yn", "q", "What? e.g. a."], ["end_group", "", ""]]
    choices = [["list_name", "name", "label"], ["yn", "a", "Opt. 1"], ["yn", "b", "Opt. 2"]]
    book = workbook({"survey": [["type", "name", "label"], *survey], "choices": choices})
    question = "Sect. A.What? e.g. a."
    data = export([question, f"{question}.Opt. 1", f"{question}.Opt. 2", "_id"], ["Opt. 2", "0", "1", "1"])
    grids, facts = look(deliver("x.csv", data), deliver("f.xlsx", book))
    assert (facts["values"], facts["separator"]) == ("labels", ".")
    assert [heading.names[0] for heading in grids["main"].headings] == ["q", "q/a", "q/b", "_id"]


def test_one_name_in_two_groups_is_told_apart_by_the_forms_order_where_the_export_leaves_groups_out(
    deliver: Deliver,
) -> None:
    survey = [["type", "name"]]
    for group in ("father", "mother"):
        survey += [["begin_group", group], ["text", "born"], ["end_group", None]]  # type: ignore[list-item]
    book = workbook({"survey": survey, "choices": [["list_name", "name", "label"]]})
    declared = source({"kind": "kobo_csv"}, table("main", ["father/born", "mother/born", "_id"], key=["_id"]))
    data = deliver("x.csv", export(["born", "born", "_id"], ["1960", "1970", "1"]))
    (row,) = rows(open_delivery([data, deliver("f.xlsx", book)], declared))
    assert (row["father/born"], row["mother/born"]) == ("1960", "1970")
    with pytest.raises(Refused):  # one of them is left out, and nobody knows which
        open_delivery([deliver("y.csv", export(["born", "_id"], ["1960", "1"])), deliver("f.xlsx", book)], declared)


def test_labels_without_a_language_beside_translations_are_a_language_of_their_own(deliver: Deliver) -> None:
    survey = [["type", "name", "label::French (fr)", "label"], ["text", "q", "Qui ?", "Who?"]]
    form = deliver("f.xlsx", workbook({"survey": survey}))
    assert in_language(read_form(form), None).questions[0].label == "Who?"
    _, facts = look(deliver("x.csv", export(["Who?", "_id", "_uuid"], ["Sara", "1", "u"])), form)
    assert (facts["values"], facts["language"]) == ("labels", None)
    _, facts = look(deliver("y.csv", export(["Qui ?", "_id", "_uuid"], ["Sara", "1", "u"])), form)
    assert (facts["values"], facts["language"]) == ("labels", "French (fr)")
