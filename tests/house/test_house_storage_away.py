"""Who runs a delivery while Dagster's storage is away hears it after one call's tries, not after each event's."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from codebook.errors import Unavailable
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
