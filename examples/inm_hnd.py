"""The sample case system of Honduras' migration institute: a PostgreSQL database with cases, closures and assistance.

A case is a family's file as often as a person's; a closure belongs to one case; assistance hangs on the case and so
reaches the person only through it. The defects of domain.md 1.6 are in it, each with the outcome it must have. Nobody
in it exists. `fill_hnd` makes the database, `expect_hnd` says what must come of it; neither needs the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa

from examples.manifest import Manifest, Planted, RowOutcome, plant, plant_people
from examples.people import Person, person

SOURCE = "hnd/inm_cases"
CASES, ASSISTANCE = 300, 700

_STATUS = {"C": 46, "A": 44, "S": 10}
_CLOSURES = {
    "FIN_PERIODO": ("PROG", 40), "DESISTE": ("BENEF", 14), "CAMBIO_DOM": ("BENEF", 10), "REMIGRA": ("BENEF", 14),
    "NO_CUMPLE": ("PROG", 6), "FALLECIDO": ("EXT", 2), "SIN_ACCESO": ("EXT", 3), "NO_ADECUADA": ("BENEF", 2),
    "AMENAZA": ("EXT", 3), "ESTIGMA": ("EXT", 1), "SIN_FONDOS": ("PROG", 3), "SEGURIDAD": ("EXT", 2),
    "OTRO": ("EXT", 2),
}  # fmt: skip
_KINDS = {
    "MICRONEG": 16, "MATERIAL": 14, "CAPACIT": 14, "PSICOSOC": 12, "SALUD": 10, "ALOJ": 8, "EDUC": 8, "LEGAL": 6,
    "EMPLEO": 5, "FINANC": 3, "GUARDERIA": 2, "PROT_SOC": 1, "SEGUR": 1, "OTRA": 1,
}  # fmt: skip
_IN_KIND = {"MICRONEG": "ESP", "MATERIAL": "ESP", "ALOJ": "VALE", "FINANC": "EFE"}
_DEPARTMENTS = ("Cortés", "Francisco Morazán", "Yoro", "Olancho", "Atlántida", "Choluteca", "Copán", "Santa Bárbara")
_NOTES = (
    "Vive con su hermana {other}, tel. {phone}.",
    "Pide que se contacte a {other} por correo: {email}.",
    "Visita realizada; sin cambios.",
)


def _tables() -> sa.MetaData:
    """The schema as the system of 2011 made it: no foreign keys, amounts as text."""
    schema = sa.MetaData()
    text, number = sa.Text, sa.Integer
    sa.Table(
        "cases",
        schema,
        *(sa.Column(name, text) for name in ("case_id", "dni", "nombres", "apellidos", "sexo", "telefono")),
        *(sa.Column(name, sa.Date) for name in ("fecha_nacimiento", "fecha_apertura", "fecha_plan")),
        *(sa.Column(name, text) for name in ("estado", "grupo", "vulnerabilidad", "departamento", "notas")),
        sa.Column("integrantes", number),
    )
    sa.Table(
        "closures",
        schema,
        sa.Column("case_id", text),
        sa.Column("fecha_cierre", sa.Date),
        *(sa.Column(name, text) for name in ("motivo", "iniciativa", "comentario")),
    )
    sa.Table(
        "assistance",
        schema,
        sa.Column("assistance_id", number),
        sa.Column("case_id", text),
        sa.Column("fecha_entrega", sa.Date),
        *(sa.Column(name, text) for name in ("tipo", "modalidad", "nivel", "prestador", "momento", "monto", "moneda")),
        sa.Column("descripcion", text),
    )
    return schema


Cells = dict[str, str | int | date | None]


@dataclass
class _Case:
    """One case with its principal, its closure if it has one, its assistance, and what must be found wrong with it."""

    who: Person
    cells: Cells
    closure: Cells | None = None
    findings: dict[str, str] = field(default_factory=dict)
    mentioned: list[Planted] = field(default_factory=list)


@dataclass
class _Assistance:
    cells: Cells
    findings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Registry:
    cases: list[_Case]
    assistance: list[_Assistance]


def fill_hnd(url: str) -> None:
    """Makes the three tables in the PostgreSQL database at `url`, in place of what was there by those names."""
    registry, schema = _registry(), _tables()
    rows: dict[str, list[Cells]] = {
        "cases": [case.cells for case in registry.cases],
        "closures": [case.closure for case in registry.cases if case.closure],
        "assistance": [one.cells for one in registry.assistance],
    }
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            schema.drop_all(connection)
            schema.create_all(connection)
            for name, table in schema.tables.items():
                connection.execute(sa.insert(table), rows[name])
    finally:
        engine.dispose()


def expect_hnd() -> Manifest:
    """What must come of the database: rows are numbered in the order of each table's key, blank keys last."""
    registry = _registry()
    told = [("cases", case.findings) for case in registry.cases]
    told += [("assistance", one.findings) for one in registry.assistance]
    number = {"cases": 0, "assistance": 0}
    rows = []
    for table, findings in told:
        number[table] += 1
        rows.append(RowOutcome.of(table, number[table], findings))
    planted = dict.fromkeys(one for case in registry.cases for one in _planted(case))
    withheld = ("gate.free_text_withheld",)
    return Manifest(source=SOURCE, files=(), rows=tuple(rows), planted=tuple(planted), findings=withheld)


def _registry() -> _Registry:
    """Everything, in key order; the same every time."""
    rng = random.Random(20241231)  # noqa: S311 - reproducible on purpose, nothing secret
    cases = list(_cases(rng))
    assistance = list(_assistance(rng, cases))
    _spoil_cases(cases)
    _spoil_assistance(assistance)
    assistance.sort(key=lambda one: (one.cells["assistance_id"] is None, one.cells["assistance_id"] or 0))
    return _Registry(cases, assistance)


def _pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _cases(rng: random.Random) -> Iterator[_Case]:
    """Cases of 2022 to 2024; now and then a person whose first case was closed has come again with a second one."""
    closed: list[Person] = []
    for number in range(1, CASES + 1):
        again = bool(closed) and rng.random() < 0.06
        who = closed.pop(0) if again else person("HND", rng)
        case = _case(rng, who, f"REI-{number:06d}", date(2022, 1, 10) + timedelta(days=3 * number))
        if case.closure and not again:
            closed.append(who)
        yield case


def _case(rng: random.Random, who: Person, case_id: str, opened: date) -> _Case:
    members = rng.choices((1, 2, 3, 4, 5, 7), weights=(48, 16, 14, 12, 7, 3))[0]
    dni = who.national_id
    case = _Case(
        who,
        {
            "case_id": case_id,
            "dni": rng.choice((dni, f"{dni[:4]}-{dni[4:8]}-{dni[8:]}")) if rng.random() < 0.95 else None,
            "nombres": who.given,
            "apellidos": who.family,
            "sexo": "M" if who.sex == "female" else "H",  # mujer, hombre: M is not male here
            "telefono": who.local_phone,
            "fecha_nacimiento": who.birth,
            "fecha_apertura": opened,
            "fecha_plan": opened + timedelta(days=rng.randint(5, 50)) if rng.random() < 0.85 else None,
            "estado": _pick(rng, _STATUS),
            "grupo": rng.choices(("RET", "COM"), weights=(92, 8))[0],
            "vulnerabilidad": rng.choice(("NIN", "NIN", "ENF", "EMB", "VIO ENF", "MON", "TRA", None)),
            "departamento": rng.choice(_DEPARTMENTS),
            "notas": None,
            "integrantes": members,
        },
    )
    if case.cells["estado"] == "C":
        reason = _pick(rng, {name: weight for name, (_, weight) in _CLOSURES.items()})
        case.closure = {
            "case_id": case_id,
            "fecha_cierre": opened + timedelta(days=rng.randint(60, 420)),
            "motivo": reason,
            "iniciativa": _CLOSURES[reason][0],
            "comentario": None,
        }
    if rng.random() < 0.25:
        _remark(rng, case)
    return case


def _remark(rng: random.Random, case: _Case) -> None:
    """A note names somebody who has no case."""
    other = person("HND", rng)
    text = rng.choice(_NOTES).format(other=other.full_name, phone=other.local_phone, email=other.email)
    (case.closure or case.cells)["comentario" if case.closure else "notas"] = text
    if other.family in text:
        case.mentioned = [
            *plant("free_text", [text]),
            *plant("name", [other.full_name]),
            *plant("phone", [other.phone, other.local_phone]),
            *plant("email", [other.email]),
        ]


def _assistance(rng: random.Random, cases: list[_Case]) -> Iterator[_Assistance]:
    for number in range(ASSISTANCE):
        case = rng.choice(cases)
        opened = case.cells["fecha_apertura"]
        if not isinstance(opened, date):
            raise TypeError("a case opens on a day")
        kind = _pick(rng, _KINDS)
        amount = rng.randint(8, 600) * 25
        yield _Assistance(
            {
                "assistance_id": 10_001 + number,
                "case_id": case.cells["case_id"],
                "fecha_entrega": opened + timedelta(days=rng.randint(0, 300)),
                "tipo": kind,
                "modalidad": _IN_KIND.get(kind, "SERV"),
                "nivel": rng.choices(("IND", "COL", "COM"), weights=(84, 12, 4))[0],
                "prestador": rng.choices(("DIR", "REF", "SOC"), weights=(60, 25, 15))[0],
                "momento": rng.choices(("LLEGADA", "POST"), weights=(20, 80))[0],
                "monto": None if kind in ("PSICOSOC", "LEGAL") else f"{amount}.{rng.choice(('00', '50'))}",
                "moneda": "USD" if kind == "FINANC" else "HNL",
                "descripcion": f"Entregado a {case.who.full_name}" if rng.random() < 0.1 else None,
            }
        )


def _spoil_cases(cases: list[_Case]) -> None:
    """Defects of cases; each takes the next case that it fits."""

    def spoil(
        times: int, fits: Callable[[_Case], bool], findings: dict[str, str], change: Callable[[_Case], None]
    ) -> None:
        found = [case for case in cases[20:] if not case.findings and fits(case)][:times]
        for case in found:
            change(case)
            case.findings.update(findings)

    def closed(case: _Case) -> bool:
        return case.closure is not None and not case.mentioned

    def to(column: str, value: str | int) -> Callable[[_Case], None]:
        return lambda case: case.cells.update({column: value})

    def early(case: _Case) -> None:
        (case.closure or {})["fecha_cierre"] = case.who.birth.replace(year=2021, day=1)

    def far(case: _Case) -> None:
        (case.closure or {})["fecha_cierre"] = date(2099, 12, 31)

    def unsaid(case: _Case) -> None:
        case.closure = None

    def old_plan(case: _Case) -> None:
        case.cells["fecha_plan"] = date(2021, 12, 1)

    too_early = {"rule.case.close_after_open": "error", "rule.case.plan_before_close": "query"}
    spoil(3, lambda case: closed(case) and case.cells["fecha_plan"] is not None, too_early, early)
    spoil(1, closed, {"rule.case.close_date.date": "error"}, far)
    missing = {"rule.case.closed_needs_date": "query", "rule.case.closed_needs_reason": "query"}
    spoil(2, closed, missing, unsaid)
    spoil(2, lambda case: not case.closure, {"rule.case.plan_after_open": "query"}, old_plan)
    spoil(2, lambda case: not case.closure, {"map.unknown_code": "error"}, to("estado", "X"))
    spoil(1, lambda case: True, {"map.unknown_code": "error"}, to("vulnerabilidad", "ENF QQQ"))
    spoil(1, lambda case: True, {"rule.case.case_members.range": "error"}, to("integrantes", 0))


def _spoil_assistance(assistance: list[_Assistance]) -> None:
    """Defects of assistance, by place; copies and contradictions carry a number that is already taken."""

    def spoil(places: tuple[int, ...], finding: tuple[str, str], **change: str | None) -> None:
        for place in places:
            assistance[place].cells.update(change)
            assistance[place].findings[finding[0]] = finding[1]

    spoil((30, 210, 555), ("map.unknown_code", "error"), tipo="TRANSP")
    spoil((42, 260), ("map.unreadable_number", "error"), monto="dos mil lempiras")
    spoil((77,), ("map.unreadable_number", "error"), monto="L 1500 aprox.")
    spoil((101,), ("rule.assistance.value.range", "error"), monto="-750.00")
    spoil((120, 340), ("rule.assistance.date_is_known", "query"), fecha_entrega=None)
    spoil((699,), ("gate.missing_key", "error"), assistance_id=None)
    for place in (150, 400):
        assistance.append(_Assistance(dict(assistance[place].cells), {"key.duplicate_row": "error"}))
    first = assistance[500]
    other = {"EDUC": "SALUD"}.get(str(first.cells["tipo"]), "EDUC")
    second = _Assistance({**first.cells, "tipo": other, "modalidad": "SERV", "monto": "975.00"})
    first.findings["key.duplicate"] = second.findings["key.duplicate"] = "error"
    assistance.append(second)


def _planted(case: _Case) -> list[Planted]:
    """Every form in which the case's personal values are written, and the plain form of each."""
    who = case.who
    return [
        *plant_people([who]),
        *plant("national_id", [str(case.cells["dni"] or "")]),
        *plant("phone", [str(case.cells["telefono"])]),
        *plant("birth_date", [who.birth.isoformat(), who.birth.strftime("%d/%m/%Y")]),
        *plant("case_number", [str(case.cells["case_id"])]),
        *case.mentioned,
    ]
