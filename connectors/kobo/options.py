"""How an export was made, where nobody declared it: XML names or labels, in which language, with which separator.

Found by counting, from headers alone, and said in the facts; a source declares it, and then nothing is guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.kobo.form import Form, Sheets, in_language, plain

_SEPARATORS = ("/", ".", ":", "|", "-")
_SYSTEM = frozenset(
    {
        "_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "__version__",
        "_tags", "_index", "_parent_index", "_parent_table_name", "_submission__id", "_submission__uuid", "_xform_id",
        "meta/rootUuid", "meta/instanceID", "meta/instanceName", "formhub/uuid", "_bamboo_dataset_id", "_version_",
    }
)  # fmt: skip
_CERTAIN = frozenset({"_submission_time", "_submission__id", "_submission__uuid", "_parent_table_name"})


@dataclass(frozen=True)
class Found:
    """What the headers of an export say about how it was made."""

    values: str
    language: str | None
    separator: str


def looks_like_kobo(headers: Sequence[str]) -> bool:
    """Whether a table with these headers is an export: columns that no other program writes, as R renames them too."""
    plainly = {header.strip().removeprefix("X") for header in headers}
    written = plainly & _SYSTEM
    if written & _CERTAIN or "meta/instanceID" in written or "meta/rootUuid" in written:
        return True
    has_times = {"start", "end"} <= {header.casefold() for header in plainly}
    return len(written) > 1 or (bool(written) and has_times)


def found(headers: Sequence[str], sheets: Sheets | None) -> Found:
    """The options that explain most headers; without a form, headers are names."""
    if sheets is None:
        return Found("xml", None, _separator_of_details(headers))
    forms = {
        language: in_language(sheets, language)
        for language in [*sheets.languages, *([None] if sheets.has_no_language else [])]
    }
    any_form = next(iter(forms.values()))
    separator = _separator_of_groups(headers, any_form, labels=False) or _separator_of_details(headers)
    by_name = _answered(headers, {question.name for question in any_form.questions}, separator)
    best = Found("xml", next(iter(forms)), separator)
    for language, form in forms.items():
        between = _separator_of_groups(headers, form, labels=True) or "/"
        by_label = _answered(headers, {question.label or question.name for question in form.questions}, between)
        if by_label > by_name:
            by_name, best = by_label, Found("labels", language, between)
    return best


def _answered(headers: Sequence[str], texts: set[str], separator: str) -> int:
    """How many headers are one of these texts, or end with one after the separator, which may stand in them as well."""
    wanted = {_squeezed(text) for text in texts}
    return sum(any(_squeezed(text) in wanted for text in _ends(header, separator)) for header in headers)


def _ends(header: str, separator: str) -> Iterator[str]:
    """The header, and what follows each separator in it."""
    yield header
    at = header.find(separator)
    while at >= 0:
        yield header[at + len(separator) :]
        at = header.find(separator, at + 1)


def _squeezed(text: str) -> str:
    return plain(text).replace(" ", "")


def _separator_of_groups(headers: Sequence[str], form: Form, labels: bool) -> str | None:
    """What most often stands between a question's group and its name."""
    between: Counter[str] = Counter()
    written = {plain(header) for header in headers}
    for question in form.questions:
        if not question.groups:
            continue
        group = plain(question.groups[-1][1]) if labels else question.groups[-1][0]
        own = plain(question.label) if labels else question.name
        for header in written:
            if group and own and header.endswith(own) and group in header and header != own:
                mark = header[: -len(own)].rpartition(group)[2]
                if mark:
                    between[mark] += 1
    return between.most_common(1)[0][0] if between else None


def _separator_of_details(headers: Sequence[str]) -> str:
    """The mark that stands most often between one column's header and the header of a column below it."""
    written = set(headers)
    counts = {mark: sum(h.rpartition(mark)[0] in written for h in headers if mark in h) for mark in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda mark: counts[mark])
    return best if counts[best] else "/"
