"""What both readable forms of a return say beside the findings: summary, severities, scopes, where lists stop."""

from __future__ import annotations

import re

from expectations.returns import LISTED, Report
from expectations.words import Words

SEVERITY_WORDS = {"error": "error", "query": "question", "note": "note"}

SEVERITY_MEANINGS = {
    "error": "An error: the row was not taken.",
    "query": "A question: the row was taken; please check it.",
    "note": "A note: the row was taken; for your information.",
}

_NUMBERED = re.compile(r"file (\d+)((?:\.\w+)?)")
_SCOPES = {"delivery": "whole delivery", "table": "whole sheet", "column": "whole column", "row": "row"}


def scope_word(words: Words, scope: str) -> str:
    """What a finding without a row is about."""
    return words.say(_SCOPES[scope])


def colon(words: Words) -> str:
    """As the language writes it behind a word."""
    return "\N{NO-BREAK SPACE}:" if words.language == "fr" else ":"


def _file(words: Words, name: str) -> str:
    """A file that is named by its number only, since its own name may be somebody's, in the language."""
    numbered = _NUMBERED.fullmatch(name)
    return words.say("file {n}", n=numbered[1]) + numbered[2] if numbered else name


def outcome(report: Report) -> str:
    """One sentence: taken, taken in part, or refused."""
    say, facts = report.words.say, report.facts
    if facts.refused_reason:
        return say("The delivery was refused: nothing of it was taken.")
    if facts.totals.rejected == 0:
        return say("All rows were taken.")
    return report.words.count(
        "{n} row was rejected; all others were taken.",
        "{n} rows were rejected; all others were taken.",
        facts.totals.rejected,
    )


def cut_short(words: Words, count: int) -> str:
    """Said where a listing stops."""
    many = "The list stops at {limit} of {n} findings of this rule; return.json holds all of them."
    return words.count(many, many, count, limit=LISTED)


def summary(report: Report) -> list[tuple[str, str | int]]:
    """Names and values of the summary, what passed first."""
    say, facts, totals = report.words.say, report.facts, report.facts.totals
    lines: list[tuple[str, str | int]] = [
        (say("Passed"), totals.accepted),
        (say("of these, with questions"), totals.flagged),
        (say("Rejected"), totals.rejected),
        (say("Rows delivered"), totals.rows_in),
        (say("Outcome"), outcome(report)),
        (say("Source"), f"{facts.title} ({facts.source})"),
        (say("Delivery"), facts.delivery),
        (say("Received"), facts.received.isoformat()),
        (say("Files"), ", ".join(_file(report.words, name) for name in facts.files)),
        (say("Codebook version"), facts.versions.get("codebook", "")),
        (say("Crosswalk version"), facts.versions.get("crosswalk", "")),
    ]
    if facts.refused_reason:
        refusal = next(mark for mark in report.marks if mark.rule == facts.refused_reason)
        lines[5:5] = [(say("Reason"), refusal.text.message), (say("How to mend"), refusal.text.mend)]
    return lines
