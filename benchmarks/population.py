"""The delivery that is measured: a registry with a follow-up survey, 40 columns, 4 of them identifiers.

One row a person, first delivery of all of them, one in ten rows with something wrong. Vectorised and deterministic.
Makes the CSV and, beside it, the two files of the source that reads it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from codebook.loader import load_codebook

SOURCE = "slv/bench_registry"
PERSON = {"SEXO": "sex", "NACIONALIDAD": "nationality", "ESTUDIOS": "education", "ESTADO_CIVIL": "marital_status"}
INTERVIEW = {"RONDA": "wave", "MODO": "interview_mode"}
SENSITIVE = ("PSS_DISTRESS", "PSS_WANTS_PSYCH_SUPPORT")
IDENTIFIERS = ("EXPEDIENTE", "DUI", "NOMBRE", "TELEFONO")
NAMES = ("Ana", "José", "María", "Óscar", "Sofía", "Carlos", "Marta", "Íñigo", "Lucía", "Mario", "Rosa", "Elmer")
FAMILY_NAMES = ("Muñoz", "Peña", "Gómez", "Núñez", "Rivas", "Zelaya", "Cruz", "Ayala", "Henríquez", "López", "Mejía")
BAD_EVERY = 10
CHUNK = 250_000


def survey_variables() -> list[str]:
    """The coded columns of the follow-up: the first 28 items of rss_2018, in the codebook's order."""
    entity = load_codebook().entities["rss_response"]
    items = [v.name for v in entity.variables if v.name.startswith(("econ_", "soc_", "pss_"))]
    return items[:28]


def columns() -> list[str]:
    """40 columns: 4 identifiers, birth date, 4 of the person, 3 of the interview, 28 items of the survey."""
    names = [*IDENTIFIERS, "FECHA_NAC", *PERSON, "FECHA_ENTREVISTA", *INTERVIEW]
    return [*names, *(name.upper() for name in survey_variables())]


def write_source(folder: Path, link: Sequence[str] = ("DUI",)) -> None:
    """source.yaml and crosswalk.csv under `folder`/slv/bench_registry; a person is found by the columns `link`."""
    home = folder / SOURCE
    home.mkdir(parents=True, exist_ok=True)
    kinds = {
        "EXPEDIENTE": "case_number",
        "DUI": "national_id, scheme: slv_dui",
        "NOMBRE": "name, part: full",
        "TELEFONO": "phone",
    }
    lines = [f"      - {{name: {name}, class: identifier, kind: {kind}}}" for name, kind in kinds.items()]
    lines.append('      - {name: FECHA_NAC, class: quasi_identifier, keep: year, format: "%d/%m/%Y"}')
    lines += [
        f"      - {{name: {name}, class: {'sensitive' if name in SENSITIVE else 'plain'}}}"
        for name in columns()
        if name not in (*IDENTIFIERS, "FECHA_NAC")
    ]
    (home / "source.yaml").write_text(_SOURCE_YAML.replace("[DUI]", f"[{', '.join(link)}]") + "\n".join(lines) + "\n")
    with (home / "crosswalk.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            [
                "entity",
                "variable",
                "rule",
                "table",
                "column",
                "code",
                "label",
                "when",
                "target",
                "target_label",
                "param",
                "status",
                "note",
                "reviewer",
                "state",
            ]
        )
        out.writerows(_crosswalk())


def _crosswalk() -> list[list[str]]:
    codebook = load_codebook()
    rows = [_row("person", "birth_year", "number", "FECHA_NAC")]
    pairs = [("person", variable, column) for column, variable in PERSON.items()]
    pairs += [("rss_response", variable, column) for column, variable in INTERVIEW.items()]
    pairs += [("rss_response", name, name.upper()) for name in survey_variables()]
    for entity, variable, column in pairs:
        names = codebook.codelist_of(entity, variable).names[:9]
        rows += [_row(entity, variable, "recode", column, name.upper(), name) for name in names]
    rows.append(_row("rss_response", "interview_date", "date", "FECHA_ENTREVISTA", param="%d/%m/%Y"))
    return rows


def _row(
    entity: str, variable: str, rule: str, column: str, code: str = "", target: str = "", param: str = ""
) -> list[str]:
    return [
        entity,
        variable,
        rule,
        "main",
        column,
        code,
        code,
        "",
        target,
        target,
        param,
        "exact",
        "",
        "homeward",
        "approved",
    ]


def write_delivery(path: Path, rows: int, seed: int = 7, first: int = 0) -> None:
    """The CSV of `rows` rows, `;`-separated UTF-8; about 350 bytes a row. `first`: the number of its first person."""
    random = np.random.default_rng(seed)
    schema = pa.schema([(name, pa.string()) for name in columns()])
    options = pa_csv.WriteOptions(delimiter=";", quoting_style="none")
    with pa_csv.CSVWriter(path, schema, write_options=options) as out:
        for start in range(0, rows, CHUNK):
            out.write_table(_chunk(random, first + start, min(CHUNK, rows - start), schema))


def _chunk(random: np.random.Generator, start: int, n: int, schema: pa.Schema) -> pa.Table:
    codebook = load_codebook()
    number = np.arange(start, start + n)
    made = {
        "EXPEDIENTE": np.char.add("RET-", np.char.zfill(number.astype(str), 9)),
        "DUI": _dui(10_000_000 + number * 7 % 89_999_999),
        "NOMBRE": np.char.add(np.char.add(random.choice(NAMES, n), " "), random.choice(FAMILY_NAMES, n)),
        "TELEFONO": np.char.add("7", np.char.zfill(random.integers(0, 10_000_000, n).astype(str), 7)),
        "FECHA_NAC": _dates(random, n, 1950, 2005),
        "FECHA_ENTREVISTA": _dates(random, n, 2023, 2025),
    }
    coded = {column: ("person", variable) for column, variable in PERSON.items()}
    coded |= {column: ("rss_response", variable) for column, variable in INTERVIEW.items()}
    coded |= {variable.upper(): ("rss_response", variable) for variable in survey_variables()}
    for column, (entity, variable) in coded.items():
        names = np.array([name.upper() for name in codebook.codelist_of(entity, variable).names[:9]])
        made[column] = names[random.integers(0, len(names), n)]
    bad = np.flatnonzero(number % BAD_EVERY == 0)
    made["ECON_SATISFACTION"][bad[0::2]] = "UNHEARD_OF"
    made["FECHA_ENTREVISTA"] = made["FECHA_ENTREVISTA"].astype("U10")
    made["FECHA_ENTREVISTA"][bad[1::2]] = "31/02/2024"
    return pa.Table.from_arrays([pa.array(made[name]) for name in schema.names], schema=schema)


def _dates(random: np.random.Generator, n: int, first: int, last: int) -> np.ndarray:
    parts = [random.integers(1, 29, n), random.integers(1, 13, n), random.integers(first, last, n)]
    day, month, year = (np.char.zfill(part.astype(str), 2) for part in parts)
    return np.char.add(np.char.add(np.char.add(day, "/"), np.char.add(month, "/")), year)


def _dui(body: np.ndarray) -> np.ndarray:
    """El Salvador's DUI: eight digits and a check digit (weights 9 to 2)."""
    digits = (body[:, None] // 10 ** np.arange(7, -1, -1)) % 10
    check = (10 - (digits * np.arange(9, 1, -1)).sum(axis=1) % 10) % 10
    return np.char.add(np.char.add(body.astype(str), "-"), check.astype(str))


_SOURCE_YAML = """\
source: slv/bench_registry
title: {en: Measured registry, es: Registro medido}
country: SLV
supplier: {name: Benchmark, language: es}
owner: benchmark@example.org
purpose: reintegration_statistics
legal_basis: none, generated
agreement: none
expires: 2099-12-31
retention_months: 1
delivery: {mode: snapshot, undeclared_columns: withhold, max_rejected_share: 0.5}
format: {kind: csv, encoding: utf-8, delimiter: ";"}
tables:
  - name: main
    key: [EXPEDIENTE]
    person: {link: [DUI]}
    entities:
      person: {}
      rss_response: {}
    columns:
"""
