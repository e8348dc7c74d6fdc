"""Signs that are not seen are known, all of them."""

import sys
import unicodedata

from values.invisible import INVISIBLE


def test_every_format_character_that_is_not_seen_is_known() -> None:
    """But for the signs of Arabic, Syriac and Kaithi numbers, hieroglyphs and shorthand, which are written ones."""
    seen = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND")
    known = {code for first, last in INVISIBLE for code in range(first, last + 1)}
    formats = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"}
    others = {code for code in formats - known if not unicodedata.name(chr(code)).startswith(seen)}
    assert not others
    assert 0x061C in known
