"""Places in code, for failures and for what blocks a loop."""

from __future__ import annotations

import asyncio
import linecache
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterator
from textwrap import dedent
from types import FrameType
from typing import Any, cast

import pytest

from poe_notebook.errors import HandlerMistake
from poe_notebook.tracing.exchange import Place, Raised
from poe_notebook.tracing.failures import (
    authors_frames,
    authors_last_place,
    authors_place,
    authors_traceback,
    innermost_place,
    raised_of,
    said_of,
)


class NoLine:
    """A frame that is at no line, as one may be seen from another thread."""

    f_back = f_lineno = None

    def __init__(self, frame: FrameType) -> None:
        self.f_code, self.f_globals = frame.f_code, frame.f_globals


def test_a_frame_that_is_at_no_line_is_placed_at_its_functions_first() -> None:
    options: dict[str, Any] = {"label": lambda file: "Cell In[1]", "clean": str}
    frame = cast(FrameType, NoLine(sys._getframe()))
    for place in (innermost_place(frame, **options), authors_place(frame, **options)):
        assert place is not None
        assert place.code.startswith("def test_a_frame_that_is_at_no_line")


# Cells, as IPython compiles them: under a file name that says nothing, and known by another.


def label(file: str) -> str | None:
    return f"Cell In[{file[-4]}]" if file.startswith("/tmp/ipykernel_1/") else None


def cell(number: int, source: str, **names: Any) -> dict[str, Any]:
    file, source = f"/tmp/ipykernel_1/{number}.py", dedent(source)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)
    return names


def error_of(call: Any) -> BaseException:
    try:
        result = call()
        if isinstance(result, AsyncGenerator):
            result = _all(result)
        if isinstance(result, Coroutine):
            asyncio.run(result)
        elif isinstance(result, Iterator):
            list(result)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


async def _all(items: AsyncGenerator[Any, None]) -> list[Any]:
    return [item async for item in items]


def kept(error: BaseException, clean: Any = str) -> Raised:
    return raised_of(error, at_s=0.0, label=label, clean=clean)


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_stop_iteration_that_a_generator_let_out_is_named_with_its_line(kind: str) -> None:
    names = cell(3, f"{kind} get_response():\n    words = []\n    yield 'a'\n    yield next(iter(words))")
    raised = kept(error_of(names["get_response"]))
    assert (raised.type, raised.message) == ("StopIteration", "")
    assert (str(raised.at), raised.at and raised.at.code) == ("Cell In[3], line 4", "yield next(iter(words))")
    assert raised.variables == {"words": "[]"}
    assert "Cell In[3], line 4, in get_response" in "\n".join(raised.lines)
    assert isinstance(raised.error, RuntimeError)


def test_a_runtime_error_of_the_authors_own_stays_what_it_is() -> None:
    source = """\
        def f():
            try:
                next(iter([]))
            except StopIteration as e:
                raise RuntimeError("empty") from e
        """
    raised = kept(error_of(cell(3, source)["f"]))
    assert (raised.type, raised.message, str(raised.at)) == ("RuntimeError", "empty", "Cell In[3], line 5")


def test_where_the_outermost_has_no_line_of_the_author_the_nearest_cause_has() -> None:
    error = RuntimeError("a library gave up")
    error.__cause__ = LookupError("without a line")
    error.__cause__.__cause__ = error_of(cell(3, "def f():\n    {}['x']")["f"])
    raised = kept(error)
    assert (raised.type, str(raised.at)) == ("RuntimeError", "Cell In[3], line 2")


HELPER = "def helper(x):\n    return {}[x]\nasync def leaf(x):\n    return helper(x)"
WRAPPING = """\
def get_response():
    try:
        helper(1)
    except KeyError as e:
        raise RuntimeError("wrapped") from e
"""
HANDLING = """\
def get_response():
    try:
        helper(1)
    except KeyError:
        {}["y"]
"""
GROUP = """\
import asyncio
async def get_response(*xs):
    async with asyncio.TaskGroup() as group:
        for x in xs:
            group.create_task(leaf(x))
"""


@pytest.mark.parametrize("source", [WRAPPING, HANDLING, GROUP])
def test_cells_are_named_in_causes_contexts_and_groups_too(source: str) -> None:
    names = cell(4, source, **cell(3, HELPER))
    call = (lambda: names["get_response"](1)) if source is GROUP else names["get_response"]
    text = "\n".join(kept(error_of(call)).lines)
    assert "Cell In[3], line 2, in helper" in text
    assert "Cell In[4], line " in text
    assert "ipykernel" not in text


def test_a_groups_only_leaf_is_what_was_raised() -> None:
    names = cell(4, GROUP, **cell(3, HELPER))
    error = error_of(lambda: names["get_response"]("sky"))
    assert isinstance(error, ExceptionGroup)
    for each in (error, ExceptionGroup("outer", [error])):
        raised = kept(each)
        assert (raised.type, raised.message, str(raised.at)) == ("KeyError", "'sky'", "Cell In[3], line 2")
        assert raised.variables == {"x": "'sky'"}
        assert raised.error is each
        frames, below = authors_frames(each, label)
        assert frames is not None
        assert (frames.tb_frame.f_code.co_name, below) == ("leaf", 0)


def test_of_several_leaves_each_is_named_and_the_first_ones_line_given() -> None:
    names = cell(4, GROUP, **cell(3, HELPER))
    raised = kept(error_of(lambda: names["get_response"](*"abcdefg")))
    assert (raised.type, str(raised.at)) == ("ExceptionGroup", "Cell In[3], line 2")
    named = "; ".join(f"KeyError: '{x}'" for x in "abcde")
    assert raised.message == f"7 errors at once: {named}; and 2 more"


def test_a_leaf_without_a_line_leaves_the_groups() -> None:
    names = cell(4, GROUP + "async def leaf(x):\n    pass\n", cancel=None)
    names["leaf"] = lambda x: asyncio.sleep(x)
    raised = kept(error_of(lambda: names["get_response"]("no number")))
    assert raised.type == "TypeError"
    assert str(raised.at) == "Cell In[4], line 3"


def test_errors_that_stand_for_each_other_come_to_an_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert kept(first).message == "a"


def test_no_key_is_left_in_a_groups_message_or_in_a_type() -> None:
    key = "sk-" + "k" * 200
    odd = type(key, (Exception,), {})
    raised = kept(ExceptionGroup("x", [odd(key), odd(key)]), clean=lambda text: text.replace(key, "[hidden]"))
    assert raised.message == "2 errors at once: [hidden]: [hidden]; [hidden]: [hidden]"
    assert kept(odd("x"), clean=lambda text: text.replace(key, "[hidden]")).type == "[hidden]"
    assert said_of(odd(key), clean=lambda text: text.replace(key, "[hidden]")) == "[hidden]: [hidden]"


def test_a_traceback_can_be_written_from_the_authors_first_line_on() -> None:
    error = error_of(lambda: cell(3, HELPER)["helper"](1))
    if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
        error.__traceback__ = error.__traceback__.tb_next.tb_next  # without this file's lines
    text = authors_traceback(error, label=label, clean=str)
    assert text.startswith("Traceback (most recent call last):\n  Cell In[3], line 2, in helper\n")
    assert text.endswith("KeyError: 1")
    assert str(authors_last_place(error, label=label, clean=str)) == "Cell In[3], line 2"
    assert authors_last_place(ValueError("x"), label=label, clean=str) is None


def test_a_mistake_without_a_line_is_placed_at_the_handlers_definition() -> None:
    mistake = HandlerMistake("It gave 7.")
    mistake.code = cell(3, "\ndef get_response():\n    return 7")["get_response"].__code__
    assert kept(mistake).at == Place("Cell In[3]", 2, "get_response", "def get_response():")
