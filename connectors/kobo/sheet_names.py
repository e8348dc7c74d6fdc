"""Which repeat may lie in which sheet: names too long for Excel are cut, and numbered where two are then alike.

The server writes `household_members_in_the_h...` and `household_members_in_th... (1)` (formpack's
`unique_name_for_xls`), other programs the first 31 letters. A cut name says what a sheet may be; what it is, its
columns tell.
"""

from __future__ import annotations

import re

_LONGEST = 31
_CUT = re.compile(r"(.*)\.\.\.(?: \(\d+\))?", re.S)
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))


def may_hold(sheet: str, name: str) -> bool:
    """Whether the table `name` may lie in the sheet or file `sheet`."""
    written = name.translate(_FORBIDDEN)
    if sheet in (written, written[:_LONGEST]):
        return True
    cut = _CUT.fullmatch(sheet)
    return cut is not None and len(sheet) == _LONGEST < len(written) and written.startswith(cut[1])
