"""An error of any library, with somebody's name in its text, inside a real Dagster run: the name stays inside.

Runs in a process of its own, as Dagster's run worker does, on storage and captured output of its own. Dagster keeps
errors in its event log, prints them, and captures what steps print.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anonymization.leaks.canaries import Canaries
from anonymization.leaks.search import LeakSearch

CANARIES = Canaries(seed=11)
SECRET = CANARIES.name()
PROJECT = Path(__file__).resolve().parents[2]

RUN = """
import io, logging, os, sqlite3, sys, threading, warnings
import dagster as dg
if os.environ["GUARDED"] == "yes":
    from anonymization.leaks.process import guard_process
    guard_process()
SECRET = os.environ["SECRET"]

def pandas():
    import pandas as pd
    pd.Series([SECRET]).astype(float)
def pyarrow():
    import pyarrow as pa
    pa.array([SECRET]).cast(pa.int64())
def numpy():
    import numpy as np
    np.array([SECRET]).astype(int)
def psycopg_away():
    import psycopg
    psycopg.connect(f"postgresql://127.0.0.1:1/x?application_name=a&options={SECRET.split()[0]}&bad={SECRET.split()[1]}")
def psycopg_row():
    import psycopg
    with psycopg.connect(os.environ["TEST_URL"]) as connection:
        connection.execute("CREATE TEMP TABLE people (name text PRIMARY KEY)")
        for _ in range(2):
            connection.execute("INSERT INTO people VALUES (%s)", (SECRET,))
def sqlalchemy():
    import sqlalchemy as sa
    url = os.environ["TEST_URL"].replace("postgresql://", "postgresql+psycopg://")
    with sa.create_engine(url).connect() as connection:
        connection.execute(sa.text("SELECT CAST(:name AS integer)"), {"name": SECRET})
def great_expectations():
    import great_expectations as gx
    context = gx.get_context(mode="ephemeral")
    context.data_sources.add_pandas("made").add_dataframe_asset(SECRET).get_batch_definition(SECRET)
def pyreadstat():
    import pyreadstat
    pyreadstat.read_sav(f"/nowhere/{SECRET}.sav")
def calamine():
    import python_calamine
    python_calamine.CalamineWorkbook.from_path(f"/nowhere/{SECRET}.xlsx")
def openpyxl():
    import openpyxl
    openpyxl.Workbook().create_sheet().append({SECRET: SECRET})
def httpx():
    import httpx
    httpx.get(f"{SECRET.split()[0]}://{SECRET.split()[1]}")
def pyxform():
    from pyxform.xls2xform import convert
    sheet = {"type": f"select_one {SECRET}", "name": f"{SECRET}!", "label": SECRET}
    convert({"survey": [sheet], "survey_header": [dict.fromkeys(sheet)]})
def duckdb():
    import duckdb
    duckdb.connect().execute(f"SELECT CAST('{SECRET}' AS INTEGER)").fetchall()
def splink():
    import pandas as pd
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    database = DuckDBAPI()
    people = database.register(pd.DataFrame({"unique_id": [1, 2], "name": [SECRET, SECRET]}))
    rule = block_on(f"CAST('{SECRET}' AS INTEGER)")
    Linker([people], SettingsCreator(link_type="dedupe_only", blocking_rules_to_generate_predictions=[rule]),
    ).inference.predict()
def presidio():
    from presidio_analyzer import Pattern, PatternRecognizer
    PatternRecognizer(SECRET, patterns=[Pattern(SECRET, f"({SECRET}", 0.5)])
def metadata():
    raise dg.Failure(SECRET, metadata={"row": SECRET})
def a_key():
    {}[SECRET]
def logged():
    logging.getLogger("some.library").error("cannot read %s", SECRET)
    logging.getLogger("presidio-analyzer").warning(SECRET)
    try:
        int(SECRET)
    except ValueError as error:
        logging.getLogger("dagster.made").exception("while reading")
        logging.getLogger("homeward.made").exception("while reading")
    warnings.warn(f"could not parse {SECRET}")
    thread = threading.Thread(target=lambda: int(SECRET))
    thread.start()
    thread.join()
    class Gone:
        def __del__(self):
            int(SECRET)
    Gone()

NAMES = ["pandas", "pyarrow", "numpy", "psycopg_away", "psycopg_row", "sqlalchemy", "great_expectations", "pyreadstat",
         "calamine", "openpyxl", "httpx", "pyxform", "duckdb", "splink", "presidio", "metadata", "a_key", "logged"]

def made(name):
    breaks = globals()[name]
    @dg.op(name="break_" + name)
    def op():
        if os.environ["GUARDED"] == "yes":
            from anonymization.leaks.guard import no_values
            if name == "metadata":
                with no_values(name):
                    breaks()
        breaks()
    return op

@dg.job(executor_def=dg.in_process_executor)
def broken():
    for name in NAMES:
        made(name)()

if __name__ == "__main__":
    with dg.DagsterInstance.get() as instance:
        done = broken.execute_in_process(instance=instance, raise_on_error=False)
        failed = {event.step_key for event in done.all_events if event.is_step_failure}
        print("did not raise:", *sorted({"break_" + name for name in NAMES} - failed))
    int(SECRET)
"""


def searched(folder: Path, postgres_url: str, guarded: bool) -> tuple[LeakSearch, str]:
    """Run it all, and look at Dagster's home, temporary files and both streams."""
    home = folder / "dagster"
    home.mkdir(parents=True)
    (folder / "tmp").mkdir()
    (folder / "broken.py").write_text(RUN, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "HOMEWARD"))}
    environment |= {
        "DAGSTER_HOME": str(home), "TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(PROJECT), "SECRET": SECRET,
        "GUARDED": "yes" if guarded else "no", "TEST_URL": postgres_url.replace("+psycopg", ""),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(folder / "broken.py")], env=environment, capture_output=True, timeout=280, check=False
    )
    search = LeakSearch(CANARIES)
    search.look(done.stdout, "stdout", "run")
    search.look(done.stderr, "stderr", "run")
    search.look_at_folder(home, "Dagster's home")
    search.look_at_folder(folder / "tmp", "temporary files")
    return search, done.stdout.decode() + done.stderr.decode()


@pytest.mark.slow
def test_no_library_can_tell_a_value_through_a_dagster_run(tmp_path: Path, postgres_url: str) -> None:
    search, said = searched(tmp_path, postgres_url, guarded=True)
    assert "did not raise: break_logged\n" in said
    assert search.leaks == []
    assert "ValueError at" in said, "what went wrong, and where, is still told"


@pytest.mark.slow
def test_without_the_guard_the_same_run_tells_it_everywhere(tmp_path: Path, postgres_url: str) -> None:
    search, _ = searched(tmp_path, postgres_url, guarded=False)
    assert {leak.sink for leak in search.leaks} >= {"stderr", "Dagster's home"}
