"""All the slots of a kernel: by name, by path, and the threads that their generations' handlers run on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator

from poe_notebook.bot.handlers import Servable
from poe_notebook.errors import BotNotFound, CommandError
from poe_notebook.keys import Secret, new_access_key
from poe_notebook.runtime.blocking import BlockedLoopWatch
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.slot import Generation, Slot
from poe_notebook.runtime.unheard import hear_of_tasks

__all__ = ["Slots"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_RESPONSIVE_S = 0.1
"""A loop that has not come round in this time is blocked by a handler; a new definition then gets a loop of its own."""


class Slots:
    """The bots served in this kernel."""

    def __init__(self, changed: Callable[[Slot], None]) -> None:
        self._changed, self._watch = changed, BlockedLoopWatch()
        self._slots: dict[str, Slot] = {}
        self._made_keys: dict[str, Secret] = {}
        self._threads: set[LoopThread] = set()
        self._reserved: set[LoopThread] = set()

    def __iter__(self) -> Iterator[Slot]:
        return iter(list(self._slots.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._slots

    @property
    def names(self) -> list[str]:
        """The names of the bots served, in the order in which they came."""
        return list(self._slots)

    def at(self, path: str) -> Slot | None:
        """Give the slot that stands at a path, with or without a slash at its end."""
        wanted = "/" + path.strip("/")
        return next((slot for slot in list(self._slots.values()) if slot.path == wanted), None)

    def named(self, name: str) -> Slot:
        """Give a bot's slot. Raises ``BotNotFound``, naming the near ones."""
        slot = self._slots.get(name)
        if slot is None:
            raise self.not_found(name)
        return slot

    def not_found(self, name: str) -> BotNotFound:
        """Make the error for a name that nothing is served under."""
        by_fold = {served.casefold(): served for served in self._slots}
        near = [by_fold[fold] for fold in difflib.get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.5)]
        served, define = ", ".join(self.names), f"Define it in a cell that begins with %%poebot {name}"
        return BotNotFound(
            f"No bot named {name!r} is served in this kernel.",
            why=f"Served here: {served}." if served else "No bot is served here yet.",
            now=f"Did you mean {' or '.join(near)}?" if near else define,
        )

    def thread_for(self, name: str | None) -> LoopThread:
        """Give the loop for a bot's next generation: the one it has, unless that is blocked, else a new one.

        It is kept until it is published or released.
        """
        slot = self._slots.get(name or "")
        thread = slot.current.thread if slot is not None and slot.current is not None else None
        if thread is None or thread.is_current or not thread.is_responsive(_RESPONSIVE_S):
            thread = LoopThread(f"poe-bot-{name or 'new'}")
            hear_of_tasks(thread.loop)
            self._threads.add(thread)
        self._reserved.add(thread)
        return thread

    def publish(
        self, servable: Servable, *, thread: LoopThread, path: str | None = None, access_key: Secret | None = None
    ) -> Slot:
        """Put a bot behind its slot, making the slot if it is new."""
        name = servable.name
        slot = self._slots.get(name)
        if slot is None:
            slot = Slot(
                name,
                path=self._free_path(name, path),
                access_key=access_key or self._made_key(name),
                changed=self._changed,
                watch=self._watch,
            )
            slot.publish(servable, thread=thread)
            self._slots[name] = slot
        else:
            slot.path = self._free_path(name, path or slot.path)
            slot.access_key = access_key or slot.access_key
            slot.publish(servable, thread=thread)
        self._threads.add(thread)
        self._reserved.discard(thread)
        self._release_threads()
        self._changed(slot)
        return slot

    def rollback(self, name: str) -> Generation:
        """Point a slot to the generation before its current one."""
        slot = self.named(name)
        assert slot.current is not None
        earlier = [generation for generation in slot.generations if generation.number < slot.current.number]
        if not earlier:
            raise CommandError(
                f"{name} is on generation {slot.current.number}, and no earlier one is kept.",
                now=f"Define it anew: %%poebot {name}",
            )
        slot.point_to(earlier[-1])
        return earlier[-1]

    def remove(self, name: str) -> Slot:
        """End a bot: its address answers 404 from now on and its running answers are cancelled."""
        slot = self.named(name)
        del self._slots[name]
        slot.stop()
        self._changed(slot)
        self._release_threads()
        return slot

    def close(self) -> None:
        """End every bot and every thread."""
        for slot in self:
            slot.stop()
        self._slots.clear()
        threads, self._threads = self._threads, set()
        for wait in (False, True):  # all of them wind down at the same time
            for thread in threads:
                thread.close(wait=wait)
        self._watch.close()

    def release(self, thread: LoopThread) -> None:
        """Give back a loop that was made for a bot that never came to be."""
        self._reserved.discard(thread)
        self._release_threads()

    def _release_threads(self) -> None:
        in_use = {generation.thread for slot in self for generation in slot.generations}
        for thread in self._threads - in_use - self._reserved:
            self._threads.discard(thread)
            thread.close(wait=False)

    def _made_key(self, name: str) -> Secret:
        return self._made_keys.setdefault(name, new_access_key())

    def _free_path(self, name: str, path: str | None) -> str:
        if not _NAME.fullmatch(name):
            raise CommandError(
                f"{name!r} cannot be a bot's name.",
                why="Names are made of ASCII letters, digits, '-', '_' and '.', 100 at the most, as on Poe.",
                now="For example: %%poebot MyBot",
            )
        wanted = "/" + (path if path not in (None, "", "/") else name).strip("/")
        taken = self.at(wanted)
        if taken is not None and taken.name != name:
            raise CommandError(
                f"The path {wanted} is {taken.name}'s.", now=f"Choose another: --path {wanted.strip('/')}2"
            )
        return wanted
