"""The prose writer: every kind of Markdown, about any message."""

from __future__ import annotations

import pytest
from asking_stand_ins import ask, label, said
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.simulator.prose_stand_in import prose
from poe_notebook.views.markdown import render


@pytest.mark.parametrize(
    "element",
    ["<h1", "<h2", "<h3", "<table", "<ol", "<ul", "<pre", "<code", "<blockquote", "<hr", "<strong", "<em", "<a "],
)
def test_every_kind_of_markdown_is_in_it(element: str) -> None:
    assert element in render(said(ask("Prose", "Tell me about herons")))


def test_it_is_about_the_message_and_ends_with_suggested_replies() -> None:
    events = ask("Prose", "Tell me about herons and the sea")
    assert [event.type for event in events if event.type != "text"] == ["meta", *["suggested_reply"] * 2, "done"]
    assert said(events).startswith("# Herons and sea\n\nYou gave me seven words in one sentence.")
    assert said(events).endswith(label("Prose"))


@settings(deadline=None)
@given(st.text())
def test_any_message_can_be_written_about(message: str) -> None:
    assert prose(message).count("```") == 2
