"""Homeward's recognizer inside Presidio's AnalyzerEngine: the same findings, no network, no model."""

import socket
from typing import Any, NoReturn

import pytest

from anonymization.redaction.analyzer import analyzer
from anonymization.redaction.policy import ENOUGH, may_redact, name_recall


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
