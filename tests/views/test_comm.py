"""What goes over a comm: JSON, whatever files are in it."""

from __future__ import annotations

import json
from base64 import b64decode

from poe_notebook.views.comm import as_json


def test_files_in_a_message_become_text_that_gives_them_back() -> None:
    message = as_json({"kind": "state", "media": [[1, "image/png", b"\x89PNG"]], "seq": 3, "at_s": 0.5})
    assert json.loads(json.dumps(message)) == message
    assert b64decode(message["media"][0][2]) == b"\x89PNG"
    assert (message["seq"], message["at_s"]) == (3, 0.5)
