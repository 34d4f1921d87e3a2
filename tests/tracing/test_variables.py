"""Variables at a line: short, whatever they are, and in no time."""

from __future__ import annotations

import sys
import time
from types import MappingProxyType
from typing import Any

import pytest

from poe_notebook.tracing.variables import variables_of


def shown(value: Any) -> str:
    return dict(variables_of(sys._getframe(), str))["value"]


MANY = dict.fromkeys(range(3_000_000))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (MANY.keys(), "<dict_keys of 3,000,000>"),
        (MANY.items(), "<dict_items of 3,000,000>"),
        (MANY.values(), "<dict_values of 3,000,000>"),
        (MappingProxyType(MANY), "<mappingproxy of 3,000,000>"),
        (MANY, "{0: None, 1: None, 2: None, 3: None, ...}"),
        (set(MANY), "<set of 3,000,000>"),
        (frozenset(MANY), "<frozenset of 3,000,000>"),
        (ValueError(MANY.keys(), "x" * 5), "ValueError(<dict_keys of 3,000,000>, 'xxxxx')"),
        (slice(MANY.keys()), "slice(None, <dict_keys of 3,000,000>, None)"),
        (range(10**12), "range(0, 1000000000000)"),
        ({"b": 1, "a": 2}.keys(), "dict_keys(['b', 'a'])"),
        ({"b": 1}.items(), "dict_items([('b', 1)])"),
        (MappingProxyType({"b": 1}), "mappingproxy({'b': 1})"),
        ({3, 1, 2}, "{1, 2, 3}"),
        ({}, "{}"),
        ([[[[[1]]]]], "[[[[...]]]]"),
        (None, "None"),
        (1.5, "1.5"),
        (
            ExceptionGroup("two", [ValueError(1), KeyError("k")]),
            "ExceptionGroup('two', [ValueError(1), KeyError('k')])",
        ),
    ],
)
def test_a_value_is_written_in_short_and_quickly(value: Any, text: str) -> None:
    began_s = time.perf_counter()
    assert shown(value) == text
    assert time.perf_counter() - began_s < 0.2


def test_a_view_of_huge_values_is_not_written_out() -> None:
    began_s = time.perf_counter()
    assert shown({1: ["x" * 50_000_000] * 500}.values()).startswith("dict_values([['xxx")
    assert time.perf_counter() - began_s < 0.2
