"""What checks found in one exchange, on top of everything else: cause, line, rule, and what to do now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poe_notebook.checks.finding import Finding
from poe_notebook.tracing.exchange import Exchange, Raised
from poe_notebook.views.blocks import Block, Column, Facts, Folded, Listing, Prose, Section, Table, Tone
from poe_notebook.views.wording import count, excerpt, in_trace

__all__ = ["findings_sections"]

_MAX_FINDINGS = 30
_CHARS = 1_000
_LINES_CHARS = 6_000
_TITLES: dict[str, tuple[str, Tone]] = {
    "error": ("What went wrong", "bad"),
    "warning": ("What to mend", "warn"),
    "note": ("Good to know", ""),
}
_MARKS: dict[str, tuple[str, Tone]] = {"error": ("✗", "bad"), "warning": ("!", "warn"), "note": ("·", "muted")}


def findings_sections(exchange: Exchange, findings: Sequence[Finding]) -> Iterator[Section]:
    """Build the section; none if nothing was found."""
    if not findings:
        return
    blocks: list[Block] = []
    for finding in findings[:_MAX_FINDINGS]:
        blocks += _finding(finding, _shown_instead(exchange) if finding.is_exception else "")
        if exchange.raised is not None and finding.is_exception:
            blocks += _exception(exchange, exchange.raised)
    if len(findings) > _MAX_FINDINGS:
        blocks.append(Prose(f"… and {len(findings) - _MAX_FINDINGS:,} more.", "muted"))
    title, tone = _TITLES[findings[0].severity]
    yield Section(title, blocks, aside=count(len(findings), "finding") if len(findings) > 1 else "", tone=tone)


def _finding(finding: Finding, poe_shows: str = "") -> Iterator[Block]:
    mark, tone = _MARKS[finding.severity]
    yield Prose(f"{mark} {excerpt(finding.title, _CHARS)}", tone)
    if finding.place is not None and finding.place.code:
        yield Listing(excerpt(finding.place.code, _CHARS))
    rule = "; ".join(filter(None, (excerpt(finding.source, 200), f"rule {excerpt(finding.rule, 60)}")))
    yield Facts(
        [
            ("where", excerpt(finding.where, _CHARS)),
            ("Poe shows", poe_shows),
            ("why", Prose(f"{excerpt(finding.why, _CHARS)} ({rule})")),
            ("now", Prose(excerpt(finding.now, _CHARS))),
        ]
    )


def _shown_instead(exchange: Exchange) -> str:
    """Give the text of the ``error`` event, which is all that a user sees of an exception."""
    events = exchange.events
    at = next((at for at, type_ in enumerate(events.types) if type_ == "error"), None)
    data = events[at].data if at is not None else None
    return excerpt(str(data.get("text") or ""), _CHARS, lines=True) if isinstance(data, dict) else ""


def _exception(exchange: Exchange, raised: Raised) -> Iterator[Block]:
    lines = "\n".join(line.rstrip("\n") for line in raised.lines)
    if lines:
        yield Listing(lines if len(lines) <= _LINES_CHARS else f"…\n{lines[-_LINES_CHARS:]}")
    if raised.variables:
        rows = [[excerpt(name, 60), excerpt(value, 200)] for name, value in raised.variables.items()]
        columns = [Column("variable", "code"), Column("value", "code")]
        yield Folded(f"Variables at that line ({len(rows)})", [Table("Variables at that line", columns, rows)])
    if raised.error is not None:
        code = f"{in_trace(exchange.number)}.raised.error"
        yield Prose(f"`%poe debug {exchange.number}` opens the debugger at that line; `{code}` is the exception.")
