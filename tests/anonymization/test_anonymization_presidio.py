"""Homeward's recognizer inside Presidio's AnalyzerEngine: the same findings, no network, no model."""

import importlib
import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import pytest
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, IbanRecognizer
from stdnum import luhn

from anonymization.redaction.analyzer import analyzer
from anonymization.redaction.folding import fold
from anonymization.redaction.installed_model import installed_model
from anonymization.redaction.lexicon import lexicon
from anonymization.redaction.numbers import is_iban
from anonymization.redaction.policy import ENOUGH, may_redact, name_recall
from anonymization.redaction.redactor import Redactor


def test_the_engine_finds_without_network_or_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the engine asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    text = "Vive con Xiomara en la casa, cuenta GB29NWBK60161331926819, tarjeta 4539414808638337"
    found = {(text[one.start : one.end], one.entity_type) for one in analyzer("es", "HND").analyze(text, language="es")}
    assert ("Xiomara", "PERSON") in found
    assert ("GB29NWBK60161331926819", "IBAN_CODE") in found
    assert ("4539414808638337", "CREDIT_CARD") in found


def test_only_languages_with_a_good_figure_may_be_redacted() -> None:
    assert {"en", "fr", "es", "ar", "am", "fa", "so"} <= {one for one, recall in name_recall().items() if recall > 0}
    assert all(may_redact(language) == (recall >= ENOUGH) for language, recall in name_recall().items())
    assert not may_redact("ha")


def test_an_installed_model_is_used_beside_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "it_core_news_sm"
    package.mkdir()
    package.joinpath("__init__.py").write_text(
        "import spacy\n\n\ndef load(**settings):\n    nlp = spacy.blank('it')\n"
        "    ruler = nlp.add_pipe('entity_ruler')\n"
        "    ruler.add_patterns([{'label': 'PER', 'pattern': 'lavoro'}])\n    return nlp\n"
    )
    metadata = tmp_path / "it_core_news_sm-3.8.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: it_core_news_sm\nVersion: 3.8.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    installed_model.cache_clear()
    assert Redactor("it", "ITA").redact(["La persona vuole lavoro e il numero è 0612345678"]) == [
        "La persona vuole [NAME] e il numero è [PHONE]"
    ]
    installed_model.cache_clear()


def test_without_a_model_none_is_looked_for_elsewhere() -> None:
    assert installed_model("pt") is None


@pytest.mark.parametrize(
    ("language", "note"),
    [
        # Of both accounts some digits pass for a card.
        ("es", "Transferir a la cuenta SV97 CENR 4517 1077 5637 9773 2424 de Consuelo Báez"),
        ("it", "Bonificare su ES09 2086 4765 0272 0796 2721, intestato a Ciro Melis, entro il 3/4/2024"),
        ("en", "my password: hunter2!X, or v7#Lq!92zT, and come at 10:20am to 12 Mill Lane, SW1A 2AA"),
        ("en", "mail ana@x.org, IMEI 356938035643809, 4539 4148 0863 8337, 00:1B:44:11:3A:B7, 10.0.0.7, @ana_77"),
    ],
)
def test_the_engine_finds_what_the_bulk_way_finds_and_no_more(language: str, note: str) -> None:
    from anonymization.redaction.analyzer import _PRESIDIO_NAMES

    bulk = Redactor(language, "SLV").find([note])[0]
    found = analyzer(language, "SLV").analyze(note, language=language)
    assert sorted((one.start, one.end, one.entity_type) for one in found) == [
        (start, end, _PRESIDIO_NAMES.get(kind, kind)) for start, end, kind in bulk
    ]


def test_redaction_by_rules_loads_neither_spacy_nor_presidio() -> None:
    """They take two seconds to import, French five: every run of a small delivery would wait for them."""
    asks = (
        "import sys; from anonymization.redaction.redactor import Redactor\n"
        "note = 'card 4539 4148 0863 8337, to DE89 3704 0044 0532 0130 00'\n"
        "for language in ('en', 'fr', 'fa'): print(*Redactor(language, 'CIV').redact([note]))\n"
        "assert not {'spacy', 'presidio_analyzer'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == ["card [CREDIT_CARD], to [IBAN]"] * 3


@pytest.mark.parametrize("language", ["en", "es", "ar", "fa", "am"])
def test_stop_words_are_those_of_spacy(language: str) -> None:
    known = importlib.import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS
    assert known
    assert {fold(word) for word in known if word.isalpha()} <= lexicon(language).stop
    assert lexicon("nowhere").stop == frozenset()


def test_a_card_is_what_presidio_takes_for_one() -> None:
    numbers = [str(int(sha256(bytes([at])).hexdigest(), 16))[: 13 + at % 7] for at in range(256)]
    taken = [number for number in numbers if CreditCardRecognizer().validate_result(number)]
    assert 10 < len(taken) < 50
    assert [number for number in numbers if luhn.is_valid(number)] == taken


def test_an_iban_is_what_presidio_takes_for_one_and_those_of_central_america() -> None:
    known = [
        *("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NL91ABNA0417164300"),
        *("ES9121000418450200051332", "GT82TRAJ01020000001210029690", "BR9700360305000010009795493P1"),
        *("IQ98NBIQ850123456789012", "LB62099900000001001901229114", "TN5910006035183598478831"),
    ]
    wrong = [f"{iban[:-3]}{(int(iban[-3]) + 1) % 10 if iban[-3].isdigit() else 'A'}{iban[-2:]}" for iban in known]
    assert [bool(IbanRecognizer().validate_result(iban)) for iban in (*known, *wrong)] == [True] * 10 + [False] * 10
    assert [is_iban(iban) for iban in (*known, *wrong)] == [True] * 10 + [False] * 10
    assert is_iban("SV62 CENR 0000 0000 0000 0070 0025")
    assert is_iban("HN88CABF00000000000250005469")
