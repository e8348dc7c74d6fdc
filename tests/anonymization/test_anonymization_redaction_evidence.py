"""Names told by general evidence and not by a list: a capital where none is due, initials, brackets, chains; and what
the same rules leave."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str) -> str:
    return str(Redactor(language, "SLV").redact([note])[0])


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        # a word with its ending taken off is asked for in its own language, not in English
        ("fr", "On a rendu le sac de Baye hier", "On a rendu le sac de [NAME] hier"),
        # an everyday word with a capital amid small words within a sentence
        ("nl", "Ze zegt dat Blind niet kwam.", "Ze zegt dat [NAME] niet kwam."),
        ("it", "Credo che Lo Bianco sia partito ieri", "Credo che [NAME] sia partito ieri"),
        # a relative with the name in brackets
        ("fr", "Vue avec sa soeur (Aïda) hier", "Vue avec sa soeur ([NAME]) hier"),
        ("ar", "حضرت زوجته (نجاة) اليوم", "حضرت زوجته ([NAME]) اليوم"),
        # a title or a relative before a word that people are called, in a note without capitals
        ("es", "LLEGA CON SU HIJA FLOR HOY", "LLEGA CON SU HIJA [NAME] HOY"),
        # initials without blanks
        ("pt", "A ação contra J.C.S. continua", "A ação contra [NAME]. continua"),
        ("nl", "De zaak tegen R.T. loopt nog", "De zaak tegen [NAME]. loopt nog"),
        # who signs on the last line, though an address says the same
        ("en", "To: olu.f@mail.example\nSee you there\nOlu", "To: [EMAIL]\nSee you there\n[NAME]"),
        # asked or written to, in a note without capitals
        ("en", "please email hope the new form", "please email [NAME] the new form"),
        # the family name first
        ("de", "Patientin: Jung, Shirin, zur Kontrolle", "Patientin: [NAME], [NAME], zur Kontrolle"),
        # a nickname between two names
        ("it", 'Ha visto Paolo "er Biondo" Ferraioli ieri', 'Ha visto [NAME] "[NAME]" [NAME] ieri'),
        # a title cut short by a stroke
        ("am", "ከዶ/ር መብራት ጋር ተመክሯል", "ከዶ/ር [NAME] ጋር ተመክሯል"),
        # a given name with a capital that is a word of English only
        ("de", "Das Handy von Can wurde gefunden", "Das Handy von [NAME] wurde gefunden"),
        # with somebody, in a note that names somebody else; and named elsewhere in the note
        ("ar", "هاتف سندس مشترك مع طالب", "هاتف [NAME] مشترك مع [NAME]"),
        ("fa", "نرگس با باران بازی می‌کند", "[NAME] با [NAME] بازی می‌کند"),
        # beside what one does to people, where letters have no case
        ("am", "ለፍቅር ላክ", "[NAME] ላክ"),
        ("ar", "اسأل طالب عن الدواء", "اسأل [NAME] عن الدواء"),
    ],
)
def test_names_told_by_general_evidence_go(language: str, note: str, stays: str) -> None:
    assert redacted(note, language) == stays


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("es", "Llegaron Xochilt Turcios y Nayib Umanzor", "Llegaron [NAME] y [NAME]"),
        ("pt", "Hoje Jurandir Kalunga e Umaro Baldé chegaram", "Hoje [NAME] e [NAME] chegaram"),
        ("it", "ho visto moussa e blessing", "ho visto [NAME] e [NAME]"),
        ("de", "Dann kam Roswitha Yıldız an. Demir bestritt das.", "Dann kam [NAME] an. [NAME] bestritt das."),
        ("am", "ወ/ሮ ዘይነብ መጣች", "ወ/ሮ [NAME] መጣች"),
        ("it", "ut. Ottavia è rientrata da Lagos 3 sett fa", "ut. [NAME] è rientrata da [NAME] 3 sett fa"),
        ("en", "client Lakshmi ret. from the camp, ph shared", "client [NAME] ret. from the camp, ph shared"),
        ("nl", "de telefoon van winston is afgenomen", "de telefoon van [NAME] is afgenomen"),
        ("de", "das handy von tsehay wurde mitgenommen", "das handy von [NAME] wurde mitgenommen"),
        ("es", "wilmer fue trasladada y revisaron todo", "[NAME] fue trasladada y revisaron todo"),
        ("de", "Die Beraterin und die Zeugin sprachen mit Shirin", "Die Beraterin und die Zeugin sprachen mit [NAME]"),
        ("es", "Entrevistadora: ¿y ahora?", "Entrevistadora: ¿y ahora?"),
        ("en", "She wrote to the Court of Appeal and then left", None),
        ("es", "La O.N.G. pidió el D.N.I. 12", "La O.N.G. pidió el D.N.I. 12"),
    ],
)
def test_what_general_evidence_leaves(language: str, note: str, stays: str | None) -> None:
    assert redacted(note, language) == (note if stays is None else stays)
