"""Several columns that make one variable: one for each answer, ticked or not; or one for each kind of respondent.

Registers and multiple-response sets give each answer a column (`pregnant`, `disability`: yes or no). Questions that are
asked of some in one form and of others in another are never both answered in a row. A single such column proves
nothing: columns that stand alone are left to `matching`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sources.proposing.answers import Answer, match_answers
from sources.proposing.described import Described, Match
from sources.proposing.known import Known, Target
from sources.proposing.skipped import Filled
from sources.proposing.words import plain

_AS_NEAR, _LIKELY = 0.12, 0.6
_ANSWER, _BY_CONVENTION = 0.8, 0.9
_APART = 2
"""Columns of one question stand together, but for one that is not recognised."""
_MOST_SAID = 5
"""Yes, no, and why there is neither."""
_ALONE = 3
"""So many columns speak for an entity of which nothing else was found."""
_PARTS = re.compile(r"[:/\-–—.|>]+\s*")
_MARKS = frozenset({"x", "1", "✓", "✔", "√"})
_YES_NO = "yes_no"


@dataclass(frozen=True)
class Family:
    """Columns of one question, each with the answer it stands for and what its own codes say."""

    codelist: str
    columns: Mapping[str, tuple[Answer, Mapping[str, str]]]


def families(columns: Sequence[Described], known: Known) -> list[Family]:
    """The questions whose answers have a column each; a column belongs to one."""
    ticks = {at: told for at, column in enumerate(columns) if (told := _ticks(column, known))}
    lists = [t.variable.codelist for t in known.targets if t.variable.type == "codes" and t.variable.codelist]
    found: list[Family] = []
    for codelist in dict.fromkeys(lists):
        answers = {at: one for at in ticks if (one := _answer(columns[at], codelist, known)) is not None}
        for run in _runs(sorted(answers)):
            if len({answers[at].target for at in run}) > 1:
                found.append(Family(codelist, {columns[at].name: (answers[at], ticks[at]) for at in run}))
    found.sort(key=lambda family: -len(family.columns))
    taken: set[str] = set()
    kept = []
    for family in found:
        if not taken & set(family.columns):
            kept.append(family)
            taken |= set(family.columns)
    return kept


def _ticks(column: Described, known: Known) -> dict[str, str]:
    """What the codes of a column say of being ticked: `yes`, `no` or a state; empty where that is not what they say."""
    if not column.codes or len(column.codes) > _MOST_SAID or "select_multiple_option" in column.kinds:
        return {}  # what an export of a form has beside its summary is no question
    folded = {code: plain(code) for code in column.codes}
    if not any(column.codes.values()):
        if set(folded.values()) == {"0", "1"}:
            return {code: "yes" if said == "1" else "no" for code, said in folded.items()}
        if len(column.codes) == 1 and next(iter(column.codes)).casefold() in _MARKS:
            return dict.fromkeys(column.codes, "yes")
    answers = match_answers(column.codes, _YES_NO, known)
    told = {code: answer.target for code, answer in answers.items()}
    return told if len(told) == len(column.codes) and "yes" in told.values() else {}


def _answer(column: Described, codelist: str, known: Known) -> Answer | None:
    """The answer that a column's header or label names; its last part counts as the whole does."""
    said = {known.lexicon.written_out(plain(part)) for part in (*_said(column.name), *_said(column.label))} - {""}
    found = match_answers({str(at): text for at, text in enumerate(sorted(said))}, codelist, known)
    own = [answer for answer in found.values() if answer.score >= _ANSWER]
    best = max(own, key=lambda answer: answer.score, default=None)
    return None if best is None or {one.target for one in own if one.score == best.score} != {best.target} else best


def _said(text: str) -> Iterable[str]:
    yield text
    last = _PARTS.split(text.strip())[-1]
    yield last
    yield last.partition("_")[2]


def _runs(places: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for place in places:
        if runs and place - runs[-1][-1] <= _APART:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def of_families(
    found: Sequence[Family], columns: Sequence[Described], known: Known, chosen: Iterable[str]
) -> list[Match]:
    """Matches of the families' columns with the variable of a chosen entity; of the first, where many columns speak."""
    by_name = {column.name: column for column in columns}
    wanted = list(chosen)
    made: list[Match] = []
    for family in found:
        target = _target(family, known, wanted)
        if target is None or target.key in [match.target.key for match in made]:
            continue
        for name, (answer, ticks) in family.columns.items():
            beside = f"one of {len(family.columns)} columns for an answer each: {answer.evidence}"
            made.append(_ticked(by_name[name], target, replace(answer, evidence=beside), ticks))
    return made


def _ticked(column: Described, target: Target, answer: Answer, ticks: Mapping[str, str]) -> Match:
    """A column of a family: what is ticked is its answer, and what is not says nothing."""
    states = {code: Answer(said, _ANSWER, "no answer") for code, said in ticks.items() if said not in ("yes", "no")}
    answers = {code: answer for code, said in ticks.items() if said == "yes"} | states
    nothing = tuple(code for code, said in ticks.items() if said == "no")
    sure = answer.score if nothing else _BY_CONVENTION * answer.score
    return Match(column, target, sure, answer.evidence, answers, "select_multiple", nothing)


def _target(family: Family, known: Known, chosen: Sequence[str]) -> Target | None:
    takes = [t for t in known.targets if t.variable.type == "codes" and t.variable.codelist == family.codelist]
    wanted = [target for target in takes if target.entity in chosen]
    # A person's own come before those of a case, which is often a family's file.
    wanted.sort(key=lambda target: target.entity != "person")
    if wanted:
        return wanted[0]
    own = sorted(takes, key=lambda target: target.entity not in ("person", "household"))
    return own[0] if own and len(family.columns) >= _ALONE else None


def first_filled(matches: Sequence[Match], fitting: Iterable[Match], filled: Filled) -> list[Match]:
    """The matches, each followed by those of other columns that make the same variable in the rows in which it is
    blank: nearly as like, and never answered in the same row."""
    taken = {match.column.name for match in matches}
    others: dict[tuple[str, str], list[Match]] = {}
    for match in fitting:
        if match.column.name not in taken and match.score >= _LIKELY:
            others.setdefault(match.target.key, []).append(match)
    found: list[Match] = []
    for match in matches:
        beside = [
            one
            for one in others.get(match.target.key, ())
            if one.score >= match.score - _AS_NEAR and filled.exclusive(match.column.name, one.column.name)
        ]
        coded = match.target.variable.codelist is not None
        if match.rule or not beside or (coded and not all(one.answers for one in (match, *beside))):
            found.append(match)
            continue
        for one in (match, *beside):
            other = beside[0] if one is match else match
            told = f"{one.evidence}; never filled where «{other.column.name}» is"
            rule = "first_of" if coded else ""
            found.append(replace(one, evidence=told, score=one.score * _BY_CONVENTION, rule=rule))
    return found
