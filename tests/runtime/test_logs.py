"""Log records: a handler's in its exchange, with their level, and wherever else they were to go, but in no cell."""

from __future__ import annotations

import io
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poe_notebook.keys import Redactor, Secret
from poe_notebook.runtime.output import HandlerOutput
from poe_notebook.tracing.authorship import Label
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import CURRENT, Trace

KEY = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3y00"


@contextmanager
def a_cell() -> Iterator[io.StringIO]:
    """The standard error stream of a cell, while handlers' output is taken in and the root logger has no handlers.

    No fixture: pytest puts streams and log handlers of its own around the test itself.
    """
    stream, before = io.StringIO(), (sys.stderr, logging.root.handlers[:], logging.root.level)
    sys.stderr, logging.root.handlers = stream, []
    output = HandlerOutput()
    output.open()
    try:
        yield stream
    finally:
        output.close()
        sys.stderr, logging.root.handlers, logging.root.level = before


@contextmanager
def a_handler(label: Label = lambda file: None) -> Iterator[Exchange]:
    """Run what is inside as a handler; gives its exchange."""
    redactor = Redactor()
    redactor.add(Secret(KEY))
    recording = Trace(redactor, label=label).begin_server(
        bot="Bot", kind="query", message_id="m", request={}, headers={}
    )
    token = CURRENT.set(recording)
    try:
        yield recording.exchange
    finally:
        CURRENT.reset(token)


def logged(exchange: Exchange) -> list[tuple[str, str, str]]:
    return [(line.source, line.level, line.text) for line in exchange.logs]


def test_a_handlers_records_are_in_its_exchange_and_in_no_cell() -> None:
    with a_cell() as cell:
        logging.basicConfig(level=logging.INFO)
        with a_handler() as exchange:
            logging.info("begun %s", 1)
            logging.getLogger("shout").warning("slow")
            logging.getLogger("shout").debug("not asked for")
        assert logged(exchange) == [("log", "INFO", "root: begun 1\n"), ("log", "WARNING", "shout: slow\n")]
        assert cell.getvalue() == ""


def test_records_elsewhere_go_where_they_went_before() -> None:
    with a_cell() as cell:
        logging.getLogger("x").warning("by the last resort")
        logging.basicConfig(format="%(message)s")
        logging.warning("by the root")
        with a_handler():
            pass
        assert cell.getvalue() == "by the last resort\nby the root\n"


def test_basic_config_in_a_cell_still_does_its_work() -> None:
    with a_cell():
        logging.basicConfig(level=logging.DEBUG)
        assert len(logging.root.handlers) == 1
        assert logging.root.level == logging.DEBUG


def test_a_handler_made_before_bots_were_served_does_not_write_into_a_cell() -> None:
    with a_cell() as cell:
        early = logging.StreamHandler(getattr(sys.stderr, "_original"))  # noqa: B009
        logging.root.addHandler(early)
        with a_handler() as exchange:
            logging.warning("once")
        assert logged(exchange) == [("log", "WARNING", "root: once\n")]
        assert cell.getvalue() == ""


def test_files_and_other_handlers_get_their_records_all_the_same(tmp_path: Path) -> None:
    with a_cell():
        logger = logging.getLogger("test.apart")
        logger.propagate = False
        taken: list[str] = []
        other = logging.StreamHandler(io.StringIO())
        file = logging.FileHandler(tmp_path / "bot.log")
        strict = logging.FileHandler(tmp_path / "strict.log")
        strict.setLevel(logging.CRITICAL)
        other.emit = lambda record: taken.append(record.getMessage())  # type: ignore[method-assign]
        for handler in (file, strict, other):
            logger.addHandler(handler)
        try:
            with a_handler() as exchange:
                logger.error("kept")
        finally:
            for handler in (file, strict, other):
                logger.removeHandler(handler)
                handler.close()
        assert (tmp_path / "bot.log").read_text() == "kept\n"
        assert (tmp_path / "strict.log").read_text() == ""
        assert taken == ["kept"]
        assert logged(exchange) == [("log", "ERROR", "test.apart: kept\n")]


def test_a_record_with_an_exception_keeps_its_traceback() -> None:
    with a_cell():
        with a_handler() as exchange:
            try:
                _ = 1 / 0
            except ZeroDivisionError:
                logging.exception("it broke")
        assert exchange.logs[0].text.startswith("root: it broke\nTraceback")
        assert "ZeroDivisionError: division by zero" in exchange.logs[0].text


def test_a_record_that_cannot_be_formatted_is_kept_all_the_same() -> None:
    with a_cell():
        with a_handler() as exchange:
            logging.warning("%d of %d", "one")
        [(source, _, text)] = logged(exchange)
        assert source == "log"
        assert "'%d of %d' (cannot be formatted: TypeError)" in text


def test_a_key_in_a_record_is_not_kept() -> None:
    with a_cell():
        with a_handler() as exchange:
            logging.warning("my key is %s", KEY)
        assert exchange.logs[0].text == "root: my key is [key hidden]\n"


def test_closing_gives_logging_back_unless_somebody_came_later() -> None:
    before = logging.Logger.callHandlers
    output = HandlerOutput()
    output.open()
    assert logging.Logger.callHandlers is not before
    output.close()
    assert logging.Logger.callHandlers is before
    output.open()
    ours = logging.Logger.callHandlers

    def theirs(logger: logging.Logger, record: Any) -> None:
        ours(logger, record)

    logging.Logger.callHandlers = theirs  # type: ignore[method-assign]
    try:
        output.close()
        assert logging.Logger.callHandlers is theirs
        logging.getLogger("quiet").debug("still works")
    finally:
        logging.Logger.callHandlers = before  # type: ignore[method-assign]


def test_tracebacks_that_a_handler_logs_or_prints_name_its_cells() -> None:
    with a_cell(), a_handler(lambda file: "Cell In[3]" if file == __file__ else None) as exchange:
        try:
            raise ValueError("caught")
        except ValueError:
            logging.exception("so it went")
            traceback.print_exc()
    record, *printed = exchange.logs
    for text in (record.text, "".join(line.text for line in printed)):
        assert "  Cell In[3], line " in text
        assert "ValueError: caught" in text
        assert __file__ not in text
