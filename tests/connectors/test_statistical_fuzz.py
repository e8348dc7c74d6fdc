"""Damaged statistical files: pyreadstat may crash in its own process, here only a refusal or rows come out."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from codebook.errors import Refused
from connectors.statistical.reader import look
from sources.batches import PlainFile

VICTIMS = (
    *("spss/pyreadstat/ordered_category.sav", "spss/haven/iris.sav", "spss/pyreadstat/simple_alltypes.sav"),
    *("spss/pyreadstat/sample.zsav", "spss/pyreadstat/sample.por", "stata_sas/auto8.dta", "stata_sas/sample.dta"),
    *("stata_sas/sample.xpt", "stata_sas/test_data_win.sas7bdat"),
)
DAMAGE = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([0, 1, 127, 128, 255])), max_size=20)


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("victim", VICTIMS)
@given(damage=DAMAGE, kept=st.sampled_from([1.0, 1.0, 1.0, 0.6]), head=st.booleans())
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_damaged_file_is_refused_or_read(
    corpus: Path, tmp_path: Path, victim: str, damage: list[tuple[float, int]], kept: float, head: bool
) -> None:
    content = bytearray((corpus / victim).read_bytes())
    reach = min(len(content), 2000) if head else len(content)
    for place, byte in damage:
        content[int(place * reach)] = byte
    path = tmp_path / Path(victim).name
    path.write_bytes(content[: int(len(content) * kept)])
    refusal = refusal_of(PlainFile(path))
    assert refusal is None or ("\n" not in str(refusal) and refusal.__cause__ is None)


def refusal_of(file: PlainFile) -> Refused | None:
    try:
        (grid,) = look(file)[0].values()
        for piece in grid.pieces(range(len(grid.headings)), 1000):
            assert len(piece.rows) <= 1000
    except Refused as refusal:
        return refusal
    return None
