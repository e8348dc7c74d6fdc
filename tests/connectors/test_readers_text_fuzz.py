"""Whatever happens to a real file on its way, its reader gives rows or refuses it in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_sources import MemoryFile

from codebook.errors import Refused
from connectors import archives
from connectors.shapes import Grid
from connectors.text import delimited, json_files

SEEDS = (
    "registries/messytables/spanish_chars.csv",
    "registries/messytables/utf-16le_encoded.csv",
    "registries/messytables/weird_head_padding.csv",
    "registries/messytables/begrotingsanalyse-2011.csv",
    "registries/iom_dtm_ocha/download-global-pcode-lengths.csv",
    "kobo/formpack_generated/stale_choice_shifts_rows.csv",
    "kobo/formpack_generated/geojson_and_selects/labels.geojson",
    "kobo/formpack_generated/nested_grouped_repeatable/v1.json",
    "kobo/formpack_generated/grouped_translated/spss_labels.zip",
)
LOOK = {"csv": delimited.look, "json": json_files.look, "geojson": json_files.look, "zip": archives.look}
CUTS = st.tuples(st.integers(0, 30_000), st.integers(0, 200), st.binary(max_size=8))
"""Where, how many bytes are taken out, and what is put there."""
SNIPPETS = st.sampled_from(
    [b'"', b"\0", b"\r", b"\n", b",", b";" * 50, b"\xff\xfe", b"\xef\xbb\xbf", b"[", b"}", b"1e9"]
)


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.parametrize("name", SEEDS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cuts=st.lists(CUTS, max_size=4), snippets=st.lists(st.tuples(st.integers(0, 30_000), SNIPPETS), max_size=4))
def test_only_refusals_come_out(
    corpus: Path, name: str, cuts: list[tuple[int, int, bytes]], snippets: list[tuple[int, bytes]]
) -> None:
    content = (corpus / name).read_bytes()[:60_000]
    for at, gone, put in [*cuts, *((at, 0, snippet) for at, snippet in snippets)]:
        place = at % (len(content) + 1)
        content = content[:place] + put + content[place + gone :]
    file = MemoryFile(Path(name).name, content)
    refusal = reading(LOOK[name.rsplit(".", 1)[1]], file)
    assert refusal is None or ("\n" not in str(refusal) and refusal.__cause__ is None)


def reading(look: Callable[..., tuple[dict[str, Grid], dict[str, object]]], file: MemoryFile) -> Refused | None:
    """What the file is refused for; None if all its rows were read."""
    try:
        grids, _ = look(file)
        for grid in grids.values():
            for piece in grid.pieces(range(len(grid.headings)), 100):
                assert all(len(cells) == len(piece.rows) for cells in piece.cells)
    except Refused as refusal:
        return refusal
    return None
