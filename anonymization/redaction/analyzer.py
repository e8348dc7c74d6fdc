"""Presidio's AnalyzerEngine with Homeward's recognizer in it, beside Presidio's own for cards and IBAN.

For those who work with Presidio; the gate takes the bulk way of `redactor`. No model is needed and none is downloaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, IbanRecognizer

from anonymization.redaction.redactor import KnownNames, Redactor

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

_PRESIDIO_NAMES = {
    "NAME": "PERSON",
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "IP": "IP_ADDRESS",
    "IBAN": "IBAN_CODE",
    "DATE": "DATE_TIME",
}
_KINDS = ("NAME", "ADDRESS", "EMAIL", "URL", "USERNAME", "IP", "MAC", "GPS", "DATE", "IBAN", "CREDIT_CARD", "IMEI",
          "PHONE", "NATIONAL_ID", "ID")  # fmt: skip


class NotesRecognizer(EntityRecognizer):
    """All of `redactor` as one recognizer."""

    def __init__(self, language: str, country: str, known_names: KnownNames | None = None) -> None:
        self._redactor = Redactor(language, country, known_names)
        entities = [_PRESIDIO_NAMES.get(kind, kind) for kind in _KINDS]
        super().__init__(supported_entities=entities, name="Homeward notes", supported_language=language)

    def load(self) -> None:
        """Nothing to load: lists are read when the recognizer is made."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """What identifies in one text."""
        found = [(span, _PRESIDIO_NAMES.get(span.type, span.type)) for span in self._redactor.find([text])[0]]
        return [RecognizerResult(kind, span.start, span.end, 1.0) for span, kind in found if kind in entities]


def analyzer(language: str, country: str, known_names: KnownNames | None = None) -> Any:
    """An AnalyzerEngine of one language that asks no network and needs no model."""
    registry = RecognizerRegistry(
        recognizers=[
            NotesRecognizer(language, country, known_names),
            CreditCardRecognizer(supported_language=language),
            IbanRecognizer(supported_language=language),
        ],
        supported_languages=[language],
    )
    engine = NoOpNlpEngine([{"lang_code": language, "model_name": "none"}])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])
