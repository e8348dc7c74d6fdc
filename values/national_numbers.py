"""National number schemes of the countries of return: their form, and which numbers they could have issued.

Forms and oracles: domain.md 5.1. A check tells plausibility and never who issued a number, so it only ever warns; a
scheme that is not here is an opaque text. Separators, scripts and placeholders are the business of the vault's
`identifiers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Digits = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Check = Callable[[pa.Array], Mask]
"""Of distinct texts that have the scheme's form: which it could have issued."""


@dataclass(frozen=True)
class Scheme:
    """One kind of national number, written without separators.

    `form`: RE2 of complete numbers, `lengths`: of these; `padded`: the form with the leading zeros gone that
    spreadsheets eat, and the length they are put back to; `check`: None where no rule is public; `check_digit`: whether
    it asks for one, and not for dates and codes alone; `tail`: how many last signs tell the person; `matches`: False
    for numbers that change with the card or can be revoked, which never say who a person is.
    """

    country: str
    form: str
    lengths: tuple[int, ...]
    padded: tuple[str, int] | None = None
    check: Check | None = None
    check_digit: bool = False
    tail: int | None = None
    matches: bool = True

    def complete(self, compact: pa.Array) -> pa.Array:
        """Numbers with the zeros put back that a spreadsheet has eaten."""
        if self.padded is None:
            return compact
        shortened, length = self.padded
        if not pc.any(pc.less(pc.binary_length(compact), length)).as_py():
            return compact
        eaten = pc.match_substring_regex(compact, f"^{shortened}$")
        return pc.if_else(eaten, pc.utf8_lpad(compact, length, "0"), compact)

    def formed(self, complete: pa.Array) -> pa.Array:
        """Which texts have the scheme's form (null where there is no text)."""
        return pc.match_substring_regex(complete, f"^(?:{self.form})$")

    def comparable(self, complete: pa.Array) -> pa.Array:
        """What of a number is the same in all its forms."""
        return complete if self.tail is None else pc.utf8_slice_codeunits(complete, -self.tail)


def plausible(complete: pa.Array, scheme: Scheme, formed: pa.Array | None = None) -> pa.Array:
    """Which texts, without separators and of full length, are numbers that this scheme could have issued. `formed`:
    which have its form, where that is known."""
    formed = pc.fill_null(scheme.formed(complete) if formed is None else formed, False)
    if scheme.check is None:
        return formed
    result = formed.to_numpy(zero_copy_only=False).copy()
    positions = np.flatnonzero(result)
    if len(positions):
        result[positions] = scheme.check(complete.take(pa.array(positions)))
    return pa.array(result)


def _digits(texts: pa.Array) -> Digits:
    """Texts of digits, all of one length, as a matrix."""
    joined = "".join(texts.to_pylist()).encode()
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), -1).astype(np.int64) - ord("0")


def _over_digits(check: Callable[[Digits], Mask]) -> Check:
    return lambda texts: check(_digits(texts))


def _one_by_one(check: Callable[[str], bool]) -> Check:
    """python-stdnum reads one number at a time; it sees distinct ones only."""
    return lambda texts: np.fromiter((check(text) for text in texts.to_pylist()), dtype=bool, count=len(texts))


def _dui(digits: Digits) -> Mask:
    total = digits[:, :8] @ np.arange(9, 1, -1)
    matches: Mask = (10 - total % 10) % 10 == digits[:, 8]
    return matches


def _cui(digits: Digits) -> Mask:
    department = digits[:, 9] * 10 + digits[:, 10]
    matches: Mask = (digits[:, :8] @ np.arange(2, 10)) % 11 == digits[:, 8]
    return matches & (department >= 1) & (department <= 22)


def _dni(digits: Digits) -> Mask:
    department, century = digits[:, 0] * 10 + digits[:, 1], digits[:, 4] * 10 + digits[:, 5]
    possible: Mask = (department >= 1) & (department <= 18) & ((century == 19) | (century == 20))
    return possible


def _jmbg(digits: Digits) -> Mask:
    """DDMMYYY, region, serial, mod 11 (python-stdnum: `si.emso`); some regions never gave out a remainder of 1."""
    total = digits[:, :12] @ np.array([7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
    check = -total % 11
    check[check == 10] = 0
    day, month = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    dated: Mask = (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)
    matches: Mask = dated & (check == digits[:, 12])
    return matches


def _cnic(digits: Digits) -> Mask:
    """The first digit is the province, the last the sex: nobody has a 0 there."""
    possible: Mask = (digits[:, 0] >= 1) & (digits[:, 0] <= 7) & (digits[:, 12] > 0)
    return possible


def _nicaragua(texts: pa.Array) -> Mask:
    digits = _digits(pc.utf8_slice_codeunits(texts, 0, 13))
    day, month = digits[:, 3] * 10 + digits[:, 4], digits[:, 5] * 10 + digits[:, 6]
    dated: Mask = (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)
    return dated


def _nid_bangladesh(texts: pa.Array) -> Mask:
    """The 17 digits of the longest form begin with the year of birth."""
    years = np.array([int(text[:4]) if len(text) == 17 else 1950 for text in texts.to_pylist()])
    possible: Mask = (years >= 1880) & (years <= 2100)
    return possible


def _curp(text: str) -> bool:
    from stdnum.mx import curp

    if curp.is_valid(text):
        return True
    # Since 2021 the sex may be X, which the library does not know yet; its check digit is the same sum.
    return text[10] == "X" and curp.calc_check_digit(text[:-1]) == text[-1]


def _verhoeff(text: str) -> bool:
    """Fayda is a MOSIP deployment, whose numbers end so; whether Ethiopia kept it is not confirmed."""
    from stdnum import verhoeff

    return text[0] not in "01" and verhoeff.is_valid(text)


def _cedula_dominicana(text: str) -> bool:
    from stdnum.do import cedula

    return cedula.is_valid(text)


def _cedula_ecuador(text: str) -> bool:
    from stdnum.ec import ci

    return ci.is_valid(text)


def _nit(text: str) -> bool:
    from stdnum.sv import nit

    return nit.is_valid(text)


def _number(country: str, length: int, shortest: int, check: Check | None = None, check_digit: bool = False) -> Scheme:
    """A number of `length` digits; from `shortest` on its leading zeros are put back."""
    padded = (f"[0-9]{{{shortest},{length - 1}}}", length) if shortest < length else None
    return Scheme(country, f"[0-9]{{{length}}}", (length,), padded, check, check_digit)


_JMBG = {"SRB": "srb", "BIH": "bih", "MNE": "mne", "MKD": "mkd", "HRV": "hrv", "XKX": "xkx"}

SCHEMES = {
    "slv_dui": _number("SLV", 9, 6, _over_digits(_dui), check_digit=True),
    "slv_nit": _number("SLV", 14, 13, _one_by_one(_nit), check_digit=True),
    "gtm_cui": _number("GTM", 13, 12, _over_digits(_cui), check_digit=True),
    "hnd_dni": _number("HND", 13, 12, _over_digits(_dni)),
    "mex_curp": Scheme(
        "MEX", r"[A-ZÑ]{4}[0-9]{6}[HMX][A-ZÑ]{5}[0-9A-Z][0-9]", (18,), check=_one_by_one(_curp), check_digit=True
    ),
    "hti_ninu": _number("HTI", 10, 9),
    "dom_cedula": _number("DOM", 11, 9, _one_by_one(_cedula_dominicana), check_digit=True),
    "nic_cedula": Scheme("NIC", r"[0-9]{13}[A-Z]", (14,), (r"[0-9]{11,12}[A-Z]", 14), _nicaragua),
    "ecu_cedula": _number("ECU", 10, 9, _one_by_one(_cedula_ecuador), check_digit=True),
    "eth_fayda": _number("ETH", 12, 12, _one_by_one(_verhoeff), check_digit=True),
    # The card's number and the alias: both 16 digits, both replaced in a person's life.
    "eth_fcn": Scheme("ETH", r"[0-9]{16}", (16,), matches=False),
    "eth_fan": Scheme("ETH", r"[0-9]{16}", (16,), matches=False),
    "afg_tazkira": _number("AFG", 13, 13),
    "pak_cnic": _number("PAK", 13, 13, _over_digits(_cnic)),
    "bgd_nid": Scheme("BGD", r"[0-9]{10}|[0-9]{13}|[0-9]{17}", (10, 13, 17), check=_nid_bangladesh, tail=13),
    "nga_nin": _number("NGA", 11, 9),
    "geo_pn": _number("GEO", 11, 10),
    "irq_national_card": _number("IRQ", 12, 12),
    "civ_nni": _number("CIV", 11, 11),
    **{
        f"{prefix}_jmbg": _number(country, 13, 12, _over_digits(_jmbg), check_digit=True)
        for country, prefix in _JMBG.items()
    },
}
"""By the name that a source declares. Numbers without a public rule (Niger, Somalia, Mali ...) are opaque texts."""
