"""Free text: what has a shape or a label is taken out and the rest kept, whatever a note is made of, however long."""

import pytest
from small_notes import redacted

from anonymization.redaction.redactor import Redactor

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("ana.lopez+1@correo.com.sv", "EMAIL"),
        ("https://facebook.com/ana.lopez.77?x=1", "URL"),
        ("www.example.org/people", "URL"),
        ("@ana_lopez77", "USERNAME"),
        ("ana_lopez", "USERNAME"),
        ("ana.lopez77", "USERNAME"),
        ("+503 7123-4567", "PHONE"),
        ("7123 4567", "PHONE"),
        ("٧١٢٣ ٤٥٦٧", "PHONE"),
        ("04567890-3", "NATIONAL_ID"),
        ("4539 4148 0863 8337", "CREDIT_CARD"),
        ("GB29 NWBK 6016 1331 9268 19", "IBAN"),
        ("192.168.10.77", "IP"),
        ("2001:db8:0:0:1:0:0:1", "IP"),
        ("13.6929, -89.2182", "GPS"),
        ("13°41'34\"N", "GPS"),
        ("12/05/1990", "DATE"),
        ("1990-05-12", "DATE"),
        ("12 May 1990", "DATE"),
        ("May 12, 1990", "DATE"),
        ("12-May-1990", "DATE"),
        ("18 DE FEBRERO DE 1953", "DATE"),
        ("March 2019", "DATE"),
        ("1957-08-06T00:00:00", "DATE"),
        ("10:20am", "TIME"),
        ("7 o'clock", "TIME"),
        ("LOUMA.657200.9.504", "ID"),
        ("CASE-2019-00123", "ID"),
        ("A56319335", "ID"),
        ("QQ 12 34 56 C", "ID"),
        ("65 170839 J 003", "ID"),
        ("HTTPS://FORUM.EXAMPLE.ORG/U/ZOLANI", "URL"),
        ("ana.gil [at] correo [dot] com", "EMAIL"),
        ("gulagha77 at correo punto com", "EMAIL"),
        ("ana @ correo.com", "EMAIL"),
        ("v7#Lq!92zT", "SECRET"),
        ("10:15 Uhr", "TIME"),
        ("16.30 uur", "TIME"),
        ("00:1B:44:11:3A:B7", "MAC"),
    ],
)
def test_what_has_a_shape_is_taken_out_whole(written: str, kind: str) -> None:
    assert redacted(f"please use {written} for this") == f"please use [{kind}] for this"


def test_a_joined_preposition_hides_no_number_and_no_date() -> None:
    assert "0911223344" not in redacted("ስልክ በ0911223344 ይደውሉ", "am", "ETH")
    assert redacted("ፓስፖርት በ4 ኦገስ 2022 ተሰጥቷል", "am", "ETH") == "ፓስፖርት [DATE] ተሰጥቷል"


def test_an_imei_and_a_short_number_are_known_by_the_word_before() -> None:
    assert redacted("his phone has IMEI 356938035643809 now") == "his phone has IMEI [IMEI] now"
    assert redacted("she has passport no. K4471 only") == "she has passport no. [ID] only"


@pytest.mark.parametrize(
    "note",
    [
        "he owes 15000 USD and earns 1,500 a month",
        "she is 34 years old and has 3 children",
        "the trip took from 2018 to 2021 and 45 days",
        "the 2nd loan of 1 500 000 FCFA is paid",
    ],
)
def test_ages_amounts_and_years_stay(note: str) -> None:
    assert redacted(note) == note


@pytest.mark.parametrize(
    "written",
    [
        "04567890\u20113",
        "0456\u00a07890\u202f3",
        "\u0660\u0664\u0665\u061c\u0666\u0667\u0668\u0669\u0660-\u0663",
        "\u07c0\u07c4\u07c5\u07c6\u07c7\u07c8\u07c9\u07c0\u07c3",
    ],
)
def test_a_number_goes_in_other_digits_blanks_and_hyphens(written: str) -> None:
    assert redacted(f"his number is {written} he said") == "his number is [NATIONAL_ID] he said"


@pytest.mark.parametrize(
    ("language", "note", "left"),
    [
        ("fa", "تذکره جلد 12 صفحه 45 ثبت 3456 دارد", "تذکره [ID] دارد"),
        ("ar", "الهوية سجل ١٢٣٤ صفحة ٥٦ قديمة", "الهوية [ID] قديمة"),
        ("es", "está en el libro 12, folio 34 de la oficina", "está en el [ID] de la oficina"),
        ("en", "the form is on page 4 of the book", "the form is on page 4 of the book"),
    ],
)
def test_volume_and_page_of_old_identity_papers_are_a_number(language: str, note: str, left: str) -> None:
    assert redacted(note, language) == left


@pytest.mark.parametrize(
    ("language", "note", "left"),
    [
        ("en", "She came on Sunday, 28 January 2001 at last", "She came on [DATE] at last"),
        ("en", "She came on Wednesday the 12/05/1990 at last", "She came on [DATE] at last"),
        ("fr", "Il est venu le jeudi 16 octobre 1980 ici", "Il est venu le [DATE] ici"),
        ("pt", "veio na segunda-feira, 5 de maio de 2001 para casa", "veio na [DATE] para casa"),
        ("fa", "چهار شنبه ۱۹ سپتامبر ۲۰۰۵ آمد", "[DATE] آمد"),
        ("uk", "12 листопада 2018 р. у нас", "[DATE] у нас"),
        ("en", "She comes every Sunday with 3 children", "She comes every Sunday with 3 children"),
    ],
)
def test_a_date_goes_with_its_day_of_the_week(language: str, note: str, left: str) -> None:
    assert redacted(note, language) == left


@pytest.mark.parametrize(
    ("language", "note", "left"),
    [
        (
            "en",
            "Full name: Xanthe Quillfeather\nHouse no: 7B | Username: zol.ani",
            "Full name: [NAME]\nHouse no: [ADDRESS] | Username: [USERNAME]",
        ),
        (
            "es",
            "nombre: eulalia goicoechea, fecha de nacimiento: 3 mayo 1980",
            "nombre: [NAME], fecha de nacimiento: [DATE]",
        ),
        ("de", '{"Vorname": "Dörthe", "PLZ": "04109"}', '{"Vorname": "[NAME]", "PLZ": "[ADDRESS]"}'),
        ("en", "<name>Ansgar</name><sex>M</sex>", "<name>[NAME]</name><sex>M</sex>"),
        ("en", 'Password: "{0w7/U for both', "Password: [SECRET] for both"),
        ("en", '{"lastName": "price", "dateOfBirth": "October/97"}', '{"lastName": "[NAME]", "dateOfBirth": "[DATE]"}'),
        ("es", "Contraseña: luna", "Contraseña: [SECRET]"),
        ("fr", "Note : elle veut ouvrir une boutique", "Note : elle veut ouvrir une boutique"),
        ("nl", "Naam: Sietske wil een winkel openen in de stad", "Naam: [NAME] wil een winkel openen in de stad"),
    ],
)
def test_what_stands_behind_a_label_is_what_the_label_says(language: str, note: str, left: str) -> None:
    assert redacted(note, language) == left


@pytest.mark.parametrize(
    ("language", "address"),
    [("es", "Calle Mayor 45"), ("fr", "12 rue de la Paix"), ("en", "Flat 4, 12 Church Lane"), ("fr", "BP 1204 Daloa")],
)
def test_an_address_goes_whole(language: str, address: str) -> None:
    assert redacted(f"A: {address}", language) == "A: [ADDRESS]"


def test_an_address_goes_with_its_numbers() -> None:
    assert redacted("He lives at 60 Gosposka Street, Melo, CA 13241 now") == "He lives at [ADDRESS] now"


@pytest.mark.parametrize(
    "hostile",
    [
        *(sign * 50_000 for sign in ("a@", "1-", "..", "((", "1 ", "a.", "x_", "::", "A1", "+1", "12:", "http://")),
        *(word * 100_000 for word in ("Pt. ", "Aa-")),
        "-1.234" * 20_000,
        "a" * 100_000 + "@",
        "Femke " + "Van Der " * 15_000 + "Velde",
    ],
)
@pytest.mark.timeout(60)
def test_hostile_input_takes_linear_time(hostile: str) -> None:
    Redactor("en", "SLV").find([hostile])


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_note_of_ten_megabytes_is_redacted() -> None:
    sentence = "They said that Zephyrine sold the house for 7123-4567. " + "They need work and help with school. " * 40
    note = sentence * (10_000_000 // len(sentence))
    said = redacted(note)
    assert "Zephyrine" not in said
    assert "7123" not in said
    assert "the house for [PHONE]. They need work" in said


@pytest.mark.parametrize("note", ["", " ", "\n\t", "\u200f\u200b", ".", "😀", "\ud800", "ሰ\u135f", "\u0301"])
def test_a_note_with_next_to_nothing_in_it_passes(note: str) -> None:
    assert redacted(note) == note


def test_a_missing_note_stays_missing() -> None:
    assert Redactor("en", "SLV").redact([None, "", None]) == [None, "", None]


def test_a_lone_surrogate_hides_nothing() -> None:
    assert redacted("call \udcff 7123-4567 and Zephyrine") == "call \udcff [PHONE] and [NAME]"


@pytest.mark.parametrize(
    ("note", "left"),
    [
        ("-" * 60 + "(case K44711 of today", "-" * 60 + "(case [ID] of today"),
        ("he said:www.example.org/a and " + "-" * 50 + " ana@b.org", "he said:[URL] and " + "-" * 50 + " [EMAIL]"),
        ("they owe a  7123-4567\n\n  b_2 ab::1:2:c", "they owe a  [PHONE]\n\n  [USERNAME] [IP]"),
        ("no phone here: ab:cd:ef:ab:cd:ef. @ana", "no phone here: [MAC]. [USERNAME]"),
    ],
)
def test_what_has_a_shape_is_found_behind_words_that_are_stepped_over(note: str, left: str) -> None:
    assert redacted(note) == left


@pytest.mark.parametrize(
    "note", ["", "Ana Gil, DUI 04567890-3", "اسمه مصعب ٧١٢٣ ٤٥٦٧", "k\u200bar\u200ben 7123\u200b-4567"]
)
def test_one_note_is_read_like_a_note_of_a_batch(note: str) -> None:
    redactor = Redactor("ar", "SLV")
    assert redactor.find_in(note) == redactor.find(["Rosa, 7123-4567", note, None])[1]


@pytest.mark.parametrize(
    ("language", "note", "left"),
    [
        ("es", "Sin documentos. Pasaporte AA 069182.", "Sin documentos. Pasaporte [ID]."),
        ("en", "passport A 4471 is lost", "passport [ID] is lost"),
        ("en", "User night-owl267 logged in", "User [ID] logged in"),
        ("en", "billing address 88B Cathedral Street today", "billing address [ADDRESS] today"),
    ],
)
def test_letters_and_words_that_belong_to_a_number_go_with_it(language: str, note: str, left: str) -> None:
    assert redacted(note, language) == left
