"""What a column looks like: likely personal data, dates and their calendar, places, country codes, answers, system.

Evidence is the column's header and label, and the shapes of a sample of its different values. A finding is a likely
kind for a person to confirm: it is told as a word, never with a value. Shapes of dates are `date_shapes`' business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.profiling.date_shapes import date_kinds, spans_lives
from connectors.profiling.header_words import named, only_named, own_part, words
from connectors.profiling.place_shapes import places, says_place
from connectors.profiling.point_shapes import is_point
from connectors.profiling.samples import Mask, Question, Sample, Vocabulary
from connectors.profiling.several_answers import joined_by, several_answers
from values.contacts import emails, international_phones
from values.national_numbers import SCHEMES, plausible

PERSONAL = ("person_name", "phone", "email", "national_id", "birth_date", "address", "gps", "device_id")
"""Kinds that tell who somebody is, or where they are."""
PERHAPS = "person_name:or of a thing"
_OF_PEOPLE = ("person_name", "phone", "email", "national_id", "birth_date", "nationality", "attribute")
_OF_PLACES = ("gps", "place", "country", "census")

_KOBO = re.compile(
    r"^(?:_id|_uuid|_index|_submission_time|_validation_status|_notes|_status|_submitted_by|_?_version(?:_?_)?|_tags"
    r"|_parent_index|_parent_table_name|_submission__\w+|_xform_id(?:_string)?|_bamboo_dataset_id|_attachments"
    r"|_geolocation|_userform_id"
    r"|_date_modified|_media_count|_total_media|_duration|_edited|_media_all_received"
    r"|(?:.*/)?(?:meta/)?(?:instanceID|rootUuid|deprecatedID|instanceName)|formhub/uuid)$",
    re.I,
)
_KOBO_DEVICE = {"start", "end", "today", "starttime", "endtime", "username", "simserial", "subscriberid", "deviceid"}
_KOBO_SIGNS = ("_uuid", "_submission_time", "_index", "__version__", "formhub/uuid")
_ODK = re.compile(
    r"^(?:SubmissionDate|meta-instanceID|meta-instanceName|instanceID|KEY|PARENT_KEY|SET-OF-\w+|SubmitterID|Status"
    r"|ReviewState|DeviceID|Edits|FormVersion|formdef_version|AttachmentsPresent|AttachmentsExpected"
    r"|interview__key|interview__id|assignment__id|interview__status|has__errors|sssys_irnd)$"
)
_ODK_SIGNS = ("KEY", "interview__id")
_DEVICE = (
    r"^(collect:[A-Za-z0-9]{8,}|[A-Za-z0-9_.\-]+:[A-Za-z0-9]{12,}|([0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}|[0-9a-f]{16}"
    r"|((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9]))$"
)
_WORDS_ONLY = r"^\p{L}[\p{L}'’.\-]*( \p{L}[\p{L}'’.\-]*){1,4}$"
_CAPITALS = r"^(\P{Ll}\p{L}*[ '’.\-]*)+$"
_DIGITS_MOSTLY = r"^[+(]?[0-9][0-9 ()\-./]{5,18}[0-9]$"
_POSTCODE = "^[0-9]{5}-[0-9]{3}$"
"""Brazil's CEP; the Turkish for a mobile phone is written so too."""
_YES_NO = (
    r"(?i)^\s*(yes|no|s[ií]|oui|non|n[ãa]o|sim|true|false|evet|hay[ıi]r|haa|maya|да|нет|так|ні"
    r"|نعم|لا|بله|بلی|خیر|نخیر|አዎ|አይ)\s*$"
)
_THREE_LETTERS = r"([A-Za-z\x{aa}-\x{10ffff}].*){3}"
_SENTENCE = r"^\s*(\S+\s+){6,}\S"
"""More words than a place has in its name."""
_MOST, _RARELY = 0.7, 0.2
_NEARLY = 0.9
_CODES_OF_CELLS = 20
_A_FEW, _MANY = 5, 20


@dataclass(frozen=True)
class Seen:
    """What is known of one column. `sample`: different values; `exact`: whether `distinct` is no lower bound."""

    name: str
    label: str
    type: str
    sample: Sample
    filled: int
    distinct: int
    exact: bool
    rows: int
    codes: tuple[str, ...] = ()
    declared_date: bool = False
    beside: frozenset[str] = frozenset()

    @cached_property
    def heard(self) -> str:
        """The header and, where it is no whole question, the label."""
        own = own_part(self.name)
        return f"{own} {self.label}" if len(self.label.split()) <= 6 else own

    @property
    def numeric(self) -> bool:
        return self.type.startswith(("integer", "decimal"))

    @property
    def coded(self) -> bool:
        """Whether the format itself gives the codes of this column."""
        return bool(self.codes)

    def share(self, asked: Question) -> float:
        """How much of the sample has this shape."""
        return self.sample.share(asked)

    @cached_property
    def dates(self) -> list[str]:
        """The forms and calendars of its dates."""
        return date_kinds(self.sample, self.type, self.heard, self.declared_date)

    def many(self) -> bool:
        """Whether the values are as different as those of people are."""
        return self.distinct >= _A_FEW and self.distinct > 0.3 * self.filled


def looks_like(seen: Seen) -> list[str]:
    """Every kind this column may be of, the most telling first; none where nothing speaks for one."""
    system = _system(seen)
    if system:
        personal = _personal(seen) if seen.filled else []
        return [*system, *personal, *date_kinds(seen.sample, seen.type, "", False), *_key(seen)]
    found = [*_personal(seen), *seen.dates]
    if set(found) <= {"person_name"}:
        where = (
            []
            if seen.share(_SENTENCE) >= 0.4
            else places(seen.sample, seen.heard, seen.numeric, seen.coded, _table_of(seen.beside).places)
        )
        found = where or _of_whom(found, seen)
    for kind, speaks in _OTHERS.items():
        if speaks(seen) and not (kind == "free_text" and {"address", "place_name"} & set(found)):
            found.append(kind)
    if mark := joined_by(seen):
        found.append(f"select_multiple joined by {mark}")
    return list(dict.fromkeys([*found, *_key(seen)]))


def _of_whom(found: list[str], seen: Seen) -> list[str]:
    """A `name` that is not said to be a person's, in a table that says nothing else of persons, may be that of a place
    or a thing: both are told."""
    table = _table_of(seen.beside)
    if (
        not found
        or table.people
        or not named(seen.heard, "name")
        or named(seen.heard, "person_name", "person", "contact")
    ):
        return found
    return [*(["place_name"] if table.places else []), PERHAPS]


def may_show(seen: Seen, found: list[str]) -> bool:
    """Whether labels of codes may be shown: not where text is labelled that could be of persons, nor where a program
    made codes of cells (`encode` of Stata), so that all of many labels occur and most of them once."""
    if len(seen.codes) >= _CODES_OF_CELLS and seen.distinct >= len(seen.codes) and 2 * seen.distinct > seen.filled:
        return False
    personal = any(kind.split(":")[0] in PERSONAL for kind in found)
    numbers = all(re.fullmatch(r"-?[0-9.]+|\.[a-z]?", code) for code in seen.codes)
    return numbers or not personal


def _system(seen: Seen) -> list[str]:
    bare = re.sub(r"^X(?=_)", "", seen.name)
    table = _table_of(seen.beside)
    last = re.split(r"[/.]", bare)[-1].lower()
    if table.kobo and (_KOBO.match(bare) or last in _KOBO_DEVICE):
        return ["kobo_system"]
    return ["odk_system"] if table.odk and _ODK.match(bare) else []


@dataclass(frozen=True)
class _Table:
    """What the headers of a table say together: who wrote it, and whether it measures bodies."""

    kobo: bool
    odk: bool
    bodies: bool
    people: bool
    places: bool


@lru_cache(maxsize=4)
def _table_of(headers: frozenset[str]) -> _Table:
    """Once for all columns: a table may have 16,384."""
    bare = {re.sub(r"^X(?=_)", "", name) for name in headers}
    return _Table(
        any(sign in bare for sign in _KOBO_SIGNS),
        any(sign in bare for sign in _ODK_SIGNS),
        any(named(own_part(name), "body_beside") for name in headers),
        any(named(own, *_OF_PEOPLE) and not named(own, "aspect") for own in map(own_part, headers)),
        any(named(own_part(name), *_OF_PLACES) for name in headers),
    )


def _personal(seen: Seen) -> list[str]:
    found = [kind for kind, speaks in _PERSONAL.items() if speaks(seen)]
    scheme = _scheme(seen)
    if scheme:
        found = [kind for kind in found if kind not in ("phone", "national_id")] + [f"national_id:{scheme}"]
    if "device_id" in found:
        return ["device_id"]
    if "email" not in found and seen.share(_emails) > 0:
        found.append("email (within text)")
    if "phone" not in found and not scheme and seen.share(_international_phones) > 0:
        found.append("phone (within text)")
    return found


def _name(seen: Seen) -> bool:
    if seen.numeric or seen.coded:
        return False
    where = named(seen.heard, "thing", "country") or says_place(seen.heard, _table_of(seen.beside).places)
    if where and not named(seen.heard, "contact"):
        return False
    spoken = named(seen.heard, "person_name", "name", "contact") or only_named(seen.heard, "person")
    if not seen.filled:
        return spoken
    if seen.share(_YES_NO) >= _MOST:
        return False
    if spoken:
        # Rosters also say "person 1", and registers number people of one name.
        return seen.share(r"^[\p{L}\p{M} '’.,\-]*\p{L}[\p{L}\p{M}\p{N} '’.,\-]*$") >= _MOST
    if named(seen.heard, "person", "reached") and not named(seen.heard, "attribute", "aspect"):
        # `Reintegration officer`: a person's part in a case, and values that are written as names are.
        return seen.type == "text" and seen.share(_WORDS_ONLY) >= _NEARLY and seen.share(_CAPITALS) >= _NEARLY
    # Counts first: of all patterns these two take longest.
    if seen.distinct < _MANY or seen.distinct <= 0.6 * seen.filled or seen.type != "text":
        return False
    return seen.share(_WORDS_ONLY) >= _MOST and seen.share(_CAPITALS) >= _MOST


def _phone(seen: Seen) -> bool:
    spoken = named(seen.heard, "phone")
    if not seen.filled:
        return spoken
    if spoken or named(seen.heard, "reached"):
        return seen.share(_DIGITS_MOSTLY) >= 0.5 and seen.share(_POSTCODE) < _NEARLY
    return seen.type != "boolean" and seen.share(_international_phones) >= 0.5


def _email(seen: Seen) -> bool:
    if not seen.filled:
        return named(seen.heard, "email")
    return seen.share(_emails) >= 0.5


def _national_id(seen: Seen) -> bool:
    spoken = named(seen.heard, "national_id") and not seen.coded
    if not seen.filled:
        return spoken
    return spoken and seen.share(r"[0-9].*[0-9].*[0-9].*[0-9]") >= _MOST


def _birth_date(seen: Seen) -> bool:
    spoken = named(seen.heard, "birth_date")
    if not seen.filled:
        return spoken
    is_date = bool(seen.dates)
    return (spoken and (is_date or seen.type.startswith("date"))) or (is_date and spans_lives(seen.sample))


def _address(seen: Seen) -> bool:
    if not named(seen.heard, "address") or seen.numeric or seen.coded or seen.type == "boolean":
        return False
    # `Municipality of residence` is a place, unless there are numbers of houses in it.
    return not (seen.filled and named(seen.heard, "place")) or seen.share("[0-9]") >= _RARELY


def _device(seen: Seen) -> bool:
    if named(seen.name, "device_id"):
        return True
    if not seen.filled or seen.type.startswith(("decimal", "date", "boolean")):
        return False
    return _imei(seen) if seen.type == "integer" else seen.share(_DEVICE) >= 0.9 or _imei(seen)


def _imei(seen: Seen) -> bool:
    """Fifteen digits with Luhn's check digit, which one number in ten has by chance."""
    if seen.distinct < _A_FEW or seen.share(r"^[0-9]{15}$") < 0.9:
        return False
    numbers = seen.sample.where(seen.sample.which(r"^[0-9]{15}$"))
    digits = np.frombuffer("".join(numbers.texts).encode(), np.uint8).reshape(-1, 15).astype(np.int64) - ord("0")
    doubled = digits[:, 1::2] * 2
    total = digits[:, ::2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    return bool((total % 10 == 0).mean() >= 0.9)


def _scheme(seen: Seen) -> str | None:
    """The scheme whose check nearly all values pass, if the values are made of such numbers."""
    spoken = named(seen.heard, "national_id")
    if seen.distinct < (_A_FEW if spoken else _MANY) or seen.share(r"[0-9].*[0-9].*[0-9].*[0-9]") < _MOST:
        return None
    numbers = seen.sample.first(500)
    said = {name for name in SCHEMES if name.split("_")[1] in words(seen.heard)}
    told = [name for name in SCHEMES if name in said or _by_chance(name) <= _RARELY]
    shares = {name: numbers.share(_of_scheme(name)) for name in told}
    best = max(shares.values(), default=0.0)
    if best < 0.8:
        return None
    likely = [name for name in told if shares[name] >= best - 0.02]
    return " or ".join([name for name in likely if name in said] or likely)


def _compact(vocabulary: Vocabulary) -> pa.Array:
    return pc.utf8_upper(pc.replace_substring_regex(vocabulary.array, r"[\s\-.]", ""))


@cache
def _of_scheme(name: str) -> Callable[[Vocabulary], Mask]:
    """Which texts are numbers that this scheme could have issued."""
    scheme = SCHEMES[name]
    return lambda vocabulary: np.asarray(plausible(scheme.complete(vocabulary.told(_compact)), scheme))


@cache
def _by_chance(name: str) -> float:
    """How many of any numbers of its length a scheme takes for its own: a scheme of one in two tells nothing."""
    digits = np.random.default_rng(0).integers(0, 10, (400, SCHEMES[name].lengths[0]))
    anything = pa.array(["".join(map(str, row)) for row in digits])
    return float(np.asarray(plausible(anything, SCHEMES[name])).mean())


def _year(seen: Seen) -> bool:
    """Years of the last and of this century, beside a few codes for none."""
    return seen.numeric and bool(seen.filled) and seen.share(r"^(19|20)[0-9]{2}(\.0+)?$") >= _MOST


def _weight(seen: Seen) -> bool:
    spoken = named(seen.heard, "weight") and not named(seen.heard, "body")
    return (
        spoken
        and not _table_of(seen.beside).bodies
        and seen.numeric
        and seen.share(r"^[0-9]*[.,]?[0-9]+([eE]-?[0-9]+)?$") >= 0.99
    )


def _free_text(seen: Seen) -> bool:
    if not seen.filled:
        return named(seen.name, "free_text")
    if seen.type != "text" or seen.coded:
        return False
    if seen.share(_THREE_LETTERS) < 0.5:
        return False
    return _tells(seen) or (named(seen.name, "free_text") and seen.share(r"\s") >= 0.2)


def _tells(seen: Seen) -> bool:
    """Whether the values are sentences, each its own."""
    return not seen.coded and seen.share(r"^\s*\S+(\s+\S+){4,}") >= 0.3 and seen.many()


def _one_option(seen: Seen) -> bool:
    """One option of a question beside its summary: `q/option`, ticked or not."""
    above = re.match(r"^(.+)[/.]([^/.]+)$", seen.name)
    if above is None or above[1] not in seen.beside:
        return False
    return not seen.filled or seen.share(r"(?i)^(0|1|0\.0|1\.0|true|false)$") == 1


def _key(seen: Seen) -> list[str]:
    unique = seen.exact and seen.rows > 1 and seen.filled == seen.rows == seen.distinct
    return ["key (unique)"] if unique and not seen.type.startswith("decimal") else []


def _emails(vocabulary: Vocabulary) -> Mask:
    return emails(vocabulary.array)


def _international_phones(vocabulary: Vocabulary) -> Mask:
    return international_phones(vocabulary.array)


def _of_shape(pattern: str) -> Callable[[Seen], bool]:
    return lambda seen: bool(seen.filled) and seen.type == "text" and seen.share(pattern) >= 0.9


_PERSONAL: dict[str, Callable[[Seen], bool]] = {
    "person_name": _name,
    "phone": _phone,
    "email": _email,
    "national_id": _national_id,
    "birth_date": _birth_date,
    "address": _address,
    "gps": is_point,
    "device_id": _device,
}
_OTHERS: dict[str, Callable[[Seen], bool]] = {
    "year": _year,
    "weight": _weight,
    "select_multiple": several_answers,
    "select_multiple_option": _one_option,
    "free_text": _free_text,
    "attachment": _of_shape(r"(?i)^\S.*\.(jpe?g|png|gif|heic|amr|aac|m4a|mp3|mp4|mov|wav|3gpp?|pdf|docx?)$"),
    "quarter": _of_shape(r"(?i)^((19|20)[0-9]{2}[ \-_/]?[QT][1-4]|[QT][1-4][ \-_/]?(19|20)[0-9]{2})$"),
    "week": _of_shape(r"(?i)^(19|20)[0-9]{2}[ \-_/]?[WS][0-5]?[0-9]$"),
}
