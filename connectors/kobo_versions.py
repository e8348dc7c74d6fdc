"""Versions of one form as one form: questions merged by path, choices by list, changes of type said.

An export with "fields from all versions" holds the questions of every deployed version side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.kobo_form import Choice, Form, Question


@dataclass(frozen=True)
class Merged:
    """One form out of several, and what changed: `<question>: <type> -> <type>`, in form order."""

    form: Form
    changes: tuple[str, ...]


def merged(forms: Sequence[Form]) -> Merged:
    """The union of form versions, oldest first: labels and logic are the newest one's.

    A question that was a select_one in one version and a select_multiple in another is a select_multiple: one code is
    a list of one. A label that two versions give to two codes stays with both, and so is ambiguous.
    """
    newest = forms[-1]
    if len(forms) == 1:
        return Merged(newest, ())
    questions: dict[tuple[str | None, str], Question] = {}
    changes: list[str] = []
    for form in forms:
        for question in form.questions:
            key = (question.repeat, question.name)
            former = questions.get(key)
            questions[key] = question
            if former is not None and former.type != question.type:
                changes.append(f"{question.name}: {former.type} -> {question.type}")
                if former.multiple and question.type == "select_one":
                    questions[key] = replace(question, type="select_multiple")
    lists: dict[str, dict[Choice, None]] = {}
    for form in forms:
        for name, choices in form.choices.items():
            lists.setdefault(name, {}).update(dict.fromkeys(choices))
    version = ", ".join(dict.fromkeys(form.version for form in forms if form.version)) or None
    repeats = {name: around for form in forms for name, around in form.repeats.items()}
    return Merged(
        Form(
            questions=tuple(_in_form_order(questions, forms)),
            choices={name: tuple(choices) for name, choices in lists.items()},
            language=newest.language,
            version=version,
            repeats=repeats,
        ),
        tuple(changes),
    )


def _in_form_order(questions: dict[tuple[str | None, str], Question], forms: Sequence[Form]) -> list[Question]:
    """The newest version's order; a question it no longer has stands after the one it used to follow."""
    order = [(question.repeat, question.name) for question in forms[-1].questions]
    for form in reversed(forms[:-1]):
        before: tuple[str | None, str] | None = None
        for question in form.questions:
            key = (question.repeat, question.name)
            if key not in order:
                order.insert(order.index(before) + 1 if before is not None else 0, key)
            before = key
    return [questions[key] for key in order]
