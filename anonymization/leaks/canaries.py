"""Canaries: made-up personal values that nobody has, planted in a delivery to see whether they get out of the vault.

Names, numbers, phones, e-mails, places and dates in seven scripts, fresh and random each time, so that finding one
outside the vault means that it leaked. Where they are planted and looked for is not decided here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from values.calendars import CALENDARS

SCRIPTS: dict[str, tuple[str, str, str]] = {
    "latin": ("bdfgklmnprstvxz", "aeiouáéíóúñ", "0123456789"),
    "arabic": ("بتجحخدرسشصطعفقلمنه", "اوي", "٠١٢٣٤٥٦٧٨٩"),
    "persian": ("بپتچدرژسشفکگلمنه", "اوی", "۰۱۲۳۴۵۶۷۸۹"),
    "ethiopic": ("ለመረሰሸቀበተቸነከወዘደጀገጠፈ", "ሊሙራሴሽቁባቲኔኩዋዚዳጃጉጣፋ", "0123456789"),
    "cyrillic": ("бвгджзклмнпрстфхш", "аеиоуыэюя", "0123456789"),
    "bengali": ("কখগঘচছজটডতদনপবমরলসহ", "ািীুেো", "০১২৩৪৫৬৭৮৯"),
    "pashto": ("بپتټجچڅځدډرړزژسښشغفقکګلمنڼ", "اویېۍ", "۰۱۲۳۴۵۶۷۸۹"),
    "sorani": ("بپتجچحخدرڕزژسشغفڤقکگلڵمنه", "اوۆیێە", "٠١٢٣٤٥٦٧٨٩"),
    "chinese": ("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚", "0123456789"),
    "devanagari": ("कखगचजटडतदनपबमरलवसह", "ािीुेो", "०१२३४५६७८९"),
}
"""Consonants, vowels and digits with which a word of the script is made."""

EARLIEST, LATEST = date(1921, 1, 1), date(1938, 12, 31)
"""Birth dates that a codebook accepts, and that no other date of this field can be."""


FIRST_YEARS = {"ethiopian": (1913, 1930), "jalali": (1300, 1317), "hijri_civil": (1340, 1357)}
"""The same span in the calendars of suppliers, from and before."""


@dataclass(frozen=True)
class Canary:
    """One planted value. `marks`: the parts of it that nobody else has; each of them alone is a leak.

    `str()` says what it is and never the value: reports are made of that.
    """

    kind: str
    script: str
    text: str = field(repr=False)
    marks: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.kind}, {self.script}"


class Canaries:
    """Makes canaries and remembers all that it made. `seed`: the same ones again; random if None."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311  # not a secret
        self._made: list[Canary] = []

    def __iter__(self) -> Iterator[Canary]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def name(self, script: str = "latin", kind: str = "name") -> str:
        """Given and family name."""
        words = [self._word(script) for _ in range(2)]
        return self._made_of(kind, script, " ".join(words), words)

    def number(self, script: str = "latin", kind: str = "number", digits: int = 13) -> str:
        """A national number or a number of a case or document, in digits of the script."""
        plain = self._digits(digits)
        return self._made_of(kind, script, _in_digits(script, plain), [plain])

    def phone(self, script: str = "latin") -> str:
        """A mobile number of Iraq, which has ten digits of its own after the country's prefix."""
        plain = "77" + self._digits(8)
        shown = f"+964 {plain[:3]} {plain[3:6]} {plain[6:]}"
        return self._made_of("phone", script, _in_digits(script, shown), [plain])

    def email(self) -> str:
        first, last = self._word("latin", plain=True), self._word("latin", plain=True)
        return self._made_of("e-mail", "latin", f"{first}.{last}@example.org", [first, last])

    def passport_lines(self) -> str:
        """The two lines at the foot of a passport, which machines read."""
        family, given, number = self._word("latin", plain=True), self._word("latin", plain=True), self._digits(9)
        # Nine digits are no mark: they stand in some time of day by chance.
        written = f"P<IRQ{family}<<{given}".upper().ljust(44, "<")
        text = f"{written} {number}4IRQ3001019F3001012<<<<<<<<<<<<<<04"
        return self._made_of("lines of a passport", "latin", text, [family, given])

    def page(self) -> str:
        """The address of somebody's page, and how it is called there."""
        first, last = self._word("latin", plain=True).lower(), self._word("latin", plain=True).lower()
        number = self._digits(13)
        text = f"https://social.example/{first}.{last}?profile={number} @{first}_{last}"
        return self._made_of("page of somebody", "latin", text, [first, last, number])

    def gps(self) -> str:
        """Latitude, longitude, altitude and accuracy, as a Kobo export has them."""
        north, east = f"{self._random.uniform(11, 36):.9f}", f"{self._random.uniform(41, 47):.9f}"
        return self._made_of("GPS", "latin", f"{north} {east} 0 0", [north[:-1], east[:-1]])

    def gps_in_degrees(self) -> str:
        """Degrees, minutes and seconds, as a hand-held device shows them."""
        parts = [(self._random.randrange(11, 36), "N"), (self._random.randrange(41, 47), "E")]
        minutes = [(self._random.randrange(10, 60), self._random.uniform(10, 59)) for _ in parts]
        written = [
            (f"{degrees}", f"{minute}", f"{second:.5f}", side)
            for (degrees, side), (minute, second) in zip(parts, minutes, strict=True)
        ]
        text = " ".join(f"{degrees}°{minute}'{second}\"{side}" for degrees, minute, second, side in written)
        marks = [f"{degrees}{minute}{second}".replace(".", "") for degrees, minute, second, _ in written]
        return self._made_of("GPS in degrees", "latin", text, marks)

    def latitude(self) -> str:
        """A latitude within two degrees of the equator, alone."""
        text = f"{self._random.choice('-+')}{self._random.uniform(0.1, 1.9):.12f}".lstrip("+")
        return self._made_of("latitude near zero", "latin", text, [text.lstrip("-")[:-1]])

    def birth_date_in(self, calendar: str) -> str:
        """A birth date of the years between the wars in another calendar; the same day in ours is a leak as well."""
        own = [
            self._random.randrange(*FIRST_YEARS[calendar]),
            self._random.randrange(1, 12),
            self._random.randint(13, 29),
        ]
        days, _ = CALENDARS[calendar](*(np.array([part]) for part in own))
        ours = date(1970, 1, 1) + timedelta(days=int(days[0]))
        year, month, day = own
        written = [f"{day:02}/{month:02}/{year}", f"{day:02}-{month:02}-{year}", f"{year}-{month:02}-{day:02}"]
        return self._made_of("birth date", calendar, written[0], [*written, *_forms_of(ours)])

    def birth_date(self, form: str = "%Y-%m-%d") -> str:
        """Of somebody born between the wars, on a day after the twelfth, so that day and month cannot be taken for
        each other."""
        days = (LATEST - EARLIEST).days
        born = EARLIEST
        while born.day <= 12:
            born = EARLIEST + timedelta(days=self._random.randrange(days))
        return self._made_of(
            "birth date", "latin", f"{born:{form}}", dict.fromkeys([*_forms_of(born), f"{born:{form}}"])
        )

    def reference(self, kind: str = "reference") -> str:
        """Letters and digits together: a plate, an account, a card, the end of an instance's uuid."""
        text = "".join(self._random.choice("BCDFGHJKLMNPQRSTVWXZ0123456789") for _ in range(10)) + "Q7"
        return self._made_of(kind, "latin", text, [text])

    def story(self, script: str = "latin", kind: str = "note") -> str:
        """A note, label or title that names somebody."""
        words = [self._word(script) for _ in range(3)]
        return self._made_of(kind, script, f"{words[0]} {words[1]}, {words[2]} 12", words)

    def _word(self, script: str, plain: bool = False) -> str:
        consonants, vowels, _ = SCRIPTS[script]
        if plain:
            vowels = "aeiou"
        word = "".join(self._random.choice(consonants) + self._random.choice(vowels) for _ in range(5))
        return word.capitalize()

    def _digits(self, count: int) -> str:
        """No digit four times in a row, no leading zero: what looks like a placeholder is nobody's number."""
        while True:
            made = str(self._random.randrange(1, 10)) + "".join(
                str(self._random.randrange(10)) for _ in range(count - 1)
            )
            if not re.search(r"(\d)\1{3}", made) and len(set(made)) > 4:
                return made

    def _made_of(self, kind: str, script: str, text: str, marks: Iterable[str]) -> str:
        self._made.append(Canary(kind, script, text, tuple(marks)))
        return text


def _forms_of(day: date) -> list[str]:
    """In the orders in which people and libraries write it."""
    forms = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d")
    return [f"{day:{form}}" for form in forms]


def _in_digits(script: str, text: str) -> str:
    return text.translate(str.maketrans("0123456789", SCRIPTS[script][2]))
