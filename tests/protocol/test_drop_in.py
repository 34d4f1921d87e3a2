"""Every model of fastapi_poe 0.0.83 has ours of the same name: same fields, same defaults, takes at least as much."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, get_args

import fastapi_poe
import pytest
from fastapi_poe import types as theirs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from poe_notebook.protocol import controls, messages, requests, responses, settings, tools

ROOMS: tuple[ModuleType, ...] = (controls, messages, requests, responses, settings, tools)
ELSEWHERE = {"RequestContext", "AttachmentHttpResponse", "BaseModel"}  # the server's, the upload's, pydantic's
NAMES = sorted(name for name, item in vars(theirs).items() if inspect.isclass(item) and issubclass(item, BaseModel))
DIFFERENT = {("MetaResponse", "suggested_replies"), ("MetaResponse", "text")}


def ours_named(name: str) -> Any:
    return next(vars(room)[name] for room in ROOMS if name in vars(room))


def default_of(field: Any) -> object:
    return field.get_default(call_default_factory=True)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_a_model_has_the_fields_and_defaults_of_the_library(name: str) -> None:
    our_fields, their_fields = ours_named(name).model_fields, getattr(theirs, name).model_fields
    assert set(our_fields) == set(their_fields)
    for field, their_field in their_fields.items():
        if not their_field.is_required() and (name, field) not in DIFFERENT:
            assert default_of(our_fields[field]) == default_of(their_field) is not PydanticUndefined
        assert our_fields[field].alias == their_field.alias


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_a_constructor_asks_for_nothing_that_the_library_does_not_ask_for(name: str) -> None:
    our_parameters = inspect.signature(ours_named(name)).parameters
    their_parameters = inspect.signature(getattr(theirs, name)).parameters
    assert set(their_parameters) <= set(our_parameters)
    for parameter, ours in our_parameters.items():
        if ours.default is inspect.Parameter.empty and ours.kind is inspect.Parameter.KEYWORD_ONLY:
            assert their_parameters[parameter].default is inspect.Parameter.empty


def test_the_unions_have_the_same_members() -> None:
    for name in ("BaseControl", "FullControls", "Number"):
        mine, official = get_args(getattr(controls, name)), get_args(getattr(fastapi_poe, name))
        assert [kind.__name__ for kind in mine] == [kind.__name__ for kind in official]


values = st.none() | st.booleans() | st.integers() | st.text()
attachments = st.builds(theirs.Attachment)
their_messages = st.builds(
    theirs.ProtocolMessage,
    parameters=st.dictionaries(st.text(), values),
    attachments=st.lists(attachments, max_size=2),
    referenced_message=st.none()
    | st.builds(theirs.ProtocolMessage, referenced_message=st.none(), parameters=st.just({})),
)
their_queries = st.builds(
    theirs.QueryRequest,
    type=st.just("query"),
    query=st.lists(their_messages, max_size=2),
    temperature=st.none() | st.floats(allow_nan=False),
    logit_bias=st.dictionaries(st.text(), st.floats(allow_nan=False)),
    users=st.lists(st.builds(theirs.User), max_size=2),
    tools=st.none(),
    tool_calls=st.none() | st.lists(st.builds(theirs.ToolCallDefinition), max_size=2),
    tool_results=st.none() | st.lists(st.builds(theirs.ToolResultDefinition), max_size=2),
    extra_params=st.none() | st.dictionaries(st.text(), values),
)
their_partials = st.builds(
    theirs.PartialResponse,
    data=st.none() | st.dictionaries(st.text(), values),
    raw_response=values,
    attachment=st.none() | attachments,
)


@given(query=their_queries)
def test_every_query_of_the_library_is_the_same_query_here(query: Any) -> None:
    assert requests.QueryRequest.model_validate(query.model_dump()).model_dump() == query.model_dump()
    assert requests.QueryRequest.model_validate(query).model_dump() == query.model_dump()


@given(response=their_partials)
def test_every_partial_response_of_the_library_is_the_same_here(response: Any) -> None:
    mine = responses.PartialResponse(**response.model_dump())
    assert mine.model_dump(exclude={"tool_calls"}) == response.model_dump(exclude={"tool_calls"})
    assert [call.index for call in mine.tool_calls] == [call.index for call in response.tool_calls]


def test_the_models_import_nothing_but_pydantic_and_the_standard_library() -> None:
    code = """
import json, sys, pydantic
from pydantic import *
pydantic.BaseModel, pydantic.create_model
before = set(sys.modules)
import poe_notebook.protocol.requests, poe_notebook.protocol.responses, poe_notebook.protocol.settings
import poe_notebook.protocol.limits, poe_notebook.protocol.events
new = {name.partition('.')[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(json.loads(done.stdout)) <= {"poe_notebook", "pydantic", "pydantic_core", "annotated_types"}


def test_the_room_reads_no_clock_and_does_no_input_or_output() -> None:
    for room in (*ROOMS, *map(import_module, _OTHERS)):
        for banned in ("os", "io", "time", "socket", "logging", "threading", "asyncio", "pathlib"):
            assert banned not in vars(room), f"{room.__name__} imports {banned}"


_OTHERS = [
    f"poe_notebook.protocol.{name}" for name in ("events", "faults", "identifiers", "inputs", "limits", "models")
]
