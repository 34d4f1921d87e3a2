"""The events of one exchange as a table: when each came, the silence before it, its type, its data, its bytes.

Where both ends were tapped, each event stands once, with both times. Bounded: rows, data and bytes are cut.
Bytes are read leniently, by the rules of WHATWG HTML §9.2: what a bot sent is shown even where it breaks the protocol.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from poe_notebook.tracing.exchange import Exchange, Recorded
from poe_notebook.views.blocks import Block, Cell, Column, Prose, Section, Table, Tone
from poe_notebook.views.wording import count, excerpt, in_trace, milliseconds, wire_excerpt

__all__ = ["MAX_ROWS", "data_of", "events_section"]

MAX_ROWS = 500
_DATA_CHARS = 160
_RAW_BYTES = 600
_READ_BYTES = 64_000  # data longer than this is shown, not parsed

_TONES: dict[str, Tone] = {"error": "bad", "done": "good"}

Pair = tuple[Recorded | None, Recorded | None]
"""An event as the server's end saw it, and as the client's end did."""


def events_section(exchange: Exchange) -> Section:
    """Build the table of an exchange's events."""
    server, client = (list(tap.events) if tap is not None else [] for tap in (exchange.server, exchange.client))
    pairs = list(islice(_paired(server, client), MAX_ROWS))
    if not pairs:
        return Section("Events", [Prose(_nothing(exchange), "muted")])
    total = max(len(server), len(client), len(pairs))
    blocks: list[Block] = [_table(pairs, is_double=bool(server and client))]
    if total > len(pairs):
        rest = f"{in_trace(exchange.number)}.events[{len(pairs)}:]"
        blocks.append(Prose(f"… and {total - len(pairs):,} more: `{rest}`", "muted"))
    return Section("Events", blocks, aside=f"{total:,}")


def data_of(raw: bytes) -> str:
    """Read the data out of an event's bytes: its ``data`` lines, joined."""
    lines = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [value.removeprefix(" ") for name, _, value in (line.partition(":") for line in lines) if name == "data"]
    return "\n".join(found)


def _nothing(exchange: Exchange) -> str:
    if exchange.outcome == "open":
        return "No event has come yet."
    return "No event came." if exchange.kind in ("query", "") else f"A {exchange.kind} request has no events."


def _table(pairs: Sequence[Pair], *, is_double: bool) -> Table:
    times = ("server ms", "client ms") if is_double else ("ms",)
    numbers = [Column(title, "number") for title in ("#", *times, "gap ms")]
    columns = [*numbers, Column("type", "label"), Column("data", "code")]
    return Table("Events", columns, list(_rows(pairs, is_double=is_double)))


def _rows(pairs: Sequence[Pair], *, is_double: bool) -> Iterator[list[str | Cell]]:
    before_s = 0.0
    for number, pair in enumerate(pairs, 1):
        event = pair[0] or pair[1]
        assert event is not None
        times = pair if is_double else (event,)
        yield [
            f"{number:,}",
            *(milliseconds(seen.at_s) if seen is not None else "-" for seen in times),
            milliseconds(event.at_s - before_s),
            Cell(excerpt(event.type, 60), tone=_TONES.get(event.type, "")),
            Cell(_shown_data(event.raw), raw=wire_excerpt(event.raw, _RAW_BYTES)),
        ]
        before_s = event.at_s


def _paired(server: Sequence[Recorded], client: Sequence[Recorded]) -> Iterator[Pair]:
    """Pair the two ends' events in order; an end that misses one (a cut line, a lost event) leaves its place empty."""
    at = 0
    for event in server:
        is_same = at < len(client) and client[at].type == event.type
        yield (event, client[at]) if is_same else (event, None)
        at += is_same
    yield from ((None, event) for event in client[at:])


def _shown_data(raw: bytes) -> str:
    if len(raw) > _READ_BYTES:
        return f"{excerpt(data_of(raw[:_DATA_CHARS]), _DATA_CHARS)}… ({count(len(raw), 'byte')} in all)"
    data = data_of(raw)
    with suppress(ValueError, RecursionError):
        data = json.dumps(json.loads(data), ensure_ascii=False)
    return excerpt(data, _DATA_CHARS) or "(no data)"
