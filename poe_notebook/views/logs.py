"""What handlers printed, logged, warned of and raised, exchange by exchange, with the time of each line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from poe_notebook.tracing.exchange import Exchange, LogLine
from poe_notebook.views.blocks import Cell, Column, Prose, Section, Table, Tone
from poe_notebook.views.blocks_html import prose_html, section_html
from poe_notebook.views.blocks_text import section_text
from poe_notebook.views.calls import OUTCOMES
from poe_notebook.views.html import Bundle, bundle, framed
from poe_notebook.views.wording import count, excerpt, in_trace, milliseconds

__all__ = ["echo_bundle", "logs_bundle"]

_MOST_EXCHANGES, _MOST_LINES = 20, 200
_LINE_CHARS = 2_000
_ECHO_COLUMNS = (Column("at", "label"), Column("exchange", "number"), Column("from", "label"), Column("line", "code"))
_COLUMNS = (Column("at", "label"), Column("ms", "number"), Column("from", "label"), Column("line", "code"))
_TONES: dict[str, Tone] = {
    "stderr": "warn",
    "warnings": "warn",
    "WARNING": "warn",
    "ERROR": "bad",
    "CRITICAL": "bad",
    "raised": "bad",
}


def logs_bundle(exchanges: Sequence[Exchange], *, bot: str | None = None, redact: Callable[[str], str] = str) -> Bundle:
    """Show the lines of the latest exchanges that have any; ``redact`` takes keys out of lines printed in pieces."""
    talking = [exchange for exchange in exchanges if exchange.logs or exchange.raised is not None]
    shown = talking[-_MOST_EXCHANGES:]
    sections = [_section(exchange, redact) for exchange in shown]
    said = "" if talking else _nothing(bot)
    more = len(talking) - len(shown)
    if more:
        said = f"{count(more, 'earlier exchange')} that said something: `%poe inspect NUMBER`"
    note = f'<p class="poe-block-prose poe-muted">{prose_html(said)}</p>' if said else ""
    html = framed(note + "".join(map(section_html, sections)), label="Logs")
    return bundle(html, "\n\n".join([*([said] if said else []), *map(section_text, sections)]))


def echo_bundle(
    bot: str, lines: Sequence[tuple[Exchange, LogLine]], *, left_out: int = 0, redact: Callable[[str], str] = str
) -> Bundle:
    """Show a bot's latest lines, whichever exchange they are from; ``left_out`` came before them."""
    rows: list[list[str | Cell]] = []
    for exchange, line in lines:
        clock, _, source, text = _row(exchange, line, redact)
        rows.append([clock, f"{exchange.number:,}", source, text])
    table = Table(f"What {excerpt(bot, 100)} prints and logs", _ECHO_COLUMNS, rows)
    blocks: list[Table | Prose] = [table] if rows else [Prose("Nothing printed or logged yet.", "muted")]
    if left_out:
        blocks.insert(0, Prose(f"{count(left_out, 'earlier line')}: `%poe logs`", "muted"))
    section = Section("Logs", blocks, aside=excerpt(bot, 100))
    return bundle(framed(section_html(section), label=f"Logs of {excerpt(bot, 100)}"), section_text(section))


def _nothing(bot: str | None) -> str:
    return f"{excerpt(bot, 100)} has printed nothing yet." if bot else "No handler has printed anything yet."


def _section(exchange: Exchange, redact: Callable[[str], str]) -> Section:
    lines = _lines(exchange)
    rows = [_row(exchange, line, redact) for line in lines[:_MOST_LINES]]
    blocks: list[Table | Prose] = [Table("Lines", _COLUMNS, rows)]
    more = len(lines) - len(rows)
    if more:
        blocks.append(Prose(f"… and {more:,} more: `{in_trace(exchange.number)}.logs[{len(rows)}:]`", "muted"))
    title = f"Exchange {exchange.number:,} · {excerpt(exchange.bot, 100)}"
    return Section(title, blocks, aside=", ".join(_aside(exchange)))


def _aside(exchange: Exchange) -> Iterator[str]:
    if exchange.kind not in ("", "query"):
        yield f"{excerpt(exchange.kind, 60)} request"
    if exchange.generation is not None:
        yield f"generation {exchange.generation:,}"
    yield OUTCOMES.get(exchange.outcome, (excerpt(exchange.outcome, 40), ""))[0]


def _lines(exchange: Exchange) -> list[LogLine]:
    lines = list(exchange.logs)
    if exchange.raised is not None:
        raised = exchange.raised
        where = f" ({raised.at}); %poe debug {exchange.number}" if raised.at is not None else ""
        lines.append(LogLine(raised.at_s, "raised", f"{raised.type}: {raised.message}".removesuffix(": ") + where))
    return sorted(lines, key=lambda line: line.at_s)


def _row(exchange: Exchange, line: LogLine, redact: Callable[[str], str]) -> list[str | Cell]:
    at = exchange.started_at + timedelta(seconds=min(max(line.at_s, 0.0), 1e9))
    at = at.astimezone() if at.tzinfo else at
    source = " ".join(filter(None, (line.source, line.level if line.source == "log" else "")))
    tone = _TONES.get(line.level) or _TONES.get(line.source, "")
    text = excerpt(redact(line.text).rstrip("\n"), _LINE_CHARS, lines=True)
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
    return [clock, milliseconds(line.at_s), Cell(excerpt(source, 40), tone=tone), text]
