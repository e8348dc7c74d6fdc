"""Columns of telephone numbers as they are dialled at home, without a country's prefix.

A number of eight digits may be a file's as well, so it is a column that is judged: nearly all its values are numbers
that the country has given out, and something else says that they are dialled: the header, the zero before them, or how
their digits are grouped. What each cell looks like by itself is the business of `scan`.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.redaction.numbers import region

Mask = npt.NDArray[np.bool_]

LOOKED_AT, LEAST = 100, 4
"""So many values, spread over a column; a column of fewer is none."""
_WRITTEN = r"^\(?[0-9][0-9 ()\-]{5,18}[0-9]$"
_OTHER = re.compile(r"(?:19|20)\d\d[ \-]\d+(?:[ \-]\d+)?|\d{1,2}[ \-]\d{1,2}[ \-](?:19|20)\d\d|\d{1,3}(?: \d{3})+")
"""Days, numbers of files within a year, and amounts with their thousands apart."""
_GROUPED = re.compile(r"\d[ ()\-]+\d")
_HEADER = re.compile(
    r"tel(?![a-z])|t[eé]l[eé]f|phone|cel(?:l|ular)?(?![a-z])|m[oó]vil|mobil|whats|fono|gsm"
    r"|\u0647\u0627\u062a\u0641|\u062c\u0648\u0627\u0644|\u0645\u0648\u0628\u0627\u064a\u0644|\u062a\u0644\u0641\u0646|\u1235\u120d\u12ad",
    re.IGNORECASE,
)


def national_phones(distinct: pa.Array, country: str, header: str) -> Mask:
    """Which of these different texts are phones, if the column is made of them."""
    nobodys = np.zeros(len(distinct), dtype=bool)
    home = region(country)
    values = distinct.drop_null()
    if home is None or len(values) < LEAST:
        return nobodys
    places = np.unique(np.linspace(0, len(values) - 1, min(LOOKED_AT, len(values))).astype(np.int64))
    some = values.take(pa.array(places))
    if _share(pc.match_substring_regex(some, _WRITTEN)) < 0.9:
        return nobodys
    written = [value for value in some.to_pylist() if not _OTHER.fullmatch(value)]
    valid = [value for value in written if _is_valid(value, home)]
    dialled = _HEADER.search(header) is not None or 2 * sum(_is_dialled(one, home) for one in valid) > len(valid)
    if len(valid) < LEAST or len(valid) < 0.9 * len(some) or not dialled:
        return nobodys
    found: Mask = pc.fill_null(pc.match_substring_regex(distinct, _WRITTEN), False).to_numpy(zero_copy_only=False)
    return found


def _is_valid(value: str, home: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, home))
    except phonenumbers.NumberParseException:
        return False


def _is_dialled(value: str, home: str) -> bool:
    """Whether it begins with what is dialled before a number at home, or is grouped as no number of a file is."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(home, None)
    before = metadata.national_prefix if metadata is not None else None
    prefixes = ("00", before) if before else ("00",)
    return bool(_GROUPED.search(value)) or value.startswith(prefixes)


def _share(flags: pa.Array) -> float:
    return float(pc.mean(flags.cast(pa.float64())).as_py() or 0.0)
