"""Files that a test delivers."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from kobo_api_double import KoboServer, serving
from small_kobo import SURVEY

from sources.batches import PlainFile


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[[str, bytes], PlainFile]:
    """Write a file as a supplier would put it."""

    def write(name: str, content: bytes) -> PlainFile:
        path = tmp_path / name
        path.write_bytes(content)
        return PlainFile(path)

    return write


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """SQLAlchemy URL of the `registry` database of a real server on a socket of its own; skipped where it is absent."""
    if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
        pytest.skip("no MariaDB server on this machine (package mariadb-server)")
    folder = Path(tempfile.mkdtemp(prefix="homeward-mariadb-"))
    data, socket = folder / "data", folder / "s"
    account = [f"--user={'root' if os.geteuid() == 0 else os.environ.get('USER', 'nobody')}"]
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db", *account], check=True, capture_output=True)
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking", *account],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    query = f"?unix_socket={socket}&charset=utf8mb4"
    try:
        engine = sa.create_engine(f"mariadb+pymysql://root@localhost/{query}")
        _until_it_serves(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE DATABASE registry CHARACTER SET utf8mb4")
        engine.dispose()
        yield f"mariadb+pymysql://root@localhost/registry{query}"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_serves(engine: sa.Engine) -> None:
    for _ in range(1_500):  # a busy machine takes a minute
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("MariaDB did not start")


@pytest.fixture
def kobo() -> KoboServer:
    """Three submissions: one with two members, of whom the second has two papers; one with a validation status."""
    kobo = KoboServer(SURVEY)
    members = [
        {"members/name": "Abel"},
        {"members/name": "Hana", "members/papers": [{"members/papers/kind": "id"}, {"members/papers/kind": "pass"}]},
    ]
    kobo.add(11, who__name="Sara", who__needs="food shelter", gps="9.01 38.76 2355 4.8", members=members)
    kobo.add(12, who__name="Omar")
    kobo.add(15, gps="")
    kobo.submissions[12]["_validation_status"] = {"uid": "validation_status_approved", "label": "Approved"}
    return kobo


@pytest.fixture
def url(kobo: KoboServer) -> Iterator[str]:
    with serving(kobo) as address:
        yield address


@pytest.fixture
def many(kobo: KoboServer) -> KoboServer:
    """250 submissions: three pages of at most 100."""
    kobo.submissions.clear()
    for number in range(1, 251):
        kobo.add(number, who__name=f"N{number}")
    return kobo
