"""What was found in a note as one span each: parts of a name or an address with what stands between them."""

from __future__ import annotations

from anonymization.redaction.patterns import Span


def merged(text: str, spans: list[Span]) -> list[Span]:
    """Spans that touch or have only blanks, commas, dots and dashes between them as one: part of a name names too."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            last = joined[-1]
            joined[-1] = Span(
                last.start,
                max(last.end, span.end),
                last.type if last.end - last.start >= span.end - span.start else span.type,
            )
        elif joined and _joins(text, joined[-1], span):
            kind = joined[-1].type if joined[-1].type == span.type else "ADDRESS"
            joined[-1] = Span(joined[-1].start, span.end, kind)
        else:
            joined.append(span)
    return joined


def _joins(text: str, left: Span, right: Span) -> bool:
    if {left.type, right.type} - {"NAME", "ADDRESS"} or right.start - left.end > 5:
        return False
    gap = text[left.end : right.start]
    if left.type == right.type == "NAME":
        return not gap.strip(" .-'’")
    return not gap.strip(" .,-'’#|>\n\r/()°ºª")
