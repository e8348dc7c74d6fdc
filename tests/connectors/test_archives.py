"""Archives: what lies in them is read as if it had been delivered itself; what could do harm is refused first."""

import gzip
import io
import pickle
import stat
import zipfile
from collections.abc import Callable

import pytest
from small_forms import workbook
from small_sources import rows, source, table

from codebook.errors import Refused
from connectors import archives, open_delivery
from sources.batches import PlainFile
from sources.models import Source

Deliver = Callable[[str, bytes], PlainFile]
CSV = b"ID;N\n" + b"".join(b"%d;a\n" % n for n in range(5000))


def zipped(members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, content)
    return out.getvalue()


def declared(kind: str = "csv") -> Source:
    return source({"kind": kind}, table("main", ["ID", "N"], key=["ID"]))


@pytest.mark.parametrize("content", [gzip.compress(CSV), zipped({"folder/a.csv": CSV, "__MACOSX/._a.csv": b"x"})])
def test_a_packed_table_is_read_as_if_it_were_delivered_itself(deliver: Deliver, content: bytes) -> None:
    opened = open_delivery([deliver("a.csv.gz", content)], declared())
    assert [row["ID"] for row in rows(opened)] == [str(n) for n in range(5000)]
    parts = pickle.loads(pickle.dumps(opened.parts("main", 2)))
    assert sum(len(batch) for part in parts for batch in part.batches()) == 5000


def test_a_workbook_in_an_archive_is_no_archive(deliver: Deliver) -> None:
    content = zipped({"a.xlsx": workbook({"main": [["ID", "N"], ["1", "a"]]})})
    assert rows(open_delivery([deliver("a.zip", content)], declared("xlsx"))) == [{"row": 2, "ID": "1", "N": "a"}]


def test_json_in_an_archive_is_looked_at(deliver: Deliver) -> None:
    grids, facts = archives.look(deliver("a.zip", zipped({"a.json": b'[{"id": 1}]', "b.csv": b"x;y\n1;2\n"})))
    assert sorted(grids) == ["a.json: main", "b.csv: main"]
    assert facts["archive"] == ["a.json", "b.csv"]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b'ID;N\n1;"a\n', b"ID;N\n1;\0\n"])
def test_what_is_wrong_with_a_packed_file_is_told_by_its_place_and_not_by_its_name(
    deliver: Deliver, content: bytes
) -> None:
    packed = zipped({"good.csv": CSV, "Xochitl Quetzal.CSV": content})
    declared_form = source({"kind": "kobo_csv"}, table("main", ["ID", "N"], key=["ID"]))
    for name, of in ((packed, declared()), (zipped({"Xochitl Quetzal.csv": content}), declared_form)):
        with pytest.raises(Refused) as caught:
            open_delivery([deliver("a.zip", name)], of)
        assert "Quetzal" not in str(caught.value)
    (one, other) = archives.numbered(archives.members(deliver("a.zip", packed)))
    assert (one.name, other.name) == ("a.zip, file 1.csv", "a.zip, file 2.csv")


def encrypted(content: bytes) -> bytes:
    """The flag that says a member is encrypted, set in both of its headers."""
    changed = bytearray(content)
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (zipped({"../a.csv": CSV}), "leads outside"),
        (zipped({"/etc/a.csv": CSV}), "leads outside"),
        (zipped({"C:\\a.csv": CSV}), "leads outside"),
        (zipped({"a.csv": b"/etc/passwd"}, link), "a link"),
        (zipped({"a.zip": zipped({"a.csv": CSV})}), "archive in the archive"),
        (zipped({"a.csv": gzip.compress(CSV)}), "archive in the archive"),
        (gzip.compress(gzip.compress(CSV)), "archive in the archive"),
        (encrypted(zipped({"a.csv": CSV})), "password"),
        (zipped({f"{n}.csv": b"" for n in range(1001)}), "1001 files"),
        (gzip.compress(CSV)[:-200], "no whole archive"),
        (zipped({"a.csv": CSV})[:-30], "no whole archive"),
        (zipped({"folder/": b""}), "empty"),
    ],
)
def test_what_could_do_harm_is_refused_in_one_line(deliver: Deliver, content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        open_delivery([deliver("a.zip", content)], declared())
    assert caught.value.__cause__ is None


def test_a_bomb_is_refused_before_it_is_unpacked(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 5 << 20)
    for content in (zipped({"a.csv": b"0" * (6 << 20)}), gzip.compress(b"0" * (6 << 20))):
        with pytest.raises(Refused, match="too many bytes"):
            open_delivery([deliver("a.zip", content)], declared())


def test_a_member_that_is_not_what_its_sum_says_is_refused(deliver: Deliver) -> None:
    content = bytearray(zipped({"a.csv": CSV}))
    content[content.index(b"PK\x01\x02") - 50] ^= 0xFF
    with pytest.raises(Refused):
        rows(open_delivery([deliver("a.zip", bytes(content))], declared()))
