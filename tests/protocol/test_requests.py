"""Requests: what is read, what is refused with which status, and that no key ever shows."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from poe_notebook.errors import PoeProtocolError
from poe_notebook.protocol.requests import (
    BaseRequest,
    MalformedRequest,
    QueryRequest,
    ReportErrorRequest,
    ReportFeedbackRequest,
    ReportReactionRequest,
    SettingsRequest,
    parse_request,
)

SECRET = "s3cr3t" * 5
IDS = {"message_id": "m-1", "user_id": "u-1", "conversation_id": "c-1"}
QUERY: dict[str, Any] = {
    "version": "1.2",
    "type": "query",
    "query": [{"role": "user", "content": "hi", "feedback": [{"type": "like", "reason": None}]}],
    **IDS,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def outcome_of(body: object) -> BaseRequest | MalformedRequest:
    try:
        return parse_request(body)
    except MalformedRequest as refusal:
        return refusal


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (QUERY, QueryRequest),
        ({"type": "settings", "version": "0"}, SettingsRequest),
        ({"type": "report_feedback", "version": "1", **IDS, "feedback_type": "meh"}, ReportFeedbackRequest),
        ({"type": "report_reaction", "version": "1", **IDS, "reaction": "heart"}, ReportReactionRequest),
        ({"type": "report_error", "version": "1", "message": "x", "metadata": {"a": 1}}, ReportErrorRequest),
        ({"type": "report_error", "version": "1", "message": "x", "metadata": None}, ReportErrorRequest),
    ],
)
def test_each_type_of_request_is_read(body: dict[str, Any], kind: type[BaseRequest]) -> None:
    request = parse_request({**body, "unheard_of": [1]})
    assert type(request) is kind
    assert request.type == body["type"]


@pytest.mark.parametrize(
    "field",
    ["metadata", "skip_system_prompt", "logit_bias", "stop_sequences", "language_code", "bot_query_id", "users"],
)
def test_null_counts_as_the_default(field: str) -> None:
    assert parse_request({**QUERY, field: None}) == parse_request(QUERY)


def test_tool_definitions_come_in_whole() -> None:
    tool = {
        "type": "function",
        "function": {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {}, "$defs": {}}},
    }
    request = parse_request({**QUERY, "tools": [tool]})
    assert isinstance(request, QueryRequest)
    assert request.model_dump()["tools"] == [tool]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ([QUERY], 400, "a list"),
        ("query", 400, "a string"),
        (None, 400, "null"),
        ({}, 422, "no type"),
        ({"type": None}, 422, "type is null"),
        ({"type": ["query"]}, 422, "type is a list"),
        ({"type": "report_weather", "version": "2.0"}, 501, "'report_weather'"),
        ({"type": "settings"}, 422, "version is missing"),
        ({**QUERY, "query": "hi"}, 422, "query is a string; it must be a list"),
        ({**QUERY, "query": ["hi"]}, 422, r"query\[0\] is a string; it must be an object"),
        ({**QUERY, "query": [{"role": "user", "content": 5}]}, 422, r"query\[0\].content is a number"),
        (
            {**QUERY, "query": [{"role": "user", "content": "x", "feedback": [{}]}]},
            422,
            r"feedback\[0\].type is missing",
        ),
        (
            {**QUERY, "query": [{"role": "user", "content": "x", "feedback": 3}]},
            422,
            r"feedback is a number; .* a list",
        ),
        ({**QUERY, "logit_bias": {"tok": "lots"}}, 422, "logit_bias.tok is a string; it must be a number"),
        ({**QUERY, "skip_system_prompt": []}, 422, "skip_system_prompt is a list; it must be a boolean"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_status_and_reason(body: object, status: int, says: str) -> None:
    with pytest.raises(MalformedRequest, match=says) as caught:
        parse_request(body)
    assert caught.value.status == status
    assert isinstance(caught.value, PoeProtocolError)


def test_one_fault_is_named_once() -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse_request({**QUERY, "users": 3})
    assert str(caught.value).count("users") == 1


def test_of_many_faults_the_first_are_named_and_the_others_counted() -> None:
    with pytest.raises(MalformedRequest, match="And 7 more") as caught:
        parse_request({**QUERY, "query": [{}] * 5})
    assert str(caught.value).count("missing") == 3


def test_endless_quoting_is_refused_not_a_crash() -> None:
    message: dict[str, Any] = {"role": "user", "content": "x"}
    for _ in range(5000):
        message = {"role": "user", "content": "x", "referenced_message": message}
    with pytest.raises(MalformedRequest) as caught:
        parse_request({**QUERY, "query": [message]})
    assert caught.value.status == 422
    assert len(str(caught.value)) < 1_000


def test_a_caller_cannot_set_the_keys() -> None:
    request = parse_request({**QUERY, "access_key": SECRET, "api_key": 5})
    assert isinstance(request, QueryRequest)
    assert (request.access_key, request.api_key) == ("<missing>", "<missing>")


def test_keys_do_not_show_in_the_representation() -> None:
    request = QueryRequest(**QUERY, access_key=SECRET, api_key=SECRET)
    assert SECRET not in repr(request) + str(request) + repr([request])
    assert request.model_dump()["access_key"] == SECRET


def test_keys_and_texts_do_not_show_in_errors() -> None:
    broken = {
        **QUERY,
        "access_key": SECRET,
        "api_key": SECRET,
        "user_id": None,
        "query": [{"content": SECRET, "role": []}],
    }
    with pytest.raises(ValidationError) as direct:
        QueryRequest.model_validate(broken)
    with pytest.raises(MalformedRequest) as parsed:
        parse_request(broken)
    assert SECRET not in str(direct.value) + repr(direct.value) + str(parsed.value) + repr(parsed.value)
    assert parsed.value.__cause__ is None
    assert parsed.value.__suppress_context__


def test_a_body_is_not_changed_by_reading_it() -> None:
    body = {**copy.deepcopy(QUERY), "tools": [{"type": "function", "function": {"name": "f"}}], "access_key": "k"}
    before = copy.deepcopy(body)
    parse_request(body)
    QueryRequest.from_dict(body)
    assert body == before


def test_from_dict_makes_tools_of_dictionaries() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    result = {"role": "tool", "name": "f", "tool_call_id": "1", "content": "2"}
    request = QueryRequest.from_dict({**QUERY, "tool_calls": [call], "tool_results": [result], "access_key": "k"})
    assert request.tool_calls is not None
    assert request.tool_calls[0].function.name == "f"
    assert request.tool_results is not None
    assert request.tool_results[0].content == "2"
    assert request.access_key == "k"


@given(body=json_values | st.dictionaries(st.sampled_from([*QUERY, "users", "tools", "metadata"]), json_values))
def test_no_json_value_does_anything_but_parse_or_be_refused(body: object) -> None:
    assert getattr(outcome_of(body), "status", 200) in (200, 400, 422, 501)


@given(
    kind=st.sampled_from(["query", "settings", "report_feedback", "report_reaction", "report_error"]),
    field=st.sampled_from([*QueryRequest.model_fields, "feedback_type", "reaction", "message"]),
    value=json_values,
)
def test_one_odd_field_never_does_anything_but_parse_or_be_refused(kind: str, field: str, value: object) -> None:
    body = {**QUERY, "type": kind, "feedback_type": "like", "reaction": "sad", "message": "m", "metadata": {}}
    body["metadata"] = "d-1" if kind == "query" else {}
    outcome = outcome_of({**body, field: value} if field != "type" else body)
    if isinstance(outcome, MalformedRequest):
        assert outcome.status == 422
        assert field in outcome.what


@given(text=st.text(st.characters() | st.characters(categories=["Cs"])))
def test_any_text_that_json_can_hold_is_read(text: str) -> None:
    body = json.loads(json.dumps({**QUERY, "query": [{"role": "user", "content": text}], "user_id": text}))
    request = parse_request(body)
    assert isinstance(request, QueryRequest)
    assert (request.query[0].content, request.user_id) == (text, text)
