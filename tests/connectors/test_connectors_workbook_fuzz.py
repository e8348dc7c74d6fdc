"""Whatever is done to the bytes of a real workbook, the answer is its rows or one refusal in one line."""

import random
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_sources import MemoryFile

from codebook.errors import Refused
from connectors.workbooks.workbook import look


def mutated(content: bytes, seed: int) -> bytes:
    """Torn, or with bytes overwritten, swapped, repeated or filled with numbers that claim a great length."""
    chance = random.Random(seed)
    if content[:2] == b"PK" and seed % 4:
        return with_mutated_part(content, seed)
    changed = bytearray(content)
    for _ in range(chance.choice([1, 2, 5, 30])):
        if len(changed) < 64:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                del changed[max(at, 1) :]
            case 1:
                changed[at] = chance.randrange(256)
            case 2:
                changed[at : at + 4] = chance.choice([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\0"])
            case 3:
                changed[at:at] = changed[at : at + chance.randrange(1, 600)]
            case _:
                del changed[at : at + chance.randrange(1, 64)]
    return bytes(changed)


def with_mutated_part(content: bytes, seed: int) -> bytes:
    """A whole archive in which one part is damaged: nothing but the parser of that part can see it."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        hit = names[seed // 4 % len(names)]
        for name in names:
            part = old.read(name)
            new.writestr(name, mutated(part, seed) if name == hit and part[:2] != b"PK" else part)
    return out.getvalue()


def attempt(file: MemoryFile) -> Refused | None:
    try:
        for grid in look(file)[0].values():
            for piece in grid.pieces(range(len(grid.headings)), 1000):
                assert len(piece.cells) == len(grid.headings)
    except Refused as refusal:
        return refusal
    return None


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".xls", ".xlsx"])
def test_only_refusals_come_out_of_mutated_real_workbooks(corpus: Path, suffix: str) -> None:
    contents = [path.read_bytes() for path in sorted(corpus.rglob(f"*{suffix}")) if path.stat().st_size < 60_000]
    assert len(contents) > 5

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(contents) - 1), st.integers(0, 2**32))
    def law(which: int, seed: int) -> None:
        refusal = attempt(MemoryFile(f"a{suffix}", mutated(contents[which], seed)))
        assert refusal is None or "\n" not in str(refusal)
        assert refusal is None or refusal.__cause__ is None

    law()
