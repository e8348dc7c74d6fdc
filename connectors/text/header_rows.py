"""Which of a table's first rows are its header: a proposal with its score and reasons, for a person to confirm.

Published tables begin with titles, notes, padding and headers over several rows (formats.md 3). The proposal looks at
text alone and serves every format; reading follows what source.yaml declares, never this guess. The row of HXL hashtags
under a header is no guess, it names itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.text.header_evidence import ENOUGH, speaks_for_header

Row = Sequence[str | None]

_LOOKED_AT = 100
"""Rows from the top that are looked at; a header further down is declared by hand."""
_COLUMNS = 50
"""Columns that are compared with what is below them: enough to tell, and a table of thousands takes no longer."""
_LATER = 0.3
"""What a full row above costs a candidate, a half-full one a quarter of it: data are often fuller than their header."""
_PARTED = 0.2
"""What a blank row right below costs a candidate: notes are set apart from the table, headers seldom."""
_AS_BELOW = 0.45
"""What it costs a candidate that it is like the rows below, numbers above numbers or words that come again in their
columns: it is a record of a table that has no header. Only a header that is printed on every page comes again whole."""
_NUMERIC = 0.8
"""A column whose cells below are numbers to this share is a column of numbers."""
_PERIOD = re.compile(r"^[(-]?(19|20)\d\d(?:[-/.]\d{1,2}){0,2}\)?$|^\d{1,2}[-/.]\d{1,2}[-/.](19|20)\d\d$")
"""A year, a month or a day as a name; spreadsheets turn a year in brackets into a negative number."""
_BAND = re.compile(r"^\d{1,3}\s?[-–]\s?\d{1,3}$|^\d{1,3}\s?\+$|^[<>≤≥]\s?\d{1,3}$")
"""Ages as names, as they stand below the sexes: 0-17, 18+."""
_WRITTEN = re.compile(
    r"@\w|^\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-|^(?=[0-9A-Fa-f]*[0-9])[0-9A-Fa-f]{16,}$|^\d{4}-\d\d-\d\dT"
)
"""What is no name of a column though it has letters: an address, an identifier, a moment."""
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile("[A-Za-z]")
_HXL = re.compile(r"^#[A-Za-z][A-Za-z0-9_]*(\s*\+\s*[A-Za-z0-9_]+)*$")


@dataclass(frozen=True)
class HeaderGuess:
    """`first` is the index (from 0) of the header's first row, `count` how many rows it has (0: there is no row).

    `score` runs from 0 to 1; below 0.5 nothing looks like a header, and `first` is the first filled row: what stands
    there may be a record, so it is nobody's name for a column.
    """

    first: int
    count: int
    score: float
    reasons: tuple[str, ...]


def propose_header(rows: Sequence[Row]) -> HeaderGuess:
    """The row or rows of `rows`, a table from its top, that most look like its header."""
    table = [[(cell or "").strip() for cell in row] for row in rows[:_LOOKED_AT]]
    filled = [[position for position, cell in enumerate(row) if cell] for row in table]
    if not any(filled):
        return HeaderGuess(0, 0, 0.0, ("no row is filled",))
    width = _width(filled)
    tagged = next((index for index, row in enumerate(table) if is_hxl_row(row) and 3 * len(filled[index]) >= width), -1)
    if tagged >= 0:
        return _above_hashtags(table, filled, tagged)
    candidates = [index for index, positions in enumerate(filled) if positions and not is_hxl_row(table[index])]
    earlier = 0.0
    best, best_score = candidates[0], -1.0
    for index in candidates:
        score = _score(table, filled, index, width) - _LATER * earlier
        if score > best_score:
            best, best_score = index, score
        earlier += min(len(filled[index]) / width, 1.0) ** 2
    if best_score < 0.5:
        return HeaderGuess(candidates[0], 0, round(max(best_score, 0.0), 2), ("no row stands out from those below it",))
    evidence = speaks_for_header(table, best, filled[best])
    if evidence < ENOUGH:
        doubt = "nothing tells whether the first row names the columns or is a record"
        return HeaderGuess(candidates[0], 0, round(0.5 * evidence / ENOUGH if evidence > 0 else 0.0, 2), (doubt,))
    first, last = _extent(table, filled, best)
    reasons = [f"{len(filled[best])} of {max(width, len(filled[best]))} columns are filled"]
    if first > 0:
        reasons.append(f"{first} rows of titles or padding above")
    if last > first:
        reasons.append(f"names over {last - first + 1} rows")
    if (hits := _numeric_below(table, best, filled[best])) > 0:
        reasons.append(f"{hits} columns hold numbers below a name")
    return HeaderGuess(first, last - first + 1, round(min(best_score, 1.0), 2), tuple(reasons))


def _above_hashtags(table: Sequence[Sequence[str]], filled: Sequence[Sequence[int]], tagged: int) -> HeaderGuess:
    """The row of hashtags says where the table begins: names stand right above it, or it has no other names."""
    named = tagged > 0 and bool(filled[tagged - 1]) and all(is_name(cell) for cell in table[tagged - 1] if cell)
    if not named:
        return HeaderGuess(tagged, 1, 1.0, ("a row of HXL hashtags names the columns",))
    first = tagged - 1
    # Names over several rows have gaps that the row above or below fills; a title over all columns has none.
    gaps = set(filled[tagged]) - set(filled[first])
    if first > 0 and gaps & set(filled[first - 1]) and _continues(table, filled, first - 1, tagged):
        first -= 1
    return HeaderGuess(first, tagged - first, 1.0, ("a row of HXL hashtags stands below it",))


def joined_header(rows: Sequence[Row]) -> list[str]:
    """One name per column of a header over several rows, parts joined by ` / `.

    A name in an upper row stands for the blank cells to its right (a merged cell), a repeated part counts once.
    """
    width = max((len(row) for row in rows), default=0)
    parts: list[list[str]] = [[] for _ in range(width)]
    for depth, row in enumerate(rows):
        above = ""
        for position in range(width):
            cell = " ".join((row[position] or "").split()) if position < len(row) else ""
            spanned = depth < len(rows) - 1 and any(
                position < len(lower) and (lower[position] or "").strip() for lower in rows[depth + 1 :]
            )
            above = cell or (above if spanned else "")
            if above and above not in parts[position]:
                parts[position].append(above)
    return [" / ".join(names) for names in parts]


def is_hxl_row(row: Row) -> bool:
    """Whether the cells are HXL hashtags (`#adm1+code`), the row that humanitarian tables carry under their header.

    Published rows have slips among them (`geo+lat`): half of the cells suffice, as they do for libhxl, if two are tags.
    """
    cells = [cell.strip() for cell in row if cell and cell.strip()]
    tags = sum(_HXL.match(cell) is not None for cell in cells)
    return bool(cells) and (tags == len(cells) or (tags >= 2 and 2 * tags >= len(cells)))


def _width(filled: Sequence[Sequence[int]]) -> int:
    """How many columns the table has in use: as many as its fullest tenth of rows."""
    counts = sorted((len(positions) for positions in filled if positions), reverse=True)
    return max(counts[len(counts) // 10], 1)


def _score(table: Sequence[Sequence[str]], filled: Sequence[Sequence[int]], index: int, width: int) -> float:
    positions = filled[index]
    cells = [table[index][position] for position in positions]
    if width > 1 and len(cells) == 1:
        return 0.0
    named = sum(map(is_name, cells)) / len(cells)
    if named < 0.5:
        return 0.0
    distinct = len(set(cells)) / len(cells)
    below = [row for row in table[index + 1 :] if any(row) and row != table[index]]
    fresh = sum(
        not any(position < len(row) and row[position] == table[index][position] for row in below)
        for position in positions[:_COLUMNS]
    )
    against = _numeric_below(table, index, positions)
    return (
        0.35 * min(len(cells) / width, 1.0)
        + 0.25 * named
        + 0.1 * distinct
        + 0.15 * fresh / min(len(cells), _COLUMNS)
        + (0.15 if against > 0 else 0.075 if against == 0 else -_AS_BELOW)
        - (0.0 if 2 * fresh > min(len(cells), _COLUMNS) else _AS_BELOW)
        - (_PARTED if index + 1 < len(filled) and not filled[index + 1] else 0.0)
    )


def _numeric_below(table: Sequence[Sequence[str]], index: int, positions: Sequence[int]) -> int:
    """Columns of numbers below a name, less columns of numbers below a number; a date names no column of dates."""
    balance = 0
    for position in positions[:_COLUMNS]:
        below = [row[position] for row in table[index + 1 :] if position < len(row) and row[position]]
        if below and _are_numbers(below):
            periods = sum(_PERIOD.match(cell) is not None for cell in below)
            cell = table[index][position]
            same = 2 * periods >= len(below) and _PERIOD.match(cell) is not None
            balance += 1 if is_name(cell) and not same else -1
    return balance


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether enough of them are; of a column of words a fifth tells that they are not."""
    numbers = len(cells)
    for cell in cells:
        if not is_number(cell):
            numbers -= 1
            if numbers < _NUMERIC * len(cells):
                return False
    return True


def _extent(table: Sequence[Sequence[str]], filled: Sequence[Sequence[int]], best: int) -> tuple[int, int]:
    """First and last row of the header around its best row: rows of names right above, and names left out below."""
    first = last = best
    while first > 0 and len(filled[first - 1]) > 1 and _continues(table, filled, first - 1, best):
        first -= 1
    taken = set(filled[best])
    while last + 2 < len(table) and _names_more(table, filled, last + 1, taken):
        taken.update(filled[last + 1])
        last += 1
    return first, last


def _names_more(table: Sequence[Sequence[str]], filled: Sequence[Sequence[int]], index: int, taken: set[int]) -> bool:
    """Whether the row below a header belongs to it: names for columns left out above, or over columns of numbers."""
    cells = [table[index][position] for position in filled[index]]
    if len(cells) < 2 or is_hxl_row(cells) or not all(map(is_name, cells)):
        return False
    return taken.isdisjoint(filled[index]) or 2 * _numeric_below(table, index, filled[index]) > len(cells)


def _continues(table: Sequence[Sequence[str]], filled: Sequence[Sequence[int]], index: int, best: int) -> bool:
    """Whether the row holds names over the columns of the best row: none of its cells is a number or stands alone."""
    cells = [table[index][position] for position in filled[index]]
    covered = {p for p in filled[index] if p in filled[best]}
    return len(covered) * 2 >= len(filled[index]) and all(map(is_name, cells))


def is_name(cell: str) -> bool:
    """Whether a cell may name a column: words, or a year, a day or ages, by which tables name their columns too."""
    named = not is_number(cell) or _PERIOD.match(cell) is not None or _BAND.match(cell) is not None
    return named and not _WRITTEN.search(cell)


def is_number(text: str) -> bool:
    """Digits and no letter: a number, an amount, a date. Asked of a cell for each row above that may be the header."""
    if text.isascii():
        return _DIGIT.search(text) is not None and _LETTER.search(text) is None
    return not any(map(str.isalpha, text)) and any(map(str.isdigit, text))  # a note ends at its first letter
