"""Interviews of the two Kobo samples: who was interviewed when, what was answered, and what must be found wrong.

Shared by `kobo_eth` and `kobo_civ`, which add their country, its people and the defects they plant.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from examples.kobo_exports import Submission
from examples.manifest import Planted, RowOutcome, plant, plant_people
from examples.people import Person

ANSWERS = (
    *(f"Rs_econ_{item}" for item in ("1", "2", "3", "4", "4b", "5", "6", "7", "8", "9")),
    *(f"Rs_soc_{item}" for item in range(11, 21)),
    *(f"Rs_pss_{item}" for item in range(22, 32)),
)
PSYCHOSOCIAL = tuple(item for item in ANSWERS if item.startswith("Rs_pss"))
# More than seven "I don't wish to answer" make a score of low confidence (domain.md 1.3).
EIGHT_REFUSED = ("Rs_econ_1", "Rs_econ_2", "Rs_econ_3", "Rs_econ_6", "Rs_soc_11", "Rs_soc_12", "Rs_soc_15", "Rs_pss_22")

# What the endline takes over from the baseline of the same person.
LASTING = (
    "case_number", "member_number", "Fayda", "nni", "given_name", "father_name", "grandfather_name", "nom", "prenoms",
    "phone", "email", "birth_date", "sex", "nationality", "education", "marital_status", "vulnerability",
    "guardian_consent", "return_date", "host_country", "host_country_other", "absence_years", "return_type",
    "transport", "returned_with", "region", "kebele", "same_community", "hh_size", "hh_school_age",
)  # fmt: skip


WITHOUT_KEY = {"read.damaged_value": "error", "gate.missing_key": "error"}
TOO_LATE = {
    "rule.household.return_before_interview": "error",
    "rule.rss_response.return_before_interview": "error",
}


@dataclass
class Interview:
    """One submission with what must be found wrong with it (rule -> severity), and who is mentioned in it."""

    who: Person
    held: date
    wave: str
    submission: Submission
    findings: dict[str, str] = field(default_factory=dict)
    mentioned: list[Planted] = field(default_factory=list)

    @property
    def cells(self) -> dict[str, str]:
        return self.submission.cells

    def again(self, **changed: str) -> Interview:
        """The same submission a second time in the file, its household members left out."""
        return Interview(self.who, self.held, self.wave, Submission({**self.cells, **changed}))


Change = Callable[[Interview], dict[str, str]]


class Spoiler:
    """Plants defects, each on an interview of its own, in an order that the seed decides."""

    def __init__(self, interviews: list[Interview], rng: random.Random) -> None:
        self._interviews = interviews
        self._untouched = iter(rng.sample(interviews, len(interviews)))

    def spoil(self, times: int, rule: str, severity: str, change: Change) -> None:
        """`times` interviews get the cells of `change`, and the finding that must follow."""
        for one in self._next(times):
            one.cells.update(change(one))
            one.findings[rule] = severity

    def harmless(self, times: int, change: Change) -> None:
        """What looks wrong and is to be taken as it is: no finding follows."""
        for one in self._next(times):
            one.cells.update(change(one))

    def lengthen(self, times: int) -> None:
        """A stale choice adds a cell after the last column (formats.md 1.4)."""
        for one in self._next(times):
            one.submission.beyond = ("1",)
            one.findings["read.ragged_row"] = "query"

    def paste_twice(self, times: int) -> None:
        """The same submission, all of it, from two exports put together."""
        for one in self._next(times):
            again = one.again()
            again.findings["key.duplicate_row"] = "error"
            self._interviews.append(again)

    def damage_ids(self, times: int, damaged: str) -> None:
        """A spreadsheet program shortened the long number: the row cannot be told from others (formats.md 1.2)."""
        for one in self._next(times):
            one.cells["_id"] = damaged
            one.findings |= WITHOUT_KEY

    def return_too_late(self, times: int) -> None:
        """A return after the interview about it: durations of -146 days were found (domain.md 1.6.6)."""
        for one in self._next(times):
            one.cells["return_date"] = (one.held + timedelta(days=146)).isoformat()
            one.findings |= TOO_LATE

    def share_id(self, times: int, **changed: str) -> None:
        """Two different submissions under one id: nobody can say which of them it is."""
        for one in self._next(times):
            again = one.again(**changed)
            one.findings["key.duplicate"] = again.findings["key.duplicate"] = "error"
            self._interviews.append(again)

    def _next(self, times: int) -> Iterable[Interview]:
        return [next(self._untouched) for _ in range(times)]


def on(**changed: str) -> Change:
    """A change that is the same for every interview."""
    return lambda one: changed


def dated(way: str) -> Change:
    """The date of return written in another way than the form writes it, on a day that is no month."""
    return lambda one: {"return_date": date.fromisoformat(one.cells["return_date"]).replace(day=17).strftime(way)}


def unanswered(status: str, items: Iterable[str] = ANSWERS) -> dict[str, str]:
    """An interview that ended early: these items are blank."""
    return {**dict.fromkeys(items, ""), "interview_status": status}


def pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def age_on(born: date, when: date) -> int:
    return when.year - born.year - ((when.month, when.day) < (born.month, born.day))


def about_person(who: Person, held: date, rng: random.Random) -> dict[str, str]:
    """What both forms ask about the person, apart from names and numbers."""
    age = age_on(who.birth, held)
    return {
        "phone": who.phone if rng.random() < 0.9 else "",
        "email": who.email if rng.random() < 0.2 else "",
        "birth_date": who.birth.isoformat(),
        "age": str(age),
        "sex": who.sex,
        "education": rng.choice(("none", "literacy", "religious", "primary", "primary", "secondary_1", "university")),
        "marital_status": rng.choice(("single", "single", "married", "divorced", "widowed")),
        "vulnerability": rng.choice(("none", "none", "", "chronic_illness", "medical violence", "single_head")),
        "guardian_consent": "yes" if age < 18 else "",
        "kebele": who.address,
    }


def about_household(rng: random.Random) -> dict[str, str]:
    size = rng.choice((1, 2, 3, 4, 4, 5, 5, 6, 7, 9))
    return {"hh_size": str(size), "hh_school_age": str(rng.randint(0, size // 2))}


def held_to_the_end(rng: random.Random, held: date, wave: str, zone: int) -> dict[str, str]:
    """Metadata and circumstances of a completed interview; `zone` is the devices' offset from UTC in hours."""
    began = datetime.combine(held, time(8 + rng.randrange(8), rng.randrange(60), rng.randrange(60)))
    offset = f".{rng.randrange(1000):03d}+{zone:02d}:00"
    instance = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return {
        "start": began.isoformat() + offset,
        "end": (began + timedelta(minutes=41)).isoformat() + offset,
        "today": held.isoformat(),
        "deviceid": f"imei:35{rng.randrange(10**13):013d}",
        "caseworker": "yes" if rng.random() < 0.12 else "no",
        "interview_mode": pick(rng, {"phone": 60, "field": 30, "office": 10}),
        "survey_wave": wave,
        "Consent": "yes",
        "consent_audio": f"consent-{rng.randrange(10**9):09d}.m4a",
        "interview_status": "completed",
        "_id": str(310_000_000 + rng.randrange(10**7)),
        "_uuid": instance,
        "_submission_time": (began + timedelta(minutes=47) - timedelta(hours=zone)).isoformat(),
        "_status": "submitted_via_web",
        "meta/rootUuid": f"uuid:{instance}",
    }


def main_outcomes(interviews: Iterable[Interview]) -> Iterator[RowOutcome]:
    """One outcome for each row of the main table; the header is row 1."""
    for row, one in enumerate(interviews, start=2):
        yield RowOutcome.of("main", row, one.findings)


def planted_in(one: Interview) -> list[Planted]:
    """Every form in which personal values of the interview are written, and the plain form of each."""
    cells = one.cells
    return [
        *plant_people([one.who]),
        *plant("national_id", [cells.get("Fayda", ""), cells.get("nni", "")]),
        *plant("case_number", [cells["case_number"], cells["member_number"]]),
        *plant("birth_date", [one.who.birth.isoformat()]),
        *plant("name", [cells["Interviewer"]]),
        *plant("phone", [cells["phonenumber"]]),
        *plant("device", [cells["deviceid"]]),
        *plant("audio", [cells["consent_audio"]]),
        *plant("gps", [cells["gps"], *cells["gps"].split()[:2]]),
        *one.mentioned,
    ]
