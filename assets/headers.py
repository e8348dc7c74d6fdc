"""Which name of an undeclared column may be shown: one that is made of the words that headers are made of.

A supplier's header is as much a value as a cell is, once the first row of a file without header stands in its place, or
a table has people for columns. What is not known to be a word of a header is told by the place of its column. Declared
columns are not this module's business: their names were read and approved by somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from codebook.loader import load_codebook
from sources.models import Source

_FORM = frozenset(
    [
        "id",
        "uuid",
        "index",
        "start",
        "end",
        "today",
        "submission",
        "submitted",
        "version",
        "status",
        "tags",
        "instance",
        "root",
        "parent",
        "table",
        "validation",
        "rootuuid",
        "formhub",
        "meta",
        "audit",
        "grp",
        "group",
        "begin",
        "repeat",
        "calc",
        "other",
        "ext",
        "extra",
        "column",
        "field",
        "variable",
        "unnamed",
        "audio",
        "photo",
        "video",
        "image",
        "second",
        "url",
        "new",
        "old",
        "route",
        "code",
        "label",
        "value",
    ]
)
"""Words of form servers, and of programs that number what has no name."""
_PERSONAL = re.compile(r"\d{5}|\d\d\D\d\d|(?:\d\D?){6}|@")
_DIGITS = re.compile(r"\d+")
_LONG = 80
_ABBREVIATION = re.compile("[a-z]{0,3}")
"""`Rs_ec_9`: parts of a question's code. In other scripts a name is as short (`王伟`, `علي`, `አበበ`)."""
_ONE_WORD = re.compile(r"\w+")


def shown(header: str, position: int, source: Source) -> str:
    """The header, or `(column 17)` where it may be somebody's name, number or note. `position` counts from 1."""
    return header if is_header(header, source) else f"(column {position})"


def tellable_questions(headers: Iterable[str], source: Source) -> frozenset[str]:
    """Those of the headers of declared columns that may be told: words of headers, and sentences that name nobody.

    An export by labels has a form's questions for headers, and whoever wrote the form may have named somebody.
    """
    given = list(dict.fromkeys(headers))
    told = {header for header in given if is_header(header, source)}
    if asked := [header for header in given if header not in told]:
        from anonymization.redaction.redactor import Redactor

        found = Redactor(source.supplier.language, source.country).find(asked)
        told |= {header for header, spans in zip(asked, found, strict=True) if not spans}
    return frozenset(told)


def is_header(header: str, source: Source) -> bool:
    """Whether a name is made of the words that headers are made of."""
    from connectors.profiling.header_words import words

    if _PERSONAL.search(header) or len(header) > _LONG:
        return False
    known = _known() | _words(column.name for table in source.tables for column in table.columns)
    parts = [part for part in map(_without_digits, words(header)) if part]
    unknown = [part for part in parts if part not in known]
    if len(unknown) > 1 and not _ONE_WORD.fullmatch(header):  # `Li Wu` is no code
        return False
    return all(_ABBREVIATION.fullmatch(part) and part not in _names() for part in unknown)


@cache
def _names() -> frozenset[str]:
    from anonymization.redaction.lexicon import family_names, frequent_names, given_names

    return frequent_names() | given_names() | family_names()


@cache
def _known() -> frozenset[str]:
    """Words of headers in general, of form servers, and of the codebook: its variables, answers and labels."""
    from anonymization.redaction.lexicon import frequent_names
    from connectors.profiling.header_words import KNOWN, folded

    codebook = load_codebook()
    variables = [variable for entity in codebook.entities.values() for variable in entity.variables]
    labels = [text for each in variables for text in (each.label.en, each.label.fr, each.label.es, each.label.ar)]
    answers = [name for codelist in codebook.codelists.values() for name in codelist.names]
    known = _FORM | _words([*labels, *answers, *(variable.name for variable in variables)])
    known |= {folded(word) for listed in KNOWN.values() for word in listed}
    return frozenset(known - {folded(name) for name in frequent_names()})


def _words(names: Iterable[str]) -> frozenset[str]:
    from connectors.profiling.header_words import words

    return frozenset(_without_digits(word) for name in names for word in words(name))


def _without_digits(word: str) -> str:
    return _DIGITS.sub("", word)
