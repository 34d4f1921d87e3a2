"""What is needed to look into exchanges: calls, findings by the bot's own settings, files at hand, pages of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from poe_notebook.checks.finding import Finding
from poe_notebook.checks.rules import findings_of
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace
from poe_notebook.views.attached_files import AttachedFile
from poe_notebook.views.attachments import attachments_of
from poe_notebook.views.events_table import PAGE_ROWS, events_table
from poe_notebook.views.exchange_list import exchanges_table
from poe_notebook.views.inspector import Inspected
from poe_notebook.views.previews import bytes_at
from poe_notebook.views.timeline import Timeline

__all__ = ["Inspecting"]

_MAX_PREVIEWS, _PREVIEW_BYTES = 12, 4_000_000
_LOOPBACK = ("http://127.0.0.1:", "http://localhost:")
_CONTENT_BYTES = 200_000_000


class Inspecting:
    """Looks into the exchanges of a trace. ``content_of`` gives a file's bytes by its address, without the network."""

    def __init__(self, trace: Trace, content_of: Callable[[str], bytes | None]) -> None:
        self._trace, self._content_of = trace, content_of
        self._latest: tuple[int, Timeline] | None = None

    def findings(self, exchange: Exchange) -> list[Finding]:
        """Say which rules an exchange broke."""
        return findings_of(exchange, calls=self._trace.calls_of(exchange), settings=self._settings_of(exchange.bot))

    def inspected(self, exchange: Exchange, *, mark: str = "") -> Inspected:
        """Give an exchange with all that is shown of it."""
        return Inspected(
            exchange,
            calls=self._trace.calls_of(exchange),
            findings=self.findings(exchange),
            previews=self._previews(exchange),
            redact=self._trace.redactor.text,
            mark=mark,
        )

    def files(self, exchange: Exchange) -> list[AttachedFile]:
        """Give the files of an exchange, with the content of those that are at hand, up to a bound."""
        found: list[AttachedFile] = []
        room = _CONTENT_BYTES
        for source, attachment in attachments_of(exchange):
            url = str(attachment.get("url") or "")
            content = bytes_at(url, {}) or self._content_of(url) if room > 0 else None
            room -= len(content or b"")
            found.append(AttachedFile.of(source, attachment, content))
        return found

    def files_gone(self, exchange: Exchange) -> list[str]:
        """Name the request's files that stood at an address of a kernel and are not kept in this one."""
        asked = [attachment for source, attachment in attachments_of(exchange) if source.startswith("message")]
        local = [one for one in asked if str(one.get("url") or "").startswith(_LOOPBACK)]
        return [str(one.get("name") or "a file") for one in local if self._content_of(str(one["url"])) is None]

    def rows(self, number: int, asked: Mapping[str, Any]) -> tuple[Any, int, int, Mapping[str, int]] | None:
        """Give the rows that a page asks for, of an exchange or, by the number 0, of the list of all."""
        first, kinds, words = asked["first"], asked["kinds"], asked["words"]
        if number == 0:
            return exchanges_table(list(self._trace), first=first, kinds=kinds, words=words)
        exchange = self._trace.numbered(number)
        if exchange is None:
            return None
        timeline = self._timeline(exchange)
        page = timeline.page(first, PAGE_ROWS, kinds=kinds, words=words)
        return events_table(timeline, page), page.first, page.total, timeline.counts

    def _timeline(self, exchange: Exchange) -> Timeline:
        """Give the rows of an exchange; those of the last one that was asked for are kept if it has ended."""
        if self._latest is not None and self._latest[0] == exchange.number:
            return self._latest[1]
        timeline = Timeline(exchange, self._trace.calls_of(exchange))
        self._latest = (exchange.number, timeline) if exchange.outcome != "open" else None
        return timeline

    def _settings_of(self, bot: str) -> Mapping[str, Any] | None:
        answers = (e.response for e in self._trace.latest() if e.kind == "settings" and e.bot == bot)
        return next((response for response in answers if isinstance(response, dict)), None)

    def _previews(self, exchange: Exchange) -> dict[str, bytes]:
        previews: dict[str, bytes] = {}
        for _, attachment in attachments_of(exchange)[:_MAX_PREVIEWS]:
            url = attachment.get("url")
            content = self._content_of(url) if isinstance(url, str) else None
            if content is not None and len(content) <= _PREVIEW_BYTES:
                previews[str(url)] = self._trace.redactor.bytes(content)
        return previews
