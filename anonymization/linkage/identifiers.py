"""Identifiers brought to one form before they are compared: national numbers by scheme, phones, e-mails, the rest.

What is junk (a placeholder, a word, too short) never becomes a key; what fails its check digit does, with a query to
the supplier, for a check shows plausibility and not who issued the number (domain.md 5.1). Nothing is stored here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage import phones
from sources.models import Column
from values.digits import with_ascii_digits
from values.distinct import trimmed
from values.invisible import DASHES, INVISIBLE
from values.letters import holds, is_ascii
from values.national_numbers import SCHEMES, Scheme, plausible


@dataclass(frozen=True)
class Normalised:
    """`keys`: the comparable form, null where there is none. `doubtful`: filled, and not a number of its scheme."""

    keys: pa.Array
    doubtful: pa.Array


_SEPARATORS = r"[\s\-./_]"
_PLACEHOLDER = r"^(0{8}|1{8}|2{8}|3{8}|4{8}|5{8}|6{8}|7{8}|8{8}|9{8})"
_COUNTED_UP = r"^(12345678|01234567|87654321|98765432)"
"""What fills a cell begins so, and some numbers do. A check digit tells them apart, but where all is counted."""
_COUNTED = [run[at : at + n] for run in ("0123456789" * 3, "9876543210" * 3) for at in (0, 1) for n in range(8, 19)]
_ONE_SIGN = r"^(0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|X+)$"
_EMAIL = r"^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$"
_SEEN = dict.fromkeys(code for first, last in INVISIBLE for code in range(first, last + 1)) | dict.fromkeys(DASHES, "-")


def field_of(column: Column, source: str) -> str:
    """The name under which a column's identifiers are compared: with other sources where its scheme is shared."""
    if column.kind in ("phone", "email"):
        return column.kind
    if column.kind in ("national_id", "document") and column.scheme:
        return column.scheme
    return f"{column.kind} {column.name}@{source}"


def normalise(values: pa.Array, column: Column, country: str) -> Normalised:
    """Distinct texts of an identifier column in comparable form."""
    folded = _folded(values)
    if column.kind in ("national_id", "document"):
        return _national_id(folded, SCHEMES.get(column.scheme or ""))
    if column.kind == "phone":
        return _certain(phones.e164(folded, country))
    casefolded = pc.utf8_lower(folded)
    if column.kind == "email":
        return _certain(_only(casefolded, pc.match_substring_regex(casefolded, _EMAIL)))
    spaced = pc.replace_substring_regex(casefolded, r"\s+", " ")
    return _certain(_only(spaced, pc.invert(pc.match_substring_regex(spaced, r"^([0\W_]*|(?i)x+)$"))))


def _national_id(folded: pa.Array, scheme: Scheme | None) -> Normalised:
    bare = pc.replace_substring_regex(folded, _SEPARATORS, "") if holds(folded, " \t\n\f\r-./_") else folded
    compact = pc.utf8_upper(bare)
    if scheme is None:
        # A number has a digit in it: "none", "n/a" and "pending" have not.
        number = pc.and_(pc.match_substring_regex(compact, r"[0-9]"), pc.greater_equal(pc.utf8_length(compact), 4))
        return _certain(_only(compact, pc.and_not(number, _junk(compact, pa.scalar(False)))))
    complete = scheme.complete(compact)
    formed = scheme.formed(complete)
    possible = plausible(complete, scheme, formed)
    proven = possible if scheme.check_digit else pa.scalar(False)
    junk = _junk(complete, proven)
    if complete is not compact:
        junk = pc.or_(_junk(compact, proven), junk)
    keys = _only(scheme.comparable(complete), pc.and_(scheme.matches, pc.and_not(formed, junk)))
    doubtful = pc.or_(pc.invert(possible), pc.fill_null(junk, False))
    return Normalised(keys, pc.and_(pc.is_valid(folded), doubtful))


def _junk(numbers: pa.Array, proven: pa.Array | pa.Scalar) -> pa.Array:
    """Which numbers only fill their cell; `proven`: those that a check digit speaks for."""
    either = pc.match_substring_regex(numbers, f"{_PLACEHOLDER}|{_ONE_SIGN}|{_COUNTED_UP}")
    if not pc.any(either).as_py():
        return either
    filled = pc.match_substring_regex(numbers, f"{_PLACEHOLDER}|{_ONE_SIGN}")
    counted = pc.match_substring_regex(numbers, _COUNTED_UP)
    if not pc.any(counted).as_py():
        return filled
    return pc.or_(filled, pc.and_(counted, pc.or_(pc.invert(proven), pc.is_in(numbers, pa.array(_COUNTED)))))


def _folded(values: pa.Array) -> pa.Array:
    """One form of what looks the same: any script's digits, no invisible marks, the hyphens that word processors make
    of one; blank is null."""
    if is_ascii(values):
        return trimmed(values)
    seen = [value and unicodedata.normalize("NFKC", value).translate(_SEEN) for value in values.to_pylist()]
    return with_ascii_digits(trimmed(pa.array(seen, pa.string())))


def _only(values: pa.Array, mask: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(mask, False), values, pa.scalar(None, pa.string()))


def _certain(keys: pa.Array) -> Normalised:
    return Normalised(keys, pa.repeat(False, len(keys)))
