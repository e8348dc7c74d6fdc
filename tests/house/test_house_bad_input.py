"""Bad input through the real command line: each fault is told in one line, and nothing of the delivery gets in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from homes import empty_home

from examples.dgme_slv import FILE, make_slv
from examples.kobo_civ import make_civ
from examples.kobo_eth import make_eth
from examples.manifest import Manifest

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SLV, CIV, ETH, STRICT = "slv/dgme_returns", "civ/kobo_rss", "eth/kobo_rss", "slv/strict"
PROJECT = Path(__file__).resolve().parents[2]


def text(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda content: change(content.decode("cp1252")).encode("cp1252")


def without_column(content: str) -> str:
    return re.sub("FECHA_RETORNO", "FECHA", content, count=1)


def other_dates(content: str) -> str:
    return re.sub(r"(\d\d)/(\d\d)/(\d{4})", r"\3-\2-\1", content)


REFUSED: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": (SLV, lambda content: b"", "delivery.empty"),
    "header_only": (SLV, lambda content: content.splitlines(keepends=True)[0], "delivery.empty"),
    "column_missing": (SLV, text(without_column), "delivery.missing_column"),
    "dates_of_another_form": (SLV, text(other_dates), "delivery.too_many_rejected"),
    "utf8_as_cp1252": (SLV, lambda content: content.decode("cp1252").encode(), "delivery.wrong_encoding"),
    "undeclared_column": (STRICT, lambda content: content, "delivery.undeclared_column"),
}
"""What is done to the Salvadoran sample, to which source it is delivered, and the rule that refuses it."""


@pytest.fixture(scope="module")
def samples(server_folder: Path) -> dict[str, Manifest]:
    made = {SLV: make_slv, CIV: make_civ, ETH: make_eth}
    for source in made:
        (server_folder / "originals" / source).mkdir(parents=True)
    return {source: make(server_folder / "originals" / source) for source, make in made.items()}


@pytest.fixture(scope="module")
def desk(server_folder: Path, samples: dict[str, Manifest]) -> Iterator[tuple[House, dict[str, Any], str]]:
    """A house to which every bad file was delivered; the refusal of each by its name, and all that was printed."""
    originals = server_folder / "originals"
    with empty_home(server_folder) as house:
        folder = house.home.parent
        strict = folder / "sources" / STRICT
        shutil.copytree(PROJECT / "sources" / SLV, strict)
        declared = (strict / "source.yaml").read_text()
        changed = declared.replace(SLV, STRICT).replace("undeclared_columns: withhold", "undeclared_columns: refuse")
        (strict / "source.yaml").write_text(changed)
        bad = [
            (name, source, (f"{name}.csv", change((originals / SLV / FILE).read_bytes())))
            for name, (source, change, _) in REFUSED.items()
        ]
        export = next(name for name in samples[ETH].files if "form" not in name.lower())
        kobo = [name for name in samples[ETH].files if name != export]
        more = {"HOMEWARD_SOURCES": str(folder / "sources")}
        french = (originals / CIV / samples[CIV].files[0]).read_bytes().decode("utf-8-sig").encode("cp1252", "replace")
        (folder / "another.csv").write_bytes(french)
        (folder / export).write_bytes((originals / ETH / export).read_bytes()[:20_000])
        uploads = {
            "file_of_another_source": (SLV, [folder / "another.csv"]),
            "truncated_xlsx": (ETH, [folder / export, *(originals / ETH / name for name in kobo)]),
        }
        for name, source, (file, content) in bad:
            (folder / file).write_bytes(content)
            uploads[name] = (source, [folder / file])
        for source, files in uploads.values():
            house.homeward("deliver", *map(str, files), "--source", source, **more)
        done = house.homeward("run", "--json", expect=2, **more)
        outcomes = {
            source: [o for o in json.loads(done.stdout) if o["source"] == source] for source in (SLV, ETH, STRICT)
        }
        yield house, {name: outcomes[source].pop(0) for name, (source, _) in uploads.items()}, done.stdout + done.stderr


RULES = {name: rule for name, (_, _, rule) in REFUSED.items()} | {
    "truncated_xlsx": "delivery.unreadable",
    "file_of_another_source": "delivery.wrong_source",
}


@pytest.mark.parametrize("name", RULES)
def test_a_bad_delivery_is_refused_with_one_line(desk: tuple[House, dict[str, Any], str], name: str) -> None:
    house, refusals, _ = desk
    told = refusals[name]
    assert told["state"] == "refused"
    assert told["refused_reason"]
    assert "\n" not in told["refused_reason"]
    assert not told["accepted"]
    folder = house.home / "outbox" / told["source"] / told["delivery"]
    assert {path.name for path in folder.iterdir()} == {"return.json", "return.html", "return.xlsx"}
    returned = json.loads((folder / "return.json").read_text())
    assert (returned["state"], returned["refused_reason"]) == ("refused", RULES[name])
    about = {finding["column"] for finding in returned["findings"] if finding["rule"] == RULES[name]}
    assert about == {"FECHA_RETORNO" if name == "column_missing" else None}


def test_refused_deliveries_stand_in_the_status_and_nowhere_else(desk: tuple[House, dict[str, Any], str]) -> None:
    house, refusals, _ = desk
    listed = {(entry["source"], entry["delivery"]): entry for entry in house.ask("status")}
    for told in refusals.values():
        entry = listed[told["source"], told["delivery"]]
        assert (entry["state"], entry["refused_reason"]) == ("refused", told["refused_reason"])
        assert (entry["rows_in"] or 0) == (entry["accepted"] or 0) + (entry["rejected"] or 0)
    assert house.sql("SELECT count(*) FROM core.person") == [(0,)]
    assert house.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'staging' AND tablename LIKE 'd2%'") == [(0,)]


def test_no_value_of_a_bad_delivery_is_said_anywhere(
    desk: tuple[House, dict[str, Any], str], samples: dict[str, Manifest]
) -> None:
    house, _, printed = desk
    assert "Traceback" not in printed
    said = printed + house.homeward("status").stdout
    said += "".join(path.read_text() for path in house.home.glob("outbox/**/return.[jh]*"))
    planted = {one.value for manifest in samples.values() for one in manifest.planted if len(one.value) >= 6}
    assert [value for value in planted if value in said] == []
