"""The sample survey of Côte d'Ivoire: a KoboToolbox CSV export with French labels, to be decoded through its form.

180 interviews of one form whose French choice labels are shifted by one in two lists (domain.md 1.6.1), headers that
repeat, a missing translation, notes that name people, and the defects of domain.md 1.6 and formats.md 1, each with the
outcome its row must have. Nobody in it exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from examples.kobo_exports import Submission, write_csv_export
from examples.manifest import Manifest, plant
from examples.people import Person, people
from examples.rss_answers import answer_survey
from examples.rss_forms import load_form, write_xlsform
from examples.rss_interviews import (
    EIGHT_REFUSED,
    LASTING,
    PSYCHOSOCIAL,
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

SOURCE = "civ/kobo_rss"
EXPORT = "Enquete_reintegration_CIV_-_latest_version_-_French_fr_-_2025-06-15-09-12-44.csv"
XLSFORM = "Enquete_reintegration_CIV.xlsx"
LANGUAGES = (("fr", "French (fr)"), ("en", "English (en)"))
VERSION = "vK2mWc8ZtRq5LxYbNd3HfS"
BASELINES, ENDLINES = 112, 63

# What a French enumerator picks to say this, as the form stores it: the label of the next choice (domain.md 1.6.1).
SHIFTED_BELONGING = {
    "i_agree": "i_somewhat_agree",
    "i_somewhat_agree": "dont_agree_or_disagree",
    "dont_agree_or_disagree": "i_somewhat_disagree",
    "i_somewhat_disagree": "i_strongly_disagree",
    "i_strongly_disagree": "dont_wish_to_answer",
    "dont_wish_to_answer": "i_agree",
}
SHIFTED_ATTENDING = {"no": "none", "none": "dont_wish_to_answer"}
AMBIGUOUS_ATTENDING = "no"  # its label says "Non": no child at all, or not all of them?

_HOSTS = {
    "libya": 34,
    "tunisia": 24,
    "niger": 16,
    "algeria": 12,
    "morocco": 8,
    "guinea": 3,
    "guin_e_conakry": 3,
    "other": 3,
}
_REGIONS = {"Abidjan": 40, "Gbêkê": 18, "Haut-Sassandra": 16, "Poro": 10, "Marahoué": 8, "Tonkpi": 8}
_INTERVIEWERS = ("Gohourou Ange-Marie", "Zouzoua Bi Irié Fabrice", "Silué Nahoua", "Ehouman Prisca Adjoua")
_NOTES = (
    "{name} vit chez son oncle {other}, joignable au {phone}.",
    "Le répondant préfère qu'on écrive à {email} ; il a parlé de « projet de poulailler ».",
    "Logement précaire à {address}.\nRevoir avec {other} avant la prochaine visite.",
    "Ne veut plus repartir; {other} l'aide à garder les enfants.",
)
_SPECIFIED_COUNTRY = "Espagne, chez M. Kouamelan à Almería"
_SPECIFIED_ASSET = "motoculteur de son frère Tchimou"
_OTHERS = ("Mme Lohourignon Brigitte", "M. Dagnogo Tiémoko", "Mlle Akpoué Reine", "M. Guédé Sosthène")


def make_civ(folder: Path, seed: int = 20250615) -> Manifest:
    """Writes the export and its form into `folder`; the same bytes for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose, nothing secret
    form = load_form("civ", "Enquête sur la durabilité de la réintégration", "rss_civ", VERSION, LANGUAGES)
    interviews = list(_interviews(rng, seed))
    _plant_defects(interviews, rng)
    write_csv_export(form, [one.submission for one in interviews], folder / EXPORT, language="fr")
    write_xlsform(form, folder / XLSFORM)
    planted = [one for interview in interviews for one in planted_in(interview)]
    planted += plant("free_text", [_SPECIFIED_COUNTRY, _SPECIFIED_ASSET, "Kouamelan", "Tchimou"])
    return Manifest(
        source=SOURCE,
        files=(EXPORT, XLSFORM),
        rows=tuple(main_outcomes(interviews)),
        planted=tuple(dict.fromkeys(planted)),
    )


def _interviews(rng: random.Random, seed: int) -> Iterator[Interview]:
    """Baselines first, then endlines of some of the same people."""
    baselines = []
    for number, who in enumerate(people("CIV", BASELINES, seed)):
        came = date(2023, 9, 4) + timedelta(days=rng.randrange(260))
        held = came + timedelta(days=rng.randrange(10, 88))
        cells = _identity(who, number) | about_person(who, held, rng) | _return(rng, came) | about_household(rng)
        interview = Interview(who, held, "baseline", Submission(cells))
        _answer(rng, interview, rng.gauss(0.38, 0.12))
        baselines.append(interview)
        yield interview
    for baseline in rng.sample(baselines, ENDLINES):
        who = baseline.who
        held = date.fromisoformat(baseline.cells["return_date"]) + timedelta(days=rng.randrange(280, 500))
        cells = {name: baseline.cells[name] for name in LASTING if name in baseline.cells}
        interview = Interview(who, held, "endline", Submission(cells | {"age": str(age_on(who.birth, held))}))
        _answer(rng, interview, rng.gauss(0.57, 0.13))
        yield interview


def _identity(who: Person, number: int) -> dict[str, str]:
    return {
        "case_number": f"CIV-D-{40210 + (number // 2 if number % 12 == 1 else number) * 3}",
        "member_number": f"CIV-P-{771400 + number * 17}",
        "nni": who.national_id if number % 5 else "",  # officials cite the card number when they have no NNI
        "nom": who.family,
        "prenoms": who.given,
        "nationality": "cote_d_ivoire",
    }


def _return(rng: random.Random, came: date) -> dict[str, str]:
    host = pick(rng, _HOSTS)
    return {
        "return_date": came.isoformat(),
        "host_country": host,
        "host_country_other": _SPECIFIED_COUNTRY if host == "other" else "",
        "absence_years": str(rng.randint(0, 7)),
        "return_type": pick(rng, {"avrr": 44, "vhr": 46, "own": 6, "deported": 4}),
        "transport": "road" if host.startswith("guin") else "plane",
        "returned_with": pick(rng, {"alone": 78, "family": 17, "others": 5}),
        "region": pick(rng, _REGIONS),
        "same_community": pick(rng, {"yes": 60, "no": 37, "dont_know": 3}),
    }


def _answer(rng: random.Random, interview: Interview, level: float) -> None:
    """Fills an interview that was held to its end, as French labels lead the enumerator to store it."""
    cells = interview.cells
    cells |= held_to_the_end(rng, interview.held, interview.wave, zone=0)
    cells |= answer_survey(rng, min(1.0, max(0.0, level)), int(cells["hh_school_age"]))
    cells |= {
        "phonenumber": f"+22505{rng.randrange(10**8):08d}",
        "Interviewer": rng.choice(_INTERVIEWERS),
        "interview_language": pick(rng, {"francais": 72, "dioula": 18, "baoule": 7, "bete": 3}),
        "gps": f"{rng.uniform(5, 10):.6f} {rng.uniform(-8, -3):.6f} {rng.uniform(20, 420):.1f} 5.1",
        "_validation_status": rng.choice(("", "Approved")),
        "_submitted_by": "rss_civ_team",
        "__version__": VERSION,
        "Rs_pss_24": SHIFTED_BELONGING[cells["Rs_pss_24"]],
        "Rs_soc_14": SHIFTED_ATTENDING.get(cells["Rs_soc_14"], cells["Rs_soc_14"]),
    }
    if cells["Rs_pss_27"] == "all_the_time":  # not a choice of this form
        cells["Rs_pss_27"] = "very_often"
    if rng.random() < 0.4:
        _note(rng, interview)


def _note(rng: random.Random, interview: Interview) -> None:
    who, other = interview.who, rng.choice(_OTHERS)
    note = rng.choice(_NOTES).format(
        name=who.full_name, other=other, phone=who.phone, email=who.email, address=who.address
    )
    interview.cells["comments"] = note
    interview.mentioned += [*plant("name", [other] if other in note else []), *plant("free_text", note.splitlines())]


def _plant_defects(interviews: list[Interview], rng: random.Random) -> None:
    """The defects of domain.md 1.6 and formats.md 1, each on an interview of its own."""
    plant_on = Spoiler(interviews, rng)
    spoil, harmless = plant_on.spoil, plant_on.harmless
    spoil(3, "read.ambiguous_label", "error", on(hh_size="5", hh_school_age="2", Rs_soc_14=AMBIGUOUS_ATTENDING))
    spoil(2, "read.unknown_label", "error", on(Rs_soc_12="Plutôt bon"))
    spoil(1, "read.unknown_label", "error", on(Rs_econ_8="land Tracteur"))
    spoil(2, "rule.rss_response.age.range", "error", on(age="300"))
    spoil(1, "rule.return_event.absence_months.range", "error", on(absence_years="104"))  # weeks in place of years
    spoil(4, "gate.no_consent", "error", lambda _: {**unanswered("declined"), "Consent": "no"})
    spoil(2, "gate.no_consent", "error", on(Consent="", consent_audio=""))
    spoil(2, "map.unreadable_date", "error", dated("%d/%m/%Y"))
    spoil(1, "map.unreadable_number", "error", on(hh_size="cinq"))
    spoil(2, "read.damaged_value", "error", on(return_date="########"))
    spoil(2, "rule.rss_response.unable_to_stay_needs_reason", "query", on(Rs_pss_30="no", Rs_pss_31=""))
    plant_on.return_too_late(1)
    plant_on.damage_ids(2, "3,14E+08")
    plant_on.lengthen(2)
    plant_on.paste_twice(3)
    plant_on.share_id(1, Rs_econ_1="neutral", Rs_soc_12="fair", hh_size="9")
    harmless(1, on(age="0", guardian_consent="yes"))  # within the range, and under 14: no score
    harmless(2, on(age="13", guardian_consent="yes"))
    harmless(2, lambda _: unanswered("not_available"))
    harmless(3, lambda _: unanswered("abandoned_in_transit", PSYCHOSOCIAL))
    harmless(2, on(interview_status="completed_poor_quality"))  # a choice without a French label: exported as its code
    harmless(4, on(case_number=""))
    harmless(2, on(case_number="", member_number="", nni=""))  # nobody to link with: a person by itself
    harmless(3, on(Rs_econ_8="no_assets sewing_machine machine"))  # the assets count; "Machine" stands in both labels
    harmless(3, on(Rs_econ_4b="no", Rs_econ_5="debt_is_larger"))  # no debt, and answered all the same
    harmless(3, on(Rs_econ_8="land other", Rs_econ_8_other=_SPECIFIED_ASSET))
    harmless(6, lambda _: dict.fromkeys(EIGHT_REFUSED, "dont_wish_to_answer"))
