"""Places in code, for failures and for what blocks a loop."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, cast

from poe_notebook.tracing.failures import authors_place, innermost_place


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
