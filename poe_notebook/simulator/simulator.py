"""The simulated Poe as a whole: its parts put together, its application, and their end.

It opens no socket itself; whoever serves ``app`` says in ``address`` where.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from poe_notebook.errors import CommandError
from poe_notebook.keys import Secret, new_access_key
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.limits import PROFILES
from poe_notebook.protocol.messages import Attachment
from poe_notebook.simulator.accounts import Accounts
from poe_notebook.simulator.api import build_api
from poe_notebook.simulator.backend import Backend
from poe_notebook.simulator.bot_queries import BotQueries
from poe_notebook.simulator.bot_settings import BotSettings
from poe_notebook.simulator.chat_completions import ChatCompletions
from poe_notebook.simulator.costs import Costs
from poe_notebook.simulator.directory import Directory, KnownBot
from poe_notebook.simulator.fetching import fetched
from poe_notebook.simulator.file_responses import file_route
from poe_notebook.simulator.files import FileStore
from poe_notebook.simulator.poe import Poe
from poe_notebook.simulator.points import Ledger
from poe_notebook.simulator.queries import Queries
from poe_notebook.simulator.reading import Reader
from poe_notebook.simulator.stand_ins import StandIn, stand_in, stand_in_names
from poe_notebook.simulator.uploads import Uploads
from poe_notebook.tracing.recorder import Trace

__all__ = ["Simulator"]

_FETCH_S = 30.0


class Simulator:
    """One Poe, offline. ``served`` gives the bots of this kernel at any time."""

    def __init__(self, trace: Trace, *, served: Callable[[], Iterable[KnownBot]]) -> None:
        self.address = ""
        self.user_id = new_identifier("u")
        self.api_key = Secret(new_access_key().reveal(), origin="of the simulator")
        trace.redactor.add(self.api_key)
        self.files = FileStore()
        self.points = Ledger()
        self.backend: Backend | None = None
        self._redactor = trace.redactor
        self.directory = Directory(served, stand_in=self._stand_in, stand_in_names=stand_in_names())
        reader = Reader(self.files, lambda: self.address)
        self.poe = Poe(self.directory, read=reader.read, ended=self.points.release)
        self.accounts = Accounts(self.directory, api_key=self.api_key, user_id=self.user_id, answers=self.poe.answers)
        settings, queries = BotSettings(self.poe), Queries(self.poe, trace)
        completions = ChatCompletions(
            queries,
            self.directory,
            self.accounts,
            upload=self.upload,
            has_points=self._has_points,
        )
        self.app = build_api(
            query=BotQueries(queries, self.directory, self.accounts),
            fetch_settings=settings.fetch,
            update_settings=settings.update,
            cost=Costs(self.poe, self.points),
            upload=Uploads(self.files, self.accounts, address=lambda: self.address),
            more=[file_route(self.files), *completions.routes],
        )

    async def upload(self, content: bytes, name: str, content_type: str | None = None) -> Attachment:
        """Keep a file and give the attachment that stands for it. Raises ``FileError``."""
        file = await asyncio.to_thread(self.files.add, content, name=name, content_type=content_type)
        return Attachment(url=self.files.url(file, self.address), content_type=file.content_type, name=file.name)

    async def upload_from(self, url: str) -> Attachment:
        """Download a file and keep it. Raises ``FileError``."""
        found = await fetched(url, within_s=_FETCH_S, may_stand_in=True)
        return await self.upload(found.content, found.name, found.content_type)

    def _has_points(self, user_id: str) -> bool:
        return self.points.available(user_id) > 0

    def limit(self, profile: str) -> None:
        """Enforce another set of limits: ``2025``, ``2026`` or ``strict``. Raises ``CommandError``."""
        if profile not in PROFILES:
            raise CommandError(f"There are no limits {profile!r}.", now=f"There are: {', '.join(PROFILES)}")
        self.poe.limits = PROFILES[profile]

    def hand_stand_ins_to(self, backend: Backend | None) -> None:
        """Let a server of the user's own answer for the chat models, or the stand-ins themselves again."""
        if backend is not None:
            self._redactor.add(backend.key())
        self.backend = backend

    def _stand_in(self, name: str) -> StandIn | None:
        return stand_in(name, upload=self.upload, backend=self.backend, read_file=self._read_file)

    async def _read_file(self, url: str) -> bytes | None:
        return await asyncio.to_thread(self.files.resolve, url)

    def close(self) -> None:
        """Remove what was kept on disk."""
        self.files.close()
