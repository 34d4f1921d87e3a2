"""What is made by the models of fastapi_poe 0.0.83 is the same by ours; and what these import."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from fastapi_poe import types as theirs
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.protocol import controls, messages, requests, responses, settings, tools

ROOMS: tuple[ModuleType, ...] = (controls, messages, requests, responses, settings, tools)

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
