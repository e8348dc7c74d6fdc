"""An XForm (.xml), as ODK devices get it, as the sheets of the form it was made from.

Questions are the leaves of the primary instance in its order; what a question asks is told by its bind and its control
in the body. Paths in conditions become `${name}`, as in an XLSForm. The XML is parsed without entities and without
anything from outside. What sheets mean is `form`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codebook.errors import Refused
from connectors.kobo.form import Row, Sheets
from sources.batches import DeliveredFile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_XML = 64 << 20
"""The largest XForm that is read; those of real surveys are below 5 MB."""
MAX_ELEMENTS = 500_000
"""A real survey with 5,000 choices in four languages has 60,000; each takes some hundred bytes of memory."""
_DEEPEST = 200
"""Whatever goes through the elements goes down as deep as they are nested."""
_DEPTH = 60
_TYPES = {
    "string": "text", "int": "integer", "dateTime": "datetime", "select1": "select_one", "select": "select_multiple",
    "boolean": "text", "binary": "file", "odk:rank": "rank",
}  # fmt: skip
_CONTROLS = {"select1": "select_one", "select": "select_multiple", "rank": "rank", "trigger": "acknowledge"}
_ITEXT = re.compile(r"^\s*jr:itext\(\s*'([^']*)'\s*\)\s*$")
_ITEMSET = re.compile(r"instance\(\s*'([^']*)'\s*\)")
_PATH = re.compile(r"(?<![\w)])/[\w.:-]+(?:/[\w.:-]+)+")


@dataclass
class _XForm:
    """The parts of the document by which questions are described."""

    root: str
    binds: dict[str, Mapping[str, str]] = field(default_factory=dict)
    controls: dict[str, tuple[str, Element]] = field(default_factory=dict)
    repeats: set[str] = field(default_factory=set)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    lists: dict[str, list[Row]] = field(default_factory=dict)


def read_xform(file: DeliveredFile) -> Sheets:
    """The form in an XForm; Refused if it is none, or has a document type or entities."""
    head, body, version, primary = _parts(file)
    form = _XForm(f"/{_tag(primary)}")
    for bind in _children(head, "bind"):
        form.binds[bind.get("nodeset", "")] = {_local(name): value for name, value in bind.attrib.items()}
    _texts(head, form)
    for instance in _children(head, "instance"):
        if (name := instance.get("id")) and instance is not primary:
            form.lists[name] = list(_items(name, instance, form))
    _controls(body, form, 0)
    survey = list(_rows(primary, form.root, form, 0))
    choices = tuple(choice for listed in form.lists.values() for choice in listed)
    return Sheets(tuple(survey), choices, version, file.name)


def _parts(file: DeliveredFile) -> tuple[Element, Element, str | None, Element]:
    """The model, the body, the version, and the element that holds the answers."""
    document = _document(file)
    model = next((found for found in document.iter() if _tag(found) == "model"), None)
    body = next((found for found in document if _tag(found) == "body"), None)
    instance = next(iter(_children(model, "instance")), None) if model is not None else None
    if model is None or body is None or instance is None or not len(instance):
        raise _refusal(file, "it is no XForm: it has no model, instance and body")
    return model, body, instance[0].get("version"), instance[0]


def _document(file: DeliveredFile) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    if file.size > MAX_XML:
        raise _refusal(file, f"an XForm of more than {MAX_XML >> 20} MiB is not read")
    depth = count = 0
    try:
        with file.open() as handle:
            parsing = iterparse(handle, ("start", "end"), forbid_dtd=True)
            for event, _ in parsing:
                depth += 1 if event == "start" else -1
                count += event == "start"
                if depth > _DEEPEST:
                    raise _refusal(file, f"its elements are nested more than {_DEEPEST} deep")
                if count > MAX_ELEMENTS:
                    raise _refusal(file, f"an XForm of more than {MAX_ELEMENTS} elements is not read")
    except DefusedXmlException:
        raise _refusal(file, "it declares a document type or entities, which no XForm does") from None
    except (ParseError, ValueError, LookupError):
        raise _refusal(file, "it is no whole XML: damaged or cut off") from None
    root: Element = parsing.root
    return root


def _refusal(file: DeliveredFile, what: str) -> Refused:
    return Refused("delivery.unreadable", what, file.name, "deliver the XLSForm, or the asset as JSON")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _tag(element: Element) -> str:
    return _local(str(element.tag))


def _children(element: Element, tag: str) -> list[Element]:
    return [child for child in element if _tag(child) == tag]


def _texts(model: Element, form: _XForm) -> None:
    """Labels by id and language; the form of a text that is a picture or a sound is no label."""
    for itext in _children(model, "itext"):
        for translation in _children(itext, "translation"):
            for text in _children(translation, "text"):
                plain = [value for value in _children(text, "value") if not value.get("form")]
                if plain and (said := _words(plain[0])):
                    form.texts.setdefault(text.get("id", ""), {})[translation.get("lang", "default")] = said


def _words(element: Element) -> str:
    """The text of a label; a value that is put into it is a `${name}`."""
    parts = [element.text or ""]
    for child in element:
        parts += [_named(child.get("value", "")) if _tag(child) == "output" else _words(child), child.tail or ""]
    return " ".join("".join(parts).split())


def _label(element: Element, form: _XForm) -> Row:
    for label in _children(element, "label"):
        reference = _ITEXT.match(label.get("ref", ""))
        if reference:
            return _in_languages(form.texts.get(reference[1], {}))
        if said := _words(label):
            return {"label": said}
    return {}


def _in_languages(texts: Mapping[str, str]) -> Row:
    return {("label" if language == "default" else f"label::{language}"): text for language, text in texts.items()}


def _items(name: str, instance: Element, form: _XForm) -> Iterator[Row]:
    for item in (found for found in instance.iter() if _tag(found) == "item"):
        cells = {_tag(cell): (cell.text or "").strip() for cell in item}
        told = _in_languages(form.texts.get(cells["itextId"], {})) if "itextId" in cells else {}
        label = told or ({"label": cells["label"]} if cells.get("label") else {})
        if cells.get("name"):
            yield {"list_name": name, "name": cells["name"], **label}


def _controls(element: Element, form: _XForm, depth: int) -> None:
    """Groups, repeats and questions of the body by the path of what they ask; choices that stand in a question."""
    if depth > _DEPTH:
        return
    for child in element:
        tag, path = _tag(child), child.get("ref") or child.get("nodeset") or child.get("bind") or ""
        if tag == "repeat":
            form.repeats.add(path)
        elif path and tag != "itemset":
            form.controls[path] = (tag, child)
            for item in _children(child, "item"):
                value = next((cell.text for cell in _children(item, "value") if cell.text), None)
                if value:
                    row = {"list_name": path, "name": value.strip(), **_label(item, form)}
                    form.lists.setdefault(path, []).append(row)
        _controls(child, form, depth + 1)


def _rows(element: Element, path: str, form: _XForm, depth: int) -> Iterator[Row]:
    # A repeat stands there as a template as well.
    for name, child in {_tag(child): child for child in element}.items():
        own = f"{path}/{name}"
        if depth > _DEPTH or (depth == 0 and name == "meta"):
            continue
        if len(child):
            yield from _around(child, own, "repeat" if own in form.repeats else "group", form, depth)
        else:
            yield {"type": _type(own, form), "name": name, **_asked(own, form)}


def _around(element: Element, path: str, kind: str, form: _XForm, depth: int) -> Iterator[Row]:
    yield {"type": f"begin_{kind}", "name": _tag(element), **_asked(path, form)}
    yield from _rows(element, path, form, depth + 1)
    yield {"type": f"end_{kind}"}


def _asked(path: str, form: _XForm) -> Row:
    """Label, condition and calculation of a question or a group."""
    bind = form.binds.get(path, {})
    told = _label(form.controls[path][1], form) if path in form.controls else {}
    logic = {"relevant": bind.get("relevant"), "calculation": bind.get("calculate")}
    return {**told, **{name: _named(expression) for name, expression in logic.items() if expression}}


def _type(path: str, form: _XForm) -> str:
    bind = form.binds.get(path, {})
    if "preloadParams" in bind:
        return bind["preloadParams"]
    tag, control = form.controls.get(path, ("", None))
    kind = _CONTROLS.get(tag) or _TYPES.get(bind.get("type", ""), bind.get("type", "") or "text")
    if control is None:
        return "calculate"
    if kind not in ("select_one", "select_multiple", "rank"):
        return "note" if bind.get("readonly") == "true()" and tag == "input" else kind
    itemset = next(iter(_children(control, "itemset")), None)
    listed = _ITEMSET.search(itemset.get("nodeset", "")) if itemset is not None else None
    return f"{kind} {listed[1] if listed else path}"


def _named(expression: str) -> str:
    """The expression with the names of questions for their paths."""
    return " ".join(_PATH.sub(lambda path: "${" + path[0].rpartition("/")[2] + "}", expression).split())
