"""What a source declares in its source.yaml, as closed models: a typo is an error, never a silent default.

`Declaration` is the YAML alone; `Source` is the whole source as the other rooms see it: declaration, crosswalk,
corrections, folder and version. Reading files and comparing them with the codebook is the business of `loader` and
`checks`; nothing here knows a format or a meaning.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sources.corrections import Correction
from sources.crosswalk import Crosswalk

Language = Literal["en", "fr", "es", "ar"]
"""Languages of labels and of the marked return."""

ColumnClass = Literal["identifier", "quasi_identifier", "sensitive", "geo", "plain", "technical", "free_text", "ignore"]
PASSING_CLASSES: frozenset[str] = frozenset({"quasi_identifier", "sensitive", "geo", "plain", "technical"})
"""Columns of these classes pass the gate; the others stay in the vault, are withheld or are left behind."""

IdentifierKind = Literal[
    "national_id", "name", "phone", "email", "birth_date", "case_number", "address", "document", "other"
]
NamePart = Literal["given", "father", "grandfather", "family", "full"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error:
        raise ValueError("it is no regular expression") from None
    return pattern


Names = Annotated[list[Text], Field(min_length=1)]
Pattern = Annotated[Text, AfterValidator(_compiles)]
"""A regular expression."""


class Closed(BaseModel):
    """Base of every declared thing: unknown keys are refused, and nothing changes once it is loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Supplier(Closed):
    """Who delivers; `language` is the language of the marked return."""

    name: Text
    language: Language


class Delivery(Closed):
    """How deliveries relate to each other: a snapshot withdraws the rows it no longer holds, an increment adds."""

    mode: Literal["snapshot", "increment"]
    undeclared_columns: Literal["withhold", "refuse"] = "withhold"
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.5


class CsvFormat(Closed):
    """A delimited text file; blank `encoding` or `delimiter` are detected and recorded.

    The header's names are on the records `header_row` to `header_row + header_rows - 1`, counted from 1. The first
    record in the file's last lines that matches `footer` and all below it are notes, not records.
    """

    kind: Literal["csv"]
    encoding: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    header_row: Annotated[int, Field(ge=1)] = 1
    header_rows: Annotated[int, Field(ge=1, le=10)] = 1
    footer: Pattern | None = None
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class FixedColumn(Closed):
    """One column of a fixed-width record: `start` counts characters from 1, after decoding."""

    name: Text
    start: Annotated[int, Field(ge=1, le=1_000_000)]
    length: Annotated[int, Field(ge=1, le=1_000_000)]


class FixedWidthFormat(Closed):
    """Records of one line each whose columns stand at declared places; the first `skip_lines` lines are no records."""

    kind: Literal["fixed_width"]
    columns: Annotated[list[FixedColumn], Field(min_length=1)]
    encoding: Text | None = None
    skip_lines: Annotated[int, Field(ge=0)] = 0
    footer: Pattern | None = None
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class JsonFormat(Closed):
    """JSON, JSON lines or GeoJSON. `records` is the path to the list of records (`result`, `data/items`); found if
    blank. Members of members are columns named by their path: `admin1/name`."""

    kind: Literal["json"]
    records: Text | None = None
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class ExcelFormat(Closed):
    """A workbook of any kind (.xls .xlsx .xlsm .xlsb .ods); the tables are its sheets, `header_row` counts from 1.

    `header_rows`: how many rows the header has. `totals`: rows whose first filled cell matches are no records;
    a row that matches `footer` begins notes, to which rows of one cell below it belong.
    """

    kind: Literal["xlsx"]
    header_row: Annotated[int, Field(ge=1)] = 1
    header_rows: Annotated[int, Field(ge=1, le=10)] = 1
    totals: Pattern | None = None
    footer: Pattern | None = None
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class StatisticalFormat(Closed):
    """A file of SPSS (.sav .zsav .por) or Stata (.dta): codes stay codes, missing ones too. The file says its code page
    if it can; `encoding` is for those that do not, or say a wrong one."""

    kind: Literal["spss", "stata"]
    encoding: Text | None = None
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class SasFormat(Closed):
    """A file of SAS (.sas7bdat .xpt); with `catalog`, its value labels come beside it in a .sas7bcat."""

    kind: Literal["sas"]
    catalog: bool = False
    encoding: Text | None = None
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class KoboFormat(Closed):
    """A KoboToolbox export: how it was made decides how its headers and cells read."""

    kind: Literal["kobo_xlsx", "kobo_csv"]
    values: Literal["xml", "labels"] = "xml"
    language: Text | None = None
    main: Text | None = None
    multiple_select: Literal["summary", "details", "both"] = "summary"
    separator: Text = "/"
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class DatabaseFormat(Closed):
    """Tables of a supplier's database; the URL is read from the environment, never written down."""

    kind: Literal["database"]
    url_env: Text
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


class KoboServerFormat(Closed):
    """A form on a KoboToolbox server (API v2); the token is read from the environment, never written down.

    A token goes over TLS only, except to this machine itself. `page_size`: submissions a request, 100 to 1,000.
    """

    kind: Literal["kobo_server"]
    url: Annotated[
        str, StringConstraints(pattern=r"^(https://[^/@?#\s]+|http://(localhost|127\.0\.0\.1)(:\d+)?)(/[^?#\s]*)?$")
    ]
    asset: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{2,64}$")]
    token_env: Text
    page_size: Annotated[int, Field(ge=100, le=1000)] = 1000
    decimal: Literal[".", ","] = "."
    date_format: Text | None = None


FETCHED: frozenset[str] = frozenset({"database", "kobo_server"})
"""Kinds of format that take no files: what they deliver is read from the supplier's server."""

Format = Annotated[
    CsvFormat
    | FixedWidthFormat
    | JsonFormat
    | ExcelFormat
    | StatisticalFormat
    | SasFormat
    | KoboFormat
    | DatabaseFormat
    | KoboServerFormat,
    Field(discriminator="kind"),
]


class Column(Closed):
    """One declared column, or with a trailing `*` a family of columns: what it is, and so whether it passes."""

    name: Text
    class_: ColumnClass = Field(alias="class")
    kind: IdentifierKind | None = None
    scheme: Text | None = None
    part: NamePart | None = None
    keep: Literal["year"] | None = None
    format: Text | None = None
    language: Text | None = None
    policy: Literal["withhold", "redact"] = "withhold"
    optional: bool = False

    @property
    def passes(self) -> bool:
        return self.class_ in PASSING_CLASSES or self.policy == "redact"

    @property
    def family(self) -> bool:
        return self.name.endswith("*")

    def covers(self, name: str) -> bool:
        """Whether a column of a delivered file is this column, or one of this family."""
        return name.startswith(self.name[:-1]) if self.family else name == self.name


class Parent(Closed):
    """A repeat's parent table, and this table's columns that hold the parent's key."""

    table: Text
    key: Names


class Person(Closed):
    """Columns that identify the person, strongest first; and those by which one is recognised who has no identifier
    that is known: names with their part, a birth date, a phone, a place."""

    link: Names
    similar: list[Text] = Field(default_factory=list)


class Guardian(Closed):
    """Whose consent a row about somebody under `under` needs as well: `column` holds one of `accept`.

    Under age is who is so by `age` (a column of completed years), or by `born` on the day of `day`: one of them is
    enough, and so is one that tells no age (it cannot be read, is a code of the crosswalk or over 120 years, or the day
    is missing) while the other does not say otherwise. Of a birth date without its day or month the latest day counts.
    A row that says neither is judged by the person's own consent alone.
    """

    column: Text
    accept: Names
    age: Text | None = None
    born: Text | None = None
    day: Text | None = None
    under: Annotated[int, Field(ge=1, le=21)] = 18

    @model_validator(mode="after")
    def _age_is_known(self) -> Guardian:
        if (self.born is None) != (self.day is None):
            raise ValueError("`born` and `day` go together: a birth date, and the day on which the age counts")
        if self.age is None and self.born is None:
            raise ValueError("name the column of the age, or those of the birth date and of the day")
        return self


class Consent(Closed):
    """Rows whose `column` does not hold one of `accept` stay on the vault's side."""

    column: Text
    accept: Names
    guardian: Guardian | None = None


class EntityKey(Closed):
    """What makes a record of an entity: these columns, or none for the table's (for `person`: the person's) key."""

    key: list[Text] = Field(default_factory=list)


class Join(Closed):
    """Database only: rows of `table` with equal `on` columns; its columns become `<table>.<column>`."""

    table: Text
    on: Names


class Attachment(Closed):
    """Form's server only: a question whose photos, recordings or files are fetched, and kept sealed in the vault's
    store. Nothing reads them. One of more than `max_mib` MiB stays on the server, which the marked return says."""

    question: Text
    max_mib: Annotated[int, Field(ge=1, le=4096)] = 20


class Table(Closed):
    """One table of a delivery: key, person, consent, the entities its rows make, and every column by name."""

    name: Text
    key: Names
    parent: Parent | None = None
    person: Person | None = None
    consent: Consent | None = None
    entities: dict[str, EntityKey] = Field(default_factory=dict)
    joins: list[Join] = Field(default_factory=list)
    attachments: list[Attachment] = Field(default_factory=list)
    columns: Annotated[list[Column], Field(min_length=1)]

    @cached_property
    def _exact(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns if not column.family}

    @cached_property
    def _families(self) -> list[Column]:
        families = (column for column in self.columns if column.family)
        return sorted(families, key=lambda column: len(column.name), reverse=True)

    def column(self, name: str) -> Column | None:
        """The declaration of a delivered column: by its own name, else by the longest family that covers it."""
        exact = self._exact.get(name)
        return exact or next((family for family in self._families if family.covers(name)), None)


class Declaration(Closed):
    """The whole of a source.yaml."""

    source: Annotated[str, StringConstraints(pattern=r"^[a-z]{3}/[a-z][a-z0-9_]*$")]
    title: dict[Language, Text]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    supplier: Supplier
    owner: Annotated[str, StringConstraints(pattern=r"^(team:\S+|[^@\s]+@[^@\s]+\.[A-Za-z]{2,})$")]
    """An e-mail address, or `team:` and a name: Dagster knows no other owner, and would load no source at all."""
    programme: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")] | None = None
    """Within a country, sources of different programmes share no person, key or index; without one: the common one."""
    purpose: Text
    legal_basis: Text
    agreement: Text
    expires: date
    retention_months: Annotated[int, Field(ge=1)]
    delivery: Delivery
    format: Format
    tables: Annotated[list[Table], Field(min_length=1)]

    def table(self, name: str) -> Table:
        """The declared table; KeyError for another name."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def column(self, table: str, name: str) -> Column | None:
        """The declaration of a column of a table, families included; None if the source does not declare it."""
        return self.table(table).column(name)


class Source(Declaration):
    """A source as the house uses it: what it declares, how it maps, what is known to be wrong, and which version."""

    folder: Path
    version: str
    crosswalk: Crosswalk
    corrections: tuple[Correction, ...] = ()

    def makes(self, table: str) -> list[str]:
        """Entities of which rows of `table` make records. One that is declared and not mapped is a reference: its key
        only ties the table's records to a household or case that another table makes."""
        mapped = {entity for of_table, entity, _ in self.crosswalk.variables if of_table == table}
        return [entity for entity in self.table(table).entities if entity in mapped]

    def passing(self, table: str) -> list[str]:
        """The allow-list: columns that pass the gate. Of a passing family, those that the crosswalk names."""
        declared = self.table(table)
        names = [column.name for column in declared.columns if column.passes and not column.family]
        members = [name for name in self.crosswalk.columns(table) if name not in names]
        return names + [name for name in members if (column := declared.column(name)) is not None and column.passes]
