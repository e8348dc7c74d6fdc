"""The sample register of returnees of El Salvador's migration office: a CSV as a ministry's spreadsheet writes it.

cp1252, `;`, CRLF, DD/MM/YYYY, decimal commas, DUIs that lost their zeros, families that share a number, municipios of
before and after the reform of May 2024, and the defects of domain.md 1.6, each with the outcome it must have. Nobody in
it exists.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from examples.manifest import Manifest, Planted, RowOutcome, plant, plant_people
from examples.people import Person, dui_check_digit, person

SOURCE = "slv/dgme_returns"
FILE = "retornados_2024_T3.csv"
ROWS = 600
COLUMNS = (
    "EXPEDIENTE", "DUI", "NOMBRES", "APELLIDOS", "FECHA_NAC", "SEXO", "NACIONALIDAD", "ESTADO_CIVIL", "ESTUDIOS",
    "DISCAPACIDAD", "VULNERABILIDAD", "FAMILIA", "TAM_FAMILIA", "MENORES_FAMILIA", "FECHA_RETORNO", "EDAD",
    "PAIS_PROCEDENCIA", "MODALIDAD", "RESOLUCION", "ANIOS_AUSENCIA", "INGRESO_MENSUAL", "MONEDA", "VIA", "ACOMPANADO",
    "MISMA_COMUNIDAD", "DEPARTAMENTO", "MUNICIPIO", "CENTRO_RECEPCION", "TELEFONO", "CORREO", "DIRECCION",
    "OBSERVACIONES", "OFICIAL", "CONTACTO_EMERGENCIA",
)  # fmt: skip
UNDECLARED = "CONTACTO_EMERGENCIA"  # new in this delivery, unknown to source.yaml, and full of names

# Resolution and way of return are recorded apart: a person under an order may still leave with assistance.
_MODALITIES = {"DEP": 44, "REM": 18, "EXP": 6, "RVA": 16, "RVE": 8, "RVH": 5, "SD": 3}
_RESOLUTIONS = {
    "DEP": ("ORDEN DE DEPORTACIÓN",),
    "REM": ("ORDEN DE REMOCIÓN",),
    "EXP": ("ORDEN DE EXPULSIÓN",),
    "RVA": ("NINGUNA", "NINGUNA", "ORDEN DE DEPORTACIÓN"),
    "RVE": ("NINGUNA",),
    "RVH": ("NINGUNA",),
    "SD": ("NO CONSTA",),
}
_HOSTS = {"Estados Unidos": 62, "México": 28, "Guatemala": 4, "España": 3, "Canadá": 2, "Belice": 1}
_SCHOOLING = {
    "NINGUNO": 6,
    "BÁSICA 1-6": 24,
    "BÁSICA 7-9": 28,
    "BACHILLERATO": 28,
    "TÉCNICO": 6,
    "UNIVERSITARIO": 6,
    "NS": 2,
}
_MARITAL = {"S": 45, "C": 20, "A": 26, "D": 5, "V": 3, "NR": 1}
# Decree 762: from 1 May 2024 the 262 municipios are districts of 44 new ones, and officers go on writing the old names.
_REFORM = date(2024, 5, 1)
_PLACES = {
    "San Salvador": (("Soyapango", "Mejicanos", "Apopa", "San Salvador"), ("San Salvador Centro", "San Salvador Este")),
    "La Libertad": (("Santa Tecla",), ("La Libertad Sur", "La Libertad Centro")),
    "Santa Ana": (("Metapán", "Santa Ana"), ("Santa Ana Centro", "Santa Ana Norte")),
    "San Miguel": (("Ciudad Barrios", "San Miguel"), ("San Miguel Centro", "San Miguel Norte")),
    "Usulután": (("Jiquilisco",), ("Usulután Este", "Usulután Oeste")),
    "Ahuachapán": (("Ahuachapán",), ("Ahuachapán Centro", "Ahuachapán Sur")),
}
_NOTES = (
    "Lo espera su madre {other} en la terminal.",
    "Llamar al {phone} antes de trasladarlo; pregunta por {other}.",
    "Sin novedad.",
    'Dice que "prefiere volver" cuando pueda; correo {email}.',
    "Viaja con su prima {other};\nsolicita albergue.",
)


@dataclass
class _Row:
    """One line of the register: who it is about, its cells, and what must be found wrong with it (rule -> severity)."""

    who: Person
    cells: dict[str, str]
    findings: dict[str, str] = field(default_factory=dict)
    mentioned: list[Planted] = field(default_factory=list)


def make_slv(folder: Path) -> Manifest:
    """Writes the register into `folder`; the same bytes every time."""
    rng = random.Random(20240930)  # noqa: S311 - reproducible on purpose, nothing secret
    rows = list(_register(rng))
    _plant_defects(rows, rng)
    path = folder / FILE
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(row.cells for row in rows)
    return Manifest(
        source=SOURCE,
        files=(FILE,),
        rows=tuple(RowOutcome.of("main", number, row.findings) for number, row in enumerate(rows, start=2)),
        planted=tuple(dict.fromkeys(one for row in rows for one in _planted(row))),
        findings=("gate.free_text_withheld", "gate.undeclared_column"),
    )


def _pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _register(rng: random.Random) -> Iterator[_Row]:
    """Families, mostly of one, until the register is full; one person comes back a second time half a year later."""
    number = family = 0
    first: _Row | None = None
    while number < ROWS - 1:
        family += 1
        members = min(rng.choices((1, 2, 3, 4, 5), weights=(62, 14, 12, 8, 4))[0], ROWS - 1 - number)
        for row in _family(rng, family, members):
            number += 1
            row.cells["EXPEDIENTE"] = f"RET-2024-{number:06d}"
            if first is None and members == 1 and row.cells["MODALIDAD"] == "DEP" and row.cells["DUI"]:
                first = row
            yield row
    if first is None:
        raise AssertionError("no lone deported person to return twice")
    yield _again(first, family + 1)


def _again(first: _Row, family: int) -> _Row:
    """The second return of the same person: another file number and date, the DUI typed in another way."""
    came = _read(first.cells["FECHA_RETORNO"]) + timedelta(days=183)
    cells = {
        **first.cells,
        "EXPEDIENTE": f"RET-2024-{ROWS:06d}",
        "DUI": f"{first.who.national_id[:8]}-{first.who.national_id[8]}",
        "FAMILIA": f"F{family:05d}",
        "FECHA_RETORNO": _written(came),
        "EDAD": str(_age(first.who.birth, came)),
        "ANIOS_AUSENCIA": "0,5",
        "OBSERVACIONES": "",
    }
    return _Row(first.who, cells)


def _family(rng: random.Random, family: int, members: int) -> Iterator[_Row]:
    """People who came back together: one family number, size, date, country, and home."""
    came = date(2024, 1, 5) + timedelta(days=rng.randrange(90 if members == 1 else 260))
    modality = _pick(rng, _MODALITIES)
    department = rng.choice(list(_PLACES))
    head = person("SLV", rng)
    whole = members + rng.choice((0, 0, 1, 2))  # some of the family stayed behind, or never left
    kin = [person("SLV", rng, born=_born(rng, place, came), family=head.family) for place in range(1, members)]
    minors = sum(_age(one.birth, came) < 18 for one in kin)
    shared = {
        "NACIONALIDAD": "Salvadoreña",
        "FAMILIA": f"F{family:05d}",
        "TAM_FAMILIA": str(whole),
        "MENORES_FAMILIA": str(minors),
        "FECHA_RETORNO": _written(came),
        "PAIS_PROCEDENCIA": _pick(rng, _HOSTS),
        "MODALIDAD": modality,
        "RESOLUCION": rng.choice(_RESOLUTIONS[modality]),
        "VIA": "TERRESTRE" if rng.random() < 0.3 else "AÉREA",
        "ACOMPANADO": "SOLO" if members == 1 else "FAMILIA",
        "DEPARTAMENTO": department,
        "MUNICIPIO": _municipio(rng, department, came),
        "CENTRO_RECEPCION": rng.choice(("Centro La Chacra", "Aeropuerto San Óscar Romero", "Frontera La Hachadura")),
        "DIRECCION": head.address,
        "OFICIAL": rng.choice(("Lic. Fátima Recinos Ayala", "Insp. Baltasar Flamenco Ruiz")),
    }
    for who in (head, *kin):
        yield _line(rng, who, came, shared)


def _municipio(rng: random.Random, department: str, came: date) -> str:
    old, new = _PLACES[department]
    return rng.choice(old if came < _REFORM or rng.random() < 0.15 else new)


def _born(rng: random.Random, place: int, came: date) -> date | None:
    """The second of a family is mostly a grown sibling (None: an adult as drawn), the others are children."""
    if place == 1 and rng.random() < 0.6:
        return None
    return came - timedelta(days=rng.randint(200, 17 * 365))


def _line(rng: random.Random, who: Person, came: date, shared: dict[str, str]) -> _Row:
    age = _age(who.birth, came)
    adult = age >= 18
    away = rng.randint(1, max(1, min(age, 14) * 2 - 1))  # in half years
    cells = {
        **shared,
        "DUI": _typed(rng, who.national_id) if adult and rng.random() < 0.94 else "",
        "NOMBRES": who.given,
        "APELLIDOS": who.family,
        "FECHA_NAC": _written(who.birth),
        "SEXO": "F" if who.sex == "female" else "M",
        "ESTADO_CIVIL": _pick(rng, _MARITAL) if adult else "S",
        "ESTUDIOS": _pick(rng, _SCHOOLING) if adult else rng.choice(("NINGUNO", "BÁSICA 1-6")),
        "DISCAPACIDAD": rng.choices(("NO", "SÍ", "NS", "NR"), weights=(90, 6, 3, 1))[0],
        "VULNERABILIDAD": _vulnerable(rng, age, who.sex),
        "EDAD": str(age),
        "ANIOS_AUSENCIA": f"{away // 2},5" if away % 2 else str(away // 2),
        "INGRESO_MENSUAL": f"{rng.randint(320, 2400)},{rng.choice(('00', '25', '50', '75'))}" if adult else "NA",
        "MONEDA": "USD",
        "MISMA_COMUNIDAD": rng.choices(("SÍ", "NO", "NS"), weights=(74, 23, 3))[0],
        "TELEFONO": rng.choice((who.phone, who.local_phone)) if adult else "",
        "CORREO": who.email if adult and rng.random() < 0.4 else "",
        "OBSERVACIONES": "",
        UNDECLARED: "",
    }
    row = _Row(who, cells)
    if adult and rng.random() < 0.2:
        _remark(rng, row)
    return row


def _remark(rng: random.Random, row: _Row) -> None:
    """A note, and an emergency contact, that name people who have no line of their own."""
    other = person("SLV", rng)
    text = rng.choice(_NOTES).format(other=other.full_name, phone=other.local_phone, email=other.email)
    row.cells["OBSERVACIONES"] = text
    row.cells[UNDECLARED] = f"{other.full_name} {other.phone}"
    row.mentioned = [
        *plant("name", [other.full_name]),
        *plant("phone", [other.phone, other.local_phone]),
        *plant("email", [other.email]),
        *plant("free_text", [text.splitlines()[0]] if text != "Sin novedad." else []),
    ]


def _vulnerable(rng: random.Random, age: int, sex: str) -> str:
    """Space-joined codes, as the officer ticked them; "NINGUNA" was asked and denied, blank was never asked."""
    if rng.random() < 0.25:
        return ""
    ticked = [
        code
        for code, likely in (
            ("ENF", 0.08),
            ("EMB", 0.05 if sex == "female" and 15 < age < 45 else 0.0),
            ("VIO", 0.06),
            ("TRA", 0.02),
            ("ADM", 1.0 if age >= 60 else 0.0),
        )
        if rng.random() < likely
    ]
    return " ".join(ticked) or "NINGUNA"


def _typed(rng: random.Random, dui: str) -> str:
    """A DUI as officers and spreadsheets write it: with its dash, bare, or as a number that lost its zeros."""
    return rng.choices((f"{dui[:8]}-{dui[8]}", dui, dui.lstrip("0")), weights=(55, 20, 25))[0]


def _written(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _read(text: str) -> date:
    day, month, year = text.split("/")
    return date(int(year), int(month), int(day))


def _age(born: date, when: date) -> int:
    return when.year - born.year - ((when.month, when.day) < (born.month, born.day))


def _plant_defects(rows: list[_Row], rng: random.Random) -> None:
    """The defects of domain.md 1.6, each on lines of people who came alone, so that no household hangs on them."""
    lone = iter([row for row in rows[40:-1] if row.cells["ACOMPANADO"] == "SOLO" and not row.cells["OBSERVACIONES"]])

    def spoil(times: int, rule: str, severity: str, change: Callable[[_Row], dict[str, str]]) -> None:
        for _ in range(times):
            row = next(lone)
            row.cells.update(change(row))
            row.findings[rule] = severity

    def on(column: str, value: str) -> Callable[[_Row], dict[str, str]]:
        return lambda row: {column: value}

    def american(row: _Row) -> dict[str, str]:
        came = _read(row.cells["FECHA_RETORNO"]).replace(day=25)
        return {"FECHA_RETORNO": came.strftime("%m/%d/%Y")}

    age_range, away_range = "rule.return_event.age_at_return.range", "rule.return_event.absence_months.range"
    spoil(3, age_range, "error", on("EDAD", "300"))
    spoil(1, age_range, "error", on("EDAD", "-4"))
    spoil(3, away_range, "error", on("ANIOS_AUSENCIA", "104"))  # weeks in place of years
    spoil(2, "map.unknown_code", "error", on("MODALIDAD", "RVX"))
    spoil(2, "map.unknown_code", "error", on("PAIS_PROCEDENCIA", "EE. UU. / MX"))
    spoil(1, "map.unknown_code", "error", on("VULNERABILIDAD", "ENF ZZZ"))
    spoil(2, "map.unreadable_date", "error", on("FECHA_RETORNO", "31/02/2024"))
    spoil(2, "map.unreadable_date", "error", american)
    spoil(2, "map.two_digit_year", "error", lambda row: {"FECHA_RETORNO": row.cells["FECHA_RETORNO"][:6] + "24"})
    spoil(2, "map.unreadable_number", "error", on("INGRESO_MENSUAL", "mil doscientos"))
    spoil(2, "map.unknown_place", "error", on("MUNICIPIO", "Villa Ñanduy"))
    spoil(3, "gate.missing_key", "error", on("EXPEDIENTE", ""))
    spoil(4, "gate.check_digit", "query", lambda row: {"DUI": _misread(row.who.national_id)})
    spoil(2, "gate.check_digit", "query", on("DUI", "000000000"))  # passes the sum, and is nobody's
    _duplicate(rows, lone, rng)


def _misread(dui: str) -> str:
    """The same DUI with a check digit that cannot be its own."""
    wrong = str((int(dui_check_digit(dui[:8])) + 3) % 10)
    return f"{dui[:8]}-{wrong}"


def _duplicate(rows: list[_Row], lone: Iterator[_Row], rng: random.Random) -> None:
    """Three lines copied whole, and two file numbers given to a second, different return."""
    for _ in range(3):
        row = next(lone)
        rows.append(_Row(row.who, dict(row.cells), {"key.duplicate_row": "error"}))
    for _ in range(2):
        row = next(lone)
        again = _Row(row.who, {**row.cells, "PAIS_PROCEDENCIA": "Belice", "VIA": "TERRESTRE", "MODALIDAD": "EXP"})
        row.findings["key.duplicate"] = again.findings["key.duplicate"] = "error"
        rows.append(again)


def _planted(row: _Row) -> list[Planted]:
    """Every form in which the line's personal values are written in the file, and the plain form of each.

    Not the DUI that lost its zeros: eight bare digits turn up in random keys too.
    """
    cells = row.cells
    born = row.who.birth
    dates = [cells["FECHA_NAC"], born.isoformat()] if born.year < 2010 else []  # later ones are also days of return
    return [
        *plant_people([row.who] if cells["DUI"] else []),
        *plant("national_id", [cells["DUI"]] if len(cells["DUI"]) > 8 and cells["DUI"].strip("0") else []),
        *plant("name", [f"{cells['NOMBRES']} {cells['APELLIDOS']}"]),
        *plant("phone", [cells["TELEFONO"]]),
        *plant("email", [cells["CORREO"]]),
        *plant("address", [cells["DIRECCION"]]),
        *plant("birth_date", dates),
        *plant("case_number", [cells["EXPEDIENTE"]]),
        *plant("name", [cells["OFICIAL"]]),
        *row.mentioned,
    ]
