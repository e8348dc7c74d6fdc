"""What identifies by its shape: e-mail, web address, handle, IP, card, IBAN, number, date, time, position.

One compiled expression, in time that grows with the note's length: every repetition is bounded, and no two neighbours
match the same character. Of a number this module says that it identifies somebody; which kind it is, is the business
of `numbers`, of days that name their month, of `dates`, and of words, of `names`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from anonymization.redaction import numbers
from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import Lexicon


class Span(NamedTuple):
    """From `start` to before `end` of a note, and what it is."""

    start: int
    end: int
    type: str


_TLD = (
    "com|org|net|info|edu|gov|int|io|biz|me|co|uk|de|fr|es|it|nl|eu|us|ca|mx|sv|gt|hn|ng"
    "|et|iq|af|ir|pk|bd|ma|tn|sn|ci|ml|ru|ua|tr|br|cl|pe|ve|ec|cr|ni|au|nz|za|ke|gh|tz|ug|rw|ch|pl|pt|dk|fi|gr"
    "|ro|rs|mk|ba|hr|ae|sd|eg|dz|ly|jo|lb|sy|jp|kr|app|dev|xyz|online|site|blog|club|shop|tv"
)
_SHAPES = {
    "EMAIL": r"[\w.%+'-]{1,120}+@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}",
    "URL": rf"""(?i:https?|ftp)://[^\s<>"'،؛]{{1,2000}}|(?i:www)\.[^\s<>"'،؛]{{1,2000}}
        |(?<![\w.@-])(?:[a-zA-Z0-9-]{{2,63}}+\.){{1,4}}(?:{_TLD})\b(?:/[^\s<>"'،؛]{{0,2000}})?
        |(?<![\w.@-])t\.(?:me|co)/[^\s<>"'،؛]{{1,2000}}""",
    "HANDLE": r"(?<![\w@])@\w[\w.-]{1,40}",
    "MAC": r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b",
    "IP6": r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])",
    "IP": r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)",
    "GPS": r"""[-+]?\d{1,3}[.,]\d{3,15}°?\s?[NSEW]?\s?[,;\s/]\s?[-+]?\d{1,3}[.,]\d{3,15}°?(?:\s?[NSEWO]\b)?
        |\d{1,3}\s?°\s?\d{1,2}(?:[.,]\d{1,6})?\s?['′’](?:\s?\d{1,2}(?:[.,]\d{1,6})?\s?["″”])?\s?[NSEWO]?
        |(?<![\d.,])[-+]?\d{1,3}\.\d{4,15}(?!\d)""",
    "DATE": r"""(?<![\d.])(?:\d{4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}
            |\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?(?:\d{4}|\d{2}))(?![-/.]?\d)
            (?:[Tt ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?
        |(?<![\d/.-])(?:(?:0[1-9]|[12]\d|3[01])/(?:0[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])/(?:19|20)\d\d)(?![/\w]|[.-]\d)""",
    "TIME": r"""(?<![\d:.,])(?:[01]?\d|2[0-4])
        (?::[0-5]\d(?::[0-5]\d)?(?:\s?(?:[AaPp]\.?\s?[Mm]\b\.?|(?:[Uu]hr|[Uu]ur)\b))?(?![\d:])|[hH][0-5]\d\b|(?:[.:][0-5]\d)?\s?(?:[AaPp]\.?[Mm]\b\.?|o['’]clock\b|[Uu]hr\b|[Uu]ur\b))""",
    "IBAN": r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b",
    "REFERENCE": r"(?<![\w/.-])(?=[A-Z0-9./-]{0,30}\d)(?=[0-9./-]{0,30}[A-Z])"
    r"(?:[A-Z0-9]{1,12}[-/.]){1,6}[A-Z0-9]{1,20}(?![\w/])"
    r"|(?<![\w/.-])(?:[A-Z]{1,3}[ ]\d{2,4}[ -][A-Z]{1,3}|[A-Z]{2}\d\d[ ][A-Z]{3}"
    r"|[A-ZÄÖÜ]{1,3}-[A-ZÄÖÜ]{1,2}[ ](?!(?:19|20)\d\d)\d{1,4}[EH]?)(?![\w/])",
    "AGENT": r"""(?:Mozilla|Opera)/\d[\d.]{0,9}(?:\s\([^()\n]{1,200}\)|\s[A-Za-z]{1,40}/[\w.]{0,39}\w){0,12}""",
    "NUMBER": r"""(?<![0-9A-Za-zÀ-ɏ_.,])(?:[+(\#]{1,2}\s?)?\d{1,40}+(?:
            (?:[\s().\-/–*~•·]{1,4}(?!\d{1,2}:\d\d)|\s?—\s?(?=\d{3})|,(?=\d{4}(?!\d)))\d{1,40}+){0,12}
        (?:\s?(?:x|ext\.?|poste|anexo)\s?\d{1,6})?(?![\w])""",
    "CODE": r"""(?<![\w])(?![\u0600-\u06ff\u1200-\u137f]{1,4}\d)
        (?=[^\W\d]{0,20}+\d)(?=\d{0,20}+[^\W\d])\w{3,64}(?:[.-]\w{1,40}){0,6}""",
    "USER": r"(?<![\w])[^\W_]{1,40}+_\w{1,60}"
    r"|(?<![\w.])[a-z]{3,30}+\.(?:[a-z]{3,30}\d{0,8}|[a-z]{1,2}\d{1,8})(?!\.?\w)",
}
_NEEDS = {"EMAIL": "sign dot", "HANDLE": "sign dot", "URL": "dot", "USER": "sign dot", "IP6": "groups", "MAC": "groups"}
"""One of which a note must have for a shape to be in it; every other shape needs a digit. As few as tell notes apart:
an expression is compiled for each set of them."""
_SIGNS = {"sign": "@_", "dot": "@_.:", "groups": ":-"}
"""Signs that a word must have for such a shape to be in it: words without any are stepped over."""
_BY_FIRST_SIGN = (
    (r"(?=[-+(\#\d])", ("IP", "GPS", "DATE", "TIME", "REFERENCE", "NUMBER", "CODE")),
    ("(?=[A-Z])", ("IBAN", "AGENT", "REFERENCE", "CODE")),
    (r"(?![-+(\#\dA-Z])", ("CODE",)),
)
"""Which of the shapes that need a digit may begin with which sign: the others are not tried."""
_DIGIT_IS_NEAR = r"(?=[^\s\d]{0,40}+\s?\d)"
"""Looked for once at each place: what begins where no digit is near is none of the shapes that need one."""
_WORD_BEGINS = r"(?<!\w)"
_NUMBER_BEGINS = r"(?:(?<!\w)|(?=[\d+(\#-]))"
"""Within a word nothing begins but a number, and a web address that was written onto it: no other place is tried."""
_SPELT_OUT = re.compile(
    r"(?<![\w.])[\w.+-]{1,64}+(?:\s?(?:\[at\]|\(at\)|\{at\})\s?|\s(?:at|arroba|chez|@)\s|@\s)[\w-]{2,63}+"
    r"(?:(?:\s?(?:\[dot\]|\(dot\)|\{dot\})\s?|\s(?:dot|punto|point|punkt|ponto|\.)\s|\.)[a-z]{2,20}+){1,3}",
    re.IGNORECASE,
)
_SPELT = ("dot", "punto", "point", "punkt", "ponto", " @", "@ ")
"""One of which an e-mail has that is not written in one piece."""
_SPELT_SIGN = re.compile(r"@|[\[({ ](?:dot|punto|point|punkt|ponto)[\])} ]", re.IGNORECASE)
_SECRET_SIGN = re.compile(r"[!#$^*&](?<=[A-Za-z0-9].)[A-Za-z0-9]")
_SECRET = re.compile(r"(?<![^\s(\[\"'“«])[A-Za-z0-9][^\s:/=@]{5,40}(?![^\s.,;:)\]\"'»”])")
_DOT = re.compile(r"\.(?<=[A-Za-z]\.)[A-Za-z]")
_GROUPS, _PAIRS = re.compile(":(?:[0-9A-Fa-f]{0,4}:){2}"), re.compile("[:-](?:[0-9A-Fa-f]{2}[:-]){2}")
_PARTS = re.compile(r"[A-Z0-9]+")
_KINDS = {"HANDLE": "USERNAME", "IP6": "IP", "REFERENCE": "ID", "AGENT": "ID"}
_LETTERS_BEFORE = re.compile(r"(?<!\w)(?:[A-Z]{1,2} |[A-Z]{1,8}[-.])$")
_WORDS_JOINED = re.compile(r"(?<![\w-])(?:[^\W\d_]{1,20}-){1,3}$")
"""Before a code, and a part of it: "night-owl267"."""
_LETTERS_BEHIND = re.compile(r"[ -](?:[A-Z]{1,3}(?!\w)(?:[ -]\d{1,6}(?!\w)){0,3}|[a-z](?=[.,;|\"\n]|$))(?!['’\w])")
_ORDINAL_OR_PERIOD = re.compile(
    r"\d{1,4}(?:st|nd|rd|th|s|er|ère|ème|eme|e|h|km|kg|m|cm|g|years?|ans|años|x|do|ra|ro|to|º|ª)|covid-?19",
    re.IGNORECASE,
)
_WORDS_AND_NUMBER = re.compile(r"\d{1,4}(?:-[^\W\d]{1,20}){1,3}|[^\W\d]{2,20}-\d{1,2}|\d{4}-\d{2,4}", re.IGNORECASE)


def shapes(text: str, lexicon: Lexicon) -> list[Span]:
    """What identifies by its shape in a cleaned note, in order of place."""
    found = _spelt_out(text)
    needed = _needed(text)
    if not needed:
        return found
    for match in _expression(needed).finditer(text):
        if match.lastgroup is None:
            continue  # words that were stepped over
        shape = match.lastgroup.partition("_")[0]
        start, end = match.span(match.lastgroup)
        kind = _kind(shape, text, start, end, lexicon)
        if kind:
            if shape == "NUMBER":
                start, end = _with_letters(text, start, end)
            elif shape == "CODE" and (words := _WORDS_JOINED.search(text, max(0, start - 40), start)):
                start = words.start()
            found.append(Span(start, end, kind))
    if "digit" in needed and _SECRET_SIGN.search(text):
        found += [Span(*one.span(), "SECRET") for one in _SECRET.finditer(text) if _is_secret(one.group())]
    return sorted(found)


def _spelt_out(text: str) -> list[Span]:
    """E-mail addresses that are written so that no machine sees them: "ana.gil [at] correo punto com"."""
    for sign in _SPELT:
        if sign in text:
            return [Span(*one.span(), "EMAIL") for one in _SPELT_OUT.finditer(text) if _SPELT_SIGN.search(one.group())]
    return []


def _is_secret(token: str) -> bool:
    """Whether a token with a sign within is a password: it has letters of both kinds and digits, as "B&B2" has not."""
    kinds = {"9" if sign.isdigit() else "a" if sign.islower() else "A" if sign.isupper() else "!" for sign in token}
    return len(kinds) == 4 and bool(_SECRET_SIGN.search(token))


def _needed(text: str) -> tuple[str, ...]:
    """What a note has of that which shapes need."""
    has = []
    if numbers.DIGIT.search(text):
        has.append("digit")
    if _DOT.search(text) or "://" in text:
        has.append("dot")
    elif "@" in text or "_" in text:
        has.append("sign")
    colons = text.count(":") >= 3
    if (colons and _GROUPS.search(text)) or ((colons or text.count("-") >= 5) and _PAIRS.search(text)):
        has.append("groups")
    return tuple(has)


def load() -> None:
    """Compiles the expressions, which the first notes would otherwise wait for."""
    for digit, words, groups in product((False, True), ("", "sign", "dot"), (False, True)):
        present = (*["digit"] * digit, *filter(None, [words]), *["groups"] * groups)
        if present:
            _expression(present)


@lru_cache(maxsize=12)
def _expression(present: tuple[str, ...]) -> re.Pattern[str]:
    """The shapes that a note with these signs may have, most notes have few; and what is stepped over, unnamed."""
    asked = [name for name, needs in _NEEDS.items() if not set(needs.split()).isdisjoint(present)]
    forms = {name: f"(?P<{name}>{_SHAPES[name]})" for name in _SHAPES if name in asked}
    alternatives = [form if name == "URL" else f"{_WORD_BEGINS}{form}" for name, form in forms.items()]
    if "digit" in present:
        digits = "|".join(
            begins + "(?:" + "|".join(f"(?P<{name}_{place}>{_SHAPES[name]})" for name in names) + ")"
            for place, (begins, names) in enumerate(_BY_FIRST_SIGN)
        )
        alternatives.append(f"{_NUMBER_BEGINS}{_DIGIT_IS_NEAR}(?:{digits})")
    signs = re.escape("".join(sorted({sign for need in present for sign in _SIGNS.get(need, "")})))
    far = rf"\s*+(?:[^\s\d{signs}]{{1,40}}+[.:]?+(?:\s++(?!\d)|\Z))*+"  # words without a sign, no digit behind them
    rest = r"\w[^\W\dFfHhWw]*+" if "dot" in present else r"\w[^\W\d]*+"  # ftp, http, www begin within a word
    return re.compile(f"{far}(?:{'|'.join(alternatives)}|{rest}|.|\\Z)", re.VERBOSE)


def _with_letters(text: str, start: int, end: int) -> tuple[int, int]:
    """A number with the letters that stand loosely before, behind or within it: "QQ 12 34 56 C", "65 170839 J 003"."""
    joined = text[start - 1 : start] == "\n" or text[max(0, start - 2) : max(0, start - 1)].isupper()
    before = _LETTERS_BEFORE.search(text, max(0, start - 9), start) if joined else None
    behind = _LETTERS_BEHIND.match(text, end)
    return before.start() if before else start, behind.end() if behind else end


def _kind(shape: str, text: str, start: int, end: int, lexicon: Lexicon) -> str | None:
    """What a shape is; None if it identifies nobody."""
    if shape == "NUMBER":
        return numbers.kind(text, start, end, lexicon)
    found = text[start:end]
    if shape == "IBAN":
        return "IBAN" if numbers.is_iban(found) else "ID"
    if shape == "CODE":
        return _kind_of_code(found, text, start, lexicon)
    if shape == "REFERENCE" and " " not in found and sum(map(str.isdigit, found)) < 3 > len(_PARTS.findall(found)):
        return None  # COVID-19, B-12
    if shape == "USER":
        if all(fold(part) in lexicon.words for part in found.split("_" if "_" in found else ".")):
            return None  # a full stop without a blank after it, or a field of a form: street_name
        return "USERNAME"
    return _KINDS.get(shape, shape)


def _kind_of_code(found: str, text: str, start: int, lexicon: Lexicon) -> str | None:
    if _ORDINAL_OR_PERIOD.fullmatch(found) or _WORDS_AND_NUMBER.fullmatch(found):
        return None
    if len(found) < 5 and fold(numbers.word_before(text, start)) not in lexicon.numbers:
        return None
    return numbers.UNDETERMINED
