"""Presidio's AnalyzerEngine with Homeward's recognizer in it, beside Presidio's own for cards and IBAN.

For those who work with Presidio; the gate takes the bulk way of `redactor`. No model is needed and none is downloaded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
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
          "PHONE", "NATIONAL_ID", "ID", "TIME", "SECRET")  # fmt: skip


_MAY_BE_CARD = re.compile(r"[13-6][0-9]{3}(?:[ -]?[0-9]{3,4}){3}")
_MAY_BE_IBAN = re.compile(r"[0-9](?<=[A-Z]{2}[0-9])[0-9](?:[ -]?[A-Z0-9]{4}){2}")
"""Without these signs Presidio's expressions for cards and IBAN match nothing."""


class NotesRecognizer(EntityRecognizer):
    """All of `redactor` as one recognizer."""

    def __init__(self, language: str, country: str, known_names: KnownNames | None = None) -> None:
        self._redactor = Redactor(language, country, known_names)
        entities = [_PRESIDIO_NAMES.get(kind, kind) for kind in _KINDS]
        super().__init__(supported_entities=entities, name="Homeward notes", supported_language=language)
        self._source = {
            RecognizerResult.RECOGNIZER_NAME_KEY: "Homeward notes",
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }

    def load(self) -> None:
        """Nothing to load: lists are read when the recognizer is made."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """What identifies in one text."""
        return [
            RecognizerResult(named, start, end, 1.0, recognition_metadata=dict(self._source))
            for start, end, kind in self._redactor.find_in(text)
            if (named := _PRESIDIO_NAMES.get(kind, kind)) in entities
        ]


class _Cards(CreditCardRecognizer):
    """Presidio's, asked only about notes that have digits in groups as a card has."""

    def analyze(self, text: str, *args: Any, **kwargs: Any) -> list[RecognizerResult]:
        return super().analyze(text, *args, **kwargs) if _MAY_BE_CARD.search(text) else []


class _Ibans(IbanRecognizer):
    """Presidio's, asked only about notes that have a country code with two digits and eight signs behind."""

    def analyze(self, text: str, *args: Any, **kwargs: Any) -> list[RecognizerResult]:
        return super().analyze(text, *args, **kwargs) if _MAY_BE_IBAN.search(text) else []


class _NoModel(NoOpNlpEngine):
    """One empty answer for every note: nothing here reads tokens, and making a document of none takes time."""

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        if language not in self._empty:
            self._empty[language] = super().process_text("", language)
        return self._empty[language]

    def load(self) -> None:
        super().load()
        self._empty: dict[str, NlpArtifacts] = {}


class _Engine(AnalyzerEngine):
    """Presidio's, for many short notes: who can be asked is looked up once for all of them, not once a note.

    A question with options goes Presidio's own way. Without a model there are no lemmas to raise a score by, and
    results of one recognizer alone do not overlap: looking for either takes longer than finding what a note has.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._asked: dict[tuple[str, int], tuple[list[EntityRecognizer], list[str]]] = {}
        super().__init__(**kwargs)

    def analyze(self, text: str, language: str, *args: Any, **options: Any) -> list[RecognizerResult]:
        if args or options or self.log_decision_process:
            return super().analyze(text, language, *args, **options)
        recognizers, entities = self._recognizers(language)
        artifacts = self.nlp_engine.process_text(text, language)
        found = [one.analyze(text, entities, artifacts) for one in recognizers]
        if isinstance(recognizers[0], NotesRecognizer) and _tells_all(*found):
            return found[0]
        if sum(map(bool, found)) < 2:
            return next(filter(None, found), [])
        return list(EntityRecognizer.remove_duplicates([result for results in found for result in results]))

    def _recognizers(self, language: str) -> tuple[list[EntityRecognizer], list[str]]:
        """Who is asked in a language, and what for; asked anew once a recognizer was added."""
        known = (language, len(list(self.registry.recognizers)))
        if known not in self._asked:
            found = self.registry.get_recognizers(language=language, all_fields=True)
            found.sort(key=lambda one: not isinstance(one, NotesRecognizer))
            self._asked[known] = found, self.get_supported_entities(language)
        return self._asked[known]

    def _enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *args: Any, **kwargs: Any
    ) -> list[RecognizerResult]:
        return raw_results


def _tells_all(own: list[RecognizerResult], *others: list[RecognizerResult]) -> bool:
    """Whether all that others found lies within what the notes' recognizer found: it is certain, and knows that digits
    of an IBAN are no card."""
    return all(any(one.contained_in(mine) for mine in own) for results in others for one in results)


def analyzer(language: str, country: str, known_names: KnownNames | None = None) -> Any:
    """An AnalyzerEngine of one language that asks no network and needs no model."""
    registry = RecognizerRegistry(
        recognizers=[
            NotesRecognizer(language, country, known_names),
            _Cards(supported_language=language),
            _Ibans(supported_language=language),
        ],
        supported_languages=[language],
    )
    engine = _NoModel([{"lang_code": language, "model_name": "none"}])
    return _Engine(registry=registry, nlp_engine=engine, supported_languages=[language])
