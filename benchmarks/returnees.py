"""A third population to measure linkage on, written after the model; some of it was mended after the first figures.

Made in another spirit than `namesakes` and `registers`: clans with few names, each person met one to four times by
offices that write in their own way. An office has one script and one manner of transliterating, orders names as its
form asks, leaves out what it does not ask, and knows ages in place of birth dates. Fathers and sons, cousins of one
name, twins, and phones that go from hand to hand come of how people live, not of noise.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from benchmarks.namesakes import Person

SCRIPTS = ("arabic", "dari", "amharic", "spanish", "french", "serbian", "ukrainian")
_FORM = {"spanish": "two families", "french": "family", "serbian": "patronymic", "ukrainian": "patronymic"}
"""How a person is named; elsewhere by the father's and the grandfather's given names, in Arabic with a family."""


@dataclass(frozen=True)
class _Office:
    """How one office writes down whoever comes."""

    latin: int | None
    whole: bool
    family_first: bool
    asks: frozenset[str]
    ages: float
    capitals: bool


class Returnees:
    """Records of `script`, about `records` of them, by the seed."""

    def __init__(self, script: str, records: int, seed: int = 1) -> None:
        self._script, self._size = script, records
        self._random = random.Random(f"returnees {script} {seed}")
        with Path(__file__).with_name("returnees.csv").open(encoding="utf-8", newline="") as file:
            listed = {row["kind"]: row["names"].split() for row in csv.DictReader(file) if row["script"] == script}
        named = {kind: [name.replace("_", " ").partition("=") for name in names] for kind, names in listed.items()}
        self._names = {kind: [name for name, _, _ in names] for kind, names in named.items()}
        self._latin = {name: latin.split("|") for names in named.values() for name, _, latin in names if latin}
        self._offices = [self._office() for _ in range(6)]
        self._entity = 0

    def records(self) -> Iterator[dict[str, str]]:
        made = 0
        while made < self._size:
            for person in self._clan():
                for visit in range(self._random.choices((1, 2, 3, 4), (40, 35, 17, 8))[0]):
                    yield self._written(person, visit) | {"record_id": str(made), "entity_id": str(person.entity)}
                    made += 1

    def _office(self) -> _Office:
        draw = self._random
        asks = {"birth_date", "sex"} | {
            what for what in ("phone", "place", "father", "grandfather") if draw.random() < 0.8
        }
        latin = draw.randrange(2) if draw.random() < 0.35 else None
        return _Office(
            latin, draw.random() < 0.2, draw.random() < 0.3, frozenset(asks), draw.random() * 0.2, draw.random() < 0.4
        )

    def _pick(self, kind: str) -> str:
        """Three quarters bear one of the more usual names, whichever they are here."""
        names = self._names.get(kind, [])
        return self._random.choice(names[: len(names) // 2] if self._random.random() < 0.65 else names) if names else ""

    def _given(self, sex: str) -> str:
        first = self._pick(sex)
        if self._script == "spanish" and self._random.random() < 0.6:
            second = self._pick(sex)
            return first if second == first else f"{first} {second}"
        return first

    def _born(self, first: int, last: int) -> date:
        return date(first, 1, 1) + timedelta(days=self._random.randrange((last - first) * 365))

    def _clan(self) -> list[Person]:
        """A grandfather, his sons and their children; cousins share the grandfather, and often the name."""
        draw = self._random
        place = f"{self._script} district {int(draw.triangular(0, 90, 5))}"
        family = self._pick("family")
        head = self._made(
            self._given("male"), self._given("male"), self._given("male"), family, self._born(1938, 1958), "male", place
        )
        people = [head]
        for _ in range(draw.choice((1, 1, 2, 3))):
            son = self._child(head, "male")
            people.append(son)
            mother = self._pick("family")
            brood = draw.choice((0, 1, 2, 3, 4))
            names: set[str] = set()
            while brood > 0:
                twins = draw.random() < 0.05
                born = son.born + timedelta(days=draw.randrange(20 * 365, 38 * 365))
                for _one in range(2 if twins else 1):
                    child = self._child(son, draw.choice(("male", "female")), born, mother)
                    if child.given.split()[0] in names:
                        continue
                    names.add(child.given.split()[0])
                    people.append(child)
                brood -= 1
        return people

    def _made(self, given: str, father: str, grandfather: str, family: str, born: date, sex: str, place: str) -> Person:
        self._entity += 1
        phone = f"+{self._random.randrange(10**10, 10**11)}"
        return Person(self._entity, given, father, grandfather, family, born, sex, phone, place)

    def _child(self, father: Person, sex: str, born: date | None = None, mother: str = "") -> Person:
        draw = self._random
        given = self._given(sex)
        if sex == "male" and draw.random() < 0.12:
            given = father.given if self._script in ("spanish", "french") else father.father
        family = father.family
        if _FORM.get(self._script) == "two families":
            family = f"{father.family.split()[0]} {mother or self._pick('family')}"
        when = born or father.born + timedelta(days=draw.randrange(20 * 365, 38 * 365))
        child = self._made(given, father.given, father.father, family, when, sex, father.place)
        return replace(child, phone=father.phone) if draw.random() < 0.5 else child

    def _written(self, person: Person, visit: int) -> dict[str, str]:
        draw = self._random
        office = draw.choice(self._offices)
        form = _FORM.get(self._script, "ancestors")
        names = {"given": person.given, "family": person.family}
        if form != "two families":
            names["father"] = person.father
        if form == "ancestors":
            names["grandfather"] = person.grandfather
        if form == "family":
            del names["father"]
        names = {
            role: name
            for role, name in names.items()
            if name and (role not in ("father", "grandfather") or role in office.asks)
        }
        names = {role: self._spelled(name, office) for role, name in names.items()}
        if visit and draw.random() < 0.05:
            role = draw.choice(list(names))
            names[role] = self._slip(names[role])
        if draw.random() < 0.03 and len(names) > 1:
            other = draw.choice([role for role in names if role != "given"])
            names["given"], names[other] = names[other], names["given"]
        if form == "two families" and draw.random() < 0.2:
            names["family"] = names["family"].split()[0]
        if " " in names["given"] and draw.random() < 0.2:
            names["given"] = names["given"].split()[0]
        if office.capitals:
            names = {role: name.upper() for role, name in names.items()}
        row = dict(names)
        if office.whole:
            parts = [names[role] for role in ("given", "father", "grandfather", "family") if role in names]
            row = {"full": " ".join(parts[-1:] + parts[:-1] if office.family_first and "family" in names else parts)}
        row["birth_date"] = self._date(person.born, office)
        row["sex"] = person.sex if draw.random() > 0.008 else ""
        if "phone" in office.asks and draw.random() < 0.85:
            row["phone"] = person.phone if draw.random() < 0.75 else f"+{draw.randrange(10**10, 10**11)}"
        if "place" in office.asks and draw.random() < 0.95:
            moved = draw.random() < 0.12
            row["place"] = f"{self._script} district {draw.randrange(90)}" if moved else person.place
        return row

    def _spelled(self, name: str, office: _Office) -> str:
        if office.latin is None:
            return name

        manner = office.latin
        options = [self._latin.get(part, [part]) for part in ([name] if name in self._latin else name.split())]
        return " ".join(spellings[min(manner, len(spellings) - 1)] for spellings in options)

    def _slip(self, name: str) -> str:
        draw = self._random
        at = draw.randrange(1, max(2, len(name) - 1))
        changes: tuple[Callable[[], str], ...] = (
            lambda: name[:at] + name[at + 1 :],
            lambda: name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
            lambda: name[:at] + name[at - 1] + name[at:],
        )
        return draw.choice(changes)() if len(name) > 3 else name

    def _date(self, born: date, office: _Office) -> str:
        draw = self._random
        if draw.random() < 0.02:
            return ""
        if draw.random() < office.ages:
            off = draw.choices((-1, 0, 1), (12, 76, 12))[0]
            return f"{born.year + off}-01-01" if draw.random() < 0.8 else f"{born.year + off}"
        if draw.random() < 0.05:
            return f"{born.year}-01-01"
        if draw.random() < 0.015 and born.day <= 12:
            return f"{born.year}-{born.day:02}-{born.month:02}"
        if draw.random() < 0.03:
            day = min(28, max(1, born.day + draw.choice((-10, -1, 1, 10))))
            return f"{born.year}-{born.month:02}-{day:02}"
        return born.isoformat()
