"""Traces in files: JSON Lines that a text editor can read, written and read as a stream, and HAR for other tools.

::

    {"poe_notebook":"trace","version":"1.1","saved_at":"2026-03-04T14:05:00+00:00"}
    {"exchange":7,"bot":"Shout","kind":"query","outcome":"done", … ,"request":{…}}
    {"log":"stdout","at_s":0.002,"text":"starting\\n"}
    {"end":"server","status":200,"ended_s":0.52, … ,"chunks":[[0.003,42]]}
    {"at_s":0.004,"type":"text","data":{"text":"Hello"}}

An event belongs to the end above it, an end to the exchange above it. What a line is, its keys say; lines and keys of a
later minor version are passed over. Nothing in a file is ever run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from poe_notebook.errors import TraceFileError
from poe_notebook.keys import Redactor
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.har import har_of
from poe_notebook.tracing.lines import FORMAT, exchange_lines, json_line
from poe_notebook.tracing.parsing import LINE_BYTES, read_lines
from poe_notebook.tracing.recorder import Trace

__all__ = ["as_path", "load", "save"]

_WRITABLE = (b'{"poe_notebook"', b'{"log"', b'{\n  "log"', b"")
"""How a file begins that may be written over: a saved trace, a HAR file, an empty file."""


def as_path(file: object) -> Path:
    """Give what names a file as a path, ``~`` being the user's folder. Raises ``TraceFileError`` if it names none."""
    try:
        return Path(file).expanduser()  # type: ignore[arg-type]
    except TypeError:
        raise TraceFileError(f"{file!r} names no file.", now="Give a text or a pathlib.Path: 'trace.jsonl'") from None


def save(path: str | Path, exchanges: Iterable[Exchange], *, redactor: Redactor) -> Path:
    """Write exchanges to a file, as JSON Lines or, if its name ends in ``.har``, as an HTTP archive.

    The file is there whole or not at all. Raises ``TraceFileError`` if it cannot be written, or is another's.
    """
    path = as_path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _refuse_to_destroy(path)
        with partial.open("wb") as file:
            if path.suffix.lower() == ".har":
                file.write(json.dumps(redactor.value(har_of(exchanges)), indent=2, default=str).encode("ascii"))
            else:
                _write_lines(file, exchanges, redactor)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise TraceFileError(f"{path} cannot be written: {error.strerror or error}.") from None
    return path


def load(path: str | Path, trace: Trace) -> list[Exchange]:
    """Read a saved trace into a trace, where its exchanges get the next numbers. Gives them.

    Raises ``TraceFileError``, naming the line, for what is no saved trace; what came before that line stays.
    """
    path = as_path(path)
    numbers: dict[int, int] = {}
    loaded: list[Exchange] = []
    try:
        with path.open("rb") as file:
            lines = (trace.redactor.bytes(line) for line in iter(lambda: file.readline(LINE_BYTES + 1), b""))
            for exchange in read_lines(lines, name=path.name):
                old = exchange.number
                numbers[old] = trace.add(exchange).number
                loaded.append(exchange)
    except OSError as error:
        raise TraceFileError(f"{path} cannot be read: {error.strerror or error}.") from None
    for exchange in loaded:
        exchange.parent = numbers.get(exchange.parent) if exchange.parent is not None else None
        exchange.children = [numbers[child] for child in exchange.children if child in numbers]
    return loaded


def _write_lines(file: BinaryIO, exchanges: Iterable[Exchange], redactor: Redactor) -> None:
    head: dict[str, Any] = {"poe_notebook": "trace", "version": FORMAT}
    file.write(json_line({**head, "saved_at": datetime.now(UTC).isoformat(timespec="seconds")}))
    for exchange in exchanges:
        for line in exchange_lines(exchange, clean=redactor.bytes):
            file.write(redactor.bytes(line))


def _refuse_to_destroy(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        begin = file.read(len(_WRITABLE[0]))
    if not begin.startswith(_WRITABLE[:-1]) and begin != _WRITABLE[-1]:
        raise TraceFileError(
            f"{path} is there already, and is no saved trace.",
            why="A trace is written only over another one, so that nothing else is lost.",
            now="Choose another name, or delete the file first.",
        )
