"""Answers to the Reintegration Sustainability Survey, as XML values of the Kobo form: made up in the shape of the real.

People do better at the endline than at the baseline, some answers are "I don't know" or refused, and the form's skips
are kept. Shared by the Kobo samples; countries, people and defects are theirs.
"""

from __future__ import annotations

import random

FREQUENCY = ("very_often", "often", "sometimes", "rarely", "never")
ACCESS = ("very_poor", "poor", "fair", "good", "very_good")
# Worst to best. Scales of five, so that one level of well-being drives them all.
SCALES: dict[str, tuple[str, ...]] = {
    "Rs_econ_1": ("very_dissatisfied", "dissatisfied", "neutral", "satisfied", "very_satisfied"),
    "Rs_econ_2": FREQUENCY,
    "Rs_econ_4": FREQUENCY,
    **{f"Rs_{item}": ACCESS for item in ("econ_6", "soc_11", "soc_12", "soc_13", "soc_15", "soc_17", "soc_18")},
    "Rs_soc_19": ACCESS,
    "Rs_soc_20": ACCESS,
    "Rs_pss_22": ("never", "rarely", "sometimes", "often", "very_often"),
    "Rs_pss_23": ("very_bad", "bad", "fair", "good", "very_good"),
    "Rs_pss_24": (
        "i_strongly_disagree",
        "i_somewhat_disagree",
        "dont_agree_or_disagree",
        "i_somewhat_agree",
        "i_agree",
    ),
    "Rs_pss_25": ("very_unsafe", "unsafe_most", "neutral", "safe_most", "very_safe_all"),
    "Rs_pss_26": FREQUENCY,
    "Rs_pss_27": ("all_the_time", "very_often", "sometimes", "rarely", "never"),
    "Rs_pss_28": FREQUENCY,
}
YES_IS_BETTER = ("Rs_econ_3", "Rs_soc_16", "Rs_pss_30")
NO_IS_BETTER = ("Rs_econ_4b", "Rs_econ_9", "Rs_pss_29")
WITHOUT_DONT_KNOW = ("Rs_pss_24", "Rs_pss_25")
ASSETS = ("land", "livestock", "poultry", "machine", "sewing_machine", "vehicle", "tools", "shop")


def answer_survey(rng: random.Random, level: float, school_age: int) -> dict[str, str]:
    """All answers of one interview at a level of well-being between 0 and 1."""
    answers = {item: _on_scale(rng, item, scale, level) for item, scale in SCALES.items()}
    for item in YES_IS_BETTER:
        answers[item] = "yes" if rng.random() < 0.35 + 0.6 * level else "no"
    for item in NO_IS_BETTER:
        answers[item] = "no" if rng.random() < 0.25 + 0.6 * level else "yes"
    answers["Rs_econ_7"] = rng.choices(("yes", "no", "n_a"), (0.2 + 0.6 * level, 0.7 - 0.5 * level, 0.06))[0]
    answers["Rs_econ_5"] = ""
    if answers["Rs_econ_4b"] != "no":
        answers["Rs_econ_5"] = rng.choices(("debt_is_larger", "spending_is_larger", "n_a_debt"), (5, 4, 1))[0]
    answers["Rs_econ_8"] = "no_assets" if rng.random() < 0.45 - 0.3 * level else _assets(rng)
    answers["Rs_soc_14"] = ""
    if school_age:
        answers["Rs_soc_14"] = rng.choices(("yes", "no", "none"), (2 + 5 * level, 2, 1))[0]
    answers["Rs_pss_31"] = "" if answers["Rs_pss_30"] == "yes" else rng.choice(("wish", "need"))
    return answers


def _on_scale(rng: random.Random, item: str, scale: tuple[str, ...], level: float) -> str:
    luck = rng.random()
    if luck < 0.015 and item not in WITHOUT_DONT_KNOW:
        return "dont_know"
    if luck < 0.03:
        return "dont_wish_to_answer"
    step = round(rng.gauss(level * 4, 0.9))
    return scale[min(4, max(0, step))]


def _assets(rng: random.Random) -> str:
    return " ".join(rng.sample(ASSETS, rng.choice((1, 1, 2, 3))))
