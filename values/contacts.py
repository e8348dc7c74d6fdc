"""Texts that hold a way to reach somebody: an e-mail address, or a phone number with its country prefix.

A net with wide meshes over different values of a column; what follows from a catch is the caller's business.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

EMAIL = r"[^\s@,;<>]+@[^\s@,;<>]+\.\p{L}{2,}"
_GROUPS = r"([\s()\-/]{0,2}[0-9]){7,14}([^0-9.]|$)"
PHONE = rf"(^|[^\w+])\+[1-9]{_GROUPS}"
DIALLED = rf"^\s*00[1-9][0-9]{{0,2}}[\s()\-/]{_GROUPS}"
"""With `00` for the plus, and something between prefix and number: bare digits are what registers pad with zeros."""

LINKED = r"(?i:wa\.me/|t\.me/\+|phone=|tel:|sms:|callto:)\+?[0-9]{7,15}"
"""In the address of a page on which somebody is called."""


def emails(distinct: pa.Array) -> npt.NDArray[np.bool_]:
    """Which of these texts hold an e-mail address."""
    return _holding(distinct, pc.match_substring(distinct, "@"), EMAIL)


def international_phones(distinct: pa.Array) -> npt.NDArray[np.bool_]:
    """Which of these texts hold a phone number with its country prefix."""
    dialled = pc.starts_with(pc.utf8_ltrim_whitespace(distinct), "00")
    return _holding(distinct, pc.match_substring(distinct, "+"), PHONE) | _holding(distinct, dialled, DIALLED)


def linked_phones(distinct: pa.Array) -> npt.NDArray[np.bool_]:
    """Which of these texts are addresses under which somebody is called."""
    return _holding(distinct, pc.match_substring_regex(distinct, "[/:=]"), LINKED)


def _holding(distinct: pa.Array, likely: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    # The plain search first: a pattern costs ten times more.
    if not pc.any(likely).as_py():
        return np.zeros(len(distinct), dtype=bool)
    mask: npt.NDArray[np.bool_] = pc.fill_null(pc.match_substring_regex(distinct, pattern), False).to_numpy(
        zero_copy_only=False
    )
    return mask
