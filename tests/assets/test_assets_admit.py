"""Before a row is read: a purpose of the closed list, an agreement that still stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import yaml
from declared import AGREED
from pydantic import ValidationError

from assets.check import DryRun
from assets.intake import Delivery
from assets.stages import harmonize, pseudonymize
from assets.stages.admit import admit, while_it_stands
from assets.workplace import Workplace
from codebook.errors import Refused
from connectors.delivery import BATCH_ROWS
from sources.batches import PlainFile
from sources.crosswalk import Crosswalk
from sources.loader import load_source
from sources.models import Declaration, Source


class Unread:
    """A delivered file that must stay closed."""

    name, size = "returns.csv", 1

    def open(self) -> BinaryIO:
        raise AssertionError("a row was about to be read")


def delivery(**declared: Any) -> Delivery:
    source = load_source("slv/dgme_returns").model_copy(update=declared)
    return Delivery(source, "2026-11-22-00000000", "0" * 64, date(2026, 11, 22), (Unread(),))


def today() -> date:
    return datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ({"purpose": "law_enforcement"}, "delivery.unknown_purpose"),
        ({"expires": today() - timedelta(days=1)}, "delivery.expired"),
    ],
)
def test_without_purpose_or_after_expiry_no_row_is_read(tmp_path: Path, declared: dict[str, Any], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        admit(Workplace(tmp_path), delivery(**declared))
    assert refused.value.rule == rule


def test_before_its_end_an_agreement_stands(tmp_path: Path) -> None:
    admit(Workplace(tmp_path), delivery(expires=today() + timedelta(days=1)))


@pytest.mark.parametrize("name", ["purpose", "legal_basis", "agreement", "expires", "retention_months"])
def test_a_source_declares_why_by_what_right_and_how_long(name: str) -> None:
    declared = {field: getattr(load_source("slv/dgme_returns"), field) for field in Declaration.model_fields}
    with pytest.raises(ValidationError, match=name):
        Declaration.model_validate({field: value for field, value in declared.items() if field != name})


LAST_DAY = date(2026, 11, 30)
REGISTER = f"""
source: slv/small
title: {{en: Register}}
country: SLV
supplier: {{name: Office, language: es}}
{AGREED.replace("2099-12-31", str(LAST_DAY))}
delivery: {{mode: increment}}
format: {{kind: csv, encoding: utf-8, delimiter: ","}}
tables:
  - name: main
    key: [FILE]
    person: {{link: [FILE]}}
    entities: {{person: {{}}}}
    columns:
      - {{name: FILE, class: identifier, kind: case_number}}
      - {{name: SEX, class: plain}}
"""


class Clock:
    """A minute before midnight of the agreement's last day, and two minutes later once it was looked at so often."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def now(self, zone: Any) -> datetime:
        self.left -= 1
        begun = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 23, 59, tzinfo=zone)
        return begun if self.left >= 0 else begun + timedelta(minutes=2)


@pytest.fixture
def register(tmp_path: Path) -> Delivery:
    """A delivery of two batches."""
    declared = Declaration.model_validate(yaml.safe_load(REGISTER))
    source = Source.model_construct(**dict(declared), folder=tmp_path, version="0", crosswalk=Crosswalk(()))
    file = tmp_path / "register.csv"
    file.write_text("FILE,SEX\n" + "".join(f"F{n},f\n" for n in range(BATCH_ROWS + 1)), encoding="utf-8")
    return Delivery(source, "2026-11-30-00000000", "0" * 64, LAST_DAY, (PlainFile(file),))


@pytest.mark.parametrize(("looks", "read"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_a_run_that_outlasts_its_agreement_reads_nothing_after_it(
    register: Delivery, monkeypatch: pytest.MonkeyPatch, looks: int, read: int
) -> None:
    """What was being read when it expired goes nowhere either."""
    monkeypatch.setattr("assets.stages.admit.datetime", Clock(looks))
    pieces, passed = while_it_stands(register.source, iter(range(3))), list[int]()
    with pytest.raises(Refused, match="has expired"):
        passed.extend(pieces)
    assert len(passed) == read


@pytest.mark.parametrize("looks", [2, 3])
def test_of_a_delivery_that_was_half_read_at_midnight_nothing_is_kept(
    register: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    dry = DryRun(tmp_path / "home", None, None, 1)
    monkeypatch.setattr("assets.stages.admit.datetime", Clock(looks))
    with pytest.raises(Refused, match="has expired"):
        pseudonymize.pseudonymize(dry, register)
    assert not [path for path in dry.home.rglob("*") if path.is_file()]


def test_what_was_read_before_is_not_harmonized_after(
    register: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = DryRun(tmp_path / "home", None, None, 1)
    monkeypatch.setattr("assets.stages.admit.datetime", Clock(99))
    pseudonymize.pseudonymize(dry, register)
    monkeypatch.setattr("assets.stages.admit.datetime", Clock(1))
    with pytest.raises(Refused, match="has expired"):
        harmonize.harmonize(dry, register)
    assert not (dry.store(register.id, register.key) / harmonize.STAGE).exists()
