"""Which letters with full stops are all that a note tells of somebody: "Mr K.", "T. M.", "filed by J.M.R. against".

Letters beside a name are the business of `joined`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from anonymization.redaction.folding import fold
from anonymization.redaction.words import CAPITAL, CASELESS, DIGITS, SINGLE, STOP, TITLE

_NOBODY = frozenset(
    ("US", "UN", "UK", "EU", "USA", "UAE", "EUA", "UNO", "ONU", "OMS", "OIM", "ONG", "RDC", "RCA", "FBI", "CIA",
     "BBC", "LA", "NY", "NJ", "NC", "SC", "DC", "FC", "CF", "SA", "SL", "RL", "AG", "KG", "EV", "SRL", "SPA", "SAS",
     "PS", "PO", "CP", "BP", "CEP", "BC", "AD", "AC", "PM", "AM", "NB", "CV", "ID", "DNI", "NIF", "NIE", "CIF",
     "RUC", "CPF", "OAB", "CRM", "IVA", "PC", "TV", "CD", "DJ", "IT", "HR", "PR", "MD", "BA", "MA", "PHD", "JR",
     "SR", "QC", "KC", "JP", "MP", "IV", "HIV", "VIP", "RIP", "NN", "CA")
)  # fmt: skip
"""Letters with full stops that are a country, an office, a company, a paper, a degree, a post box or an era."""
_LONGEST = 3


def behind_title(gaps: list[str], texts: list[str], flags: list[int], hits: list[str | None], place: int) -> bool:
    """Whether a letter is all that is told of somebody, or one of several: "Mr A.B. left", "Ms K said"."""
    titled = flags[place - 1] & TITLE
    if gaps[place + 1][:1] != ".":
        return bool(titled) and not flags[place] & STOP
    return bool(titled or hits[place - 1])


def apart(gaps: list[str], texts: list[str], flags: list[int], hits: list[str | None], first: int) -> bool:
    """Whether two letters with their full stops are all that is told of somebody: "T. M.", "م. ع."; no company."""
    if first < 0 or first + 1 >= len(flags) or gaps[first + 2][:1] != ".":
        return False
    both = flags[first] & flags[first + 1]
    if not both & SINGLE or (flags[first] | flags[first + 1]) & DIGITS:
        return False
    letters = texts[first] + texts[first + 1]
    return bool(both & (CAPITAL | CASELESS)) and gaps[first + 1] == ". " and letters not in _NOBODY


def joined(
    gaps: list[str],
    texts: list[str],
    flags: list[int],
    hits: list[str | None],
    place: int,
    determiners: AbstractSet[str],
) -> bool:
    """Whether a letter is one of two or three with full stops and no blanks; not behind an article or a name, nor
    before a number: "la O.N.G.", "Gil, M.D.", "D.N.I. 1234"."""
    first, last, ends = place, place, len(flags) - 1
    while first and place - first < _LONGEST and gaps[first] == "." and flags[first - 1] & SINGLE:
        first -= 1
    while last < ends and last - place < _LONGEST and gaps[last + 1] == "." and flags[last + 1] & SINGLE:
        last += 1
    run = range(first, last + 1)
    if not 2 <= len(run) <= _LONGEST or gaps[last + 1][:1] != "." or (first and gaps[first] == "."):
        return False
    if "".join(texts[first : last + 1]) in _NOBODY or not all(flags[one] & CAPITAL for one in run):
        return False
    if first and (hits[first - 1] or fold(texts[first - 1]) in determiners):
        return False
    return last == ends or not flags[last + 1] & DIGITS
