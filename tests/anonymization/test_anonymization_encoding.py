"""A server that was set up without a locale makes databases that are no UTF-8; it is told in one line."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from anonymization.keys.ring import Keyring
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from warehouse import engine


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_is_no_utf8_is_refused_in_one_line(vault_url: str, tmp_path: Path, encoding: str) -> None:
    # Texts came as bytes, and SQLAlchemy fell over the server's version: "please report it".
    name = f"no_utf8_{encoding.lower()}"
    maker = create_engine(vault_url, isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"))
    url = make_url(vault_url).set(database=name).render_as_string(hide_password=False)
    try:
        with pytest.raises(HomewardError, match=f"keeps its texts in {encoding}, not in UTF-8 .vault.*ENCODING 'UTF8'"):
            Vault(url, Keyring.open(tmp_path / "keys")).migrate()
        with pytest.raises(HomewardError, match=f"keeps its texts in {encoding}, not in UTF-8 .warehouse"):
            engine.connect(url).connect()
    finally:
        with maker.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
