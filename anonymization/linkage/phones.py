"""Telephone numbers in E.164, read as somebody in a country would dial them.

`phonenumbers` decides; a number that is plainly a whole national one, or the country's own code and one, is put
together here for whole columns, since the library takes ten microseconds for each. What counts as plain is taken from
the library's own tables, and where they leave a doubt the library is asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata, PhoneNumber

_WRITTEN = r"^\+?[0-9](?:[ \-]?[0-9]){3,16}$"


def e164(values: pa.Array, country: str) -> pa.Array:
    """Texts as E.164; null where one is no possible number."""
    region = _region(country)
    numbers = _plain(values, region) if region else pa.nulls(len(values), pa.string())
    doubtful = pc.and_(pc.is_null(numbers), pc.is_valid(values))
    if not pc.any(doubtful).as_py():
        return numbers
    read = [_read(value, region) for value in values.filter(doubtful).to_pylist()]
    return pc.replace_with_mask(numbers, doubtful, pa.array(read, pa.string()))


def _plain(values: pa.Array, region: str) -> pa.Array:
    """Numbers in which nothing has to be taken off or weighed; null for all others."""
    metadata = _metadata(region)
    if metadata is None or metadata.general_desc is None:
        return pa.nulls(len(values), pa.string())
    digits = pc.replace_substring_regex(values, r"[ \-]", "")
    code = f"+{metadata.country_code}"
    abroad = pc.starts_with(digits, code)
    national = pc.if_else(abroad, pc.utf8_slice_codeunits(digits, len(code)), digits)
    # At home a number that begins with the country's code may be one with the code before it.
    at_home = pc.and_not(pc.is_valid(digits), pc.match_substring_regex(digits, rf"^(?:\+|{metadata.country_code})"))
    whole = pc.is_in(pc.utf8_length(national), pa.array(list(metadata.general_desc.possible_length), pa.int32()))
    before = [part for part in (metadata.national_prefix_for_parsing, metadata.international_prefix) if part]
    taken_off = pc.match_substring_regex(national, rf"^(?:0|{'|'.join(before) or '0'})")
    plain = pc.and_(pc.or_(abroad, at_home), pc.and_not(whole, taken_off))
    plain = pc.and_(plain, pc.match_substring_regex(values, _WRITTEN))
    return pc.if_else(plain, pc.binary_join_element_wise(code, national, ""), pa.scalar(None, pa.string()))


def _read(value: str, region: str | None) -> str | None:
    import phonenumbers

    # Registers write 00 before a country's code where nobody dials it so: 009 in Nigeria, 011 in Santo Domingo.
    number = _parsed(f"+{value[2:]}", None) if value.startswith("00") else None
    if number is None or not phonenumbers.is_valid_number(number):
        number = _parsed(value, region)
    if number is None or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(value: str, region: str | None) -> PhoneNumber | None:
    import phonenumbers

    try:
        return phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None


@lru_cache
def _metadata(region: str) -> PhoneMetadata | None:
    """What the library knows of a region; None where the region shares its code, and is not the first to have it."""
    import phonenumbers
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.country_code is None:
        return None
    return metadata if phonenumbers.region_code_for_country_code(metadata.country_code) == region else None


@lru_cache
def _region(country: str) -> str | None:
    """ISO 3166-1 alpha-2 of an alpha-3 code, as the CLDR has it."""
    from babel.core import get_global

    aliases = get_global("territory_aliases").get(country)
    return aliases[0] if aliases else None
