"""The templates have the library's names and fields, and words of their own."""

from __future__ import annotations

from string import Formatter

import pytest
from fastapi_poe import templates as theirs

from poe_notebook.bot import templates

NAMES = sorted(name for name in vars(theirs) if name.endswith("_TEMPLATE"))


def fields_of(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field}


def test_every_template_of_the_library_is_here() -> None:
    assert sorted(templates.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_template_has_the_fields_of_the_library_and_words_of_its_own(name: str) -> None:
    mine, official = getattr(templates, name), getattr(theirs, name)
    assert fields_of(mine) == fields_of(official)
    assert mine != official


@pytest.mark.parametrize("name", NAMES)
def test_what_is_put_in_is_taken_as_it_is(name: str) -> None:
    template = getattr(templates, name)
    put_in = {field: f"{{{field}!r}} 100% \\n {{0}}" for field in fields_of(template)}
    text = template.format(**put_in)
    assert all(text.count(value) == 1 for value in put_in.values())


def test_the_description_of_an_image_stands_in_an_element_of_its_own() -> None:
    text = templates.IMAGE_VISION_ATTACHMENT_TEMPLATE.format(filename="a.png", parsed_image_description="A heron.")
    assert "<image_analysis>A heron.</image_analysis>" in text
