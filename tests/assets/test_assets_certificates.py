"""A file that is no certificate of these keys is told as such, whatever is in it."""

import json
from pathlib import Path

import pytest

from anonymization.keys.ring import Keyring
from assets import certificates
from codebook.errors import HomewardError


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"a"',
        b"{}",
        b'{"signature": null}',
        json.dumps({"signature": "\u0444\u0438\u0440\u043c\u0430"}).encode(),
        b'{"signature": "\\ud800"}',
    ],
)
def test_what_is_no_certificate_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(content)
    with pytest.raises(HomewardError, match=r"one\.json"):
        certificates.verify(Keyring.throwaway(), path)
