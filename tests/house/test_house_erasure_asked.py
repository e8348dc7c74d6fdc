"""Who is asked before whole files are destroyed, and says no, is told that nothing was, by the code of a refusal."""

import os
import pty
import sys

import pytest

from codebook.errors import HomewardError
from pipelines.vault_removing import _warn


@pytest.mark.parametrize("answer", [b"n\n", b"\n"])
def test_no_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with pytest.raises(HomewardError, match="nothing was erased"):
            _warn(["slv/stata"])
    os.close(ours)


def test_where_nothing_whole_is_destroyed_nobody_is_asked() -> None:
    _warn([])
