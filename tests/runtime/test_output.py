"""Where prints go: a handler's to its exchange, everything else where it went before."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from typing import Any

import endpoints
import pytest
from endpoints import KEY, Kernel, body_of, until

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.runtime.output import HandlerOutput


class Streams:
    """What stands in for a cell's streams in a test."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()


@contextmanager
def a_cell() -> Iterator[Streams]:
    """Put streams of our own in the place of the standard ones. No fixture: pytest itself swaps them around those."""
    streams, before = Streams(), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = streams.out, streams.err
    try:
        yield streams
    finally:
        sys.stdout, sys.stderr = before


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


@contextmanager
def taking_in() -> Iterator[Streams]:
    """Take in what handlers print; gives the cell that runs meanwhile."""
    with a_cell() as cell:
        output = HandlerOutput()
        output.open()
        try:
            yield cell
        finally:
            output.close()


def printed(kernel: Kernel, handler: Any, content: str = "hi") -> list[tuple[str, str]]:
    kernel.serve(handler)
    answer = kernel.ask(content)
    assert answer.events[-1].type == "done"
    return [(line.source, line.text) for line in kernel.trace[-1].logs]


def test_what_a_handler_prints_is_in_its_exchange_alone(kernel: Kernel) -> None:
    with taking_in() as cell:

        async def handler(request: Any) -> AsyncIterator[str]:
            print("one", 2, sep="-")
            print("two", file=sys.stderr)
            sys.stdout.writelines(["three", "\n"])
            logging.StreamHandler().emit(logging.makeLogRecord({"msg": "logged"}))
            yield "x"

        lines = printed(kernel, handler)
        assert lines == [
            ("stdout", "one-2\n"),
            ("stderr", "two\n"),
            ("stdout", "three\n"),
            ("stderr", "logged\n"),
        ]
        assert cell.out.getvalue() + cell.err.getvalue() == ""


def test_what_its_threads_print_is_too(kernel: Kernel) -> None:
    with taking_in() as cell:

        async def handler(request: Any) -> AsyncIterator[str]:
            loop = asyncio.get_running_loop()
            await asyncio.to_thread(print, "to_thread")
            await loop.run_in_executor(None, print, "executor")
            await asyncio.create_task(coroutine())
            thread = threading.Thread(target=contextvars.copy_context().run, args=(print, "carried"))
            thread.start()
            thread.join()
            yield "x"

        async def coroutine() -> None:
            print("task")

        lines = printed(kernel, handler)
        assert [text for _, text in lines] == ["to_thread\n", "executor\n", "task\n", "carried\n"]
        assert cell.out.getvalue() == ""


def test_what_a_plain_handler_prints_in_its_thread_is_too(kernel: Kernel) -> None:
    with taking_in() as cell:

        def handler(request: Any) -> Iterator[str]:
            print("before")
            yield "x"
            print("after")

        assert printed(kernel, handler) == [("stdout", "before\n"), ("stdout", "after\n")]
        assert printed(kernel, lambda request: print("only") or "x") == [("stdout", "only\n")]
        assert cell.out.getvalue() == ""


def test_what_settings_and_reports_print_is_too(kernel: Kernel) -> None:
    with taking_in() as cell:

        class Bot(PoeBot):
            async def get_settings(self, setting: Any) -> SettingsResponse:
                print("settings")
                return SettingsResponse()

        kernel.serve(Bot())
        kernel.post({"version": "1", "type": "settings"})
        assert [line.text for line in kernel.trace[-1].logs] == ["settings\n"]
        assert cell.out.getvalue() == ""


def test_what_threads_of_its_own_print_is_too(kernel: Kernel) -> None:
    with taking_in() as cell:

        async def handler(request: Any) -> AsyncIterator[str]:
            thread = threading.Thread(target=print, args=("bare",))
            thread.start()
            thread.join()
            with ThreadPoolExecutor() as pool:
                pool.submit(print, "pooled").result()
            yield "x"

        assert [text for _, text in printed(kernel, handler)] == ["bare\n", "pooled\n"]
        assert cell.out.getvalue() == ""


def test_a_pool_that_outlives_an_answer_prints_for_whoever_gives_it_work(kernel: Kernel) -> None:
    with taking_in() as cell, ThreadPoolExecutor(1) as pool:

        async def handler(request: Any) -> AsyncIterator[str]:
            await asyncio.wrap_future(pool.submit(print, request.query[-1].content))
            yield "x"

        assert [printed(kernel, handler, word) for word in ("a", "b")] == [[("stdout", "a\n")], [("stdout", "b\n")]]
        pool.submit(print, "the cell's own").result()
        assert cell.out.getvalue() == "the cell's own\n"


def test_what_it_warns_of_is_in_its_exchange_with_the_line(kernel: Kernel) -> None:
    with taking_in() as cell, warnings.catch_warnings():
        warnings.simplefilter("always")

        async def handler(request: Any) -> AsyncIterator[str]:
            warnings.warn("this is old", DeprecationWarning, stacklevel=1)
            yield "x"

        [(source, text)] = printed(kernel, handler)
        assert source == "warnings"
        assert text.startswith("DeprecationWarning: this is old (")
        assert "test_output.py, line " in text
        assert cell.err.getvalue() == ""


def test_warnings_of_a_cell_are_shown_as_before() -> None:
    shown: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda *given: shown.append(str(given[0]))
        with taking_in():
            warnings.warn("mine", UserWarning, stacklevel=1)
            warnings.showwarning("to a file", UserWarning, "x.py", 1, io.StringIO())
        warnings.warn("after", UserWarning, stacklevel=1)
    assert shown == ["mine", "to a file", "after"]


def test_answers_side_by_side_do_not_mix_their_prints(kernel: Kernel) -> None:
    with taking_in():

        async def handler(request: Any) -> AsyncIterator[str]:
            word = request.query[-1].content
            for n in range(20):
                print(word, n)
                await asyncio.sleep(0)
                await asyncio.to_thread(print, word, n, "in a thread")
            yield word

        kernel.serve(handler)
        connections = [kernel.open(f"w{n}") for n in range(5)]
        for connection in connections:
            with connection:
                assert b"event: done" in body_of(connection)
        assert until(lambda: not kernel.slots.named("Bot").leases)
        for exchange in list(kernel.trace)[-5:]:
            word = exchange.request["query"][0]["content"]
            expected = [text for n in range(20) for text in (f"{word} {n}\n", f"{word} {n} in a thread\n")]
            assert [line.text for line in exchange.logs] == expected


def test_a_printed_key_is_not_kept(kernel: Kernel) -> None:
    with taking_in():

        async def handler(request: Any) -> AsyncIterator[str]:
            print(request.access_key)
            yield "x"

        assert printed(kernel, handler) == [("stdout", "[key hidden]\n")]
        assert KEY not in repr(kernel.trace[-1])


def test_outside_handlers_the_streams_are_as_they_were() -> None:
    with a_cell() as cell:
        output = HandlerOutput()
        output.open()
        print("mine")
        print("error", file=sys.stderr)
        assert sys.stdout.write("x") == 1
        sys.stdout.writelines(["a", "b"])
        sys.stdout.flush()
        assert not sys.stdout.isatty()
        assert sys.stdout.getvalue() == "mine\nxab"  # type: ignore[attr-defined]
        assert cell.err.getvalue() == "error\n"
        with pytest.raises(AttributeError):
            _ = sys.stdout.no_such_thing  # type: ignore[attr-defined]
        output.close()


def test_opening_twice_and_closing_give_the_streams_back() -> None:
    with a_cell() as cell:
        first, second = HandlerOutput(), HandlerOutput()
        for each in (first, first, second):
            each.open()
        second.close()
        assert sys.stdout is not cell.out
        first.close()
        assert (sys.stdout, sys.stderr) == (cell.out, cell.err)
        first.close()


def test_a_stream_that_somebody_put_in_its_place_stays() -> None:
    with a_cell() as cell:
        made, other = HandlerOutput(), io.StringIO()
        made.open()
        with redirect_stdout(other):
            print("redirected")
            made.close()
            assert sys.stdout is other
        print("after")
        assert other.getvalue() == "redirected\n"
        assert cell.out.getvalue() == "after\n"
