"""A vault on a real server, and sources and batches small enough to read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pytest
import yaml
from databases import new_database
from declared import AGREED
from sqlalchemy import make_url

from anonymization.keys.ring import Keyring
from anonymization.vault.vault import Vault, _make_role
from sources.batches import TextBatch
from sources.crosswalk import Crosswalk
from sources.models import Declaration, Source

HEAD = (
    AGREED
    + """source: {source}
title: {{en: A source}}
country: {country}
supplier: {{name: A supplier, language: en}}
delivery: {{mode: snapshot}}
format: {{kind: csv, date_format: "%d/%m/%Y"}}
tables:
"""
)

REGISTER = """
  - name: main
    key: [FILE]
    person: {link: [DUI, PHONE]}
    consent: {column: CONSENT, accept: ["yes"]}
    entities: {person: {}, return_event: {}, household: {key: [FAMILY]}}
    columns:
      - {name: FILE, class: technical}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui}
      - {name: PHONE, class: identifier, kind: phone, optional: true}
      - {name: NAME, class: identifier, kind: name, part: full}
      - {name: FAMILY, class: identifier, kind: case_number}
      - {name: BORN, class: quasi_identifier, keep: year, format: "%d/%m/%Y"}
      - {name: SEX, class: plain}
      - {name: CONSENT, class: plain}
      - {name: NOTES, class: free_text}
      - {name: GPS, class: ignore}
      - {name: audio_*, class: ignore}
"""

BLANK_ROW = {
    "FILE": "F1",
    "DUI": None,
    "NAME": "Ana",
    "FAMILY": "H1",
    "BORN": "01/02/1990",
    "SEX": "F",
    "CONSENT": "yes",
}


@pytest.fixture(scope="session")
def make_source() -> Callable[..., Source]:
    def make(source: str = "slv/register", country: str = "SLV", tables: str = REGISTER) -> Source:
        declared = Declaration.model_validate(yaml.safe_load(HEAD.format(source=source, country=country) + tables))
        return Source.model_construct(**dict(declared), folder=Path(), version="0", crosswalk=Crosswalk(()))

    return make


@pytest.fixture
def register(make_source: Callable[..., Source]) -> Source:
    return make_source()


@pytest.fixture(scope="session")
def similar(make_source: Callable[..., Source]) -> Source:
    """The register, if its people are also known by name and birth date."""
    named = REGISTER.replace("part: full", "part: given")
    return make_source(tables=named.replace("[DUI, PHONE]}", "[DUI, PHONE], similar: [NAME, BORN]}"))


@pytest.fixture
def whole(make_source: Callable[..., Source]) -> Source:
    """The same, whose name is a whole one."""
    return make_source(tables=REGISTER.replace("[DUI, PHONE]}", "[DUI, PHONE], similar: [NAME, BORN]}"))


@pytest.fixture
def two_phones(make_source: Callable[..., Source]) -> Source:
    """The register with a second phone: two columns of one field."""
    mobile = "- {name: MOBILE, class: identifier, kind: phone, optional: true}"
    tables = REGISTER.replace("[DUI, PHONE]", "[DUI, PHONE, MOBILE]")
    return make_source(tables=tables.replace("- {name: NAME,", f"{mobile}\n      - {{name: NAME,"))


@pytest.fixture(scope="session")
def rows() -> Callable[..., TextBatch]:
    """A batch of the register: what a row does not say is as in BLANK_ROW; rows count from 2."""

    def make(*said: dict[str, str | None], table: str = "main", blank: dict[str, Any] = BLANK_ROW) -> TextBatch:
        full = [{**blank, **row} for row in said]
        names = list(dict.fromkeys(name for row in full for name in row))
        cells = pa.table({name: pa.array([row.get(name) for row in full], pa.string()) for name in names})
        return TextBatch(table, pa.array(range(2, 2 + len(full)), pa.int64()), cells)

    return make


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks the network fails."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("redaction asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open(tmp_path / "keys")


@pytest.fixture(scope="session")
def migrated(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database with the tables of a vault, and nobody in it."""
    with new_database(postgres_url) as url:
        vault = Vault(url, Keyring.open(tmp_path_factory.mktemp("migrated") / "keys"))
        vault.migrate()
        vault._engine.dispose()  # nobody may look on while it is copied
        yield str(make_url(url).database)


@pytest.fixture
def vault_url(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that nobody has used yet; with the tables of a vault, copied, where the test asks for a vault."""
    template = request.getfixturevalue("migrated") if "vault" in request.fixturenames else "template1"
    with new_database(postgres_url, template) as url:
        yield url


@pytest.fixture
def other_url(postgres_url: str) -> Iterator[str]:
    """A second one."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def vault(vault_url: str, keyring: Keyring) -> Vault:
    vault = Vault(vault_url, keyring)
    vault.migrate()
    with vault.transaction(as_role=False) as cursor:
        _make_role(cursor)  # who may connect is not copied with the tables
    return vault
