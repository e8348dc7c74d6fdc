"""Whatever happened to a file of any kind on its way, its profile is told or it is refused in one line."""

import json
import random
from pathlib import Path

import pytest
from small_sources import MemoryFile

from codebook.errors import Refused
from connectors.profiling.profile import profile
from connectors.unknown import open_unknown

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

SEEDS = (
    "kobo/formpack_generated/or_other/xml_both.csv",
    "kobo/formpack_generated/geojson_and_selects/labels.geojson",
    "kobo/formpack_generated/nested_grouped_repeatable/v1.json",
    "kobo/kpi_legacy_kobocat/tutorial_w_repeats.csv",
    "kobo/kpi_legacy_kobocat/transportation_export.xls",
    "kobo/kobocruncher/data.xlsx",
    "registries/messytables/utf-16le_encoded.csv",
    "registries/messytables/weird_head_padding.csv",
    "registries/messytables/spanish_chars.csv",
    "spss/pyreadstat/sample.sav",
    "spss/pyreadstat/sample.zsav",
    "spss/pyreadstat/sample.por",
    "stata_sas/sample.dta",
    "stata_sas/sample.xpt",
    "stata_sas/test_data_win.sas7bdat",
)
EXAMPLES = {".csv": 60, ".geojson": 60, ".json": 60}
"""Formats that are parsed in a process of their own take their time: they are spoiled ten times."""
SNIPPETS = (
    b"",
    b"\0",
    b'"',
    b"\n",
    b";" * 60,
    b"\xff\xfe",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"{",
    b"]",
)


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """One to four cuts, flips, doublings or insertions; half of them near the beginning, where formats are told."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(min(len(content), 400) if chance.random() < 0.5 else len(content) or 1)
        gone = chance.choice((0, 1, 8, 64))
        put = chance.choice((*SNIPPETS, bytes([chance.randrange(256)]), content[at : at + 64] * 2))
        content = content[:at] + put + content[at + gone :]
        if chance.random() < 0.15:
            content = content[: chance.randrange(len(content) + 1)]
    return content or b"\0"


@pytest.mark.parametrize("name", SEEDS)
def test_a_spoiled_file_is_told_or_refused_in_one_line(corpus: Path, name: str) -> None:
    whole = (corpus / name).read_bytes()
    refusals: list[Refused] = []
    for number in range(EXAMPLES.get(Path(name).suffix, 10)):
        file = MemoryFile(Path(name).name, spoiled(whole, random.Random(f"{name} {number}")))
        try:
            assert json.dumps(profile(open_unknown(file), file.name)), number
        except Refused as refused:
            refusals.append(refused)
    assert refusals
    # "Its reader gave up" is what a parser's own error becomes: here, each damage is known for what it is.
    assert not [str(refused) for refused in refusals if "\n" in str(refused) or "gave up" in str(refused)]
    assert {refused.__cause__ for refused in refusals} == {None}
