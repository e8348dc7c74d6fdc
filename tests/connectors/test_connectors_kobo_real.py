"""Real exports against what else is known of them: their twin in codes, their form, the server's own submissions."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_sources import rows, source, table

from connectors import open_delivery
from connectors.kobo.export import look
from connectors.shapes import Grid
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
pytestmark = pytest.mark.corpus

Column = list[str | None]


def columns(grid: Grid) -> tuple[dict[str, Column], dict[str, int]]:
    """Cells of every column by its first name, in file order; and how many cells of each a reading rule caught."""
    positions = [heading.position for heading in grid.headings]
    names = {heading.position: heading.names[0] for heading in grid.headings}
    pieces = list(grid.pieces(positions, 50_000))
    caught: dict[str, int] = {}
    for finding in (found for piece in pieces for found in piece.findings if len(found.rows)):
        name = f"{names[finding.column] if finding.column is not None else 'row'}: {finding.rule}"
        caught[name] = caught.get(name, 0) + len(finding.rows)
    cells = {
        names[p]: [cell for piece in pieces for cell in piece.cells[n].to_pylist()] for n, p in enumerate(positions)
    }
    return cells, caught


def asset(survey: list[dict[str, Any]], choices: dict[str, set[tuple[str, str]]]) -> bytes:
    listed = [{"list_name": of, "name": c, "label": t} for of, found in choices.items() for c, t in sorted(found)]
    return json.dumps({"content": {"survey": survey, "choices": listed}}).encode()


def taken_from_half(by_code: Grid, by_label: Grid) -> tuple[bytes, set[str]]:
    """A form from two files side by side, since the survey's own is not public: names and labels from the headers;
    choices of a question whose cells differ from every other interview, of a select_multiple from its headers."""
    codes, labels = columns(by_code)[0], columns(by_label)[0]
    questions: dict[str, dict[str, Any]] = {}
    choices: dict[str, set[tuple[str, str]]] = {}
    for heading, twin in zip(by_code.headings, by_label.headings, strict=True):
        name, mark, code = heading.header.partition("/")
        if mark:
            questions[name]["type"] = f"select_multiple {name}"
            choices.setdefault(name, set()).add((code, twin.header.partition("/")[2]))
        elif not name.startswith("_"):
            pairs = list(zip(codes[heading.names[0]], labels[twin.names[0]], strict=True))
            differs = any(code != label for code, label in pairs)
            questions[name] = {"type": f"select_one {name}" if differs else "text", "name": name, "label": twin.header}
            if differs and f"{name}/1" not in codes:
                choices[name] = {(code, label) for code, label in pairs[::2] if code and label}
    return asset(list(questions.values()), choices), set(choices)


@pytest.mark.parametrize(
    ("survey", "shape", "decoded", "unseen"),
    [
        ("Mzedi_survey", (1533, 20), 5081, {"place: read.unknown_label": 3}),
        ("Waste_separation", (1770, 92), 49_512, {"timee: read.unknown_label": 2}),
    ],
)
def test_labels_of_a_real_survey_decode_to_the_codes_of_its_twin(
    corpus: Path, deliver: Deliver, survey: str, shape: tuple[int, int], decoded: int, unseen: dict[str, int]
) -> None:
    """Every column is found by its label and place ("How full is the skip?" stands twice), every cell of every
    interview is the twin's code; only labels that no interview of the half held are unknown, and no cell is wrong."""
    folder = corpus / "kobo" / "blantyre_compost"
    by_code, by_label = (
        look(PlainFile(next(folder.glob(f"{survey}*-_{how}_-*.csv"))))[0]["main"] for how in ("False", "labels")
    )
    form, selects = taken_from_half(by_code, by_label)
    tables, facts = look(PlainFile(next(folder.glob(f"{survey}*-_labels_-*.csv"))), deliver("form.json", form))
    assert facts["values"] == "labels"
    codes, (found, caught) = columns(by_code)[0], columns(tables["main"])
    assert (len(codes["_id"]), len(codes)) == shape
    assert list(found) == list(codes)
    assert caught == unseen
    wrong = {name: sum(cell != code for cell, code in zip(found[name], codes[name], strict=True)) for name in codes}
    assert {name: n for name, n in wrong.items() if n} == {name.partition(":")[0]: n for name, n in unseen.items()}
    assert sum(cell is not None for name in selects for cell in found[name]) == decoded


SERVER = ["nested_grouped_repeatable", "grouped_repeatable_alias"]


@pytest.mark.parametrize("fixture", SERVER)
def test_the_servers_labels_and_names_are_one_answer_through_its_own_form(corpus: Path, fixture: str) -> None:
    folder = corpus / "kobo" / "formpack_generated" / fixture
    form = PlainFile(max(folder.glob("v*.json")))
    labels, names = (look(PlainFile(folder / f"{how}.xlsx"), form) for how in ("labels_groups", "xml_values"))
    assert (labels[1]["values"], names[1]["values"]) == ("labels", "xml")
    assert list(labels[0]) == list(names[0])
    for sheet, grid in labels[0].items():
        decoded, caught = columns(grid)
        assert decoded == columns(names[0][sheet])[0]
        assert caught == {}
    assert sum(len(columns(grid)[0]) for grid in labels[0].values()) > len(labels[0])


def test_the_servers_features_are_the_answers_of_its_csv(corpus: Path) -> None:
    folder = corpus / "kobo" / "formpack_generated" / "geojson_and_selects"
    form = PlainFile(folder / "v1.json")
    features, _ = columns(look(PlainFile(folder / "labels.geojson"), form)[0]["main"])
    answers, _ = columns(look(PlainFile(folder / "xml.csv"), form)[0]["main"])
    assert features == {
        "current_location": answers["current_location"] == ["inside"] and ["inside"],
        "an_image": answers["an_image"],
        "geometry": ["39.306938 -76.60869 11.0"],
    }


@pytest.mark.parametrize("how", ["both", "details", "summary"])
def test_every_way_to_export_a_select_multiple_gives_the_submitted_answers(corpus: Path, how: str) -> None:
    folder = corpus / "kobo" / "formpack_generated" / "or_other"
    submitted = json.loads((folder / "v1.json").read_text(encoding="utf-8"))["submissions"]
    asked = ["fav_emperor", "fav_emperor_other", "fav_emperors", "fav_emperors_other"]
    declared = source({"kind": "kobo_csv", "multiple_select": how}, table("main", asked, key=["fav_emperor"]))
    files = [PlainFile(folder / f"xml_{how}.csv"), PlainFile(folder / "v1.json")]
    found = [[row[name] for name in asked] for row in rows(open_delivery(files, declared))]
    # Detail columns stand in the order of the choice list, and so do the codes that are put back together.
    assert found == [[answers.get(name) for name in asked] for answers in submitted]


def submissions(folder: Path) -> list[dict[str, Any]]:
    """The submissions of every version of a fixture, oldest version first."""
    return [
        answers for path in sorted(folder.glob("v?.json")) for answers in json.loads(path.read_text())["submissions"]
    ]


def test_four_versions_of_one_form_are_merged_and_no_answer_is_a_contradiction(corpus: Path) -> None:
    """A select_one that became a select_multiple: its detail columns are blank for old answers (formats.md 1.4.3)."""
    folder = corpus / "kobo" / "formpack_generated" / "restaurant_profile"
    columns_ = ["restaurant_name", "location", "eatery_type"]
    declared = source({"kind": "kobo_csv", "multiple_select": "both"}, table("main", columns_, key=["restaurant_name"]))
    files = [PlainFile(folder / "xml_all_versions.csv"), *(PlainFile(path) for path in sorted(folder.glob("v?.json")))]
    opened = open_delivery(files, declared)
    submitted = submissions(folder)
    assert [[row[n] for n in columns_] for row in rows(opened)] == [
        [submission.get(n) or None for n in columns_] for submission in submitted
    ]
    assert opened.issues().num_rows == 0
    assert opened.facts["type_changes"] == ["eatery_type: select_one -> select_multiple"]


def test_eggs_are_tied_to_their_submission_through_nests_and_trees(corpus: Path) -> None:
    """Against the submissions themselves: the server's export has no ids here, only the chain of indexes."""
    folder = corpus / "kobo" / "formpack_generated" / "nested_grouped_repeatable"
    submitted = submissions(folder)
    expected = [
        (f"{t}.{n}.{e}", egg["group_tree/group_nest/group_egg/Describe_the_egg"])
        for submission in submitted
        for t, tree in enumerate(submission.get("group_tree", []), 1)
        for n, nest in enumerate(tree.get("group_tree/group_nest", []), 1)
        for e, egg in enumerate(nest.get("group_tree/group_nest/group_egg", []), 1)
    ]
    declared = source(
        {"kind": "kobo_xlsx"},
        table("main", ["start"], key=["start"]),
        table("group_egg", ["Describe_the_egg", "_position", "_parent_position"], key=["_position"]),
    )
    opened = open_delivery([PlainFile(folder / "xml_values.xlsx")], declared)
    found = [(row["_position"], row["Describe_the_egg"]) for row in rows(opened, "group_egg")]
    assert found == expected
    assert len(found) == 14


def test_flattened_children_of_the_former_server_are_a_table(corpus: Path) -> None:
    file = PlainFile(corpus / "kobo" / "kpi_legacy_kobocat" / "tutorial_w_repeats.csv")
    tables, _ = look(file)
    children, main = columns(tables["children"])[0], columns(tables["main"])[0]
    assert children == {"childs_name": ["Tom", "Dick"], "childs_age": ["12", "5"]}
    assert main["picture"] == [None]
    assert not any("[" in heading.header for heading in tables["main"].headings)


def test_zipped_sections_of_the_former_server_are_one_export(corpus: Path, deliver: Deliver) -> None:
    import io
    import zipfile

    folder = corpus / "kobo" / "kpi_legacy_kobocat"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("children", "children_cartoons", "children_cartoons_characters", "childrens_survey"):
            archive.write(folder / f"{name}.csv", f"{name}.csv")
    tables = [
        table("main", ["name", "_index"], key=["_index"]),
        table("children", ["name", "_position"], key=["_position"]),
        table("children_cartoons", ["name", "_position"], key=["_position"]),
        table("children_cartoons_characters", ["name", "_position"], key=["_position"]),
    ]
    kobo = {"kind": "kobo_csv", "main": "childrens_survey", "multiple_select": "both"}
    opened = open_delivery([deliver("export.zip", packed.getvalue())], source(kobo, *tables))
    found = [{row["_position"]: row["name"] for row in rows(opened, t["name"])} for t in tables[1:]]
    assert found == [
        {"1": "Mike", "2": "John", "3": "Imora"},
        {"1.1": "Tom & Jerry", "1.2": "Flinstones", "3.1": "Shrek", "3.2": "Dexter's Lab"},
        {"3.2.1": "Dee Dee", "3.2.2": "Dexter"},
    ]


def test_what_the_iraqi_form_did_not_ask_is_blank_in_its_data(corpus: Path) -> None:
    """Every condition of the form over every interview: an answer where a question was not asked would be a fault of
    the reading, and a blank where it was asked is really missing."""
    folder = corpus / "kobo" / "reach_iraq_returnees"
    form, data = PlainFile(folder / "xlsform.xlsx"), PlainFile(folder / "raw_data.csv")
    known = [heading.names[0] for heading in look(data, form)[0]["main"].headings if heading.label]
    names = [f"{way}{name}" for name in known if "/" not in name for way in ("", "asked(")]
    declared = [{"name": f"{name})" if name.startswith("asked(") else name, "optional": True} for name in names]
    kobo = {"kind": "kobo_csv", "separator": ".", "multiple_select": "both"}
    opened = open_delivery([data, form], source(kobo, table("main", [*declared, "X_uuid"], key=["X_uuid"])))
    found = rows(opened)
    logical = [column.name for column in opened.tables["main"].columns if column.name.startswith("asked(")]
    told = [(row[name], row[name[6:-1]] is not None) for name in logical for row in found]
    counts = {what: told.count(what) for what in set(told)}
    assert len(logical) == 108
    assert counts == {("yes", True): 26_034, ("yes", False): 437, ("no", False): 41_785}
    assert "relevance_not_read" not in opened.facts
    assert opened.issues().num_rows == 0


def test_the_iraqi_answers_are_choices_of_their_form(corpus: Path) -> None:
    """All but two questions: the publisher made the neighbourhoods anonymous, and one choice is not in this form."""
    folder = corpus / "kobo" / "reach_iraq_returnees"
    main = look(PlainFile(folder / "raw_data.csv"), PlainFile(folder / "xlsform.xlsx"))[0]["main"]
    cells, caught = columns(main)
    strangers: dict[str, int] = {}
    answers = 0
    for heading in main.headings:
        if heading.value_labels:
            filled = [cell for cell in cells[heading.names[0]] if cell is not None]
            answers += len(filled)
            n = sum(not set(cell.split()) <= heading.value_labels.keys() for cell in filled)
            strangers |= {heading.names[0]: n} if n else {}
    assert caught == {}
    assert answers == 41_518
    assert strangers == {"neighbourhood": 632, "pay_water_charges_when": 35}


def test_a_form_of_the_former_server_is_read_from_its_xls(corpus: Path) -> None:
    folder = corpus / "kobo" / "kpi_legacy_kobocat"
    tables, facts = look(PlainFile(folder / "tutorial_w_repeats.csv"), PlainFile(folder / "tutorial_w_repeats.xls"))
    assert facts["values"] == "xml"
    labels = {heading.header: heading.label for heading in tables["children"].headings}
    assert labels["children/childs_age"].endswith("Childs age?")
    children = next(heading for heading in tables["main"].headings if heading.names[0] == "has_children")
    assert children.value_labels == {"0": "no", "1": "yes"}


def test_the_iraqi_returnee_survey_is_read_whole(corpus: Path) -> None:
    """`.` for groups and details, True/False, and a byte-order mark that R made into a column name."""
    folder = corpus / "kobo" / "reach_iraq_returnees"
    columns = ["X_uuid", "X.U.FEFF.start", "primary_livelihood", "primary_livelihood.*", "displace_status"]
    declared = source(
        {"kind": "kobo_csv", "values": "xml", "separator": ".", "multiple_select": "both"},
        table("main", columns, key=["X_uuid"]),
    )
    files = [PlainFile(folder / "raw_data.csv"), PlainFile(folder / "xlsform.xlsx")]
    found = rows(open_delivery(files, declared))
    with (folder / "raw_data.csv").open(encoding="utf-8-sig", newline="") as handle:
        expected = list(csv.DictReader(handle))
    assert len(found) == len(expected) == 632
    for name in (*columns[:3], "primary_livelihood.savings", "displace_status"):
        assert [row[name] or "" for row in found] == [row[name].strip() for row in expected]


@pytest.mark.parametrize("survey", ["Mzedi_survey", "Waste_separation"])
def test_labels_and_codes_of_one_real_survey_have_the_same_rows(corpus: Path, survey: str) -> None:
    folder = corpus / "kobo" / "blantyre_compost"
    declared = source({"kind": "kobo_csv", "values": "xml"}, table("main", ["_uuid", "_id", "today"], key=["_id"]))
    read = [
        rows(open_delivery([PlainFile(next(folder.glob(f"{survey}*_{how}_*.csv")))], declared))
        for how in ("-_False", "-_labels")
    ]
    assert len(read[0]) in (1533, 1770)
    assert read[0] == read[1]
