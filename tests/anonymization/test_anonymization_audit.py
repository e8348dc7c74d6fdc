from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from anonymization.gate import Gate
from anonymization.vault import audit
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import TextBatch
from sources.models import Source

Rows = Callable[..., TextBatch]


@pytest.fixture
def chain(vault: Vault) -> Vault:
    for number in range(4):
        audit.note(vault, "gate", "SLV", source="slv/register", number=number)
    return vault


def past_the_guard(url: str, statement: str) -> None:
    """What somebody with full rights on the server could do."""
    with create_engine(url).begin() as connection:
        connection.execute(text("ALTER TABLE vault.audit DISABLE TRIGGER ALL"))
        connection.execute(text(statement))


def test_the_gate_that_opens_the_vault_writes_one_line_without_a_value(
    register: Source, vault: Vault, rows: Rows
) -> None:
    gate = Gate(register, vault)
    gate.pass_batch(rows({"DUI": "04567890-3", "NAME": "Xochitl"}))
    gate.pass_batch(rows({"FILE": "F2"}))
    (line,) = audit.lines(vault, 10)
    assert (line.action, line.country, line.facts["source"]) == ("gate", "SLV", "slv/register")
    assert "Xochitl" not in repr(line)


def test_a_whole_chain_stands(chain: Vault) -> None:
    head = audit.head(chain)
    assert head is not None
    assert head.entry == 4
    assert audit.verify(chain, [head]) is None


@pytest.mark.parametrize(
    "statement", ["UPDATE vault.audit SET login = 'x'", "DELETE FROM vault.audit", "TRUNCATE vault.audit"]
)
def test_the_audit_is_only_added_to(chain: Vault, statement: str) -> None:
    with pytest.raises(HomewardError), chain.transaction() as cursor:
        cursor.execute(statement)
    assert len(audit.lines(chain, 10)) == 4


@pytest.mark.parametrize(
    ("statement", "entry"),
    [
        ("UPDATE vault.audit SET officer = 'Nobody' WHERE entry = 2", 2),
        ("UPDATE vault.audit SET facts = '{}' WHERE entry = 3", 3),
        ("UPDATE vault.audit SET at = at - interval '1 day' WHERE entry = 1", 1),
        ("DELETE FROM vault.audit WHERE entry = 2", 2),
        ("DELETE FROM vault.audit WHERE entry = 4", 4),
        ("DELETE FROM vault.audit", 1),
        (
            "INSERT INTO vault.audit SELECT -7, at, login, officer, 'erase', country, facts, digest FROM vault.audit"
            " WHERE entry = 4",
            -7,
        ),
    ],
)
def test_the_first_broken_line_is_named(chain: Vault, vault_url: str, statement: str, entry: int) -> None:
    head = audit.head(chain)
    assert head is not None
    past_the_guard(vault_url, statement)
    broken = audit.verify(chain, [head])
    assert broken is not None
    assert broken.entry == entry


def test_a_line_that_was_once_written_does_not_stand_in_another_chain(chain: Vault, vault_url: str) -> None:
    """Its own digest is right; the line after it was written behind another one."""
    past_the_guard(vault_url, "CREATE TABLE vault.kept AS SELECT * FROM vault.audit WHERE entry = 3")
    past_the_guard(vault_url, "DELETE FROM vault.audit WHERE entry > 2")
    for action in ("reveal", "gate"):
        audit.note(chain, action, "SLV")
    past_the_guard(vault_url, "DELETE FROM vault.audit WHERE entry = 3")
    past_the_guard(vault_url, "INSERT INTO vault.audit SELECT * FROM vault.kept")
    broken = audit.verify(chain, [])
    assert broken is not None
    assert broken.entry == 4


def test_a_cut_end_that_was_written_on_is_noticed_by_what_the_warehouse_was_told(chain: Vault, vault_url: str) -> None:
    head = audit.head(chain)
    assert head is not None
    past_the_guard(vault_url, "DELETE FROM vault.audit WHERE entry = 4")
    audit.note(chain, "gate", "SLV")
    assert audit.verify(chain, []) is None
    broken = audit.verify(chain, [head])
    assert broken is not None
    assert broken.entry == 4


@pytest.mark.parametrize("table", ["audit", "erased", "person", "unfinished_erasure"])
def test_a_table_that_was_dropped_is_one_line_and_is_not_made_again(chain: Vault, vault_url: str, table: str) -> None:
    past_the_guard(vault_url, f"DROP TABLE vault.{table} CASCADE")
    with pytest.raises(HomewardError) as raised:
        chain.migrate()
    told = f"the vault has lost its table {table} (vault): somebody dropped it: restore the vault from its backup"
    assert str(raised.value).startswith(told)
