"""One exchange on one time axis: ticks for events, marks for logs, the first text, and the silences, as plain values.

Drawn by ``ribbon_svg`` and, for readers without SVG, by ``ribbon_text``. The number of ticks is bounded: beyond it,
events of one kind that fall into one slice of the axis share a tick. Times are seconds from the exchange's start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from poe_notebook.tracing.exchange import Exchange, Recorded
from poe_notebook.views.wording import count, seconds

__all__ = ["GAP_S", "KINDS", "MAX_GAPS", "MAX_TICKS", "Gap", "Lane", "Ribbon", "Tick", "ribbon_of"]

MAX_TICKS = 2_000
MAX_GAPS = 50
GAP_S = 0.25

KINDS = ("text", "replace_response", "suggested_reply", "file", "data", "json", "meta", "ping", "error", "done")
_OTHER = "other"
_DRAWN = frozenset({*KINDS, "log", "raised"})
_SHORTEST_S, _LONGEST_S = 0.001, 1e9  # times outside are taken as 0: a loaded file may hold anything, NaN included


@dataclass(frozen=True, slots=True)
class Tick:
    """``count`` events of one kind between two times; ``number`` is the first one's place in the answer."""

    kind: str
    number: int
    from_s: float
    to_s: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class Lane:
    """The ticks of one end of the wire: ``server`` or ``client``."""

    name: str
    ticks: Sequence[Tick]


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence between two events, longer than ``GAP_S``."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """Seconds of silence."""
        return self.to_s - self.from_s


@dataclass(frozen=True, slots=True)
class Ribbon:
    """Everything the axis shows. ``marks`` are the handler's log lines and its exception.

    ``gaps`` are the longest silences, in order of time, out of ``gap_count``; like ``counts`` they are those of the
    bot's end if it was tapped, else of the asker's.
    """

    end_s: float
    lanes: Sequence[Lane]
    marks: Sequence[Tick]
    gaps: Sequence[Gap]
    gap_count: int
    counts: dict[str, int]
    first_text_s: float | None
    is_open: bool

    @property
    def sentence(self) -> str:
        """What the picture shows, in words: its text alternative."""
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in self.counts.items())
        length = seconds(self.end_s) + " so far" * self.is_open
        said = [f"{count(sum(self.counts.values()), 'event')} in {length}{': ' * bool(kinds)}{kinds}."]
        if self.first_text_s is not None:
            said.append(f"First text after {seconds(self.first_text_s)}.")
        if self.gap_count:
            longest = max(self.gaps, key=lambda gap: gap.length_s)
            said.append(
                f"{count(self.gap_count, 'silence').capitalize()} of more than {seconds(GAP_S)}, "
                f"the longest {seconds(longest.length_s)}, from {seconds(longest.from_s)} on."
            )
        return " ".join(said)


def ribbon_of(exchange: Exchange) -> Ribbon:
    """Lay an exchange out on its axis."""
    taps = [(name, list(tap.events)) for name, tap in (("server", exchange.server), ("client", exchange.client)) if tap]
    taps = [(name, events) for name, events in taps if events]
    seen = taps[0][1] if taps else []
    marks = [Recorded(line.at_s, "log", b"") for line in exchange.logs]
    if exchange.raised is not None:
        marks.append(Recorded(exchange.raised.at_s, "raised", b""))
    end_s = _end(exchange, [*(events for _, events in taps), marks])
    gaps, first_s = _gaps(_times(seen), end_s), exchange.first_text_s
    longest = sorted(gaps, key=lambda gap: gap.length_s, reverse=True)[:MAX_GAPS]
    return Ribbon(
        end_s=end_s,
        lanes=[Lane(name, _ticks(events, end_s, MAX_TICKS // 3)) for name, events in taps],
        marks=_ticks(marks, end_s, MAX_TICKS // 3),
        gaps=sorted(longest, key=lambda gap: gap.from_s),
        gap_count=len(gaps),
        counts=_counts(seen),
        first_text_s=None if first_s is None else _time(first_s),
        is_open=exchange.outcome == "open",
    )


def _kind_of(type: str) -> str:
    return type if type in _DRAWN else _OTHER


def _ticks(events: Sequence[Recorded], end_s: float, room: int) -> list[Tick]:
    times = _times(events)
    kinds = [_kind_of(event.type) for event in events]
    if len(events) <= room:
        return [Tick(kind, at, at_s, at_s) for at, (kind, at_s) in enumerate(zip(kinds, times, strict=True), 1)]
    scale = (room // len(set(kinds)) - 1) / end_s
    keys = [(int(at_s * scale), kind) for kind, at_s in zip(kinds, times, strict=True)]
    last = dict(zip(keys, range(len(keys)), strict=True))
    first = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
    return [Tick(key[1], first[key] + 1, times[first[key]], times[last[key]], n) for key, n in Counter(keys).items()]


def _gaps(times: Sequence[float], end_s: float) -> list[Gap]:
    return [Gap(low, high) for low, high in pairwise([0.0, *times, end_s]) if high - low > GAP_S]


def _counts(events: Sequence[Recorded]) -> dict[str, int]:
    numbers = Counter([event.type for event in events])
    kinds = {kind: numbers[kind] for kind in KINDS if numbers[kind]}
    others = len(events) - sum(kinds.values())
    return {**kinds, _OTHER: others} if others else kinds


def _end(exchange: Exchange, lanes: Iterable[Sequence[Recorded]]) -> float:
    ends = [max(_times(lane)) for lane in lanes if lane]
    return max(_SHORTEST_S, _time(exchange.duration_s or 0.0), *ends)


def _times(events: Sequence[Recorded]) -> list[float]:
    return [event.at_s if 0 <= event.at_s <= _LONGEST_S else 0.0 for event in events]


def _time(at_s: float) -> float:
    return at_s if 0 <= at_s <= _LONGEST_S else 0.0
