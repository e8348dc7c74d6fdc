"""Which answer of a code list each code of a source column is: by its label, its name, or what it shortens.

Several codes may be one answer. Two answers that fit equally well are none: that is told, not decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from sources.proposing.known import Known, Term
from sources.proposing.words import plain

_ENOUGH, _MARGIN = 0.72, 0.02
_TOGETHER, _SPEAKING = 0.8, 4
_SHORTENED, _SAME_CODE = 0.8, 0.95


@dataclass(frozen=True)
class Answer:
    """The answer that a code is proposed to be, how sure (0 to 1), and by what."""

    target: str
    score: float
    evidence: str


def match_answers(codes: Mapping[str, str], codelist: str, known: Known) -> dict[str, Answer]:
    """Code -> answer for the codes (with labels, blank where unknown) that one answer fits best."""
    labels = known.answers[codelist]
    terms = [(target, term) for target, listed in labels.items() for term in listed]
    initials = _initials(codes, terms)
    remembered = _remembered(codes, known.codes[codelist])
    found = {}
    for code, label in codes.items():
        ranked = _ranked(plain(code), plain(label), terms, remembered, initials)
        if ranked and ranked[0].score >= _ENOUGH and not _rivals(ranked):
            found[code] = ranked[0]
    return found


def _rivals(ranked: list[Answer]) -> bool:
    return len(ranked) > 1 and ranked[1].score > ranked[0].score - _MARGIN


def _ranked(
    code: str,
    label: str,
    terms: list[tuple[str, Term]],
    remembered: Mapping[str, Answer],
    initials: Mapping[str, Answer],
) -> list[Answer]:
    """Every answer by its best score, the best first."""
    best: dict[str, Answer] = {}

    def offer(answer: Answer) -> None:
        if answer.target not in best or best[answer.target].score < answer.score:
            best[answer.target] = answer

    for target, term in terms:
        if term.text == label or (term.text == code and len(code) > 1):
            offer(Answer(target, 1.0 if term.text == label else 0.99, f"«{term.text}» ({term.where})"))
    texts = [term.text for _, term in terms]
    for said in dict.fromkeys(text for text in (label, code) if len(text) > 2 and not text.isdigit()):
        for _, score, place in process.extract(said, texts, scorer=fuzz.token_sort_ratio, limit=8, score_cutoff=60):
            target, term = terms[place]
            offer(Answer(target, score / 100 * (1.0 if said == label else 0.99), f"«{term.text}» ({term.where})"))
        for target, term in terms:
            if len(said) >= 3 and term.text.startswith(said) and term.text != said:
                offer(Answer(target, _SHORTENED, f"begins «{term.text}» ({term.where})"))
    if not label or label == code:
        if code in remembered:
            offer(remembered[code])
        elif code in initials:
            offer(initials[code])
    return sorted(best.values(), key=lambda answer: -answer.score)


def _remembered(codes: Mapping[str, str], columns: Mapping[str, Mapping[str, str]]) -> dict[str, Answer]:
    """Answers that the same codes had elsewhere. Short codes mean what they mean only together: M beside H is a woman,
    beside F a man; so nearly all of them must stand in one column."""
    wanted = [plain(code) for code, label in codes.items() if label in ("", code) and not plain(code).isdigit()]
    found: dict[str, Answer] = {}
    for where, meant in columns.items():
        met = [code for code in wanted if code in meant]
        together = len(met) >= _TOGETHER * len(wanted)
        for code in met:
            if together or len(code) >= _SPEAKING:
                found.setdefault(code, Answer(meant[code], _SAME_CODE, f"the same code in {where}"))
    return found


def _initials(codes: Mapping[str, str], terms: list[tuple[str, Term]]) -> dict[str, Answer]:
    """Codes of one letter, read together: they must be the initials of different answers in one language."""
    letters = [
        plain(code) for code, label in codes.items() if len(code) == 1 and code.isalpha() and label in ("", code)
    ]
    if len(letters) < 2:
        return {}
    by_language: dict[str, dict[str, set[str]]] = {}
    for target, term in terms:
        if term.where.startswith("label"):
            by_language.setdefault(term.where, {}).setdefault(term.text[0], set()).add(target)
    for where, found in by_language.items():
        if all(len(found.get(letter, ())) == 1 for letter in letters):
            return {letter: Answer(next(iter(found[letter])), _SHORTENED, f"initial ({where})") for letter in letters}
    return {}
