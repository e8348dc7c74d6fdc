"""A form on a KoboToolbox server: a sweep is whole or none, the same form makes the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kobo_api_double import ASSET, KoboServer, meanwhile, short
from small_kobo import SURVEY, InMemory, data_requests, names, read, swept
from small_sources import rows, table

from codebook.errors import Refused, Unavailable


def test_submissions_and_repeats_read_as_tables(url: str, tmp_path: Path) -> None:
    opened = read(swept(url), url, tmp_path)
    blank = {"who/name": None, "needs": None, "gps": None, "_validation_status": None}
    assert rows(opened, "main") == [
        {**blank, "row": 1, "_stable_id": "root:r-11", "who/name": "Sara", "needs": "food shelter",
         "gps": "9.01 38.76 2355 4.8"},
        {**blank, "row": 2, "_stable_id": "root:r-12", "who/name": "Omar",
         "_validation_status": "validation_status_approved"},
        {**blank, "row": 3, "_stable_id": "root:r-15"},
    ]  # fmt: skip
    assert rows(opened, "members") == [
        {"row": 1, "_submission__stable_id": "root:r-11", "_position": "1", "name": "Abel"},
        {"row": 2, "_submission__stable_id": "root:r-11", "_position": "2", "name": "Hana"},
    ]
    assert rows(opened, "papers") == [
        {"row": 1, "_submission__id": "11", "_parent_position": "2", "_position": "2/1", "kind": "id"},
        {"row": 2, "_submission__id": "11", "_parent_position": "2", "_position": "2/2", "kind": "pass"},
    ]
    assert opened.facts["form_version"] == "vFirst"


def test_a_question_that_nobody_answered_is_a_blank_column(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    for submission in kobo.submissions.values():
        submission.pop("who/needs", None)
    assert [row["needs"] for row in rows(read(swept(url), url, tmp_path), "main")] == [None] * 3


def test_a_declared_question_that_the_form_lacks_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="missing: shoe_size"):
        read(swept(url), url, tmp_path, table("main", ["_id", "who/name", "needs", "shoe_size"], key=["_id"]))


def test_what_is_not_declared_is_named_and_never_kept(url: str, tmp_path: Path) -> None:
    pages = InMemory()
    short_main = table("main", ["_id", "needs"], key=["_id"])
    content = swept(url, short_main, kept=pages)
    assert not any(b"Sara" in body or b"38.76" in body for body in [*content.values(), *pages.pages])
    assert read(content, url, tmp_path, short_main).undeclared["main"] == ["start", "who/name", "gps"]


@pytest.mark.parametrize("called", ["name", "who/name"])
def test_a_question_that_moved_to_another_group_is_one_column(
    url: str, kobo: KoboServer, tmp_path: Path, called: str
) -> None:
    kobo.submissions[11]["intro/name"] = kobo.submissions[11].pop("who/name")
    main = table("main", ["_id", called], key=["_id"])
    assert [row[called] for row in rows(read(swept(url, main), url, tmp_path, main))] == ["Sara", "Omar", None]


def test_the_stable_id_is_root_uuid_then_id(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    del kobo.submissions[12]["meta/rootUuid"]
    found = [row["_stable_id"] for row in rows(read(swept(url), url, tmp_path), "main")]
    assert found == ["root:r-11", "id:12", "root:r-15"]


def test_an_unchanged_form_makes_the_same_bytes(url: str, kobo: KoboServer) -> None:
    once = swept(url)
    kobo.submissions[11]["_attachments"] = [{"download_url": "https://elsewhere.example/1"}]
    kobo.submissions[11]["_uuid"] = "u-another"
    assert swept(url) == once


@pytest.mark.parametrize(
    "change",
    [
        lambda kobo: kobo.edit(11, who__name="Sarah"),
        lambda kobo: kobo.submissions.pop(12),
        lambda kobo: kobo.submissions[15].update(_validation_status={"uid": "validation_status_approved"}),
        lambda kobo: kobo.versions.append("vSecond"),
        lambda kobo: kobo.content["survey"].append({"type": "text", "name": "new", "$xpath": "new"}),
    ],
    ids=["edit", "deletion", "validation", "version", "form"],
)
def test_every_kind_of_change_is_seen(url: str, kobo: KoboServer, change: Any) -> None:
    once = swept(url)
    change(kobo)
    assert swept(url) != once


def test_a_draft_of_the_form_changes_nothing(url: str, kobo: KoboServer) -> None:
    once = swept(url)
    kobo.draft = {"survey": [*SURVEY, {"type": "text", "name": "planned", "$xpath": "planned"}]}
    assert swept(url) == once


def test_the_form_is_delivered_with_the_answers_and_names_nobody(url: str) -> None:
    form = swept(url)["form.json"]
    assert b'"vFirst"' in form
    assert b'"members/papers"' in form
    assert b"somebody" not in form


def test_pages_are_followed_to_the_last(url: str, many: KoboServer) -> None:
    assert names(swept(url)) == 250
    assert [query["start"] for query in data_requests(many)] == ["0", "100", "200"]


def test_a_server_that_gives_smaller_pages_than_asked_for_loses_nothing(url: str, many: KoboServer) -> None:
    many.cap = 60
    assert names(swept(url)) == 250
    assert len(data_requests(many)) == 5


def test_attachments_are_never_asked_for(url: str, kobo: KoboServer) -> None:
    kobo.submissions[11]["_attachments"] = [{"download_url": f"{url}/api/v2/assets/{ASSET}/data/11/attachments/1/"}]
    swept(url)
    asked = {path.removeprefix(f"/api/v2/assets/{ASSET}/") for path, _ in kobo.asked}
    assert asked == {"", "versions/", "versions/vFirst/", "data/"}


def test_a_submission_that_comes_in_meanwhile_belongs_to_the_next_sweep(url: str, many: KoboServer) -> None:
    many.faults = [None, meanwhile(lambda: many.add(251, who__name="Late"))]
    assert names(swept(url)) == 250
    assert len(data_requests(many)) == 3


def test_a_deletion_meanwhile_begins_the_sweep_again(url: str, many: KoboServer) -> None:
    many.faults = [None, meanwhile(lambda: many.submissions.pop(7))]
    assert names(swept(url)) == 249
    assert [query["start"] for query in data_requests(many)] == ["0", "100", "0", "100", "200"]


def test_deletions_during_every_sweep_end_in_unavailable(url: str, many: KoboServer) -> None:
    many.faults = [None, meanwhile(lambda: many.submissions.pop(min(many.submissions))), None] * 4
    with pytest.raises(Unavailable, match="during each of 4 sweeps"):
        swept(url)


def test_a_page_that_comes_short_is_not_believed(url: str, many: KoboServer) -> None:
    many.faults = [None, None, short]
    assert names(swept(url)) == 250


def test_a_form_without_submissions_is_an_empty_delivery(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    """Nothing is withdrawn because a server had nothing to say."""
    kobo.submissions.clear()
    with pytest.raises(Refused) as caught:
        read(swept(url), url, tmp_path)
    assert caught.value.rule == "delivery.empty"


def test_a_question_of_another_type_in_a_former_version_is_said(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    kobo.versions = ["vLost", "vFirst", "vSecond"]
    kobo.former = {
        "vFirst": [
            {"type": "select_one", "name": "needs", "$xpath": "who/needs"},
            {"type": "text", "name": "name", "$xpath": "who/name"},
        ]
    }
    facts = read(swept(url), url, tmp_path).facts
    assert "who/needs: select_one -> select_multiple" in facts["type_changes"]
    assert facts["versions_not_read"] == ["vLost"]


def test_questions_that_came_and_went_are_said_with_their_type(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    kobo.versions = ["vFirst", "vSecond", "vThird"]
    kobo.former = {
        "vFirst": [*SURVEY, {"type": "text", "name": "shoes", "$xpath": "who/shoes"}],
        "vSecond": [row for row in SURVEY if row.get("name") != "kind"],
    }
    facts = read(swept(url), url, tmp_path).facts
    assert sorted(facts["type_changes"]) == [
        "members/papers/kind: new -> text",
        "members/papers/kind: text -> gone",
        "who/shoes: text -> gone",
    ]
    assert facts["type_changes"][-1] == "members/papers/kind: new -> text"


def test_the_servers_form_gives_labels_and_tells_what_was_not_asked(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    """Where no form is delivered, none is missing: the server's own is kept with the answers of each sweep."""
    asked = {
        "type": "integer",
        "name": "nights",
        "label": ["Nights?", "Nuits ?"],
        "relevant": "selected(${needs}, 'shelter')",
    }
    needs = {"label": ["Needs?", "Besoins ?"], "select_from_list_name": "needs"}
    kobo.content["survey"] = [row | needs if row.get("name") == "needs" else row for row in SURVEY] + [asked]  # type: ignore[operator]
    kobo.content["choices"] = [
        {"list_name": "needs", "name": "food", "label": ["Food", "Nourriture"]},
        {"list_name": "needs", "name": "shelter", "label": ["Shelter", "Abri"]},
    ]
    kobo.content["translations"] = ["English (en)", "French (fr)"]
    kobo.edit(12, who__needs="food")
    main = table("main", ["_id", "needs", {"name": "nights", "optional": True}, "asked(nights)"], key=["_id"])
    opened = read(swept(url, main), url, tmp_path, main)
    (shape,) = [column for column in opened.tables["main"].columns if column.name == "needs"]
    assert shape.value_labels == {"food": "Food", "shelter": "Shelter"}
    found = [(row["_id"], row["needs"], row["asked(nights)"]) for row in rows(opened)]
    assert found == [("11", "food shelter", "yes"), ("12", "food", "no"), ("15", None, "no")]


def test_what_was_not_kept_decides_no_condition(url: str, kobo: KoboServer, tmp_path: Path) -> None:
    """A blank of a question that the source does not declare says nothing: it was answered and left on the server."""
    kobo.content["survey"] = [
        {"type": "select_one", "name": "consent", "$xpath": "consent"},
        {"type": "integer", "name": "age", "$xpath": "age"},
        {"type": "calculate", "name": "adult", "$xpath": "adult", "calculation": "if(${age} > 17, 1, 0)"},
        {"type": "integer", "name": "hours", "$xpath": "hours", "relevant": "${consent} = 'yes'"},
        {"type": "text", "name": "job", "$xpath": "job", "relevant": "${adult} = 1"},
    ]
    kobo.submissions.clear()
    kobo.add(1, consent="yes", age="20", adult="1", hours="4")
    columns = ["_id", "age", "hours", "asked(hours)", "asked(job)"]
    for declared_too, told in ((["consent"], "yes"), ([], None)):
        main = table("main", [*columns, *declared_too], key=["_id"])
        opened = read(swept(url, main), url, tmp_path, main)
        # The calculation was not kept either, and is done again from what was.
        assert [(row["asked(hours)"], row["asked(job)"]) for row in rows(opened)] == [(told, "yes")]
    assert opened.facts["relevance_not_read"] == {"hours": "a question that was not declared: consent"}
