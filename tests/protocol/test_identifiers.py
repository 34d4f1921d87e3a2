"""Identifiers have the form that Poe gives them."""

from __future__ import annotations

import re

import pytest

from poe_notebook.errors import PoeNotebookError
from poe_notebook.protocol.identifiers import is_identifier, new_identifier


@pytest.mark.parametrize("tag", ["m", "u", "c", "d", "abc"])
def test_a_new_identifier_has_its_tag_and_the_form(tag: str) -> None:
    identifier = new_identifier(tag)
    assert re.fullmatch(r"[a-z]{1,3}-[a-z0-9=]{32}", identifier)
    assert identifier.startswith(f"{tag}-")
    assert is_identifier(identifier)


def test_new_identifiers_differ() -> None:
    assert len({new_identifier("m") for _ in range(1000)}) == 1000


@pytest.mark.parametrize("tag", ["", "M", "abcd", "m1", "é", "m\n"])
def test_a_wrong_tag_is_refused(tag: str) -> None:
    with pytest.raises(PoeNotebookError, match="tag"):
        new_identifier(tag)


@pytest.mark.parametrize(
    "text",
    ["", "m-", "m-" + "a" * 31, "m-" + "a" * 33, "m-" + "A" * 32, "m-" + "a" * 32 + "\n", "abcd-" + "a" * 32, None],
)
def test_other_forms_are_no_identifiers(text: object) -> None:
    assert not is_identifier(text)


def test_the_older_form_with_equals_signs_is_an_identifier() -> None:
    assert is_identifier("m-" + "a" * 26 + "======")
