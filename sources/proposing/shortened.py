"""Short codes read together: letters, acronyms and shortened words of one code list, each standing for one answer.

`S C D V` means nothing letter by letter. Read together, in one language, they are the answers to a marital status; `M`
beside `H` is a woman, beside `F` a man. So codes are assigned one to one, and what stays open is not decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sources.proposing.known import Term

Terms = Sequence[tuple[str, Term]]
Letters = Mapping[str, Mapping[str, frozenset[str]]]
_SHORTEST, _LONGEST_ACRONYM, _LONGEST_LIST = 3, 5, 40
_HALF = 0.5
_LITTLE = frozenset(
    re.findall(r"\w+", "a al and con d de del des du el en et la las le les los of or o ou the un una y")
)


def letters_meant(codes: Iterable[str], terms: Terms, agreed: Letters, spoken: str = "") -> tuple[dict[str, str], str]:
    """Letter -> answer in a language in which every letter has an answer of its own, and that language.

    It is the language `spoken` around the codes, if they can be read in it. Else every language in which they can be
    read must say the same: `S C V D U` is one thing in Spanish and another in French.
    """
    letters = [code for code in codes if len(code) == 1 and code.isalpha()]
    if len(letters) < 2:
        return {}, ""
    initials = _initials(terms)
    ways: dict[str, dict[str, str]] = {}
    for language in dict.fromkeys((*agreed, *initials)):
        told, first = agreed.get(language, {}), initials.get(language, {})
        found = only_way({letter: set(told.get(letter, ())) or set(first.get(letter, ())) for letter in letters})
        if found:
            ways[language] = found
    if spoken in ways:
        return ways[spoken], spoken
    if not ways or any(way != next(iter(ways.values())) for way in ways.values()):
        return {}, ""
    return next(iter(ways.values())), next(iter(ways))


def _initials(terms: Terms) -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    for target, term in terms:
        kind, _, language = term.where.partition(" ")
        if kind == "label":
            found.setdefault(language, {}).setdefault(term.text[0], set()).add(target)
    return found


def only_way(candidates: Mapping[str, set[str]]) -> dict[str, str]:
    """The assignment in which every code has an answer of its own, if elimination leaves only one; else none."""
    open_ = {code: set(targets) for code, targets in candidates.items()}
    found: dict[str, str] = {}
    while open_:
        single = next((code for code, targets in open_.items() if len(targets) == 1), None)
        if single is None:
            return {}
        (target,) = open_.pop(single)
        found[single] = target
        for targets in open_.values():
            targets.discard(target)
    return found


def shortened(codes: Iterable[str], terms: Terms) -> dict[str, tuple[str, Term]]:
    """Code -> answer and the words it shortens, for codes that shorten the words of one answer only.

    The language in which most codes are short for something is asked first. Nothing, where the list is long or less
    than half of the codes are found: what fits by chance fits alone.
    """
    wanted = [code for code in codes if len(code) >= 2 and not code.replace(" ", "").isdigit()]
    if not wanted or len({target for target, _ in terms}) > _LONGEST_LIST:
        return {}
    by_language: dict[str, dict[str, dict[str, Term]]] = {}
    for target, term in terms:
        _, _, language = term.where.partition(" ")
        for code in wanted:
            if shortens(code, term.text):
                by_language.setdefault(language, {}).setdefault(code, {}).setdefault(target, term)
    found: dict[str, tuple[str, Term]] = {}
    taken: set[str] = set()
    for meant in sorted(by_language.values(), key=len, reverse=True):
        for code, targets in meant.items():
            free = [(target, term) for target, term in targets.items() if target not in taken]
            if code not in found and len(free) == 1 and len(targets) == 1:
                found[code] = free[0]
        taken |= {target for target, _ in found.values()}
    return found if len(found) >= _HALF * len(wanted) else {}


def shortens(code: str, text: str) -> bool:
    """Whether each word of a code begins a word of the text, in order; or the code is made of the text's initials."""
    words = [word for word in text.split() if word not in _LITTLE]
    if 2 <= len(code) <= _LONGEST_ACRONYM and len(words) == len(code) and code == "".join(word[0] for word in words):
        return True
    parts = [part for part in code.split() if part not in _LITTLE]
    if not parts or max(map(len, parts)) < _SHORTEST or code == text:
        return False
    left = iter(words)
    return all(any(word.startswith(part) for word in left) for part in parts)
