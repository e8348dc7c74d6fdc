"""What a scaffold proposes: register words, short codes read together, a label before a code, nothing far-fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from codebook.errors import BadDefinition
from codebook.loader import load_codebook
from sources.loader import load_source
from sources.proposing.answers import match_answers
from sources.proposing.declaring import Proposal as Declared
from sources.proposing.declaring import ProposedTable, source_yaml
from sources.proposing.described import Described, Match
from sources.proposing.known import Known, gather
from sources.proposing.lexicon import read_lexicon
from sources.proposing.matching import propose
from sources.proposing.rows import conversion
from sources.proposing.shortened import only_way, shortens
from sources.proposing.words import is_number_of_a_question, plain


@pytest.fixture(scope="module")
def known() -> Known:
    """Codebook and lexicon only: no crosswalk is remembered."""
    return gather(load_codebook(), [])


def answers(known: Known, codelist: str, *codes: str, language: str = "") -> dict[str, str]:
    found = match_answers(dict.fromkeys(codes, ""), codelist, known, language)
    return {code: one.target for code, one in found.items()}


def column(name: str, *codes: str, type: str = "text", label: str = "", kinds: tuple[str, ...] = ()) -> Described:
    return Described("main", name, label, type, kinds, dict.fromkeys(codes, ""))


def made(known: Known, *columns: Described) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for match in propose(columns, known):
        found.setdefault(match.column.name, set()).add(match.target.variable.name)
    return found


def test_letters_mean_what_they_mean_together(known: Known) -> None:
    assert answers(known, "sex", "M", "F") == {"M": "male", "F": "female"}
    assert answers(known, "sex", "H", "M") == {"H": "male", "M": "female"}


def test_the_same_letters_are_read_in_the_language_around_them(known: Known) -> None:
    letters = ("S", "C", "V", "D", "U")
    spanish, french = (answers(known, "marital_status", *letters, language=spoken) for spoken in ("es", "fr"))
    assert spanish == {"S": "single", "C": "married", "V": "widowed", "D": "divorced", "U": "cohabiting"}
    assert (french["S"], french["C"]) == ("separated", "single")
    assert answers(known, "marital_status", *letters) == {}
    around = column("FECHA_RETORNO"), column("DEPARTAMENTO"), column("EST_CIVIL", *letters)
    (match,) = (match for match in propose(around, known) if match.column.name == "EST_CIVIL")
    assert match.answers["C"].target == "married"


def test_letters_that_leave_two_ways_mean_nothing(known: Known) -> None:
    assert only_way({"a": {"x", "y"}, "b": {"x", "y"}}) == {}
    assert answers(known, "sex", "M") == {}


def test_no_answer_is_known_beside_any_answers(known: Known) -> None:
    found = answers(known, "yes_no", "SI", "NO", "NS", "NR")
    assert found == {"SI": "yes", "NO": "no", "NS": "dont_know", "NR": "refused"}


def test_a_letter_that_stands_alone_is_not_what_it_was_elsewhere() -> None:
    """M is a man beside F and a woman beside H."""
    elsewhere = gather(load_codebook(), [load_source("slv/dgme_returns")])
    assert answers(elsewhere, "sex", "M") == {}
    assert answers(elsewhere, "sex", "M", "F") == {"M": "male", "F": "female"}


def test_words_are_told_apart_by_their_capitals() -> None:
    assert [plain(header) for header in ("RESPAge", "fechaNac", "HHSize")] == ["resp age", "fecha nac", "hh size"]


def test_a_number_is_a_year_of_birth_only_where_it_is_a_year(known: Known) -> None:
    beside = column("SEXO", "M", "F"), column("PAIS_ORIGEN", "GTM", "HND")
    assert "birth_year" not in made(known, *beside, column("nac", type="integer")).get("nac", set())
    assert made(known, *beside, column("año_nac", type="integer", kinds=("year",)))["año_nac"] == {"birth_year"}


def test_a_code_is_short_for_words_in_their_order() -> None:
    assert shortens("prot soc", "programas de proteccion social")
    assert shortens("rva", "retorno voluntario asistido")
    assert not shortens("soc prot", "programas de proteccion social")
    assert not shortens("tr", "transporte")


def test_codes_that_are_mostly_short_for_nothing_get_no_answer(known: Known) -> None:
    delivered = answers(known, "assistance_delivered_by", "DIR", "REF", "SOC")
    assert delivered == {"DIR": "direct", "REF": "referral", "SOC": "partner"}
    assert answers(known, "assistance_delivered_by", "SOC", "Q1X", "Q2X", "Q3X") == {}


def test_a_label_goes_before_a_code_that_disagrees_and_the_note_says_so(known: Known) -> None:
    found = match_answers({"married": "Soltero", "single": "Soltera"}, "marital_status", known)
    assert found["married"].target == "single"
    assert found["married"].score < found["single"].score
    assert "DISAGREES" in found["married"].evidence
    assert "DISAGREES" not in found["single"].evidence


def test_a_nationality_is_made_of_its_country(known: Known) -> None:
    assert answers(known, "country", "Hondureña", "Guatemalteca") == {"Hondureña": "HND", "Guatemalteca": "GTM"}
    assert answers(known, "country", "يمني", "صومالية") == {"يمني": "YEM", "صومالية": "SOM"}
    assert answers(known, "country", "Nigérienne", "Nigériane") == {"Nigérienne": "NER", "Nigériane": "NGA"}


def test_a_word_that_begins_otherwise_is_not_misspelt(known: Known) -> None:
    assert answers(known, "transport", "Avoin", "Tavion") == {"Avoin": "air"}


def test_the_number_of_a_question_is_another_questions_in_another_form() -> None:
    """A source whose columns are P1, P2, ... says nothing of the next one whose columns are."""
    numbers = [name for name in ("p10", "q 3 a", "v0101", "b 2 1") if not is_number_of_a_question(name)]
    names = [name for name in ("rs pss 30", "age", "adm1", "isced2011") if is_number_of_a_question(name)]
    assert numbers == names == []
    numbered = load_source("gtm/ine_rss")
    assert any(is_number_of_a_question(plain(row.column)) for row in numbered.crosswalk)
    remembered = gather(load_codebook(), [numbered]).texts()
    assert not any(map(is_number_of_a_question, remembered))


def test_headers_are_known_by_register_words_and_abbreviations(known: Known) -> None:
    found = made(
        known,
        column("EST_CIVIL", "S", "C", "V"),
        column("FEC_RETORNO", type="date", kinds=("date:gregorian:%d/%m/%Y",)),
        column("TAM_HOGAR", type="integer"),
        column("SEXE", "M", "F"),
        column("MENORES_HOGAR", type="integer"),
    )
    assert found["EST_CIVIL"] == {"marital_status"}
    assert "return_date" in found["FEC_RETORNO"]
    assert found["TAM_HOGAR"] == {"size"}
    assert "sex" in found["SEXE"]


def test_what_is_like_nothing_is_not_proposed(known: Known) -> None:
    warehouse = (column("litres_filled", type="decimal"), column("truck", "T1", "T2"), column("skip_full", "0", "1"))
    assert made(known, *warehouse) == {}


@pytest.mark.parametrize(
    ("name", "variable", "param"),
    [
        ("ANIOS_AUSENCIA", ("return_event", "absence_months"), "unit=year>month"),
        ("SALARIO_SEMANAL", ("return_event", "monthly_income_abroad"), "per=week>month"),
        ("INGRESO_MENSUAL", ("household", "monthly_income"), ""),
        ("EDAD_ANIOS", ("rss_response", "age"), ""),
    ],
)
def test_a_period_that_a_header_names_is_converted(name: str, variable: tuple[str, str], param: str) -> None:
    entity, wanted = variable
    assert conversion(column(name), load_codebook().entities[entity].variable(wanted)) == param


def test_consent_is_proposed_with_the_codes_that_say_yes(known: Known) -> None:
    asked = column("consentement", "oui", "non")
    target = next(one for one in known.targets if (one.entity, one.variable.name) == ("household", "consent"))
    match = Match(asked, target, 1.0, "", match_answers(asked.codes, "yes_no", known))
    told = source_yaml(Declared("civ/x", "CIV", {"kind": "csv"}, [ProposedTable("main", [asked], [match])]))
    assert "consent: {column: consentement, accept: [oui]}" in told


def test_a_word_of_no_variable_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "fields.csv").write_text("variable,language,words\nperson.sexx,en,sex\n", encoding="utf-8")
    with pytest.raises(BadDefinition) as refusal:
        read_lexicon(load_codebook(), tmp_path)
    assert "fields.csv" in str(refusal.value)
    assert "sex" in refusal.value.mend


def test_a_kind_of_return_makes_how_it_was_carried_out_and_whether_it_was_wanted(known: Known) -> None:
    """One column may make several variables of an entity, where its codes are the answers of each."""
    date = column("fecha_retorno", kinds=("date:gregorian:%d/%m/%Y",))
    country = column("pais_de_procedencia", "Estados Unidos", "Honduras")
    kind = column("tipo_de_retorno", "Deportado", "Voluntario")
    forced = made(known, date, country, kind)["tipo_de_retorno"]
    assert len(forced) >= 1
    english = column("return_type", "forced", "voluntary_assisted", "voluntary_spontaneous")
    assert "voluntariness" in made(known, date, country, english)["return_type"]


def test_of_whom_something_is_asked_says_little(known: Known) -> None:
    for name in ("sexe_enquete", "respondent_sex", "sexo_persona"):
        assert "sex" in made(known, column(name, "Masculin", "Féminin"), column("nationality", "Mali", "Niger"))[name]


def test_dates_that_no_form_reads_are_proposed_for_no_date(known: Known) -> None:
    for kind in ("date:excel serial day", "date:two-digit year", "date:two forms (%d/%m/%Y and %d/%m/%Y %H:%M)"):
        assert made(known, column("fecha_retorno", kinds=(kind,))) == {}
        born = column("fecha_nacimiento", kinds=("birth_date", kind))
        assert made(known, born, column("sexo", "M", "F")).get("fecha_nacimiento") is None
