"""The sample survey of Ethiopia: a KoboToolbox XLSX export with XML values, two form versions and household members.

240 interviews, baseline and endline of partly the same people, Amharic notes that name people, and the defects of
domain.md 1.6 and formats.md 1, each with the outcome its row must have. Nobody in it exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from examples.kobo_exports import Submission, write_xlsx_export
from examples.manifest import Manifest, Planted, RowOutcome, plant
from examples.people import Person, people, person
from examples.rss_answers import answer_survey
from examples.rss_forms import load_form, write_xlsform
from examples.rss_interviews import (
    EIGHT_REFUSED,
    LASTING,
    PSYCHOSOCIAL,
    WITHOUT_KEY,
    Interview,
    Spoiler,
    about_household,
    about_person,
    age_on,
    dated,
    held_to_the_end,
    main_outcomes,
    on,
    pick,
    planted_in,
    unanswered,
)

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
DAMAGED_ID = "3.14E+08"  # what a spreadsheet program makes of a long number (formats.md 1.2)

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
_ROUTE = "በሱዳን በኩል፣ ከአቶ መንግሥቱ ጋር"
_ETHIOPIC_NAMES = ("ሰላማዊት ገብረመድኅን", "ተስፋዬ ወልደሚካኤል", "ብርቱካን አስፋው", "ዮናስ ኃይለማርያም", "መሠረት ደጀኔ", "ገነት ተክለሃይማኖት")


def make_eth(folder: Path, seed: int = 20250701) -> Manifest:
    """Writes the export and its form into `folder`; the same bytes for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose, nothing secret
    form = load_form("eth", "Reintegration Sustainability Survey Ethiopia", "rss_eth", V2, LANGUAGES)
    interviews = list(_interviews(rng, seed))
    _plant_defects(interviews, rng)
    submissions = [one.submission for one in interviews]
    write_xlsx_export(form, submissions, folder / EXPORT, extra=[STALE_COLUMN])
    write_xlsform(form, folder / XLSFORM)
    planted = [one for interview in interviews for one in _planted(interview)]
    planted += plant("free_text", [_ROUTE])
    return Manifest(
        source=SOURCE,
        files=(EXPORT, XLSFORM),
        rows=(*main_outcomes(interviews), *_member_outcomes(interviews)),
        planted=tuple(dict.fromkeys(planted)),
        findings=("gate.undeclared_column",),
    )


def _interviews(rng: random.Random, seed: int) -> Iterator[Interview]:
    """Baselines first, then endlines of some of the same people."""
    baselines = []
    for number, who in enumerate(people("ETH", BASELINES, seed)):
        came = date(2023, 7, 10) + timedelta(days=rng.randrange(300))
        held = came + timedelta(days=rng.randrange(10, 85))
        cells = _identity(who, number) | about_person(who, held, rng) | _return(rng, came, held) | about_household(rng)
        interview = Interview(who, held, "baseline", Submission(cells))
        _answer(rng, interview, rng.gauss(0.42, 0.12))
        interview.submission.members = [_member(rng, line) for line in range(1, int(cells["hh_size"]))]
        if rng.random() < 0.3:
            cells["Fayda"] = ""  # not issued yet: the member number links the endline
        baselines.append(interview)
        yield interview
    for baseline in rng.sample(baselines, ENDLINES):
        yield _endline(rng, baseline)


def _endline(rng: random.Random, baseline: Interview) -> Interview:
    """The same person a year later: with Fayda by now, sometimes typed in groups, and mostly better off."""
    who = baseline.who
    held = date.fromisoformat(baseline.cells["return_date"]) + timedelta(days=rng.randrange(280, 520))
    cells = {name: baseline.cells[name] for name in LASTING if name in baseline.cells}
    cells |= {"Fayda": who.national_id, "age": str(age_on(who.birth, held))}
    if rng.random() < 0.25:
        cells["Fayda"] = f"{who.national_id[:4]} {who.national_id[4:8]} {who.national_id[8:]}"
    if held >= SECOND_VERSION_FROM:
        cells["host_country"] = RESPELLED.get(cells["host_country"], cells["host_country"])
    interview = Interview(who, held, "endline", Submission(cells))
    _answer(rng, interview, rng.gauss(0.6, 0.13))
    return interview


def _identity(who: Person, number: int) -> dict[str, str]:
    case = number - 1 if number % 15 == 14 else number  # a case is a family: some are of two returnees
    return {
        "case_number": f"ET-RC-{23100 + case * 7}",
        "member_number": f"ET-RM-{530200 + number * 13}",
        "Fayda": who.national_id,
        "given_name": who.given,
        "father_name": who.father,
        "grandfather_name": who.grandfather,
        "nationality": "ethiopia",
    }


def _return(rng: random.Random, came: date, held: date) -> dict[str, str]:
    host = pick(rng, _HOSTS)
    return {
        "return_date": came.isoformat(),
        "host_country": RESPELLED.get(host, host) if held >= SECOND_VERSION_FROM else host,
        "absence_years": str(rng.randint(0, 9)),
        "return_type": pick(rng, {"avrr": 52, "vhr": 30, "own": 8, "deported": 10}),
        "transport": "road" if host == "sudan" else "plane",
        "returned_with": pick(rng, {"alone": 70, "family": 22, "others": 8}),
        "region": pick(rng, _REGIONS),
        "same_community": pick(rng, {"yes": 70, "no": 27, "dont_know": 3}),
    }


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


def _answer(rng: random.Random, interview: Interview, level: float) -> None:
    """Fills an interview that was held to its end, by the form version of its day."""
    version = V2 if interview.held >= SECOND_VERSION_FROM else V1
    cells = interview.cells
    cells |= held_to_the_end(rng, interview.held, interview.wave, zone=3)
    cells |= answer_survey(rng, min(1.0, max(0.0, level)), int(cells["hh_school_age"]))
    cells |= {
        "phonenumber": f"+25191{rng.randrange(10**7):07d}",
        "Interviewer": rng.choice(_INTERVIEWERS),
        "interview_language": pick(rng, {"amharic": 64, "oromo": 22, "tigrinya": 9, "somali": 5}),
        "gps": f"{rng.uniform(6, 13):.6f} {rng.uniform(36, 42):.6f} {rng.uniform(900, 2600):.1f} 4.3",
        "_validation_status": rng.choice(("", "validation_status_approved")),
        "_submitted_by": "rss_eth_team",
        "__version__": version,
    }
    # The fifth point was not on the form: of distress in version 1, of discrimination in version 2.
    if version == V1 and cells["Rs_pss_28"] == "very_often":
        cells["Rs_pss_28"] = "often"
    if version == V2 and cells["Rs_pss_27"] == "all_the_time":
        cells["Rs_pss_27"] = "very_often"
    if rng.random() < 0.45:
        _note(rng, interview)


def _note(rng: random.Random, interview: Interview) -> None:
    who, other = interview.who, rng.choice(_ETHIOPIC_NAMES)
    note = rng.choice(_NOTES).format(name=who.full_name, phone=who.phone, address=who.address, other=other)
    interview.cells["comments"] = note
    interview.mentioned += [*plant("name", [other] if other in note else []), *plant("free_text", [note])]


def _plant_defects(interviews: list[Interview], rng: random.Random) -> None:
    """The defects of domain.md 1.6 and formats.md 1, each on an interview of its own."""
    plant_on = Spoiler(interviews, rng)
    spoil, harmless = plant_on.spoil, plant_on.harmless
    spoil(2, "rule.rss_response.age.range", "error", on(age="300"))
    spoil(1, "rule.rss_response.age.range", "error", on(age="166"))
    spoil(2, "rule.return_event.absence_months.range", "error", on(absence_years="156"))  # weeks in place of years
    spoil(5, "gate.no_consent", "error", lambda _: {**unanswered("declined"), "Consent": "no"})
    spoil(2, "gate.no_consent", "error", on(Consent="", consent_audio=""))
    spoil(2, "map.unknown_code", "error", on(Rs_soc_11="excellent"))
    spoil(1, "map.unknown_code", "error", on(host_country="jordan"))
    spoil(1, "map.unknown_code", "error", on(Rs_econ_8="land tractor"))
    spoil(2, "map.unreadable_date", "error", dated("%d/%m/%Y"))
    spoil(1, "map.unreadable_date", "error", on(return_date="2023-13-05"))
    spoil(1, "map.unreadable_number", "error", on(hh_size="five"))
    spoil(2, "read.damaged_value", "error", on(birth_date="########"))
    spoil(2, "read.damaged_value", "error", on(return_date="########"))
    spoil(2, "rule.rss_response.unable_to_stay_needs_reason", "query", on(Rs_pss_30="no", Rs_pss_31=""))
    plant_on.return_too_late(2)
    plant_on.damage_ids(2, DAMAGED_ID)
    plant_on.lengthen(2)
    plant_on.paste_twice(3)
    plant_on.share_id(2, Rs_econ_1="neutral", Rs_soc_12="fair", hh_size="9")
    harmless(2, on(age="0", guardian_consent="yes"))  # within the range, and under 14: no score
    harmless(3, on(age="13", guardian_consent="yes"))
    harmless(3, lambda _: unanswered("not_available"))
    harmless(3, lambda _: unanswered("abandoned_in_transit", PSYCHOSOCIAL))
    harmless(1, on(interview_status="respondent_not_match_household"))
    harmless(2, on(interview_status="completed_poor_quality"))
    harmless(6, on(case_number=""))
    harmless(2, on(case_number="", member_number="", Fayda=""))  # nobody to link with: a person by itself
    harmless(3, on(Rs_econ_8="no_assets livestock"))  # the asset counts
    harmless(4, on(Rs_econ_4b="no", Rs_econ_5="spending_is_larger"))  # no debt, and answered all the same
    harmless(2, on(Rs_pss_30="dont_know", Rs_pss_31="need"))
    harmless(9, lambda _: dict.fromkeys(EIGHT_REFUSED, "dont_wish_to_answer"))
    harmless(4, on(**{STALE_COLUMN: _ROUTE}))


def _member_outcomes(interviews: list[Interview]) -> Iterator[RowOutcome]:
    """Members of an interview that the gate holds back stay behind with it; other errors stay its own."""
    row = 1
    for one in interviews:
        findings: dict[str, str] = {}
        if "gate.no_consent" in one.findings:
            findings = {"gate.parent_rejected": "error"}
        if one.cells["_id"] == DAMAGED_ID:  # copied into every line of the repeat
            findings = WITHOUT_KEY
        for _ in one.submission.members:
            row += 1
            yield RowOutcome.of("members", row, findings)


def _planted(one: Interview) -> list[Planted]:
    members = one.submission.members
    return [
        *planted_in(one),
        *plant("name", (member["name"] for member in members)),
        *plant("national_id", (member["member_fayda"] for member in members)),
    ]
