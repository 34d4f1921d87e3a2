"""The arguments of a function call, found in a message by the names, kinds and choices of a tool's parameters.

What a model would understand is looked for by form: a choice by its word, a number by its neighbour, a place by its
capital letter or its preposition. Where several places are named, there are as many calls. What is not there is left
out, never made up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from poe_notebook.simulator.words import Found, bare, name_words, named_things, numbers, quotations, words

__all__ = ["Reading"]

_MOST_CALLS, _MOST_CHARS = 8, 4000
_PLACES = frozenset(words("location city place country town region state area destination origin station airport"))
_TEXTS = frozenset(
    words("query question text prompt message content input sentence phrase search body note instruction topic keyword")
    + words("term title subject request description idea")
)
_FORMULAS = frozenset({"expression", "formula", "equation", "calculation"})
_DATES = frozenset({"date", "day", "when"})
_FROM = frozenset({"from", "origin", "source", "start", "departure"})
_TO = frozenset({"to", "destination", "target", "end", "arrival", "recipient"})
_FORMS = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "uri": re.compile(r"https?://[^\s<>\"']+"),
    "date": re.compile(
        r"\d{4}-\d\d-\d\d|\b(?:today|tomorrow|yesterday|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b", re.I
    ),
    "formula": re.compile(r"[-(]?\d[\d.]*(?:\s*[-+*/^%×÷()]\s*[\d.(]+\)*)+"),
}
_PHRASE = r"(?:(?!(?:in|at|for|from|to|near|of|and|or|with|by|on|please)\b)[^\W_][\w’'-]*[ ]?){1,3}"
_NEXT = re.compile(rf"\s*(?:,\s*and\b|,\s*or\b|,|and\b|or\b)\s*({_PHRASE})", re.I)
_NO_PLACES = frozenset(words("the a an my this that me it now today tomorrow"))


class Reading:
    """A message in which arguments are looked for; ``known`` are values that earlier results gave, by their names."""

    def __init__(self, message: str, known: Mapping[str, Any] | None = None) -> None:
        self.message, self.known = message[:_MOST_CHARS], known or {}
        self._numbers = numbers(self.message)

    def arguments(self, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the arguments of each call that the message asks for; at least one, which may lack what it needs."""
        properties = {name: _plain(kind) for name, kind in _mapping(schema.get("properties")).items()}
        found = {name: self._found(name, kind, properties) for name, kind in properties.items()}
        places = [name for name, values in found.items() if len(values) > 1 and _is_single_text(properties[name])]
        count = min(len(found[places[0]]), _MOST_CALLS) if len(places) == 1 else 1
        return [
            {
                name: _converted([values[number] if len(values) == count else values[0]], properties[name], values)
                for name, values in found.items()
                if values
            }
            for number in range(count)
        ]

    def _found(self, name: str, kind: dict[str, Any], properties: Mapping[str, dict[str, Any]]) -> list[Found]:
        """Give what the message says for a parameter, most likely first, or each in turn."""
        if isinstance(kind.get("enum"), list):
            return self._choices(kind["enum"])
        if kind.get("type") == "boolean":
            return self._claims(name)
        if kind.get("type") in ("integer", "number"):
            return self._amounts(name, properties) or self._known(name)
        if kind.get("type") == "array":
            return self._listed(name, kind)
        if kind.get("type") == "object":
            return []
        return self._texts(name, kind, properties) or self._known(name)

    def _choices(self, choices: Sequence[Any]) -> list[Found]:
        found = []
        for choice in choices:
            pattern = rf"(?<!\w){re.escape(str(choice)).replace('_', '[ _-]')}(?!\w)"
            found += [Found(choice, match.start()) for match in re.finditer(pattern, self.message, re.I)]
        return sorted(found, key=lambda each: each.start)

    def _claims(self, name: str) -> list[Found]:
        """Give whether a flag is spoken of, and whether it is denied."""
        said = words(self.message)
        bares = [bare(word) for word in said]
        for word in name_words(name.removeprefix("is_").removeprefix("include_")):
            if bare(word) in bares:
                before = said[max(0, bares.index(bare(word)) - 2) : bares.index(bare(word))]
                is_denied = bool({"no", "not", "without", "don't", "never"} & set(before))
                return [Found("" if is_denied else "true", 0)]
        return []

    def _amounts(self, name: str, properties: Mapping[str, dict[str, Any]]) -> list[Found]:
        """Give the number beside the parameter's name, else the one at its place among the numeric parameters."""
        for number in self._numbers:
            around = self.message[max(0, number.start - 24) : number.start + len(number.value) + 16]
            if {bare(word) for word in name_words(name)} & {bare(word) for word in words(around)}:
                return [number]
        numeric = [each for each, kind in properties.items() if kind.get("type") in ("integer", "number")]
        place = numeric.index(name)
        return self._numbers[place : place + 1]

    def _listed(self, name: str, kind: dict[str, Any]) -> list[Found]:
        items = _plain(kind.get("items"))
        if items.get("type") in ("integer", "number"):
            return self._numbers
        if isinstance(items.get("enum"), list):
            return self._choices(items["enum"])
        return quotations(self.message) or named_things(self.message)

    def _texts(self, name: str, kind: dict[str, Any], properties: Mapping[str, dict[str, Any]]) -> list[Found]:
        said = frozenset(name_words(name))
        stated = self._stated(name)
        if stated:
            return stated
        form = "formula" if said & _FORMULAS else "date" if said & _DATES else str(kind.get("format", ""))
        form = next((each for each in ("email", "url", "uri") if each in said), form).replace("url", "uri")
        if form in _FORMS:
            matches = _FORMS[form].finditer(self.message)
            return [Found(match[0].rstrip(".,?!"), match.start()) for match in matches][:1]
        if said & (_FROM | _TO) and len(properties) > 1:
            directed = self._directed("from" if said & _FROM else "to")
            if directed:
                return directed
        if said & _TEXTS:
            return quotations(self.message)[:1] or [Found(self.message.strip(), 0)]
        return self._things(is_place=bool(said & _PLACES), properties=properties)

    def _stated(self, name: str) -> list[Found]:
        spoken = r"[ _-]?".join(map(re.escape, name_words(name)))
        value = r"(?:\"([^\"]+)\"|“([^”]+)”|([^\s,;]+))"
        match = re.search(rf"\b{spoken}\s*[:=]\s*{value}", self.message, re.I)
        return [Found(next(each for each in match.groups() if each), match.start())] if match else []

    def _directed(self, preposition: str) -> list[Found]:
        things = named_things(self.message)
        for match in re.finditer(rf"\b{preposition}\s+", self.message, re.I):
            found = [thing for thing in things if thing.start == match.end()]
            if found:
                return found
        return self._after(preposition)[:1]

    def _things(self, *, is_place: bool, properties: Mapping[str, dict[str, Any]]) -> list[Found]:
        taken = {str(choice).lower() for kind in properties.values() for choice in _list(kind.get("enum"))}
        named = [thing for thing in named_things(self.message) if thing.value.lower() not in taken]
        if named:
            return named
        if is_place:
            return [thing for thing in self._after("in|at|for|near") if thing.value.lower() not in taken]
        return quotations(self.message)

    def _after(self, prepositions: str) -> list[Found]:
        """Give the few words that follow a preposition, and those that go on with ``and``; for small letters."""
        found = []
        for match in re.finditer(rf"\b(?:{prepositions})\s+({_PHRASE})", self.message, re.I):
            phrase: re.Match[str] | None = match
            while phrase is not None:
                found.append(Found(phrase[1].strip(), phrase.start(1)))
                phrase = _NEXT.match(self.message, phrase.end())
        return [thing for thing in found if not set(words(thing.value)) & _NO_PLACES]

    def _known(self, name: str) -> list[Found]:
        value = self.known.get("".join(name_words(name)))
        return [Found(value, 0)] if value is not None else []


def _plain(kind: object) -> dict[str, Any]:
    """Give a parameter's schema with one type, where it has several or may be null."""
    plain = dict(_mapping(kind))
    options = [_mapping(option) for option in _list(plain.get("anyOf")) + _list(plain.get("oneOf"))]
    plain = {**next((option for option in options if option.get("type") != "null"), {}), **plain}
    if isinstance(plain.get("type"), list):
        plain["type"] = next((each for each in plain["type"] if each != "null"), "string")
    if "const" in plain:
        plain["enum"] = [plain["const"]]
    return plain


def _is_single_text(kind: Mapping[str, Any]) -> bool:
    return kind.get("type", "string") == "string" and not kind.get("enum")


def _converted(value: list[Found], kind: Mapping[str, Any], every: list[Found]) -> Any:
    """Give a value in the kind that the schema wants."""
    wanted, first = kind.get("type"), value[0].value
    if wanted == "array":
        items = _plain(kind.get("items"))
        return [_converted([each], items, [each]) for each in every]
    if wanted == "boolean":
        return bool(first)
    return _number(first, wanted) if wanted in ("integer", "number") else first


def _number(value: Any, wanted: str) -> Any:
    try:
        number = float(value)
        return int(number) if wanted == "integer" or number.is_integer() else number
    except (TypeError, ValueError, OverflowError):  # of an earlier result, which may be anything
        return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
