"""Lines of a saved trace to exchanges: strict about what is known, so that no view has to be, blind to what is not.

Every refusal names the file and the line.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, get_args

from poe_notebook.errors import BotProtocolError, TraceFileError
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.protocol.faults import kind_of
from poe_notebook.tracing.exchange import Blocked, Chunk, Exchange, LogLine, Outcome, Place, Raised, Report, Tap
from poe_notebook.tracing.fields import Refused, count, items, mapping, moment, seconds, text, texts
from poe_notebook.tracing.lines import FORMAT, PLAIN

__all__ = ["LINE_BYTES", "read_lines"]

LINE_BYTES = 128 * 1024 * 1024
"""The longest line; the body of the largest request that the server takes, written as JSON, fits."""
_ANSWER_BYTES = 64 * 1024 * 1024
"""The most that one end's events may take; what comes after that is only counted."""
_MAX_DEPTH = 100
_PLAIN_EVENT = re.compile(rb'\{"at_s":(\d{1,6}\.\d+),"type":"text","data":\{"text":"(%b)"\}\}\n' % PLAIN)
_MAJOR = FORMAT.partition(".")[0]
_OUTCOMES: dict[str, Outcome] = {outcome: outcome for outcome in get_args(Outcome)} | {"open": "stopped", "": "stopped"}
"""Nobody goes on with an answer that was saved while it was open. An outcome of a later version counts as failed."""


def read_lines(lines: Iterable[bytes], *, name: str) -> Iterator[Exchange]:
    """Give the exchanges in the lines of a file, each as soon as it is complete. Raises ``TraceFileError``."""
    reader, number = _Reader(), 0
    try:
        for number, line in enumerate(lines, 1):
            plain = _PLAIN_EVENT.fullmatch(line)
            if plain is not None and reader.can_take_events:
                reader.event(float(plain[1]), "text", encode_text(plain[2].decode("ascii")))
                continue
            values = _values(line)
            if number == 1:
                _check_head(values)
            elif "exchange" in values:
                if reader.exchange is not None:
                    yield reader.exchange
                reader.begin(values)
            else:
                reader.take(values)
    except Refused as refusal:
        raise TraceFileError(f"{name}, line {number}: {refusal}", why=refusal.why, now=refusal.now) from None
    if number == 0:
        raise TraceFileError(f"{name} is empty.", why=_RULE)
    if reader.exchange is not None:
        yield reader.exchange


_RULE = "A saved trace begins with a line that says so, and each line is one JSON object."


def _values(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_BYTES:
        raise Refused(f"it is longer than {LINE_BYTES // 1024 // 1024} MB.")
    try:
        values = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(f"this is no JSON ({error}).", why=_RULE) from None
    if not isinstance(values, dict):
        raise Refused(f"this is {kind_of(values)}.", why=_RULE)
    if line.count(b"{") + line.count(b"[") > _MAX_DEPTH and _is_deeper(values, _MAX_DEPTH):
        raise Refused(f"it is nested deeper than {_MAX_DEPTH} levels.")
    return values


def _no_number(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [child for item in inner for child in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return False
    return True


def _check_head(values: dict[str, Any]) -> None:
    if values.get("poe_notebook") != "trace":
        raise Refused("this is no saved trace.", why=_RULE, now="Save one: %poe save FILE")
    version = text(values, "version")
    if version.partition(".")[0] != _MAJOR:
        raise Refused(
            f"the file has format {version[:20]!r}.",
            why=f"This version of poe_notebook reads format {_MAJOR}.",
            now="Install the version that wrote it: %pip install -U poe-notebook",
        )


class _Reader:
    """Puts one exchange together from its lines."""

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        self._tap: Tap | None = None

    def begin(self, values: dict[str, Any]) -> None:
        self._tap = None
        outcome = text(values, "outcome")
        self.exchange = Exchange(
            number=count(values, "exchange"),
            started_at=moment(values, "started_at"),
            outcome=_OUTCOMES.get(outcome, "failed"),
            generation=count(values, "generation") if values.get("generation") is not None else None,
            parent=count(values, "parent") if values.get("parent") is not None else None,
            children=[count({"children": child}, "children") for child in items(values, "children")],
            request=mapping(values, "request"),
            asked=mapping(values, "asked") or None,
            request_headers=texts(values, "request_headers"),
            response=values.get("response"),
            raised=_raised(values["raised"]) if isinstance(values.get("raised"), dict) else None,
            message_id=text(values, "message_id"),
            bot=text(values, "bot"),
            kind=text(values, "kind"),
            route=text(values, "route"),
            url=text(values, "url"),
            note=text(values, "note") or ("Saved before it had ended." if outcome == "open" else ""),
        )

    @property
    def can_take_events(self) -> bool:
        """Whether there is an end that they belong to."""
        return self._tap is not None

    def event(self, at_s: float, type: str, raw: bytes) -> None:
        if self._tap is None:
            raise Refused("an event comes before its end.", why="An event belongs to the `end` line above it.")
        if self._tap.size_bytes + len(raw) > _ANSWER_BYTES:
            self._tap.omitted += 1
        else:
            self._tap.events.add(at_s, type, raw)

    def take(self, values: dict[str, Any]) -> None:
        take = next((take for key, take in self._TAKE.items() if key in values), None)
        if take is None:
            return  # of a later version
        if self.exchange is None:
            raise Refused("it comes before the first exchange.", why="A line belongs to the exchange above it.")
        take(self, self.exchange, values)

    def _log(self, exchange: Exchange, values: dict[str, Any]) -> None:
        at_s, source = seconds(values, "at_s"), text(values, "log")
        exchange.logs.append(LogLine(at_s, source, text(values, "text"), text(values, "level")))

    def _report(self, exchange: Exchange, values: dict[str, Any]) -> None:
        at_s, source = seconds(values, "at_s"), text(values, "report")
        exchange.reports.append(Report(at_s, source, text(values, "text"), mapping(values, "values")))

    def _blocked(self, exchange: Exchange, values: dict[str, Any]) -> None:
        at, inside = _place(values.get("at")) or Place("?", 0), text(values, "inside")
        exchange.blocked.append(Blocked(seconds(values, "at_s"), seconds(values, "length_s"), at, inside))

    def _end(self, exchange: Exchange, values: dict[str, Any]) -> None:
        self._tap = Tap(
            status=count(values, "status") if values.get("status") is not None else None,
            headers=texts(values, "headers"),
            ended_s=seconds(values, "ended_s") if values.get("ended_s") is not None else None,
            omitted=count(values, "omitted"),
            chunks=[_chunk(chunk) for chunk in items(values, "chunks")],
        )
        if text(values, "end") == "client":
            exchange.client = self._tap
        else:
            exchange.server = self._tap

    def _event(self, exchange: Exchange, values: dict[str, Any]) -> None:
        self.event(seconds(values, "at_s"), text(values, "type"), _raw(values))

    _TAKE: ClassVar[dict[str, Callable[[_Reader, Exchange, dict[str, Any]], None]]] = {
        "log": _log,
        "report": _report,
        "blocked": _blocked,
        "end": _end,
        "type": _event,
    }


def _raw(values: dict[str, Any]) -> bytes:
    if isinstance(values.get("data"), dict):
        try:
            return encode(text(values, "type"), values["data"])
        except BotProtocolError as error:
            raise Refused(str(error)) from None
    if "base64" in values:
        try:
            return b64decode(text(values, "base64"), validate=True)
        except ValueError:
            raise Refused("'base64' is no base64.") from None
    return text(values, "raw").encode("utf-8", "surrogatepass")


def _raised(values: dict[str, Any]) -> Raised:
    lines = [line for line in items(values, "lines") if isinstance(line, str)]
    type_, message, variables = text(values, "type"), text(values, "message"), texts(values, "variables")
    at_s, at = seconds(values, "at_s"), _place(values.get("at"))
    return Raised(at_s, type_, message, lines, at=at, variables=variables)


def _place(value: Any) -> Place | None:
    kinds = (str, int, str, str)
    if not isinstance(value, list) or not all(map(isinstance, value, kinds)) or len(value) < 2:
        return None
    return Place(*value[:4])


def _chunk(value: Any) -> Chunk:
    if not isinstance(value, list) or len(value) != 2:
        raise Refused(f"a chunk is {kind_of(value)}; it must be a time and a size.")
    return Chunk(seconds({"chunks": value[0]}, "chunks"), count({"chunks": value[1]}, "chunks"))
