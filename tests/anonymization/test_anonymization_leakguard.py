import errno
import traceback
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, text

from anonymization.leaks.guard import Fault, no_values, scrub
from codebook.errors import HomewardError, Refused, Unavailable

CANARY = "Xochitl Quetzal 04567890-3"


def shown(error: BaseException) -> str:
    """Everything that printing the error with its traceback would show."""
    return "".join(traceback.format_exception(error)) + repr(error)


def test_errors_of_libraries_lose_their_values() -> None:
    for breaks in (
        lambda: pd.Series([CANARY]).astype(float),
        lambda: pa.array([CANARY]).cast(pa.int64()),
        lambda: {}[CANARY],
    ):
        with pytest.raises(Fault) as raised, no_values("slv/register, harmonized"):
            breaks()
        assert "Quetzal" not in shown(raised.value)
        assert "slv/register, harmonized" in str(raised.value)


def test_errors_of_the_database_keep_state_constraint_and_table(postgres_url: str) -> None:
    with create_engine(postgres_url).connect() as connection:
        connection.execute(text("CREATE TEMP TABLE people (name text CONSTRAINT one_name PRIMARY KEY)"))
        insert = text("INSERT INTO people VALUES (:name)")
        connection.execute(insert, {"name": CANARY})
        with pytest.raises(HomewardError) as raised, no_values():
            connection.execute(insert, {"name": CANARY})
    assert "Quetzal" not in shown(raised.value)
    assert "SQLSTATE 23505, constraint one_name, table people" in str(raised.value)


def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable) as raised, no_values("vault"):
        create_engine(f"postgresql+psycopg://Quetzal@127.0.0.1:1/{CANARY}").connect()
    assert "Quetzal" not in shown(raised.value)


def test_a_system_error_keeps_its_reason_and_not_its_file_name() -> None:
    with pytest.raises(Unavailable, match="No space left on device") as raised, no_values():
        raise OSError(errno.ENOSPC, "No space left on device", f"{CANARY}.csv")
    assert "Quetzal" not in shown(raised.value)


def test_our_own_errors_pass_as_they_are() -> None:
    refusal = Refused("delivery.empty", "the file has no rows")
    with pytest.raises(Refused) as raised, no_values():
        raise refusal
    assert raised.value is refusal


def test_a_fault_says_where_in_the_house_it_happened() -> None:
    with pytest.raises(ValueError, match="Quetzal") as raised:
        int(CANARY)
    assert scrub(raised.value).startswith(f"ValueError at tests/anonymization/{Path(__file__).name}:")


def refuse_a_cell() -> None:
    try:
        int("04567890-3")
    except ValueError:
        ours = HomewardError("the cell cannot be read", "row 2")
        ours.add_note("04567890-3")
        raise ours  # noqa: B904  # as it must not be written: the library's error hangs on it


def test_our_own_error_leaves_without_what_hangs_on_it() -> None:
    with pytest.raises(HomewardError, match="cannot be read") as raised, no_values("slv/register"):
        refuse_a_cell()
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert not hasattr(raised.value, "__notes__")
