"""Of a number that several people of a batch share, and by which the vault knows one of them: who is that one?"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from anonymization.gate import Gate
from anonymization.linkage import described
from anonymization.vault.vault import Vault
from sources.batches import TextBatch
from sources.models import Source
from values.dates import read_dates

Rows = Callable[..., TextBatch]
Row = dict[str, str | None]
NUMBER: Row = {"DUI": "04567890-3"}
STRANGERS: list[Row] = [
    NUMBER | {"FILE": "G1", "NAME": "Berta Cruz", "BORN": "03/04/1975"},
    NUMBER | {"FILE": "G2", "NAME": "Carlos Paz", "BORN": "05/06/1960"},
    NUMBER | {"FILE": "G3", "NAME": "Diego Ruiz", "BORN": "07/08/1982"},
]


def person(name: str, born: str, file: str = "F1") -> Row:
    return NUMBER | {"FILE": file, "NAME": name, "BORN": born}


def tokens(source: Source, vault: Vault, batch: TextBatch) -> list[bytes]:
    return Gate(source, vault).pass_batch(batch).data["_person"].to_pylist()


@pytest.mark.parametrize(
    ("known", "comes"),
    [
        pytest.param(("Ahmad Karim Rahimi", "01/02/1970"), ("Ali Ahmad Rahimi", "01/05/2010"), id="son"),
        pytest.param(("Ahmad Rahimi", "01/02/1970"), ("Ali Ahmad Rahimi", "unknown"), id="son of a short name"),
        pytest.param(("Ali Karim Rahimi", "01/02/2010"), ("Reza Karim Rahimi", "01/02/2010"), id="twin"),
        pytest.param(("Ana María López Paz", "01/02/2010"), ("Ana Rosa López Paz", "01/02/2010"), id="twin, two names"),
        pytest.param(
            ("Ali Karim Rahimi", "01/01/2010"), ("Reza Karim Rahimi", "01/01/2011"), id="brother of a January"
        ),
        pytest.param(("Ana", "01/02/1990"), ("Ana López", "unknown"), id="a namesake"),
        pytest.param(("Hassan Ali Omar", "01/02/2010"), ("Hussein Ali Omar", "01/02/2010"), id="twin, consonants"),
        pytest.param(("María Paz Gil", "01/02/2010"), ("Mario Paz Gil", "01/02/2010"), id="twin of the other sex"),
        pytest.param(("Rahimi Karim", "01/02/2010"), ("Rahimi Karima", "01/02/2010"), id="twin, family first"),
        pytest.param(("محمد علی رحیمی", "01/02/2010"), ("محمود علی رحیمی", "unknown"), id="brother in Arabic script"),
        pytest.param(("حسین علی رحیمی", "01/02/2010"), ("Hassan Ali Rahimi", "unknown"), id="brother in two scripts"),
        pytest.param(("Hussein Ali", "01/02/1980"), ("Hassan Hussein Ali", "unknown"), id="son, consonants"),
    ],
)
@pytest.mark.parametrize("described", [False, True])
def test_a_relative_with_half_of_the_name_is_somebody_else(
    register: Source,
    whole: Source,
    vault: Vault,
    rows: Rows,
    known: tuple[str, str],
    comes: tuple[str, str],
    described: bool,
) -> None:
    source = whole if described else register
    (before,) = tokens(source, vault, rows(person(*known)))
    *others, theirs = tokens(source, vault, rows(*STRANGERS, person(*comes, file="F9")))
    assert len({before, theirs, *others}) == 5


@pytest.mark.parametrize("comes", ["Rahimi Ahmad", "Ahmed Rahimi", "Ahmad Karim Ali Rahimi", "احمد کریم رحیمی"])
def test_who_leaves_out_or_adds_words_is_still_the_one(register: Source, vault: Vault, rows: Rows, comes: str) -> None:
    (before,) = tokens(register, vault, rows(person("Ahmad Karim Rahimi", "01/02/1970")))
    *_, again = tokens(register, vault, rows(*STRANGERS, person(comes, "01/02/1970", file="F9")))
    assert again == before


@pytest.mark.parametrize(
    ("known", "comes"),
    [
        ("Mohammed Ahmad Omar", "Muhammad Ahmed Omar"),
        ("Youssef Abdallah", "Yusuf Abdullah"),
        ("Hussein Fatima Mahdi", "حسین فاطمه مهدی"),
        ("Ana María López", "ANA MARIA LOPEZ"),
        ("አበበ ከበደ", "Abebe Kebede"),
        ("Ахмед Хасан", "Ahmad Hasan"),
    ],
)
def test_other_vowels_of_other_offices_make_nobody_else(
    register: Source, vault: Vault, rows: Rows, known: str, comes: str
) -> None:
    (before,) = tokens(register, vault, rows(person(known, "01/02/1970")))
    *_, again = tokens(register, vault, rows(*STRANGERS, person(comes, "01/02/1970", file="F9")))
    assert again == before


def test_of_one_word_the_birth_date_has_to_be_the_same(whole: Source, vault: Vault, rows: Rows) -> None:
    (before,) = tokens(whole, vault, rows(person("Ana", "01/02/1990")))
    *_, same, other = tokens(
        whole, vault, rows(*STRANGERS, person("Ana López", "01/02/1990", "F8"), person("Ana Ruiz", "02/02/1990", "F9"))
    )
    assert (same, other == before) == (before, False)


def test_birth_dates_of_households_are_read_column_by_column(
    register: Source, vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one they took a register of families' phones twenty times as long as one of people's own."""
    read: list[int] = []

    def counted(texts: pa.Array, form: str) -> object:
        read.append(len(texts))
        return read_dates(texts, form)

    monkeypatch.setattr(described, "read_dates", counted)
    people = [("Ana Paz", "01/1970"), ("Berta Paz", "03/1980"), ("Carlos Paz", "05/1990"), ("Diego Paz", "07/2000")]
    houses: list[Row] = [
        {"FILE": f"H{house}{name}", "PHONE": f"7123-40{house:02}", "NAME": name, "BORN": f"{house + 1:02}/{born}"}
        for house in range(20)
        for name, born in people
    ]
    assert len(set(tokens(register, vault, rows(*houses)))) == 80, "a family's phone is nobody's"
    assert read == [80]


def test_a_place_in_another_sources_record_is_no_name(
    make_source: Callable[..., Source], vault: Vault, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody of San Miguel, Santa Ana, is not the Ana Miguel who brings their number."""
    of_place = make_source(source="slv/places", tables=PLACES)
    monkeypatch.setattr("anonymization.vault.origins.load_source", {"slv/places": of_place}.__getitem__)
    placed = {"FILE": "P1", "DUI": "04567890-3", "NOMBRE": "Berta Luz", "LUGAR": "Ana Miguel"}
    (before,) = tokens(of_place, vault, rows(placed, blank={}))
    *_, ana, berta = tokens(
        make_source(), vault, rows(*STRANGERS, person("Ana Miguel", "x", "F8"), person("Berta Luz", "x", "F9"))
    )
    assert (ana == before, berta) == (False, before)


PLACES = """
  - name: main
    key: [FILE]
    person: {link: [DUI]}
    entities: {person: {}}
    columns:
      - {name: FILE, class: technical}
      - {name: DUI, class: identifier, kind: national_id, scheme: slv_dui}
      - {name: LUGAR, class: identifier, kind: address}
      - {name: NOM*, class: identifier, kind: name}
"""
