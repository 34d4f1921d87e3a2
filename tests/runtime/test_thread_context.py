"""Threads of a handler carry its context; threads of anybody else are as they were."""

from __future__ import annotations

import contextvars
import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from poe_notebook.keys import Redactor
from poe_notebook.runtime.thread_context import ThreadContext
from poe_notebook.tracing.recorder import CURRENT, Recording, Trace

WORD: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")


@pytest.fixture(autouse=True)
def _carrying() -> Iterator[None]:
    threads = ThreadContext()
    threads.open()
    threads.open()
    yield
    threads.close()


def a_recording() -> Recording:
    return Trace(Redactor()).begin_server(bot="Bot", kind="query", message_id="m", request={}, headers={})


def as_handler(call: Any, *, word: str = "handler") -> Any:
    """Call something as a handler does."""

    def run() -> Any:
        CURRENT.set(a_recording())
        WORD.set(word)
        return call()

    return contextvars.Context().run(run)


def word_in_a_thread(make: Any = threading.Thread) -> str:
    words: list[str] = []
    thread = make(target=lambda: words.append(WORD.get()))
    thread.start()
    thread.join()
    return words[0]


class OwnThread(threading.Thread):
    """A thread with its own run."""

    def __init__(self, target: Any) -> None:
        super().__init__()
        self._work = target

    def run(self) -> None:
        self._work()


@pytest.mark.parametrize("make", [threading.Thread, OwnThread, lambda target: threading.Timer(0, target)])
def test_a_thread_that_a_handler_starts_carries_its_context(make: Any) -> None:
    assert as_handler(lambda: word_in_a_thread(make)) == "handler"


def test_a_thread_that_anybody_else_starts_begins_as_before() -> None:
    WORD.set("cell")
    assert word_in_a_thread() == "none"


def test_what_such_a_thread_sets_stays_in_it() -> None:
    def call() -> str:
        thread = threading.Thread(target=WORD.set, args=("inner",))
        thread.start()
        thread.join()
        return WORD.get()

    assert as_handler(call) == "handler"


def test_a_pools_work_carries_the_context_of_who_gave_it() -> None:
    with ThreadPoolExecutor(1) as pool:
        given = [as_handler(lambda: pool.submit(WORD.get).result(), word=word) for word in ("a", "b")]
        assert given == ["a", "b"]
        assert pool.submit(WORD.get).result() == "none"
        assert pool.submit(lambda a, b=0: (a, b), 1, b=2).result() == (1, 2)


def test_a_thread_that_has_ended_keeps_nothing_alive() -> None:
    var: contextvars.ContextVar[Any] = contextvars.ContextVar("held")
    alive: list[weakref.ref[Any]] = []

    def call() -> threading.Thread:
        held = OwnThread(lambda: None)
        alive.append(weakref.ref(held))
        var.set(held)
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        return thread

    thread = as_handler(call)
    gc.collect()
    assert alive[0]() is None
    assert not thread.is_alive()


def test_an_error_in_such_a_thread_is_reported_as_python_does() -> None:
    seen: list[Any] = []
    before, threading.excepthook = threading.excepthook, lambda arguments: seen.append(arguments.exc_type)
    try:

        def call() -> None:
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()

        as_handler(call)
    finally:
        threading.excepthook = before
    assert seen == [ZeroDivisionError]


def test_closing_gives_threads_back() -> None:
    first, second = ThreadContext(), ThreadContext()
    start = threading.Thread.start
    first.open()  # does nothing: those of this file's tests are open
    second.open()
    first.close()
    second.close()
    assert threading.Thread.start is start
    assert as_handler(word_in_a_thread) == "handler"


# What such a thread raises.


def test_an_error_in_such_a_thread_is_told_in_the_exchange_and_not_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)  # pytest has one of its own
    recordings: list[Any] = []

    def call() -> None:
        recordings.append(CURRENT.get())
        thread = threading.Thread(target=_fail, name="worker")
        thread.start()
        thread.join()

    as_handler(call)
    exchange = recordings[0].exchange
    [line] = exchange.logs
    assert line.source == "stderr"
    head, second, *_ = line.text.split("\n")[0:3]
    assert (head, second) == ("Exception in thread worker:", "Traceback (most recent call last):")
    assert "runtime/thread_context.py" not in line.text
    assert line.text.split("\n")[2].endswith("in _fail")
    assert line.text.endswith("ZeroDivisionError: division by zero\n")
    [report] = exchange.reports
    assert (report.source, report.text) == ("thread", "ZeroDivisionError: division by zero")
    assert report.values["code"].startswith("1 / 0")
    assert capsys.readouterr().err == ""


def test_an_error_in_a_thread_of_nobodys_is_printed_as_before() -> None:
    seen: list[Any] = []
    before, threading.excepthook = threading.excepthook, lambda arguments: seen.append(arguments.exc_type)
    try:
        thread = threading.Thread(target=_fail)
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
    assert seen == [ZeroDivisionError]


def test_a_thread_that_leaves_by_system_exit_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    recordings: list[Any] = []

    def call() -> None:
        recordings.append(CURRENT.get())
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()

    as_handler(call)
    assert (recordings[0].exchange.logs, recordings[0].exchange.reports) == ([], [])


def _fail() -> None:
    1 / 0  # noqa: B018
