"""What stands behind a label - "Nombre: ...", `"surname": "..."`, `<name>...</name>` - is what the label says.

The value is taken whole, whatever its words are by themselves. Prose behind a colon is left to `names`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

from anonymization.redaction.folding import fold
from anonymization.redaction.patterns import Span
from anonymization.redaction.words import KEEP, PARTICLE, SECRET, Words

_SEPARATOR = re.compile(r"""[:=>](?:(?<=\w>)|(?<!>)\s{0,3}["'“«]?)""")
_QUOTES = frozenset("\"'”»")
_BOUNDARY = re.compile(r"""[\n|;"”{}\[\]<>\t]|\s{3}|$""")
_LABEL_ENDS = re.compile(r"""[\n|;,"“”{}\[\]()<>\t:=]|\.\s""")
_NUMBER_SIGN = re.compile(r"\b[Nn]\s?[°º]$")
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\s,]+")
_SECRET = re.compile(r"\S{1,60}")
_TOLD_SECRET = re.compile(
    r"([^\W\d_]{3,20})(?=((?:\s[^\W\d_]{1,20}){0,3}?\s(?:is|was|es|era|est|ist|lautet|é|è|waa)\s[\"'“«(]?)"
    r"([^\s\"'”»)]{5,60}[^\s\"'”»).,;!?]))"
)
_NO_WORD = re.compile(r"\d|[!#$%^&*_+=?@](?!$)|[a-zß-öø-ÿ][A-ZÀ-Þ]")
"""What passwords have and words have not."""
_LONGEST = {"NAME": 5, "ADDRESS": 9, "USERNAME": 1, "ID": 7, "PHONE": 6, "DATE": 5, "TIME": 3}
"""Of how many words a value may be; what is longer is a sentence."""
_NEEDS_DIGIT = {"ID", "PHONE", "DATE", "TIME"}


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    kinds: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text("utf-8"))
    said = {" ".join(fold(w) for w in _WORD.findall(str(label))): kind for kind, one in kinds.items() for label in one}
    joined = {label.replace(" ", ""): kind for label, kind in said.items() if " " in label}  # lastName, dateOfBirth
    return joined | said


@lru_cache(maxsize=1)
def _last_words() -> frozenset[str]:
    return frozenset(label.rpartition(" ")[2] for label in _labels())


def values(text: str, words: Words) -> list[Span]:
    """Values behind labels in a cleaned note, in order of place."""
    if ":" not in text and "=" not in text and "</" not in text:
        return []
    separators = _separators(text)
    labels = [_label(text, start) for start, _ in separators]
    found = []
    for place, (kind, _) in enumerate(labels):
        if kind is None:
            continue
        start = separators[place][1]
        if kind == "SECRET":
            found += [Span(*word.span(), kind) for word in [_SECRET.match(text, _after(text, start))] if word]
            continue
        boundary = _BOUNDARY.search(text, start, start + 100)
        end = boundary.start() if boundary else start + 100
        if place + 1 < len(separators) and separators[place + 1][0] < end:
            next_kind, label = labels[place + 1]
            end = label if next_kind or "," in text[start:label] else end
        span = _value(text, start, end, kind, words)
        if span:
            found.append(span)
    return found


def secrets(text: str, words: Words) -> list[Span]:
    """Passwords in a sentence that says so: "sua senha é ijmoRNPd"; not "the password is wrong"."""
    return [
        Span(*told.span(3), "SECRET")
        for told in _TOLD_SECRET.finditer(text)
        if words[told[1]] & SECRET and _NO_WORD.search(told[3])
    ]


def _separators(text: str) -> list[tuple[int, int]]:
    """Where colons and their like begin and end, with a quotation mark and a blank before and some behind."""
    found, last = [], 0
    for separator in _SEPARATOR.finditer(text):
        start, end = separator.span()
        if text[start] != ">":
            start -= start > last and text[start - 1].isspace()
            start -= start > last and text[start - 1] in _QUOTES
        found.append((start, end))
        last = end
    return found


def _after(text: str, start: int) -> int:
    """Where a secret begins: a quotation mark before it may be a part of it."""
    return start - (text[start - 1] in ('"', "'", "“", "«"))


def _label(text: str, end: int) -> tuple[str | None, int]:
    """What the words before a separator announce, and where these words begin."""
    if text[end - 1 : end] in "°º" and (sign := _NUMBER_SIGN.search(text, max(0, end - 3), end)):
        return "ADDRESS", sign.start()
    start = max(0, end - 40)
    before = text[start:end]
    said = tuple(_WORD.findall(before)[-4:])
    for words, kind in _kinds_of(said):
        first = len(before)
        for word in reversed(said[-words:]):
            first = before.rindex(word, 0, first)
        if not _LABEL_ENDS.search(before, first):
            if text[start + first - 1 : start + first] == "/":  # a tag that closes
                return None, start
            return kind, start + first
    return None, start


@lru_cache(maxsize=4096)
def _kinds_of(said: tuple[str, ...]) -> list[tuple[int, str]]:
    """Of the last words before a separator, how many are a label and of what kind, the longest first."""
    if not said or fold(said[-1]) not in _last_words():
        return []
    folded = [fold(word) for word in said]
    labels = ((len(said) - first, _labels().get(" ".join(folded[first:]))) for first in range(len(said)))
    return [(words, kind) for words, kind in labels if kind]


def _value(text: str, start: int, end: int, kind: str, words: Words) -> Span | None:
    tokens = list(_TOKEN.finditer(text, start, end))
    if not tokens or (kind in _NEEDS_DIGIT and not any(sign.isdigit() for sign in text[start:end])):
        return None
    if len(tokens) > _LONGEST[kind]:
        if kind != "NAME":
            return None
        tokens = _leading_name(tokens, words)
    if not tokens:
        return None
    first, last = tokens[0].start(), tokens[-1].end()
    while last > first and not (text[last - 1].isalnum() or text[last - 1] in ")"):
        last -= 1
    while first < last and not (text[first].isalnum() or text[first] in "(+#@"):
        first += 1
    return Span(first, last, kind) if last > first else None


def _leading_name(tokens: list[re.Match[str]], words: Words) -> list[re.Match[str]]:
    """Of "Name: Ana Gil wants a loan and a shop" the words before the first everyday one."""
    for place, token in enumerate(tokens[: _LONGEST["NAME"]]):
        word = _WORD.search(token.group())
        flag = words[word.group().lower()] if word else KEEP
        if flag & KEEP and not flag & PARTICLE:
            return tokens[:place]
    return tokens[: _LONGEST["NAME"]]
