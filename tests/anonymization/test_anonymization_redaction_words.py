"""What stays of a note: greetings, numbers of a list, articles, everyday words of news and casework; and names that are
words or days of another language, which go."""

import pytest

from anonymization.redaction.redactor import Redactor


def redacted(note: str, language: str, country: str = "SLV") -> str:
    return str(Redactor(language, country).redact([note])[0])


@pytest.mark.parametrize(
    ("language", "note", "stays"),
    [
        ("en", "Dear Gift Adebayo, thank you", "Dear [NAME], thank you"),
        ("nl", "Beste Youssra, dank u", "Beste [NAME], dank u"),
        ("fa", "سلام نیلوفر، تشکر", "سلام [NAME]، تشکر"),
        ("en", "It was 1. Osagie Uwaifo 2. Itohan Eze 3. Aisosa Eze", "It was 1. [NAME] 2. [NAME] 3. [NAME]"),
        ("fr", "Le Dr Yéo est venu", "Le [NAME] est venu"),
        ("es", "La señora Umanzor llegó", "La [NAME] llegó"),
        ("es", "Ayer Monseñor Romero llegó", "Ayer [NAME] llegó"),
        ("it", "Oggi Sunday non viene, e June nemmeno", "Oggi [NAME] non viene, e [NAME] nemmeno"),
        ("en", "He came on Sunday and left in October", "He came on Sunday and left in October"),
        ("fa", "بیمار رویا صافی روز 12/05/2001 آمد", "بیمار [NAME] روز [DATE] آمد"),
        ("am", "ፕሬዚዳንት ጆ ባይደን መግለጫ ሰጡ", "ፕሬዚዳንት [NAME] መግለጫ ሰጡ"),
        ("am", "ከሊቢያ መጋቢት 8 ቀን 1985 መጣ", "ከሊቢያ [DATE] መጣ"),
        ("am", "ባለሥልጣኑ ጌታቸው ረዳ መግለጫ ሰጡ", "ባለሥልጣኑ [NAME] መግለጫ ሰጡ"),
        ("am", "ወይዘሮ ልደት መጣች", "ወይዘሮ [NAME] መጣች"),
        ("ar", "جاءت السيدة تحية أمس", "جاءت [NAME] أمس"),
        ("ar", "وصل الأخضر الإبراهيمي أمس", "وصل [NAME] أمس"),
        ("fr", "elle cherche ses enfants Pape et Wideline", "elle cherche ses enfants [NAME] et [NAME]"),
        ("fr", "Elle vit chez Romancier depuis hier", "Elle vit chez [NAME] depuis hier"),
        ("nl", "Volgens Keizer is het klaar", "Volgens [NAME] is het klaar"),
    ],
)
def test_words_beside_a_name_stay_and_names_that_are_words_go(language: str, note: str, stays: str) -> None:
    assert redacted(note, language) == stays


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("so", "Wasiirka ayaa saxaafadda la hadlay, taliyaha booliskana wuu cambaareeyay weerarka"),
        ("so", "Haweeney ayaa sheegtay in wiilkeeda la afduubay"),
        ("am", "ከንቲባዋ ግንባታውን ጎበኙ ፤ ጋዜጠኞች ጥያቄ አቀረቡ"),
        ("ar", "أسكن مع أولادي وعملي في مصنع، وأبحث عن بيت"),
        ("fa", "دارنده پاسپورت استعفا داد و قسط را واریز کرد"),
        ("it", "Assente la madre: il giudice condannò il trafficante"),
        ("pt", "Faltou a enfermeira; o treinador elogiou o guarda-redes"),
        ("nl", "Afwezig bij het huisbezoek: de zwager keerde terug"),
    ],
)
def test_everyday_words_of_news_and_casework_stay(language: str, note: str) -> None:
    assert redacted(note, language) == note
