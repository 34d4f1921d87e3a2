"""Who writes down what about one query: the exchange that it belongs to, and whether its asker keeps its own end."""

from __future__ import annotations

from dataclasses import dataclass

from poe_notebook.simulator.faults import Faults
from poe_notebook.tracing.exchange import Outcome
from poe_notebook.tracing.recorder import EXCHANGE_HEADER, Recording

__all__ = ["Asking"]


@dataclass(slots=True)
class Asking:
    """One query's exchange; an asker in this kernel, a handler say, writes its end itself.

    ``faults`` are what is to go wrong; without any, those of the bot count.
    """

    recording: Recording
    is_written_by_asker: bool = False
    faults: Faults | None = None

    @property
    def own_recording(self) -> Recording | None:
        """The pen for the asker's end, if that is ours to hold."""
        return None if self.is_written_by_asker else self.recording

    @property
    def headers(self) -> dict[str, str]:
        """What names the exchange to the bot's server."""
        return {EXCHANGE_HEADER: self.recording.reference}

    def event(self, type: str, raw: bytes) -> float:
        """Write down an event at the asker's end, unless the asker does; gives its time."""
        return self.recording.now_s() if self.is_written_by_asker else self.recording.event(type, raw)

    def end(self, outcome: Outcome, note: str = "") -> None:
        """Close the asker's end, unless the asker does."""
        if not self.is_written_by_asker:
            self.recording.end(outcome, note)
