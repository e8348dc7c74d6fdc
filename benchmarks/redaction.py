"""How well free text is redacted: recall, whole spans and precision by type, words kept, notes a second.

`python -m benchmarks.redaction DATASET.jsonl [--json] [--no-analyzer]`: one object a line, `text`, `lang`, `country`
and `spans` as [start, end, type]; types may have any name, and `redaction_dataset` tells in what other forms a set may
come. `NAMES` are all types that mean a person's name. What was read otherwise than written is said first, and of each
language whether the gate would redact it at all. Nothing of a note is printed.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymization.redaction.patterns import Span
from anonymization.redaction.policy import may_redact
from anonymization.redaction.redactor import Redactor
from benchmarks.redaction_dataset import Note, is_name, read

_WORD = re.compile(r"\w+")


@dataclass
class Tally:
    """Of true spans: how many, touched, covered whole; of what was redacted: how much is true."""

    true: int = 0
    touched: int = 0
    whole: int = 0
    redacted: int = 0
    right: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def measure(notes: list[Note]) -> dict[str, Any]:
    """Figures of notes of one language and country."""
    redactor = Redactor(notes[0].language, notes[0].country)
    texts = [note.text for note in notes]
    redactor.find(texts[:20])  # lists and libraries are loaded once, not once a note
    gc.collect()  # what was loaded and read before is looked through now, and not while a few notes are timed
    started = time.process_time()
    found = redactor.find(texts)
    seconds = time.process_time() - started
    tallies: dict[str, Tally] = defaultdict(Tally)
    words = kept = redacted = right = 0
    for note, spans in zip(notes, found, strict=True):
        covered, true = _mask(note.text, spans), _mask(note.text, note.spans)
        for start, end, kind in note.spans:
            _count(tallies[kind], note.text, covered, start, end)
            if is_name(kind):
                _count(tallies["NAMES"], note.text, covered, start, end)
        hits = [any(true[start:end]) for start, end, _ in spans]
        redacted, right = redacted + len(hits), right + sum(hits)
        for start, end, kind in spans:
            tallies[f"redacted as {kind}"].redacted += 1
            tallies[f"redacted as {kind}"].right += any(true[start:end])
        for word in _WORD.finditer(note.text):
            if not any(true[word.start() : word.end()]):
                words += 1
                kept += not any(covered[word.start() : word.end()])
    types = {kind: _shares(tally) for kind, tally in sorted(tallies.items())}
    return {
        "notes": len(notes),
        "gate": "redacts" if may_redact(notes[0].language) else "withholds",
        "types": types,
        "precision": round(right / redacted, 4) if redacted else None,
        "words_kept": round(kept / words, 4) if words else None,
        "notes_per_second": round(len(notes) / seconds) if seconds else None,
    }


def _mask(text: str, spans: list[Span] | list[tuple[int, int, str]]) -> bytearray:
    mask = bytearray(len(text))
    for start, end, _ in spans:
        mask[start:end] = b"\1" * (end - start)
    return mask


def _count(tally: Tally, text: str, covered: bytearray, start: int, end: int) -> None:
    signs = [covered[place] for place in range(start, min(end, len(text))) if text[place].isalnum()]
    tally.true += 1
    tally.touched += any(signs)
    tally.whole += bool(signs) and all(signs)


def _shares(tally: Tally) -> dict[str, float | int]:
    if tally.redacted:
        return {"spans": tally.redacted, "precision": round(tally.right / tally.redacted, 4)}
    return {
        "spans": tally.true,
        "recall": round(tally.touched / tally.true, 4),
        "whole": round(tally.whole / tally.true, 4),
    }


def through_analyzer(notes: list[Note]) -> int:
    """Notes a second through Presidio's AnalyzerEngine, of up to 500."""
    from anonymization.redaction.analyzer import analyzer

    engine = analyzer(notes[0].language, notes[0].country)
    few = notes[:500]
    for note in few[:20]:
        engine.analyze(note.text, language=note.language)
    started = time.process_time()
    for note in few:
        engine.analyze(note.text, language=note.language)
    return round(len(few) / max(time.process_time() - started, 1e-6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--no-analyzer", action="store_true", help="leave the speed through AnalyzerEngine out")
    chosen = parser.parse_args()
    groups: dict[tuple[str, str], list[Note]] = defaultdict(list)
    dataset = read(chosen.dataset)
    for note in dataset.notes:
        groups[note.language, note.country].append(note)
    figures: dict[str, Any] = {}
    for (language, country), notes in sorted(groups.items()):
        figures[f"{language} {country}"] = measure(notes)
        if not chosen.no_analyzer:
            figures[f"{language} {country}"]["notes_per_second_analyzer"] = through_analyzer(notes)
    said = {what: times for what, times in dataset.said.most_common() if times}
    if chosen.json:
        figures = {"read_otherwise": said, **figures}
        print(json.dumps(figures, ensure_ascii=False, indent=1))
    else:
        for what, times in said.items():
            print(f"{times} x {what}")
        _print_table(figures)


def _print_table(figures: dict[str, Any]) -> None:
    for group, one in figures.items():
        speeds = f"{one['notes_per_second']} notes/s in bulk"
        if "notes_per_second_analyzer" in one:
            speeds += f", {one['notes_per_second_analyzer']} through AnalyzerEngine"
        print(f"{group}: {one['notes']} notes, the gate {one['gate']}, {speeds}")
        print(f"  words kept {one['words_kept']}, precision {one['precision']}")
        for kind, shares in one["types"].items():
            print(f"  {kind:28}" + "".join(f"  {name} {value}" for name, value in shares.items()))


if __name__ == "__main__":
    main()
