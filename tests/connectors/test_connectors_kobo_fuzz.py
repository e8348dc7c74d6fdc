"""Whatever is done to a real export or form, the answer is its tables or one refusal: torn, flipped or doubled."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_sources import MemoryFile

from codebook.errors import Refused
from connectors.kobo.export import look

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

SERVER, LEGACY = "formpack_generated", "kpi_legacy_kobocat"
FILES = {
    f"{SERVER}/geojson_and_selects/labels.geojson": f"{SERVER}/geojson_and_selects/v1.json",
    f"{SERVER}/or_other/xml_both.csv": f"{SERVER}/or_other/v1.json",
    f"{SERVER}/stale_choice_shifts_rows.csv": None,
    f"{LEGACY}/tutorial_w_repeats.csv": None,
    "blantyre_compost/Naizi_market_Organics_-_all_versions_-_labels_-_2022-11-28-09-05-32.csv": None,
    f"{SERVER}/nested_grouped_repeatable/labels_groups.xlsx": f"{SERVER}/nested_grouped_repeatable/v2.json",
    "kobocruncher/data.xlsx": "kobocruncher/sample_xlsform.xlsx",
}
EXAMPLES = {".xlsx": 10}
"""A workbook is parsed in a process of its own, which takes its time; other files are spoiled 400 times."""
QUIET: dict[str, Any] = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None,
}  # fmt: skip
ENTITY = b"<!DOCTYPE a [<!ENTITY b SYSTEM 'c'>]>"
WORDS = [
    *(
        b"\0",
        b'"',
        b";",
        b"[1]/",
        b"[99999999999999999999]/",
        b"${",
        b"\xff\xfe",
        ENTITY,
        b'"content"',
        b"null",
        b"1e999",
        b"\\ud800",
        b"\\u0000",
    ),
    *(b"-1", b"_index", b"_parent_index", b"begin_repeat", b"or_other", b"(" * 60, b"{" * 3_000, b"9" * 5_000),
]


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """A few cuts, flips, doublings and insertions; of a zip, now and then inside one of its members."""
    if content.startswith(b"PK") and draw(st.integers(0, 3)):
        return _repacked(content, draw)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        length = draw(st.integers(0, 64))
        match draw(st.sampled_from(["cut", "flip", "double", "insert", "drop"])):
            case "cut":
                content = content[:at]
            case "flip":
                content = (
                    content[:at]
                    + bytes(b ^ draw(st.integers(1, 255)) for b in content[at : at + 1])
                    + content[at + 1 :]
                )
            case "double":
                content = content[: at + length] + content[at:]
            case "insert":
                content = content[:at] + draw(st.sampled_from(WORDS)) + content[at:]
            case "drop":
                content = content[:at] + content[at + length :]
    return content


def _repacked(content: bytes, draw: st.DrawFn) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        parts = [name for name in old.namelist() if name.endswith(".xml")]
        spoiled = draw(st.sampled_from(parts))
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, draw(mutated(part)) if name == spoiled else part)
    return out.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_a_spoiled_export_or_form_gives_tables_or_one_refusal(corpus: Path, name: str) -> None:
    folder = corpus / "kobo"
    data, beside = folder / name, FILES[name]
    content, form = data.read_bytes(), (folder / beside).read_bytes() if beside else None

    told: list[str] = []

    @settings(max_examples=EXAMPLES.get(data.suffix, 400), **QUIET)
    @given(st.data())
    def spoil(draws: st.DataObject) -> None:
        which = draws.draw(st.sampled_from(["data", "form"] if form else ["data"]))
        file = MemoryFile(data.name, draws.draw(mutated(content)) if which == "data" else content)
        forms = (
            [MemoryFile(Path(beside or "").name, draws.draw(mutated(form)) if which == "form" else form)]
            if form
            else []
        )
        try:
            tables, _ = look(file, *forms)
            for grid in tables.values():
                for piece in grid.pieces([heading.position for heading in grid.headings], 7):
                    assert all(len(column) == len(piece.rows) for column in piece.cells)
        except Refused as refused:
            told.append(str(refused))

    spoil()
    assert not any("\n" in line for line in told)


def test_a_spoiled_archive_gives_tables_or_one_refusal(corpus: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((corpus / "kobo" / "kpi_legacy_kobocat").glob("child*.csv")):
            archive.write(path, path.name)
    content = packed.getvalue()

    told: list[str] = []

    @settings(max_examples=150, **QUIET)
    @given(st.data())
    def spoil(draws: st.DataObject) -> None:
        spoiled = bytearray(content)
        for _ in range(draws.draw(st.integers(1, 4))):
            spoiled[draws.draw(st.integers(0, len(spoiled) - 1))] = draws.draw(st.integers(0, 255))
        try:
            tables, _ = look(MemoryFile("export.zip", bytes(spoiled[: draws.draw(st.integers(1, len(spoiled)))])))
            for grid in tables.values():
                list(grid.pieces([heading.position for heading in grid.headings], 7))
        except Refused as refused:
            told.append(str(refused))

    spoil()
    assert not any("\n" in line for line in told)
