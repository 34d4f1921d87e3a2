"""Who answers a bot's name (the route), under which name exactly, and how it is asked and sent files by that route."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from poe_notebook.attaching import File, upload_to_poe
from poe_notebook.client.query import bot_url, stream_events
from poe_notebook.client.uploads import UPLOAD_HOST
from poe_notebook.errors import BotNotFound, CommandError, KeyMissing
from poe_notebook.keys import Secret
from poe_notebook.outside import Outside
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.limits import IMAGES_PER_MESSAGE
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.serving import Serving
from poe_notebook.simulator.answering import Asker
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.fault_names import parse_faults
from poe_notebook.simulator.settings import Understood
from poe_notebook.simulator.simulator import Simulator
from poe_notebook.tracing.recorder import Recording

__all__ = ["ROUTES", "Routes", "Way"]

ROUTES = ("kernel", "poe", "simulator")

Way: TypeAlias = Callable[[QueryRequest, Recording], AsyncGenerator[Event, None]]
"""How a bot is asked: a query, and who writes down what comes, to the events of the answer."""


class Routes:
    """Finds bots. ``simulator`` gives the simulated Poe, started if need be."""

    def __init__(self, serving: Serving, *, simulator: Callable[[], Simulator], outside: Outside) -> None:
        self._serving, self._simulator, self._outside = serving, simulator, outside

    def of(self, bot: str, via: str | None = None) -> str:
        """Tell who answers for a bot's name. Raises ``BotNotFound``, ``KeyMissing``, ``CommandError``."""
        is_live = self._outside.uses == "poe" and self._outside.api_key() is not None
        route = via or ("kernel" if self._is_served(bot) else "poe" if is_live else "simulator")
        if route not in ROUTES:
            raise CommandError(f"There is no route {route!r}.", now=f"Routes are: {', '.join(ROUTES)}.")
        if route == "simulator" and self._is_served(bot) and self._simulator().directory.find_elsewhere(bot) is None:
            route = "kernel"  # which goes by the simulator as well: nobody else has that name there
        self.name(bot, route)
        return route

    def name(self, bot: str, route: str) -> str:
        """Give a bot's name as who answers writes it. Raises ``BotNotFound``, ``KeyMissing``, ``CommandError``."""
        if route == "poe":
            self._api_key(bot)
            return bot
        return self.known(bot, route).name

    def known(self, bot: str, route: str) -> KnownBot:
        """Give the bot of a name by a route that is not Poe: one that is served here, or one that is not."""
        directory = self._simulator().directory
        is_here = route == "kernel" and self._is_served(bot)
        found = directory.find(bot) if is_here else directory.find_elsewhere(bot) if route != "kernel" else None
        if found is None:
            raise self._not_found(bot, route)
        return found

    def found(self, bot: str) -> KnownBot:
        """Give the bot of a name, whoever it is, but for Poe's. Raises ``BotNotFound``."""
        found = self._simulator().directory.find(bot)
        if found is None:
            raise self._not_found(bot, "simulator")
        return found

    def way_to(self, bot: str, route: str, *, faults: Sequence[str]) -> Way:
        """Find out how a bot is asked; what speaks against it is raised now."""
        if route == "poe":
            if faults:
                raise CommandError(
                    "Faults are the simulator's.", why=f"{bot} is asked on Poe.", now="Leave --fault away."
                )
            url, key = bot_url(bot, base_url=self._outside.address("/bot")), self._api_key(bot)
            return lambda request, recording: stream_events(request, url, key=key, recording=recording)
        known, simulator = self.known(bot, route), self._simulator()
        parsed = parse_faults(" ".join(faults)) if faults else None
        return lambda request, recording: _by_simulator(simulator, known, request, Asking(recording, faults=parsed))

    async def upload(self, bot: str, route: str, files: Sequence[File]) -> list[Attachment]:
        """Upload files for a message to a bot. Raises ``CommandError`` if the bot takes none, or not so many."""
        if files and route != "poe":
            _check_files(bot, files, await self._simulator().poe.settings.of(self.known(bot, route)))
        return [await self._upload(bot, route, file) for file in files]

    async def _upload(self, bot: str, route: str, file: File) -> Attachment:
        if route == "poe":
            base_url = self._outside.address("/poe_api", host=UPLOAD_HOST)
            return await upload_to_poe(file, api_key=self._api_key(bot).reveal(), base_url=base_url)
        if file.url:
            return await self._simulator().upload_from(file.url)
        return await self._simulator().upload(file.content, file.name, file.content_type)

    def _is_served(self, bot: str) -> bool:
        return bot.casefold() in {name.casefold() for name in self._serving.slots.names}

    def _not_found(self, bot: str, route: str) -> BotNotFound:
        error: BotNotFound = self._serving.slots.not_found(bot)
        if route == "simulator":
            names = self._simulator().directory.near(bot) or ["GPT-3.5-Turbo", "Claude-Instant"]
            error.now += (
                f"\nOffline, the simulator answers under names such as {' and '.join(names)}; "
                "a bot on Poe can be asked once POE_API_KEY is set."
            )
        return error

    def _api_key(self, bot: str) -> Secret:
        key = self._outside.api_key()
        if key is None:
            raise KeyMissing(
                f"Asking {bot} on Poe takes your API key, and POE_API_KEY is not set.",
                why="Find it at https://poe.com/api_key.",
                now='Type: import os, getpass; os.environ["POE_API_KEY"] = getpass.getpass("API key: ")',
            )
        return key


def _check_files(bot: str, files: Sequence[File], understood: Understood) -> None:
    settings = understood.settings
    if not settings.allow_attachments:
        raise CommandError(
            f"{bot} takes no files: its setting allow_attachments is off.",
            why=understood.fault or "Poe then shows no button to attach one.",
            now="Let the bot allow them: settings = fp.SettingsResponse(allow_attachments=True)",
        )
    images = [file for file in files if file.is_image]
    if settings.enable_image_comprehension and len(images) > IMAGES_PER_MESSAGE:
        raise CommandError(
            f"{len(images)} images are attached, and {bot} has enable_image_comprehension on.",
            why="Poe then lets users send one image with a message.",
            now="Send the images one by one.",
        )


async def _by_simulator(
    simulator: Simulator, bot: KnownBot, request: QueryRequest, asking: Asking
) -> AsyncGenerator[Event, None]:
    """Have the simulated Poe ask a bot for the user, with the values of its parameter controls."""
    last = request.query[-1]
    last.parameters = {**(await simulator.poe.settings.of(bot)).parameters, **last.parameters}
    asker = Asker(request.user_id, is_in_chat=True)
    async with aclosing(simulator.poe.ask(bot, request, asker=asker, asking=asking)) as events:
        async for event in events:
            yield event
