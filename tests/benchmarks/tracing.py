"""What the trace costs a stream, and how quickly large exchanges are opened, searched, saved and loaded.

Not a test: run it with ``python tests/benchmarks/tracing.py`` on a quiet machine. A server that records and one that
does not run in processes of their own and are asked in turn; the least processor time of each is compared, which other
work on the machine disturbs less than the rate.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

EVENTS = 100_000
MODES = ("not recorded", "recorded")
BOTS = {
    "ours": "a class that yields PartialResponse",
    "ours, fastapi_poe bot": "a bot of fastapi_poe's",
    "ours, str": "a plain function that yields texts",
}


def serve(mode: str, bot: str) -> None:
    """Serve one of the benchmark's bots, with or without a recording, until standard input closes."""
    import streaming

    if mode == "not recorded":
        from poe_notebook.runtime import slot
        from poe_notebook.runtime.bridge import Bridge

        class Silent(Bridge):
            """A bridge as it would be if nobody wanted to know what crosses it, or when."""

            def __init__(self, crossed: object) -> None:
                super().__init__()

            def put(self, item: bytes) -> bool:
                self._add_item(item)
                self._written_bytes += len(item)
                if self._reader_waits:
                    self._reader_waits = False
                    self._rouse()
                return not self.abandoned

            def _tell(self, items: list[bytes], joined: bytes) -> None:
                pass

        slot.Bridge = Silent  # type: ignore[misc]
    print(streaming._serve_ours(bot), flush=True)
    sys.stdin.read()
    os._exit(0)


def cost_of_recording(bot: str, rounds: int) -> None:
    """Print the processor time for each event of a bot, and the rates."""
    servers = {
        mode: subprocess.Popen(
            [sys.executable, __file__, "--serve", mode, "--bot", bot], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for mode in MODES
    }
    ports = {mode: int(server.stdout.readline()) for mode, server in servers.items() if server.stdout}
    spent: dict[str, list[float]] = {mode: [] for mode in MODES}
    rates: dict[str, list[float]] = {mode: [] for mode in MODES}
    for round_ in range(rounds + 1):
        for mode, server in servers.items():
            before_s = _processor_s(server.pid)
            rate = _ask(ports[mode])
            if round_:  # the first warms up
                rates[mode].append(rate)
                spent[mode].append((_processor_s(server.pid) - before_s) / EVENTS * 1e6)
    for server in servers.values():
        if server.stdin:
            server.stdin.close()
    for mode in MODES:
        print(f"    {mode:14}{min(spent[mode]):8.2f} µs an event {statistics.median(rates[mode]):12,.0f} events/s")
    off, on = (min(spent[mode]) for mode in MODES)
    print(f"    recording takes {1 - off / on:.1%} of the time of a stream that does nothing else")


def _processor_s(pid: int) -> float:
    """Give the processor time of a process: by the nanosecond on Linux, elsewhere by the tick, which is 10 ms."""
    threads = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    if threads:
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _ask(port: int) -> float:
    import streaming

    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.perf_counter()
        connection.sendall(streaming.request_for(EVENTS))
        while connection.recv(1 << 20):
            pass
        return EVENTS / (time.perf_counter() - began)


def large_exchanges() -> None:
    """Print how long it takes to look into exchanges of 100,000 and of a million events."""
    from poe_notebook.keys import Redactor
    from poe_notebook.protocol.events import encode_text
    from poe_notebook.tracing.exchange import Exchange, Tap
    from poe_notebook.tracing.files import load, save
    from poe_notebook.tracing.recorder import Trace
    from poe_notebook.views.inspector import Inspected, exchange_bundle
    from poe_notebook.views.timeline import Timeline

    for count in (100_000, 1_000_000):
        raws = [encode_text(f"word {at} ") for at in range(count)]
        tap = Tap(200, ended_s=count / 2000)
        tap.events.extend([at / 2000 for at in range(count)], b"".join(raws), map(len, raws))
        exchange = Exchange(1, "Bot", "query", datetime.now(UTC), server=tap, outcome="done")
        print(f"{count:,} events")
        _timed("open", lambda exchange=exchange: exchange_bundle(Inspected(exchange)))
        timeline = Timeline(exchange)
        _timed("a page in the middle", lambda timeline=timeline, count=count: timeline.page(count // 2))
        _timed("a search", lambda timeline=timeline: timeline.page(words="word 77"))
        path = Path(tempfile.mkdtemp()) / "trace.jsonl"
        _timed("save", lambda exchange=exchange, path=path: save(path, [exchange], redactor=Redactor()))
        _timed("load", lambda path=path: load(path, Trace(Redactor())))


def memory() -> None:
    """Print what a trace of the usual bound takes after answers of ten million events in all."""
    from poe_notebook.keys import Redactor
    from poe_notebook.protocol.events import encode_text
    from poe_notebook.tracing.recorder import Trace

    trace, raws = Trace(Redactor()), [encode_text(f"word {at} ") for at in range(1_000)]
    joined = b"".join(raws)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        pen = trace.begin_server(bot="Bot", kind="query", message_id="m", request={}, headers={})
        for _ in range(100):
            pen.batch(raws, joined, [pen.now_s()] * len(raws))
        pen.end("done")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"    {trace!r}, the process grew by {(after - before) / 1024:.0f} MB")


def _timed(what: str, work: Callable[[], Any]) -> None:
    began = time.perf_counter()
    work()
    print(f"    {what:24}{time.perf_counter() - began:8.3f} s")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--bot", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.bot)
        return
    print("the trace of ten million events")
    memory()
    for bot, words in BOTS.items():
        print(f"one stream of {words}")
        cost_of_recording(bot, arguments.rounds)
    large_exchanges()


if __name__ == "__main__":
    main()
