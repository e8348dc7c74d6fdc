"""Whether a column holds several answers to one question in a cell, and by what they are joined.

KoboToolbox joins codes by a space; form services of the web join labels by a comma or a semicolon. Few different
answers in many combinations are such a question; names, streets and lists of people are not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from connectors.profiling.samples import Mask, Vocabulary

if TYPE_CHECKING:
    from connectors.profiling.looks_like import Seen

_MARKS = (";", "|", ",", " / ", "\n")
_SAMPLE = 2_000
_OPTIONS = 60
"""A question has no more answers than this."""
_COMBINATIONS = 2
"""One name of two words among others of one is a name: `voluntario asistido` beside `voluntario`."""
_WORDS = 8
"""An answer has no more words than this."""


def several_answers(seen: Seen) -> bool:
    """Codes of few kinds, joined by spaces, in many combinations."""
    if seen.declared_date or seen.type.startswith(("date", "time")) or not seen.filled:
        return False
    if not seen.sample.which(_of_several_words).any():
        return False
    texts = [value.split() for value in seen.sample.texts[:_SAMPLE]]
    several = [text for text in texts if len(text) > 1]
    if len(several) < (1 if seen.coded else _COMBINATIONS):
        return False
    if seen.coded and not all(word in seen.codes for text in several for word in text):
        return False
    if any(len(set(text)) < len(text) for text in several):
        return False
    if seen.coded:
        return True
    if not _combined(texts, several):
        return False
    vocabulary = {word for text in texts for word in text}
    code = re.compile(r"^[a-z0-9][a-z0-9_\-]*$|^[A-Z0-9_]{1,12}$")
    written = len(vocabulary) <= 60 and all(map(code.match, vocabulary))
    repeated = sum(map(len, texts)) >= 2 * len(vocabulary) or any(len(text) == 1 for text in texts)
    return written and repeated and len(several) >= 0.2 * len(texts) and len(texts) >= 3


def _combined(texts: Sequence[Sequence[str]], several: Sequence[Sequence[str]]) -> bool:
    """Whether words stand together as answers do, in numbers that vary, and alone or in other company as well: those
    of street and place names stand in one company, or always in twos."""
    if len({len(text) for text in texts}) < 2:
        return False
    companies = Counter(word for text in several for word in text)
    alone = {text[0] for text in texts if len(text) == 1}
    free = sum(times > 1 or word in alone for word, times in companies.items())
    return bool(alone & set(companies) or len({len(text) for text in several}) > 1) and free >= 0.5 * len(companies)


def joined_by(seen: Seen) -> str:
    """The mark between the labels of several answers in a cell; blank where there are none such."""
    if seen.type != "text" or seen.coded or seen.distinct < 3:
        return ""
    met = [mark for mark in _MARKS if seen.sample.which(re.escape(mark)).any()]
    values = seen.sample.texts[:_SAMPLE] if met else []
    return next((mark.strip() or "line breaks" for mark in met if _are_answers(values, mark)), "")


def _of_several_words(vocabulary: Vocabulary) -> Mask:
    """Which texts are of several words."""
    return np.array([len(text.split(None, 1)) > 1 for text in vocabulary.texts], bool)


def _are_answers(values: Sequence[str], mark: str) -> bool:
    texts = [[part.strip() for part in value.split(mark) if part.strip()] for value in values if value.strip()]
    several = [text for text in texts if len(text) > 1]
    if len(several) < 0.2 * len(texts) or not several or any(len(set(text)) < len(text) for text in several):
        return False
    answers = Counter(part for text in texts for part in text)
    short = all(len(answer.split()) <= _WORDS and re.search(r"[^\W\d]", answer) for answer in answers)
    often = sum(times > 1 for times in answers.values()) >= 0.7 * len(answers)
    return short and often and len(answers) <= _OPTIONS and _combined(texts, several)
