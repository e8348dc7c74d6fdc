"""Whether a row that stands above a table names its columns or is the table's first record.

A row of words above rows of words is either. What tells them apart: a record's values come again in its columns as
often as those of the rows below do (Good and Turing: a value is new as often as there are values that stood only once);
names stand over numbers and are words that head columns. Where nothing tells, it is in doubt, and a doubtful row is not
shown: it may be somebody's.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from connectors.profiling.header_words import heads_columns

Table = Sequence[Sequence[str]]

ENOUGH = 1.5
"""The natural logarithm of how much likelier it must be that the row is a header than that it is a record."""
_OVER_DIGITS, _NAMES, _SPELT, _OVER_NOTHING = 2.5, 2.5, 2.0, 0.3
_MOST_OF_A_KIND = 6.0
_SEEN = math.log(0.005)
"""How seldom the name of a column is also a value in it."""
_MOSTLY, _HARDLY = 0.8, 0.4
_OF_A_TEMPLATE = 0.25
"""Words of headers in a template: in languages of which few are known, too."""
_COLUMNS = 50
_NO_VALUE = re.compile(r"(?i)^[#\-.]*(n/?a|null|none|nan|nil|s/d|n/d|sin dato|unknown|\s*)[#\-.]*$")
_SPELLINGS = tuple(
    map(
        re.compile,
        (
            r"\w_\w",
            r"^(?!(?:Ma?c|D[aeiu]|L[aeo]|St|Fitz|Van)[A-Z])[A-Za-z]+[a-z][A-Z]",
            r"^[A-Za-z]{1,3}[0-9]{1,3}[a-z]?[.)]?$",
            r"/.*/",
            r"[?:%]$",
        ),
    )
)
"""How programs and questionnaires spell the names of columns: case_id, hhSize, q12, a/b/c, `Where do you live?`."""


def speaks_for_header(table: Table, index: int, positions: Sequence[int]) -> float:
    """How much likelier it is that the row at `index` names the columns at `positions` than that it is a record."""
    below = [row for row in table[index + 1 :] if any(row) and row != table[index]]
    if not below:
        return _alone([table[index][position] for position in positions])
    told = {"digits": 0.0, "names": 0.0, "spelt": 0.0}
    new = []
    for position in positions[:_COLUMNS]:
        cell = table[index][position]
        values = [row[position] for row in below if position < len(row) and row[position]]
        if not values:
            new.append(_OVER_NOTHING)
            continue
        if _NO_VALUE.match(cell):
            continue
        new.append(_as_new(cell, values))
        told["digits"] += _OVER_DIGITS * (not _has_digit(cell) and _share(map(_has_digit, values)) >= _MOSTLY)
        told["names"] += _NAMES * heads_columns(cell)
        told["spelt"] += _SPELT * any(
            one.search(cell) and _share(map(one.search, values)) <= _HARDLY for one in _SPELLINGS
        )
    spoken = sum(min(one, _MOST_OF_A_KIND) for one in told.values())
    if not spoken and sum(one > _OVER_NOTHING for one in new) < 2:
        return 0.0  # the first of a list of people may be the only one of a village
    return sum(new) + spoken


def _alone(cells: Sequence[str]) -> float:
    """What a row says that stands above nothing: a template without records, or a file's only or last record. Nothing
    below tells them apart, the words alone do."""
    heading = [heads_columns(cell) or any(one.search(cell) for one in _SPELLINGS) for cell in cells]
    return math.inf if _share(heading) >= _OF_A_TEMPLATE else 0.0


def _as_new(cell: str, values: Sequence[str]) -> float:
    """What it says that a cell is, or is not, among the values below it."""
    counts = Counter(values)
    once = sum(times == 1 for times in counts.values())
    is_new = min((once + 1) / (len(values) + 1), 1.0)
    if cell not in counts:
        return -math.log(is_new)
    return _SEEN - math.log(max(1 - is_new, 0.05))


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)


def _share(hits: Iterable[object]) -> float:
    found = [bool(hit) for hit in hits]
    return sum(found) / len(found)
