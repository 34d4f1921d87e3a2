"""Every name that fastapi_poe 0.0.83 exports, and every method of its classes: ours takes each call that theirs takes.

The table is made by ``inspect`` from the installed package, so that it is the package and not a memory of it: with a
newer one, what is new there fails here by its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, get_args

import fastapi_poe
import pytest
from pydantic import BaseModel

import poe_notebook

Parameter = inspect.Parameter
POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

NOT_OURS = {"CostItem.validate_amount_is_int"}
"""How theirs is built: a validator of pydantic."""

OTHER_DEFAULTS = {
    "base_url": "None: that of POE_BASE_URL, or else Poe's own",
    "on_error": "None: theirs prints",
    "suggested_replies": "of MetaResponse, False: the protocol's and their docstring's default",
}
"""Parameters that are other than theirs if they are left away, and why."""


def methods_of(name: str) -> list[str]:
    """The methods that a class of theirs defines itself."""
    kind = getattr(fastapi_poe, name)
    members = vars(kind).items() if inspect.isclass(kind) else ()
    named = [member for member, value in members if inspect.isroutine(value) and not member.startswith("model_")]
    public = [method for method in named if not method.startswith("_") or method == "_upload_file"]
    return [f"{name}.{method}" for method in public]


EXPORTED = sorted(fastapi_poe.__all__)
METHODS = [method for name in EXPORTED for method in methods_of(name) if method not in NOT_OURS]
BOT_METHODS = [method for method in METHODS if method.startswith("PoeBot.")]
CALLED = ["PoeBot", *(name for name in EXPORTED if inspect.isfunction(getattr(fastapi_poe, name))), *METHODS]
MODELS = [
    name
    for name, kind in vars(fastapi_poe.types).items()
    if inspect.isclass(kind) and issubclass(kind, BaseModel) and name not in {"AttachmentHttpResponse", "BaseModel"}
]
"""Those that are not exported too; ``AttachmentHttpResponse`` is how theirs reads an answer to an upload."""


def pair(name: str) -> tuple[Any, Any]:
    """Theirs and ours of that name, or of that method of a class."""
    owner, _, attribute = name.rpartition(".")
    packages = (fastapi_poe, poe_notebook) if (owner or name) in EXPORTED else (fastapi_poe.types, poe_notebook.types)
    owners = (getattr(package, owner) if owner else package for package in packages)
    theirs, ours = (getattr(each, attribute, None) for each in owners)
    return theirs, ours


def missing_calls(theirs: Callable[..., Any], ours: Callable[..., Any]) -> list[str]:
    """Say which calls theirs takes and ours does not."""
    their_parameters = inspect.signature(theirs).parameters
    our_parameters = dict(inspect.signature(ours).parameters)
    takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in our_parameters.values())
    faults = []
    their_order, our_order = (
        [p.name for p in each if p.kind in POSITIONAL] for each in (their_parameters.values(), our_parameters.values())
    )
    if our_order[: len(their_order)] != their_order:
        faults.append(f"positional ones are {our_order}, theirs {their_order}")
    for name, parameter in their_parameters.items():
        mine = our_parameters.pop(name, None)
        if mine is None:
            if not takes_any:
                faults.append(f"{name} is not taken")
        elif mine.kind is Parameter.POSITIONAL_ONLY and parameter.kind is not Parameter.POSITIONAL_ONLY:
            faults.append(f"{name} cannot be named")
        elif parameter.default is not Parameter.empty and mine.default is Parameter.empty:
            faults.append(f"{name} cannot be left away")
    variable = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    faults += [
        f"{p.name} has to be given"
        for p in our_parameters.values()
        if p.default is Parameter.empty and p.kind not in variable
    ]
    return faults


def missing_exceptions(kind: Any) -> list[str]:
    """Say which of the ways to make an exception, all of which Exception knows, ours does not."""
    faults = []
    for args in ((), ("what",), ("what", 2)):
        try:
            assert isinstance(kind(*args), Exception)
        except TypeError as error:
            faults.append(str(error))
    return faults


def faults_of(name: str) -> list[str]:
    theirs, ours = pair(name)
    if ours is None:
        return ["it is not there"]
    if get_args(theirs):
        mine, official = ([kind.__name__ for kind in get_args(union)] for union in (ours, theirs))
        return [] if mine == official else [f"it is one of {mine}, theirs of {official}"]
    if inspect.isclass(theirs) and issubclass(theirs, Exception):
        return missing_exceptions(ours)
    return missing_calls(theirs, ours)


def test_the_table_is_that_of_the_version_that_is_followed() -> None:
    assert version("fastapi_poe") == "0.0.83"
    assert (len(EXPORTED), len(MODELS), len(BOT_METHODS)) == (55, 46, 29)
    assert {"QueryRequest.from_dict", "ErrorResponse.from_dict", "PoeBot.text_event"} <= set(METHODS)


@pytest.mark.parametrize("name", [*EXPORTED, *sorted({*MODELS} - {*EXPORTED}), *METHODS])
def test_ours_takes_every_call_that_theirs_takes(name: str) -> None:
    assert not faults_of(name)


@pytest.mark.parametrize("name", CALLED)
def test_what_is_left_away_is_the_same_as_with_theirs(name: str) -> None:
    official, mine = (inspect.signature(each).parameters for each in pair(name))
    other = {key for key, p in official.items() if p.default is not Parameter.empty and p.default != mine[key].default}
    assert other <= set(OTHER_DEFAULTS)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "RequestContext"])
def test_a_model_has_the_fields_and_the_defaults_of_theirs(name: str) -> None:
    official, mine = (kind.model_fields for kind in pair(name))
    assert set(mine) == set(official)
    for key, field in official.items():
        assert mine[key].alias == field.alias
        if not field.is_required() and key not in OTHER_DEFAULTS:
            official_default, own = (each.get_default(call_default_factory=True) for each in (field, mine[key]))
            assert own == official_default


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_awaited_iterated_or_called_as_theirs_is(method: str) -> None:
    theirs, ours = pair(method)
    for is_such in (inspect.iscoroutinefunction, inspect.isasyncgenfunction):
        assert is_such(ours) == is_such(theirs)
    owner, _, name = method.partition(".")
    official, mine = (inspect.getattr_static(kind, name) for kind in pair(owner))
    assert (type(mine) in BOUND and type(mine)) == (type(official) in BOUND and type(official))


BOUND = (staticmethod, classmethod)


@pytest.mark.parametrize(
    ("ours", "fault"),
    [
        (lambda a, b=1, *, c: 0, ""),
        (lambda a, b=1, d=2, *, c=3, e=4: 0, ""),
        (lambda a, b=1, **more: 0, ""),
        (lambda b, a=1, *, c: 0, "positional ones are"),
        (lambda a, b, *, c: 0, "b cannot be left away"),
        (lambda a, b=1, /, *, c: 0, "cannot be named"),
        (lambda a, b=1: 0, "c is not taken"),
        (lambda a, b=1, *, c, d: 0, "d has to be given"),
    ],
)
def test_the_comparison_finds_each_kind_of_difference(ours: Any, fault: str) -> None:
    def theirs(a: int, b: int = 1, *, c: int) -> None:
        pass

    faults = missing_calls(theirs, ours)
    assert any(fault in each for each in faults) if fault else not faults
