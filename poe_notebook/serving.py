"""The bots that a kernel serves: publishing them behind the one listener, how each stands, the way to the internet.

Sits above the runtime room and owns what it starts; ``close`` leaves no port, thread, process or stream behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from poe_notebook.bot.handlers import function_bot, is_bot, is_bot_class, servable
from poe_notebook.errors import CommandError, TunnelError
from poe_notebook.keys import Redactor, environment_keys, find_access_key
from poe_notebook.protocol.limits import ACCESS_KEY_CHARS
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.ngrok import NgrokTunnel
from poe_notebook.runtime.output import HandlerOutput
from poe_notebook.runtime.server import Listener
from poe_notebook.runtime.slot import Slot
from poe_notebook.runtime.slots import Slots
from poe_notebook.runtime.tunnel import Tunnel, TunnelStatus
from poe_notebook.server.app import build_app
from poe_notebook.tracing.recorder import Trace
from poe_notebook.views.status import BotStatus

__all__ = ["Serving", "Watcher", "learn_keys"]

_STATUS_S = 0.2
"""A status line is redrawn five times a second at the most."""

Watcher = Callable[[BotStatus], None]


class Serving:
    """Slots, their listener and their tunnel. ``published`` hears of each new generation by its bot's name."""

    def __init__(self, trace: Trace, *, thread: LoopThread, published: Callable[[str], None]) -> None:
        self._trace, self._thread, self._published = trace, thread, published
        self.slots = Slots(self._slot_changed)
        self._app = build_app(self.slots.at, trace)
        self.listener = Listener(self._app, thread=thread)
        self.tunnel: Tunnel = NgrokTunnel()
        self._output = HandlerOutput()
        self._watchers: dict[str, Watcher] = {}
        self._listeners: WeakSet[Any] = WeakSet()
        self._scheduled: set[str] = set()
        self._told_busy: set[str] = set()
        self._notes: dict[str, tuple[object, str]] = {}

    def publish(
        self,
        bot: Any,
        *,
        name: str,
        thread: LoopThread,
        path: str | None = None,
        access_key_variable: str | None = None,
        port: int | None = None,
    ) -> BotStatus:
        """Serve a bot object as the next generation of its name."""
        ready = servable(bot, name=name)
        learn_keys(self._trace.redactor)
        key = find_access_key(access_key_variable, given=getattr(bot, "access_key", None))
        self.listener.open(port)
        self._output.open()
        slot = self.slots.publish(ready, thread=thread, path=path or getattr(bot, "path", None), access_key=key)
        self._trace.redactor.add(slot.access_key)
        self._published(name)
        return self.status(name)

    def serve(
        self, bot: Any, *, name: str | None = None, path: str | None = None, port: int | None = None
    ) -> BotStatus:
        """Serve a bot object, a bot class or a handler function."""
        named, ready = _as_bot(bot, name)
        return self.publish(ready, name=named, thread=self.slots.thread_for(named), path=path, port=port)

    def status(self, name: str) -> BotStatus:
        """Tell how one bot stands."""
        return self._status_of(self.slots.named(name))

    def statuses(self) -> list[BotStatus]:
        """Tell how every bot stands."""
        return [self._status_of(slot) for slot in self.slots]

    def stop(self, name: str) -> None:
        """End a bot, its running answers included."""
        self.slots.remove(name)
        self._watchers.pop(name, None)

    def rollback(self, name: str) -> BotStatus:
        """Send new requests to the generation before the current one."""
        self.slots.rollback(name)
        return self.status(name)

    def watch(self, name: str, watcher: Watcher) -> None:
        """Have a status line told of every change, from now on instead of the line before it."""
        self._watchers[name] = watcher

    def note(self, name: str, words: str, *, of: object) -> None:
        """Have a few words said in the status of a generation of a bot."""
        self._notes[name] = (of, words)
        if name in self.slots:
            self._slot_changed(self.slots.named(name))

    def listen(self, listener: Any) -> None:
        """Call ``listener.bot_changed(name)``, from any thread, whenever a bot changes; it is not kept alive for it."""
        self._listeners.add(listener)

    def home_of(self, name: str) -> str:
        """Say where a bot can be imported from, as ``module:object``; nothing if it is a notebook's own."""
        slot = next((slot for slot in self.slots if slot.name == name), None)
        kind = type(slot.current.servable.bot) if slot is not None and slot.current is not None else None
        if kind is None or kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
            return ""
        return f"{kind.__module__}:{kind.__qualname__}"

    def address_of(self, slot: Slot) -> str:
        """Give the address of a bot in this kernel."""
        return self.listener.address + slot.path

    def open_tunnel(self, name: str | None = None, *, domain: str | None = None) -> TunnelStatus:
        """Put the listener, where every bot demands its access key, on the internet."""
        if self.listener.port is None:
            raise TunnelError(
                "No bot is served yet, so there is nothing to tunnel to.", now="Define one: %%poebot MyBot"
            )
        if name is not None:
            self.slots.named(name)
        for slot in self.slots:
            _check_guessable(slot)
        self._thread.run(asyncio.to_thread(self.tunnel.open, self.listener.port, domain=domain))
        self._all_changed()
        return self.tunnel.status()

    def close_tunnel(self) -> TunnelStatus:
        """Take the public address away."""
        self._thread.run(asyncio.to_thread(self.tunnel.close))
        self._all_changed()
        return self.tunnel.status()

    def close(self) -> None:
        """End every bot, the tunnel and the listener."""
        self._watchers.clear()
        self.tunnel.close()
        self.slots.close()
        self.listener.close()
        self._output.close()

    def _status_of(self, slot: Slot) -> BotStatus:
        current, tunnel = slot.current, self.tunnel.status()
        assert current is not None
        in_flight, public = len(current.leases), tunnel.public_url
        return BotStatus(
            name=slot.name,
            generation=current.number,
            address=self.address_of(slot),
            in_flight=in_flight,
            in_flight_old=len(slot.leases) - in_flight,
            public_url=public + slot.path if public and tunnel.state == "open" else None,
            answered=slot.answered,
            failed=slot.failed,
            access=self._access_of(slot),
            note=self._note_of(slot),
        )

    def _note_of(self, slot: Slot) -> str:
        of, words = self._notes.get(slot.name, (None, ""))
        return words if of is slot.current else ""

    def _access_of(self, slot: Slot) -> str:
        wrong = self._app.state.poe_failed_keys.total
        said = f"; {wrong:,} requests have come with a wrong one, to this or another bot" if wrong else ""
        return f"Access key {slot.access_key.origin}{said}"

    def _slot_changed(self, slot: Slot) -> None:
        for listener in list(self._listeners):
            listener.bot_changed(slot.name)
        if slot.name in self._watchers and not self._thread.loop.is_closed():
            self._thread.loop.call_soon_threadsafe(self._schedule, slot.name)

    def _all_changed(self) -> None:
        for slot in self.slots:
            self._slot_changed(slot)

    def _schedule(self, name: str) -> None:
        """Tell of a change soon; at once if the last word was that answers are under way and none is any more."""
        if name in self._told_busy and name in self.slots and not self.slots.named(name).leases:
            self._tell(name)
        elif name not in self._scheduled:
            self._scheduled.add(name)
            self._thread.loop.call_later(_STATUS_S, self._tell, name)

    def _tell(self, name: str) -> None:
        self._scheduled.discard(name)
        self._told_busy.discard(name)
        watcher = self._watchers.get(name)
        if watcher is not None and name in self.slots:
            status = self.status(name)
            if status.in_flight or status.in_flight_old:
                self._told_busy.add(name)
            watcher(status)


def learn_keys(redactor: Redactor) -> None:
    """Know every key that the environment holds now; cells may have set them since."""
    for key in environment_keys():
        redactor.add(key)


def _as_bot(bot: Any, name: str | None) -> tuple[str, Any]:
    if is_bot_class(bot):
        bot = bot()
    if is_bot(bot):
        return str(name or getattr(bot, "bot_name", None) or type(bot).__name__), bot
    if callable(bot):
        named = str(name or getattr(bot, "__name__", "bot"))
        return named, function_bot({"get_response": bot}, name=named)
    raise CommandError(
        f"{bot!r:.80} ({type(bot).__name__}) is no bot.",
        why="A bot is an object or a class that extends fp.PoeBot, or a handler function.",
        now="For example: fp.serve(MyBot(), name='MyBot')",
    )


def _check_guessable(slot: Slot) -> None:
    length = len(slot.access_key.reveal())
    if length < ACCESS_KEY_CHARS:
        raise TunnelError(
            f"{slot.name} is not put on the internet: its access key has {length} characters.",
            why=f"Whoever guesses the key can use the bot. Poe's keys have {ACCESS_KEY_CHARS} characters.",
            now="Take one from https://poe.com/create_bot?server=1 into POE_ACCESS_KEY and run the bot's cell again, "
            "or give the bot no key: one is made for it.",
        )
