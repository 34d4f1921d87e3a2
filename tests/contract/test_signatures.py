"""Every name that fastapi_poe 0.0.83 exports, and every method of its bots: ours takes each call that theirs takes.

The table is made by ``inspect`` from the installed package, so that it is the package and not a memory of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, get_args

import fastapi_poe
import pytest

import poe_notebook

Parameter = inspect.Parameter
POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

NOT_COMPLETE_YET: set[str] = set()
"""What ours has not got, or not with all of their parameters. To be emptied: a name that is complete fails here."""

EXPORTED = sorted(fastapi_poe.__all__)
METHODS = sorted(
    name
    for name, method in vars(fastapi_poe.PoeBot).items()
    if inspect.isroutine(method) and (not name.startswith("_") or name == "_upload_file")
)


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
    owner, _, method = name.rpartition(".")
    their_owner, our_owner = (getattr(p, owner) if owner else p for p in (fastapi_poe, poe_notebook))
    theirs, ours = getattr(their_owner, method), getattr(our_owner, method, None)
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
    assert len(EXPORTED) == 55


@pytest.mark.parametrize("name", [*EXPORTED, *(f"PoeBot.{method}" for method in METHODS)])
def test_ours_takes_every_call_that_theirs_takes(name: str) -> None:
    faults = faults_of(name)
    if name in NOT_COMPLETE_YET:
        assert faults, f"{name} is complete: take it off NOT_COMPLETE_YET"
    else:
        assert not faults


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_awaited_iterated_or_called_as_theirs_is(method: str) -> None:
    if f"PoeBot.{method}" in NOT_COMPLETE_YET:
        return
    mine, theirs = getattr(poe_notebook.PoeBot, method), getattr(fastapi_poe.PoeBot, method)
    for is_such in (inspect.iscoroutinefunction, inspect.isasyncgenfunction):
        assert is_such(mine) == is_such(theirs)
    static = [isinstance(inspect.getattr_static(kind, method), staticmethod) for kind in KINDS]
    assert static[0] == static[1]


KINDS = (poe_notebook.PoeBot, fastapi_poe.PoeBot)


def test_nothing_waits_on_the_list_that_is_no_name_of_theirs() -> None:
    assert {*EXPORTED, *(f"PoeBot.{method}" for method in METHODS)} >= NOT_COMPLETE_YET


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
