"""Names in Latin letters as clerks, passports and airlines write them: by rule, one of several at each doubtful letter.

Ethiopic and Cyrillic are read letter by letter; for Arabic and Persian, which do not write short vowels, the vocalised
form is given and spelled in the manner of English, French or a passport. For populations to measure on only.
"""

from __future__ import annotations

import random

_ROWS = {
    "ሀ": ("h",), "ለ": ("l",), "ሐ": ("h",), "መ": ("m",), "ሠ": ("s",), "ረ": ("r",), "ሰ": ("s",), "ሸ": ("sh",),
    "ቀ": ("k", "q"), "በ": ("b",), "ተ": ("t",), "ቸ": ("ch",), "ኀ": ("h",), "ነ": ("n",), "ኘ": ("gn", "ny"), "አ": ("",),
    "ከ": ("k",), "ኸ": ("h", "kh"), "ወ": ("w",), "ዐ": ("",), "ዘ": ("z",), "ዠ": ("zh",), "የ": ("y",), "ደ": ("d",),
    "ጀ": ("j",), "ገ": ("g",), "ጠ": ("t",), "ጨ": ("ch",), "ጰ": ("p",), "ጸ": ("ts", "s"), "ፀ": ("ts", "s"), "ፈ": ("f",),
    "ፐ": ("p",),
}  # fmt: skip
_ORDERS = (("e",), ("u",), ("i",), ("a",), ("e", "ie"), ("", "i"), ("o",))
_CYRILLIC = {
    "а": ("a",), "б": ("b",), "в": ("v",), "г": ("g",), "д": ("d",), "е": ("e", "ye"), "ё": ("yo", "e"),
    "ж": ("zh", "j"),
    "з": ("z",), "и": ("i", "y"), "й": ("y", "i"), "к": ("k",), "л": ("l",), "м": ("m",), "н": ("n",), "о": ("o",),
    "п": ("p",), "р": ("r",), "с": ("s",), "т": ("t",), "у": ("u",), "ф": ("f",), "х": ("kh", "h"), "ц": ("ts", "c"),
    "ч": ("ch",), "ш": ("sh",), "щ": ("shch", "sch"), "ъ": ("",), "ы": ("y",), "ь": ("",), "э": ("e",),
    "ю": ("yu", "iu"),
    "я": ("ya", "ia"), "і": ("i",),
}  # fmt: skip
_HABITS = (
    ("u", ("u", "ou", "oo", "o")), ("i", ("i", "ee", "i")), ("ay", ("ay", "ai", "ei", "ey")), ("ai", ("ai", "ay")),
    ("aw", ("aw", "au", "ao")), ("q", ("q", "k")), ("kh", ("kh", "kh", "h")), ("gh", ("gh", "g")), ("dh", ("dh", "d")),
    ("th", ("th", "t")), ("w", ("w", "ou", "w")), ("al-", ("al-", "el-", "al ", "al")), ("j", ("j", "dj", "j")),
    ("sh", ("sh", "ch", "sh")), ("yy", ("yy", "y")), ("ss", ("ss", "s")), ("ullah", ("ullah", "ollah", "ulla")),
)  # fmt: skip


def latin(script: str, name: str, draw: random.Random) -> str:
    """`name` of `script` in Latin letters; of Arabic and Persian give the vocalised form."""
    if script == "ethiopic":
        return " ".join(_ethiopic(word, draw) for word in name.split()).title()
    if script == "cyrillic":
        return "".join(draw.choice(_CYRILLIC.get(sign, (sign,))) for sign in name.lower()).title()
    made, rest = "", name.lower()
    while rest:
        habit = next((h for h in sorted(_HABITS, key=lambda h: -len(h[0])) if rest.startswith(h[0])), None)
        made += draw.choice(habit[1]) if habit else rest[0]
        rest = rest[len(habit[0]) if habit else 1 :]
    return made.title()


def _ethiopic(word: str, draw: random.Random) -> str:
    """A syllable is a consonant and one of seven vowels, in the order of the code points."""
    made = ""
    for at, sign in enumerate(word):
        order = (ord(sign) - 0x1200) % 8
        consonant = _ROWS.get(chr(ord(sign) - order))
        if consonant is None or order > 6:
            continue
        sounds = draw.choice(consonant)
        vowel = "" if order == 5 and at == len(word) - 1 else draw.choice(_ORDERS[order])
        made += "a" if order == 0 and not sounds else sounds + vowel
    return made
