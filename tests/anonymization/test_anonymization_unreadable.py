"""Files that are no table: whether somebody who is to be erased stands in them all the same."""

import gzip
import io
import zipfile
from collections.abc import Callable
from uuid import UUID

import pytest

from anonymization.gate import Gate
from anonymization.leaks import unreadable
from anonymization.leaks.unreadable import Wanted
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source


def packed(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("inner.gz", gzip.compress(content))
    return archive.getvalue()


@pytest.fixture
def wanted(register: Source, vault: Vault, rows: Callable[..., TextBatch]) -> Wanted:
    """One of two people, known by a national number, a phone and a name that another has too."""
    said = ({"FILE": "F1", "DUI": "04567890-3", "PHONE": "7123-4567"}, {"FILE": "F2", "DUI": "01234568-1"})
    passed = Gate(register, vault).pass_batch(rows(*said))
    return Wanted(vault, "SLV", [register], [UUID(bytes=passed.data["_person"][0].as_py())])


@pytest.mark.parametrize(
    "content",
    [
        b"x;04567890-3;y",
        b"x;045678903;y",
        "٠٤٥٦٧٨٩٠٣".encode(),
        "04567890-3".encode("utf-16-le"),
        b'{"tel": "7123-4567"}',
        packed(b"04567890-3"),
    ],
    ids=["as delivered", "without the dash", "in other digits", "in UTF-16", "the phone", "packed twice"],
)
def test_who_stands_in_it_is_found(wanted: Wanted, content: bytes) -> None:
    assert wanted.stand_in(io.BytesIO(content))


@pytest.mark.parametrize("content", [b"", b"F2;01234568-1;Ana", packed(b"7123-4568"), b"04567890"])
def test_others_are_not_taken_for_them(wanted: Wanted, content: bytes) -> None:
    assert not wanted.stand_in(io.BytesIO(content))


def test_a_file_too_large_for_memory_is_not_looked_at(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "LARGEST", 8)
    assert not wanted.stand_in(io.BytesIO(b"04567890-3"))
