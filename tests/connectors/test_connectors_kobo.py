"""KoboToolbox exports of every option give the same answers: codes, by question name, one table per repeat."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_forms import export, form, workbook
from small_sources import issues, rows, source, table

from codebook.errors import BadDefinition, Refused
from connectors import Opened, open_delivery
from sources.batches import PlainFile
from sources.corrections import Correction

Deliver = Callable[[str, bytes], PlainFile]

CHOICES = [
    ["yn", "yes", "Yes", "Oui"],
    ["yn", "no", "No", "Non"],
    ["yn", "some", "Some but not all", "Non - quelques uns mais pas tous"],
    ["yn", "none", "None", "Aucun"],
    ["work", "paid", "Work", "Travail"],
    ["work", "permit", "Work permit", "Travail permis"],
    ["work", "only_permit", "permit", "permis"],
    ["work", "idle", "No work", "Sans <b>travail</b>"],
    ["work", "study", "Studies", ""],
    ["twin", "a", "Same", "Pareil"],
    ["twin", "b", "Same too", "Pareil"],
]
SURVEY: list[list[str | None]] = [
    ["start", "start", None, None],
    ["begin_group", "eco", "Economy", "Économie"],
    ["select_one yn", "debt", "Debt?", "Avez-vous des <i>dettes</i>?"],
    ["text", "debt_why", "Please specify", "Veuillez préciser"],
    ["select_multiple work", "work", "What do you do, ${name}?", "Que faites-vous,\n${name}?"],
    ["text", "work_why", "Please specify", "Veuillez préciser"],
    ["end_group", None, None, None],
    ["select_one twin", "twin", "Twins", "Jumeaux"],
    ["date", "born", "Born", ""],
]
COLUMNS = ["_id", "debt", "debt_why", "work", "work_why", "twin", "born"]
HEADER = [
    "start",
    "Avez-vous des dettes?",
    "Veuillez préciser",
    "Que faites-vous, ?",
    "Veuillez préciser",
    "Jumeaux",
    "born",
    "_id",
    "__version__",
    "_index",
]


def labels(deliver: Deliver, *answers: tuple[str, ...], header: list[str] | None = None, **more: Any) -> Opened:
    """An export with French labels: answers to debt, debt_why, work, work_why, twin, born."""
    written = [["2024-01-01", *answer, str(100 + n), "v1", str(n)] for n, answer in enumerate(answers)]
    kobo = {"kind": "kobo_csv", "values": "labels", "language": "French (fr)"} | more.pop("format", {})
    declared = source(kobo, table("main", [*more.pop("columns", COLUMNS)], key=["_id"]), **more)
    files = [deliver("export.csv", export(header or HEADER, *written)), deliver("form.xlsx", form(SURVEY, CHOICES))]
    return open_delivery(files, declared)


def test_labels_become_codes_and_headers_questions(deliver: Deliver) -> None:
    opened = labels(deliver, ("Oui", "loyer", "Sans travail", "malade", "", "2001-02-03"))
    assert rows(opened) == [
        {
            "row": 2,
            "debt": "yes",
            "debt_why": "loyer",
            "work": "idle",
            "work_why": "malade",
            "twin": None,
            "born": "2001-02-03",
            "_id": "100",
        }
    ]
    assert issues(opened) == []
    assert opened.facts["form_version"] == "v1"
    assert opened.facts["form_versions"] == ["v1"]
    assert opened.facts["language"] == "French (fr)"


@pytest.mark.parametrize(
    ("summary", "codes"),
    [
        ("Travail Sans travail", "paid idle"),
        ("study", "study"),  # a blank translation falls back to the XML name, cell by cell
        ("Sans travail study", "idle study"),
        ("Sans  travail", "idle"),
    ],
)
def test_joined_labels_are_cut_into_choices(deliver: Deliver, summary: str, codes: str) -> None:
    assert rows(labels(deliver, ("", "", summary, "", "", "")))[0]["work"] == codes


@pytest.mark.parametrize(
    ("column", "answer", "rule"),
    [
        ("work", "Travail permis", "read.ambiguous_label"),  # `paid` and `only_permit`, or `permit`
        ("work", "Travail Jardinage", "read.unknown_label"),
        ("debt", "yes", "read.unknown_label"),  # a code where the form has a label
        ("debt", "Peut-être", "read.unknown_label"),
        ("twin", "Pareil", "read.ambiguous_label"),
    ],
)
def test_a_label_that_cannot_be_one_answer_is_an_error_and_no_value(
    deliver: Deliver, column: str, answer: str, rule: str
) -> None:
    at = ["debt", "debt_why", "work", "work_why", "twin", "born"]
    answers = tuple(answer if name == column else "" for name in at)
    opened = labels(deliver, ("Non", "", "", "", "", ""), answers)
    assert [row[column] for row in rows(opened)][1] is None
    assert issues(opened) == [(3, column, rule, "error")]


def test_detail_columns_settle_what_the_summary_leaves_open(deliver: Deliver) -> None:
    work = "Que faites-vous, ?"
    details = [f"{work}/{label}" for label in ("Travail", "Travail permis", "permis", "Sans travail", "study")]
    header = [*HEADER[:4], *details, *HEADER[4:]]
    opened = labels(
        deliver,
        ("", "", "Travail permis", "1", "0", "1", "0", "0", "", "", ""),
        ("", "", "Travail permis", "0", "1", "0", "0", "0", "", "", ""),
        header=header,
        format={"multiple_select": "both"},
        columns=[*COLUMNS, "work/*"],
    )
    found = rows(opened)
    assert [row["work"] for row in found] == ["paid only_permit", "permit"]
    assert [row["work/permit"] for row in found] == ["0", "1"]
    assert issues(opened) == []


def test_a_declared_error_of_the_form_is_corrected(deliver: Deliver) -> None:
    """Programmes have shipped French labels shifted by one choice; domain.md 1.6 has the case."""
    shifted = correction("Non - quelques uns mais pas tous", "some", "no"), correction("Aucun", "none", "")
    opened = labels(
        deliver,
        ("Non - quelques uns mais pas tous", "", "", "", "", ""),
        ("Aucun", "", "", "", "", ""),
        corrections=shifted,
    )
    assert [row["debt"] for row in rows(opened)] == ["no", None]
    assert issues(opened) == [(3, "debt", "read.ambiguous_label", "error")]


def test_a_correction_that_the_supplier_has_mended_must_go(deliver: Deliver) -> None:
    with pytest.raises(BadDefinition, match="the supplier has mended it, remove the row"):
        labels(deliver, ("Oui", "", "", "", "", ""), corrections=(correction("Oui", "no", "yes"),))


def correction(label: str, form_code: str, corrected: str) -> Correction:
    return Correction(
        kind="choice_label",
        list="yn",
        language="fr",
        label=label,
        form_code=form_code,
        corrected_code=corrected,
        reason="shifted labels",
        expect="form_code",
    )


def test_a_repeated_header_without_all_its_columns_is_not_guessed(deliver: Deliver) -> None:
    """One of two `Veuillez préciser` was left out of the export, and nothing beside it says which."""
    survey = [["text", "a", "", "Veuillez préciser"], ["text", "b", "", "Veuillez préciser"]]
    files = [
        deliver("export.csv", export(["Veuillez préciser", "_id"], ["x", "1"])),
        deliver("form.xlsx", form(survey, CHOICES)),
    ]
    kobo = {"kind": "kobo_csv", "values": "labels", "language": "French (fr)"}
    with pytest.raises(Refused, match="missing: a"):
        open_delivery(files, source(kobo, table("main", ["_id", "a"], key=["_id"])))


def test_a_repeated_header_between_its_neighbours_is_found(deliver: Deliver) -> None:
    header = [h for n, h in enumerate(HEADER) if n != 2]
    opened = labels(
        deliver, ("Oui", "", "malade", "", ""), header=header, columns=[c for c in COLUMNS if c != "debt_why"]
    )
    assert rows(opened)[0]["work_why"] == "malade"


def test_group_labels_before_the_question_make_no_difference(deliver: Deliver) -> None:
    header = [f"Économie - {h}" if 1 <= n <= 4 else h for n, h in enumerate(HEADER)]
    opened = labels(deliver, ("Oui", "loyer", "Travail", "x", "", ""), header=header, format={"separator": " - "})
    found = rows(opened)[0]
    assert (found["debt"], found["debt_why"], found["work"], found["work_why"]) == ("yes", "loyer", "paid", "x")


def test_the_form_is_known_by_its_sheets_not_by_their_names(deliver: Deliver) -> None:
    kobo = {"kind": "kobo_csv", "values": "labels", "language": "French"}
    files = [
        deliver("aaa.xlsx", form(SURVEY, CHOICES, names=("ODK survey-updated", "lists"))),
        deliver("export.csv", export(["Avez-vous des dettes?", "_id"], ["Non", "1"])),
    ]
    assert rows(open_delivery(files, source(kobo, table("main", ["_id", "debt"], key=["_id"]))))[0]["debt"] == "no"


@pytest.mark.parametrize("language", ["German (de)", None])
def test_labels_without_a_form_or_in_a_language_it_lacks_are_refused(deliver: Deliver, language: str | None) -> None:
    files = [deliver("export.csv", export(["_id", "debt"], ["1", "Oui"]))]
    if language:
        files.append(deliver("form.xlsx", form(SURVEY, CHOICES)))
    kobo = {"kind": "kobo_csv", "values": "labels", "language": language}
    with pytest.raises(Refused) as caught:
        open_delivery(files, source(kobo, table("main", ["_id", "debt"], key=["_id"])))
    assert caught.value.rule == "delivery.wrong_source"


XML = {"kind": "kobo_csv", "values": "xml"}


@pytest.mark.parametrize("mark", ["/", ".", ":"])
def test_a_question_answers_to_its_name_whatever_the_groups(deliver: Deliver, mark: str) -> None:
    header = [f"eco{mark}debt", f"eco{mark}work", f"eco{mark}work{mark}paid", f"eco{mark}work{mark}debt", "_id"]
    columns = ["_id", "debt", "work", "work/*"]
    files = [deliver("export.csv", export(header, ["yes", "paid", "1", "0", "7"]))]
    opened = open_delivery(files, source(XML | {"separator": mark}, table("main", columns, key=["_id"])))
    assert rows(opened) == [{"row": 2, "debt": "yes", "work": "paid", "work/paid": "1", "work/debt": "0", "_id": "7"}]


def test_a_name_in_two_groups_needs_its_path(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["a/age", "b/age", "_id"], ["1", "2", "7"]))
    with pytest.raises(Refused, match="several columns answer to: age"):
        open_delivery([file], source(XML, table("main", ["_id", "age"], key=["_id"])))
    opened = open_delivery([file], source(XML, table("main", ["_id", "b/age"], key=["_id"])))
    assert rows(opened) == [{"row": 2, "b/age": "2", "_id": "7"}]


def test_detail_columns_alone_give_the_summary_back(deliver: Deliver) -> None:
    header = ["eco/work/paid", "eco/work/idle", "_id"]
    answers = [["1", "1", "1"], ["0", "0", "2"], ["", "", "3"], ["True", "False", "4"]]
    declared = source(XML | {"multiple_select": "details"}, table("main", ["_id", "work"], key=["_id"]))
    opened = open_delivery([deliver("export.csv", export(header, *answers))], declared)
    assert [row["work"] for row in rows(opened)] == ["paid idle", None, None, "paid"]


def test_labelled_detail_columns_alone_give_the_summary_back(deliver: Deliver) -> None:
    work = "Que faites-vous, ?"
    files = [
        deliver("export.csv", export([f"{work}/Travail", f"{work}/Sans travail", "_id"], ["0", "1", "1"])),
        deliver("form.xlsx", form(SURVEY, CHOICES)),
    ]
    kobo = {"kind": "kobo_csv", "values": "labels", "language": "French (fr)", "multiple_select": "details"}
    opened = open_delivery(files, source(kobo, table("main", ["_id", "work"], key=["_id"])))
    assert rows(opened) == [{"row": 2, "_id": "1", "work": "idle"}]


def test_damage_is_found_in_every_date_the_form_asks_for(deliver: Deliver) -> None:
    opened = labels(deliver, ("########", "########", "", "", "", "########"))
    assert rows(opened)[0]["debt_why"] == "########"
    assert ("born", "read.damaged_value") in {(column, rule) for _, column, rule, _ in issues(opened)}


def test_every_form_version_in_the_file_is_named(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["_id", "__version__"], ["1", "v2"], ["2", ""], ["3", "v1"]))
    assert open_delivery([file], source(XML, table("main", ["_id"], key=["_id"]))).facts["form_versions"] == [
        "v1",
        "v2",
    ]


def test_a_row_of_hxl_tags_is_no_record(deliver: Deliver) -> None:
    file = deliver("export.csv", export(["_id", "age"], ["", "#affected+age"], ["1", "30"]))
    assert rows(open_delivery([file], source(XML, table("main", ["_id", "age"], key=["_id"])))) == [
        {"row": 3, "_id": "1", "age": "30"}
    ]


def test_repeats_are_tables_and_a_repeat_without_rows_is_empty(deliver: Deliver) -> None:
    book = workbook(
        {
            "My form": [["eco/debt", "_id", "_index"], ["yes", 101, 1]],
            "members": [["members/age", "_index", "_submission__id"], [34, 1, 101], ["007", 2, 101]],
        }
    )
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["_id", "debt"], key=["_id"]),
        table("members", ["age", "_index", "_submission__id"], key=["_submission__id", "_index"]),
        table("visits", ["_index"], key=["_index"]),
    )
    opened = open_delivery([deliver("export.xlsx", book), deliver("form.xlsx", form(SURVEY, CHOICES))], declared)
    assert rows(opened) == [{"row": 2, "debt": "yes", "_id": "101"}]
    assert rows(opened, "members") == [
        {"row": 2, "age": "34", "_index": "1", "_submission__id": "101"},
        {"row": 3, "age": "007", "_index": "2", "_submission__id": "101"},
    ]
    assert opened.tables["members"].sheet == "members"
    assert rows(opened, "visits") == []
    assert opened.parts("visits", 2) == []


@pytest.mark.corpus
def test_a_stale_choice_makes_rows_too_long_and_loses_none(corpus: Path) -> None:
    """pandas stops at this file: "Expected 6 fields, saw 7" (formats.md 1.4.2)."""
    file = PlainFile(corpus / "kobo" / "formpack_generated" / "stale_choice_shifts_rows.csv")
    opened = open_delivery([file], source(XML, table("main", ["_id", "why", "why/*"], key=["_id"])))
    assert [(row["row"], row["_id"], row["why"]) for row in rows(opened)] == [
        (2, "1", "a"),
        (3, "2", "zzz"),
        (4, "3", "b"),
        (5, "4", "a b"),
    ]
    assert sorted(issues(opened)) == [(row, None, "read.ragged_row", "query") for row in (3, 4, 5)]


@pytest.mark.corpus
def test_nested_repeats_of_the_server_are_read_row_by_row(corpus: Path) -> None:
    folder = corpus / "kobo" / "formpack_generated" / "nested_grouped_repeatable"
    tables = [
        table("main", ["_index", "start"], key=["_index"]),
        table("group_tree", ["_index", "_parent_index", "What_kind_of_tree_is_this"], key=["_index"]),
        table("group_egg", ["_parent_index", {"name": "*", "class": "free_text"}], key=["_parent_index"]),
    ]
    opened = open_delivery([PlainFile(folder / "xml_values.xlsx")], source({"kind": "kobo_xlsx"}, *tables))
    assert [len(rows(opened, t["name"])) for t in tables] == [4, 6, 14]
    assert rows(opened, "group_tree")[0]["What_kind_of_tree_is_this"] == "pine"


@pytest.mark.corpus
@pytest.mark.parametrize("fixture", ["nested_grouped_repeatable", "grouped_repeatable_alias"])
def test_labels_written_by_the_server_decode_to_its_own_codes(corpus: Path, deliver: Deliver, fixture: str) -> None:
    """Both exports were written by the server's own code: one is the answer key of the other, sheet by sheet."""
    folder = corpus / "kobo" / "formpack_generated" / fixture
    repeats = ["group_tree", "group_nest", "group_egg"] if fixture.startswith("nested") else ["houshold_member_repeat"]
    latest = max(folder.glob("v*.json"))
    content = json.loads(latest.read_text())["content"]
    survey, questions = form_rows(content)
    files = [PlainFile(folder / "labels_groups.xlsx"), deliver("form.xlsx", survey)]

    def read(values: str, files: list[PlainFile]) -> list[list[dict[str, Any]]]:
        kobo = {"kind": "kobo_xlsx", "values": values}
        names = [{"name": name, "optional": True} for name in [*questions, "_index", "_parent_index"]]
        declared = source(kobo, *(table(t, names, key=["_index"]) for t in ["main", *repeats]))
        opened = open_delivery(files, declared)
        assert not any(opened.undeclared[t] not in ([], ["_parent_table_name"]) for t in ["main", *repeats])
        return [rows(opened, t) for t in ["main", *repeats]]

    decoded = read("labels", files)
    assert decoded == read("xml", [PlainFile(folder / "xml_values.xlsx")])
    assert all(decoded)


def form_rows(content: dict[str, Any]) -> tuple[bytes, list[str]]:
    """The form as a workbook, and the names of its questions, from the content that the server keeps of it."""

    def label(row: dict[str, Any]) -> str:
        return row["label"][0] if isinstance(row.get("label"), list) else row.get("label", "")

    def kind(row: dict[str, Any]) -> str:
        return " ".join(filter(None, [row["type"], row.get("select_from_list_name")]))

    survey = [[kind(row), row.get("name"), label(row)] for row in content["survey"]]
    choices = [[row["list_name"], row["name"], label(row)] for row in content.get("choices", [])]
    sheets = {"survey": [["type", "name", "label"], *survey]}
    if choices:
        sheets["choices"] = [["list_name", "name", "label"], *choices]
    questions = [row["name"] for row in content["survey"] if not re.match("begin|end[_ ]", row["type"])]
    return workbook(sheets), questions


@pytest.mark.parametrize("rows_of_sheet", [[["x", "y"], ["1", "2"]], [["debt"], ["yes"]], []])
def test_a_sheet_and_a_language_that_nobody_declared_are_not_named(
    deliver: Deliver, rows_of_sheet: list[list[str]]
) -> None:
    """An export's sheet has the title of its form."""
    book = deliver("export.xlsx", workbook({"Xochitl Quetzal": rows_of_sheet}))
    main = table("main", ["_id", "debt"], key=["_id"])
    with pytest.raises(Refused) as caught:
        open_delivery([book], source({"kind": "kobo_xlsx"}, main))
    assert "Quetzal" not in str(caught.value)
    english = source({"kind": "kobo_xlsx", "values": "labels", "language": "English"}, main)
    labelled = workbook({"survey": [["type", "name", "label::Xochitl (xq)"], ["text", "debt", "Debt?"]]})
    with pytest.raises(Refused, match="no labels in English; it has 1 columns of labels") as caught:
        open_delivery([book, deliver("form.xlsx", labelled)], english)
    assert "Xochitl" not in str(caught.value)
