"""What may be told of how a delivery was read: counts and settings whole, names only where they are words of headers.

A name in a supplier's file is as much a value as a cell is: a JSON list may be called after somebody, and what stands
in the column of the form's version may be anything. What readers find is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assets.headers import is_header
from sources.models import Source
from sources.readers import VERSION

_OURS = frozenset(
    {"format", "encoding", "encoding_candidates", "language", "values", "header_fingerprint", "header_reasons"}
)
"""Facts whose words are the readers' own, or declared."""
_VERSIONS = frozenset({"form_version", "form_versions"})
_VERSION = re.compile(VERSION)
_TYPE = (
    r"(text|integer|decimal|range|select_one|select_multiple|rank|date|time|datetime|geopoint|geotrace|geoshape|image"
    r"|audio|video|file|barcode|acknowledge|note|calculate|hidden|audit|background-audio|start|end|today|username"
    r"|deviceid|phonenumber|email|select_one_from_file|select_multiple_from_file|new|gone)"
)
_CHANGE = re.compile(rf"(?P<question>.+): (?P<types>{_TYPE} -> {_TYPE})", re.S)
"""A question of a form whose type changed (docs.getodk.org, form question types)."""
HIDDEN = "(a name)"


def tellable(facts: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """`facts` of a delivery of `source`, with HIDDEN for what may be somebody's name, number or note."""
    return {name: value if name in _OURS else _told(value, name, source) for name, value in facts.items()}


def _told(value: Any, fact: str, source: Source) -> Any:
    if isinstance(value, str):
        return _version(value) if fact in _VERSIONS else _name(value, source)
    if isinstance(value, Mapping):
        return [{"name": _name(str(name), source), "is": _told(inner, fact, source)} for name, inner in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [_told(inner, fact, source) for inner in value]
    return value


def _version(said: str) -> str:
    return ", ".join(one if _VERSION.fullmatch(one) else HIDDEN for one in said.split(", "))


def _name(said: str, source: Source) -> str:
    if (change := _CHANGE.fullmatch(said)) is not None:
        return f"{_name(change['question'], source)}: {change['types']}"
    return said if is_header(said, source) else HIDDEN
