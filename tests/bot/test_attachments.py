"""Attachments on their way in: the same messages at the same places as the library makes, and the query left alone."""

from __future__ import annotations

import time
from typing import Any

import fastapi_poe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.bot.attachments import (
    concat_attachment_content_to_message_body,
    insert_attachment_messages,
    make_prompt_author_role_alternated,
)
from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest

IDS = {"user_id": "u-1", "conversation_id": "c-1", "message_id": "m-1", "version": "1.2", "type": "query"}


def request_of(*attachments: Attachment, content: str = "What is it?", earlier: int = 1) -> QueryRequest:
    old = [ProtocolMessage(role="user", content=f"earlier {n}", attachments=list(attachments)) for n in range(earlier)]
    last = ProtocolMessage(role="user", content=content, attachments=list(attachments), message_id="m-0")
    return QueryRequest(query=[*old, last], **IDS)


def file(kind: str, read: str | None, *, name: str = "a.file") -> Attachment:
    return Attachment(url=f"https://files.example/{name}", content_type=kind, name=name, parsed_content=read)


KINDS = (
    "text/html",
    "text/plain",
    "text/csv",
    "application/pdf",
    "image/png",
    "audio/mpeg",
    "video/mp4",
    "application/json",
)
files = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["read", "", None, "a.png***seen"])), max_size=5)


@given(files)
@settings(max_examples=60)
def test_the_same_files_become_messages_in_the_same_order_as_with_the_library(given_files: list[Any]) -> None:
    attachments = [file(kind, read and f"{read} <{n}>", name=f"<{n}>") for n, (kind, read) in enumerate(given_files)]
    request = request_of(*attachments)
    official = fastapi_poe.PoeBot().insert_attachment_messages(
        fastapi_poe.QueryRequest.model_validate(request.model_dump())
    )
    mine = insert_attachment_messages(request)
    assert [what_is_in(m.content) for m in mine.query] == [what_is_in(m.content) for m in official.query]
    others = [[m.model_dump(exclude={"content"}) for m in query.query] for query in (mine, official)]
    assert others[0] == others[1]


def what_is_in(content: str) -> list[str]:
    return sorted({mark for n in range(5) if (mark := f"<{n}>") in content}) or [content]


def test_the_query_that_was_given_stays_as_it_was() -> None:
    request = request_of(file("text/plain", "words"), file("image/png", "seen"))
    before, messages = request.model_dump(), list(request.query)
    for change in (insert_attachment_messages, concat_attachment_content_to_message_body):
        changed = change(request)
        assert changed is not request
        assert changed.query is not request.query
        assert request.model_dump() == before
        assert all(now is then for now, then in zip(request.query, messages, strict=True))


@pytest.mark.parametrize("change", [insert_attachment_messages, concat_attachment_content_to_message_body])
def test_a_query_without_anything_read_is_given_back(change: Any) -> None:
    assert (
        change(request_of(file("text/plain", None), file("audio/mpeg", "words"))).query
        == request_of(file("text/plain", None), file("audio/mpeg", "words")).query
    )
    assert change(QueryRequest(query=[], **IDS)).query == []


def test_only_the_last_messages_files_count() -> None:
    earlier = ProtocolMessage(role="user", content="see", attachments=[file("text/plain", "words")])
    request = QueryRequest(query=[earlier, ProtocolMessage(role="user", content="and?")], **IDS)
    assert insert_attachment_messages(request).query == request.query


def test_texts_come_in_their_order_and_images_after_them() -> None:
    request = request_of(
        file("image/png", "one"), file("text/plain", "two"), file("image/gif", "three"), file("application/pdf", "four")
    )
    inserted = insert_attachment_messages(request).query[1:-1]
    assert [word for m in inserted for word in ("one", "two", "three", "four") if word in m.content] == [
        "two",
        "four",
        "one",
        "three",
    ]


@pytest.mark.parametrize(
    ("read", "name", "description"),
    [
        ("heron.png***A heron *** at dawn", "heron.png", "A heron *** at dawn"),
        ("A heron at dawn", "sent.png", "A heron at dawn"),
        ("***A heron", "", "A heron"),
    ],
)
def test_an_images_description_is_told_from_its_name(read: str, name: str, description: str) -> None:
    for change in (insert_attachment_messages, concat_attachment_content_to_message_body):
        message = change(request_of(file("image/png", read, name="sent.png"), earlier=0)).query[0]
        assert f"<image_analysis>{description}</image_analysis>" in message.content
        assert f"The image {name} is attached" in message.content


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "TEXT/HTML"])
def test_a_kind_is_known_whatever_its_parameters_and_case(kind: str) -> None:
    plain, spelt = (insert_attachment_messages(request_of(file(k, "words"))) for k in ("text/html", kind))
    assert plain.query[1].content == spelt.query[1].content


def test_concatenating_writes_the_files_below_the_text() -> None:
    request = request_of(file("text/plain", "words"), file("image/png", "seen"), content="Look:")
    changed = concat_attachment_content_to_message_body(request)
    assert len(changed.query) == len(request.query)
    first, second = changed.query[-1].content.index("words"), changed.query[-1].content.index("seen")
    assert changed.query[-1].content.startswith("Look:\n\n")
    assert 0 < first < second
    assert changed.query[-1].model_dump(exclude={"content"}) == request.query[-1].model_dump(exclude={"content"})


their_messages = st.builds(
    fastapi_poe.ProtocolMessage,
    role=st.sampled_from(["user", "bot", "system"]),
    content=st.sampled_from(["", "a", "b\n"]),
    parameters=st.just({}),
    message_id=st.sampled_from(["m-1", "m-2"]),
    sender=st.none(),
    referenced_message=st.none(),
    feedback=st.just([]),
    reactions=st.just([]),
    attachments=st.lists(
        st.builds(
            fastapi_poe.Attachment,
            url=st.sampled_from(["https://a", "https://b", "https://c"]),
            content_type=st.just("text/plain"),
            name=st.sampled_from(["one", "two", "three"]),
            parsed_content=st.none(),
        ),
        max_size=3,
    ),
)


@given(st.lists(their_messages, max_size=6))
@settings(max_examples=60)
def test_roles_are_alternated_as_by_the_library(messages: list[Any]) -> None:
    official = fastapi_poe.PoeBot().make_prompt_author_role_alternated(messages)
    mine = make_prompt_author_role_alternated([ProtocolMessage(**m.model_dump()) for m in messages])
    for ours, theirs in zip(mine, official, strict=True):
        # Of a message that stays alone, theirs keeps an address that occurs twice; of merged ones none does.
        assert ours.model_dump() == theirs.model_dump()


def test_merging_many_messages_takes_time_in_proportion_to_their_number() -> None:
    messages = [ProtocolMessage(role="user", content="x" * 200) for _ in range(20_000)]
    start = time.perf_counter()
    merged = make_prompt_author_role_alternated(messages)
    assert time.perf_counter() - start < 1.0
    assert [len(message.content) for message in merged] == [20_000 * 202 - 2]


def test_a_bot_has_them_as_methods() -> None:
    request = request_of(file("text/plain", "words"), earlier=0)
    bot = PoeBot()
    assert bot.insert_attachment_messages(request) == insert_attachment_messages(request)
    assert len(bot.make_prompt_author_role_alternated([*request.query, *request.query])) == 1
    with pytest.warns(DeprecationWarning, match="insert_attachment_messages takes its place") as warned:
        assert "words" in bot.concat_attachment_content_to_message_body(request).query[-1].content
    assert warned[0].filename == __file__
