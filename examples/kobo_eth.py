"""The sample survey of Ethiopia: a KoboToolbox XLSX export with XML values, two form versions and household members.

240 interviews, baseline and endline of partly the same people, Amharic notes that name people, and the defects of
domain.md 1.6 and formats.md 1, each with the outcome its row must have. Nobody in it exists.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from examples.kobo_exports import Submission, write_xlsx_export
from examples.manifest import Manifest, Planted, RowOutcome, plant, plant_people
from examples.people import Person, people, person, verhoeff_digit
from examples.rss_answers import answer_survey
from examples.rss_forms import load_form, write_xlsform

SOURCE = "eth/kobo_rss"
EXPORT = "Reintegration_Sustainability_Survey_ETH_-_all_versions_-_False_-_2025-07-01-06-30-00.xlsx"
XLSFORM = "Reintegration_Sustainability_Survey_ETH.xlsx"
LANGUAGES = (("en", "English (en)"), ("am", "Amharic (am)"))
BASELINES, ENDLINES = 146, 84
V1, V2 = "vQz7XkLr2mPYd4TnAeHs9W", "vB3uRt8NcJw5FyKpVg6MxE"
SECOND_VERSION_FROM = date(2024, 3, 1)
# The second version of the form spells two countries in English; the first had them in French (domain.md 1.6.2).
RESPELLED = {"tchad": "chad", "cameroun": "cameroon"}
STALE_COLUMN = "grp_return/migration_route"  # a question of a test version, still in exports of "all versions"

_HOSTS = {
    "saudi_arabia": 46,
    "sudan": 12,
    "yemen": 10,
    "libya": 9,
    "lebanon": 8,
    "south_africa": 7,
    "tchad": 5,
    "cameroun": 3,
}
_REGIONS = {"Oromia": 34, "Amhara": 28, "Addis Ababa": 12, "Tigray": 10, "Sidama": 6, "Somali": 6, "Dire Dawa": 4}
_INTERVIEWERS = ("Hirut Wondimagegn Desta", "Natnael Shiferaw Biru", "Feven Habtemariam Legesse", "Eyob Tilahun Mamo")
_NOTES = (
    "ተመላሹ {name} በደህና ተገኝተዋል፤ በስልክ {phone} መደወል ይቻላል።",
    "ወይዘሮ {other} ጎረቤታቸው ናቸው። ልጆቹን የምትጠብቀው እርሷ ነች።",
    "{address} አካባቢ ይኖራሉ፤ ሥራ ለማግኘት እገዛ ይፈልጋሉ።",
    "{name} ከወንድማቸው {other} ጋር አብረው ይኖራሉ።",
)
_ETHIOPIC_NAMES = ("ሰላማዊት ገብረመድኅን", "ተስፋዬ ወልደሚካኤል", "ብርቱካን አስፋው", "ዮናስ ኃይለማርያም", "መሠረት ደጀኔ", "ገነት ተክለሃይማኖት")


@dataclass
class _Interview:
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


def make_eth(folder: Path, seed: int = 20250701) -> Manifest:
    """Writes the export and its form into `folder`; the same bytes for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose, nothing secret
    form = load_form("eth", "Reintegration Sustainability Survey Ethiopia", "rss_eth", V2, LANGUAGES)
    interviews = list(_interviews(rng, seed))
    _plant_defects(interviews, rng)
    submissions = [one.submission for one in interviews]
    write_xlsx_export(form, submissions, folder / EXPORT, extra=[STALE_COLUMN])
    write_xlsform(form, folder / XLSFORM)
    return Manifest(
        source=SOURCE,
        files=(EXPORT, XLSFORM),
        rows=(*_main_outcomes(interviews), *_member_outcomes(interviews)),
        planted=tuple(dict.fromkeys(one for interview in interviews for one in _planted(interview))),
        findings=("gate.undeclared_column",),
    )


def _interviews(rng: random.Random, seed: int) -> Iterator[_Interview]:
    """Baselines first, then endlines: of those same people, and of some who were not reached at baseline."""
    baselines = []
    for number, who in enumerate(people("ETH", BASELINES, seed)):
        came = date(2023, 7, 10) + timedelta(days=rng.randrange(300))
        held = came + timedelta(days=rng.randrange(10, 85))
        cells = _identity(rng, who, number, held) | _return(rng, who, came, held) | _household(rng)
        interview = _Interview(who, held, "baseline", Submission(cells))
        _answer(rng, interview, rng.gauss(0.42, 0.12))
        interview.submission.members = [_member(rng, line) for line in range(1, int(cells["hh_size"]))]
        if rng.random() < 0.3:
            cells["Fayda"] = ""  # not issued yet: the member number links the endline
        baselines.append(interview)
        yield interview
    for baseline in rng.sample(baselines, ENDLINES):
        yield _endline(rng, baseline)


def _endline(rng: random.Random, baseline: _Interview) -> _Interview:
    """The same person a year later: Fayda by now, sometimes typed in groups, and mostly better off."""
    came = date.fromisoformat(baseline.cells["return_date"])
    held = came + timedelta(days=rng.randrange(280, 520))
    kept = {name: value for name, value in baseline.cells.items() if name in _KEPT}
    fayda = baseline.who.national_id
    spaced = f"{fayda[:4]} {fayda[4:8]} {fayda[8:]}"
    cells = {**kept, "Fayda": spaced if rng.random() < 0.25 else fayda, "age": str(_age(baseline.who.birth, held))}
    if held >= SECOND_VERSION_FROM:
        cells["host_country"] = RESPELLED.get(cells["host_country"], cells["host_country"])
    interview = _Interview(baseline.who, held, "endline", Submission(cells))
    _answer(rng, interview, rng.gauss(0.6, 0.13))
    return interview


def _identity(rng: random.Random, who: Person, number: int, held: date) -> dict[str, str]:
    age = _age(who.birth, held)
    case = number - 1 if number % 15 == 14 else number  # a case is a family: some are of two returnees
    return {
        "case_number": f"ET-RC-{23100 + case * 7}",
        "member_number": f"ET-RM-{530200 + number * 13}",
        "Fayda": who.national_id,
        "given_name": who.given,
        "father_name": who.father,
        "grandfather_name": who.grandfather,
        "phone": who.phone if rng.random() < 0.9 else "",
        "email": who.email if rng.random() < 0.2 else "",
        "birth_date": who.birth.isoformat(),
        "age": str(age),
        "sex": who.sex,
        "nationality": "ethiopia",
        "education": rng.choice(("none", "literacy", "religious", "primary", "primary", "secondary_1", "university")),
        "marital_status": rng.choice(("single", "single", "married", "divorced", "widowed")),
        "vulnerability": rng.choice(("none", "none", "", "chronic_illness", "medical violence", "single_head")),
        "guardian_consent": "yes" if age < 18 else "",
    }


def _return(rng: random.Random, who: Person, came: date, held: date) -> dict[str, str]:
    host = _pick(rng, _HOSTS)
    return {
        "return_date": came.isoformat(),
        "host_country": RESPELLED.get(host, host) if held >= SECOND_VERSION_FROM else host,
        "absence_years": str(rng.randint(0, 9)),
        "return_type": _pick(rng, {"avrr": 52, "vhr": 30, "own": 8, "deported": 10}),
        "transport": "road" if host == "sudan" else "plane",
        "returned_with": _pick(rng, {"alone": 70, "family": 22, "others": 8}),
        "region": _pick(rng, _REGIONS),
        "kebele": who.address,
        "same_community": _pick(rng, {"yes": 70, "no": 27, "dont_know": 3}),
    }


_KEPT = {
    "case_number", "member_number", "given_name", "father_name", "grandfather_name", "phone", "email", "birth_date",
    "sex", "nationality", "education", "marital_status", "vulnerability", "guardian_consent", "return_date",
    "host_country", "absence_years", "return_type", "transport", "returned_with", "region", "kebele",
    "same_community", "hh_size", "hh_school_age",
}  # fmt: skip


def _household(rng: random.Random) -> dict[str, str]:
    size = rng.choice((1, 2, 3, 4, 4, 5, 5, 6, 7, 9))
    return {"hh_size": str(size), "hh_school_age": str(rng.randint(0, size // 2))}


def _member(rng: random.Random, line: int) -> dict[str, str]:
    child = line > 2
    age = rng.randrange(1, 17) if child else rng.randrange(18, 74)
    who = person("ETH", rng, born=date(2024 - age, 1, 1))
    return {
        "member_line": str(line),
        "name": who.full_name,
        "member_fayda": who.national_id if not child and rng.random() < 0.2 else "",
        "member_age": str(age),
        "member_sex": who.sex,
        "relation": "child" if child else rng.choice(("spouse", "parent", "sibling", "other")),
        "in_school": rng.choice(("yes", "yes", "no")) if child else "",
    }


def _answer(rng: random.Random, interview: _Interview, level: float) -> None:
    """Fills an interview that was held to its end: metadata, consent, answers by the form of its day."""
    cells, held = interview.cells, interview.held
    version = V2 if held >= SECOND_VERSION_FROM else V1
    began = datetime.combine(held, time(8 + rng.randrange(8), rng.randrange(60), rng.randrange(60)))
    stored = began - timedelta(hours=3) + timedelta(minutes=47)
    submission_uuid = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    cells |= {
        "start": f"{began.isoformat()}.{rng.randrange(1000):03d}+03:00",
        "end": f"{(began + timedelta(minutes=41)).isoformat()}.{rng.randrange(1000):03d}+03:00",
        "today": held.isoformat(),
        "deviceid": f"imei:35{rng.randrange(10**13):013d}",
        "phonenumber": f"+25191{rng.randrange(10**7):07d}",
        "Interviewer": rng.choice(_INTERVIEWERS),
        "caseworker": "yes" if rng.random() < 0.12 else "no",
        "interview_mode": _pick(rng, {"phone": 60, "field": 30, "office": 10}),
        "interview_language": _pick(rng, {"amharic": 64, "oromo": 22, "tigrinya": 9, "somali": 5}),
        "survey_wave": interview.wave,
        "Consent": "yes",
        "consent_audio": f"consent-{rng.randrange(10**9):09d}.m4a",
        "interview_status": "completed",
        **answer_survey(rng, min(1.0, max(0.0, level)), int(cells["hh_school_age"])),
        "gps": f"{rng.uniform(6, 13):.6f} {rng.uniform(36, 42):.6f} {rng.uniform(900, 2600):.1f} 4.3",
        "_id": str(310_000_000 + rng.randrange(10**7)),
        "_uuid": submission_uuid,
        "_submission_time": stored.isoformat(),
        "_validation_status": rng.choice(("", "validation_status_approved")),
        "_status": "submitted_via_web",
        "_submitted_by": "rss_eth_team",
        "__version__": version,
        "meta/rootUuid": f"uuid:{submission_uuid}",
    }
    _as_in_version(cells, version)
    if rng.random() < 0.45:
        _note(rng, interview)


def _as_in_version(cells: dict[str, str], version: str) -> None:
    """Version 1 asked distress with four points, version 2 discrimination with four: the fifth was not on the form."""
    if version == V1 and cells["Rs_pss_28"] == "very_often":
        cells["Rs_pss_28"] = "often"
    if version == V2 and cells["Rs_pss_27"] == "all_the_time":
        cells["Rs_pss_27"] = "very_often"


def _note(rng: random.Random, interview: _Interview) -> None:
    who, other = interview.who, rng.choice(_ETHIOPIC_NAMES)
    note = rng.choice(_NOTES).format(name=who.full_name, phone=who.phone, address=who.address, other=other)
    interview.cells["comments"] = note
    interview.mentioned += [*plant("name", [other] if other in note else []), *plant("free_text", [note])]


def _pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _age(born: date, when: date) -> int:
    return when.year - born.year - ((when.month, when.day) < (born.month, born.day))


def _plant_defects(interviews: list[_Interview], rng: random.Random) -> None:
    """The defects of domain.md 1.6 and formats.md 1, each on an interview of its own."""
    lone = iter(rng.sample(interviews[12:], len(interviews) - 12))

    def spoil(times: int, rule: str, severity: str, change: Callable[[_Interview], dict[str, str]]) -> None:
        for _ in range(times):
            one = next(lone)
            one.cells.update(change(one))
            if rule:
                one.findings[rule] = severity

    def on(**changed: str) -> Callable[[_Interview], dict[str, str]]:
        return lambda one: changed

    def swapped(one: _Interview) -> dict[str, str]:
        return {"return_date": date.fromisoformat(one.cells["return_date"]).replace(day=17).strftime("%d/%m/%Y")}

    def after_interview(one: _Interview) -> dict[str, str]:
        return {"return_date": (one.held + timedelta(days=146)).isoformat()}

    silent = dict.fromkeys(("Rs_econ_5", "Rs_pss_31", *_ANSWERS), "")
    spoil(2, "rule.rss_response.age.range", "error", on(age="300"))
    spoil(1, "rule.rss_response.age.range", "error", on(age="166"))
    spoil(2, "", "", on(age="0"))  # within the range, and under 14: no score
    spoil(3, "", "", on(age="13", guardian_consent="yes"))
    spoil(2, "rule.return_event.absence_months.range", "error", on(absence_years="156"))  # weeks in place of years
    spoil(5, "gate.no_consent", "error", lambda _: {**silent, "Consent": "no", "interview_status": "declined"})
    spoil(2, "gate.no_consent", "error", on(Consent="", consent_audio=""))
    spoil(3, "", "", lambda _: {**silent, "interview_status": "not_available"})
    spoil(3, "", "", lambda _: {**dict.fromkeys(_PSYCHOSOCIAL, ""), "interview_status": "abandoned_in_transit"})
    spoil(1, "", "", on(interview_status="respondent_not_match_household"))
    spoil(2, "", "", on(interview_status="completed_poor_quality"))
    spoil(6, "", "", on(case_number=""))
    spoil(2, "", "", on(case_number="", member_number="", Fayda=""))  # nobody to link with: a person by itself
    spoil(2, "map.unknown_code", "error", on(Rs_soc_11="excellent"))
    spoil(1, "map.unknown_code", "error", on(host_country="jordan"))
    spoil(1, "map.unknown_code", "error", on(Rs_econ_8="land tractor"))
    spoil(2, "map.unreadable_date", "error", swapped)
    spoil(1, "map.unreadable_date", "error", on(return_date="2023-13-05"))
    spoil(1, "map.unreadable_number", "error", on(hh_size="five"))
    spoil(2, "rule.rss_response.return_before_interview", "error", after_interview)
    spoil(2, "read.damaged_value", "error", on(birth_date="########"))
    spoil(2, "read.damaged_value", "error", on(return_date="########"))
    spoil(2, "read.damaged_value", "error", on(_id="3.14E+08"))
    spoil(3, "", "", on(Rs_econ_8="no_assets livestock"))  # the asset counts
    spoil(4, "", "", on(Rs_econ_4b="no", Rs_econ_5="spending_is_larger"))  # no debt, and answered all the same
    spoil(2, "rule.rss_response.unable_to_stay_needs_reason", "query", on(Rs_pss_30="no", Rs_pss_31=""))
    spoil(2, "", "", on(Rs_pss_30="dont_know", Rs_pss_31="need"))
    spoil(9, "", "", lambda _: dict.fromkeys(_REFUSED, "dont_wish_to_answer"))  # more than seven: low confidence
    spoil(4, "", "", lambda _: {STALE_COLUMN: "ሱዳን - ሊቢያ"})
    misread = next(lone)
    body = misread.who.national_id[:11]
    misread.cells["Fayda"] = body + str((int(verhoeff_digit(body)) + 1) % 10)
    misread.findings["gate.check_digit"] = "query"
    for one in (next(lone), next(lone)):
        one.submission.beyond = ("1",)  # a stale choice adds a cell after the last column (formats.md 1.4)
        one.findings["read.ragged_row"] = "query"
    _duplicate(interviews, lone, rng)


_ANSWERS = (
    *(f"Rs_econ_{item}" for item in ("1", "2", "3", "4", "4b", "6", "7", "8", "9")),
    *(f"Rs_soc_{item}" for item in range(11, 21)),
    *(f"Rs_pss_{item}" for item in range(22, 31)),
)
_PSYCHOSOCIAL = (*(item for item in _ANSWERS if item.startswith("Rs_pss")), "Rs_pss_31", "Rs_soc_20")
_REFUSED = ("Rs_econ_1", "Rs_econ_2", "Rs_econ_3", "Rs_econ_6", "Rs_soc_11", "Rs_soc_12", "Rs_soc_15", "Rs_pss_22")


def _duplicate(interviews: list[_Interview], lone: Iterator[_Interview], rng: random.Random) -> None:
    """Three submissions pasted in twice, and two ids that a second, different interview carries."""
    for _ in range(3):
        one = next(lone)
        again = Submission(dict(one.cells))
        interviews.append(_Interview(one.who, one.held, one.wave, again, {"key.duplicate_row": "query"}))
    for _ in range(2):
        one = next(lone)
        cells = {**one.cells, "Rs_econ_1": "neutral", "Rs_soc_12": "fair", "hh_size": "3"}
        one.findings["key.duplicate"] = "error"
        interviews.append(_Interview(one.who, one.held, one.wave, Submission(cells), {"key.duplicate": "error"}))


def _main_outcomes(interviews: list[_Interview]) -> Iterator[RowOutcome]:
    for row, one in enumerate(interviews, start=2):
        yield RowOutcome.of("main", row, one.findings)


def _member_outcomes(interviews: list[_Interview]) -> Iterator[RowOutcome]:
    """Members of an interview that the gate holds back stay behind with it; other errors are its own."""
    row = 1
    for one in interviews:
        held_back = "gate.no_consent" in one.findings or one.cells["_id"] == "3.14E+08"
        for _ in one.submission.members:
            row += 1
            yield RowOutcome.of("members", row, {"gate.parent_rejected": "error"} if held_back else {})


def _planted(one: _Interview) -> list[Planted]:
    """Every form in which personal values of the interview are written, and the plain form of each."""
    cells = one.cells
    return [
        *plant_people([one.who]),
        *plant("national_id", [cells["Fayda"]]),
        *plant("case_number", [cells["case_number"], cells["member_number"]]),
        *plant("birth_date", [cells["birth_date"] if cells["birth_date"] != "########" else ""]),
        *plant("name", [cells["Interviewer"], *(member["name"] for member in one.submission.members)]),
        *plant("national_id", [member["member_fayda"] for member in one.submission.members]),
        *plant("phone", [cells["phonenumber"]]),
        *plant("device", [cells["deviceid"]]),
        *plant("audio", [cells["consent_audio"]]),
        *plant("gps", [cells["gps"], *cells["gps"].split()[:2]]),
        *one.mentioned,
    ]
