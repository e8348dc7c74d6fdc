"""What Homeward knows of a language: its everyday words, titles, kin, streets, months; and frequent names per script.

Read from `languages/`, `names.yaml` and `from_faker/`, joined with the stop words of spaCy, the months of the CLDR and
the codebook's own words. A language without a file has stop words and months at least.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml

from anonymization.redaction.folding import clean, fold
from anonymization.redaction.stems import Stems

_FOLDER = Path(__file__).parent
_LONG = 7
_WORDS_TOO = ("words_too", "family_words_too", "function_words_too")
"""Lists in `names.yaml` of names that are everyday words: no word is a name for being on them alone."""
_WORD = re.compile(r"[^\W\d_]+")
_JOINTS = re.compile("[ \u200c]")
"""Between the parts of Persian verbs, which notes write with a blank, a zero-width one, or none."""
_FAR_MONTHS = (
    "كانون شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين جانفي فيفري أفريل ماي جوان جويلية أوت "
    "حمل ثور جوزا سرطان اسد سنبله سنبلة میزان عقرب قوس جدی دلو حوت محرم صفر رجب شعبان رمضان شوال "
    "فروردین اردیبهشت خرداد تیر مرداد امرداد شهریور مهر آبان آذر دی بهمن اسفند ربيع جمادى جمادي ذو ذي يوليه jänner "
    "jan feb mar apr jun jul aug sep sept oct nov dec janv févr avr juil déc ene abr ago dic "
    "መስከረም ጥቅምት ኅዳር ህዳር ታኅሣሥ ታህሳስ ጥር የካቲት መጋቢት ሚያዝያ ግንቦት ሰኔ ሐምሌ ነሐሴ ጳጉሜ ጳጉሜን"
)
_CALENDARS = ("en", "fr", "es", "ar", "am", "fa", "so", "ti", "pt", "de", "it", "nl", "tr", "sw",
              "uk", "ru", "sr", "bg", "hi", "bn", "ur", "ps", "ka")  # fmt: skip
"""Languages whose months and days are known: of notes, and of scripts in which these are no other words of theirs."""


@dataclass(frozen=True)
class Lexicon:
    """Folded words of one language.

    `of_language`: those of `words` that are no English words in notes of another language.
    `small`: those of `words` that have no capital within a sentence; with one they are names ("chez Pape").
    `common`: words that are names with a capital, wherever they stand, and none without ("Rose", "prices rose").
    `speaks_to`: what one does to people, right before their name or before "to".
    `naming`: words after which a name comes, by the word before them if need be. `says`: what only people do, whose
    name stands right before it. `follows_subject`: what comes right behind the subject of a sentence. `determiners`:
    words after which a noun comes that is nobody's name. `formed`: forms that verbs and plurals have and hardly any
    name; `formed_loosely`: a word is kept for them, but not behind a name. `street_name_endings`: how only streets'
    names end. `greetings`: what letters and chats put before a name. `calendar`: months and days of the language, which
    people are called after too. `verbs`: forms that only verbs have, of words without a capital.
    `stems`: what everyday words have in common with their other forms. `titles_stay`: a
    title is no part of a name.
    """

    words: frozenset[str]
    of_language: frozenset[str]
    small: frozenset[str]
    common: frozenset[str]
    stop: frozenset[str]
    titles: frozenset[str]
    kin: frozenset[str]
    naming: frozenset[tuple[str, str]]
    units: frozenset[str]
    streets: frozenset[str]
    numbers: frozenset[str]
    particles: frozenset[str]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    endings: tuple[str, ...]
    stems: Stems | None
    verbs: re.Pattern[str] | None
    formed: re.Pattern[str] | None
    formed_loosely: bool
    street_endings: tuple[str, ...]
    street_name_endings: tuple[str, ...]
    greetings: frozenset[str]
    calendar: frozenset[str]
    says: frozenset[str]
    speaks_to: frozenset[str]
    follows_subject: frozenset[str]
    determiners: frozenset[str]
    nouns_are_capital: bool
    titles_stay: bool
    numerals: frozenset[str]
    countries: frozenset[str]

    def derived(self, word: str) -> bool:
        """Whether a long word is made from another, as few names are: -ment, -ción, -heit."""
        return len(word) >= _LONG and word.lower().endswith(self.endings)

    def is_street(self, word: str) -> bool:
        """Whether a word ends like a street's name where these are written as one word: -straße, -laan."""
        return len(word) >= _LONG and word.lower().endswith(self.street_endings)

    def has_form_of_words(self, folded: str) -> bool:
        """Whether a word in a script without case has a form that verbs and plurals have, and hardly any name."""
        return self.formed is not None and bool(self.formed.fullmatch(folded))

    def is_verb(self, word: str, folded: str) -> bool:
        """Whether a long word without a capital has a form of verbs: aangehouden, entregaron; and is nobody's name."""
        if self.verbs is None or len(word) < _LONG or not self.verbs.fullmatch(word):
            return False
        return folded not in given_names() and folded not in family_names() and folded not in frequent_names()

    def has_known_stem(self, folded: str) -> bool:
        """Whether a word in a script without case is another form of an everyday word that nobody is called."""
        return self.stems is not None and self.stems.knows(folded)


@lru_cache(maxsize=32)
def lexicon(language: str) -> Lexicon:
    """The lexicon of a language (ISO 639-1), English beside it: notes borrow its words everywhere."""
    path = _FOLDER / "languages" / f"{language}.yaml"
    own: dict[str, Any] = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    base = own if language == "en" else yaml.safe_load((_FOLDER / "languages" / "en.yaml").read_text("utf-8"))

    def both(key: str) -> frozenset[str]:
        return _folded(own.get(key, "")) | _folded(base.get(key, ""))

    stop = _stop_words(language) | _folded(own.get("particles", ""))
    known = frozenset().union(*(both(key) for key in ("titles", "kin", "units", "streets", "numbers")))
    forms = own.get("formed") or own.get("formed_loosely")
    naming = {_pair(phrase) for source in (own, base) for phrase in source.get("naming", ())}
    of_language = known | _inflected(own) | stop | _listed(f"words_{language}") | _library_words(language)
    of_language |= _imperfects(own)
    widely = of_language | _inflected(base) | _stop_words("en") | months() | _codebook_words(language) | _label_words()
    widely |= numerals(language) | _listed("words_en") | {w for _, w in naming}
    small = (_inflected(own, "words_small") | _inflected(base, "words_small")) - widely
    nobodys = of_language - frequent_names() - given_names() - family_names()
    return Lexicon(
        words=widely | small,
        of_language=of_language | _inflected(own, "words_small"),
        small=small | (_inflected(base) | _stop_words("en") | _listed("words_en")) - of_language,
        common=both("words_common"),
        stop=stop | (_stop_words("en") if language == "en" else frozenset()),
        titles=both("titles"),
        kin=both("kin"),
        naming=frozenset(naming),
        units=both("units"),
        streets=both("streets"),
        numbers=both("numbers"),
        particles=both("particles"),
        prefixes=tuple(sorted((fold(p) for p in own.get("prefixes", ())), key=len, reverse=True)),
        suffixes=tuple(sorted((fold(s) for s in own.get("suffixes", ())), key=len, reverse=True)),
        endings=tuple(own.get("endings", ())),  # with their accents: -té is an ending, -te is not
        stems=Stems(nobodys, own["stems"]) if "stems" in own else None,
        verbs=re.compile("|".join(own["verbs"])) if "verbs" in own else None,
        formed=re.compile("|".join(forms)) if forms else None,
        formed_loosely="formed_loosely" in own,
        street_endings=tuple(own.get("street_endings", ())),
        street_name_endings=tuple(own.get("street_name_endings", ())),
        greetings=both("greetings"),
        calendar=calendar_words(language),
        says=both("says"),
        speaks_to=both("speaks_to"),
        follows_subject=_folded(own.get("follows_subject", "")),
        determiners=_folded(own.get("determiners", "")),
        nouns_are_capital=language == "de",
        titles_stay=own.get("titles_stay", False),
        numerals=numerals(language),
        countries=_library_words(language) | _library_words("en"),
    )


@lru_cache(maxsize=1)
def frequent_names() -> frozenset[str]:
    """Names that so many people share that they are frequent words."""
    return frozenset().union(*(_folded(names) for script, names in _own_names().items() if script not in _WORDS_TOO))


@lru_cache(maxsize=1)
def names_as_written() -> frozenset[str]:
    """Frequent names letter by letter: some are no stop word only by a letter that folding makes the same."""
    lists = (names for script, names in _own_names().items() if script not in _WORDS_TOO)
    return frozenset(word for names in lists for word in names.split())


@lru_cache(maxsize=1)
def _own_names() -> dict[str, str]:
    names: dict[str, str] = yaml.safe_load((_FOLDER / "names.yaml").read_text("utf-8"))
    return names


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Given names of some fifty countries."""
    return _listed("given") | _folded(_own_names()["words_too"]) | names_of_function_words()


@lru_cache(maxsize=1)
def names_of_function_words() -> frozenset[str]:
    """Given names that are function words, letter by letter: Sara is a name in Italian, "sarà" is none."""
    return frozenset(_own_names()["function_words_too"].split())


@lru_cache(maxsize=1)
def family_names() -> frozenset[str]:
    """Family names of the same countries that are no given names."""
    return _listed("family") | _folded(_own_names()["family_words_too"])


@lru_cache(maxsize=32)
def _listed(name: str) -> frozenset[str]:
    """Folded words of a list in `from_faker/`; none where Faker has no such list."""
    path = _FOLDER / "from_faker" / f"{name}.txt"
    return frozenset(path.read_text("utf-8").partition("\n")[2].split()) if path.exists() else frozenset()


@lru_cache(maxsize=32)
def numerals(language: str) -> frozenset[str]:
    """Numbers in words, of a language and of English."""
    listed = _numerals()
    asked = [listed[one] for one in ("en", language) if one in listed]
    return frozenset().union(*(_folded(words) for one in asked for words in one.values()))


@lru_cache(maxsize=1)
def numeral_scales() -> frozenset[str]:
    """Words that amounts have and telephone numbers have not, of all languages."""
    return frozenset().union(*(_folded(one["scales"]) for one in _numerals().values()))


@lru_cache(maxsize=1)
def _numerals() -> dict[str, dict[str, str]]:
    listed: dict[str, dict[str, str]] = yaml.safe_load((_FOLDER / "numerals.yaml").read_text("utf-8"))
    return listed


@lru_cache(maxsize=32)
def calendar_words(language: str) -> frozenset[str]:
    """Months and days of the week in a language, in English where the CLDR has none. Those of another language are
    names: whom an Italian note calls Sunday or June is a person."""
    from babel import Locale, UnknownLocaleError

    try:
        own = Locale(language)
    except UnknownLocaleError:
        own = Locale("en")
    forms = (named["format"][width] for named in (own.months, own.days) for width in ("wide", "abbreviated"))
    names = frozenset(fold(name).rstrip(".") for one in forms for name in one.values())
    return names - names_of_function_words()


@lru_cache(maxsize=1)
def months() -> frozenset[str]:
    """Names of months in every language that notes come in, of all four calendars."""
    from babel import Locale

    names = _folded(_FAR_MONTHS)
    for language in _CALENDARS:
        forms = Locale(language).months["format"]
        names |= {fold(month).rstrip(".") for width in ("wide", "abbreviated") for month in forms[width].values()}
    return frozenset(name for name in names if len(name) > 1 and not name.isdigit())


@lru_cache(maxsize=1)
def months_as_written() -> frozenset[str]:
    """The same names letter by letter, in lower case: março is a month, marcó is none."""
    from babel import Locale

    forms = (Locale(language).months["format"][width] for language in _CALENDARS for width in ("wide", "abbreviated"))
    return frozenset(name.lower().rstrip(".") for one in forms for name in one.values()) | set(_FAR_MONTHS.split())


@lru_cache(maxsize=1)
def weekdays() -> frozenset[str]:
    """Days of the week in the same languages: of those that are two words, each, and both as one."""
    from babel import Locale

    forms = [Locale(language).days["format"] for language in _CALENDARS]
    names = {day for form in forms for width in ("wide", "abbreviated") for day in form[width].values()}
    parts = [_WORD.findall(fold(clean(day)[0])) for day in names]
    return frozenset(part for one in parts for part in (*one, "".join(one)) if len(part) > 1)


def _inflected(own: dict[str, Any], key: str = "words") -> frozenset[str]:
    """The words of a list of a language with the endings that its `paradigms` put for another: hablar, hablando."""
    words = own.get(key, "").split()
    paradigms: dict[str, list[str]] = own.get("paradigms", {})
    made = [
        word[: -len(ending)] + other
        for ending, others in paradigms.items()
        for word in words
        if word.endswith(ending) and len(word) >= len(ending) + 3
        for other in others
    ]
    return frozenset(fold(word) for word in (*words, *made))


def _imperfects(own: dict[str, Any]) -> frozenset[str]:
    """Arabic verbs in the present: their `imperfects` with the sign of each of the `persons`, but for what somebody is
    called (يزيد)."""
    made = {fold(person + verb) for person in own.get("persons", "").split() for verb in own["imperfects"].split()}
    return frozenset(made) - frequent_names() - given_names() - family_names()


def _pair(phrase: str) -> tuple[str, str]:
    words = [fold(word) for word in phrase.split()]
    return (words[-2] if len(words) > 1 else "", words[-1])


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split())


@lru_cache(maxsize=32)
def _stop_words(language: str) -> frozenset[str]:
    try:
        words = _list_of_spacy(f"{language}/stop_words.py", "STOP_WORDS")
    except FileNotFoundError:  # spaCy has no such language
        return frozenset()
    return frozenset(fold(part) for word in words for part in _WORD.findall(word))


def _list_of_spacy(place: str, name: str) -> Collection[str]:
    """One list in one file of spaCy, which stands by itself. Its package is not imported for it: that takes most of a
    second, and of French, whose tokenizer it compiles, four."""
    file = distribution("spacy").locate_file(f"spacy/lang/{place}")
    words: Collection[str] = runpy.run_path(str(file))[name]
    return words


@lru_cache(maxsize=32)
def _library_words(language: str) -> frozenset[str]:
    """Names of countries, languages and scripts in the CLDR, and of Persian the verbs of spaCy, in all their forms.

    Of names of several words (Saint Kitts, San Marino) none is taken, and nothing that somebody is called.
    """
    from babel import Locale, UnknownLocaleError

    try:
        known = Locale(language)
    except UnknownLocaleError:
        return frozenset()
    words = {word for names in (known.territories, known.languages, known.scripts) for word in names.values()}
    if language == "fa":
        verbs = _list_of_spacy("fa/generate_verbs_exc.py", "VERBS_EXC")
        words |= {part for verb in verbs for part in _JOINTS.split(verb)}
    named = frequent_names() | given_names() | family_names()
    return frozenset(fold(word) for word in words if _WORD.fullmatch(word) and len(word) > 2) - named


@lru_cache(maxsize=1)
def _label_words() -> frozenset[str]:
    """Words of the labels of forms, in all languages: no answer is made of them."""
    return frozenset(fold(word) for one in _labels().values() for label in one for word in _WORD.findall(str(label)))


@lru_cache(maxsize=1)
def secret_words() -> frozenset[str]:
    """First words of the labels of passwords and keys."""
    return frozenset(fold(_WORD.findall(str(label))[0]) for label in _labels()["SECRET"])


@lru_cache(maxsize=1)
def _labels() -> dict[str, list[str]]:
    labels: dict[str, list[str]] = yaml.safe_load((_FOLDER / "labels.yaml").read_text("utf-8"))
    return labels


@lru_cache(maxsize=32)
def _codebook_words(language: str) -> frozenset[str]:
    """Words of the codebook's labels: what answers are made of is nobody's name. Of labels in other languages than
    the note's and English, what nobody is called: not Fuentes, nor Sol. Places and countries are not among them, since
    people are called after places."""
    own = _codebook_labels("en") | _codebook_labels(language)
    others = frozenset().union(*map(_codebook_labels, ("fr", "es", "ar")))
    return (own | (others - given_names() - family_names())) - frequent_names()


@lru_cache(maxsize=32)
def _codebook_labels(language: str) -> frozenset[str]:
    """Words of the codebook's labels in one language."""
    from codebook.loader import load_codebook

    codebook = load_codebook()
    texts = [
        getattr(variable.label, language, None)
        for entity in codebook.entities.values()
        for variable in entity.variables
    ]
    for name, codelist in codebook.codelists.items():
        if name not in ("country", "language", "currency"):
            texts += [getattr(code, f"label_{language}", None) for code in codelist.codes]
    return frozenset(fold(word) for text in texts if text for word in _WORD.findall(text))
