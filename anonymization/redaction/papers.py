"""Short codes that only the words before them tell from others: plates of cars, entries of old identity papers.

Numbers that are told by their own shape are the business of `patterns`.
"""

from __future__ import annotations

import re

from anonymization.redaction.patterns import Span

WORDS = (
    "plate plates placa placas plaque plaques immatriculation immatriculé immatriculée matrícula matrículas kennzeichen"
    " targa kenteken ታርጋ ታርጋው ታርጋዋ ታርጋዬ جلد صفحه صفحة صفحته الصفحة ثبت سجل السجل صحيفة الصحيفة صکوک صكوك"
    " volume vol book page folio folios register sukuk sokuk libro tomo partida livre registre"
)
"""One of which a note must have."""
_ENTRY = (
    r"(?i:جلد|صفحه|صفحة|الصفحة|ثبت|سجل|السجل|صحيفة|الصحيفة|صکوک|صكوك|volume|vol|book|page|folios?|register|s[uo]kuk"
    r"|libro|tomo|partida|livre|registre)[ :.]{1,3}(?:(?i:no|n[°º]|número|شماره|نمبر|رقم)[ :.]{1,3})?[0-9]{1,9}"
)
_CODE = re.compile(
    r"(?<!\w)(?:(?i:plates?|placas?|plaques?|immatricul\w{1,5}|matr[ií]culas?|kennzeichen|targa|kenteken)\W{1,3}"
    r"(?:(?i:n[o°º]?|number|is|es|est|la)\W{1,3})?"
    r"(?P<latin>(?=[A-Z0-9 -]{0,14}\d)(?=[A-Z0-9 -]{0,14}[A-Z])[A-Z0-9]{1,7}(?:[ -][A-Z0-9]{1,5}){0,3})(?!\w)"
    r"|ታርጋ\w{0,2} (?P<ethiopic>(?:ኮድ )?[0-9]{1,2} \w{1,3} ?[0-9]{4,6})"
    rf"|(?P<entry>{_ENTRY}(?:[ ,،/;.-]{{1,3}}(?:و ?)?{_ENTRY}){{1,4}}))"
)
"""A plate ("GT 4821-19", "QWE 41F"); volume, page and entry, which old identity papers of Afghanistan and Iraq have for
a number (domain.md 5.1): at least two of them, since of one alone a report tells too."""


def codes(text: str) -> list[Span]:
    """Such codes in a cleaned note."""
    return [Span(*one.span(one.lastgroup or 0), "ID") for one in _CODE.finditer(text)]
