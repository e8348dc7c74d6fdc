"""The sample survey of Guatemala's statistics institute: the RSS as an SPSS file in Spanish, twice of the same people.

cp1252, codes of the supplier's own (frequency lists in both directions), 97 no aplica as a mere label, 98 no sabe and
99 no responde as user-missing, system-missing where the questionnaire skips, and the defects of domain.md 1.6, each
with the outcome it must have. Nobody in it exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from examples.manifest import Manifest, Planted, RowOutcome, plant, plant_people
from examples.people import Person, cui_verifier, person
from examples.sav import Cell, Variable, write_sav

SOURCE = "gtm/ine_rss"
FILE = "esr_2023_2024.sav"
PEOPLE = 220
NOT_APPLICABLE, DONT_KNOW, REFUSED = 97, 98, 99
_SPECIAL = {NOT_APPLICABLE: "No aplica", DONT_KNOW: "No sabe", REFUSED: "No responde"}
_BASELINE, _ENDLINE = 1, 2
_YES, _NO = 1, 2


@dataclass(frozen=True)
class Scale:
    """An answer list: labels by code, and the codes from the best answer to the worst."""

    labels: Mapping[int, str]
    best_first: Sequence[int]


def _scale(labels: str, best_first: Sequence[int]) -> Scale:
    return Scale(dict(enumerate(labels.split(", "), start=1)), best_first)


_UP, _DOWN = (1, 2, 3, 4, 5), (5, 4, 3, 2, 1)
SCALES = {
    "satisfecho": _scale(
        "Muy satisfecho, Satisfecho, Ni satisfecho ni insatisfecho, Insatisfecho, Muy insatisfecho", _UP
    ),
    "mal_frecuente": _scale("Nunca, Rara vez, A veces, A menudo, Muy a menudo", _UP),
    "bien_frecuente": _scale("Muy a menudo, A menudo, A veces, Rara vez, Nunca", _UP),
    "discriminacion": _scale("Todo el tiempo, Muy a menudo, A veces, Rara vez, Nunca", _DOWN),
    "acceso": _scale("Muy bueno, Bueno, Regular, Malo, Muy malo", _UP),
    "acceso_inverso": _scale("Muy malo, Malo, Regular, Bueno, Muy bueno", _DOWN),
    "acuerdo": _scale(
        "Muy en desacuerdo, Algo en desacuerdo, Ni de acuerdo ni en desacuerdo, Algo de acuerdo, De acuerdo", _DOWN
    ),
    "seguridad": _scale("Muy seguro, Seguro, Ni seguro ni inseguro, Inseguro, Muy inseguro", _UP),
    "deuda": _scale("La deuda es mayor, El gasto es mayor, No tiene deudas", (3, 2, 1)),
    "si_bueno": _scale("Sí, No", (_YES, _NO)),
    "si_malo": _scale("Sí, No", (_NO, _YES)),
    "escuela": _scale("Todos, Algunos, Ninguno", (1, 2, 3)),
    "motivo": _scale("Desea irse, Necesita irse", (1, 2)),
}
ITEMS = (
    ("P01", "satisfecho", "¿Qué tan satisfecho está con su situación económica?"),
    ("P02", "mal_frecuente", "¿Con qué frecuencia redujo su alimentación?"),
    ("P03", "si_bueno", "¿Puede pedir dinero prestado si lo necesita?"),
    ("P04", "mal_frecuente", "¿Con qué frecuencia pide dinero prestado?"),
    ("P05", "deuda", "¿Es mayor su deuda o su gasto mensual?"),
    ("P06", "acceso", "Acceso a empleo y capacitación"),
    ("P07", "si_bueno", "¿Trabaja actualmente?"),
    ("P08", "si_bueno", "¿Posee bienes productivos?"),
    ("P09", "si_malo", "¿Busca trabajo?"),
    ("P10", "acceso", "Acceso a vivienda"),
    ("P11", "acceso", "Calidad de su vivienda"),
    ("P12", "acceso", "Acceso a educación"),
    ("P13", "escuela", "¿Asisten a la escuela los niños del hogar?"),
    ("P14", "acceso_inverso", "Acceso a la justicia"),
    ("P15", "si_bueno", "¿Tiene documento de identidad?"),
    ("P16", "acceso", "Acceso a documentación"),
    ("P17", "acceso", "Acceso a agua potable"),
    ("P18", "acceso_inverso", "Acceso a salud"),
    ("P19", "acceso_inverso", "Calidad de la atención de salud"),
    ("P20", "bien_frecuente", "¿Con qué frecuencia participa en actividades sociales?"),
    ("P21", "acceso", "¿Cómo es su red de apoyo?"),
    ("P22", "acuerdo", "Siento que pertenezco a mi comunidad"),
    ("P23", "seguridad", "¿Qué tan seguro se siente?"),
    ("P24", "mal_frecuente", "¿Con qué frecuencia hay conflictos en su familia?"),
    ("P25", "discriminacion", "¿Con qué frecuencia se ha sentido discriminado?"),
    ("P26", "mal_frecuente", "¿Con qué frecuencia siente angustia o enojo?"),
    ("P27", "si_malo", "¿Desea apoyo psicológico?"),
    ("P28", "si_bueno", "¿Puede quedarse a vivir en este país?"),
    ("P29", "motivo", "¿Desea o necesita irse?"),
)
_ABLE_TO_STAY, _WHY_LEAVE, _IN_SCHOOL = "P28", "P29", "P13"

_HOSTS = {1: "Estados Unidos", 2: "México", 3: "Belice", 4: "Canadá", 5: "España"}
_LANGUAGES = {1: "Español", 2: "K'iche'", 3: "Mam", 4: "Q'eqchi'"}
_RESULTS = {1: "Completa", 2: "Interrumpida", 3: "Rechazada", 4: "No localizada"}
_DEPARTMENTS = (
    "Guatemala", "Huehuetenango", "San Marcos", "Quetzaltenango", "Alta Verapaz", "Petén", "Quiché", "Totonicapán",
    "Sololá", "Suchitepéquez",
)  # fmt: skip
_YES_NO = {_YES: "Sí", _NO: "No"}


def _variables() -> list[Variable]:
    def coded(name: str, label: str, labels: Mapping[int, str]) -> Variable:
        return Variable(name, label, labels={**labels, **_SPECIAL}, missing=(DONT_KNOW, REFUSED))

    return [
        Variable("ID_ENTREVISTA", "Número de entrevista", "text", 12),
        Variable("FOLIO", "Número de la persona en la muestra", "text", 8),
        Variable("CUI", "Código único de identificación", "text", 15),
        Variable("NOMBRES", "Nombres", "text", 30),
        Variable("APELLIDOS", "Apellidos", "text", 30),
        Variable("TELEFONO", "Teléfono", "text", 12),
        Variable("ENCUESTADOR", "Nombre del encuestador", "text", 30),
        Variable("OLA", "Ola de la encuesta", labels={_BASELINE: "Línea base", _ENDLINE: "Línea final"}),
        Variable("FECHA_ENTREVISTA", "Fecha de la entrevista", "date"),
        Variable("VERSION_BOLETA", "Versión de la boleta", "text", 8),
        coded("CONSENTIMIENTO", "¿Da su consentimiento?", _YES_NO),
        coded("CONS_TUTOR", "¿Da su consentimiento el tutor?", _YES_NO),
        Variable("RESULTADO", "Resultado de la entrevista", labels=_RESULTS),
        coded("MODO", "Modo de la entrevista", {1: "Campo", 2: "Oficina", 3: "Teléfono"}),
        coded("IDIOMA", "Idioma de la entrevista", _LANGUAGES),
        coded("ENC_INDEPENDIENTE", "¿El encuestador es ajeno al caso?", _YES_NO),
        coded("SEXO", "Sexo", {1: "Hombre", 2: "Mujer", 3: "Otro"}),
        Variable("FECHA_NAC", "Fecha de nacimiento", "date"),
        Variable("EDAD", "Edad en años cumplidos", labels={998: "No sabe", 999: "No responde"}, missing=(998, 999)),
        Variable("FECHA_RETORNO", "Fecha de retorno", "date"),
        coded("PAIS_RETORNO", "País desde el que retornó", _HOSTS),
        Variable("DEPTO", "Departamento de residencia", "text", 20),
        Variable("NINOS_EDAD_ESC", "Niños en edad escolar en el hogar"),
        *(coded(name, label, SCALES[scale].labels) for name, scale, label in ITEMS),
        Variable("COMENTARIO", "Comentario del encuestador", "text", 120),
    ]


@dataclass
class _Case:
    """One interview: who was asked, the cells, and what must be found wrong with it (rule -> severity)."""

    who: Person
    cells: dict[str, Cell]
    findings: dict[str, str] = field(default_factory=dict)
    mentioned: list[Planted] = field(default_factory=list)


def make_gtm(folder: Path) -> Manifest:
    """Writes the survey file into `folder`; the same bytes every time."""
    rng = random.Random(20240731)  # noqa: S311 - reproducible on purpose, nothing secret
    cases = list(_survey(rng))
    _plant_defects(cases)
    variables = _variables()
    rows = [[case.cells.get(variable.name) for variable in variables] for case in cases]
    write_sav(folder / FILE, "Encuesta de sostenibilidad de la reintegración, años 2023 y 2024", variables, rows)
    return Manifest(
        source=SOURCE,
        files=(FILE,),
        rows=tuple(RowOutcome.of("main", number, case.findings) for number, case in enumerate(cases, start=1)),
        planted=tuple(dict.fromkeys(one for case in cases for one in _planted(case))),
        findings=("gate.free_text_withheld",),
    )


@dataclass(frozen=True)
class _Returnee:
    """A person, when they came back, what both waves tell alike, and how well off they are at first (0 to 1)."""

    who: Person
    returned: date
    children: int
    well: float
    fixed: Mapping[str, Cell]


def _survey(rng: random.Random) -> Iterator[_Case]:
    """Everybody's baseline, then everybody's endline some eleven months later and mostly somewhat better off."""
    returnees = [_returnee(rng, number) for number in range(1, PEOPLE + 1)]
    for wave, (after, lift) in {_BASELINE: (20, 0.0), _ENDLINE: (340, 0.14)}.items():
        for number, one in enumerate(returnees, start=1):
            asked = one.returned + timedelta(days=after + rng.randrange(45))
            opening = _opening(rng, one.who, wave, number, asked)
            answers = _answers(rng, min(0.97, one.well + lift * rng.uniform(0.2, 1.6)), one.children)
            case = _Case(one.who, {**one.fixed, **opening, **answers})
            if rng.random() < 0.12:
                _comment(rng, case)
            yield case


def _returnee(rng: random.Random, number: int) -> _Returnee:
    born = date(2007, 2, 5) + timedelta(days=rng.randrange(200)) if number % 37 == 0 else None  # some are 15 or 16
    who = person("GTM", rng, born=born)
    returned = date(2023, 1, 10) + timedelta(days=rng.randrange(150))
    children = rng.choices((0, 1, 2, 3), weights=(40, 28, 22, 10))[0]
    fixed: dict[str, Cell] = {
        "NOMBRES": who.given,
        "APELLIDOS": who.family,
        "TELEFONO": who.phone,
        "SEXO": 2 if who.sex == "female" else 1,
        "FECHA_NAC": who.birth,
        "FECHA_RETORNO": returned,
        "PAIS_RETORNO": rng.choices(list(_HOSTS), weights=(60, 32, 3, 3, 2))[0],
        "DEPTO": rng.choice(_DEPARTMENTS),
        "NINOS_EDAD_ESC": children,
    }
    return _Returnee(who, returned, children, rng.betavariate(4, 4), fixed)


def _opening(rng: random.Random, who: Person, wave: int, number: int, asked: date) -> dict[str, Cell]:
    age = asked.year - who.birth.year - ((asked.month, asked.day) < (who.birth.month, who.birth.day))
    cui = who.national_id
    return {
        "ID_ENTREVISTA": f"INE-{number:04d}-{wave}",
        "FOLIO": f"INE-{number:04d}",
        "CUI": f"{cui[:4]} {cui[4:9]} {cui[9:]}" if wave == _BASELINE else cui,  # typed differently in each wave
        "ENCUESTADOR": rng.choice(("Edwin Tzoc Iboy", "Marleny Xicará Peñate")),
        "OLA": wave,
        "FECHA_ENTREVISTA": asked,
        "VERSION_BOLETA": "ESR-2" if wave == _BASELINE else "ESR-3",
        "CONSENTIMIENTO": _YES,
        "CONS_TUTOR": _YES if age < 18 else NOT_APPLICABLE,
        "RESULTADO": 1,
        "MODO": rng.choices((1, 2, 3), weights=(60, 25, 15))[0],
        "IDIOMA": rng.choices(list(_LANGUAGES), weights=(70, 12, 10, 8))[0],
        "ENC_INDEPENDIENTE": rng.choices((_YES, _NO), weights=(80, 20))[0],
        "EDAD": age,
    }


def _answers(rng: random.Random, well: float, children: int) -> dict[str, Cell]:
    """Answers of a person who is `well` off; a few don't know, refuse, or are asked what does not apply to them."""
    answers: dict[str, Cell] = {}
    for name, scale, _ in ITEMS:
        answers[name] = _answer(rng, SCALES[scale], well)
        special = rng.random()
        if special < 0.03:
            answers[name] = DONT_KNOW if special < 0.015 else REFUSED if special < 0.024 else NOT_APPLICABLE
    if children == 0:
        answers[_IN_SCHOOL] = None
    if answers[_ABLE_TO_STAY] not in (_NO, DONT_KNOW):  # the form asks why of those who cannot stay or do not know
        answers[_WHY_LEAVE] = None
    return answers


def _answer(rng: random.Random, scale: Scale, well: float) -> int:
    steps = len(scale.best_first) - 1
    place = round((1 - well) * steps + rng.gauss(0, 0.22 * steps + 0.12))
    return scale.best_first[min(max(place, 0), steps)]


def _comment(rng: random.Random, case: _Case) -> None:
    """The interviewer's remark names a relative who is in no row."""
    other = person("GTM", rng)
    text = f"Respondió en presencia de {other.full_name}, tel. {other.local_phone}."
    case.cells["COMENTARIO"] = text
    case.mentioned = [
        *plant("free_text", [text]),
        *plant("name", [other.full_name]),
        *plant("phone", [other.phone, other.local_phone]),
    ]


def _blank(case: _Case, names: Iterable[str]) -> None:
    case.cells.update(dict.fromkeys(names))


def _plant_defects(cases: list[_Case]) -> None:
    """The defects of domain.md 1.6, by the place of the interview: baselines are 0 to 219, endlines 220 to 439."""
    every_item = [name for name, _, _ in ITEMS]

    for place in (11, 64, 130):  # asked and refused: nothing may be kept of it
        cases[place].cells.update({"CONSENTIMIENTO": _NO, "RESULTADO": 3})
    for place in (231, 300):  # nobody to ask
        cases[place].cells.update({"CONSENTIMIENTO": None, "RESULTADO": 4})
    for place in (11, 64, 130, 231, 300):
        _blank(cases[place], every_item)
        cases[place].findings["gate.no_consent"] = "error"

    for place in (25, 90, 260):  # broken off in the middle: no score, and no reason to reject
        cases[place].cells["RESULTADO"] = 2
        _blank(cases[place], every_item[15:])

    for place, blank in ((33, "P06"), (71, "P19"), (240, "P22"), (333, "P05")):  # lost, though it was asked
        _blank(cases[place], [blank])

    for place in (40, 140, 250, 350):  # eight or more special answers: low confidence
        for offset, name in enumerate(every_item[:10]):
            cases[place].cells[name] = (DONT_KNOW, REFUSED, DONT_KNOW)[offset % 3]

    for place in (150, 370):  # the same thirteen-year-old in both waves: no score under fourteen
        cases[place].cells.update({"EDAD": 12 if place == 150 else 13, "CONS_TUTOR": _YES})
    for place in (50, 270):
        cases[place].cells["EDAD"] = 300
        cases[place].findings["rule.rss_response.age.range"] = "error"
    cases[52].cells["EDAD"] = 999

    for place, name in ((55, "P06"), (280, "P23")):
        cases[place].cells[name] = 7  # in no list
        cases[place].findings["map.unknown_code"] = "error"
    cases[290].cells["DEPTO"] = "Cuscatlán"  # of another country
    cases[290].findings["map.unknown_place"] = "error"

    for place in (60, 160):  # digits swapped in typing
        digits = cases[place].who.national_id
        wrong = f"{digits[:8]}{(cui_verifier(digits[:8]) + 1) % 10}{digits[9:]}"
        cases[place].cells["CUI"] = wrong
        cases[place].findings["gate.check_digit"] = "query"

    cases[345].cells.update({_ABLE_TO_STAY: _NO, _WHY_LEAVE: None})
    cases[345].findings["rule.rss_response.unable_to_stay_needs_reason"] = "query"

    cases[310].cells["ID_ENTREVISTA"] = None
    cases[310].findings["gate.missing_key"] = "error"

    cases.append(_Case(cases[320].who, dict(cases[320].cells), {"key.duplicate_row": "error"}))
    other = _Case(cases[330].who, {**cases[330].cells, "P01": 1, "P02": 5, "P10": 1, "P20": 5})
    other.findings["key.duplicate"] = cases[330].findings["key.duplicate"] = "error"
    cases.append(other)


def _planted(case: _Case) -> list[Planted]:
    """Every form in which the interview's personal values are written, and the plain form of each."""
    cells, who = case.cells, case.who
    return [
        *plant_people([who]),
        *plant("national_id", [str(cells["CUI"])]),
        *plant("name", [f"{who.given} {who.family}", str(cells["ENCUESTADOR"])]),
        *plant("birth_date", [who.birth.isoformat(), who.birth.strftime("%d/%m/%Y")]),
        *plant("case_number", [str(cells["ID_ENTREVISTA"] or ""), str(cells["FOLIO"])]),
        *case.mentioned,
    ]
