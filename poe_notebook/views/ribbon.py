"""One exchange on one time axis: ticks for events, marks for what the handler did, calls, silences, as plain values.

Drawn by ``ribbon_svg`` and, for readers without SVG, by ``ribbon_text``. The number of ticks is bounded: beyond it,
events of one kind that fall into one slice of the axis share a tick. Times are seconds from the exchange's start.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import le, sub

from poe_notebook.protocol.limits import FIRST_RESPONSE_S
from poe_notebook.tracing.exchange import Exchange, Tap
from poe_notebook.views.wording import count, seconds, visible

__all__ = ["GAP_S", "KINDS", "MAX_CALLS", "MAX_GAPS", "MAX_TICKS", "Gap", "Lane", "Ribbon", "Tick", "ribbon_of"]

MAX_TICKS = 2_000
MAX_GAPS = 50
MAX_CALLS = 12
GAP_S = 0.25

KINDS = ("text", "replace_response", "suggested_reply", "file", "data", "json", "meta", "ping", "error", "done")
_OTHER = "other"
_DRAWN = frozenset(KINDS)
_SHORTEST_S, _LONGEST_S = 0.001, 1e9  # times outside are taken as 0: a loaded file may hold anything, NaN included
_NAME_CHARS = 16  # what fits beside the axis


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
    """The ticks of one end of the wire, ``server`` or ``client``, of the pieces of the body, or of a call."""

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
    """Everything the axis shows. ``marks`` are the handler's log lines, the stretches it blocked, and its exception.

    ``gaps`` are the longest silences, in order of time, out of ``gap_count``; like ``counts`` they are those of the
    bot's end if it was tapped, else of the asker's. ``calls`` are the answers of bots that the handler asked, out of
    ``call_count``. ``limit_s`` is when Poe may give up on a first response, if that is on the axis.
    """

    end_s: float
    lanes: Sequence[Lane]
    chunks: Sequence[Tick]
    marks: Sequence[Tick]
    calls: Sequence[Lane]
    call_count: int
    gaps: Sequence[Gap]
    gap_count: int
    counts: dict[str, int]
    first_text_s: float | None
    limit_s: float | None
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
        if self.call_count:
            said.append(f"{count(self.call_count, 'call').capitalize()} to other bots.")
        return " ".join(said)


def ribbon_of(exchange: Exchange, calls: Sequence[Exchange] = ()) -> Ribbon:
    """Lay an exchange out on its axis, with the exchanges that its handler began."""
    taps = [(name, tap) for name, tap in (("server", exchange.server), ("client", exchange.client)) if tap]
    lanes = [(name, _Column.of(tap)) for name, tap in taps if tap.events]
    seen = lanes[0][1] if lanes else _Column([], [])
    pieces = next((tap.chunks for tap in (exchange.client, exchange.server) if tap and tap.chunks), [])
    chunks = _Column([_time(chunk.at_s) for chunk in pieces], ["chunk"] * len(pieces))
    begun = [(call, _Column.of(call.seen, later_s=_later_s(exchange, call))) for call in calls[:MAX_CALLS]]
    marks = _Column(*_marks(exchange))
    end_s = _end(exchange, [*(column for _, column in lanes), marks, *(column for _, column in begun)])
    times_s = [0.0, *seen.times_s, end_s]
    long = [at for at, gap_s in enumerate(map(sub, islice(times_s, 1, None), times_s)) if gap_s > GAP_S]
    gaps = [Gap(times_s[at], times_s[at + 1]) for at in long]
    first_s = exchange.first_text_s
    longest = sorted(gaps, key=lambda gap: gap.length_s, reverse=True)[:MAX_GAPS]
    return Ribbon(
        end_s=end_s,
        lanes=[Lane(name, column.ticks(end_s, MAX_TICKS // 4)) for name, column in lanes],
        chunks=chunks.ticks(end_s, MAX_TICKS // 8),
        marks=[*_blocked(exchange), *marks.ticks(end_s, MAX_TICKS // 8)],
        calls=[Lane(_short(call.bot), column.ticks(end_s, MAX_TICKS // 4 // len(begun))) for call, column in begun],
        call_count=len(calls),
        gaps=sorted(longest, key=lambda gap: gap.from_s),
        gap_count=len(gaps),
        counts=_counts(seen.kinds),
        first_text_s=None if first_s is None else _time(first_s),
        limit_s=FIRST_RESPONSE_S if end_s >= FIRST_RESPONSE_S else None,
        is_open=exchange.outcome == "open",
    )


class _Column:
    """Times in order, and what happened at each."""

    def __init__(self, times_s: list[float], kinds: list[str]) -> None:
        self.times_s, self.kinds = times_s, kinds
        if not times_s:
            return
        is_in_order = all(map(le, times_s, islice(times_s, 1, None)))  # which no NaN is
        if not (is_in_order and times_s[0] >= 0 and times_s[-1] <= _LONGEST_S):
            pairs = sorted(zip(map(_time, times_s), kinds, strict=True), key=lambda pair: pair[0])
            self.times_s, self.kinds = [at_s for at_s, _ in pairs], [kind for _, kind in pairs]

    @classmethod
    def of(cls, tap: Tap | None, *, later_s: float = 0.0) -> _Column:
        """Make one of a tap's events, on the clock of an exchange that began so much earlier."""
        if tap is None:
            return cls([], [])
        types = tap.events.types
        times_s = tap.events.times_s[: len(types)]
        if later_s:
            times_s = [at_s + later_s for at_s in times_s]
        found = set(types)
        if found <= _DRAWN:
            return cls(times_s, types)
        known = {type_: type_ if type_ in _DRAWN else _OTHER for type_ in found}
        return cls(times_s, [known[type_] for type_ in types])

    def ticks(self, end_s: float, room: int) -> list[Tick]:
        """Give the ticks: one for each, or if they are too many one for each kind in each slice of the axis."""
        if len(self.times_s) <= room:
            pairs = enumerate(zip(self.kinds, self.times_s, strict=True), 1)
            return [Tick(kind, at, at_s, at_s) for at, (kind, at_s) in pairs]
        slices = max(room // len(set(self.kinds)) - 1, 1)
        edges = [bisect_left(self.times_s, end_s * at / slices) for at in range(1, slices)]
        found: list[Tick] = []
        for low, high in pairwise([0, *edges, len(self.times_s)]):
            part = self.kinds[low:high]
            for kind in set(part):
                first = low + part.index(kind)
                found.append(Tick(kind, first + 1, self.times_s[first], self.times_s[high - 1], part.count(kind)))
        return found


def _marks(exchange: Exchange) -> tuple[list[float], list[str]]:
    marks = [(_time(line.at_s), "log") for line in list(exchange.logs)]
    if exchange.raised is not None:
        marks.append((_time(exchange.raised.at_s), "raised"))
    return [at_s for at_s, _ in marks], [kind for _, kind in marks]


def _blocked(exchange: Exchange) -> Iterator[Tick]:
    for at, each in enumerate(list(exchange.blocked)[: MAX_TICKS // 8], 1):
        from_s = _time(each.at_s)
        yield Tick("blocked", at, from_s, _time(from_s + each.length_s))


def _counts(kinds: Sequence[str]) -> dict[str, int]:
    numbers = Counter(kinds)
    return {kind: numbers[kind] for kind in (*KINDS, _OTHER) if numbers[kind]}


def _end(exchange: Exchange, columns: Iterable[_Column]) -> float:
    ends = [column.times_s[-1] for column in columns if column.times_s]
    blocked = [_time(each.at_s + each.length_s) for each in list(exchange.blocked)]
    return max(_SHORTEST_S, _time(exchange.duration_s or 0.0), *ends, *blocked)


def _short(name: str) -> str:
    shown = visible(name[: _NAME_CHARS + 1])
    return shown if len(shown) <= _NAME_CHARS else shown[: _NAME_CHARS - 1] + "…"


def _later_s(exchange: Exchange, call: Exchange) -> float:
    try:
        return (call.started_at - exchange.started_at).total_seconds()
    except TypeError:
        return 0.0  # one of the two says in what zone it is, the other does not


def _time(at_s: float) -> float:
    return at_s if 0 <= at_s <= _LONGEST_S else 0.0
