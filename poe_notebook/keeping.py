"""Exchanges kept in files and taken out again: traces, recordings of bots, pinned tests. Never over what is there.

Keys are taken out of all that is written, once more than the trace has done it already.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from poe_notebook.errors import CommandError, TraceFileError
from poe_notebook.keys import Redactor
from poe_notebook.replaying.again import query_of
from poe_notebook.replaying.pinning import Pin, added_to, check_place, names_in, new_file, pinned_test
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.files import as_path, load, save
from poe_notebook.tracing.recorder import Trace

__all__ = ["Pinned", "Saved", "check_place", "load_trace", "pin_turn", "read_recording", "save_trace"]

_COLLECTED = re.compile(r"test_.*\.py|.*_test\.py")
_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])[:/]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written where."""

    path: Path
    exchanges: int
    events: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where a turn was pinned: the file, the test in it, where that looks for the bot.

    ``has_local_files``: the request has files at an address of this kernel. ``key_variable``: where the test takes the
    access key from that a server demands; empty for a bot that is imported.
    """

    path: Path
    test: str
    place: str
    is_new: bool
    key_variable: str = ""
    has_local_files: bool = False

    @property
    def is_collected(self) -> bool:
        """Whether pytest finds a file of that name by itself."""
        return _COLLECTED.fullmatch(self.path.name) is not None


def save_trace(trace: Trace, path: str | Path, *, bot: str | None = None, force: bool = False) -> Saved:
    """Write the kept exchanges, or those with one bot and the calls that it made, to JSON Lines or ``.har``.

    Raises ``TraceFileError`` if the file is there and ``force`` was not said, ``CommandError`` if there is nothing.
    """
    path = as_path(path)
    exchanges = list(trace) if bot is None else list(_with_calls(trace, bot))
    if not exchanges:
        what = "Nothing has been asked yet" if bot is None else f"No exchange with {bot} is kept"
        raise CommandError(f"{what}, so there is nothing to save.", now="Ask a bot first: %poe chat BOT hello")
    if path.exists() and not force:
        raise TraceFileError(f"{path} is there already.", now=f"Write over it: %poe save {quote(str(path))} --force")
    save(path, exchanges, redactor=trace.redactor)
    events = sum(len(exchange.events) for exchange in exchanges)
    return Saved(path, len(exchanges), events, path.stat().st_size)


def load_trace(trace: Trace, path: str | Path) -> list[Exchange]:
    """Read a saved trace and add its exchanges to a trace. Raises ``TraceFileError``."""
    path = as_path(path)
    if path.suffix.lower() == ".har":
        raise TraceFileError(
            f"{path} is an HTTP archive, which is for other tools.",
            why="It holds no logs, no calls and no exceptions.",
            now="Load what was saved as JSON Lines: %poe save trace.jsonl, then %poe load trace.jsonl",
        )
    return load(path, trace)


def read_recording(path: str | Path, redactor: Redactor) -> list[Exchange]:
    """Read a saved trace by itself, without adding it to the kernel's. Raises ``TraceFileError``."""
    return load_trace(Trace(redactor), path)


def pin_turn(exchange: Exchange, path: str | Path, pin: Pin, *, redactor: Redactor) -> Pinned:
    """Write a turn as a pytest test, into a new file or at the end of one of pinned tests.

    Raises ``CommandError`` for a turn that cannot be pinned, and for a file that is something else.
    """
    path = as_path(path)
    if path.suffix != ".py":
        raise CommandError(f"{path} is no name for a test.", now="For example: %poe pin -1 tests/test_my_bot.py")
    try:
        source = _read(path)
        exchange = replace(exchange, request=redactor.value(exchange.request))
        taken = names_in(source, file=str(path)) if source else frozenset()
        test = redactor.text(pinned_test(exchange, pin, text=redactor.text(exchange.text), taken=taken))
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, added_to(source, test) if source else new_file(test))
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from None
    return Pinned(
        path,
        test.partition("(")[0].removeprefix("def "),
        pin.place,
        is_new=not source,
        key_variable=pin.key_variable if pin.is_address else "",
        has_local_files=_has_local_files(exchange),
    )


def _has_local_files(exchange: Exchange) -> bool:
    messages = query_of(exchange).query
    return any(_LOCAL.match(attachment.url) for message in messages for attachment in message.attachments)


def _read(path: Path) -> str:
    if not path.exists():
        return ""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError(f"{path} is there already, and is no text in UTF-8.", now="Pin into another file.") from None


def _write(path: Path, source: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(source.encode("utf-8", "backslashreplace"))
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _with_calls(trace: Trace, bot: str) -> Iterable[Exchange]:
    numbers: set[int] = set()
    for exchange in trace:
        if exchange.bot == bot or exchange.parent in numbers:
            numbers.add(exchange.number)
            yield exchange
