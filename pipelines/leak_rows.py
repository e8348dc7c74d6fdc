"""The rows of what `homeward leakcheck` delivers: good ones, and one for every way in which a row can be wrong.

Every column that must not pass holds canaries, and headers that nobody declared are canaries too. Columns that pass
hold them only where no rule can read them, or where the value scan must notice them. How a format writes the rows is
not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

from anonymization.leaks.canaries import SCRIPTS, Canaries

DECLARED = (
    "case_no", "national_no", "given", "family", "phone", "email", "born", "address", "notes", "gps", "officer",
    "consent", "sex", "returned", "age", "channel",
)  # fmt: skip

Row = dict[str, str]


def good_row(canaries: Canaries, script: str) -> Row:
    return {
        "case_no": canaries.number(script, "case number", 12),
        "national_no": canaries.number(script, "national number", 13),
        "given": canaries.name(script, "given name"),
        "family": canaries.name(script, "family name"),
        "phone": canaries.phone(script),
        "email": canaries.email(),
        "born": canaries.birth_date(),
        "address": canaries.story(script, "address"),
        "notes": canaries.story(script, "note"),
        "gps": canaries.gps(),
        "officer": canaries.name(script, "officer's name"),
        "consent": "yes",
        "sex": "F",
        "returned": "2024-05-17",
        "age": "34",
        "channel": "office",
    }


def rows(canaries: Canaries) -> list[Row]:
    """A good row for every script, and one for every way of breaking one."""
    scripts = cycle(SCRIPTS)
    good = [good_row(canaries, script) for script in SCRIPTS]
    broken: list[Row] = [
        {"consent": "no"},
        {"consent": ""},
        {"case_no": ""},
        {"case_no": good[0]["case_no"]},  # twice the same key
        {"national_no": good[1]["national_no"], "email": good[2]["email"]},  # two people's numbers on one row
        {"sex": "X9"},
        {"sex": canaries.name(next(scripts), "name in place of a code")},
        {"returned": canaries.name(next(scripts), "name in place of a date")},
        {"age": canaries.name(next(scripts), "name in place of a number")},
        {"age": canaries.number(next(scripts), "number of somebody in place of an age", 13)},
        {"channel": canaries.name(next(scripts), "name in a column without meaning")},
        {"consent": canaries.name(next(scripts), "name in place of a consent")},
        {"returned": canaries.birth_date()},
        {"returned": "2023-13-45"},
        {"returned": ""},
        {"age": "4O"},
        {"age": "999"},
        {"age": "9" * 40},
        {"born": canaries.birth_date("%d/%m/%Y")},
        {"born": canaries.birth_date_in("jalali")},
        {"gps": canaries.gps_in_degrees()},
        {"born": canaries.story(next(scripts), "text in place of a birth date")},
        {"phone": canaries.story(next(scripts), "text in place of a phone")},
        {"email": canaries.name(next(scripts), "name in place of an e-mail")},
        {"channel": canaries.phone()},  # passing columns: the gate must see these
        {"channel": canaries.email()},
        {"channel": "office " * 2000},
        {"notes": f'{canaries.story("arabic")}\n"{canaries.story("ethiopic")}", \u200f{canaries.email()}'},
        {"notes": " ".join(canaries.story(script) for script in SCRIPTS) + " " + "long " * 2000},
        {"given": "\u200f".join(canaries.name("persian", "given name with marks of direction"))},
    ]
    return [*good, *(good_row(canaries, next(scripts)) | change for change in broken)]


def _undeclared(canaries: Canaries) -> Iterator[tuple[str, Callable[[], str]]]:
    """Headers nobody declared, some of them somebody's name, and what their cells hold."""
    yield "second_phone", canaries.phone
    yield "plate", lambda: canaries.reference("plate")
    yield "passport_lines", canaries.passport_lines
    yield "page", canaries.page
    yield "gps_in_degrees", canaries.gps_in_degrees
    yield "gps_latitude", canaries.latitude
    yield "born_in_ethiopia", lambda: canaries.birth_date_in("ethiopian")
    yield "born_hijri", lambda: canaries.birth_date_in("hijri_civil")
    yield "account", lambda: canaries.reference("account")
    yield "name_reversed", lambda: ", ".join(reversed(canaries.name("latin", "FAMILY, given").upper().split()))
    yield "name_small", lambda: canaries.name("latin", "name in lower case").lower()
    for script in SCRIPTS:
        yield canaries.story(script, "header"), lambda script=script: canaries.name(script, "undeclared cell")  # type: ignore[misc]
    yield canaries.phone(), canaries.email


def table(canaries: Canaries, lines: list[Row]) -> list[list[str]]:
    """Header and rows, the undeclared columns behind the declared ones."""
    extra = list(_undeclared(canaries))
    header = [*DECLARED, *(name for name, _ in extra)]
    return [header, *([row[name] for name in DECLARED] + [cell() for _, cell in extra] for row in lines)]
