"""A form on a KoboToolbox server through the whole house, as docs/kobo-server.md says: its files, its commands."""

from __future__ import annotations

import re
import shlex
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from homes import empty_home
from kobo_api_double import TOKEN, KoboServer, serving, status
from pages import commands

from anonymization.keys.ring import Keyring
from anonymization.leaks.canaries import Canaries
from anonymization.leaks.search import LeakSearch
from anonymization.vault.store import SealedFile
from assets.intake import deliver, receive, waiting
from assets.refused_uploads import UploadRefused
from assets.vault_retention import retain
from assets.vault_rotation import rotate
from assets.workplace import Workplace
from codebook.errors import HomewardError
from pipelines.automation import delivery_job, inbox_sensor
from pipelines.leak_sinks import Database, search_home
from sources.loader import load_source

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/arrivals_kobo"
PAGE = "docs/kobo-server.md"
PROJECT = Path(__file__).resolve().parents[2]
SURVEY = [
    {"type": "begin_group", "name": "who", "$xpath": "who"},
    {"type": "text", "name": "case_number", "$xpath": "who/case_number"},
    {"type": "text", "name": "name", "$xpath": "who/name"},
    {"type": "select_one", "name": "sex", "$xpath": "who/sex"},
    {"type": "end_group"},
    {"type": "select_multiple", "name": "needs", "$xpath": "needs"},
    {"type": "date", "name": "return_date", "$xpath": "return_date"},
    {"type": "select_one", "name": "host_country", "$xpath": "host_country"},
    {"type": "image", "name": "photo", "$xpath": "photo"},
    {"type": "begin_repeat", "name": "members", "$xpath": "members"},
    {"type": "text", "name": "member_number", "$xpath": "members/member_number"},
    {"type": "select_one", "name": "member_sex", "$xpath": "members/member_sex"},
    {"type": "end_repeat"},
]
MEMBERS = {
    1: [{"members/member_number": "M-1", "members/member_sex": "m"}],
    3: [{"members/member_number": "M-3", "members/member_sex": "f"}],
}


FACE, OTHER = b"the face of the first" * 1000, b"the face of the second" * 1000


def interview(kobo: KoboServer, number: int) -> None:
    answers = {"who__case_number": f"C-{number}", "who__name": f"Rosalba Tezcal {number}", "who__sex": "f"}
    kobo.add(number, **answers, return_date="2026-02-03", host_country="us", members=MEMBERS.get(number, []))


@pytest.fixture(scope="module")
def kobo() -> KoboServer:
    """Three interviews, with a member of the family in the first and the third."""
    kobo = KoboServer(SURVEY)
    for number in (1, 2, 3):
        interview(kobo, number)
    kobo.edit(1, needs="pregnant ill", photo="face.jpg")
    kobo.attach(1, "photo", "face.jpg", FACE)
    kobo.edit(2, photo="other.jpg")
    kobo.attach(2, "photo", "other.jpg", OTHER)
    return kobo


@pytest.fixture(scope="module")
def desk(server_folder: Path, kobo: KoboServer) -> Iterator[tuple[House, dict[str, str]]]:
    """A house whose second folder of sources is the page's, but for the address of the server."""
    with serving(kobo) as url, empty_home(server_folder) as house:
        folder = house.home.parent
        named = re.findall(
            r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", (PROJECT / PAGE).read_text(encoding="utf-8"), re.M | re.S
        )
        for name, text in named:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("https://kobo.example.org", url), encoding="utf-8")
        yield house, {"HOMEWARD_SOURCES": str(folder / "sources"), "HOMEWARD_SLV_KOBO_TOKEN": TOKEN}


def attachments(house: House) -> dict[str, bytes]:
    """What lies in the sealed store beside submissions and forms."""
    keyring = Keyring.open(house.home / "keys")
    sealed = [SealedFile(path, keyring) for path in (house.home / "vault" / "store").glob("*.sealed")]
    return {file.name: file.open().read() for file in sealed if file.name.startswith("att")}


def read_again(desk: tuple[House, dict[str, str]], expect: int = 0) -> str:
    """What the page says to type, and all that was said to it."""
    house, more = desk
    deliver, run, *_ = (shlex.split(line)[1:] for line in commands((PAGE,)))
    said = [house.homeward(*deliver, **more), house.homeward(*run, "--json", expect=expect, **more)]
    return "".join(done.stdout + done.stderr for done in said)


def test_the_commands_of_the_page_deliver_the_form(desk: tuple[House, dict[str, str]], kobo: KoboServer) -> None:
    house, more = desk
    told = commands((PAGE,))
    assert [line.split()[1] for line in told] == ["deliver", "run", "status"]
    said = "".join(house.process(*shlex.split(line)[1:], **more).stdout for line in told)
    assert "published" in said
    assert house.sql("SELECT source_table, count(*) FROM core.person GROUP BY 1 ORDER BY 1") == [
        ("main", 3),
        ("members", 2),
    ]
    assert house.sql("SELECT count(*) FROM core.return_event WHERE return_date = '2026-02-03'") == [(3,)]
    assert house.sql("SELECT count(*) FROM core.person WHERE cardinality(vulnerability) = 2") == [(1,)]


def test_attachments_lie_sealed_with_the_delivery_and_nowhere_else(desk: tuple[House, dict[str, str]]) -> None:
    house, _ = desk
    assert attachments(house) == {"att0": FACE, "att1": OTHER}
    assert house.sql("SELECT jsonb_array_length(files) FROM audit.delivery") == [(4,)]
    assert not [path for path, data in house.files() if any(word in data for word in (FACE[:20], OTHER[:20]))]


def test_an_unchanged_form_is_already_received(desk: tuple[House, dict[str, str]], kobo: KoboServer) -> None:
    kobo.edit(2)  # an edit that changes the uuid and no answer
    assert '"already_received"' in read_again(desk)


def test_edits_supersede_and_deletions_withdraw(desk: tuple[House, dict[str, str]], kobo: KoboServer) -> None:
    house, _ = desk
    kobo.edit(1, who__sex="m")
    del kobo.submissions[3]
    assert '"published"' in read_again(desk)
    assert house.sql("SELECT source_table, count(*) FROM core.person GROUP BY 1 ORDER BY 1") == [
        ("main", 2),
        ("members", 1),
    ]
    assert house.sql("SELECT count(*) FROM core.return_event") == [(2,)]
    assert house.sql("SELECT count(*) FROM core.return_event_history") == [(1,)]
    # The edited person, the deleted one, and the deleted one's family member.
    assert house.sql("SELECT source_table, count(*) FROM core.person_history GROUP BY 1 ORDER BY 1") == [
        ("main", 2),
        ("members", 1),
    ]


def test_an_edit_and_a_deletion_that_are_taken_back_are_news(
    desk: tuple[House, dict[str, str]], kobo: KoboServer
) -> None:
    """The form is as it was two deliveries ago: those very bytes were received, and were superseded since."""
    house, _ = desk
    kobo.edit(1, who__sex="f")
    interview(kobo, 3)
    assert '"published"' in read_again(desk)
    assert house.sql("SELECT count(*) FROM core.return_event") == [(3,)]
    assert '"already_received"' in read_again(desk)


def test_a_sweep_that_was_cut_off_goes_on_and_lay_sealed(desk: tuple[House, dict[str, str]], kobo: KoboServer) -> None:
    house, more = desk
    for number in range(10, 130):
        interview(kobo, number)
    kobo.faults = [None, None, status(403)]
    assert "shows no such form" in read_again(desk, expect=3)
    kept = [path for path in (house.home / "vault" / "sweeps").rglob("*") if path.is_file()]
    assert len(kept) == 1
    assert not [path for path, data in house.files() if path.suffix == ".sealed" and b"Tezcal" in data]
    kobo.asked.clear()
    house.homeward("run", "--source", SOURCE, **more)
    assert [query["start"] for path, query in kobo.asked if path.endswith("/data/")] == ["100"]
    assert house.sql("SELECT count(*) FROM core.return_event") == [(123,)]
    assert not list((house.home / "vault" / "sweeps").rglob("*.sealed"))


def test_after_the_agreement_has_ended_the_server_is_not_asked(
    desk: tuple[House, dict[str, str]], kobo: KoboServer
) -> None:
    """Told when the request is taken up: what a sweep brings is rows, and lies sealed before any stage could say no."""
    house, more = desk
    expired = {"expires": datetime.now(UTC).date() - timedelta(days=1)}
    source = load_source(SOURCE, Path(more["HOMEWARD_SOURCES"])).model_copy(update=expired)
    workplace = Workplace(house.home)
    deliver(workplace, source, [])
    kobo.asked.clear()
    with pytest.raises(UploadRefused, match="has expired"):
        receive(workplace, source, next(waiting(workplace, SOURCE)))
    assert not kobo.asked
    assert not list(waiting(workplace, SOURCE))


def test_of_an_agreement_that_ends_during_a_sweep_nothing_is_asked_after_it(
    desk: tuple[House, dict[str, str]], kobo: KoboServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Midnight comes with the second page: it is not kept, no third one is asked for, and the request is done with."""
    house, more = desk
    today = datetime.now(UTC)
    source = load_source(SOURCE, Path(more["HOMEWARD_SOURCES"])).model_copy(update={"expires": today.date()})
    workplace = Workplace(house.home)
    deliver(workplace, source, [])

    class Clock:
        time = today

        @classmethod
        def now(cls, zone: object) -> datetime:
            return cls.time

    def midnight(answering: object) -> bool:
        Clock.time = today + timedelta(days=1)
        return False

    monkeypatch.setattr("assets.stages.admit.datetime", Clock)
    kobo.asked.clear()
    kobo.faults = [None, None, midnight]
    monkeypatch.setenv("HOMEWARD_SLV_KOBO_TOKEN", TOKEN)
    with pytest.raises(UploadRefused, match="has expired"):
        receive(workplace, source, next(waiting(workplace, SOURCE)))
    assert len([path for path, _ in kobo.asked if path.endswith("/data/")]) == 3
    assert kobo.asked[-1][0].endswith("/data/")
    assert len([path for path in workplace.sweeps.rglob("*.sealed") if "att" not in path.parent.name]) == 1
    assert not list(waiting(workplace, SOURCE))


def test_nothing_that_a_server_says_of_people_gets_out(desk: tuple[House, dict[str, str]], kobo: KoboServer) -> None:
    """Answers, keys, users, notes, attachments, labels, titles, versions, and the page of an error."""
    house, _ = desk
    canaries, since = Canaries(seed=12), time.time() - 1
    name = canaries.name
    kobo.content |= {
        "settings": {"form_title": name(kind="title of a form"), "version": name(kind="version of a form")},
        "translations": [name(kind="language of a form")],
        "choices": [{"list_name": "sex", "name": "f", "label": [name("arabic", "label of a choice")]}],
        "survey": [*SURVEY, {"type": "text", "name": "more", "$xpath": "more", "label": [canaries.story()]}],
    }
    kobo.add(900, **{name(kind="key of an answer"): canaries.phone(), "more": canaries.story("ethiopic")})
    kobo.edit(900, who__case_number=canaries.number("persian"), who__name=name("bengali"), who__sex="f")
    kobo.edit(900, return_date=name(kind="name in place of a date"), host_country=name(kind="name in place of a code"))
    kobo.edit(900, needs=f"ill {name(kind='name in place of a code')}", __version__=name(kind="version of an answer"))
    kobo.edit(900, _submitted_by=name(kind="user"), _notes=[canaries.story()], _tags=[name(kind="tag")])
    kobo.edit(900, _attachments=[{"filename": name(kind="name of a file")}], _status=name(kind="status"))
    kobo.faults = [status(403, page=name(kind="page of an error").encode())]
    said = read_again(desk, expect=3)
    said += house.homeward("run", "--source", SOURCE, "--json", expect=1, **desk[1]).stdout
    search = LeakSearch(canaries)
    search.look(said, "said", "run")
    for database in ("warehouse", "dagster", "vault"):
        url = f"postgresql://postgres@/{database}?host={house.home / 'postgres'}"
        Database(database, url, f"{SOURCE}%").search(search)
    search_home(search, house.home, since, {})
    assert (search.leaks, search.unread) == ([], [])
    assert house.sql("SELECT count(*) FROM audit.finding WHERE rule = 'map.unknown_code'") == [(2,)]
    del kobo.submissions[900]


def test_the_token_is_nowhere(desk: tuple[House, dict[str, str]], kobo: KoboServer) -> None:
    house, more = desk
    refused = more | {"HOMEWARD_SLV_KOBO_TOKEN": "another-secret-token"}
    house.homeward("deliver", "--source", SOURCE, **refused)
    said = house.homeward("run", "--source", SOURCE, expect=3, **refused)
    assert "put a valid API token into HOMEWARD_SLV_KOBO_TOKEN" in said.stderr
    assert "another-secret-token" not in said.stdout + said.stderr
    said = house.homeward("run", "--source", SOURCE, expect=3, **more | {"HOMEWARD_SLV_KOBO_TOKEN": ""})
    assert "set HOMEWARD_SLV_KOBO_TOKEN in the environment" in said.stderr
    secrets = (TOKEN.encode(), b"another-secret-token")
    files = dict(house.files())
    assert len(files) > 100
    assert not [path for path, data in files.items() if any(secret in data for secret in secrets)]


def test_a_server_that_is_away_holds_up_no_other_source(
    desk: tuple[House, dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The sensor tells whose token is refused and takes the other upload; with nothing else to take, it fails."""
    house, more = desk
    for name, value in (more | {"HOMEWARD_SLV_KOBO_TOKEN": "revoked"}).items():
        monkeypatch.setenv(name, value)
    house.homeward("deliver", "--source", SOURCE, **more)
    (tmp_path / "returns.csv").write_text("one;two\n1;2\n")
    house.homeward("deliver", str(tmp_path / "returns.csv"), "--source", "slv/dgme_returns")
    workplace = Workplace(house.home)
    sources = [load_source(SOURCE), load_source("slv/dgme_returns")]
    sensor = inbox_sensor(sources, [delivery_job(source) for source in sources])
    with dg.build_sensor_context(resources={"workplace": workplace}) as context:
        # The function itself: what Dagster does around it asks for a repository that knows the partition already.
        told = sensor._raw_fn(context)
        assert [request.job_name for request in told.run_requests] == ["deliver_slv_dgme_returns"]
        with pytest.raises(HomewardError, match="refuses the token"):
            sensor._raw_fn(context)


def test_an_erased_persons_attachments_are_destroyed_and_the_others_stay(
    desk: tuple[House, dict[str, str]], kobo: KoboServer
) -> None:
    """In every delivery that had them; and when the server shows the person again."""
    house, more = desk
    shutil.rmtree(house.home / "inbox" / SOURCE, ignore_errors=True)
    ((token,),) = house.sql("SELECT person_token::text FROM core.return_event WHERE source_row = 1")
    assert attachments(house) == {"att0": FACE, "att1": OTHER}
    said = house.ask("vault", "erase", "--token", token, "--reason", "asked for it", "--as", "Marta", **more)
    mine = [line for line in said["sealed_deliveries"] if line["source"] == SOURCE]
    assert {line["done"] for line in mine} == {"rows overwritten"}
    assert attachments(house) == {"att1": OTHER}
    kobo.edit(2, return_date="2026-02-04")
    assert '"published"' in read_again(desk, expect=1)
    assert attachments(house) == {"att1": OTHER}
    assert house.sql("SELECT count(*) FROM audit.finding WHERE rule = 'gate.erased'") == [(2,)]


def test_attachments_are_rotated_with_their_delivery_and_go_with_it(desk: tuple[House, dict[str, str]]) -> None:
    """Their keys are changed like any delivered file's; when the delivery may not be kept, they may not."""
    house, more = desk
    before = attachments(house)
    assert before
    rotate(Workplace(house.home), country=None, root=False, officer="Marta")
    assert attachments(house) == before
    with pytest.MonkeyPatch.context() as set_to:
        set_to.setenv("HOMEWARD_SOURCES", more["HOMEWARD_SOURCES"])
        removed = retain(Workplace(house.home), date(2040, 1, 1))
    assert SOURCE in [one.source for one in removed]
    assert attachments(house) == {}


def test_a_server_takes_no_files(desk: tuple[House, dict[str, str]]) -> None:
    house, more = desk
    said = house.homeward("deliver", str(PROJECT / PAGE), "--source", SOURCE, expect=2, **more)
    assert "takes no files" in said.stderr
