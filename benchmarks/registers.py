"""A second population to measure linkage on, made in another way than `namesakes`: registers that spoil what they copy.

People live in households with one phone and one address; every delivery then goes through a register of its own habits:
by parts or as one whole name, in the script or in Latin letters, keyed, scanned or heard. Each field is spoiled by
itself, as in FEBRL (Christen and Pudjijono 2009, keyboard, scanner, phonetic and date errors), and can be missing.
Names and rates are not those of `namesakes`, and the model was measured here before anything was changed for it.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from benchmarks import transliterated
from benchmarks.namesakes import Person

ANCESTORS = {"latin_spanish": 0, "latin_french": 0, "arabic": 2, "persian": 1, "ethiopic": 2, "cyrillic": 1}
_MISSING = {"birth_date": 0.03, "sex": 0.05, "phone": 0.35, "place": 0.10, "father": 0.06, "grandfather": 0.20}
_KEYS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзх", "фывапролджэ", "ячсмитьбю",
    "ضصثقفغعهخحجچ", "شسيبلاتنمكط", "ظطزرذدپو", "شسیبلاتنمکگ",
)  # fmt: skip
_BESIDE = {a: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in _KEYS for i, a in enumerate(row)}
_SCANNED = (
    ("m", "rn"), ("l", "i"), ("i", "l"), ("o", "a"), ("e", "c"), ("u", "v"), ("h", "b"), ("n", "u"),
    ("и", "н"), ("ш", "щ"), ("е", "с"), ("ч", "г"), ("ب", "ت"), ("ح", "خ"), ("ر", "ز"), ("ف", "ق"),
    ("د", "ذ"), ("س", "ش"),
    ("አ", "እ"), ("ተ", "ቱ"), ("ለ", "ሰ"), ("በ", "ቤ"), ("ገ", "ጊ"), ("መ", "ሙ"),
)  # fmt: skip
_HEARD = {
    "latin_spanish": (("v", "b"), ("b", "v"), ("z", "s"), ("s", "z"), ("c", "s"), ("y", "ll"), ("h", ""),
        ("k", "qu"), ("í", "y"), ("j", "g")),
    "latin_french": (("ou", "u"), ("k", "c"), ("dj", "j"), ("é", "e"), ("ss", "s"), ("i", "y"), ("w", "ou"),
        ("aï", "ai")),
    "arabic": (("أ", "ا"), ("إ", "ا"), ("ة", "ه"), ("ى", "ي"), ("ي", "ى"), ("ؤ", "و"), ("ئ", "ي"),
        ("ض", "ظ"), ("ث", "ت")),
    "persian": (("ی", "ي"), ("ک", "ك"), ("ق", "غ"), ("ص", "س"), ("ح", "ه"), ("ط", "ت"), ("ذ", "ز"), ("ض", "ز")),
    "ethiopic": (("ኃ", "ሀ"), ("ሐ", "ሀ"), ("ፀ", "ጸ"), ("ሠ", "ሰ"), ("ዓ", "አ"), ("ሤ", "ሴ"), ("ሕ", "ህ"), ("ሓ", "ሃ")),
    "cyrillic": (("ё", "е"), ("и", "і"), ("ы", "и"), ("о", "а"), ("э", "е"), ("ь", ""), ("г", "х"), ("в", "у")),
}  # fmt: skip
_DIGITS = {"1": "7", "7": "1", "3": "8", "8": "3", "5": "6", "6": "5", "0": "6", "9": "4", "2": "7", "4": "9"}


class Registers:
    """Records of `script`, about `records` of them, by the seed."""

    def __init__(self, script: str, records: int, seed: int = 1) -> None:
        self._script, self._size = script, records
        self._random = random.Random(f"registers {script} {seed}")
        with Path(__file__).with_name("registers.csv").open(encoding="utf-8", newline="") as file:
            listed = {r["kind"]: r["names"].split() for r in csv.DictReader(file) if r["script"] == script}
        self._names = {
            kind: [name.replace("_", " ").partition("=") for name in names] for kind, names in listed.items()
        }
        self._latin = {native: latin for names in self._names.values() for native, _, latin in names if latin}
        # A long tail: four in ten bear one of the ten most frequent names, and some names are met once in a thousand.
        self._weights = {kind: [1 / (i + 2) ** 0.8 for i in range(len(names))] for kind, names in self._names.items()}
        self._entity = 0

    def records(self) -> Iterator[dict[str, str]]:
        made = 0
        while made < self._size:
            for person in self._household():
                for _ in range(self._random.choices((1, 2, 3, 4), (50, 38, 9, 3))[0]):
                    yield self._registered(person) | {"record_id": str(made), "entity_id": str(person.entity)}
                    made += 1

    def _draw(self, kind: str) -> str:
        return self._random.choices(self._names[kind], self._weights[kind])[0][0] if kind in self._names else ""

    def _given(self, sex: str) -> str:
        two = 0.7 if self._script == "latin_spanish" else 0.0
        names = [self._draw(sex), self._draw(sex)] if self._random.random() < two else [self._draw(sex)]
        return " ".join(dict.fromkeys(names))

    def _family(self) -> str:
        compound = self._script == "latin_spanish"
        return f"{self._draw('family')} {self._draw('family')}" if compound else self._draw("family")

    def _phone(self) -> str:
        return f"+{self._random.randrange(10**10, 10**11)}"

    def _household(self) -> list[Person]:
        draw = self._random
        place = f"district {min(int(draw.expovariate(1 / 40)), 299)}"
        root = Person(
            0, self._given("male"), self._given("male"), self._given("male"), self._family(),
            date(1940, 1, 1) + timedelta(days=draw.randrange(45 * 365)), "male", self._phone(), place,
        )  # fmt: skip
        people = [root]
        used = {root.given}
        for _ in range(draw.choices((0, 1, 2, 3, 5), (35, 25, 20, 12, 8))[0]):
            born = root.born + timedelta(days=draw.randrange(18 * 365, 42 * 365))
            for _twin in range(2 if draw.random() < 0.06 else 1):
                sex = draw.choice(("male", "female"))
                given = root.given if sex == "male" and draw.random() < 0.08 else self._given(sex)
                if given in used - {root.given} or (given == root.given and len(people) > 1):
                    continue
                used.add(given)
                phone = root.phone if draw.random() < 0.7 else self._phone()
                people.append(
                    replace(
                        root, given=given, father=root.given, grandfather=root.father, sex=sex, born=born, phone=phone
                    )
                )
        made = []
        for person in people:
            self._entity += 1
            made.append(replace(person, entity=self._entity))
        return made

    def _registered(self, person: Person) -> dict[str, str]:
        draw = self._random
        ancestors = ANCESTORS[self._script]
        names = {"given": person.given, "family": person.family}
        if ancestors:
            names["father"] = person.father
        if ancestors > 1:
            names["grandfather"] = person.grandfather
        spelled: Callable[[str], str] = str
        if not self._script.startswith("latin") and draw.random() < 0.15:
            spelled = self._in_latin
        names = {role: self._spoiled(spelled(name)) for role, name in names.items() if name}
        if draw.random() < 0.04:
            other = draw.choice([role for role in names if role != "given"])
            names["given"], names[other] = names[other], names["given"]
        row = names | {
            "birth_date": self._date(person.born),
            "sex": person.sex if draw.random() > 0.01 else draw.choice(("male", "female")),
            "phone": self._number(person.phone),
            "place": person.place if draw.random() > 0.12 else f"district {draw.randrange(300)}",
        }
        row = {name: "" if draw.random() < _MISSING.get(name, 0) else value for name, value in row.items()}
        if draw.random() < 0.10:
            parts = [row.pop(role, "") for role in ("given", "father", "grandfather", "family")]
            if draw.random() < 0.2:
                parts = parts[-1:] + parts[:-1]
            row["full"] = " ".join(filter(None, parts))
        return row

    def _in_latin(self, name: str) -> str:
        return transliterated.latin(self._script, self._latin.get(name, name), self._random)

    def _spoiled(self, name: str) -> str:
        """One name after keying, scanning, hearing, cutting."""
        draw = self._random
        several = len(name.split()) > 1
        if draw.random() < 0.10:
            name = self._heard(name)
        if draw.random() < 0.06:
            name = draw.choice((self._mistyped, self._scanned))(name)
        words = name.split()
        if several and len(words) > 1:  # a slip of the key can join two words
            fate = draw.random()
            if fate < 0.14:
                return words[0]
            if fate < 0.16:
                return " ".join(words[1:])
            if fate < 0.20:
                return f"{words[0]} {words[1][:1]}."
            if fate < 0.23:
                return " ".join(reversed(words))
            if fate < 0.25:
                return "-".join(words) if draw.random() < 0.5 else "".join(words)
        return name.upper() if draw.random() < 0.3 else name

    def _heard(self, name: str) -> str:
        lowered = name.lower()
        options = [(a, b) for a, b in _HEARD[self._script] if a in lowered]
        if not options:
            return name
        a, b = self._random.choice(options)
        return lowered.replace(a, b, 1) or name

    def _mistyped(self, name: str) -> str:
        draw = self._random
        if len(name) < 3:
            return name
        at = draw.randrange(len(name) - 1)
        beside = _BESIDE.get(name[at].lower()) or name[at]
        return draw.choice(
            (
                name[:at] + draw.choice(beside) + name[at + 1 :],
                name[:at] + name[at] + draw.choice(beside) + name[at + 1 :],
                name[:at] + name[at + 1 :],
                name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            )
        )

    def _scanned(self, name: str) -> str:
        options = [(a, b) for a, b in _SCANNED if a in name[1:]]
        if not options:
            return name
        a, b = self._random.choice(options)
        return name[0] + name[1:].replace(a, b, 1)

    def _number(self, phone: str) -> str:
        draw = self._random
        fate = draw.random()
        if fate < 0.12:
            return self._phone()
        if fate < 0.15:
            at = draw.randrange(5, len(phone))
            return phone[:at] + str(draw.randrange(10)) + phone[at + 1 :]
        return phone

    def _date(self, born: date) -> str:
        """What a clerk writes for a birth date; impossible dates are not written."""
        spoil: list[tuple[float, Callable[[str], str]]] = [
            (0.07, lambda d: f"{d[:4]}-01-01"),
            (0.02, lambda d: d[:4]),
            (0.02, lambda d: f"{d[:4]}-{d[8:]}-{d[5:7]}"),
            (0.02, lambda d: f"{int(d[:4]) + self._random.choice((-1, 1))}{d[4:]}"),
            (0.005, lambda d: f"{int(d[:4]) + self._random.choice((-10, 10))}{d[4:]}"),
            (0.01, lambda d: f"{d[:2]}{d[3]}{d[2]}{d[4:]}"),
            (0.01, lambda d: f"{d[:8]}{d[9]}{d[8]}"),
            (0.025, self._misread),
        ]
        text = born.isoformat()
        fate = self._random.random()
        for share, change in spoil:
            if fate < share:
                return _possible(change(text), text)
            fate -= share
        return text

    def _misread(self, text: str) -> str:
        at = self._random.choice((2, 3, 5, 6, 8, 9))
        return text[:at] + _DIGITS[text[at]] + text[at + 1 :]


def _possible(written: str, otherwise: str) -> str:
    if len(written) < 10:
        return written
    try:
        year = date.fromisoformat(written).year
    except ValueError:
        return otherwise
    return written if 1920 <= year <= 2026 else otherwise
