"""An event that somebody wrote into the vault stops nobody's erasure but theirs whom it is about, and is set right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from examples.dgme_slv import FILE, make_slv

if TYPE_CHECKING:
    from homes import House

pytestmark = pytest.mark.slow

SOURCE = "slv/dgme_returns"
FORGED = (
    "INSERT INTO vault.token_event (country, kind, token, current_token) VALUES ('SLV', 'merge', %s, %s)"
    " RETURNING event_id"
)


def erase(house: House, token: str, expect: int = 0) -> str:
    asked = ("vault", "erase", "--token", token, "--reason", "asked for", "--as", "Marta")
    return house.homeward(*asked, expect=expect).stderr


def counted(house: House, token: str) -> int:
    return int(house.sql(f"SELECT count(*) FROM core.return_event WHERE person_token = '{token}'")[0][0])


def test_a_forged_event_is_told_by_its_number_stops_no_others_erasure_and_is_set_right(house: House) -> None:
    house.samples.mkdir(parents=True)
    make_slv(house.samples)
    house.homeward("deliver", str(house.samples / FILE), "--source", SOURCE)
    house.homeward("run", "--source", SOURCE, expect=None)
    found = house.sql(
        "SELECT DISTINCT person_token::text FROM core.return_event"
        " WHERE person_token NOT IN (SELECT token FROM core.token_event) ORDER BY 1 LIMIT 4"
    )
    one, other, third, last = [token for (token,) in found]
    with psycopg.connect(f"postgresql://postgres@/vault?host={house.home / 'postgres'}") as connection:
        row = connection.execute(FORGED, (one, other)).fetchone()
    assert row is not None
    (delivery,) = [entry["delivery"] for entry in house.ask("status") if entry["source"] == SOURCE]
    again = house.homeward("run", "--source", SOURCE, "--delivery", delivery, expect=None)
    assert again.returncode in {2, 3}
    assert f"SLV, vault.token_event {row[0]}" in " ".join((again.stdout + again.stderr).split())

    erase(house, third)
    assert counted(house, third) == 0
    refused = erase(house, one, expect=2)
    assert f"vault.token_event {row[0]}" in refused
    assert "homeward vault events --country SLV" in refused
    assert counted(house, one) > 0

    told = house.ask("vault", "events", "--country", "slv", expect=1)
    assert told["events"] == [{"event": row[0], "token": one, "says": other, "counts_as": one}]
    house.homeward("vault", "events", "--country", "slv", "--mend", "--as", "Marta")
    said = house.homeward("vault", "events", "--country", "slv").stdout
    assert said.strip() == "Every token counts as what was decided."
    erase(house, one)
    assert [counted(house, token) > 0 for token in (one, other, last)] == [False, True, True]
    house.homeward("run", "--source", SOURCE, "--delivery", delivery, expect=1)
    house.homeward("vault", "audit", "--verify")
