"""What changed between two codebooks, definition by definition, and how large a step of the version that is.

It compares what was loaded; where the two codebooks came from (folders, releases) is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from codebook.instruments import Instrument
from codebook.loader import Codebook
from codebook.models import Closed

Step = Literal["major", "minor", "patch"]
STEPS: tuple[Step, ...] = ("major", "minor", "patch")

WORDING = {"label", "label_en", "label_fr", "label_es", "label_ar", "title", "description", "source", "owner"}
"""Parts that explain: another wording is a patch."""

LIMITS = {
    *(
        "required",
        "universe",
        "range",
        "range_severity",
        "severity",
        "restricted",
        "restricted_codes",
        "standard",
        "alternates",
    ),
    *("valid_from", "valid_to", "disaggregation", "minimum_cell", "comparable_with", "children"),
}
"""Parts that say what is accepted or shown: the meaning of stored values stays."""


@dataclass(frozen=True)
class Change:
    """One difference: `what` names the definition (`variable person.sex`), `parts` which of its parts differ."""

    kind: Literal["added", "removed", "changed"]
    what: str
    parts: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        """A definition that goes away or changes its meaning is a major change, a new one a minor one."""
        if self.kind == "removed" or set(self.parts) - WORDING - LIMITS:
            return "major"
        return "minor" if self.kind == "added" or set(self.parts) & LIMITS else "patch"

    def __str__(self) -> str:
        return f"{self.kind} {self.what}" + (f" ({', '.join(self.parts)})" if self.parts else "")


def changes(old: Codebook, new: Codebook) -> list[Change]:
    """Every definition that was added, removed or changed from `old` to `new`, in the order of the codebook."""
    before, after = dict(_definitions(old)), dict(_definitions(new))
    found = [Change("removed", what) for what in before if what not in after]
    for what, definition in after.items():
        if what not in before:
            found.append(Change("added", what))
            continue
        parts = tuple(part for part in definition if definition[part] != before[what].get(part))
        parts += tuple(part for part in before[what] if part not in definition)
        if parts:
            found.append(Change("changed", what, parts))
    return found


def step_needed(found: list[Change]) -> Step | None:
    """The largest step among the changes: how the version must be raised. None: nothing changed."""
    return min((change.step for change in found), key=STEPS.index, default=None)


def _definitions(book: Codebook) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every definition under a name of its own, as its parts; what has a name of its own is no part."""
    for state in book.states:
        yield f"state {state.name}", _parts(state, "name")
    for codelist in book.codelists.values():
        yield f"code list {codelist.id}", {}
        yield from ((f"code {codelist.id}.{code.name}", _parts(code, "name")) for code in codelist.codes)
    for entity in book.entities.values():
        yield f"entity {entity.name}", _parts(entity, "variables", "rules")
        yield from ((f"variable {entity.name}.{v.name}", _parts(v, "name")) for v in entity.variables)
        yield from ((f"rule {entity.name}.{rule.id}", _parts(rule, "id")) for rule in entity.rules)
    for instrument in book.instruments.values():
        yield from _of_instrument(instrument)
    for indicator in book.indicators.values():
        yield f"indicator {indicator.name}", _parts(indicator, "indicator", "version")
    for path in sorted((book.root / "places").glob("*.csv")):
        for place in book.places(path.stem.upper()):
            since = f" since {place.valid_from}" if place.valid_from else ""
            yield f"place {place.pcode}{since}", _parts(place, "pcode", "valid_from")


def _of_instrument(instrument: Instrument) -> Iterator[tuple[str, dict[str, Any]]]:
    yield f"instrument {instrument.name}", _parts(instrument, "version", "scales", "dimensions", "methods")
    yield from ((f"scale {instrument.name}.{scale}", dict(points)) for scale, points in instrument.scales.items())
    for dimension, lines in instrument.dimensions.items():
        for line in lines:
            yield f"line {instrument.name}.{line.item}", {"dimension": dimension, **_parts(line, "item")}
    yield from ((f"method {instrument.name}.{name}", _parts(method)) for name, method in instrument.methods.items())


def _parts(definition: Closed, *named: str) -> dict[str, Any]:
    return {part: value for part, value in definition if part not in named}
