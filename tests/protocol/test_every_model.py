"""What is true of every model: it comes back from JSON as it was; whatever else it is given, it takes or refuses."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from vectors.models import EXAMPLES

from poe_notebook.protocol import controls, inputs, messages, requests, responses, tools
from poe_notebook.protocol import settings as bot_settings
from poe_notebook.protocol.faults import sentences
from poe_notebook.protocol.models import AuthorModel

ROOMS = (controls, inputs, messages, requests, responses, bot_settings, tools)
MODELS: dict[str, Any] = {
    name: kind
    for room in ROOMS
    for name, kind in vars(room).items()
    if isinstance(kind, type) and issubclass(kind, BaseModel) and name in room.__all__
}
every_model = pytest.mark.parametrize("name", sorted(MODELS))


LEFT_AWAY = {
    "MetaResponse": {"refetch_settings"},
    "QueryRequest": {"api_key", "access_key"},
    "Section": {"controls"},
    "SettingsResponse": set(bot_settings.SettingsResponse.model_fields) - set(EXAMPLES["SettingsResponse"]),
}
"""What an example has not: what excludes another field, what no request brings, settings that are like another."""


def test_every_model_has_an_example_with_all_of_its_fields() -> None:
    assert set(EXAMPLES) == set(MODELS)
    for name, example in EXAMPLES.items():
        names = {field.alias or key for key, field in MODELS[name].model_fields.items()}
        assert names - set(example) == LEFT_AWAY.get(name, set()), name


@every_model
def test_an_example_comes_back_from_json_as_it_was(name: str) -> None:
    kind, example = MODELS[name], EXAMPLES[name]
    made = kind.model_validate(copy.deepcopy(example))
    dumped = made.model_dump(by_alias=True)
    assert kind.model_validate(json.loads(json.dumps(dumped))) == made
    assert kind.model_validate_json(made.model_dump_json(by_alias=True)) == made
    assert {key: value for key, value in dumped.items() if key in example}.keys() == example.keys()
    if issubclass(kind, AuthorModel):
        assert kind(**example) == made


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, the deepest ones too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, item in inner for spot in spots(item, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Give the value with another one at that place; ``...`` takes the place away."""
    if not path:
        return new
    changed = copy.copy(value)
    if new is ... and len(path) == 1:
        del changed[path[0]]
    else:
        changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def odd(example: Any) -> st.SearchStrategy[Any]:
    """The example with something else, something more or nothing in up to two of its places."""
    places = st.sampled_from([spot for spot in spots(example) if spot])
    changes = st.lists(st.tuples(places, json_values | st.just(...)), min_size=1, max_size=2)
    more = st.dictionaries(st.text(max_size=8), json_values, max_size=1)

    def changed(drawn: tuple[list[Any], dict[str, Any]]) -> Any:
        value = example
        for place, new in sorted(drawn[0], key=lambda change: len(change[0]), reverse=True):
            with suppress(KeyError, IndexError, TypeError):  # where the other change has taken the place away
                value = put(value, place, new)
        return {**value, **drawn[1]}

    return st.tuples(changes, more).map(changed)


@every_model
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_odd_value_is_taken_whole_or_refused_in_sentences(name: str, data: st.DataObject) -> None:
    kind, value = MODELS[name], data.draw(odd(EXAMPLES[name]))
    before = copy.deepcopy(value)
    try:
        made = kind.model_validate(value)
    except ValidationError as error:
        said = sentences(error)
        assert said
        assert all(0 < len(sentence) < 1000 and "\n" not in sentence for sentence in said)
    else:
        assert str(kind.model_validate(made.model_dump(by_alias=True))) == str(made)  # as text, for NaN
    assert str(value) == str(before)


SECRET = "s3cr3t-words-of-a-user"


WIRE_MODELS = sorted(name for name, kind in MODELS.items() if not issubclass(kind, AuthorModel))


@pytest.mark.parametrize("name", WIRE_MODELS)
def test_a_refusal_does_not_quote_what_a_user_wrote(name: str) -> None:
    kind, example = MODELS[name], EXAMPLES[name]
    refusals = []
    for place in spots(example)[1:]:
        for wrong in (SECRET, [SECRET], [[SECRET]], {"a": SECRET}):
            try:
                kind.model_validate(put(example, place, wrong))
            except ValidationError as error:
                refusals.append(" ".join(sentences(error)))
    assert refusals
    assert not [refusal for refusal in refusals if SECRET[8:] in refusal]
