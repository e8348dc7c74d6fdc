"""Encodings: the country's code pages are tried, the letters they make are checked, and doubt is said, not guessed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codebook.errors import Refused
from connectors.text import delimited
from connectors.text.encodings import detect
from sources.batches import PlainFile

Deliver = Callable[[str, bytes], PlainFile]
SPANISH = "Muñoz;José;Concepción;año;Guzmán;Núñez\n"
FRENCH = "Né à Béoumi;l\u2019été;Kouamé;garçon;Noël;cœur\n"
PORTUGUESE = "João;Conceição;São Tomé;não;avó\n"
RUSSIAN = "Иванов;Возвращение граждан;район;Съездовский;отдел юстиции\n"
UKRAINIAN = "Київ;Відділ державної виконавчої служби;м. Львів;Їжакевич\n"
PERSIAN = "ولايت كابل;پروان;چهاريكار;گرديز;مراجعت كنندگان\n"
ARABIC = "محافظة نينوى;العائدون;بغداد;تاريخ العودة\n"
TURKISH = "İğdır;Şanlıurfa;Gümüşhane;çocuk;doğum\n"
POLISH = "Łódź;Kraków;żołnierz;święto;mąż\n"


def found(text: str, encoding: str, country: str | None) -> str:
    return detect(text.encode(encoding), None, "en", "a.csv", country)[0]


@pytest.mark.parametrize(
    ("text", "encoding", "country"),
    [
        (SPANISH, "cp1252", "SLV"),
        (SPANISH, "cp850", "SLV"),
        (FRENCH, "cp1252", "CIV"),
        (PORTUGUESE, "cp1252", "BRA"),
        (PORTUGUESE, "cp850", "AGO"),
        (RUSSIAN, "cp1251", "KGZ"),
        (RUSSIAN, "cp866", "UZB"),
        (UKRAINIAN, "cp1251", "UKR"),
        (PERSIAN, "cp1256", "AFG"),
        (ARABIC, "cp1256", "IRQ"),
        (TURKISH, "cp1254", "TUR"),
        (POLISH, "cp1250", "POL"),
    ],
)
def test_the_code_page_of_the_country_is_found(text: str, encoding: str, country: str) -> None:
    assert found(text * 3, encoding, country) == encoding
    assert found(text * 40, encoding, country) == encoding


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(SPANISH, "cp1252"), (FRENCH, "cp1252"), (RUSSIAN, "cp1251"), (ARABIC, "cp1256"), (POLISH, "cp1250")],
)
def test_without_a_country_the_letters_decide_or_doubt_is_said(text: str, encoding: str) -> None:
    assert found(text * 40, encoding, None) == encoding


def test_a_register_with_names_of_other_languages_has_its_code_page() -> None:
    """A German register of returns to Kosovo: no one language has all of these letters."""
    text = "Straße;Förderbetrag\nPejë;Köln\nGjilan;São João\nŞahin;Nuñez\n".replace("Ş", "S")
    assert found(text * 3, "cp1252", "DEU") == "cp1252"


def test_one_letter_is_enough_where_the_country_is_known() -> None:
    assert found("ID;N\n1;Muñoz\n", "cp1252", "HND") == "cp1252"
    assert found("ID;N\n1;Muñoz\n", "cp850", "HND") == "cp850"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [SPANISH, UKRAINIAN, ARABIC])
def test_utf_16_without_a_mark_is_seen_by_its_zeros(text: str, encoding: str) -> None:
    assert found(f"1;2;3;4;5\n{text}" * 9, encoding, None) == encoding


def test_what_two_code_pages_read_is_refused_and_both_are_named() -> None:
    """Small letters of one page are the capitals of the other, and one word is not enough to tell."""
    with pytest.raises(Refused, match="it may be cp1251, koi8-r") as caught:
        found("дом", "koi8-r", "UZB")
    assert caught.value.rule == "delivery.wrong_encoding"


def test_bytes_that_no_code_page_makes_words_of_are_refused() -> None:
    with pytest.raises(Refused, match="no code page makes words"):
        detect(bytes(range(128, 256)) * 30, None, "en", "a.csv", "SLV")


def test_a_guess_is_recorded_to_be_confirmed(deliver: Deliver) -> None:
    _, facts = delimited.look(deliver("a.csv", ("a;b;c;d;e;f\n" + SPANISH * 9).encode("cp1252")))
    assert (facts["encoding"], facts["encoding_detected"]) == ("cp1252", True)
    _, sure = delimited.look(deliver("b.csv", ("a;b;c;d;e;f\n" + SPANISH * 9).encode()))
    assert (sure["encoding"], "encoding_detected" in sure) == ("utf-8", False)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("messytables/spanish_chars.csv", "cp1252"),
        ("messytables/utf-16le_encoded.csv", "utf-16-le"),
        ("ukraine_minjust/minjust_vdvs.csv", "utf-8"),
    ],
)
def test_real_files(corpus: Path, name: str, encoding: str) -> None:
    assert delimited.look(PlainFile(corpus / "registries" / name))[1]["encoding"] == encoding


@pytest.mark.corpus
@pytest.mark.parametrize(("encoding", "country"), [("cp1251", "UKR"), ("cp1251", None), ("cp866", "UKR")])
def test_a_real_ukrainian_register_in_older_letters(corpus: Path, encoding: str, country: str | None) -> None:
    text = (corpus / "registries" / "ukraine_minjust" / "minjust_vdvs.csv").read_text(encoding="utf-8")
    assert detect(text.encode(encoding, "ignore"), None, "en", "a.csv", country)[0] == encoding
