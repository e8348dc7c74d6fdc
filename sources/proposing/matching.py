"""Which variable each column could make: by likeness of names and labels, by its codes, and by what type it is.

Within an entity one column makes one variable (an assignment of the highest total); one column may serve several
entities. An entity is proposed where it explains columns better than any other does. Scores are 0 to 1 and reach the
reviewer with their evidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sources.proposing.answers import Answer, match_answers
from sources.proposing.described import Described, Match, date_forms
from sources.proposing.known import Known, Target
from sources.proposing.several import families, first_filled, of_families
from sources.proposing.skipped import Seen, of_all, skipped
from sources.proposing.words import Likeness, plain

ENOUGH = 0.5
"""Below this score nothing is proposed."""
_BESIDE = 0.12
"""A column serves a second entity if it fits there nearly as well as where it fits best."""
_OWN, _GAIN, _ALONE = 2, 0.25, 0.85
"""An entity is proposed if it explains so many columns by so much better than those before, or one as new."""
_SPEAKS = 0.7
"""Only a match as near as this speaks for an entity: in a long survey a few columns are like anything."""
_OF_ALL, _AFTER = "household", 0.85
"""What is said of a person and her return may be said of a household too; so those are asked before it."""
_BORN = 0.75
"""A column that the profile takes for birth dates tells the year of a birth, whatever its words."""
_FAR = 0.25
"""A column that fits so much better into an entity that is not proposed is left to the reviewer."""
_MEASURE = 0.55
"""A number has no answers that speak for it: its words must be nearer."""
_LABELLED = 4
"""A number may have so many labelled codes, for what is no answer; an answer scale has more."""
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_WHEN = re.compile(
    r"(?i)\b(?:in|during|over) the (?:last|past)(?: \w+)? (?:days?|weeks?|months?|years?)\b"
    r"|\b(?:en|durante) l[oa]s? últim[oa]s?(?: \w+)? (?:días?|semanas?|mes(?:es)?|años?)\b"
    r"|\bau cours (?:des|du|de la|de l['’])(?: \w+)? derni[eè]re?s?(?: \w+)?\b"
    r"|\bau cours des(?: \w+)? derni[eè]re?s? (?:jours|semaines|mois|ans)\b"
)
"""What stands aside in a question, and over which time it asks: hardly what it asks for."""
_PLAIN, _WITHOUT_CODES = 0.75, 0.8
_FURTHER, _ALL_BUT_FEW = 0.6, 0.75
"""What a second variable of one column asks: so high a score, and answers for so many of its codes."""
_NO_STATES = ("dont_know", "refused", "not_applicable")


def propose(columns: Sequence[Described], known: Known, seen: Seen | None = None) -> list[Match]:
    """Matches of one table's columns, entity by entity in the codebook's order; `seen`: what its rows and form say."""
    likeness = Likeness(known.texts())
    answers = _AnswersOf(known, _language(columns, known))
    ticked = families(columns, known)
    of_family = {name for family in ticked for name in family.columns}
    alone = [column for column in columns if column.name not in of_family]
    said = {column.name: _said(column, known) for column in alone}
    scored = [
        _score(column, target, _Text(likeness, said[column.name]), answers)
        for column in alone
        for target in known.targets
    ]
    fitting = [match for match in scored if match is not None and match.score >= _least(match.target)]
    entities = dict.fromkeys(target.entity for target in known.targets)
    assigned = {entity: _with_further([m for m in fitting if m.target.entity == entity]) for entity in entities}
    chosen = _entities(assigned)
    best = _best_of(match for entity in chosen for match in assigned[entity])
    anywhere = _best_of(fitting)
    made = [match for entity in entities if entity in chosen for match in assigned[entity]]
    likely = [
        match
        for match in made
        if match.score >= best[match.column.name] - _BESIDE and match.score > anywhere[match.column.name] - _FAR
    ]
    # A summary of all answers says more than columns that are like some of them.
    summaries = {match.target.key for match in likely if len(match.answers) > 1}
    lists = [match for match in of_families(ticked, columns, known, chosen) if match.target.key not in summaries]
    listed, order = {match.target.key for match in lists}, list(entities)
    found = [match for match in likely if match.target.key not in listed] + lists
    found.sort(key=lambda match: order.index(match.target.entity))
    return found if seen is None else _as_seen(columns, found, fitting, seen)


def _as_seen(columns: Sequence[Described], found: list[Match], fitting: Iterable[Match], seen: Seen) -> list[Match]:
    """The matches with what the rows say: other columns of the same variable, and blank cells that were not asked."""
    made = {match.target.key for match in found}
    also = [match for match in fitting if match.target.key in made]
    of_interest = {match.column.name for match in (*found, *also)}
    filled = seen.count([column for column in columns if column.name in of_interest])
    together = first_filled(found, also, filled)
    blank = skipped(columns, together, filled, seen.conditions)
    return [replace(match, skipped=told) for match, told in zip(together, of_all(together, blank), strict=True)]


def _least(target: Target) -> float:
    return _MEASURE if target.variable.type in ("integer", "decimal") else ENOUGH


def _best_of(matches: Iterable[Match]) -> dict[str, float]:
    best: dict[str, float] = {}
    for match in matches:
        best[match.column.name] = max(best.get(match.column.name, 0.0), match.score)
    return best


def _entities(assigned: Mapping[str, Sequence[Match]]) -> set[str]:
    """The fewest entities that explain the columns: each next one must explain some that those before it do not."""
    chosen: set[str] = set()
    explained: dict[str, float] = {}

    best = _best_of(match for matches in assigned.values() for match in matches)

    def gains(entity: str, dates: bool = False) -> list[float]:
        own = (m for m in assigned[entity] if m.score >= max(_SPEAKS, best[m.column.name] - _BESIDE))
        near = (m for m in own if m.target.variable.type == "date" or not dates)
        found = (match.score - explained.get(match.column.name, 0.0) for match in near)
        return [gain for gain in found if gain >= _GAIN]

    def speaks(entity: str) -> bool:
        found = gains(entity)
        # Beside another entity one column speaks for an event if it is its date; an age or a place is anybody's.
        alone = gains(entity, dates=bool(chosen) and not _is_dated(assigned[entity]))
        return len(found) >= _OWN or max(alone, default=0.0) >= _ALONE

    while left := [entity for entity in assigned if entity not in chosen and speaks(entity)]:
        entity = max(left, key=lambda name: sum(gains(name)) * (_AFTER if name == _OF_ALL else 1))
        chosen.add(entity)
        for match in assigned[entity]:
            explained[match.column.name] = max(explained.get(match.column.name, 0.0), match.score)
    return chosen


def _is_dated(matches: Iterable[Match]) -> bool:
    """Whether the date is there that every event of this kind has."""
    return any(
        match.target.variable.type == "date" and match.target.variable.required and match.score >= _SPEAKS
        for match in matches
    )


def _with_further(matches: Sequence[Match]) -> list[Match]:
    """One variable a column, and further ones where a column's codes are the answers of another variable as well: a
    kind of return says how it was carried out and whether it was wanted."""
    first = _assigned(matches)
    taken = {match.target.variable.name for match in first}
    by_column = {match.column.name: match for match in first}
    further: dict[str, Match] = {}
    for match in matches:
        name, before = match.target.variable.name, by_column.get(match.column.name)
        if name in taken or before is None or not _answers_too(match, before):
            continue
        if name not in further or further[name].score < match.score:
            further[name] = match
    return [*first, *further.values()]


def _answers_too(match: Match, before: Match) -> bool:
    """Whether nearly all codes of a column are answers of this variable too, and not those of the other one again."""
    told = {answer.target for answer in match.answers.values()}
    same = told <= {answer.target for answer in before.answers.values()}
    enough = len(match.answers) >= _ALL_BUT_FEW * len(match.column.codes) and len(told) > 1
    return match.score >= _FURTHER and enough and not same


def _assigned(matches: Sequence[Match]) -> list[Match]:
    """One variable a column and one column a variable, with the highest sum of scores."""
    from scipy.optimize import linear_sum_assignment

    if not matches:
        return []
    columns = list(dict.fromkeys(match.column.name for match in matches))
    variables = list(dict.fromkeys(match.target.variable.name for match in matches))
    table = np.zeros((len(columns), len(variables)))
    by_place = {}
    for match in matches:
        place = columns.index(match.column.name), variables.index(match.target.variable.name)
        table[place] = match.score**2  # one good match is worth more than two poor ones
        by_place[place] = match
    pairs = zip(*linear_sum_assignment(table, maximize=True), strict=True)
    return [by_place[place] for row, column in pairs if (place := (int(row), int(column))) in by_place]


def _language(columns: Sequence[Described], known: Known) -> str:
    """The language whose words the headers and labels have most of; blank where two have as many."""
    spoken: dict[str, set[str]] = {}
    for words in known.lexicon.fields.values():
        for text, language in words:
            spoken.setdefault(language, set()).update(text.split())
    said = Counter(
        word for c in columns for word in f"{known.lexicon.written_out(plain(c.name))} {plain(c.label)}".split()
    )
    ranked = sorted(((sum(said[w] for w in words), language) for language, words in spoken.items()), reverse=True)
    return ranked[0][1] if ranked[0][0] > ranked[1][0] else ""


class _AnswersOf:
    """Answers of a column's codes in each code list, found once."""

    def __init__(self, known: Known, language: str) -> None:
        self._known = known
        self._language = language
        self._found: dict[tuple[str, str], dict[str, Answer]] = {}

    def of(self, column: Described, codelist: str) -> dict[str, Answer]:
        place = (column.name, codelist)
        if place not in self._found:
            self._found[place] = match_answers(column.codes, codelist, self._known, self._language)
        return self._found[place]

    def is_yes_or_no(self, column: Described) -> bool:
        """Whether two codes of a column are labelled yes and no: it is no number then."""
        if not any(column.codes.values()):
            return False
        return {"yes", "no"} <= {answer.target for answer in self.of(column, "yes_no").values()}

    def states(self, column: Described) -> dict[str, Answer]:
        """Labelled codes of a number that stand for no answer."""
        if not any(column.codes.values()):
            return {}
        found = self.of(column, next(iter(self._known.answers)))
        return {code: answer for code, answer in found.items() if answer.target in _NO_STATES and column.codes[code]}


def _score(column: Described, target: Target, words: _Text, answers: _AnswersOf) -> Match | None:
    if not _type_fits(column, target, answers.is_yes_or_no(column)):
        return None
    text, evidence = words.of(target)
    if target.variable.name == "birth_year" and "birth_date" in column.kinds and text < _BORN:
        text, evidence = _BORN, "its dates and header are those of births"
    if target.variable.codelist is None:
        return Match(column, target, text, evidence, answers.states(column))
    if text < 0.15:
        return None
    found = answers.of(column, target.variable.codelist)
    own = {code: answer for code, answer in found.items() if answer.target not in _NO_STATES}
    share = sum(answer.score for answer in found.values()) / len(column.codes)
    if not own or share < 0.3:
        # The words can be plain where the codes are not: it is proposed without them.
        said = f"{evidence}; its codes are not recognised"
        return Match(column, target, text * _WITHOUT_CODES, said) if text >= _PLAIN else None
    told = len({answer.target for answer in own.values()})
    weight = 0.25 if told < 3 else 0.45  # yes and no are the answers of many questions
    score = (1 - weight) * text + weight * share
    said = f"{evidence}; {len(found)} of {len(column.codes)} codes are answers of {target.variable.codelist}"
    return Match(column, target, score, said, found)


def _type_fits(column: Described, target: Target, yes_or_no: bool) -> bool:
    variable = target.variable
    is_date = any(kind.startswith("date:") for kind in column.kinds)
    numeric = column.type.startswith(("integer", "decimal"))
    match variable.type:
        case "code" | "codes":
            return bool(column.codes) and not is_date
        case "date":
            return bool(date_forms(column)) and "birth_date" not in column.kinds
        case "integer" | "decimal" if yes_or_no:
            return False
        case "integer" | "decimal":
            if variable.name == "birth_year":
                return ("birth_date" in column.kinds and bool(date_forms(column))) or (
                    numeric and "year" in column.kinds
                )
            return numeric and not is_date and sum(map(bool, column.codes.values())) <= _LABELLED
        case "place":
            return bool({"place_name", "place_pcode", "place_code"} & set(column.kinds))
    return variable.role == "technical" and column.type in ("text", "decimal", "integer")


def _said(column: Described, known: Known) -> dict[str, tuple[str, ...]]:
    """Texts that stand for a column, in every entity ("") and in those that its table's name speaks of."""
    header = plain(column.name)
    written_out = known.lexicon.written_out(header)
    asked = plain(_WHEN.sub(" ", _ASIDE.sub(" ", column.label)))
    spoken = {"": tuple(dict.fromkeys(text for text in (header, written_out, plain(column.label), asked) if text))}
    table = set(plain(column.table).split())
    for entity, words in known.lexicon.tables.items():
        named = [word for word in (entity.replace("_", " "), *words) if word in table]
        if named:
            spoken[entity] = tuple(f"{written_out} {word}" for word in dict.fromkeys((*named, *words)))
    return spoken


@dataclass(frozen=True)
class _Text:
    """What is said of one column, held against what a variable is known by."""

    likeness: Likeness
    said: Mapping[str, tuple[str, ...]]

    def of(self, target: Target) -> tuple[float, str]:
        """The best likeness of header or label with anything the variable is known by."""
        best, evidence = 0.0, ""
        for said in (*self.said[""], *self.said.get(target.entity, ())):
            for term in target.terms:
                score = self.likeness.of(said, term.text)
                if score > best:
                    best, evidence = score, f"«{said}» is like «{term.text}» ({term.where})"
        return best, evidence
