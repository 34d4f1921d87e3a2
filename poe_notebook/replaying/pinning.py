"""A turn as a pytest test: its source, and a file of such tests that grows by one. Pure.

The tests use ``poe_notebook.pinned``; a file that imports ``ask`` from there is one that may be added to.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from poe_notebook.errors import CommandError
from poe_notebook.protocol.limits import FIRST_RESPONSE_S
from poe_notebook.protocol.requests import QueryRequest, without_keys
from poe_notebook.replaying.again import query_of
from poe_notebook.replaying.literals import literal, text_literal
from poe_notebook.replaying.shape import Shape, shape_of
from poe_notebook.tracing.exchange import Exchange

__all__ = ["Match", "Pin", "added_to", "check_place", "guessed_place", "names_in", "new_file", "pinned_test"]

ACCESS_KEY_VARIABLE = "POE_ACCESS_KEY"
Match = Literal["exact", "similar", "regex"]

_HEAD = '''"""Turns with bots that were right, kept as tests. Written by `%poe pin`, and yours to edit.

Each test sends one request and says what the answer has to look like. They need pytest and poe_notebook, no notebook.
"""

from poe_notebook.pinned import ask
'''
_PLACE = re.compile(r"[\w-]+(\.(?!py$|py:)[\w-]+)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMPORT_OF = "poe_notebook.pinned"
_WORDS_IN_NAME = 6
_MOST_RUNS = 12
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Pin:
    """How a turn is pinned: where its bot is found outside the notebook, and how its text is compared."""

    place: str
    key_variable: str = ACCESS_KEY_VARIABLE
    match: Match = "exact"
    threshold: float = 0.8
    pattern: str = ""

    def __post_init__(self) -> None:
        """Raise ``CommandError`` for what cannot be compared so."""
        if self.match not in get_args(Match):
            ways = ", ".join(get_args(Match))
            raise CommandError(f"Texts cannot be compared as {self.match!r}.", now=f"match may be: {ways}")
        if not _is_share(self.threshold):
            raise CommandError(f"The threshold cannot be {self.threshold!r}.", now="A number from 0 to 1, 0.8 say")
        if not _VARIABLE.fullmatch(str(self.key_variable)):
            raise CommandError(
                f"{_shown(self.key_variable)} is no name of an environment variable.",
                why="It names the variable that holds the access key, and is not the key itself.",
                now=f"For example: {ACCESS_KEY_VARIABLE}",
            )

    @property
    def is_address(self) -> bool:
        """Whether the bot is asked at its server's address, which takes its access key."""
        return _is_address(self.place)


def pinned_test(exchange: Exchange, pin: Pin, *, text: str, taken: frozenset[str] = frozenset()) -> str:
    """Write a turn as a test; ``text`` is the answer's, without keys, ``taken`` the names of other tests.

    Raises ``CommandError`` for what has no whole answer, or if the pattern does not fit it.
    """
    request = query_of(exchange)
    _check(exchange, pin, text)
    lines = [f"def {_name(exchange, request, taken)}():", *(_INDENT + line for line in _body(exchange, pin, text))]
    return "\n".join(lines) + "\n"


def guessed_place(bot: str) -> str:
    """Name the module that the body of a bot's cell would be put into, whether that defines a function or a class."""
    return re.sub(r"\W", "_", bot).lower()


def check_place(*, bot: object = None, url: object = None) -> None:
    """Raise ``CommandError`` for a place that no test can find a bot at, and for an address that none can ask."""
    if bot is not None and not (isinstance(bot, str) and (_PLACE.fullmatch(bot) or _is_address(bot))):
        raise CommandError(
            f"{_shown(bot)} is no place of a bot.",
            why="A test imports its bot from a module, by the name that import takes, without .py.",
            now="For example: shout, for the bot in shout.py, or bots.shout:Shout, for one of the objects there",
        )
    if url is not None and not _is_address(url):
        raise CommandError(
            f"{_shown(url)} is no address of a bot's server.",
            why="It begins with http:// or https:// and names a host.",
            now="For example: http://127.0.0.1:8080/",
        )


def new_file(test: str) -> str:
    """Write a file with its first test."""
    return f"{_HEAD}\n\n{test}"


def added_to(source: str, test: str) -> str:
    """Write a file of pinned tests with one test more; what is in it stays as it is."""
    end = "\r\n" if "\r\n" in source else "\n"
    return source.rstrip() + f"\n\n\n{test}".replace("\n", end)


def names_in(source: str, *, file: str) -> frozenset[str]:
    """Give the names that a file of pinned tests binds. Raises ``CommandError`` if it is none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise CommandError(f"{file} cannot be added to: it is no Python ({error}).", now=_ELSEWHERE) from None
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == _IMPORT_OF]
    if not any(alias.name == "ask" and alias.asname is None for node in imported for alias in node.names):
        raise CommandError(
            f"{file} is there already, and is no file of pinned tests.",
            why=f"One is known by its line: from {_IMPORT_OF} import ask",
            now=_ELSEWHERE,
        )
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in tree.body if isinstance(node, named))


_ELSEWHERE = "Pin into another file, or mend this one."


def _shown(value: object) -> str:
    return f"{value!r:.80}" if isinstance(value, str) else f"{value!r:.80} ({type(value).__name__})"


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or re.search(r"\s", value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_share(value: object) -> bool:
    return isinstance(value, float | int) and 0 < value <= 1


def _check(exchange: Exchange, pin: Pin, text: str) -> None:
    if exchange.outcome not in ("done", "failed") or not exchange.events:
        state = "has no answer" if not exchange.events else f"is {exchange.outcome}"
        raise CommandError(
            f"Exchange {exchange.number} {state}, so nothing can be expected of it.",
            why="A test is made of a whole answer.",
            now="Ask again, and pin that: %poe pin -1 FILE",
        )
    if pin.match == "regex":
        if not pin.pattern:
            raise CommandError("The regular expression is missing.", now="For example: --pattern 'total: \\d+'")
        try:
            found = re.search(pin.pattern, text)
        except (re.error, TypeError) as error:
            raise CommandError(f"{pin.pattern!r} is no regular expression: {error}.") from None
        if found is None:
            raise CommandError(
                f"{pin.pattern!r} is not found in the answer.", why="The test would fail from the beginning."
            )


def _body(exchange: Exchange, pin: Pin, text: str) -> Iterator[str]:
    shape, request = shape_of(exchange), query_of(exchange)
    made = f", answered by generation {exchange.generation}" if exchange.generation is not None else ""
    yield f"# Exchange {exchange.number} of {exchange.started_at:%Y-%m-%d}{made}."
    values = without_keys(request, mode="json", exclude_defaults=True)
    yield f"request = {literal(values, indent=_INDENT)}"
    key = f", key_variable={text_literal(pin.key_variable)}" if pin.key_variable != ACCESS_KEY_VARIABLE else ""
    if pin.is_address:
        yield f"# It needs the access key of the bot's server, in the environment variable {pin.key_variable}."
    yield f"answer = ask({text_literal(pin.place)}, request{key})"
    yield f'answer.expect_outcome("{"done" if exchange.outcome == "done" else "failed"}")'
    if len(shape.order) <= _MOST_RUNS:
        yield f"answer.expect_order({', '.join(text_literal(type_) for type_, _ in shape.order)})"
    counts = ", ".join(f"{text_literal(type_)}: {_tolerant(type_, n)}" for type_, n in shape.counts.items())
    yield f"answer.expect_events({{{counts}}})  # a pair: at least, at most"
    if shape.first_text_s is not None:
        yield f"answer.expect_first_text(within_s={_patience_s(shape):g})"
    yield from _text(pin, text)


def _text(pin: Pin, text: str) -> Iterator[str]:
    if pin.match == "regex":
        yield f"answer.expect_match({_pattern(pin.pattern)})"
    elif pin.match == "similar":
        yield f"text = {text_literal(text, indent=_INDENT)}"
        yield f"answer.expect_similar(text, at_least={pin.threshold:g})"
    else:
        yield f"answer.expect_text({text_literal(text, indent=_INDENT)})"


def _tolerant(type_: str, number: int) -> str:
    """Allow for text that comes in fewer or more pieces: how many there are says nothing of what they say."""
    return f"({max(1, number // 2)}, {2 * number})" if type_ in ("text", "json") else str(number)


def _patience_s(shape: Shape) -> float:
    """Give a first text as long as Poe does; one that took longer here, three times that."""
    return max(FIRST_RESPONSE_S, round(3 * (shape.first_text_s or 0.0)))


def _pattern(pattern: str) -> str:
    is_raw = '"' not in pattern and pattern.isprintable() and not pattern.endswith("\\")
    return f'r"{pattern}"' if is_raw else text_literal(pattern)


def _name(exchange: Exchange, request: QueryRequest, taken: frozenset[str]) -> str:
    words = re.findall(r"[a-z0-9]+", f"{exchange.bot} {request.query[-1].content[:200]}".lower())
    name = "_".join(["test", *words[: _WORDS_IN_NAME + 1]])[:70].rstrip("_")
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)
