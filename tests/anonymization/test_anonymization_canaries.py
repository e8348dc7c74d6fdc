"""Canaries: values nobody else has, planted in every class of column, looked for in everything that leaves the gate."""

import io
import logging
import traceback
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonymization.gate import Gate
from anonymization.vault.vault import Vault
from codebook.errors import HomewardError
from sources.batches import SafeBatch, TextBatch
from sources.models import Source

PLANTED = {
    "DUI": "04567890-3",
    "PHONE": "7123-4567",
    "NAME": "Xóchitl Quetzalcoatl",
    "FAMILY": "FAM-CANARY",
    "BORN": "17/11/1988",
    "NOTES": "met Xóchitl at 12 Canary Street",
    "GPS": "13.6929 -89.2182",
    "audio_1": "canary.m4a",
    "UNDECLARED": "አበበ ቢቂላ",
}
FORMS = [
    "04567890", "045678903", "7123-4567", "50371234567", "Xóchitl", "Quetzalcoatl", "FAM-CANARY", "17/11", "1988-11-17",
    "Canary Street", "13.6929", "canary.m4a", "አበበ",
]  # fmt: skip
Rows = Callable[..., TextBatch]


def everything(safe: SafeBatch) -> bytes:
    """All that leaves, as it is written: uncompressed Parquet of rows and issues, and how the batch prints."""
    out = io.BytesIO()
    for table in (safe.data, safe.issues, pa.table({"rows": safe.rejected_rows})):
        pq.write_table(table, out, compression="none")
        out.write(str(table.to_pylist()).encode())
    return out.getvalue() + repr(safe).encode()


def assert_nothing_leaks(leaving: bytes) -> None:
    for form in FORMS:
        for encoded in (
            form.encode(),
            form.encode("utf-16-le"),
            form.encode().hex().encode(),
            ascii(form)[1:-1].encode(),
        ):
            assert encoded not in leaving, f"a canary left the gate, planted as {form}"


def test_the_search_finds_what_is_there(register: Source, rows: Rows) -> None:
    with pytest.raises(AssertionError, match="a canary left the gate"):
        assert_nothing_leaks(everything(Gate(register, None).pass_batch(rows({"SEX": "Xóchitl"}))))


@pytest.mark.parametrize("consent", ["yes", "no"])
def test_nothing_planted_leaves_with_a_batch(
    register: Source, vault: Vault, rows: Rows, consent: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for gate in (Gate(register, vault), Gate(register, None)):
            assert_nothing_leaks(everything(gate.pass_batch(rows(PLANTED | {"CONSENT": consent}))))
    assert_nothing_leaks(caplog.text.encode())


def test_a_birth_date_that_cannot_be_read_does_not_leave_either(register: Source, rows: Rows) -> None:
    assert_nothing_leaks(everything(Gate(register, None).pass_batch(rows(PLANTED | {"BORN": "1988-11-17"}))))


def test_nothing_planted_is_in_an_error(
    register: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(register, vault)

    def breaks(texts: object, *_: object) -> object:
        raise ValueError(f"cannot seal {texts}")

    monkeypatch.setattr("anonymization.vault.identities.digests", breaks)
    with pytest.raises(HomewardError) as raised:
        gate.pass_batch(rows(PLANTED))
    assert_nothing_leaks("".join(traceback.format_exception(raised.value)).encode())
