"""The words of the marked return: for every rule what was found and how to mend it, in the supplier's language.

English is written here and is the source language; `messages/<language>.po` hold the others, read through Babel at
run time, so there is nothing to compile. What the codebook says in four languages itself (labels of variables and of
cross-variable rules) is taken from there. Not here: pages and sheets (`returns_html`, `returns_xlsx`).
"""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from codebook.models import LANGUAGES
from expectations.suites import EARLIEST_DATE

if TYPE_CHECKING:
    from codebook.loader import Codebook

CATALOGUES = Path(__file__).resolve().parent / "messages"

RULES: dict[str, tuple[str, str]] = {
    "read.ragged_row": (
        "This row has more or fewer cells than the header.",
        "Check the delimiters and quotation marks in this row, then deliver again.",
    ),
    "read.ambiguous_label": (
        "This answer's label stands for several codes of the form, so its code cannot be known.",
        "Export with the form's codes (XML values) instead of labels, or correct the labels in the form.",
    ),
    "read.unknown_label": (
        "This answer is none of the labels of the form.",
        "Send the form version with which the interview was made, or correct the answer.",
    ),
    "read.contradicting_choices": (
        "The answers ticked one by one are not those of the summary of this question.",
        "Correct the one that is wrong; a corrected export usually changed only one of the two.",
    ),
    "read.damaged_value": (
        "This cell is damaged: its characters or its contents cannot be read.",
        "Export the file again from the original system without opening it in other software.",
    ),
    "read.encoding_detected": (
        "The file does not say in which encoding its letters are written, so the most likely one was used.",
        "Save the file as UTF-8, or tell us the encoding of your export so that it can be agreed.",
    ),
    "read.form_order_unknown": (
        "Several versions of the form came and do not say which is the newest; the one delivered last counts as it.",
        "Give each version of the form a number or a date that rises, in the sheet of settings.",
    ),
    "read.attachment_not_fetched": (
        "A photo, recording or file of this record is no longer on the server, is too large, or cannot be told apart.",
        "There is nothing to do if it is not needed; otherwise attach it again, smaller if it is large.",
    ),
    "read.skipped_row": (
        "This row is a total or a note below the table, so it was not read as a record.",
        "There is nothing to do if the row is no record; otherwise tell us.",
    ),
    "gate.no_consent": (
        "No consent is recorded for this row, so it was not taken.",
        "If consent was given, record it and deliver again; otherwise there is nothing to do.",
    ),
    "gate.no_guardian_consent": (
        "This row is about somebody under age, and no consent of the guardian is recorded, so it was not taken.",
        "If the guardian consented, record it and deliver again; otherwise there is nothing to do.",
    ),
    "gate.parent_rejected": (
        "The record that this row belongs to was not taken, or is not in the delivery.",
        "Mend the record that this row belongs to, or deliver it together with this row.",
    ),
    "gate.erased": (
        "This row is about a person whose data were erased, so it was not taken.",
        "Leave this person out of deliveries.",
    ),
    "gate.identity_damaged": (
        "This row is about a person whose sealed data cannot be opened here any more, so it was not taken.",
        "There is nothing to mend in the file; we will tell you when to deliver it again.",
    ),
    "gate.missing_key": (
        "The columns that identify this row are empty.",
        "Fill in the identifying columns of this row.",
    ),
    "gate.undeclared_column": (
        "This column is not part of the agreement, so it was not read.",
        "Leave the column out, or ask us to add it to the agreement.",
    ),
    "gate.free_text_withheld": (
        "This column holds free text; it stays in the vault and was not passed on.",
        "There is nothing to do.",
    ),
    "gate.check_digit": (
        "The check digit of this identity number is wrong.",
        "Compare the number with the document; check that leading zeros are still there.",
    ),
    "gate.identity_conflict": (
        "The identifiers of this row point to different persons.",
        "Check the identity number, the names and the date of birth of this row.",
    ),
    "gate.personal_data": (
        "This cell looks like personal data in a column that should hold none, so the row was not taken.",
        "Take the personal data out of this cell, then deliver again.",
    ),
    "map.unknown_code": (
        "This code is not in the agreed list of codes.",
        "Correct the code, or tell us the meaning of the new code.",
    ),
    "map.unreadable_date": (
        "This is not a date in the agreed format.",
        "Write the date in the agreed format.",
    ),
    "map.unreadable_number": (
        "This is not a number in the agreed format.",
        "Write digits only, with the agreed decimal sign and without units.",
    ),
    "map.unknown_place": (
        "This place is not in the list of places of the country.",
        "Correct the name or the code of the place, or tell us the new place.",
    ),
    "map.two_digit_year": (
        "The year of this date has two digits only, so the century is not known.",
        "Write the year with four digits.",
    ),
    "key.duplicate_row": (
        "This row repeats an earlier row; the earlier one was taken.",
        "Leave the repeated row out.",
    ),
    "key.duplicate": (
        "Several rows carry the same key and different contents, so none of them was taken.",
        "Keep the right row, or give each record its own key.",
    ),
    "delivery.empty": (
        "The delivery holds no rows.",
        "Check the export and deliver again.",
    ),
    "delivery.unreadable": (
        "The file cannot be read: it is damaged or incomplete.",
        "Export the file again and check that the upload is complete.",
    ),
    "delivery.wrong_source": (
        "The file does not look like a delivery of this source.",
        "Check that the right file was delivered to the right source.",
    ),
    "delivery.missing_column": (
        "A column of the agreement is missing.",
        "Add the column under its agreed name and deliver again.",
    ),
    "delivery.wrong_encoding": (
        "The file is not in the agreed character encoding.",
        "Save the file in the agreed encoding and deliver again.",
    ),
    "delivery.undeclared_column": (
        "The file holds a column that is not part of the agreement, and this source takes no such file.",
        "Leave the column out and deliver again.",
    ),
    "delivery.personal_data_in_plain_column": (
        "A column that should hold no personal data looks like personal data in many rows.",
        "Check that the columns were not exchanged; if the column is right, ask us to change the agreement.",
    ),
    "delivery.too_many_rejected": (
        "Too many rows were rejected, so nothing of the delivery was taken.",
        "Mend the rows listed here and deliver the whole file again.",
    ),
    "delivery.expired": (
        "The agreement for this source has expired.",
        "Renew the agreement with us, then deliver again.",
    ),
    "delivery.unknown_purpose": (
        "The agreement names no purpose for which these data may be used.",
        "Agree on a purpose with us, then deliver again.",
    ),
    "delivery.proposed_mapping": (
        "The mapping of this source is not approved yet, so nothing can be taken.",
        "There is nothing to mend in the file; we will tell you when you can deliver again.",
    ),
}

KINDS: dict[str, tuple[str, str]] = {
    "record_key": (
        "The record of this row has no key.",
        "Fill in the identifying columns of this row.",
    ),
    "code": (
        "{variable}: this is not a code of the list.",
        "Correct the code, or tell us the meaning of the new code.",
    ),
    "required": (
        "{variable}: an answer is required and there is none.",
        "Fill in the answer; if it is not known or was refused, use the code for that.",
    ),
    "range": (
        "{variable}: the value lies outside the range from {low} to {high}.",
        "Check the value and its unit, and correct it.",
    ),
    "range_low": (
        "{variable}: the value is lower than {low}.",
        "Check the value and its unit, and correct it.",
    ),
    "range_high": (
        "{variable}: the value is higher than {high}.",
        "Check the value and its unit, and correct it.",
    ),
    "date": (
        "{variable}: the date lies before {low} or after the day on which the delivery was received.",
        "Check day, month, year and calendar of the date, and correct it.",
    ),
    "not_before": (
        "",
        "Check both dates or numbers: {variable}; {other}.",
    ),
    "not_after": (
        "",
        "Check both dates or numbers: {variable}; {other}.",
    ),
    "equal": (
        "",
        "Both must be the same: {variable}; {other}.",
    ),
    "required_when": (
        "",
        "Fill in {variable}, or correct the answer that makes it required.",
    ),
}
"""Kinds of rules that come from the codebook. A cross-variable rule's message is its own label there."""

UNKNOWN = ("This does not hold rule {rule}.", "Ask us about this rule, naming its id.")


@dataclass(frozen=True)
class Text:
    """What was found, and how to mend it."""

    message: str
    mend: str


class Words:
    """The return's words in one language; a language that Homeward does not speak is answered in English."""

    def __init__(self, language: str, codebook: Codebook) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._codebook = codebook
        self._catalogue = catalogue(self.language)

    def say(self, message: str, **parts: object) -> str:
        """An English message of this room in the language, with its parts filled in."""
        return self._catalogue.gettext(message).format(**parts)

    def count(self, one: str, many: str, n: int, **parts: object) -> str:
        """A message about `n` things in the plural form that the language has for n."""
        return self._catalogue.ngettext(one, many, n).format(n=n, **parts)

    def rule(self, rule: str) -> Text:
        """The text for a rule id. One without a text of its own (a newer rule than this room) is named by its id."""
        if rule in RULES:
            return self._text(RULES[rule])
        parts = rule.split(".")
        if parts[0] == "rule" and len(parts) > 2 and parts[1] in self._codebook.entities:
            found = self._of_variable(*parts[1:]) if len(parts) == 4 else self._of_entity(*parts[1:3])
            if found is not None:
                return found
        return self._text(UNKNOWN, rule=rule)

    def _of_variable(self, entity: str, name: str, kind: str) -> Text | None:
        definition = self._codebook.entities[entity]
        if name not in definition.names or kind not in KINDS:
            return None
        variable = definition.variable(name)
        low, high = variable.range or (None, None)
        if kind == "range" and (low is None or high is None):
            kind = "range_low" if high is None else "range_high"
        if kind == "date":
            low = EARLIEST_DATE
        return self._text(KINDS[kind], variable=variable.label.in_language(self.language), low=low, high=high)

    def _of_entity(self, entity: str, name: str) -> Text | None:
        if name == "record_key":
            return self._text(KINDS[name])
        definition = self._codebook.entities[entity]
        rule = next((rule for rule in definition.rules if rule.id == name), None)
        if rule is None:
            return None
        labels = [definition.variable(variable).label.in_language(self.language) for variable in rule.variables]
        mend = self.say(KINDS[rule.kind][1], variable=labels[0], other=labels[-1])
        return Text(rule.label.in_language(self.language), mend)

    def _text(self, text: tuple[str, str], **parts: object) -> Text:
        return Text(*(self.say(part, **parts) for part in text))


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The messages of a language. Plural forms are those of the .po's own header: Babel 2.18 swaps two of Arabic's."""
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language, domain="return")
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
