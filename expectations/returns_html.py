"""return.html: one page to read in any browser, offline: no script, no request, no value of the delivery."""

from __future__ import annotations

from pathlib import Path

from expectations.returns import LISTED, Marks, Report
from expectations.returns_words import SEVERITY_MEANINGS, SEVERITY_WORDS, colon, cut_short, outcome, scope_word, summary

TEMPLATES = Path(__file__).resolve().parent / "templates"


def write(report: Report, path: Path) -> None:
    """Raises OSError when the disk does not take it."""
    path.write_text(render(report), encoding="utf-8")


def render(report: Report) -> str:
    """The page in the supplier's language; right to left for Arabic, with ids and column names isolated."""
    import jinja2

    words = report.words
    loader = jinja2.FileSystemLoader(TEMPLATES)
    page = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    listings = {rule.rule: _listing(report, rule.rule) for rule in report.rules}
    return page.get_template("return.html").render(
        report=report,
        facts=report.facts,
        say=words.say,
        language=words.language,
        direction="rtl" if words.language == "ar" else "ltr",
        colon=colon(words),
        outcome=outcome(report),
        summary=summary(report)[5:],
        severities={name: words.say(word) for name, word in SEVERITY_WORDS.items()},
        meanings={name: words.say(text) for name, text in SEVERITY_MEANINGS.items()},
        listings=listings,
        notices={rule.rule: cut_short(words, rule.count) for rule in report.rules if rule.count > LISTED},
    )


def _listing(report: Report, rule: str) -> list[tuple[Marks, str, str]]:
    """(where it is, row or scope, finding id) of one rule, LISTED at most."""
    listed: list[tuple[Marks, str, str]] = []
    for mark in report.marks:
        if mark.rule == rule:
            room = range(LISTED - len(listed))
            for (finding, row), _ in zip(mark.findings(report.facts.delivery), room, strict=False):
                listed.append((mark, scope_word(report.words, mark.scope) if row is None else str(row), finding))
    return listed
