"""Which question each column of a KoboToolbox export belongs to, whatever options the export was made with.

XML names: group paths with any separator. Labels: matched to the form by position and form order, since labels repeat
("Please specify" x45, formats.md 1.4.5); a column that could be one of several questions is left without a name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from connectors.kobo.form import Choice, Form, Question, plain
from connectors.shapes import Heading

_GEOPOINT_PARTS = ("latitude", "longitude", "altitude", "precision")
_URL = "URL"
"""A column with the address of a photo or recording; the file behind it is never fetched."""
_RENAMED = re.compile(r"(.+?)(\.\d+|\.\.\.\d+)")
"""A repeated header as pandas (`Please specify.1`) and R's readxl (`Please specify...7`) write it again."""
_SYSTEM_DATES = {"_submission_time", "_submission__submission_time"}


@dataclass(frozen=True)
class Place:
    """What a column holds: an answer, one choice of a select_multiple (`choice`), or a `part` of a point or medium."""

    index: int
    question: Question
    choice: str | None = None
    part: str | None = None


def by_name(
    headings: Sequence[Heading], separator: str, multiples: Mapping[str, Set[str]], dates: Set[str]
) -> tuple[Heading, ...]:
    """Headings of an export with XML names: a question answers to its own name if it is unique, and to longer paths.

    A column under another column's path (`why/other` beside `why`), or under a question named in `multiples` (with its
    codes; none: any), is one choice of that question and answers to `why/other`. `dates` are the questions that ask
    for a date.
    """
    separator = next((mark for mark in (separator, "/") if any(mark in h.header for h in headings)), separator)
    paths = {heading.header for heading in headings if heading.header}
    choices = {header: cut for header in paths if (cut := _choice(header, separator, paths, multiples))}
    own_names = Counter(header.rpartition(separator)[2] for header in _written(headings) if header not in choices)
    named = []
    for heading in headings:
        if not heading.header:
            named.append(heading)
            continue
        above, code = choices.get(heading.header, (heading.names[0], ""))
        segments = [*above.split(separator), *([code] if code else [])]
        shortest = 2 if code else 1
        names = [separator.join(segments[-n:]) for n in range(shortest, len(segments) + 1)]
        slashed = ["/".join(segments[-n:]) for n in range(shortest, len(segments) + 1)]
        if not code and own_names[segments[-1]] > 1:
            names.reverse()
            slashed.reverse()
        is_date = segments[-1] in dates or heading.header in _SYSTEM_DATES
        # Of a choice the slash is the one mark that no code is taken for.
        answers_to = [*slashed, *names] if code else [*names, *slashed]
        named.append(replace(heading, names=tuple(dict.fromkeys(answers_to)), date=is_date))
    return tuple(named)


def _written(headings: Sequence[Heading]) -> Iterator[str]:
    return (heading.header for heading in headings if heading.header)


def _choice(header: str, separator: str, paths: Set[str], multiples: Mapping[str, Set[str]]) -> tuple[str, str] | None:
    """The path of a question and the code of one of its choices; None if the header is none of a choice. A code may
    hold the separator (`q--1` is choice -1 by `-`)."""
    at = header.find(separator)
    while at > 0:
        above, code = header[:at], header[at + len(separator) :]
        codes = multiples.get(above.rpartition(separator)[2])
        if code and codes is not None and (not codes or code in codes):
            return above, code
        at = header.find(separator, at + 1)
    above, _, code = header.rpartition(separator)
    is_one = code and above and (above in paths or above.rpartition(separator)[2] in multiples)
    return (above, code) if is_one else None


def places_by_name(headings: Sequence[Heading], form: Form, repeat: str | None) -> dict[int, Place]:
    """What each column with an XML name holds, by position; a name that stands for two questions gives none."""
    section = form.section(repeat)
    candidates: dict[str, set[Place]] = defaultdict(set)
    for index, question in enumerate(section):
        for base in dict.fromkeys([question.name, question.path]):
            for place in _own_columns(index, question, form):
                candidates[_with_part(base, place, "/")].add(place)
    places = {}
    for heading in headings:
        found = next((candidates[name] for name in reversed(heading.names) if name in candidates), set())
        if len(found) == 1:
            places[heading.position] = next(iter(found))
    return places


def told_apart(headings: Sequence[Heading], form: Form, repeat: str | None) -> tuple[Heading, ...]:
    """Headings of an export without groups, where questions of several groups have one name: if all of them are there,
    they stand in the form's order, and answer to their paths."""
    columns: dict[str, list[int]] = defaultdict(list)
    for place, heading in enumerate(headings):
        columns[heading.header].append(place)
    paths: dict[str, list[str]] = defaultdict(list)
    for question in form.section(repeat):
        paths[question.name].append(question.path)
    found = list(headings)
    for name, at in columns.items():
        if len(at) > 1 and len(paths[name]) == len(at):
            for place, path in zip(at, paths[name], strict=True):
                found[place] = replace(found[place], names=(path,))
    return tuple(found)


def described(headings: Sequence[Heading], places: Mapping[int, Place], form: Form) -> tuple[Heading, ...]:
    """Headings with what the form says of them: the question's label, and the labels of its choices by code."""
    found = []
    for heading in headings:
        place = places.get(heading.position)
        if place is None:
            found.append(heading)
            continue
        choices = choices_of(place.question, form) if place.question.list and place.part is None else ()
        labels = {choice.name: plain(choice.label) for choice in choices if choice.label}
        label = plain(place.question.label)
        if place.choice is not None:
            label = f"{label} / {labels.get(place.choice, place.choice)}"
            labels = {}
        found.append(replace(heading, label=label, value_labels=labels))
    return tuple(found)


def by_label(
    headings: Sequence[Heading], separator: str, form: Form, repeat: str | None
) -> tuple[tuple[Heading, ...], dict[int, Place]]:
    """Headings of an export with labels, and what each column holds, by position.

    Columns without a question (system columns, questions of former versions) answer to their header.
    """
    section = form.section(repeat)
    places = _places(headings, _candidates(section, form, separator), form.unplaced)
    names = Counter(question.name for question in section)
    named = []
    for heading in headings:
        place = places.get(heading.position) if heading.header else None
        if place is None:
            named.append(replace(heading, date=heading.header in _SYSTEM_DATES))
            continue
        path = place.question.path
        bases = [place.question.name, path] if names[place.question.name] == 1 else [path]
        answers_to = [_with_part(base, place, mark) for mark in ("/", separator) for base in bases]
        named.append(
            replace(
                heading,
                names=tuple(dict.fromkeys([*answers_to, heading.header])),
                date=place.question.is_date and place.choice is None,
            )
        )
    return tuple(named), places


def _with_part(name: str, place: Place, mark: str) -> str:
    if place.choice is not None:
        return f"{name}{mark}{place.choice}"
    if place.part == _URL:
        return f"{name}_{_URL}"
    if place.part is not None:
        above, slash, own = name.rpartition("/")
        return f"{above}{slash}_{own}_{place.part}"
    return name


def _candidates(section: Sequence[Question], form: Form, separator: str) -> Mapping[str, list[Place]]:
    """Every header that the export may write for a question, with or without its group labels before it."""
    found: dict[str, list[Place]] = defaultdict(list)
    for index, question in enumerate(section):
        own = question.label or question.name
        path = separator.join([*(label or name for name, label in question.groups), own])
        for text in dict.fromkeys([own, path]):
            for header, place in _columns(index, question, form, text, separator):
                if place not in found[_squeezed(header)]:
                    found[_squeezed(header)].append(place)
    return found


def _squeezed(header: str) -> str:
    """A header without white space: piping and tags leave a different amount of it in every export."""
    return plain(header).replace(" ", "")


def _own_columns(index: int, question: Question, form: Form) -> Iterator[Place]:
    """The columns that an export may have for one question."""
    yield Place(index, question)
    if question.multiple:
        yield from (Place(index, question, name) for name in dict.fromkeys(c.name for c in choices_of(question, form)))
    if question.type == "geopoint":
        yield from (Place(index, question, part=part) for part in _GEOPOINT_PARTS)
    if question.is_media:
        yield Place(index, question, part=_URL)


def _columns(index: int, question: Question, form: Form, text: str, separator: str) -> Iterator[tuple[str, Place]]:
    for place in _own_columns(index, question, form):
        if place.choice is not None:
            labels = (choice.label for choice in choices_of(question, form) if choice.name == place.choice)
            for label in labels:
                yield f"{text}{separator}{label or place.choice}", place
        elif place.part is None or place.part == _URL:
            yield _with_part(text, place, separator), place
        else:
            above, mark, own = text.rpartition(separator)
            yield f"{above}{mark}_{own}_{place.part}", place


def _places(headings: Sequence[Heading], candidates: Mapping[str, list[Place]], unplaced: Set[str]) -> dict[int, Place]:
    """The question of each column: those of a unique header first, then the repeated ones by order between them.

    `unplaced`: the paths of questions that do not stand in the form's order.
    """
    positions: dict[str, list[int]] = defaultdict(list)
    for heading in headings:
        text = _asked_by(heading.header, candidates)
        if text is not None:
            positions[text].append(heading.position)
    left = {text: candidates[text] for text in positions}
    anchors: dict[int, Place] = {}
    found = True
    while found:
        # What one header says for certain, no other one can mean.
        sure = {at[0]: left[text][0] for text, at in positions.items() if len(at) == 1 and len(left[text]) == 1}
        found = sure.keys() > anchors.keys()
        anchors = sure
        taken = {place: position for position, place in anchors.items()}
        left = {
            text: [place for place in places if taken.get(place, positions[text][0]) == positions[text][0]]
            for text, places in left.items()
        }
    places = dict(anchors)
    for text, at in positions.items():
        if at[0] not in anchors and not any(place.question.path in unplaced for place in left[text]):
            places.update(_in_order(at, left[text], anchors))
    return places


def _asked_by(header: str, candidates: Mapping[str, list[Place]]) -> str | None:
    """The header as it is known, without the number that another program gave it."""
    renamed = _RENAMED.fullmatch(header)
    texts = [_squeezed(header), *([_squeezed(renamed[1])] if renamed else [])]
    return next((text for text in texts if text in candidates), None)


def _in_order(at: Sequence[int], candidates: Sequence[Place], anchors: Mapping[int, Place]) -> dict[int, Place]:
    """Columns of one header paired with the questions of that label, where order leaves one way to do it."""
    last = max((place.index for place in (*candidates, *anchors.values())), default=0)
    windows: dict[tuple[Place, ...], list[int]] = defaultdict(list)
    between: dict[int, tuple[Place, ...]] = {}
    for position in at:
        before = max((p for p in anchors if p < position), default=None)
        after = min((p for p in anchors if p > position), default=None)
        low = anchors[before].index if before is not None else -1
        high = anchors[after].index if after is not None else last
        between[position] = tuple(c for c in candidates if low <= c.index <= high)
        windows[between[position]].append(position)
    if len(at) == len(candidates) and all(c in between[p] for p, c in zip(at, candidates, strict=True)):
        return dict(zip(at, candidates, strict=True))
    paired: dict[int, Place] = {}
    for window, inside in windows.items():
        if len(window) == len(inside):
            paired.update(zip(inside, window, strict=True))
    return paired


def choices_of(question: Question, form: Form) -> tuple[Choice, ...]:
    """The choices of a question, with the one that `or_other` adds, which has no translation (formats.md 1.1): beside
    labels of another language it may stand as its name."""
    listed = form.choices.get(question.list or "", ())
    if question.or_other and all(choice.name != "other" for choice in listed):
        return (*listed, Choice("other", "other"), Choice("other", "Other"))
    return listed
