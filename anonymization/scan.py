"""The value scan: does a column that may leave hold national numbers of the source's country?

In the distinct values of passing columns, beside `values.contacts` for e-mail addresses and phones. It counts; it never
shows. A net with wide meshes: default deny is the protection, this notices a supplier's file that has changed under its
declaration.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from values.national_numbers import SCHEMES, plausible


def national_numbers(distinct: pa.Array, scheme: str) -> npt.NDArray[np.bool_]:
    """Which of these texts are numbers of `scheme`, if the column is made of them.

    One number in ten passes a check digit by chance, so a column of other numbers of the same length is told apart by
    its share: where most that have the length also pass, none is counted as chance.
    """
    known = SCHEMES[scheme]
    found = np.zeros(len(distinct), dtype=bool)
    if known.check is None:  # nothing tells such a number from any other of its length
        return found
    # By length first: most columns have no value that is long enough, and a pattern costs fifty times more.
    length = pc.binary_length(distinct)
    long_enough = pc.greater_equal(length, min(known.lengths))
    likely = np.flatnonzero(_mask(pc.and_(long_enough, pc.less(length, max(known.lengths) + 4))))
    if not len(likely):
        return found
    values = pc.replace_substring_regex(distinct.take(pa.array(likely)), r"[\s\-]", "")
    of_length = _mask(known.formed(values))
    valid = _mask(plausible(values, known))
    if 2 * valid.sum() > of_length.sum():
        found[likely] = valid
    return found


def _mask(found: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask
