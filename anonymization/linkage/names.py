"""Names in comparable form: one spelling of what is written in many ways, per script, and keys to find it by.

`fold` keeps the script and unites its spellings; `sound` is Latin and unites transliterations; `skeleton` holds the
consonants of it. All three serve comparison and blocking inside the vault and are never shown: Arabic script has no
short vowels, so a transliteration is not the name (formats.md 3). Which part of a name a column holds is declared by
the source; nothing here splits a name into first and last.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

VERSION = 12
"""Of `name_letters.csv`, `name_words.csv` and the rules here. Keys of two versions are never compared."""

_FOLDER = Path(__file__).parent
_LETTERS, _WORDS = _FOLDER / "name_letters.csv", _FOLDER / "name_words.csv"

_MARKS = re.compile("[\u0300-\u036f\u0483-\u0487\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
"""Accents, harakat and Cyrillic titlo; vowel signs of Indic scripts are letters and stay."""
_APOSTROPHES = re.compile("['`´\u02b9-\u02bf\u2018\u2019\u201b\u2032\u0027\uff07\u055a\ua78c]")
_NO_LETTER = re.compile(r"[\W\d_]+")
_NUMBER = re.compile(r"\d+")
_SLASH = re.compile(r"\b(\w)\s?/\s?(?=\w{3})")
"""G/Michael is Gebremichael; what follows in W/ro and W/O (a title, wife of) is shorter than a name."""
_IN_BRACKETS = re.compile(r"\([^()]*\)?")
_NON_JOINER = "\u200c"
_LONG = 3
_ONE_SIGN = re.compile(r"^(\w)\1*( \1+)*$")
_ARTICLE = re.compile("^ال(?=.{3})")
_ANY_ARTICLE = re.compile("^ال(?=.{2})")
_SERVANT = re.compile("^(?:عبدال|abd(?:ul|oul|ol|el|al|ur|our|er|ou)(?=[^aeiou].))(?=.{2})")
_GLUED_ARTICLE = re.compile("^al(?=(?:[bcdfghj-np-tv-z].|[ou]..).{2,}[iy]e{0,2}$)")
"""Of a name of descent in Latin: Aljubouri, Alrubaie, Alobaidi; not Ali, Alavi, Alexei."""
_OF_THE_FAITH = re.compile("(?<=..)ال(?=دین$)|(?<=..[^aeiou])[aeu]l(?=d[ei]{1,2}n$)")
"""Of a name that ends in it, in one word: Shamseldin, Shamsuddin."""
_ARABIC = re.compile("[\u0600-\u06ff]")
_FINAL_H = re.compile("(?<=...)h$")
_NO_VOWELS = re.compile("[\u0600-\u06ff\u1200-\u137f]")
_KEYBOARD = re.compile(r"^(x{2,}|asdf\w*|qwe\w*|zxc\w*|abc|aaa\w*)$")


@dataclass(frozen=True)
class _Words:
    particles: frozenset[str]
    behind: frozenset[str]
    prefixes: dict[str, str]
    compounds: dict[str, str]
    seconds: frozenset[str]
    suffixes: dict[str, str]
    shorts: dict[str, str]
    slashes: dict[str, str]
    relations: re.Pattern[str]
    apart: frozenset[str]
    junk: frozenset[str]


def fold(name: str) -> str:
    """Comparable form in the name's own script, words in order; "" where it is no name."""
    listed = _words()
    # A father's or a maiden name, or what somebody is called by: not the name itself.
    own = _IN_BRACKETS.sub(" ", name) if "(" in name else name
    if not _plain(own):
        own = name
    alone = listed.relations.sub(" ", _parted(own) if _NON_JOINER in own else own)
    words = _plain(_SLASH.sub(lambda cut: listed.slashes.get(_plain(cut[1]), cut[1]) + " ", alone)).split()
    if not words or _is_junk(words):
        return ""
    kept = [
        listed.shorts.get(word, word)
        for word, following in zip(words, [*words[1:], ""], strict=True)
        if word not in listed.particles and not _assimilated(word, following)
    ]
    if len(kept) >= _LONG and kept[-1] in listed.behind:
        del kept[-1]
    return " ".join(_joined(kept or words))


def fold_place(place: str) -> str:
    """The same for a place, whose numbers tell it from others: Zona 1 is not Zona 10."""
    numbers = [str(int(number)) for number in _NUMBER.findall(place)]
    return " ".join(filter(None, [fold(place), *numbers]))


def sound(folded: str) -> str:
    """Latin spelling of a folded name that unites transliterations (Mohammed, Muhammad; Ousmane, Usman)."""
    return " ".join(filter(None, (_word_sound(word) for word in folded.split())))


def skeleton(sounding: str) -> str:
    """The consonants of each word of a `sound`: what Arabic script and Latin have in common."""
    return " ".join(_word_skeleton(word) for word in sounding.split())


def bones(folded: str) -> str:
    """The consonants of each word of a folded name, as another script would have them: a Cyrillic g is Ukraine's h
    (Bohdan, Hryhorii); where others write g, a `sound` tells. The hook of a Latin š is often left away."""
    spoken = sound(folded)
    return bare(spoken.replace("g", "h") if _CYRILLIC.match(folded) else spoken)


def bare(sounding: str) -> str:
    """The skeleton of a `sound` without hooks."""
    return skeleton(sounding.replace("ʃ", "s"))


def fingerprint() -> str:
    """Of the tables and the version: stored with every decision that was made on them."""
    digest = sha256(str(VERSION).encode() + _LETTERS.read_bytes() + _WORDS.read_bytes())
    return f"names-{VERSION}-{digest.hexdigest()[:8]}"


def _plain(name: str) -> str:
    """Letters and single blanks: no case, accents, harakat, punctuation, digits or invisible signs."""
    if name.isascii():
        text = name.lower()
    else:
        text = unicodedata.normalize("NFKC", name).casefold().translate(_letters())
        # Zero-width joiners and bidi marks are format characters (Cf); pasted names are full of them.
        text = "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Cf")
        text = unicodedata.normalize("NFC", _MARKS.sub("", text)).translate(_letters())
    return _NO_LETTER.sub(" ", _APOSTROPHES.sub("", text)).strip()


def _parted(name: str) -> str:
    """Blanks for the non-joiners that part two words, as a Persian keyboard writes them (Ghulam Sakhi): one of the two
    is listed, and the other is too or is long. Others stand in the midst of a word and are no sign of anything."""
    apart = _words().apart

    def is_parted(before: str, after: str) -> bool:
        one, other = _plain(before), _plain(after)
        if one in apart:
            return other in apart or len(other) >= _LONG
        return other in apart and len(one) >= _LONG

    parted = []
    for word in name.split():
        first, *others = word.split(_NON_JOINER)
        parted.append(first)
        for other in others:
            if is_parted(parted[-1], other):
                parted.append(other)
            else:
                parted[-1] += other
    return " ".join(parted)


def _assimilated(word: str, following: str) -> bool:
    """The Arabic article as it is spoken before some letters: as-Sudani, ad-Dulaymi, ash-Shami."""
    if len(word) not in (2, 3) or word[0] not in "ae" or len(following) < 3:
        return False
    return following.startswith(word[1:]) or (word[1:] in ("sh", "ch") and following.startswith(("sh", "ch")))


def _is_junk(words: list[str]) -> bool:
    whole = " ".join(words)
    return whole in _words().junk or bool(_ONE_SIGN.match(whole)) or all(_KEYBOARD.match(word) for word in words)


def _joined(words: list[str]) -> list[str]:
    """Prefixes and suffixes joined to the word that they belong to, however they were spaced; articles dropped."""
    prefixes, suffixes, compounds = _words().prefixes, _words().suffixes, _words().compounds
    result: list[str] = []
    waiting = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in compounds and _bones(following) in _words().seconds:
            waiting += compounds[word]
            continue
        if word in prefixes:
            waiting += prefixes[word]
            continue
        if word in suffixes and result and not waiting:
            result[-1] += suffixes[word]
            continue
        servant = _SERVANT.match(word)
        if servant:
            bare = ("عبد" if word[0] == "ع" else "abd") + word[servant.end() :]
        else:
            bare = (_ANY_ARTICLE if waiting else _ARTICLE).sub("", _GLUED_ARTICLE.sub("", word))
        result.append(waiting + _OF_THE_FAITH.sub("", bare))
        waiting = ""
    return [*result, waiting] if waiting else result


_CYRILLIC = re.compile("[\u0400-\u052f]")
_LETTERS_OF_TWO = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        ("x", "ks"),
        ("t?s?[cs]h", "ʃ"),  # ch, sh, tch, tsh: Cheikh and Sheikh
        ("kh", "h"),
        ("gh", "g"),
        ("zh|(?<!^ab)dj|dzh", "j"),  # Abdjalil too
        ("ts", "s"),
        ("ph", "f"),
        ("th", "t"),
        ("(?<!^ab)dh", "d"),  # Abdhamid is Abd and Hamid
        ("(?<=..[^aeiou])ic$", "iʃ"),  # the Serbian surname without its hook
    )
)
_SOUNDS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        ("ll(?=[aeiou]..)|ñ", "l"),
        ("qu(?=[ei])|q|c(?![eiy])", "k"),
        ("ck", "k"),
        ("c|z", "s"),
        ("gu(?=[ei])", "g"),
        ("v", "b"),  # Vásquez and Básquez
        ("ou|oo|w", "u"),
        ("ee|(?:ey|ay|ai|ei)(?![aeiou])|y|(?<=[klnst])j(?=[aeiou]$)", "i"),
        ("o", "u"),
        ("e", "i"),
        (r"(.)\1+", r"\1"),
        ("(?<=...)i$|(?<=..[au])h$|(?<=....)h$", ""),  # a silent French e, a final h but for Oleh, the Slavic -y
    )
)


@lru_cache(maxsize=1 << 17)
def _word_sound(word: str) -> str:
    # z and h of a script without vowels are no zh (زهرا); Cyrillic д and ж are one dj.
    apart = _NO_VOWELS.match(word)
    latin = "".join(_one_letter_each(_latin(sign)) for sign in word) if apart else _one_letter_each(_latin(word))
    # Farida is a sister of Farid: in Arabic script a final h is her a.
    latin = _FINAL_H.sub("a", latin) if _ARABIC.match(word) else latin
    for pattern, to in _SOUNDS:
        latin = pattern.sub(to, latin)
    return latin


def _one_letter_each(latin: str) -> str:
    for pattern, to in _LETTERS_OF_TWO:
        latin = pattern.sub(to, latin)
    return latin


@lru_cache(maxsize=1 << 12)
def _latin(word: str) -> str:
    if word.isascii():
        return word
    from anyascii import anyascii

    return re.sub("[^a-z]", "", anyascii(word).lower())


_TYPED_ALIKE = str.maketrans("pgd", "bks")
"""Arabic keyboards have no p and no g: Persian names come with b and k in their place. Three Arabic letters are d or dh
in one country's Latin and z in another's (Kadhim and Kazem, Ramadan and Reza)."""


@lru_cache(maxsize=1 << 17)
def _word_skeleton(word: str) -> str:
    bare = re.sub("(?<=.)h$", "", re.sub("[aiu]", "", word).translate(_TYPED_ALIKE))
    return re.sub(r"(.)\1+", r"\1", bare) or word


@cache
def _letters() -> dict[int, str]:
    with _LETTERS.open(encoding="utf-8", newline="") as file:
        return {ord(letter): row["folded"] for row in csv.DictReader(file) for letter in row["letters"]}


@cache
def _words() -> _Words:
    with _WORDS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def of(kind: str) -> dict[str, str]:
        return {_plain(row["word"]): _plain(row["stands_for"]) for row in rows if row["kind"] == kind}

    return _Words(
        frozenset(of("particle")),
        frozenset(of("behind")),
        of("prefix"),
        of("compound"),
        frozenset(_bones(word) for word in of("second")),
        of("suffix"),
        of("short"),
        of("slash"),
        _phrases(row["word"] for row in rows if row["kind"] == "relation"),
        frozenset(of("apart")) | frozenset(of("suffix")) | frozenset(of("prefix")),
        frozenset(of("junk")),
    )


def _phrases(said: Iterable[str]) -> re.Pattern[str]:
    """Finds each of these as words of their own, in any case; around a slash there may be blanks."""
    listed = "|".join(re.escape(phrase).replace("/", r"\s?/\s?").replace(r"\ ", r"\s+") for phrase in said)
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE)


def _bones(word: str) -> str:
    return skeleton(sound(word))
