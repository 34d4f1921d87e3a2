"""One session per kernel: it builds the rooms and owns their lifetimes. A facade: each method is one thing to ask for.

The first use starts the toolkit's thread; ``close`` leaves no port, thread, process or stream behind.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable
from typing import Any

from poe_notebook.bot.handlers import function_bot, is_bot, is_bot_class, servable
from poe_notebook.cell import cell_label
from poe_notebook.client.pool import close_clients_of_this_loop
from poe_notebook.client.query import bot_url, stream_events
from poe_notebook.conversation import Conversation, Reply
from poe_notebook.errors import BotNotFound, CommandError, KeyMissing, TunnelError
from poe_notebook.keys import Redactor, Secret, environment_keys, find_access_key, find_api_key
from poe_notebook.protocol.limits import ACCESS_KEY_CHARS
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.ngrok import NgrokTunnel
from poe_notebook.runtime.output import HandlerOutput
from poe_notebook.runtime.server import Listener
from poe_notebook.runtime.slot import Slot
from poe_notebook.runtime.slots import Slots
from poe_notebook.runtime.tunnel import Tunnel, TunnelStatus
from poe_notebook.server.app import build_app
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace
from poe_notebook.turn import Turn
from poe_notebook.views.status import BotStatus

__all__ = ["Session", "close_session", "current_session"]

ROUTES = ("kernel", "poe")
_STATUS_S = 0.2
"""A status line is redrawn five times a second at the most."""

Watcher = Callable[[BotStatus], None]


class Session:
    """Everything that a kernel serves, asks and records."""

    def __init__(self) -> None:
        self.redactor = Redactor()
        self.trace = Trace(self.redactor, label=cell_label)
        self.thread = LoopThread("poe-notebook")
        self.slots = Slots(self._slot_changed)
        self.listener = Listener(build_app(self.slots.at, self.trace), thread=self.thread)
        self.tunnel: Tunnel = NgrokTunnel()
        self._output = HandlerOutput()
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._watchers: dict[str, Watcher] = {}
        self._scheduled: set[str] = set()
        self._told_busy: set[str] = set()
        self._is_closed = False

    # Bots.

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
        self._learn_keys()
        key = find_access_key(access_key_variable, given=getattr(bot, "access_key", None))
        self.listener.open(port)
        self._output.open()
        slot = self.slots.publish(ready, thread=thread, path=path or getattr(bot, "path", None), access_key=key)
        self.redactor.add(slot.access_key)
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

    # Chat.

    def turn(
        self,
        bot: str,
        message: str,
        *,
        via: str | None = None,
        new: bool = False,
        parameters: dict[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Turn:
        """Begin the next turn of the conversation with a bot."""
        self._learn_keys()
        route, url, key = self._route(bot, via)
        if new or (bot, route) not in self._conversations:
            self._conversations[bot, route] = Conversation(bot)
        request, reply = self._conversations[bot, route].ask(message, route=route, parameters=parameters)
        recording = self.trace.begin_client(
            bot=bot,
            kind="query",
            message_id=request.message_id,
            route=route,
            request=request.model_dump(exclude={"access_key", "api_key"}),
            url=url,
        )
        events = stream_events(request, url, key=key, is_local=route == "kernel", recording=recording)
        return Turn(reply, events, recording, thread=self.thread, timeout_s=timeout_s)

    def ask(self, bot: str, message: str, **options: Any) -> Reply:
        """Ask a bot and wait for its whole answer."""
        return self.turn(bot, message, **options).run()

    async def aask(self, bot: str, message: str, **options: Any) -> Reply:
        """Ask a bot from a coroutine, on whatever loop; cancelling it stops the answer."""
        return await self.turn(bot, message, **options).arun()

    # Trace.

    def exchange(self, selector: str | int | None = None) -> Exchange:
        """Find an exchange: the latest, the latest of a bot, or by number (negative ones count from the latest)."""
        found = self._exchange(selector)
        if found is None:
            what = "Nothing has been asked yet." if selector is None else f"There is no exchange {selector!r} to show."
            raise CommandError(what, why=f"Kept: {self.trace!r}.", now="Ask a bot first: %poe chat BOT hello")
        return found

    # The outside.

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
        opening = asyncio.to_thread(self.tunnel.open, self.listener.port, domain=domain)
        self.thread.run(opening)
        self._all_changed()
        return self.tunnel.status()

    def close_tunnel(self) -> TunnelStatus:
        """Take the public address away."""
        self.thread.run(asyncio.to_thread(self.tunnel.close))
        self._all_changed()
        return self.tunnel.status()

    def close(self) -> None:
        """End everything; again is no harm."""
        if self._is_closed:
            return
        self._is_closed = True
        self._watchers.clear()
        self.tunnel.close()
        self.slots.close()
        self.listener.close()
        self.thread.run(close_clients_of_this_loop())
        self.thread.close()
        self._output.close()

    # Within.

    def _route(self, bot: str, via: str | None) -> tuple[str, str, Secret]:
        route = via or ("kernel" if bot in self.slots or find_api_key() is None else "poe")
        if route not in ROUTES:
            raise CommandError(f"There is no route {route!r}.", now=f"Routes are: {', '.join(ROUTES)}.")
        if route == "kernel":
            slot = self._served(bot)
            return route, self.listener.address + slot.path, slot.access_key
        key = find_api_key()
        if key is None:
            raise KeyMissing(
                f"Asking {bot} on Poe takes your API key, and POE_API_KEY is not set.",
                why="Find it at https://poe.com/api_key.",
                now='Type: import os, getpass; os.environ["POE_API_KEY"] = getpass.getpass("API key: ")',
            )
        return route, bot_url(bot), key

    def _learn_keys(self) -> None:
        """Know every key that the environment holds now; cells may have set them since."""
        for key in environment_keys():
            self.redactor.add(key)

    def _served(self, bot: str) -> Slot:
        try:
            return self.slots.named(bot)
        except BotNotFound as error:
            if find_api_key() is None:
                error.now += "\nA bot on Poe can be asked once POE_API_KEY is set."
            raise

    def _exchange(self, selector: str | int | None) -> Exchange | None:
        if selector is None:
            return self.trace.last()
        try:
            number = int(selector)
        except ValueError:
            if str(selector) not in self.slots and self.trace.last(str(selector)) is None:
                raise self.slots.not_found(str(selector)) from None
            return self.trace.last(str(selector))
        if number >= 0:
            return self.trace.numbered(number)
        return self.trace[number] if -number <= len(self.trace) else None

    def _status_of(self, slot: Slot) -> BotStatus:
        current, tunnel = slot.current, self.tunnel.status()
        assert current is not None
        in_flight, public = len(current.leases), tunnel.public_url
        return BotStatus(
            name=slot.name,
            generation=current.number,
            address=self.listener.address + slot.path,
            in_flight=in_flight,
            in_flight_old=len(slot.leases) - in_flight,
            public_url=public + slot.path if public and tunnel.state == "open" else None,
            answered=slot.answered,
            failed=slot.failed,
            access=f"Access key {slot.access_key.origin}",
        )

    def _slot_changed(self, slot: Slot) -> None:
        if slot.name in self._watchers and not self.thread.loop.is_closed():
            self.thread.loop.call_soon_threadsafe(self._schedule, slot.name)

    def _all_changed(self) -> None:
        for slot in self.slots:
            self._slot_changed(slot)

    def _schedule(self, name: str) -> None:
        """Tell of a change soon; at once if the last word was that answers are under way and none is any more."""
        if name in self._told_busy and name in self.slots and not self.slots.named(name).leases:
            self._tell(name)
        elif name not in self._scheduled:
            self._scheduled.add(name)
            self.thread.loop.call_later(_STATUS_S, self._tell, name)

    def _tell(self, name: str) -> None:
        self._scheduled.discard(name)
        self._told_busy.discard(name)
        watcher = self._watchers.get(name)
        if watcher is not None and name in self.slots:
            status = self.status(name)
            if status.in_flight or status.in_flight_old:
                self._told_busy.add(name)
            watcher(status)


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
