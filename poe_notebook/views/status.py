"""The short answers of commands: the line under ``%%poebot``, the list of bots, a confirmation, the tunnel, the help.

These are what people see most, so they are quiet: one line, and the rest behind it. Pure: values in, bundles out.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from poe_notebook.views.blocks import Block, Column, Facts, Listing, Prose, Table, Tone
from poe_notebook.views.blocks_html import blocks_html, prose_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.wording import excerpt, visible

__all__ = [
    "BotStatus",
    "Verb",
    "bots_bundle",
    "help_bundle",
    "message_bundle",
    "status_bundle",
    "tunnel_bundle",
]

_CHARS = 300
_NAME_CHARS = 100
_HELP_CHARS = 1_000
_MAX_BOTS = 200
_USAGE_CHARS = 44

_EMPTY = (
    Prose("No bot is served here. A cell like this one starts one:"),
    Listing("%%poebot Shout\nasync def get_response(request):\n    yield request.query[-1].content.upper()"),
)
_MARKS = {"info": ("·", "", "muted"), "done": ("✓", "Done: ", "good"), "warning": ("!", "Warning: ", "warn")}
_TUNNEL_TONES: dict[str, Tone] = {"open": "good", "lost": "bad", "opening": "info"}

Fact = tuple[str, bool]
"""A few words of a line, and whether they are code."""


@dataclass(frozen=True, slots=True)
class BotStatus:
    """How one bot stands. ``in_flight`` counts the answers of this generation, ``in_flight_old`` those of earlier ones.

    ``replaced`` is for a cell whose bot a later cell has defined anew. ``access`` is a sentence about the bot's access
    key (never the key), ``note`` anything else worth a few words.
    """

    name: str
    generation: int
    address: str
    in_flight: int = 0
    in_flight_old: int = 0
    state: Literal["serving", "replaced", "stopped"] = "serving"
    public_url: str | None = None
    answered: int = 0
    failed: int = 0
    access: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verb:
    """One command, for the help: ``usage`` as it is typed, ``summary`` in a sentence, ``examples`` to copy."""

    name: str
    usage: str
    summary: str
    examples: tuple[str, ...] = ()


def status_bundle(status: BotStatus) -> Bundle:
    """Show one bot in one line, which unfolds into what can be done with it."""
    line, ways = list(_line(status)), list(_ways(status))
    tone: Tone = "good" if status.state == "serving" else "muted"
    html = (
        f'<details class="poe-status"><summary>{_line_html(status.name, line, tone=tone)}</summary>'
        f"{blocks_html([Facts([(name, Prose(words)) for name, words in ways])])}</details>"
    )
    text = " · ".join([_short(status.name), *(words for words, _ in line)])
    return bundle(framed(html, label=f"Bot {_short(status.name)}"), text)


def bots_bundle(bots: Sequence[BotStatus]) -> Bundle:
    """Show all bots in a table, or how to start the first."""
    blocks: list[Block] = [_bots_table(bots[:_MAX_BOTS])] if bots else list(_EMPTY)
    if len(bots) > _MAX_BOTS:
        blocks.append(Prose(f"… and {len(bots) - _MAX_BOTS:,} more.", "muted"))
    return _blocks_bundle(blocks, label="Bots served here")


def message_bundle(text: str, kind: Literal["info", "done", "warning"] = "info") -> Bundle:
    """Show one sentence; what stands between backticks is code."""
    mark, spoken, tone = _MARKS[kind]
    words = excerpt(text, 2_000, lines=True)
    html = (
        f'<p class="poe-status-message"><span class="poe-status-mark poe-{tone}" aria-hidden="true">{mark}</span> '
        f'<span class="poe-status-spoken">{spoken}</span><span>{prose_html(words)}</span></p>'
    )
    return bundle(framed(html, label=spoken.rstrip(": ") or "Message"), f"{mark} {words}")


def tunnel_bundle(state: str, public_url: str | None = None, detail: str = "") -> Bundle:
    """Show how the tunnel stands (``open``, ``opening``, ``lost``, ``closed``)."""
    line: list[Fact] = [(excerpt(state, 40), False)]
    line += [(excerpt(public_url, _CHARS), True)] if public_url else []
    line += [(excerpt(detail, 1_000), False)] if detail else []
    now = "`%poe tunnel stop` closes it." if state in ("open", "opening") else ""
    html = f'<p class="poe-status-message">{_line_html("Tunnel", line, tone=_TUNNEL_TONES.get(state, "muted"))}</p>'
    hint = f'<p class="poe-status-hint poe-muted">{prose_html(now)}</p>' if now else ""
    text = " · ".join(["Tunnel", *(words for words, _ in line)])
    return bundle(framed(html + hint, label="Tunnel"), f"{text}\n{now}".rstrip())


def help_bundle(verbs: Sequence[Verb]) -> Bundle:
    """Show the commands, with what each does."""
    rows = [(_folded(verb.usage), Prose(_explained(verb))) for verb in verbs]
    columns = [Column("command", "code"), Column("what it does")]
    return _blocks_bundle([Table("Commands", columns, rows)], label="Commands")


def _explained(verb: Verb) -> str:
    return excerpt("\n".join([verb.summary, *(f"`{line}`" for line in verb.examples)]), _HELP_CHARS, lines=True)


def _folded(usage: str) -> str:
    lines = textwrap.wrap(excerpt(usage, _CHARS), _USAGE_CHARS, break_on_hyphens=False, subsequent_indent="    ")
    return "\n".join(lines)


def _line(status: BotStatus) -> Iterator[Fact]:
    if status.state == "stopped":
        yield status.state, False
    yield f"generation {status.generation:,}", False
    yield excerpt(status.address, _CHARS), True
    if status.public_url:
        yield excerpt(status.public_url, _CHARS), True
    busy = ", ".join(_busy(status))
    if busy:
        yield busy, False
    if status.failed:
        yield f"{status.failed:,} failed", False
    note = status.note or (status.state if status.state == "replaced" else "")
    if note:
        yield excerpt(note, _CHARS), False


def _busy(status: BotStatus) -> Iterator[str]:
    if status.in_flight:
        yield f"{status.in_flight:,} answering"
    if status.in_flight_old:
        earlier = "generation 1" if status.generation == 2 else "earlier generations"
        yield f"{status.in_flight_old:,} still on {earlier}"


def _ways(status: BotStatus) -> Iterator[tuple[str, str]]:
    name = shlex.quote(_short(status.name))
    if status.state != "serving":
        yield "serve", "Run this cell again."
    else:
        yield "chat", f"`%poe chat {name} hello`"
        yield "stop", f"`%poe stop {name}`"
    yield "inspect", f"`%poe inspect {name}`"
    if status.generation > 1 and status.state == "serving":
        yield "go back", f"`%poe rollback {name}`"
    yield "publish", "`%poe tunnel stop` takes it off the internet" if status.public_url else "`%poe tunnel start`"
    yield "access", excerpt(status.access, _CHARS) or "The address wants the bot's access key."
    yield "answers", f"{status.answered:,}" + (f", and {status.failed:,} that failed" if status.failed else "")


def _bots_table(bots: Sequence[BotStatus]) -> Table:
    numbers = ("generation", "answering", "answered", "failed")
    columns = [Column("bot"), Column("state"), *(Column(title, "number") for title in numbers)]
    return Table("Bots served here", [*columns, Column("address", "code")], [_bot_row(bot) for bot in bots])


def _bot_row(bot: BotStatus) -> list[str]:
    older = f" + {bot.in_flight_old:,} older" if bot.in_flight_old else ""
    numbers = (f"{bot.generation:,}", f"{bot.in_flight:,}{older}", f"{bot.answered:,}", f"{bot.failed:,}")
    addresses = "\n".join(excerpt(address, _CHARS) for address in (bot.address, bot.public_url) if address)
    state = f"{bot.state}: {excerpt(bot.note, _CHARS)}" if bot.note else bot.state
    return [_short(bot.name), state, *numbers, addresses]


def _line_html(name: str, line: Sequence[Fact], *, tone: Tone) -> str:
    facts = "".join(
        f' <span class="poe-status-fact">· {f"<code>{_safe(words)}</code>" if is_code else _safe(words)}</span>'
        for words, is_code in line
    )
    dot = f'<span class="poe-status-dot poe-{tone}" aria-hidden="true"></span>'
    return f"{dot}<strong>{_safe(_short(name))}</strong>{facts}"


def _blocks_bundle(blocks: Sequence[Block], *, label: str) -> Bundle:
    return bundle(framed(blocks_html(blocks), label=label), blocks_text(blocks))


def _short(name: str) -> str:
    return excerpt(name, _NAME_CHARS)


def _safe(text: str) -> str:
    return escape(visible(text))
