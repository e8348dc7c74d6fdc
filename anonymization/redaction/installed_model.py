"""Names that a spaCy model finds, where the deployer has installed one. None is ever downloaded.

A model adds to what the rules find and takes nothing away; it is some hundred times slower than they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from anonymization.redaction.patterns import Span

if TYPE_CHECKING:
    from spacy.language import Language

_PEOPLE_AND_PLACES = {"PERSON", "PER", "LOC", "GPE", "FAC"}
_SIZES = ("trf", "lg", "md", "sm")


@lru_cache(maxsize=8)
def installed_model(language: str) -> Language | None:
    """The largest model of a language on this machine, if any: asked by package name, so that nothing is fetched."""
    kind = "web" if language in ("en", "zh") else "news"
    names = [f"{language}_core_{kind}_{size}" for size in _SIZES] + ["xx_ent_wiki_sm"]
    found = next((name for name in names if _is_package(name)), None)
    if found is None:
        return None
    import spacy

    return spacy.load(found, exclude=["lemmatizer", "parser", "attribute_ruler"])


def _is_package(name: str) -> bool:
    """As spaCy asks, which takes most of a second to import."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def named(model: Language, texts: Sequence[str]) -> Iterator[list[Span]]:
    """People and places in each text."""
    model.max_length = max([model.max_length, *map(len, texts)])
    for document in model.pipe(texts):
        spans = [(one.start_char, one.end_char) for one in document.ents if one.label_ in _PEOPLE_AND_PLACES]
        yield [Span(start, end, "NAME") for start, end in spans]
