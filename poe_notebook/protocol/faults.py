"""What is wrong with a value that a model refused, in sentences: which field, what kind of value, which rule.

Never the value itself, since it may be a user's text or a key. Works on pydantic's list of errors
(https://docs.pydantic.dev/latest/errors/validation_errors/, read 2025-11).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

__all__ = ["GIVEN", "NULL", "as_sentences", "field_path", "kind_of", "sentences"]

GIVEN, NULL = "<value>", "<null>"
"""Parts that pydantic puts into an error's path where a field takes a value or null."""

_PATH_CHARS = 160

_KINDS = (
    (bool, "a boolean"),
    ((int, float), "a number"),
    (str, "a string"),
    ((list, tuple), "a list"),
    (dict, "an object"),
    (type(None), "null"),
)

_RULES = {
    "bool_parsing": "a boolean",
    "bool_type": "a boolean",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_type": "a whole number",
    "list_type": "a list",
    "mapping_type": "an object",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "recursion_loop": "nested less deeply",
    "string_type": "a string",
    "string_unicode": "valid Unicode text",
}


def kind_of(value: object) -> str:
    """Name the kind of a value in JSON's words, or by its Python type."""
    return next((name for types, name in _KINDS if isinstance(value, types)), f"a {type(value).__name__}")


def field_path(location: Iterable[int | str]) -> str:
    """Write a path as ``query[0].content``; keys are cut at 40 characters, since they may be anybody's text.

    Parts in angle brackets name a choice that pydantic made, and are left out.
    """
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (part.startswith("<") and part.endswith(">")):
            path += f".{part[:40]}" if path else part[:40]
    return path if len(path) <= _PATH_CHARS else path[: _PATH_CHARS - 1] + "…"


def sentences(error: ValidationError) -> list[str]:
    """Say each fault of a refused value, with the whole path to it."""
    return [_located(fault) for fault in error.errors(include_url=False) if fault["loc"][-1:] != (NULL,)]


def as_sentences(error: ValidationError, model: type[BaseModel]) -> ValidationError:
    """Give the same error with a sentence for each fault; an unknown field comes first, with the nearest known one."""
    faults = error.errors(include_url=False)
    unknown = [fault for fault in faults if fault["type"] == "extra_forbidden" and not _said(fault)]
    meant = [(*fault["loc"][:-1], _nearest(fault, model)) for fault in unknown]
    others = [f for f in faults if f not in unknown and not (f["type"] == "missing" and f["loc"] in meant)]
    lines = [_line(fault, _unknown_field(fault, model)) for fault in unknown]
    lines += [_line(fault, _said(fault) or _sentence(fault)) for fault in others]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def _line(fault: ErrorDetails, sentence: str) -> InitErrorDetails:
    depth = fault.get("ctx", {}).get("depth", len(fault["loc"]))  # how much of the path the sentence covers
    reworded = PydanticCustomError(fault["type"], "{sentence}", {"sentence": sentence, "depth": depth})
    return {"type": reworded, "loc": fault["loc"], "input": fault["input"]}


def _said(fault: ErrorDetails) -> str:
    sentence = fault.get("ctx", {}).get("sentence", "")  # by a model inside this one
    return str(sentence)


def _located(fault: ErrorDetails) -> str:
    sentence = _said(fault)
    if not sentence:
        return _sentence(fault)
    path = field_path(fault["loc"][: len(fault["loc"]) - fault["ctx"]["depth"]])
    return f"{path}: {sentence}" if path else sentence


def _nearest(fault: ErrorDetails, model: type[BaseModel]) -> str | None:
    name, known = str(fault["loc"][-1]), list(model.model_fields)
    longer = [field for field in known if len(name) > 2 and field.startswith(name)]
    return next(iter(get_close_matches(name, known, n=1) + longer), None)


def _unknown_field(fault: ErrorDetails, model: type[BaseModel]) -> str:
    near = _nearest(fault, model)
    hint = f"did you mean {near!r}?" if near else f"it has {', '.join(model.model_fields)}."
    return f"{model.__name__} has no field {str(fault['loc'][-1])[:40]!r}; {hint}"


def _sentence(fault: ErrorDetails) -> str:
    path, kind, context = field_path(fault["loc"]), fault["type"], fault.get("ctx", {})
    if kind == "value_error":
        return f"{path}: {context['error']}" if path else str(context["error"])
    if kind == "missing":
        return f"{path} is missing."
    if kind == "too_short":
        return f"{path} is empty; it needs at least one item."
    path = path or "the value"
    if kind in _RULES:
        return f"{path} is {kind_of(fault['input'])}; it must be {_RULES[kind]}."
    if kind == "literal_error":
        return f"{path} must be {context['expected']}."
    return f"{path}: {fault['msg']}."
