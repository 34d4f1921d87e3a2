"""What a bot did on the way to its answer, in HTML and as text: the tools it called, and the bots it asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from poe_notebook.protocol.call_pieces import GrowingCall
from poe_notebook.reply import NestedCall, Reply
from poe_notebook.views.html import escape
from poe_notebook.views.wording import count, excerpt, in_trace, seconds

__all__ = ["ROUTES", "calls_html", "calls_text"]

ROUTES = {"kernel": ("this kernel", "info"), "poe": ("Poe", "good"), "simulator": ("simulator", "warn")}
"""How each route is named, and its tone."""

LISTED = 50
_NAME_CHARS = 100
_SHOWN_CHARS = 4_000
_PARSED_CHARS = 20_000
_DEPTH = 5
_OUTCOMES = {"open": "still answering", "failed": "failed", "stopped": "stopped", "refused": "refused"}


def calls_html(reply: Reply) -> str:
    """Render the calls, each folded; empty if there were none."""
    items = [*map(_tool_html, reply.tool_calls[:LISTED]), *_nested_html(reply.nested, _DEPTH)]
    if not items:
        return ""
    more = len(reply.tool_calls) - LISTED
    rest = f'<p class="poe-muted">… and {more:,} more tool calls</p>' if more > 0 else ""
    return f'<div class="poe-turn-calls" role="group" aria-label="Calls">{"".join(items)}{rest}</div>'


def calls_text(reply: Reply) -> list[str]:
    """Write the calls, one under the other."""
    lines = [line for call in reply.tool_calls[:LISTED] for line in _tool_text(call)]
    if len(reply.tool_calls) > LISTED:
        lines.append(f"… and {len(reply.tool_calls) - LISTED:,} more tool calls")
    return [*lines, *_nested_text(reply.nested, _DEPTH)]


def _tool_html(call: GrowingCall) -> str:
    parts = [_part_html("Arguments", _json(call.arguments))]
    if call.result is not None:
        parts.append(_part_html("Result", _json(call.result)))
    state = "" if call.result is not None else ' <span class="poe-muted">no result in this answer</span>'
    head = f'<span class="poe-badge poe-info">tool</span><code>{escape(_tool_name(call))}</code>{state}'
    return f'<details class="poe-turn-call"><summary>{head}</summary>{"".join(parts)}</details>'


def _part_html(label: str, text: str) -> str:
    return f'<p class="poe-turn-label poe-muted">{label}</p><pre>{escape(text)}</pre>' if text else ""


def _tool_text(call: GrowingCall) -> Iterator[str]:
    yield f"Tool call {_tool_name(call)}({excerpt(call.arguments, 500)})"
    if call.result is not None:
        yield f"  gave {excerpt(call.result, 500)}"


def _tool_name(call: GrowingCall) -> str:
    return excerpt(call.name or "a tool without a name", _NAME_CHARS)


def _json(text: str) -> str:
    """Lay JSON out in lines; leave as it is what is none, or not yet whole."""
    if len(text) <= _PARSED_CHARS:
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return excerpt(text, _SHOWN_CHARS, lines=True)


def _nested_html(calls: Sequence[NestedCall], depth: int) -> Iterator[str]:
    for call in calls[:LISTED] if depth else ():
        text = excerpt(call.text, _SHOWN_CHARS, lines=True)
        said = (
            f'<pre class="poe-plain" dir="auto">{escape(text)}</pre>' if text else '<p class="poe-muted">No text.</p>'
        )
        inner = "".join([*map(_tool_html, call.tool_calls[:LISTED]), *_nested_html(call.calls, depth - 1)])
        head = f'<span class="poe-badge poe-info">bot</span><bdi>{escape(excerpt(call.bot, _NAME_CHARS))}</bdi>'
        facts = f' <span class="poe-muted">{escape(_facts(call))}</span>' if _facts(call) else ""
        yield f'<details class="poe-turn-call"><summary>{head}{facts}</summary>{said}{inner}</details>'


def _nested_text(calls: Sequence[NestedCall], depth: int) -> Iterator[str]:
    for call in calls[:LISTED] if depth else ():
        facts = f" ({_facts(call)})" if _facts(call) else ""
        yield f"Asked {excerpt(call.bot, _NAME_CHARS)}{facts}: {excerpt(call.text, 500) or 'no text'}"
        for line in [
            *(line for tool in call.tool_calls for line in _tool_text(tool)),
            *_nested_text(call.calls, depth - 1),
        ]:
            yield f"  {line}"


def _facts(call: NestedCall) -> str:
    route = ROUTES.get(call.route, (excerpt(call.route, _NAME_CHARS), ""))[0]
    took = seconds(call.duration_s) if call.duration_s is not None else ""
    length = count(len(call.text), "character") if call.text else ""
    trace = in_trace(call.number) if call.number is not None else ""
    return " · ".join(filter(None, [route, took, length, _OUTCOMES.get(call.outcome, ""), trace]))
