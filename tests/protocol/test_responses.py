"""What handlers yield, strict towards the author; and what the client gives, which remembers where it came from."""

from __future__ import annotations

import json
import pickle
import timeit
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from poe_notebook.protocol.events import Event
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import (
    AttachmentUploadResponse,
    CostItem,
    DataResponse,
    ErrorResponse,
    MetaResponse,
    PartialResponse,
    ReceivedData,
    remember_origin,
)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: PartialResponse(txt="x"), "PartialResponse has no field 'txt'; did you mean 'text'?"),  # type: ignore[call-arg]
        (lambda: ErrorResponse(text="", retry=True), "ErrorResponse has no field 'retry'; did you mean 'allow_retry'?"),  # type: ignore[call-arg]
        (lambda: MetaResponse(sugested_replies=True), "no field 'sugested_replies'; did you mean 'suggested_replies'?"),  # type: ignore[call-arg]
        (lambda: DataResponse(meta="x"), "DataResponse has no field 'meta'; did you mean 'metadata'?"),  # type: ignore[call-arg]
        (lambda: DataResponse(metadata="x", qqq=1), "DataResponse has no field 'qqq'; it has metadata."),  # type: ignore[call-arg]
        (lambda: PartialResponse(), "text is missing."),  # type: ignore[call-arg]
        (lambda: PartialResponse(text=None), "text is null; it must be a string."),  # type: ignore[arg-type]
        (lambda: PartialResponse(text="", attachment={"url": "u"}), "attachment.name is missing."),  # type: ignore[arg-type]
        (lambda: ErrorResponse(text="", error_type="oops"), "error_type must be 'user_message_too_long'"),  # type: ignore[arg-type]
        (lambda: MetaResponse(content_type="text/html"), "content_type must be 'text/markdown' or 'text/plain'."),  # type: ignore[arg-type]
        (lambda: PartialResponse.model_validate({"txt": "{x}"}), "did you mean 'text'?"),
        (
            lambda: PartialResponse.model_validate({"text": "", "a{b}%s": 1}),
            "PartialResponse has no field 'a{b}%s'; it has text, data",
        ),
    ],
)
def test_a_mistake_of_the_author_is_told_in_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make()
    assert sentence in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_misspelt_field_is_the_only_fault_told() -> None:
    with pytest.raises(ValidationError) as caught:
        PartialResponse(txt="x")  # type: ignore[call-arg]
    assert caught.value.error_count() == 1
    assert caught.value.errors()[0]["type"] == "extra_forbidden"


def test_the_author_sees_no_input_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        PartialResponse(text=["private"])  # type: ignore[arg-type]
    assert "private" not in str(caught.value)


def test_the_defaults_that_differ_from_the_library() -> None:
    meta = MetaResponse()
    assert (meta.text, meta.suggested_replies, meta.linkify, meta.refetch_settings) == ("", False, True, False)
    assert ErrorResponse(text="x").allow_retry is True


def received(**fields: Any) -> PartialResponse:
    response = PartialResponse(**fields)
    remember_origin(response, QUERY, Event("text", {"text": "a"}))
    return response


QUERY = QueryRequest(
    version="1.2", type="query", query=[], user_id="", conversation_id="", message_id="", access_key="a-secret-key"
)


def test_what_was_asked_is_written_out_when_somebody_reads_it() -> None:
    response = received(text="a", index=1)
    assert "full_prompt" not in repr(response)
    assert response.full_prompt == repr(QUERY)
    assert "a-secret-key" not in response.full_prompt
    assert response.raw_response == {"type": "text", "text": '{"text": "a"}'}
    assert "full_prompt" in repr(response)


@pytest.mark.parametrize("dump", [lambda r: r.model_dump(), lambda r: json.loads(r.model_dump_json())])
def test_a_dump_has_every_field(dump: Any) -> None:
    assert set(dump(received(text="a"))) == set(PartialResponse.model_fields)
    assert dump(received(text="a"))["full_prompt"] == repr(QUERY)


def test_copies_have_it_too() -> None:
    first = received(text="a")
    for copy in (first.model_copy(), first.model_copy(update={"text": "b"}), pickle.loads(pickle.dumps(first))):
        assert copy.full_prompt == repr(QUERY)


def test_responses_are_equal_whatever_was_asked_but_not_if_they_say_something_else() -> None:
    assert received(text="a") == received(text="a") == PartialResponse(text="a") == received(text="a")
    assert received(text="a") != PartialResponse(text="b")
    assert received(text="a") != MetaResponse(text="a")
    assert received(text="a") != "a"
    assert PartialResponse(text="a", raw_response=1) != PartialResponse(text="a")


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'full_promt'"):
        _ = received(text="a").full_promt  # type: ignore[attr-defined]


def test_another_bots_metadata_can_be_read_like_any_other_piece_of_an_answer() -> None:
    data = ReceivedData(metadata="m")
    assert isinstance(data, DataResponse)
    assert isinstance(data, PartialResponse)
    assert (data.text, data.attachment, data.is_replace_response, data.tool_calls) == ("", None, False, [])


def test_from_dict_takes_what_an_event_holds() -> None:
    data = {"text": "a", "allow_retry": 0, "error_type": "new", "url": "u", "content_type": "c", "name": "n"}
    before = dict(data)
    assert PartialResponse.from_dict(data) == PartialResponse(text="a")
    assert PartialResponse.from_dict({}) == PartialResponse.from_dict({"text": None}) == PartialResponse(text="")
    assert ErrorResponse.from_dict(data) == ErrorResponse(text="a", allow_retry=False)
    assert ErrorResponse.from_dict({"error_type": "user_caused_error"}).error_type == "user_caused_error"
    upload = AttachmentUploadResponse.from_dict(data)
    assert upload == AttachmentUploadResponse(attachment_url="u", mime_type="c", name="n", inline_ref=None)
    assert data == before


class Integral:
    """An integer as numpy has them."""

    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize(("amount", "whole"), [(3, 3), (0, 0), (2.0, 2), (2.0001, 3), (Integral(), 7)])
def test_a_cost_is_a_whole_number_rounded_up(amount: Any, whole: int) -> None:
    assert CostItem(amount_usd_milli_cents=amount).amount_usd_milli_cents == whole


@pytest.mark.parametrize(
    "amount", [True, False, -1, -0.1 - 1, "3", None, float("nan"), float("inf"), Decimal("1.5"), []]
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError, match="an amount"):
        CostItem(amount_usd_milli_cents=amount)


def test_making_a_response_costs_no_more_than_a_plain_model() -> None:
    fields: Any = {name: (field.annotation, field) for name, field in PartialResponse.model_fields.items()}
    plain: type[BaseModel] = create_model("Plain", __config__=ConfigDict(extra="forbid"), **fields)
    ours = min(timeit.repeat(lambda: PartialResponse(text="a"), number=5000, repeat=9))
    theirs = min(timeit.repeat(lambda: plain(text="a"), number=5000, repeat=9))
    assert ours < 1.2 * theirs
