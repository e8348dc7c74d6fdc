"""What is known of variables and answers: names and labels, the lexicon's words, and what approved crosswalks say.

An approved crosswalk is memory: under which headers and labels a variable was met before, and by which codes and labels
an answer. A hidden source is left out of it, so that a proposal can be measured against what people decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from codebook.loader import Codebook
from codebook.models import LANGUAGES, Variable
from sources.models import Source
from sources.proposing.lexicon import NO_ANSWER, Lexicon, read_lexicon
from sources.proposing.words import is_number_of_a_question, plain


@dataclass(frozen=True)
class Term:
    """A text that stands for a variable or an answer, folded, and where it was met."""

    text: str
    where: str


@dataclass(frozen=True)
class Target:
    """A variable that a column may make, with everything it is known by."""

    entity: str
    variable: Variable
    terms: tuple[Term, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.entity, self.variable.name


@dataclass(frozen=True)
class Known:
    """Targets, and for every code list the terms of its answers; `codes`: list -> source column -> code -> answer."""

    targets: tuple[Target, ...]
    answers: Mapping[str, Mapping[str, tuple[Term, ...]]]
    codes: Mapping[str, Mapping[str, Mapping[str, str]]]
    lexicon: Lexicon

    def texts(self) -> Iterable[str]:
        return (term.text for target in self.targets for term in target.terms)


def gather(codebook: Codebook, sources: Iterable[Source]) -> Known:
    """Everything that codebook and `sources` say."""
    lexicon = read_lexicon(codebook)
    remembered: dict[tuple[str, str], list[Term]] = {}
    answers = {name: _own_answers(codebook, name, lexicon) for name in codebook.codelists}
    # What another supplier means by a word must not take it from the answer whose own word it is.
    owners = {name: {t.text: target for target, own in one.items() for t in own} for name, one in answers.items()}
    codes: dict[str, dict[str, dict[str, str]]] = {name: {} for name in codebook.codelists}
    no_answers: list[tuple[str, Term]] = []
    states = {"dont_know", "refused", "not_applicable"}
    for source in sources:
        for row in source.crosswalk:
            if row.rule is None or row.state != "approved" or not row.column:
                continue
            where = f"{source.source}, {row.column}"
            terms = remembered.setdefault((row.entity, row.variable), [])
            header = plain(row.column.rpartition(".")[2])
            if not is_number_of_a_question(header):
                terms.append(Term(header, where))
            if row.label and not row.code:
                terms.append(Term(plain(row.label), where))
            codelist = codebook.entities[row.entity].variable(row.variable).codelist
            if codelist and row.code and row.target and not row.when and row.code not in ("*", "(blank)"):
                if owners[codelist].get(plain(row.label), row.target) == row.target:
                    answers[codelist].setdefault(row.target, []).append(Term(plain(row.label), where))
                if row.target in states:
                    no_answers.append((row.target, Term(plain(row.label), where)))
                codes[codelist].setdefault(where, {})[plain(row.code)] = row.target
    # What is no answer is said in the same words whatever was asked, unless the words are an answer there.
    for listed in answers.values():
        spoken = {term.text for terms in listed.values() for term in terms}
        for state, term in no_answers:
            if term.text not in spoken:
                listed[state].append(term)
    return Known(
        tuple(_targets(codebook, remembered, lexicon)),
        {name: {target: _each(terms) for target, terms in listed.items()} for name, listed in answers.items()},
        codes,
        lexicon,
    )


def _targets(
    codebook: Codebook, remembered: Mapping[tuple[str, str], list[Term]], lexicon: Lexicon
) -> Iterable[Target]:
    for entity in codebook.entities.values():
        for variable in entity.variables:
            own = [Term(plain(variable.name), "name")]
            own += [Term(plain(variable.label.in_language(lang)), f"label {lang}") for lang in LANGUAGES]
            own += [Term(word, f"word {lang}") for word, lang in lexicon.fields.get((entity.name, variable.name), ())]
            terms = _each([*own, *remembered.get((entity.name, variable.name), [])])
            yield Target(entity.name, variable, terms)


def _own_answers(codebook: Codebook, codelist: str, lexicon: Lexicon) -> dict[str, list[Term]]:
    listed = codebook.codelists[codelist]
    spoken = {word for name in listed.names for word, _ in lexicon.answers.get((codelist, name), ())}
    found = {}
    for code in (*listed.codes, *listed.states):
        if code.name in ("skipped_by_logic", "missing_unexpected"):
            continue  # no supplier has a code for these
        labels = [Term(plain(code.label(lang)), f"label {lang}") for lang in LANGUAGES]
        words = lexicon.answers.get((codelist, code.name), ())
        if code in listed.states:  # a word that is an answer of this list is no absence of one here
            words = tuple(word for word in lexicon.answers.get((NO_ANSWER, code.name), ()) if word[0] not in spoken)
        found[code.name] = [Term(plain(code.name), "name"), *labels, *(Term(w, f"word {lang}") for w, lang in words)]
    return found


def _each(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Every text once, where it was met first."""
    first: dict[str, Term] = {}
    for term in terms:
        if term.text:
            first.setdefault(term.text, term)
    return tuple(first.values())
