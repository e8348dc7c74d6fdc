"""Records that somebody else hands over with their true person, brought to what the vault compares.

As at the gate: phones in E.164 by the country's dialling, national numbers in one form, junk no number at all, names
folded; who shares a number is one person before anything is compared, and keeps what was said first. Columns may come
in any order; `benchmarks.linkage` tells which ones there are. Not its business: linking, and what it is worth.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from anonymization.linkage.features import PERSONS, ROLES
from anonymization.linkage.identifiers import normalise
from anonymization.linkage.names import fold, fold_place
from sources.models import Column, IdentifierKind
from values.national_numbers import SCHEMES

TRUTH = "entity_id"
COLUMNS = (
    TRUTH,
    "record_id",
    *ROLES,
    "birth_date",
    "sex",
    "phone",
    "place",
    "national_id",
    "id_scheme",
    "country",
    "script",
)
_DATE = re.compile(r"^(\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?)(?:[T ].*)?$")
_NO_DIGIT = re.compile(r"\D")
_SEXES = {"male": "m", "female": "f"}
_BLOCKS = (("arabic", "\u0600", "\u077f"), ("ethiopic", "\u1200", "\u139f"), ("cyrillic", "\u0400", "\u052f"))
Codes = npt.NDArray[np.int64]


class Unreadable(Exception):
    """What is missing from a file that was handed over, and how to mend it; no values."""


@dataclass(frozen=True)
class Country:
    """`persons` as the vault compares them; of each record its `person` (their row), its true one, and its script."""

    name: str
    persons: pa.Table
    person: Codes
    truth: Codes
    scripts: npt.NDArray[np.str_]


class Ignored(NamedTuple):
    """What is not read: columns by name, and of each column filled cells that are no date, phone or number."""

    columns: list[str]
    cells: Counter[str]


def read(path: Path) -> tuple[list[Country], Ignored]:
    """Countries of a CSV, and what of it says nothing."""
    records = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", quoting=csv.QUOTE_MINIMAL)
    records.columns = [str(name).strip().lower() for name in records.columns]
    if TRUTH not in records or not records.columns.intersection(ROLES).size:
        raise Unreadable(f"{path.name}: it needs a column {TRUTH} and one or more of {', '.join(ROLES)}")
    ignored = Ignored([name for name in records if name not in COLUMNS], Counter())
    records = records.reindex(columns=list(COLUMNS), fill_value="").apply(lambda column: column.str.strip())
    if (records[TRUTH] == "").any():
        raise Unreadable(f"{path.name}: {TRUTH} is empty in some rows; each record needs its true person")
    countries = records.groupby(records["country"].map(_code), sort=True)
    return [_country(str(name), of, ignored.cells) for name, of in countries], ignored


def _country(name: str, records: pd.DataFrame, lost: Counter[str]) -> Country:
    said = pd.DataFrame({role: records[role].map(fold) for role in ROLES})
    said["born"] = records["birth_date"].str.extract(_DATE, expand=False).fillna("")
    said["sex"] = records["sex"].str.lower().replace(_SEXES)
    said["phone"] = _identifiers(records["phone"], "phone", None, name)
    said["place"] = records["place"].map(fold_place)
    said["number"] = ""
    for scheme, rows in records.groupby(records["id_scheme"].map(lambda scheme: _scheme(scheme, name))):
        numbers = _identifiers(rows["national_id"], "national_id", str(scheme) or None, name)
        said.loc[rows.index, "number"] = numbers.where(numbers == "", f"{scheme}:" + numbers)
    for column, source in (("born", "birth_date"), ("phone", "phone"), ("number", "national_id")):
        lost[source] += int(((said[column] == "") & (records[source] != "")).sum())
    said = said.where(said != "", None)
    person = _of_one_number(said["number"])
    persons = pa.Table.from_pandas(_persons(said, person), schema=PERSONS, preserve_index=False)
    scripts = records["script"].where(records["script"] != "", said[list(ROLES)].bfill(axis=1).iloc[:, 0].map(_script))
    return Country(name, persons, person, records[TRUTH].to_numpy(str), scripts.to_numpy(str))


def _scheme(said: str, country: str) -> str:
    """As the project calls it, with the country in front (`bgd_nid`), where somebody left that out."""
    full = f"{country}_{said}".lower()
    return full if full in SCHEMES else said


def _identifiers(written: pd.Series, kind: IdentifierKind, scheme: str | None, country: str) -> pd.Series:
    """Identifiers in the form in which they are compared, "" where one is none. Without a country a phone is what its
    digits are."""
    if kind == "phone" and not country:
        return written.str.replace(_NO_DIGIT, "", regex=True)
    column = Column.model_validate({"name": kind, "class": "identifier", "kind": kind, "scheme": scheme})
    distinct = pd.Series(written.unique())
    keys = normalise(pa.array(distinct, pa.string()), column, country).keys
    return written.map(dict(zip(distinct, keys.fill_null("").to_pylist(), strict=True)))


def _of_one_number(numbers: pd.Series) -> Codes:
    """Of each record its person: records of one number are one, in order of first appearance."""
    own = pd.Series(np.arange(len(numbers)).astype(str), index=numbers.index)
    return pd.factorize(numbers.fillna(own))[0].astype(np.int64)


def _persons(said: pd.DataFrame, person: Codes) -> pd.DataFrame:
    """What is known of each person: what was said first, and more of a birth date that agrees with it."""
    known = said.groupby(person, sort=True).first()
    known.insert(0, "person_id", known.index.astype(np.int64))
    born = said["born"].fillna("")
    first = known["born"].fillna("").to_numpy(str)[person]
    agrees = np.array([more.startswith(less) for more, less in zip(born, first, strict=True)])
    longest = born.where(agrees, "").groupby(person).agg(lambda dates: max(dates, key=len))
    known["born"] = longest.where(longest != "", None)
    return known


def _code(country: str) -> str:
    """ISO 3166-1 alpha-3 of a country's code, of two letters or three."""
    from babel.core import get_global

    three = {
        names[0]: code for code, names in get_global("territory_aliases").items() if len(code) == 3 and code.isalpha()
    }
    return three.get(country.upper(), country.upper())


def _script(name: str | None) -> str:
    """Of the first letter of a name."""
    letter = name[0] if isinstance(name, str) and name else "-"
    return next((script for script, first, last in _BLOCKS if first <= letter <= last), "latin")
