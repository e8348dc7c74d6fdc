"""Is a source.yaml consistent in itself? The first fault is an error with its line and the nearest valid name.

What the crosswalk says about these columns is checked in `mapping_checks`; what a delivered file holds, by the
connectors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from codebook.errors import BadDefinition
from codebook.reading import Lines, nearest
from sources.models import Column, Declaration, Table
from values.dates import date_form

_PERSONAL = re.compile(
    r"""(?ix) (?:.*/)? (?:_|X_)* (?:
        geolocation | gps | geopoint | geotrace | geoshape | coordinates? | (?:.*_)? (?:latitude|longitude)
        | lat | lon | lng | (?:.*_)? (?:lat|lng|gps_lon|geopoint_\w+)
        | user_?name | submitted_?by | attachments | audit | audit_url | background_audio
        | device_?id | device_?phone_?num(?:ber)? | phone_?number | subscriber_?id | sim_?serial(?:_?number)? | sim_?id
        | imei (?:_?(?:sv|[1-4]))? | imsi | mac_?address | ip_?address | user_?agent | android_?id | advertising_?id
    )"""
)
"""Columns that ODK, KoboToolbox and survey platforms add (docs.getodk.org, metadata and geopoints), by any prefix that
a group or an export gives them. No declaration makes them safe."""

_BIRTH = re.compile(
    r"""(?ix) (?:.*[/._])? (?:
        dob | d_o_b | birth_?da(?:te|y) | date_?of_?birth | born_?on
        | (?:fecha|fec|fch|f)_?(?:de_?)?nac(?:imiento)? | data_?(?:de_?)?nasc(?:imento)?
        | date_?(?:de_?)?naiss(?:ance)? | ddn | datum_?ro[djđ]+enja | tarikh?_?(?:al_?)?milad
        | \u062a\u0627\u0631\u064a\u062e[ _]\u0627\u0644\u0645\u064a\u0644\u0627\u062f
        | \u062a\u0627\u0631\u06cc\u062e[ _]\u062a\u0648\u0644\u062f
    )"""
)
"""Columns of whole birth dates by their header: with a place and a sex they name most people of a village."""


def check_declaration(declaration: Declaration, lines: Lines, purposes: Collection[str]) -> None:
    """Purpose registered, names unique, every key, link, parent, join and consent column declared."""
    if declaration.purpose not in purposes:
        what = f"purpose `{declaration.purpose}` is not registered"
        raise BadDefinition(what, lines.where("purpose"), nearest(declaration.purpose, purposes))
    if "en" not in declaration.title:
        raise BadDefinition("title without `en`", lines.where("title"), "add the title in English")
    _check_date_form(declaration.format.date_format, lines.where("format", "date_format"))
    tables = [table.name for table in declaration.tables]
    for index, table in enumerate(declaration.tables):
        if tables.index(table.name) != index:
            where = lines.where("tables", index, "name")
            raise BadDefinition(f"table `{table.name}` is declared twice", where, "rename one")
        _check_parent(table, tables, lines.where("tables", index, "parent", "table"))
        _check_columns(table, index, lines)
        _check_uses(table, index, lines)
        if table.joins and declaration.format.kind != "database":
            where = lines.where("tables", index, "joins")
            raise BadDefinition("only tables of a database can be joined", where, "declare them as tables")
        if table.attachments:
            _check_attachments(table, declaration.format.kind, lines.where("tables", index, "attachments"))


def _check_parent(table: Table, tables: list[str], where: str) -> None:
    if table.parent is None:
        return
    if table.parent.table == table.name:
        raise BadDefinition(f"table `{table.name}` is its own parent", where, "name the table it repeats under")
    if table.parent.table not in tables:
        raise BadDefinition(f"unknown parent table `{table.parent.table}`", where, nearest(table.parent.table, tables))


def _check_attachments(table: Table, kind: str, where: str) -> None:
    """A file's name is made by a device or a person, and may be anybody's: it stays behind with the file."""
    if kind != "kobo_server":
        raise BadDefinition(f"a source of kind {kind} has no attachments", where, "leave attachments away")
    questions = [attachment.question for attachment in table.attachments]
    for question in questions:
        if questions.count(question) > 1:
            raise BadDefinition(f"attachment `{question}` is declared twice", where, "keep one")
        column = table.column(question)
        if column is not None and column.passes:
            what = f"column `{question}` names an attachment's file and is {column.class_}"
            raise BadDefinition(what, where, "class: ignore")


def _check_columns(table: Table, index: int, lines: Lines) -> None:
    seen: set[str] = set()
    for number, column in enumerate(table.columns):
        where = lines.where("tables", index, "columns", number)
        if column.name in seen:
            raise BadDefinition(f"column `{column.name}` is declared twice", where, "keep one")
        seen.add(column.name)
        _check_column(column, where)


def _check_column(column: Column, where: str) -> None:
    identifier = column.class_ == "identifier"
    if identifier and column.kind is None:
        raise BadDefinition(f"identifier `{column.name}` without kind", where, "add kind: national_id, name, phone ...")
    if not identifier and (column.kind or column.scheme or column.part):
        what = f"column `{column.name}` has a kind of identifier but is {column.class_}"
        raise BadDefinition(what, where, "class: identifier, or leave kind, scheme and part away")
    if column.part is not None and column.kind != "name":
        raise BadDefinition(f"column `{column.name}` has a part but is no name", where, "kind: name")
    if column.keep is not None and column.format is None:
        raise BadDefinition(f"column `{column.name}` keeps its {column.keep} only", where, "add the format of the date")
    if column.policy == "redact" and (column.class_ != "free_text" or column.language is None):
        what = f"column `{column.name}` is redacted but is no free text of a known language"
        raise BadDefinition(what, where, "add class: free_text and the language of the notes, such as language: es")
    if column.passes and column.class_ != "free_text" and _PERSONAL.fullmatch(column.name):
        what = f"column `{column.name}` says by its name who wrote, on which device or where, and is {column.class_}"
        raise BadDefinition(what, where, "class: ignore; or identifier, if it identifies the person")
    if column.passes and column.class_ != "free_text" and column.keep is None and _BIRTH.fullmatch(column.name):
        what = f"column `{column.name}` says by its name that it is a birth date, and is {column.class_}"
        raise BadDefinition(what, where, "add keep: year and its format; or class: identifier with kind: birth_date")
    _check_date_form(column.format, where)


def _check_date_form(form: str | None, where: str) -> None:
    if form is not None:
        try:
            date_form(form)
        except ValueError as error:
            raise BadDefinition(f"`{form}` is no form of dates", where, str(error)) from None


def _check_uses(table: Table, index: int, lines: Lines) -> None:
    names = [column.name for column in table.columns]
    for role, spot, columns in _uses(table):
        for name in columns:
            if table.column(name) is None:
                what = f"{role} column `{name}` of table `{table.name}` is not declared"
                raise BadDefinition(what, lines.where("tables", index, *spot), nearest(name, names))
    for name in table.person.link if table.person else ():
        declared = table.column(name)
        if declared is not None and declared.class_ != "identifier":
            where = lines.where("tables", index, "person", "link")
            raise BadDefinition(
                f"link column `{name}` is {declared.class_}", where, "declare it with class: identifier"
            )
    if table.person and table.person.similar:
        _check_similar(table, table.person.similar, lines.where("tables", index, "person", "similar"))
    if "person" in table.entities and table.person is None:
        where = lines.where("tables", index, "entities", "person")
        raise BadDefinition(f"table `{table.name}` makes persons but links none", where, "add person: {link: [...]}")


def _check_similar(table: Table, names: list[str], where: str) -> None:
    """Names without a birth date recognise nobody, and a column that says nothing of the kind is a mistake."""
    declared = [column for name in names if (column := table.column(name)) is not None]
    for column in declared:
        recognises = column.kind in ("name", "birth_date", "phone") or column.keep == "year" or column.class_ == "geo"
        if not recognises:
            what = f"similar column `{column.name}` is no name, birth date, phone or place"
            raise BadDefinition(what, where, "name columns with these kinds only")
        if column.kind == "name" and column.part is None:
            raise BadDefinition(f"similar column `{column.name}` is a name without part", where, "add its part")
    if not any(column.kind == "name" for column in declared):
        raise BadDefinition(f"table `{table.name}` has nobody's name to compare", where, "add the name columns")
    if not any(column.kind == "birth_date" or column.keep == "year" for column in declared):
        raise BadDefinition(f"table `{table.name}` has no birth date to compare", where, "add the birth date's column")


def _uses(table: Table) -> Iterable[tuple[str, tuple[str | int, ...], list[str]]]:
    yield "key", ("key",), table.key
    if table.parent:
        yield "parent key", ("parent", "key"), table.parent.key
    if table.person:
        yield "link", ("person", "link"), table.person.link
        yield "similar", ("person", "similar"), table.person.similar
    if table.consent:
        yield "consent", ("consent", "column"), [table.consent.column]
        if guardian := table.consent.guardian:
            for part in ("column", "age", "born", "day"):
                if name := getattr(guardian, part):
                    yield "guardian", ("consent", "guardian", part), [name]
    for entity, made in table.entities.items():
        yield f"{entity} key", ("entities", entity, "key"), made.key
    for number, join in enumerate(table.joins):
        yield "join", ("joins", number, "on"), join.on
