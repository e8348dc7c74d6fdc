"""Populations to measure linkage on: families of people who exist nowhere, each delivered once or several times.

What makes it hard is drawn on purpose: twins, fathers and sons of one name, families with one phone and one house,
given and family name in each other's column, transliterations, slips, birth dates known to the year and written as the
first of January, unknown days. The same seed gives the same people on every machine.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Person:
    entity: int
    given: str
    father: str
    grandfather: str
    family: str
    born: date
    sex: str
    phone: str
    place: str


@dataclass(frozen=True)
class Style:
    """How names are made in one script: how many ancestors are named, two family names or one, a second given one."""

    ancestors: int = 0
    two_families: bool = False
    second_given: float = 0.0


STYLES = {
    "latin_spanish": Style(two_families=True, second_given=0.6),
    "latin_french": Style(ancestors=1, second_given=0.15),
    "arabic": Style(ancestors=2),
    "persian": Style(ancestors=2),
    "ethiopic": Style(ancestors=2),
    "cyrillic": Style(ancestors=1),
}


def _names(script: str) -> list[dict[str, str]]:
    """Rows of namesakes.csv: kind (male, female, family), name, other spellings; most frequent names first."""
    with Path(__file__).with_name("namesakes.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["script"] == script]


class Population:
    """Records of `script`, about `records` of them, by the seed."""

    def __init__(self, script: str, records: int, seed: int = 1) -> None:
        self._style, self._size = STYLES[script], records
        self._random = random.Random(f"{script} {seed}")
        rows = _names(script)
        self._lists = {k: [r["name"] for r in rows if r["kind"] == k] for k in ("male", "female", "family")}
        self._spellings = {row["name"]: row["spellings"].split("|") for row in rows if row["spellings"]}
        # Zipf, flattened: the most frequent name is borne by some 6 in 100.
        self._weights = {k: [1 / (i + 4) for i in range(len(v))] for k, v in self._lists.items()}
        self._entity = 0

    def records(self) -> Iterator[dict[str, str]]:
        made = 0
        while made < self._size:
            for person in self._household():
                for copy in range(self._random.choices((1, 2, 3), (55, 38, 7))[0]):
                    yield self._delivered(person, copy, made)
                    made += 1

    def _draw(self, which: str) -> str:
        return self._random.choices(self._lists[which], self._weights[which])[0]

    def _given(self, sex: str) -> str:
        which = "male" if sex == "male" else "female"
        first = self._draw(which)
        if self._random.random() < self._style.second_given:
            second = self._draw(which)
            return f"{first} {second}" if second != first else first
        return first

    def _family(self) -> str:
        if not self._lists["family"]:
            return ""
        return f"{self._draw('family')} {self._draw('family')}" if self._style.two_families else self._draw("family")

    def _person(self, **said: Any) -> Person:
        self._entity += 1
        return replace(Person(self._entity, "", "", "", "", date(2000, 1, 1), "", "", ""), **said)

    def _household(self) -> list[Person]:
        draw = self._random
        family, phone = self._family(), f"+{draw.randrange(10**10, 10**11)}"
        place = f"place {int(draw.paretovariate(0.6)) % 120}"
        shared = {"family": family, "place": place, "phone": phone}
        grandfather = self._given("male")
        father = self._person(
            given=self._given("male"), father=grandfather, grandfather=self._given("male"),
            born=self._day(1945, 1980), sex="male", **shared,
        )  # fmt: skip
        people = [father]
        if draw.random() < 0.5:
            people.append(
                self._person(
                    given=self._given("female"), father=self._given("male"), grandfather=self._given("male"),
                    born=self._day(1945, 1982), sex="female", **(shared | {"family": self._family()}),
                )
            )  # fmt: skip
        for _ in range(draw.choices((0, 1, 2, 3, 4), (30, 25, 20, 15, 10))[0]):
            people += self._children(father, shared, {person.given for person in people[1:]})
        return people

    def _children(self, father: Person, shared: dict[str, str], taken: set[str]) -> list[Person]:
        """One child, or twins; no two of one name, and a tenth of the sons bear the father's."""
        draw = self._random
        born = father.born + timedelta(days=draw.randrange(19 * 365, 40 * 365))
        children = []
        for _ in range(2 if draw.random() < 0.04 else 1):
            sex = draw.choice(("male", "female"))
            given = self._given(sex)
            if sex == "male" and draw.random() < 0.1 and father.given not in taken:
                given = father.given
            while given in taken:
                given = self._given(sex)
            taken.add(given)
            own = shared if draw.random() < 0.6 else shared | {"phone": f"+{draw.randrange(10**10, 10**11)}"}
            children.append(
                self._person(given=given, father=father.given, grandfather=father.father, born=born, sex=sex, **own)
            )
        return children

    def _day(self, first: int, last: int) -> date:
        return date(first, 1, 1) + timedelta(days=self._random.randrange((last - first) * 365))

    def _delivered(self, person: Person, copy: int, number: int) -> dict[str, str]:
        """One delivery of a person: the first mostly as it is, later ones with what happens to names and dates."""
        draw = self._random
        ancestors = self._style.ancestors
        row = {
            "given": person.given,
            "father": person.father if ancestors > 0 else "",
            "grandfather": person.grandfather if ancestors > 1 else "",
            "family": person.family,
        }
        trouble = 1.0 if copy else 0.4
        if draw.random() < 0.35 * trouble:
            row = {role: self._respelled(name) for role, name in row.items()}
        if draw.random() < 0.10 * trouble:
            role = draw.choice([role for role, name in row.items() if name])
            row[role] = self._slip(row[role])
        if draw.random() < 0.03 * trouble:
            other = "family" if row["family"] else "father"
            row["given"], row[other] = row[other], row["given"]
        if draw.random() < 0.15 * trouble:
            row = {role: _first_part(name) for role, name in row.items()}
        if draw.random() < 0.10 * trouble and row["grandfather"]:
            row["grandfather"] = ""
        moved = draw.random() < 0.20 * trouble
        return row | {
            "record_id": str(number),
            "entity_id": str(person.entity),
            "birth_date": self._date(person.born, trouble),
            "sex": person.sex,
            "phone": "" if draw.random() < 0.25 else f"+{draw.randrange(10**10, 10**11)}" if moved else person.phone,
            "place": f"place {draw.randrange(120)}" if draw.random() < 0.1 * trouble else person.place,
        }

    def _respelled(self, name: str) -> str:
        options = self._spellings.get(name)
        if options:
            return self._random.choice(options)
        words = [self._random.choice(self._spellings.get(word) or [word]) for word in name.split()]
        return " ".join(words)

    def _slip(self, name: str) -> str:
        """One letter left out, doubled, exchanged with the next, or another one."""
        if len(name) < 3:
            return name
        at = self._random.randrange(len(name) - 1)
        kind = self._random.randrange(4)
        if kind == 0:
            return name[:at] + name[at + 1 :]
        if kind == 1:
            return name[:at] + name[at] + name[at:]
        if kind == 2:
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        return name[:at] + self._random.choice(name) + name[at + 1 :]

    def _date(self, born: date, trouble: float) -> str:
        """ISO, cut where the day is unknown; the first of January where a register had to write something."""
        draw = self._random.random()
        if draw < 0.10 * trouble:
            return f"{born.year}-01-01"
        if draw < 0.13 * trouble:
            return f"{born:%Y-%m}"
        if draw < 0.15 * trouble:
            return f"{born.year}"
        if draw < 0.17 * trouble and born.day <= 12:
            return f"{born.year}-{born.day:02d}-{born.month:02d}"
        if draw < 0.23 * trouble:
            return self._mistyped(born)
        if draw < 0.235 * trouble:
            return ""
        return born.isoformat()

    def _mistyped(self, born: date) -> str:
        """Another date that differs in one digit."""
        while True:
            text = list(born.isoformat())
            at = self._random.choice((2, 3, 5, 6, 8, 9))
            text[at] = self._random.choice("0123456789")
            try:
                return date.fromisoformat("".join(text)).isoformat()
            except ValueError:
                continue


def _first_part(name: str) -> str:
    """The first of several names; a particle stays with the word that it belongs to."""
    words = name.split()
    parts = next((i for i, word in enumerate(words) if word not in _BOUND), 0) + 1
    return " ".join(words[:parts])


_BOUND = frozenset({"de", "la", "del", "عبد", "ገብረ", "ወልደ", "ሀይለ"})
