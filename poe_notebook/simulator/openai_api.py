"""The OpenAI-compatible endpoint's values, for whoever mounts it: requests in, answers and errors out.

::

    call = completion_request(body, user_id=user)          # ApiError -> its status, headers and body
    query = await stored(call.request, upload)             # data URLs -> files of the simulator
    events = ask(call.model, query)                        # ApiError: no_such_model, insufficient_points, ...
    await completion(events, call)                         # or completion_stream(events, call) if call.is_stream
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from poe_notebook.simulator.openai_answers import completion, completion_stream
from poe_notebook.simulator.openai_errors import (
    ApiError,
    failed_bot,
    insufficient_points,
    invalid,
    no_such_model,
    rate_limited,
    too_large,
    unauthorized,
)
from poe_notebook.simulator.openai_files import stored
from poe_notebook.simulator.openai_requests import CompletionRequest, completion_request

__all__ = [
    "ApiError",
    "CompletionRequest",
    "completion",
    "completion_request",
    "completion_stream",
    "failed_bot",
    "insufficient_points",
    "invalid",
    "model_list",
    "no_such_model",
    "rate_limited",
    "response_headers",
    "stored",
    "too_large",
    "unauthorized",
]


def model_list(names: Iterable[str], *, created: int = 0) -> dict[str, Any]:
    """Give the answer of ``GET /v1/models``: ``{"object": "list", "data": [{"id": "Echo", "object": "model", …}]}``."""
    models = [{"id": name, "object": "model", "created": created, "owned_by": "poe-simulator"} for name in names]
    return {"object": "list", "data": models}


def response_headers(request_id: str, *, processing_s: float) -> dict[str, str]:
    """Give the headers that Poe sends with every answer of the endpoint (2025-08)."""
    return {
        "x-request-id": request_id,
        "openai-processing-ms": str(round(processing_s * 1000)),
        "openai-version": "2020-10-01",
    }
