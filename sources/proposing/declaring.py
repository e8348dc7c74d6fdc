"""A proposed source.yaml: every column with a class, and by default one that does not pass.

A column passes only where a variable of the codebook is proposed for it. What looks like a person is an identifier,
what reads like sentences is free text, everything else is ignored until somebody says otherwise. Who delivers, under
which agreement and until when cannot be guessed: it is left open, and nothing runs on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from sources.proposing.described import Described, Match, date_forms
from sources.proposing.words import plain

_OPEN = "to be named"
_EXPIRED = "2000-01-01"
"""Nothing is read under an agreement that has expired, so that no delivery runs before somebody has mended this."""
_IDENTIFIERS = {
    "person_name": "name",
    "phone": "phone",
    "email": "email",
    "national_id": "national_id",
    "birth_date": "birth_date",
    "address": "address",
}
_IGNORED = ("kobo_system", "device_id", "gps", "select_multiple_option", "attachment")
_PARTS = (("grandfather", "abuelo"), ("father", "padre", "pere", "middle"), ("family", "surname", "apellido", "nom de"))
_PART_NAMES = ("grandfather", "father", "family")
_GIVEN = ("given", "nombres", "prenom", "first", "forename")
_STRICTNESS = ("sensitive", "quasi_identifier", "geo", "plain")


@dataclass(frozen=True)
class ProposedTable:
    """A table of the file with what is proposed for its columns; `parent`: the table whose repeat it is, `remarks`:
    what else somebody has to know of it."""

    name: str
    columns: Sequence[Described]
    matches: Sequence[Match]
    parent: str | None = None
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Proposal:
    """Everything a source.yaml is proposed from."""

    source: str
    country: str
    format: Mapping[str, Any]
    tables: Sequence[ProposedTable]
    left_out: Sequence[str] = field(default_factory=tuple)


def source_yaml(proposal: Proposal) -> str:
    """The text of a source.yaml that loads, with remarks where somebody has to decide."""
    name = proposal.source.partition("/")[2]
    head = [
        "# Proposed by `homeward scaffold`. Name what is open, check every class, approve crosswalk.csv row by row.",
        f"source: {proposal.source}",
        f"title: {_flow({'en': name.replace('_', ' ').capitalize()})}",
        f"country: {proposal.country}",
        f"supplier: {_flow({'name': _OPEN, 'language': 'en'})}",
        "owner: team:to-be-named    # an e-mail address, or team: and a name",
        "purpose: reintegration_statistics",
        f"legal_basis: {_OPEN}",
        f"agreement: {_OPEN}",
        f"expires: {_EXPIRED}    # last day of the agreement, in UTC; nothing is read after it",
        "retention_months: 60",
        "delivery: {mode: snapshot, undeclared_columns: withhold, max_rejected_share: 0.5}",
        f"format: {_flow(dict(proposal.format))}",
        *(f"# table {table} is left out: nothing in it looks like a variable" for table in proposal.left_out),
        "tables:",
    ]
    lines = [line for table in proposal.tables for line in _table_lines(table, proposal.tables[0])]
    return "\n".join([*head, *lines]) + "\n"


def with_key(table: ProposedTable) -> ProposedTable:
    """The table without proposals from the column that is its key: what identifies a row stays in the vault."""
    key, _ = _key(table)
    kept = [match for match in table.matches if match.column.name not in key]
    if len(kept) == len(table.matches):
        return table
    return replace(
        table,
        matches=[
            replace(match, skipped=tuple(one for one in match.skipped if one.when.partition("=")[0] not in key))
            for match in kept
        ],
    )


def _table_lines(table: ProposedTable, first: ProposedTable) -> list[str]:
    classes = {column.name: class_of(column, table.matches) for column in table.columns}
    conditions = [one for match in table.matches for skip in match.skipped for one in skip.when.split(" & ")]
    asked = {condition.removesuffix("=no") for condition in conditions if condition.startswith("asked(")}
    classes |= {name: {"name": name, "class": "technical"} for name in sorted(asked)}
    key, remark = _key(table)
    for name in key:
        if classes[name]["class"] != "identifier":
            classes[name] = {"name": name, "class": "identifier", "kind": "other"}
    lines = [*(f"  # {remark}" for remark in table.remarks)]
    lines += [f"  - name: {_flow(table.name)}", f"    key: {_flow(key)}{remark}"]
    if table.parent is not None:
        parent_key = [column.name for column in table.columns if column.name == "_submission__id"] or key[:1]
        lines.append(f"    parent: {_flow({'table': table.parent, 'key': parent_key})}")
    entities = list(dict.fromkeys(match.target.entity for match in table.matches))
    link = [n for n, one in classes.items() if one.get("kind") == "national_id"] or key[:1]
    if "person" in entities:
        lines.append(f"    person: {_flow({'link': link})}    # by what a person is recognised, strongest first")
    consent = _consent(table)
    if consent is not None:
        lines.append(f"    consent: {_flow(consent)}    # rows without it stay in the vault")
    lines.append(f"    entities: {_flow({entity: {} for entity in entities})}")
    lines.append("    columns:")
    return [*lines, *(f"      - {_flow(declared)}{_remark(declared)}" for declared in classes.values())]


def _consent(table: ProposedTable) -> dict[str, Any] | None:
    """The column of a table that says whether its person agreed, and the codes that say yes."""
    for match in table.matches:
        accept = [code for code, answer in match.answers.items() if answer.target == "yes"]
        if match.target.variable.name == "consent" and accept:
            return {"column": match.column.name, "accept": accept}
    return None


def class_of(column: Described, matches: Sequence[Match]) -> dict[str, str]:
    """The declaration of a column: the strictest class of the variables it is proposed for, else one that stays."""
    made = [match.target.variable for match in matches if match.column is column]
    declared = {"name": column.name}
    if made:
        if any(variable.type == "text" for variable in made):
            return declared | {"class": "technical"}
        if "birth_date" in column.kinds:
            form = date_forms(column)[0]
            return declared | {"class": "quasi_identifier", "keep": "year", "format": form}
        roles = {"sensitive" if variable.restricted else variable.role for variable in made}
        strictest = next((role for role in _STRICTNESS if role in roles), "plain")
        dated = any(variable.type == "date" for variable in made)
        return declared | {"class": strictest} | ({"format": date_forms(column)[0]} if dated else {})
    kinds = [kind.split(":")[0] for kind in column.kinds]
    if any(kind in _IGNORED for kind in kinds):
        return declared | {"class": "ignore"}
    personal = next((kind for kind in _IDENTIFIERS if kind in kinds), None)
    if personal:
        return declared | {"class": "identifier", "kind": _IDENTIFIERS[personal]} | _details(personal, column)
    free = "free_text" in kinds or any("within text" in kind for kind in kinds)
    return declared | {"class": "free_text" if free else "ignore"}


def _details(personal: str, column: Described) -> dict[str, str]:
    """Part of a name, or scheme of a number, where the column says so."""
    if personal == "national_id":
        scheme = next((kind.partition(":")[2] for kind in column.kinds if kind.startswith("national_id:")), "")
        return {"scheme": scheme} if scheme and " or " not in scheme else {}
    if personal != "person_name":
        return {}
    said = f"{plain(column.name)} {plain(column.label)}"
    for part, words in zip(_PART_NAMES, _PARTS, strict=True):
        if any(word in said for word in words):
            return {"part": part}
    return {"part": "given" if any(word in said for word in _GIVEN) else "full"}


def _key(table: ProposedTable) -> tuple[list[str], str]:
    """The column that makes a row the same row, and a remark where none is sure."""
    names = [column.name for column in table.columns]
    for name in ("_submission__id", "_id", "X_id", "meta/rootUuid", "_uuid"):
        if name in names:
            more = [n for n in ("_index",) if name == "_submission__id" and n in names]
            return [name, *more], "    # what makes a row the same row when it is delivered again"
    matched = {match.column.name for match in table.matches}
    unique = [c.name for c in table.columns if "key (unique)" in c.kinds and c.name not in matched]
    if unique:
        return unique[:1], "    # every row has its own; others that have: " + (", ".join(unique[1:4]) or "none")
    free = [name for name in names if name not in matched]
    return (free or names)[:1], "    # NO column is unique: name the columns that make a row the same row"


def _remark(declared: Mapping[str, str]) -> str:
    return "    # not recognised" if declared["class"] == "ignore" and not declared["name"].startswith("_") else ""


def _flow(value: Any) -> str:
    """YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
