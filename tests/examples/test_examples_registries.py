"""The sample registries are what their manifests say: the same bytes every time, and real files of their formats."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from anonymization.gate import Gate
from codebook.loader import load_codebook
from connectors import open_delivery, snapshot
from examples import dgme_slv, ine_gtm, inm_hnd, kobo_civ, kobo_eth
from examples.make import make_samples
from examples.manifest import Manifest, RowOutcome
from examples.people import cui_verifier, dui_check_digit, people, verhoeff_digit
from harmonization import Harmonizer
from sources.batches import PlainFile
from sources.loader import load_source

FILES = [pytest.param(dgme_slv.make_slv, id="slv"), pytest.param(ine_gtm.make_gtm, id="gtm")]
SURVEYS = [pytest.param(kobo_eth.make_eth, id="eth"), pytest.param(kobo_civ.make_civ, id="civ")]


@pytest.fixture(scope="module")
def slv(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, list[dict[str, str]]]:
    folder = tmp_path_factory.mktemp("slv")
    manifest = dgme_slv.make_slv(folder)
    with (folder / dgme_slv.FILE).open(encoding="cp1252", newline="") as file:
        return manifest, list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize("make", [*FILES, *SURVEYS])
def test_a_sample_is_the_same_bytes_every_time(make: Callable[[Path], Manifest], tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    first, second = (make(folder) for folder in folders)
    assert first == second
    for name in first.files:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_every_source_has_a_sample_with_its_manifest(tmp_path: Path) -> None:
    samples = make_samples(tmp_path)
    assert sorted(sample.source for sample in samples) == [
        "civ/kobo_rss",
        "eth/kobo_rss",
        "gtm/ine_rss",
        "hnd/inm_cases",
        "slv/dgme_returns",
    ]
    for sample in samples:
        manifest = Manifest.read(sample.manifest_path)
        assert manifest.source == sample.source
        assert all(file.is_file() for file in sample.files)
        assert {row.outcome for row in manifest.rows} == {"accepted", "flagged", "rejected"}


def test_the_manifest_survives_json(tmp_path: Path) -> None:
    manifest = inm_hnd.expect_hnd()
    assert Manifest.read(manifest.write(tmp_path / "manifest.json")) == manifest


def test_an_error_rejects_a_row_and_a_query_alone_flags_it() -> None:
    assert RowOutcome.of("main", 2, {"a": "error", "b": "query"}).outcome == "rejected"
    assert RowOutcome.of("main", 2, {"b": "query"}).outcome == "flagged"
    assert RowOutcome.of("main", 2, {"c": "note"}).outcome == "accepted"


def test_people_are_the_same_for_the_same_seed_and_nobody_shares_an_identifier() -> None:
    for country in ("SLV", "GTM", "HND", "ETH", "CIV"):
        made = people(country, 150, seed=7)
        assert made == people(country, 150, seed=7)
        assert len({one.national_id for one in made}) == 150


def test_check_digits_agree_with_the_published_examples() -> None:
    assert dui_check_digit("04567890") == "3"
    assert dui_check_digit("12345678") == "4"
    assert cui_verifier("12345678") == 9
    assert verhoeff_digit("236") == "3"


def test_the_manifest_counts_every_line_of_the_register(slv: tuple[Manifest, list[dict[str, str]]]) -> None:
    manifest, lines = slv
    assert [row.row for row in manifest.rows] == list(range(2, len(lines) + 2))
    assert manifest.counts()["rows_in"] == len(lines)


def test_the_register_holds_what_a_spreadsheet_does_to_identifiers(
    slv: tuple[Manifest, list[dict[str, str]]],
) -> None:
    duis = [line["DUI"] for line in slv[1]]
    assert any(len(dui) == 8 and dui.isdigit() for dui in duis)
    assert any("-" in dui for dui in duis)
    assert any(line["OBSERVACIONES"].count("\n") for line in slv[1])


def test_a_person_returns_twice(slv: tuple[Manifest, list[dict[str, str]]]) -> None:
    _, lines = slv
    again = next(line for line in lines if line["EXPEDIENTE"] == f"RET-2024-{dgme_slv.ROWS:06d}")
    same = [line for line in lines if line["DUI"].replace("-", "").zfill(9) == again["DUI"].replace("-", "")]
    assert len({line["FECHA_RETORNO"] for line in same}) == 2


def test_what_is_planted_in_the_register_stands_in_it(tmp_path: Path) -> None:
    manifest = dgme_slv.make_slv(tmp_path)
    text = (tmp_path / dgme_slv.FILE).read_text(encoding="cp1252")
    for kind in ("phone", "email", "address", "case_number"):
        assert any(one.value in text for one in manifest.planted if one.kind == kind)
    assert len({one.kind for one in manifest.planted}) >= 7


def test_the_survey_is_an_spss_file_in_a_windows_code_page(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    manifest = ine_gtm.make_gtm(tmp_path)
    frame, meta = pyreadstat.read_sav(tmp_path / ine_gtm.FILE, user_missing=True)
    assert meta.file_encoding.upper() == "WINDOWS-1252"
    assert frame["APELLIDOS"].str.contains("ñ").any()
    assert meta.missing_ranges["P06"] == [{"lo": 98.0, "hi": 98.0}, {"lo": 99.0, "hi": 99.0}]
    assert meta.variable_value_labels["P25"][1.0] == "Todo el tiempo"
    assert [row.row for row in manifest.rows] == list(range(1, len(frame) + 1))


def test_both_waves_ask_the_same_people(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    ine_gtm.make_gtm(tmp_path)
    frame, _ = pyreadstat.read_sav(tmp_path / ine_gtm.FILE)
    waves = frame.groupby("OLA")["FOLIO"].agg(set)
    assert waves[1.0] == waves[2.0]
    assert len(waves[1.0]) == ine_gtm.PEOPLE


@pytest.fixture(scope="module")
def hnd_url(postgres_url: str) -> Iterator[str]:
    """The filled case system, in a database of its own."""
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE examples_hnd"))
    url = sa.make_url(postgres_url).set(database="examples_hnd").render_as_string(hide_password=False)
    inm_hnd.fill_hnd(url)
    yield url
    with server.connect() as connection:
        connection.execute(sa.text("DROP DATABASE examples_hnd WITH (FORCE)"))
    server.dispose()


def test_the_case_system_is_a_database_with_the_rows_of_its_manifest(hnd_url: str) -> None:
    inm_hnd.fill_hnd(hnd_url)  # a second time takes the place of the first
    rows = inm_hnd.expect_hnd().rows
    engine = sa.create_engine(hnd_url)
    with engine.connect() as connection:
        counts = {
            table: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table)))
            for table in ("cases", "assistance", "closures")
        }
        orphans = connection.scalar(
            sa.text("SELECT count(*) FROM closures WHERE case_id NOT IN (SELECT case_id FROM cases)")
        )
    engine.dispose()
    for table in ("cases", "assistance"):
        assert counts[table] == sum(row.table == table for row in rows)
    assert 0 < counts["closures"] < counts["cases"]
    assert orphans == 0


@pytest.fixture
def delivered(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Manifest, list[PlainFile]]:
    """The sample of the source that the test is parametrized with, as files: a database is read into them."""
    if request.param == inm_hnd.SOURCE:
        for name, blocks in snapshot(load_source(inm_hnd.SOURCE), request.getfixturevalue("hnd_url")):
            (tmp_path / name).write_bytes(b"".join(blocks))
        return inm_hnd.expect_hnd(), [PlainFile(path) for path in sorted(tmp_path.iterdir())]
    make = {dgme_slv.SOURCE: dgme_slv.make_slv, ine_gtm.SOURCE: ine_gtm.make_gtm}[request.param]
    manifest = make(tmp_path)
    return manifest, [PlainFile(tmp_path / name) for name in manifest.files]


@pytest.mark.parametrize("delivered", [dgme_slv.SOURCE, ine_gtm.SOURCE, inm_hnd.SOURCE], indirect=True)
def test_reading_gate_and_crosswalk_find_in_each_row_what_its_manifest_says(
    delivered: tuple[Manifest, list[PlainFile]],
) -> None:
    manifest, files = delivered
    source = load_source(manifest.source)
    opened, gate, harmonizer = open_delivery(files, source), Gate(source, None), Harmonizer(source, load_codebook())
    issues, rows = [], set()
    for table in opened.tables:
        for batch in opened.batches(table):
            rows |= {(table, row) for row in batch.rows.to_pylist()}
            safe = gate.pass_batch(batch)
            issues += [safe.issues, harmonizer.apply(safe).issues]
    found: dict[tuple[str, int], set[str]] = {place: set() for place in rows}
    for issue in pa.concat_tables([opened.issues(), *issues]).to_pylist():
        if issue["row"] is not None:
            found[issue["table"], issue["row"]].add(issue["rule"])
    before_the_warehouse = ("read.", "gate.", "map.")
    expected = {
        (row.table, row.row): {rule for rule in row.rules if rule.startswith(before_the_warehouse)}
        for row in manifest.rows
    }
    assert found == expected
