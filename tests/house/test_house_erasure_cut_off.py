"""An erasure whose process is killed: the next finishes it and certifies, and nothing of the person is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from homes import PROJECT
from test_house_erasure import files_of_the_server, in_the_vault, places, raw, register

from examples.ine_gtm import FILE as SURVEY
from examples.ine_gtm import make_gtm

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

# Kills itself, as the kernel would, when it comes to the place named first; the rest is the command line.
KILLED = """
import importlib, os, signal, sys
module, name = sys.argv.pop(1).split(":")
def stop(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(importlib.import_module(module), name, stop)
from pipelines.cli import main
main()
"""


def killed(house: House, at: str, *arguments: str) -> None:
    command = [sys.executable, "-c", KILLED, at, *arguments]
    done = subprocess.run(command, check=False, cwd=PROJECT, env=house.environment, capture_output=True, timeout=280)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    "moment",
    [
        "warehouse.erasure:erase",
        "anonymization.vault.sealed_keys:shred",
        "assets.vault_erasure:keep_head",
        "anonymization.vault.unfinished:end",
    ],
    ids=["before the warehouse", "before the old sealed file goes", "after the shredding", "after the certificate"],
)
def test_a_killed_erasure_of_two_is_finished_by_the_next(registered: House, moment: str) -> None:
    rows = register(registered)
    found = registered.sql("SELECT person_token::text, source_row FROM core.return_event ORDER BY source_row")
    named = {token: rows[at - 2] for token, at in found if rows[at - 2]["DUI"].strip()}
    one, two, other = list(named)[:3]
    mine = " UNION ".join(
        f"SELECT record_key::text FROM core.{entity} WHERE person_token IN ('{one}', '{two}')"
        for entity in ("return_event", "person")
    )
    keys = [key for (key,) in registered.sql(mine)]
    bare = [bytes.fromhex(key.replace("-", "")) for key in (one, two, *keys)]
    bare += [*in_the_vault(registered, one), *in_the_vault(registered, two)]
    assert {"pg_wal"} < files_of_the_server(registered, bare)
    (listed := registered.samples / "erase.txt").write_text(f"{one}\n\n{two}\n")
    asked = ("vault", "erase", "--list", str(listed), "--reason", "asked for it", "--as", "Marta")
    killed(registered, moment, *asked)
    assert "has no certificate yet: homeward vault erase --resume" in registered.homeward("status").stdout

    certificates = registered.home / "vault" / "certificates"
    if moment == "warehouse.erasure:erase":
        both = registered.ask(*asked)
    elif moment == "assets.vault_erasure:keep_head":
        both = registered.ask("vault", "erase", "--resume")
    else:
        assert registered.ask("vault", "retain") == []
        both = [json.loads(path.read_text()) for path in certificates.glob("*.json")]
    assert len({said["person"] for said in both}) == 2
    assert max(said["interrupted"] for said in both) == 1
    for said in both:
        assert said["removed"]["vault"]["person"] == 1
        assert said["removed"]["warehouse"]["core.return_event"] >= 1
        assert said["removed"]["store"]["rows"] >= 2
        (sealed,) = said["sealed_deliveries"]
        assert (sealed["done"], sealed["rows"]) == ("rows overwritten", 2)
    assert len(list(certificates.iterdir())) == 2
    registered.homeward("vault", "certificate", str(next(certificates.iterdir())))
    assert places(registered, [one, two, *keys]) == set()
    assert files_of_the_server(registered, bare) == set()
    (content,) = raw(registered)
    assert not any(named[token]["EXPEDIENTE"].encode() in content for token in (one, two))

    assert "no certificate" not in registered.homeward("status").stdout
    assert registered.ask("vault", "erase", "--resume") == []
    registered.homeward("vault", "audit", "--verify")
    assert registered.sql(f"SELECT count(*) FROM core.return_event WHERE person_token = '{other}'")[0][0] >= 1


def test_a_file_that_was_to_be_destroyed_is_destroyed_by_the_next(house: House) -> None:
    """A file of a statistics package cannot be overwritten by row."""
    house.samples.mkdir(parents=True, exist_ok=True)
    make_gtm(house.samples)
    house.homeward("deliver", str(house.samples / SURVEY), "--source", "gtm/ine_rss")
    house.homeward("run", "--source", "gtm/ine_rss", expect=1)
    ((token,),) = house.sql("SELECT person_token::text FROM core.rss_response ORDER BY source_row LIMIT 1")
    killed(
        house, "anonymization.vault.sealed_keys:shred", "vault", "erase", "--token", token, "--reason", "asked for it"
    )
    assert len(raw(house)) == 1
    (said,) = house.ask("vault", "erase", "--resume")
    assert [one["done"] for one in said["sealed_deliveries"]] == ["destroyed"]
    assert raw(house) == []
    assert places(house, [token]) == set()
