"""Who runs a delivery while Dagster's storage is away hears it after one call's tries, not after each event's."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from codebook.errors import HomewardError, Unavailable
from pipelines.instance import _ask_once_what_is_there
from pipelines.storage_away import give_up_soon


def fails(engine: Engine, with_: type[Exception], times: int) -> None:
    for _ in range(times):
        with pytest.raises(with_):
            engine.connect()


def test_after_the_tries_of_one_call_each_is_the_last_until_somebody_connects(
    postgres_url: str, server_folder: Path, tmp_path: Path
) -> None:
    url = f"postgresql+psycopg2://postgres@/postgres?host={tmp_path / 'away'}"
    storage, another = create_engine(url), create_engine(url.replace("away", "other"))
    give_up_soon(url)
    fails(storage, OperationalError, times=6)
    fails(storage, Unavailable, times=2)
    fails(another, OperationalError, times=8)
    (tmp_path / "away").symlink_to(server_folder / "data")
    storage.connect().close()
    storage.dispose()
    (tmp_path / "away").unlink()
    fails(storage, OperationalError, times=6)
    fails(storage, Unavailable, times=1)


def test_whether_a_table_is_there_is_asked_once_by_a_process(postgres_url: str) -> None:
    from dagster_postgres import PostgresEventLogStorage

    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute("CREATE DATABASE asked_once")
    url = postgres_url.replace("+psycopg", "+psycopg2").replace("/postgres?", "/asked_once?")
    storage = PostgresEventLogStorage(url, should_autocreate_tables=True)
    _ask_once_what_is_there(storage)
    asked: list[str] = []
    event.listen(storage._engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    for _ in range(3):
        assert storage.supports_asset_checks
        assert storage.can_read_asset_status_cache()
        assert not storage.has_table("no_such_table")
    assert sum("pg_class" in statement for statement in asked) == 3
    storage.dispose()


def test_a_storage_that_is_no_utf8_is_refused_in_one_line(postgres_url: str) -> None:
    maker = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(text("CREATE DATABASE no_utf8_storage ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"))
    url = make_url(postgres_url).set(database="no_utf8_storage", drivername="postgresql+psycopg2")
    storage = create_engine(url)
    try:
        give_up_soon(url.render_as_string(hide_password=False))
        fails(storage, HomewardError, times=1)
    finally:
        storage.dispose()
        with maker.connect() as connection:
            connection.execute(text("DROP DATABASE no_utf8_storage WITH (FORCE)"))
