"""What functions returned, in plain words, built from the JSON values alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from poe_notebook.simulator.words import name_words

__all__ = ["known_values", "result_value", "result_words"]

_UNITS = ("unit", "units", "currency", "scale")
_PLACE_NAMES = frozenset({"location", "city", "place", "country", "town", "region"})
_MOST_ITEMS, _MOST_CHARS, _MOST_DEPTH = 8, 600, 3


def result_value(content: str) -> Any:
    """Give what a result's text says. A text that is JSON again, since its function returned JSON, is opened."""
    value: Any = content
    for _ in range(3):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value


def known_values(values: Sequence[Any]) -> dict[str, Any]:
    """Give the single values in results by their names, the words of which are written together."""
    known: dict[str, Any] = {}
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                single = {key: each for key, each in item.items() if isinstance(each, str | int | float)}
                known.update({"".join(name_words(str(key))): each for key, each in single.items()})
    return known


def result_words(name: str, arguments: Mapping[str, Any], value: Any) -> str:
    """Say in a sentence, or a list, what a call of a function gave."""
    if isinstance(value, Mapping) and value:
        if "error" in value:
            return f"`{name}` failed: {_short(value['error'])}."
        return _of_object(value, arguments)
    if isinstance(value, list) and value:
        return _of_list(name, value)
    if value is None or value == "" or isinstance(value, Mapping | list):
        return f"`{name}` gave nothing."
    given = ", ".join(_short(argument) for argument in arguments.values())
    return f"`{name}` of {given} gives {_short(value)}." if given else f"`{name}` gives {_short(value)}."


def _of_object(value: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    subject = _subject(value, arguments)
    rest = {key: each for key, each in value.items() if key != subject}
    statements = _statements(rest)
    if subject is None:
        sentence = _sentence(statements)
        return sentence[:1].upper() + sentence[1:]
    preposition = "In" if subject in _PLACE_NAMES else "For"
    return f"{preposition} {_short(value[subject])} {_sentence(statements) if statements else 'nothing more is known.'}"


def _subject(value: Mapping[str, Any], arguments: Mapping[str, Any]) -> str | None:
    """Give the key of what the result is about: the value that was asked with."""
    asked = [str(argument).lower() for argument in arguments.values() if isinstance(argument, str) and argument]
    for key, each in value.items():
        said = str(each).lower() if isinstance(each, str) and each else ""
        if said and key not in _UNITS and any(said in argument or argument in said for argument in asked):
            return key
    return None


def _statements(value: Mapping[str, Any]) -> list[str]:
    """Give a statement for each value; a unit stands behind the first number."""
    unit = next((str(value[key]) for key in _UNITS if isinstance(value.get(key), str)), "")
    measured = next((key for key, each in value.items() if unit and _is_number(each)), None)
    statements = []
    for key, each in value.items():
        if key in _UNITS and measured is not None:
            continue
        text = f"{_short(each)} {unit}" if key == measured else _short(each)
        verb = "are" if isinstance(each, list) and len(each) != 1 else "is"
        statements.append(f"the {' '.join(name_words(str(key)))} {verb} {text}")
    return statements


def _sentence(statements: list[str]) -> str:
    shown = statements[:_MOST_ITEMS]
    if len(shown) > 1:
        return f"{', '.join(shown[:-1])} and {shown[-1]}."
    return f"{shown[0]}." if shown else "nothing was returned."


def _of_list(name: str, value: list[Any]) -> str:
    shown = value[:_MOST_ITEMS]
    rest = f"\n- and {len(value) - len(shown)} more" if len(value) > len(shown) else ""
    count = "one thing" if len(value) == 1 else f"{len(value)} things"
    return f"`{name}` gave {count}:\n" + "\n".join(f"- {_short(item)}" for item in shown) + rest


def _short(value: Any, depth: int = 0) -> str:
    """Say a value in one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping | list) and depth >= _MOST_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        text = ", ".join(f"{' '.join(name_words(str(key)))} {_short(each, depth + 1)}" for key, each in value.items())
    elif isinstance(value, list):
        text = ", ".join(_short(each, depth + 1) for each in value[:_MOST_ITEMS])
    else:
        text = "unknown" if value is None else " ".join(str(value).split())
    return text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS] + "…"


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lstrip("-+").replace(".", "", 1).isdigit()
    return isinstance(value, int | float) and not isinstance(value, bool)
