"""What labels and names in a statistical file suggest: codes that may mean "no answer", columns that may be weights.

Many surveys declare no missing code and only label them "Don't know" or "Refused", with other codes in each round
(formats.md 2). What is found here is proposed for review, with its label; no cell is changed by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from connectors.shapes import Heading

_WORDS: Mapping[str, Sequence[str]] = {
    "dont_know": (
        "(i )?(do not|dont|does not|doesnt|did not|didnt|cannot|cant) (know|say|remember|recall)( the answer)?",
        "dk|dkn|unknown|not known|not sure|unsure|uncertain|no idea|have(nt| not) heard enough( to say)?",
        "(je )?(ne )?(sais|sait) pas|nsp|inconnu(e)?|ne (se )?(souvient|souviens|rappelle) pas|pas sur|incertain",
        "no (lo )?(sabe|se|recuerda|sabe no recuerda)|ns|desconocido|desconoce|no esta segur[oa]|ignora(do)?",
        "nao sabe|nao sei|nao lembra|desconhecido",
        "لا (اعرف|اعلم|ادري|يعرف|تعرف|اتذكر)|غير (معروف|متاكد)|لست متاكدا?",
    ),
    "refused": (
        "refused?( to (answer|say|respond))?|refusal|ref|rf|rta|prefer(s|red)? not to (answer|say|respond|disclose)",
        "(declined|declines|decline)( to (answer|say|respond))?|(do not|does not|dont) (want|wish) to (answer|say)",
        "refus(e|ee)?( de repondre)?|ne (veut|souhaite|veux) pas repondre|prefere ne pas (repondre|dire)",
        "(se )?(rehusa|rehuso|nego|niega)( a (contestar|responder))?|rechaz[ao]|rehusado",
        "(no (quiere|desea|quiso)|prefiere no|prefiero no) (contestar|responder|decir)(lo)?",
        "recus(a|ou|ado)( (a )?responder)?|nao quer responder|prefere nao responder",
        "(رفض|يرفض|ارفض|ترفض)( (الاجابه|الرد))?|(افضل|يفضل) عدم (الاجابه|الرد)",
        "لا (يريد|يرغب|اريد|ارغب)( (في|ب))? ?(ال)?(اجابه|رد)",
    ),
    "not_applicable": (
        "not applicable|n a|na|inapplicable|iap|does not apply|non applicable|sans objet|ne s applique pas|so",
        "no (aplica|corresponde|aplicable)|nao (se aplica|aplicavel)|(لا|غير) (ينطبق|تنطبق|منطبق|قابل للتطبيق)",
    ),
    "skipped_by_logic": (
        "skip(ped)?|logical skip|valid skip|not asked|saut( logique)?|non pose(e)?|no preguntad[oa]|salto",
    ),
    "missing_unexpected": (
        "(system |user )?missing( data| value)?|no (answer|response|data)|not (stated|answered|ascertained|available)",
        "blank|unanswered|nr|no reply|(valeur |donnee )?manquante?|sans reponse|pas de reponse|non reponse|non declare",
        "no (responde|contesta|contesto|respondio|declara|especificado|informa)|sin (respuesta|dato|datos|informacion)",
        "perdido|nc|omitido|sem resposta|nao (respondeu|responde)",
        "لا (يوجد )?(اجابه|جواب|رد)|بدون اجابه|لم (يجب|تجب)|(قيمه )?مفقود(ه)?",
    ),
}
_STATES = {state: re.compile("|".join(words)) for state, words in _WORDS.items()}
_PARTS = re.compile(r"\s*(?:/|;|,|\||\(|\)|\bor\b|\bou\b|\bأو\b)\s*")
_ALEF = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": "", "’": "'", "‘": "'", "`": "'"})

_WEIGHT = re.compile(
    r"(?:.*[_.])?(?:w|wt|wgt|wght|weight|weights|weighting|pweight|hhwt|hh_?weight|withinwt|combinwt|acrosswt|"
    r"pond|ponder|pondera|ponderador|ponderacion|poids|coef_?pond|factor|fexp|fac_?exp|factor_?(?:de_?)?exp\w*|peso|"
    r"وزن)(?:[_.]?\d+)?"
)
_BODY = re.compile(r"\b(kg|kilo\w*|lbs?|pounds?|grams?|body|birth|nacer|naissance|corporal)\b")


def proposed_missing(headings: Iterable[Heading]) -> list[dict[str, object]]:
    """Codes that are labelled like an answer that is missing and not declared so; `states` are the codebook's.

    Two states stand for one code that merges two answers ("Don't know / Refused"): a person has to decide.
    """
    return [
        {"column": heading.header, "code": code, "label": label, "states": states}
        for heading in headings
        for code, label in heading.value_labels.items()
        if not declared_missing(code, heading.missing) and (states := _states_of(label))
    ]


def declared_missing(code: str, missing: Sequence[str]) -> bool:
    """Whether the file itself says of a code that it is missing."""
    if code in missing or code.startswith("."):
        return True
    try:
        number = float(code)
        ranges = [(float(low), float(high)) for low, _, high in (entry.partition("..") for entry in missing) if high]
    except ValueError:
        return False
    return any(low <= number <= high for low, high in ranges)


def weights(headings: Iterable[Heading], numeric: frozenset[str]) -> list[str]:
    """Columns of numbers that are called as weights of a survey are, and not as weights of a body."""
    return [
        heading.header
        for heading in headings
        if heading.header in numeric
        and not heading.value_labels
        and _WEIGHT.fullmatch(heading.header.casefold())
        and not _BODY.search(heading.label.casefold())
    ]


def _states_of(label: str) -> list[str]:
    states = [_state_of(part) for part in map(_plain, _PARTS.split(label)) if part]
    if not states or not all(states):
        states = [_state_of(_plain(label))]
    return list(dict.fromkeys(state for state in states if state))


def _state_of(text: str) -> str | None:
    return next((state for state, words in _STATES.items() if words.fullmatch(text)), None)


def _plain(text: str) -> str:
    """Letters only, without accents, case, and a leading code ("99. Don't know")."""
    letters = unicodedata.normalize("NFKD", text.translate(_ALEF).casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("'", "")
    return " ".join(re.sub(r"[\W\d_]+", " ", letters).split())
