"""One session per kernel: it builds the rooms and owns their lifetimes. What can be asked for is asked of its parts.

The first use starts the toolkit's thread; ``close`` leaves no port, thread, process or stream behind.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

from poe_notebook.cell import cell_label
from poe_notebook.chats import Chats
from poe_notebook.client.pool import close_clients_of_this_loop
from poe_notebook.comparing import Comparison
from poe_notebook.errors import CommandError, ExchangeNotFound
from poe_notebook.inspecting import Inspecting
from poe_notebook.keeping import Pinned, pin_turn, read_recording
from poe_notebook.keys import Redactor, find_access_key
from poe_notebook.outside import Outside
from poe_notebook.panel import Panel
from poe_notebook.replaying.pinning import Pin, guessed_place
from poe_notebook.replaying.playback import RecordedBot
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.server import SIMULATOR_PORT, Listener
from poe_notebook.serving import Serving, learn_keys
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.files import FileError
from poe_notebook.simulator.registry import Registry
from poe_notebook.simulator.simulator import Simulator
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace
from poe_notebook.views.status import BotStatus

__all__ = ["Session", "close_session", "current_session", "has_session"]


class Session:
    """What a kernel serves (``serving``), asks (``chats``) and records (``trace``), and the Poe that it plays."""

    def __init__(self) -> None:
        self.redactor = Redactor()
        self.trace = Trace(self.redactor, label=cell_label)
        self.thread = LoopThread("poe-notebook")
        self.serving = Serving(self.trace, thread=self.thread, published=self._ask_for_settings)
        self.registry = Registry()
        self._simulator = Simulator(self.trace, served=self._served)
        self._simulator_listener = Listener(self._simulator.app, thread=self.thread, usual_port=SIMULATOR_PORT)
        self.outside = Outside()
        self.chats = Chats(
            self.serving, self.trace, thread=self.thread, simulator=lambda: self.simulator, outside=self.outside
        )
        self._panels: WeakSet[Panel] = WeakSet()
        self.inspecting = Inspecting(self.trace, self.content_of)
        self._is_closed = False

    @property
    def simulator(self) -> Simulator:
        """The simulated Poe, listening from its first use on."""
        if self._simulator_listener.port is None:
            self._simulator_listener.open()
            self.trace.poe_url = self._simulator.address = self._simulator_listener.address
        return self._simulator

    @property
    def simulator_address(self) -> str:
        """Where the simulated Poe listens; empty before its first use."""
        return self._simulator.address

    def use_simulator(self) -> None:
        """Let the library's functions and scripts started here reach the simulated Poe."""
        self.outside.use_simulator(self.simulator.address, self.simulator.api_key)

    def learn_keys(self) -> None:
        """Know every key that the environment holds now, so that none of them is shown."""
        learn_keys(self.redactor)

    def register(self, name: str, url: str, *, access_key_variable: str | None = None) -> None:
        """Make a bot server that runs elsewhere known to the simulated Poe. Raises ``KeyMissing``, ``CommandError``."""
        bot = self.registry.add(name, url, find_access_key(access_key_variable))
        self.redactor.add(bot.access_key)
        self._ask_for_settings(name)

    def panel(self, bot: str, **options: Any) -> Panel:
        """Make a panel to chat with a bot, with a conversation of its own; ``options`` as for ``Panel``."""
        slots = self.serving.slots

        def generation_of(name: str) -> int | None:
            current = slots.named(name).current if name in slots else None
            return current.number if current is not None else None

        panel = Panel(
            bot,
            chats=self.chats,
            thread=self.thread,
            redact=self.redactor.text,
            generation_of=generation_of,
            resolve=self.content_of,
            **options,
        )
        self._panels.add(panel)
        self.serving.listen(panel)
        return panel

    def compare(self, bots: Sequence[str], message: str, *, via: str | None = None, **options: Any) -> Comparison:
        """Begin to ask several bots the same, each in a conversation of its own; ``options`` as for a turn."""
        if not bots:
            raise CommandError("No bot is named.", now="Name some: fp.compare(['Shout', 'Whisper'], 'hello')")
        routes = [self.chats.route(bot, via) for bot in bots]
        turns = [
            self.chats.next_turn(self.chats.conversation(bot, route=route), message, route=route, **options)
            for bot, route in zip(bots, routes, strict=True)
        ]
        return Comparison(turns, thread=self.thread, points_of=self.chats.points_of, redact=self.redactor.text)

    def exchange(self, selector: str | int | Exchange | None = None) -> Exchange:
        """Find an exchange: the latest, the latest of a bot, or by number.

        Negative numbers count the questions from the latest, -1, back: neither settings requests nor handlers' calls.
        """
        found = selector if isinstance(selector, Exchange) else self._exchange(selector)
        if found is None:
            what = "Nothing has been asked yet." if selector is None else f"There is no exchange {selector!r} to show."
            now = "See all: %poe inspect all" if len(self.trace) else "Ask a bot first: %poe chat BOT hello"
            raise ExchangeNotFound(what, why=f"Kept: {self.trace!r}.", now=now)
        return found

    def pin(
        self,
        which: str | int | Exchange | None,
        file: str | Path,
        *,
        bot: str | None = None,
        url: str | None = None,
        **how: Any,
    ) -> Pinned:
        """Keep a turn as a pytest test; ``how`` as for ``Pin``, or none for what is usual. Raises ``CommandError``."""
        if bot and url:
            raise CommandError("A test asks one bot: give its module or its address, not both.")
        self.learn_keys()
        exchange = self.exchange(which)
        place = url or bot or self.serving.home_of(exchange.bot) or guessed_place(exchange.bot)
        given = {name: value for name, value in how.items() if value is not None}
        given.setdefault("match", "regex" if given.get("pattern") else "exact")
        return pin_turn(exchange, file, Pin(place, **given), redactor=self.redactor)

    def serve_recording(self, file: str | Path, *, bot: str | None = None, name: str | None = None) -> BotStatus:
        """Serve a bot out of a saved trace. Raises ``TraceFileError``, ``CommandError``."""
        self.learn_keys()
        recorded = RecordedBot.out_of(read_recording(file, self.redactor), bot, file=str(file))
        return self.serving.serve(recorded, name=name or recorded.bot_name)

    def every(self, step: Callable[[], float | None]) -> None:
        """Do something now, and again and again on the toolkit's thread, until it gives no time to wait any more."""
        wait_s = step()
        if wait_s is not None and not self._is_closed:
            self.thread.call(self.thread.loop.call_later, wait_s, self.every, step)

    def close(self) -> None:
        """End everything; again is no harm."""
        if self._is_closed:
            return
        self._is_closed = True
        for panel in list(self._panels):
            panel.close("poe_notebook was unloaded, so nobody answers here any more.")
        self.outside.use_poe()
        self.serving.close()
        self._simulator_listener.close()
        self._simulator.close()
        self.thread.run(close_clients_of_this_loop())
        self.thread.close()

    def _ask_for_settings(self, name: str) -> None:
        """Have the simulated Poe learn a bot's settings as soon as it is there, as Poe does when a server starts."""
        bot = self._simulator.directory.find(name)
        if bot is not None:
            self.thread.submit(self._learn_settings(bot))

    async def _learn_settings(self, bot: KnownBot) -> None:
        understood = await self._simulator.poe.settings.of(bot)
        if understood.fault:
            self.serving.note(
                bot.name, f"no settings: {understood.fault} Look: %poe settings {bot.name}", of=bot.version
            )

    def content_of(self, url: str) -> bytes | None:
        """Give a file that the simulated Poe keeps, even if its address has expired for others."""
        file = self._simulator.files.file_at(url)
        try:
            return self._simulator.files.read(file.file_id) if file is not None else None
        except FileError:
            return None

    def _served(self) -> list[KnownBot]:
        slots, address = self.serving.slots, self.serving.address_of
        own = [KnownBot(slot.name, address(slot), slot.access_key, version=slot.current) for slot in slots]
        names = {bot.name.casefold() for bot in own}
        return own + [bot for bot in self.registry if bot.name.casefold() not in names]

    def _exchange(self, selector: str | int | None) -> Exchange | None:
        if selector is None:
            return self.trace.last()
        try:
            number = int(selector)
        except TypeError:
            return None
        except ValueError:
            bot = str(selector)
            if bot not in self.serving.slots and self.trace.last(bot) is None:
                raise self.serving.slots.not_found(bot) from None
            return self.trace.last(bot)
        if number >= 0:
            return self.trace.numbered(number)
        questions = self.trace.questions
        return questions[number] if -number <= len(questions) else None


_session: Session | None = None


def current_session() -> Session:
    """Give the kernel's session, starting it at the first call."""
    global _session
    if _session is None:
        _session = Session()
        atexit.register(close_session)
    return _session


def close_session() -> None:
    """End the kernel's session, if there is one; the next use starts another."""
    global _session
    session, _session = _session, None
    if session is not None:
        atexit.unregister(close_session)
        session.close()


def has_session() -> bool:
    """Whether a session has been started."""
    return _session is not None
