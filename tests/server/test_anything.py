"""Whatever a client sends and whatever a handler gives: no request makes a server error, each answer has its end.

Both ways to be served: behind the listener of a kernel, where a slot answers, and as ``make_app``'s application.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import endpoints
import pytest
from apps import serving
from endpoints import KEY, Answer, http_request, query, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poe_notebook.bot.base import PoeBot
from poe_notebook.errors import InsufficientFundError
from poe_notebook.protocol.events import ServerSentEvent
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.responses import DataResponse, ErrorResponse, MetaResponse, PartialResponse
from poe_notebook.server.run import make_app

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Scripted(PoeBot):
    """Answers as a test wants it to, and says the last message if it wants nothing."""

    def __init__(self) -> None:
        self.access_key = KEY
        self.answer: Callable[[Any], Any] | None = None

    def get_response(self, request: Any) -> Any:
        if self.answer is not None:
            return self.answer(request)
        return request.query[-1].content if request.query else "nothing"


@dataclass
class Served:
    """The bot and the port that it is served at, under ``/Bot``."""

    bot: Scripted
    port: int

    def post(self, body: Any) -> Answer:
        return http_request(self.port, "/Bot", body=body)


@pytest.fixture(scope="module", params=["kernel", "make_app"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    bot = Scripted()
    bot.path, bot.bot_name = "/Bot", None
    if request.param == "kernel":
        with endpoints.kernel() as kernel:
            kernel.serve(bot)
            yield Served(bot, kernel.port)
    else:
        with serving(make_app(bot)) as port:
            yield Served(bot, port)


# Requests.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ODD_IN_MESSAGES = ("attachments", "parameters", "feedback", "sender", "timestamp", "referenced_message", "metadata")
messages = st.fixed_dictionaries(
    {"role": json_values | st.just("user"), "content": json_values | st.text(max_size=20)},
    optional=dict.fromkeys(ODD_IN_MESSAGES, json_values),
)
kinds = st.sampled_from(["query", "settings", "report_error", "report_reaction", "report_feedback", "x"])
ODD_IN_QUERIES = ("message_id", "temperature", "tools", "users", "logit_bias")
queries = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds,
        "query": st.lists(messages, max_size=3) | json_values,
        **dict.fromkeys(ODD_IN_QUERIES, json_values),
    },
)
more = st.dictionaries(st.sampled_from(["message", "metadata", "reaction", "extra_params", "zz"]), json_values)
bodies = st.one_of(
    st.binary(max_size=60),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.builds(lambda known, extra: json.dumps({**query(), **known, **extra}).encode(), queries, more),
)


@given(body=bodies)
@settings(quick, max_examples=120)
def test_no_body_makes_a_server_error(served: Served, body: bytes) -> None:
    served.bot.answer = None
    answer = served.post(body)
    assert answer.status in (200, 400, 422, 501)
    if answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream"):
        assert [event.type for event in answer.events] == ["text", "done"]
    else:
        assert isinstance(answer.json, dict)


tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=10)
odd_bytes = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=20)
NAMES = ["Authorization", "Content-Type", "Content-Encoding", "Accept", "Cookie", "X-Forwarded-For"]
heads = st.builds(
    lambda method, path, names: [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in names)],
    st.sampled_from(["POST", "GET", "PUT", "OPTIONS", "HEAD", "CONNECT"]) | tokens,
    st.sampled_from(["/Bot", "/", "*", "/Bot/", "//Bot", "/%00", "http://x/Bot"]) | odd_bytes,
    st.lists(
        st.tuples(
            st.sampled_from(NAMES) | tokens,
            st.sampled_from([f"Bearer {KEY}", "Bearer", "gzip", "127.0.0.1", ""]) | odd_bytes,
        ),
        max_size=4,
    ),
)


@given(head=heads, body=st.binary(max_size=30), is_whole=st.booleans())
@quick
def test_no_head_makes_a_server_error(served: Served, head: list[str], body: bytes, is_whole: bool) -> None:
    served.bot.answer = None
    lines = [*head, "Host: x", "Connection: close", f"Content-Length: {len(body)}"]
    raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(raw if is_whole else raw[: len(raw) // 2])
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    status = answer.partition(b"\r\n")[0].split(b" ", 2)[1:2]
    assert status in ([], [b"404"]) or status[0][:1] in b"24" or status == [b"307"], answer[:200]


# Answers.


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError("no representation")


class Loud(str):
    def __str__(self) -> str:
        return "loud"


texts = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=10)
files = st.builds(Attachment, url=texts, content_type=texts, name=texts)
items = st.one_of(
    texts,
    texts.map(Loud),
    st.builds(PartialResponse, text=texts, index=st.none() | st.integers(), attachment=st.none() | files),
    st.builds(PartialResponse, text=texts, data=st.dictionaries(texts, json_values, max_size=2)),
    st.builds(PartialResponse, text=texts, is_replace_response=st.booleans(), is_suggested_reply=st.booleans()),
    st.builds(MetaResponse, suggested_replies=st.booleans()),
    st.builds(DataResponse, metadata=texts),
    st.builds(ErrorResponse, text=texts, raw_response=json_values | st.just(Unshowable())),
    st.builds(ServerSentEvent, data=st.none() | texts, event=st.none() | texts | st.sampled_from(["done", "error"])),
    st.sampled_from([None, 3, b"bytes", {}, [], PartialResponse, Unshowable(), object()]),
    st.sampled_from([ValueError(), SystemExit(), KeyboardInterrupt(), StopIteration(), InsufficientFundError("no")]),
)


def handler(style: str, script: list[Any]) -> Callable[[Any], Any]:
    """Make a handler that gives the items in one of the ways that there are, and raises those that are exceptions."""

    def generate(request: Any) -> Iterator[Any]:
        for item in script:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def generate_async(request: Any) -> Any:
        for item in generate(request):
            yield item

    async def give(request: Any) -> Any:
        return next(generate(request), "")

    def give_plain(request: Any) -> Any:
        return next(generate(request), "")

    async def give_all(request: Any) -> Any:
        return generate_async(request)

    return {"generator": generate, "async": generate_async, "await": give, "plain": give_plain, "all": give_all}[style]


STYLES = ["generator", "async", "await", "plain", "all"]


@given(style=st.sampled_from(STYLES), script=st.lists(items, max_size=4))
@settings(quick, max_examples=100)
def test_an_answer_once_begun_ends_in_done_and_only_once(served: Served, style: str, script: list[Any]) -> None:
    served.bot.answer = handler(style, script)
    answer = served.post(query())
    assert answer.status == 200
    blocks = [block for block in answer.body.split(b"\n\n") if block and not block.startswith(b":")]
    types = [block.partition(b"\n")[0] for block in blocks]
    assert types[-1] == b"event: done"
    assert types.count(b"event: done") == 1
    assert types.count(b"event: error") <= 1
    if b"event: error" in types:
        assert types.index(b"event: error") == len(types) - 2
    else:
        ends = [n for n, item in enumerate(script, 1) if getattr(item, "event", None) == "done"]
        given_out = script[: 1 if style in ("await", "plain") else min(ends, default=None)]
        assert all(isinstance(item, str | PartialResponse | DataResponse | ServerSentEvent) for item in given_out)


@given(given_=json_values | st.sampled_from([SystemExit(), KeyboardInterrupt(), Unshowable()]))
@settings(quick, max_examples=30)
def test_settings_of_any_kind_are_an_answer_in_json(served: Served, given_: Any) -> None:
    async def get_settings(setting: Any) -> Any:
        if isinstance(given_, BaseException):
            raise given_
        return given_

    served.bot.get_settings = get_settings  # type: ignore[method-assign]
    answer = served.post({"version": "1", "type": "settings"})
    assert answer.status == 500  # these are no settings, and the bot's author is told of it
    assert answer.json["detail"].startswith("get_settings of this bot failed")
    assert until(lambda: served.post({"version": "1", "type": "report_error", "message": "m"}).status == 200)
