"""Takes one note through the redactor of a language and country."""

from __future__ import annotations

from anonymization.redaction.redactor import Redactor, name_words


def redacted(note: str, language: str = "en", country: str = "SLV", own: str | None = None) -> str:
    names = [name_words(own)] if own else None
    return str(Redactor(language, country).redact([note], names)[0])
