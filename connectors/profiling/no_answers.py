"""What stands in a column for no answer, though nothing in the file declares it: proposed for a person to confirm.

Three kinds of evidence: words and marks that programs and offices write instead of a number; labels of codes that say
so; and codes such as -99 or 999 that lie far off the numbers around them. Only fixed words and such codes are ever
told, never another value of the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from connectors.profiling.samples import Mask, Sample, Vocabulary

NOTHING = (
    r"(?i)^\s*(#*N/?A#*|n/a|n\.\s?[adceprs]\.?|n[adr]|[ns][/.]\s?[adiecr]\.?|#?NULL!?|null|nan|none|[.:*…]"
    r"|\.{2,}|\*+|\([xX*.]\)|[-–—]+"
    r"|unknown|missing|not (stated|available|known|applicable|reported)|no data|don'?t know|refused"
    r"|inconnue?|non (disponible|d[ée]clar[ée]e?|pr[ée]cis[ée]e?|r[ée]ponse)|manquante?"
    r"|sin (dato|datos|informaci[oó]n)|no (especificad[oa]|sabe|responde|contesta|disponible|aplica)"
    r"|desconocid[oa]|ignorad[oa]"
    r"|n[ãa]o (sabe|responde|respondeu|dispon[ií]vel|se aplica)|bilinmiyor|yok|k\.?\s?a\.?|unbekannt|keine angabe"
    r"|н/д|нет данных|не указано|неизвестно|немає даних|не вказано|невідомо"
    r"|غير (معروف|متوفر|متاح|محدد|مبين)|لا يوجد|نامعلوم|ندارد|معلوم نہیں|نا معلوم"
    r"|অজানা|थाहा छैन|አይታወቅም|የለም|lama yaqaan)\s*$"
)
"""R's NA, a database's NULL, Eurostat's colon, the dots and stars of statistics offices, and the words of several
languages. Told only where all else in the column is a number or a date: among texts such a word may be an answer."""
_NOTHING = re.compile(NOTHING)
_LONG = 400
_REASONS: Mapping[str, tuple[str, ...]] = {
    "dont_know": (
        *("don't know", "dont know", "do not know", "not sure", "dk", "no sabe", "ne sait pas", "je ne sais pas"),
        *("não sabe", "nao sabe", "weiß nicht", "weiss nicht", "non so", "bilmiyor", "не знаю", "не знает", "не знає"),
        *("затрудн", "важко сказати", "لا أعرف", "لا اعرف", "لا يعرف", "نمی‌دانم", "نمیدانم", "نه پوهېږم", "معلوم نہیں"),
        *("জানি না", "थाहा छैन", "አላውቅም", "ma aqaan", "ma garanayo", "sijui", "tidak tahu"),
    ),
    "refused": (
        *(
            "refused",
            "refuse",
            "prefer not to",
            "does not wish",
            "not willing",
            "no responde",
            "prefiere no",
            "se niega",
        ),
        *("rehúsa", "rehusa", "no contesta", "no quiere", "refus", "ne souhaite pas", "recusa", "prefere não"),
        *("keine angabe", "rifiut", "reddet", "cevap vermek istem", "отказ", "відмов", "رفض", "يرفض", "امتناع"),
        *("جواب نمی", "انکار", "উত্তর দিতে", "መመለስ አልፈልግም", "ፈቃደኛ", "wuu diiday", "menolak"),
    ),
    "not_applicable": (
        *("not applicable", "n/a", "no aplica", "sans objet", "non applicable", "não se aplica", "nao se aplica"),
        *("entfällt", "uygulanamaz", "неприменимо", "не применимо", "не застосов", "لا ينطبق", "قابل اجرا نیست"),
        *("প্রযোজ্য নয়", "लागू हुँदैन", "አይመለከት", "tidak berlaku"),
    ),
    "missing": (
        *(
            "missing",
            "no answer",
            "not stated",
            "no response",
            "unspecified",
            "not specified",
            "not available",
            "unknown",
        ),
        *("sin dato", "sin informaci", "no especificad", "no declarad", "ignorado", "desconocid", "non réponse"),
        *("non précis", "non déclar", "non renseign", "manquant", "inconnu", "sem resposta", "não declarad"),
        *("ohne angabe", "fehlend", "mancante", "belirtilmem", "не указан", "не вказан", "нет ответа", "нет данных"),
        *("немає відповіді", "غير محدد", "غير مبين", "غير معروف", "نامشخص", "نامعلوم", "መልስ የለም", "অজানা"),
    ),
}
"""Words of labels that say that a code is no answer: many files declare none of their missing codes (formats.md 2)."""
_PLAIN = r"^-?[0-9]+(\.[0-9]+)?$"
_NEGATIVE = r"^-(9{1,4}|9{0,3}[789]|[78]{2,4}|6{2,4})(\.0+)?$"
_LARGE = r"^(9{2,8}|9{1,7}[678]|8{2,8}|7{2,8})(\.0+)?$"
_FAR = 1.9
"""A code for none is this many times the largest number beside it: 99 months tell nothing beside 84, 999 do."""
_FEW = 6
"""More such codes than this are numbers."""


def says_nothing(values: Sample) -> Mask:
    """Which of these different values only say that there is none."""
    # RE2 knows fewer spaces than Python, but is the faster where there is much to look at.
    return values.which(NOTHING if len(values) > _LONG else _nothing)


def _nothing(vocabulary: Vocabulary) -> Mask:
    found = [_NOTHING.search(text) is not None for text in vocabulary.texts]
    return np.array(found, bool)


def by_labels(labels: Mapping[str, str], declared: Iterable[str]) -> dict[str, str]:
    """Codes that are no answers by their label and that the file does not declare."""
    known = set(declared)
    found = {}
    for code, label in labels.items():
        folded = label.casefold().replace("’", "'")
        reason = next((why for why, words in _REASONS.items() if any(word in folded for word in words)), None)
        if reason and code not in known:
            found[code] = reason
    return found


def far_codes(numbers: Sample, unique: bool) -> dict[str, str]:
    """Codes such as -99 among numbers that are else not negative, and 999 far above all others.

    `numbers` are the different values of a column that is neither a place nor a year; where each row has its own, it
    may be a key, and then only a negative number stands out.
    """
    plain = numbers.where(numbers.which(_PLAIN))
    below = plain.where(plain.which("^-"))
    found = []
    if len(plain) > len(below) and below.which(_NEGATIVE).all():
        found += below.texts
    large = plain.which(_LARGE)
    if unique or not large.any():
        return _few(found)
    others = [abs(float(text)) for text in plain.where(~large).texts if text not in found]
    if len(others) >= 2:
        reach = max(others)
        for text in sorted(plain.where(large).texts, key=float, reverse=True):
            if float(text) <= _FAR * reach or 2 < len(text) <= len(str(int(reach))):
                reach = max(reach, float(text))
                continue
            found.append(text)
    return _few(found)


def _few(found: Sequence[str]) -> dict[str, str]:
    return {} if len(found) > _FEW else dict.fromkeys(sorted(found), "perhaps missing")


def marks(values: Iterable[str]) -> dict[str, str]:
    """The words and marks of `NOTHING` that were met, as they are told."""
    return dict.fromkeys(sorted({re.sub(r"\s+", " ", text.strip()) for text in values}), "missing")
