"""Versions of one form as one form: questions merged by name, choices by list, changes of type said.

An export with "fields from all versions" holds the questions of every deployed version side by side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.kobo.form import Choice, Form, Question, Sheets

AND = " + "
"""Between the names of the lists that a question had one after the other; no list's own name holds a space."""
_NUMBERS = frozenset({"integer", "decimal", "range", "calculate"})
_NUMBERED = re.compile(r"([a-z_]{0,20})[. ]?(\d+(?:[.\-_:/ T]\d+)*)Z?", re.I)


@dataclass(frozen=True)
class Merged:
    """One form out of several, and what changed: `<question>: <type> -> <type>`, in form order."""

    form: Form
    changes: tuple[str, ...]


def oldest_first(forms: Sequence[Sheets]) -> tuple[list[Sheets], bool]:
    """The forms in the order of their deployment or of their version numbers (`2022112801`, `3`, `v1.10`), and
    whether that order is known; else they stay as they were delivered. A form that was delivered twice counts once.

    The names that the server gives to versions (`vRugKkVn2...`) are drawn by lot and say nothing.
    """
    different: list[Sheets] = []
    for form in forms:
        if not any((form.survey, form.choices) == (other.survey, other.choices) for other in different):
            different.append(form)
    times = [form.deployed or "" for form in different]
    if all(times) and len(set(times)) == len(times):
        return sorted(different, key=lambda form: form.deployed or ""), True
    numbers = [_numbers(form.version or "") for form in different]
    prefixes = {found[1].casefold() for form in different if (found := _NUMBERED.fullmatch(form.version or ""))}
    # A version that counts days and one that counts from 1 are of two ways of counting.
    lengths = [len(str(number[0])) for number in numbers if number]
    known = (
        all(numbers) and len(prefixes) == 1 and len(set(numbers)) == len(numbers) and max(lengths) - min(lengths) < 3
    )
    if len(different) == 1 or not known:
        return different, len(different) == 1
    return [form for _, form in sorted(zip(numbers, different, strict=True), key=lambda pair: pair[0])], True


def _numbers(version: str) -> tuple[int, ...]:
    found = _NUMBERED.fullmatch(version.strip())
    return tuple(int(number) for number in re.findall(r"\d+", found[2])) if found else ()


def merged(forms: Sequence[Form], order_known: bool = True) -> Merged:
    """The union of form versions, oldest first: labels and logic are the newest one's.

    A question that was a select_one in one version and a select_multiple in another is a select_multiple: one code is
    a list of one. A label that two versions give to two codes stays with both, and so is ambiguous, also where the list
    has another name since. Where the order of the versions is not known, nor is that of their questions.
    """
    newest = forms[-1]
    if len(forms) == 1:
        return Merged(newest, ())
    keys = _keys(forms)
    questions: dict[_Key, Question] = {}
    changes: list[str] = []
    for form in forms:
        for question in form.questions:
            key = keys[question]
            former = questions.get(key)
            questions[key] = question
            if former is not None and former.type != question.type:
                changes.append(f"{question.name}: {former.type} -> {question.type}")
                if former.multiple and question.type == "select_one":
                    questions[key] = replace(question, type="select_multiple")
            if former is not None:
                was = former.was_number or (former.list is None and former.type in _NUMBERS)
                questions[key] = replace(questions[key], or_other=former.or_other or question.or_other, was_number=was)
            if former is not None and former.list and question.list:
                both = dict.fromkeys([*former.list.split(AND), question.list])
                questions[key] = replace(questions[key], list=AND.join(both))
    lists: dict[str, dict[Choice, None]] = {}
    for form in forms:
        for name, choices in form.choices.items():
            lists.setdefault(name, {}).update(dict.fromkeys(choices))
    for combined in {question.list for question in questions.values() if question.list and AND in question.list}:
        lists[combined] = {choice: None for name in combined.split(AND) for choice in lists.get(name, {})}
    version = ", ".join(dict.fromkeys(form.version for form in forms if form.version)) or None
    repeats = {name: around for form in forms for name, around in form.repeats.items()}
    everywhere = set.intersection(*({keys[question] for question in form.questions} for form in forms))
    ordered = _in_export_order(forms, keys)
    return Merged(
        Form(
            questions=tuple(questions[key] for key in ordered),
            choices={name: tuple(choices) for name, choices in lists.items()},
            language=newest.language,
            version=version,
            repeats=repeats,
            translated=any(form.translated for form in forms),
            unplaced=frozenset(questions[key].path for key in ordered if not order_known and key not in everywhere),
        ),
        tuple(changes),
    )


_Key = tuple[str | None, str]
"""What one question is called in all versions: its repeat, and its name, or its path where two have one name."""


def _keys(forms: Sequence[Form]) -> Mapping[Question, _Key]:
    twice: set[_Key] = set()
    for form in forms:
        times = Counter((question.repeat, question.name) for question in form.questions)
        twice |= {key for key, n in times.items() if n > 1}
    return {
        question: (question.repeat, question.path if (question.repeat, question.name) in twice else question.name)
        for form in forms
        for question in form.questions
    }


def _in_export_order(forms: Sequence[Form], keys: Mapping[Question, _Key]) -> list[_Key]:
    """The newest version's order. Questions that it no longer has stand behind all others, by their place in their own
    version (formpack's `get_fields_for_versions`)."""
    order = dict.fromkeys(keys[question] for question in forms[-1].questions)
    gone: dict[_Key, int] = {}
    for form in reversed(forms[:-1]):
        for place, question in enumerate(sorted(form.questions, key=lambda question: question.repeat is not None)):
            if keys[question] not in order:
                gone.setdefault(keys[question], place)
    return [*order, *sorted(gone, key=lambda key: gone[key])]
