"""Signs that are not seen and change nothing that is: bidirectional marks, zero-width signs, fillers, variation
selectors, tags. Texts are compared without them.

Which they are, only; each room takes them out in its own way.
"""

from __future__ import annotations

INVISIBLE = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark, a bidirectional mark like those at 0x200E
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF9, 0xFFFB),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),  # tags, and more variation selectors
)
"""First and last code points of each range."""

DASHES = (0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE58, 0xFE63, 0xFF0D)
"""What keyboards, word processors and spreadsheets write in place of a hyphen."""


def character_class() -> str:
    """The same as it stands between the brackets of a regular expression."""
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in INVISIBLE)
