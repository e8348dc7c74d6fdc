"""Other scripts' digits as ASCII digits: Arabic-Indic, Persian, Devanagari, Bengali, and Ethiopic numerals.

Ethiopic numerals are no positional digits: they are read as the numbers they write, and signs that write no number are
left as they are. Nothing but digits changes.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from values.distinct import TextColumn, over_distinct
from values.letters import is_ascii

_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6)
_POSITIONAL = {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
_NATIVE_OR_ETHIOPIC = "[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u1369-\u137c]"
_ETHIOPIC_RUN = re.compile("[\u1369-\u137c]+")
_BELOW_HUNDRED = "[\u1372-\u137a]?[\u1369-\u1371]?"
_BELOW_TEN_THOUSAND = f"(?:{_BELOW_HUNDRED}\u137b)?{_BELOW_HUNDRED}"
_ETHIOPIC_NUMBER = re.compile(f"{_BELOW_TEN_THOUSAND}(?:\u137c{_BELOW_TEN_THOUSAND})*")
_ETHIOPIC_UNITS = {chr(0x1369 + n): n + 1 for n in range(9)} | {chr(0x1372 + n): 10 * (n + 1) for n in range(9)}
_HUNDRED, _TEN_THOUSAND = "\u137b", "\u137c"


def ascii_digits(column: TextColumn) -> pa.Array:
    """The column with ASCII digits in place of other scripts'."""
    return over_distinct(column, lambda texts: [with_ascii_digits(texts)])[0]


def with_ascii_digits(texts: pa.Array) -> pa.Array:
    """The same for texts that are different values already."""
    if is_ascii(texts):
        return texts
    foreign = pc.fill_null(pc.match_substring_regex(texts, _NATIVE_OR_ETHIOPIC), False)
    if not pc.any(foreign).as_py():
        return texts
    mended = [
        _ETHIOPIC_RUN.sub(_ethiopic_number, text.translate(_POSITIONAL)) for text in texts.filter(foreign).to_pylist()
    ]
    return pc.replace_with_mask(texts, foreign, pa.array(mended, pa.string()))


def _ethiopic_number(run: re.Match[str]) -> str:
    """20 100 10 6 is 2016: units and tens add up, a hundred or ten thousand multiplies what stands before it."""
    if not _ETHIOPIC_NUMBER.fullmatch(run.group()):
        return run.group()
    total = below_ten_thousand = below_hundred = 0
    for sign in run.group():
        if sign == _HUNDRED:
            below_ten_thousand += max(below_hundred, 1) * 100
            below_hundred = 0
        elif sign == _TEN_THOUSAND:
            total = max(total + below_ten_thousand + below_hundred, 1) * 10_000
            below_ten_thousand = below_hundred = 0
        else:
            below_hundred += _ETHIOPIC_UNITS[sign]
    return str(total + below_ten_thousand + below_hundred)
