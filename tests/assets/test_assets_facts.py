"""Facts of how a delivery was read are shown to everybody who sees the UI: names in them may be somebody's."""

from anonymization.leaks.canaries import SCRIPTS, Canaries
from assets.facts import HIDDEN, tellable
from sources.loader import load_source

SOURCE = load_source("slv/dgme_returns")


def test_a_list_or_member_of_json_that_is_called_after_somebody_is_not_named() -> None:
    for script in SCRIPTS:
        name = Canaries(3).name(script)
        facts = {"lists_in_records": {f"members/{name}": 7, "members": 9}, "beside_records": [name], "records_at": name}
        told = tellable(facts, SOURCE)
        assert not any(word in str(told) for word in name.split())
        assert "7" in str(told), "counts stay"


def test_what_stands_in_the_column_of_the_version_is_told_only_if_it_looks_like_one() -> None:
    versions = ["vZh5rqTMPVpxNwPrgRwyTa", "2024051701", "3.1", "Xochitl Quetzal", "+50371234567", "04567890-3"]
    told = tellable({"form_versions": versions, "form_version": "v12, Quetzal"}, SOURCE)
    assert told["form_versions"] == [*versions[:3], HIDDEN, HIDDEN, HIDDEN]
    assert told["form_version"] == f"v12, {HIDDEN}"


def test_the_readers_own_words_stay_as_they_are() -> None:
    facts = {
        "format": "json_lines",
        "encoding": "cp1252",
        "language": "Español (es)",
        "records": 17,
        "header_score": 0.5,
    }
    assert tellable(facts, SOURCE) == facts
