"""The value scan: does a column that may leave hold what says who or where somebody is?

Contacts, national numbers of the source's country, numbers of devices and accounts, coordinates, and the row's own
name. It looks at distinct values, it counts, and it never shows. A net with wide meshes: default deny is the
protection, this notices a supplier's file that has changed under its declaration. What a row says twice is the business
of `own_values`; what follows from a catch is the gate's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.keys.pseudonyms import coded, text
from anonymization.national_phones import national_phones
from sources.models import Table
from values.contacts import emails, international_phones, linked_phones
from values.digits import with_ascii_digits
from values.letters import is_ascii
from values.national_numbers import SCHEMES, plausible

Mask = npt.NDArray[np.bool_]
Column: TypeAlias = pa.Array | pa.ChunkedArray

UNSURE: frozenset[str] = frozenset({"pak_cnic", "bgd_nid"})
"""Checks that most numbers of the length pass: looked for only where a column of the table declares the scheme."""

SHORTEST = 6
"""Bytes: no contact, number or full name that is looked for is shorter."""
REPEATED = 20
"""A column whose values stand for more rows than this, each, holds answers from a list."""

SPREAD = 300
"""So many values show whether a column may be made of something."""

LEAST, WIDEST = 4, 30
"""Fewer values are no column of coordinates; degrees that most of a country lies within."""
_COORDINATE = r"^\s*[+\-]?[0-9]{1,3}[.,][0-9]{5,}\s*$"
_IMEI = r"^[0-9]{2}[\s\-]?[0-9]{6}[\s\-]?[0-9]{6}[\s\-]?[0-9]$"
_DEVICE = (
    r"(?i:\b(?:imei|meid)\b)[^0-9A-Za-z]{1,3}[0-9]{14,16}\b"
    r"|^(?i:imei|meid|collect|android_id|ee\.[a-z0-9.\-]+):\S{6,}$|^(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$"
)
"""What Collect, Enketo and Android write as a device's id, and the address of a network card."""
_HEX = r"^(?:[0-9A-Fa-f]{16}|(?:99|[A-Fa-f][0-9A-Fa-f])[0-9A-Fa-f]{12})$"
"""What Android calls a device (64 bits), and the MEID of one, if letters show that it is no decimal number."""
_OF_A_FILE = re.compile("version|hash|checksum|digest|md5|sha", re.IGNORECASE)
"""Headers of what is as long and is no device's."""
_AXIS = re.compile(r"(^|[^a-z])(lat|long?|lng|latitude?|longitude?|gps|geopoint)([^a-z]|$)", re.IGNORECASE)
"""Headers of one coordinate, as form servers and registers write them."""
_DEGREES = r"[0-9]{1,3}\s?[°º]\s?[0-9]{1,2}([.,][0-9]+)?\s?['\x{2032}\x{2019}]"
_PAIR = r"(?:^|[^0-9.])[0-9]{1,3}\.[0-9]{4,}\s*(?:[,;\s]|%2[Cc]|/)\s*[+\-]?[0-9]{1,3}\.[0-9]{4,}(?:[^0-9.]|$)"
"""Latitude and longitude in one cell, to ten metres or closer, alone or in a link or an object."""
_GRID = (
    r"^[23456789CFGHJMPQRVWX]{8}\+[23456789CFGHJMPQRVWX]{2,3}$|^///\pL+\.\pL+\.\pL+$"
    r"|^[NSns]\s?[0-9]{1,2}[\s.,:°]+[0-9]{1,2}[^A-Za-z]{0,12}[EWOewo]\s?[0-9]{1,3}[\s.,:°]+[0-9]"
)
"""Codes that stand for a few metres; degrees and minutes behind the letters of their directions."""
_ACCOUNT = r"^[A-Z]{2}[0-9]{2}[ \-]?(?:[A-Z0-9]{4}[ \-]?){2,7}[A-Z0-9]{1,4}$"
_CARD = r"^[3-6][0-9]{3}[ \-]?[0-9]{4}[ \-]?[0-9]{4}[ \-]?[0-9]{4}$"
_ADDRESS = r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$"
_HIGH = r"(?:^|\.)(?:[3-9][0-9]|1[0-9]{2}|2[0-5][0-9])(?:\.|$)"
"""A part of an address on the internet that is higher than the parts of versions are."""


def schemes(table: Table, country: str) -> set[str]:
    """National numbers to look for: those of the country, and those that the table declares."""
    declared = {column.scheme for column in table.columns if column.scheme}
    of_country = {name for name, scheme in SCHEMES.items() if scheme.country == country and name not in UNSURE}
    return of_country | (declared & SCHEMES.keys())


class ValueScan:
    """The scan of the columns of one delivery from a country.

    Batch after batch a column of answers has the same few values: what showed nothing once shows nothing again.
    """

    def __init__(self, country: str) -> None:
        self._country = country
        self._harmless: dict[tuple[str, str], frozenset[str]] = {}

    def personal_data(self, table: Table, cells: Column, name: str) -> tuple[dict[str, Mask], bool]:
        """Cells of column `name` that look like personal data, by what they look like, and whether it may hold full
        names as well.

        Of an encoded column only distinct values are read, in ASCII digits. One that has a few answers for many rows
        holds no names. The column's name may say that it is a latitude where its numbers alone do not.
        """
        encoded = coded(cells) if pa.types.is_dictionary(cells.type) else None
        values = text(cells) if encoded is None else encoded.dictionary.cast(pa.string())
        longest = pc.max(pc.binary_length(values)).as_py() or 0
        if longest < SHORTEST:
            return {}, False
        found = self._found(table, values, name, encoded is not None)
        if encoded is not None:
            found = {kind: _mask(pa.array(mask).take(encoded.indices)) for kind, mask in found.items()}
        varied = len(values) * REPEATED >= len(cells)
        return found, varied and bool(pc.any(pc.match_substring(values, " ")).as_py())

    def _found(self, table: Table, values: pa.Array, name: str, distinct: bool) -> dict[str, Mask]:
        """Only the very same values are left out, each of which stands once: what a column is made of is judged by all
        of them together, and by how often it stands among them."""
        few = frozenset(values.to_pylist()) if distinct and len(values) <= SPREAD else None
        if few is not None and self._harmless.get((table.name, name)) == few:
            return {}
        plain = with_ascii_digits(values)
        looks = _looks(plain, schemes(table, self._country), name)
        looks["phones"] |= national_phones(plain, self._country, name)
        found = {kind: mask for kind, mask in looks.items() if mask.any()}
        if few is not None and not found:
            self._harmless[table.name, name] = few
        return found


def own_names(cells: Column, names: Iterable[pa.Array]) -> Mask:
    """Rows whose cell is the row's own full name, however it is cased; a single name may be a place or a word."""
    said = _folded(text(cells))
    found = np.zeros(len(cells), dtype=bool)
    for name in names:
        found |= _mask(pc.and_(pc.equal(said, name), pc.match_substring(name, " ")))
    return found


def full_names(table: Table, cells: pa.Table) -> list[pa.Array]:
    """Full names of the rows, as they are written in one cell: a column's own, and two parts in both orders."""
    parts = {c.part: _folded(text(cells[c.name])) for c in table.columns if c.part and c.name in cells.column_names}
    names = [parts[part] for part in ("full", "given", "family") if part in parts]
    for part in ("family", "father"):
        if "given" in parts and part in parts:
            names.append(pc.binary_join_element_wise(parts["given"], parts[part], " "))
            names.append(pc.binary_join_element_wise(parts[part], parts["given"], " "))
    return names


def national_numbers(distinct: pa.Array, scheme: str) -> Mask:
    """Which of these texts are numbers of `scheme`, if the column is made of them.

    One number in ten passes a check digit by chance, so a column of other numbers of the same length is told apart by
    its share: where most that have the length also pass, none is counted as chance.
    """
    known = SCHEMES[scheme]
    found = np.zeros(len(distinct), dtype=bool)
    if known.check is None:  # nothing tells such a number from any other of its length
        return found
    # By length first: most columns have no value that is long enough, and a pattern costs fifty times more.
    likely = _of_length(distinct, min(known.lengths), max(known.lengths) + 4)
    if not len(likely):
        return found
    values = pc.replace_substring_regex(distinct.take(pa.array(likely)), r"[\s\-]", "")
    of_length = _mask(known.formed(values))
    valid = _mask(plausible(values, known))
    if 2 * valid.sum() > of_length.sum():
        found[likely] = valid
    return found


def _looks(values: pa.Array, wanted: Iterable[str], header: str) -> dict[str, Mask]:
    numbers = np.zeros(len(values), dtype=bool)
    for scheme in wanted:
        numbers |= national_numbers(values, scheme)
    found = {
        "e-mail addresses": emails(values),
        "phones": international_phones(values),
        "national numbers": numbers,
        "numbers of devices": _devices(values) | _hexadecimal(values, header),
        "coordinates": _pairs(values) | _in_degrees(values) | _one_coordinate(values, _AXIS.search(header) is not None),
    }
    some = _spread(values)
    for kind, shown, find in _SELDOM:
        if shown.search(some):
            found[kind] = found.get(kind, np.zeros(len(values), dtype=bool)) | find(values)
    return found


def _spread(values: pa.Array) -> str:
    """Some values, a line for each: what is in most cells of its column, if in any, is in these."""
    places = np.unique(np.linspace(0, len(values) - 1, min(SPREAD, len(values))).astype(np.int64))
    return "\n".join(value for value in values.take(pa.array(places)).to_pylist() if value)


def _devices(values: pa.Array) -> Mask:
    """Ids of telephones and tablets; of bare numbers of 15 digits only where most pass the check digit of an IMEI."""
    return _matching(values, 11, 80, _DEVICE) | _checked(values, _of_length(values, 15, 19), _IMEI)


def _hexadecimal(values: pa.Array, header: str) -> Mask:
    """Ids of devices in hexadecimal digits, if most of the column's values of their length are."""
    likely = _of_length(values, 14, 16)
    found = np.zeros(len(values), dtype=bool)
    if not len(likely) or _OF_A_FILE.search(header):
        return found
    some = values.take(pa.array(likely))
    of_form = _mask(pc.match_substring_regex(some, _HEX))
    if 2 * of_form.sum() > len(likely) and _mask(pc.match_substring_regex(some, "[A-Fa-f]")).any():
        found[likely[of_form]] = True
    return found


def _addresses(values: pa.Array) -> Mask:
    """Addresses on the internet, if most of what has their form can be no version of a form."""
    found = _matching(values, 7, 15, _ADDRESS)
    high = found & _matching(values, 7, 15, _HIGH)
    return found if 2 * high.sum() > found.sum() else np.zeros(len(values), dtype=bool)


def _accounts(values: pa.Array) -> Mask:
    """Accounts at banks and cards, each by its check digits."""
    found = _checked(values, _of_length(values, 16, 19), _CARD)
    likely = np.flatnonzero(_matching(values, 15, 42, _ACCOUNT))
    if len(likely):
        found[likely] = [_is_account(value) for value in values.take(pa.array(likely)).to_pylist()]
    return found


def _is_account(value: str) -> bool:
    signs = re.sub(r"[ \-]", "", value)
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1


def _checked(values: pa.Array, likely: npt.NDArray[np.int64], form: str) -> Mask:
    """Numbers of a form that pass the check of Luhn, if most of that form do: one in ten passes by chance."""
    found = np.zeros(len(values), dtype=bool)
    of_form = likely[_mask(pc.match_substring_regex(values.take(pa.array(likely)), form))] if len(likely) else likely
    if len(of_form):
        valid = _luhn(pc.replace_substring_regex(values.take(pa.array(of_form)), r"[\s\-]", ""))
        if 2 * valid.sum() > len(of_form):
            found[of_form] = valid
    return found


def _pairs(values: pa.Array) -> Mask:
    found = np.zeros(len(values), dtype=bool)
    likely = _of_length(values, 13, 300)
    if len(likely):
        likely = likely[_mask(pc.greater(pc.count_substring(values.take(pa.array(likely)), "."), 1))]
        found[likely] = _mask(pc.match_substring_regex(values.take(pa.array(likely)), _PAIR))
    return found


def _grid(values: pa.Array) -> Mask:
    return _matching(values, 10, 80, _GRID)


def _in_degrees(values: pa.Array) -> Mask:
    """Degrees, minutes and perhaps seconds, with their signs."""
    if is_ascii(values):
        return np.zeros(len(values), dtype=bool)
    return _mask(pc.match_substring_regex(values, _DEGREES))


def _one_coordinate(values: pa.Array, axis: bool) -> Mask:
    """Latitudes or longitudes alone in their column: nearly all to a metre or closer, and around one place.

    What a file computes (weights, shares, scores) has as many decimals, but lies around 0 or 1, or far apart. Near the
    equator and Greenwich coordinates do so too: those below zero are told apart by all being so, which no weight or
    share is, those above it only by their header (`axis`).
    """
    found = np.zeros(len(values), dtype=bool)
    likely = _of_length(values, 7, 24)
    if len(likely) * 10 < 9 * (len(values) - values.null_count):
        return found
    of_form = likely[_mask(pc.match_substring_regex(values.take(pa.array(likely)), _COORDINATE))]
    if len(of_form) < LEAST or len(of_form) * 10 < 9 * len(likely):
        return found
    numbers = pc.replace_substring(values.take(pa.array(of_form)), ",", ".").cast(pa.float64()).to_numpy()
    low, middle, high = np.quantile(numbers, [0.05, 0.5, 0.95])
    apart = 2 <= abs(middle) <= 180 and high - low <= abs(middle) and high - low <= WIDEST
    near_zero = abs(middle) < 2 and high - low <= WIDEST if axis else -2 < middle <= high < 0 and high - low <= 1
    if apart or near_zero:
        found[of_form] = True
    return found


def _luhn(numbers: pa.Array) -> Mask:
    joined = "".join(numbers.to_pylist()).encode()
    digits = np.frombuffer(joined, dtype=np.uint8).reshape(len(numbers), -1).astype(np.int64) - ord("0")
    digits[:, -2::-2] *= 2
    valid: Mask = (digits // 10 + digits % 10).sum(axis=1) % 10 == 0
    return valid


def _matching(values: pa.Array, shortest: int, longest: int, pattern: str) -> Mask:
    found = np.zeros(len(values), dtype=bool)
    likely = _of_length(values, shortest, longest)
    if len(likely):
        found[likely] = _mask(pc.match_substring_regex(values.take(pa.array(likely)), pattern))
    return found


def _of_length(values: pa.Array, shortest: int, longest: int) -> npt.NDArray[np.int64]:
    """Positions of texts of so many bytes."""
    length = pc.fill_null(pc.binary_length(values), 0).to_numpy()
    return np.flatnonzero((length >= shortest) & (length <= longest))


def _folded(values: pa.Array) -> pa.Array:
    return pc.utf8_upper(pc.utf8_trim_whitespace(values))


_SELDOM: tuple[tuple[str, re.Pattern[str], Callable[[pa.Array], Mask]], ...] = (
    ("phones", re.compile(r"me/|phone=|tel:|sms:|callto:", re.IGNORECASE), linked_phones),
    ("numbers of devices", re.compile(_ADDRESS, re.MULTILINE), _addresses),
    ("accounts", re.compile(rf"^[A-Z]{{2}}[0-9]{{2}}[ \-]?[A-Z0-9]{{4}}|{_CARD}", re.MULTILINE), _accounts),
    ("coordinates", re.compile(r"^(?:[2-9CFGHJMPQRVWX]{8}\+|///|[NS]\s?[0-9])", re.MULTILINE | re.IGNORECASE), _grid),
)
"""What is looked for in a column only if some of its values show it: most patterns cost more than all others together
in a column that has nothing of the kind."""


def _mask(found: Column) -> Mask:
    whole = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    mask: Mask = pc.fill_null(whole, False).to_numpy(zero_copy_only=False)
    return mask
