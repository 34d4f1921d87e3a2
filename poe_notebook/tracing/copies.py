"""A request as something to paste: a curl command, Python code, JSON. Its key is named, as a variable, never shown."""

from __future__ import annotations

import json
import pprint
import shlex
from typing import Any

from poe_notebook.tracing.exchange import Exchange

__all__ = ["as_curl", "as_json", "as_python", "key_variable"]

_WIDTH = 100


def as_curl(exchange: Exchange) -> str:
    """Write the request as a command for a shell. Set the variable that it names first."""
    body = json.dumps(exchange.request, separators=(",", ":"), default=str)
    return " \\\n  ".join(
        [
            f"curl --no-buffer {shlex.quote(_url(exchange))}",
            f'-H "Authorization: Bearer ${key_variable(exchange)}"',
            "-H 'Content-Type: application/json'",
            f"--data-binary {shlex.quote(body)}",
        ]
    )


def as_python(exchange: Exchange) -> str:
    """Write the request as code for a cell, which queries the same bot again."""
    base, _, name = _url(exchange).rpartition("/")
    request = pprint.pformat(exchange.request, width=_WIDTH, sort_dicts=False)
    key = f'os.environ["{key_variable(exchange)}"]'
    return (
        "import os\n\nimport poe_notebook as fp\n\n"
        f"request = fp.QueryRequest.model_validate(\n{_indented(request)}\n)\n"
        f"answer = fp.stream_request(request, {name!r}, {key}, base_url={base + '/'!r})\n"
        "async for response in answer:\n"
        '    print(getattr(response, "text", ""), end="")'
    )


def as_json(exchange: Exchange) -> str:
    """Write the request's body as JSON."""
    return json.dumps(exchange.request, indent=2, ensure_ascii=False, default=str)


def key_variable(exchange: Exchange) -> str:
    """Name the environment variable that the key is taken from: the user's API key for bots on Poe, else the bot's."""
    return "POE_API_KEY" if exchange.route in ("poe", "simulator") else "POE_ACCESS_KEY"


def _url(exchange: Exchange) -> str:
    headers: dict[str, Any] = {name.lower(): value for name, value in exchange.request_headers.items()}
    return exchange.url or f"http://{headers.get('host', '127.0.0.1:8765')}/{exchange.bot}"


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))
