"""Which answer of a code list each code of a source column is: by its label, its name, or what it shortens.

Several codes may be one answer. Two answers that fit equally well are none: that is told, not decided. A label counts
for more than the code beside it: where they disagree the label is believed, less surely, and the note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from sources.proposing.known import Known, Term
from sources.proposing.shortened import letters_meant, shortened
from sources.proposing.words import plain

_ENOUGH, _MARGIN = 0.72, 0.02
_TOGETHER, _SPEAKING = 0.8, 4
_SHORTENED, _SAME_CODE = 0.8, 0.95
_DISAGREE = 0.9
_SHORT = 3
"""Words of so few letters are like any other."""
_ARABIC_ENDINGS = re.compile("(?:يا|يه|ية|ي|ا)$")
_STEM = 5
"""A nationality shares at least so many letters with its country, and more than with any other."""


@dataclass(frozen=True)
class Answer:
    """The answer that a code is proposed to be, how sure (0 to 1), and by what."""

    target: str
    score: float
    evidence: str


def match_answers(codes: Mapping[str, str], codelist: str, known: Known, language: str = "") -> dict[str, Answer]:
    """Code -> answer for the codes (with labels, blank where unknown) that one answer fits best; `language` is that
    of the headers around them, if it is known."""
    terms = [(target, term) for target, listed in known.answers[codelist].items() for term in listed]
    by_code = _by_code(codes, codelist, terms, known, language)
    found = {}
    for code, label in codes.items():
        answer = _best(plain(label), by_code.get(code, []), terms, plain(code))
        if answer is not None:
            found[code] = answer
    return found


def _best(label: str, by_code: list[Answer], terms: list[tuple[str, Term]], code: str) -> Answer | None:
    said = _sure(by_code)
    if not label or label == code:
        return said
    spoken = _likely(label, terms)
    answer = _sure(spoken)
    if answer is None:
        rivals = {one.target for one in spoken if one.score >= max(_ENOUGH, spoken[0].score - _MARGIN)}
        if said is None or (rivals and said.target not in rivals):
            return None
        return Answer(said.target, said.score * _DISAGREE, f"{said.evidence}; by its code, the label does not tell")
    if said is not None and said.target != answer.target:
        doubt = f"{answer.evidence}; DISAGREES with its code, which reads like {said.target}"
        return Answer(answer.target, answer.score * _DISAGREE, doubt)
    return answer


def _sure(ranked: list[Answer]) -> Answer | None:
    """The best, if it is good enough and no other is as good."""
    if not ranked or ranked[0].score < _ENOUGH:
        return None
    return None if len(ranked) > 1 and ranked[1].score > ranked[0].score - _MARGIN else ranked[0]


def _likely(said: str, terms: list[tuple[str, Term]]) -> list[Answer]:
    """Every answer by the likeness of its words to a text, the best first; only the same words for a short one."""
    best: dict[str, Answer] = {}

    def offer(target: str, term: Term, score: float, how: str = "") -> None:
        if target not in best or best[target].score < score:
            best[target] = Answer(target, score, f"{how}«{term.text}» ({term.where})")

    for target, term in terms:
        if term.text == said:
            offer(target, term, 1.0)
    if len(said) > 2 and not said.replace(" ", "").isdigit():
        long = [(target, term) for target, term in terms if len(term.text) > _SHORT]
        texts = [term.text for _, term in long]
        for _, score, place in process.extract(said, texts, scorer=fuzz.token_sort_ratio, limit=8, score_cutoff=60):
            if _could_be_misspelt(said, texts[place]):
                offer(*long[place], score / 100)
        for target, term in terms:
            if term.text.startswith(said) and term.text != said:
                offer(target, term, _SHORTENED, "begins ")
    return sorted(best.values(), key=lambda answer: -answer.score)


def _could_be_misspelt(said: str, text: str) -> bool:
    """Of single words the first letter is hardly ever mistaken: `camion` is no `avion`, and a Somali is not of Mali."""
    return " " in said or " " in text or said[0] == text[0]


def _by_code(
    codes: Mapping[str, str], codelist: str, terms: list[tuple[str, Term]], known: Known, spoken: str
) -> dict[str, list[Answer]]:
    """What every code says by itself: by its words, by what it was elsewhere, or by what it is short for."""
    folded = {code: plain(code) for code in codes}
    remembered = _remembered(folded.values(), known.codes[codelist])
    letters, language = letters_meant(folded.values(), terms, known.lexicon.letters.get(codelist, {}), spoken)
    short = shortened([code for code in folded.values() if code not in remembered], terms)
    found = {}
    for code, said in folded.items():
        ranked = _likely(said, terms) if len(said) > 1 else []
        if ranked and ranked[0].score >= _SAME_CODE:
            found[code] = ranked
        elif said in remembered:
            found[code] = [remembered[said]]
        elif said in letters:
            found[code] = [
                Answer(letters[said], _SHORTENED, f"letter of the answer ({language}), read with the others")
            ]
        elif _sure(ranked):
            found[code] = ranked
        elif said in short:
            target, term = short[said]
            found[code] = [Answer(target, _SHORTENED, f"short for «{term.text}» ({term.where})")]
        elif codelist == "country":
            found[code] = _nationality(said, terms)
    return found


def _nationality(said: str, terms: list[tuple[str, Term]]) -> list[Answer]:
    """The country whose name a nationality is made of (`guatemalteca`, `hondureña`), if one shares more of it."""
    of_arabic = {target: term for target, term in terms if _without_endings(term.text) == _without_endings(said)}
    if of_arabic:
        return [
            Answer(target, _SHORTENED, f"made of «{term.text}» ({term.where})") for target, term in of_arabic.items()
        ]
    shared: dict[str, tuple[int, Term]] = {}
    for target, term in terms:
        for word in term.text.split():
            length = next(
                (at for at, (a, b) in enumerate(zip(said, word, strict=False)) if a != b), min(len(said), len(word))
            )
            if length >= _STEM and length > shared.get(target, (0, term))[0]:
                shared[target] = length, term
    ranked = sorted(shared.items(), key=lambda item: -item[1][0])
    if not ranked or " " in said or (len(ranked) > 1 and ranked[1][1][0] == ranked[0][1][0]):
        return []
    target, (_, term) = ranked[0]
    return [Answer(target, _SHORTENED, f"made of «{term.text}» ({term.where})")]


def _without_endings(word: str) -> str:
    """What an Arabic country and the nationality that is made of it have in common: `يمن` of `اليمن` and `يمنية`."""
    return _ARABIC_ENDINGS.sub("", word.removeprefix("ال"))


def _remembered(wanted: Iterable[str], columns: Mapping[str, Mapping[str, str]]) -> dict[str, Answer]:
    """Answers that the same codes had elsewhere. Short codes mean what they mean only together: M beside H is a woman,
    beside F a man; so nearly all of them must stand in one column."""
    spoken = [code for code in wanted if not code.isdigit()]
    found: dict[str, Answer] = {}
    for where, meant in columns.items():
        met = [code for code in spoken if code in meant]
        together = len(met) > 1 and len(met) >= _TOGETHER * len(spoken)
        for code in met:
            if together or len(code) >= _SPEAKING:
                found.setdefault(code, Answer(meant[code], _SAME_CODE, f"the same code in {where}"))
    return found
