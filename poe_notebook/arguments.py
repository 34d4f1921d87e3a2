"""A magic's line to its arguments. Options may stand anywhere; a message is taken as it was typed, quotes and all.

A word or an option's value with blanks in it stands in quotes.

``argparse`` would split a message into words and trip over the apostrophe in "don't", so this is a reader of our own;
the same tables make the help and the completions.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.errors import CommandError

__all__ = ["Arguments", "Command", "Option", "parse"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option: a flag if ``convert`` is none, else it takes a value; one that ``repeats`` gives a list of them."""

    name: str
    summary: str
    convert: Callable[[str], Any] | None = None
    value: str = ""
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """What may be typed: words in order (``?`` behind one makes it optional), then free text, and options anywhere.

    With ``…`` behind it, the only word is one or more, up to a ``--`` that the text stands behind.
    ``choices`` are what a word is completed to, by its name; a word named ``BOT`` is completed to the bots served.
    """

    name: str
    summary: str
    words: tuple[str, ...] = ()
    text: str = ""
    options: tuple[Option, ...] = ()
    examples: tuple[str, ...] = ()
    prefix: str = "%poe "
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def takes_many(self) -> bool:
        """Whether its word may be typed several times."""
        return bool(self.words) and self.words[0].endswith("…")

    @property
    def usage(self) -> str:
        """The command as it is typed."""
        words = [f"[{word[:-1]}]" if word.endswith("?") else word for word in self.words]
        text = [f"[{self.text[:-1]}]" if self.text.endswith("?") else self.text] if self.text else []
        text = ["--", *text] if self.takes_many else text
        options = [f"[{o.name} {o.value}]" if o.value else f"[{o.name}]" for o in self.options]
        return " ".join([self.prefix + self.name, *words, *text, *options])


@dataclass(slots=True)
class Arguments:
    """What was typed: the words by their names in lower case, the text, the options by their names.

    ``many`` are the words of the name that may be typed several times.
    """

    words: dict[str, str] = field(default_factory=dict)
    many: list[str] = field(default_factory=list)
    text: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    wants_help: bool = False

    def word(self, name: str) -> str | None:
        """Give a word, or none if it was not typed."""
        return self.words.get(name)

    def take(self, option: Option, value: Any) -> None:
        """Take in an option that was typed."""
        name = option.name.removeprefix("--").replace("-", "_")
        self.options[name] = [*self.options.get(name, ()), value] if option.repeats else value

    def option(self, name: str) -> Any:
        """Give an option's value (true for a flag), or none if it was not typed."""
        return self.options.get(name)


_TOKEN = re.compile(r"\S+")
_QUOTED = re.compile(r"(\"(?:\\.|[^\"\\])*\"|'[^']*')(?!\S)")


def parse(command: Command, line: str) -> Arguments:
    """Read a line. Raises ``CommandError`` for an unknown option, a bad value, a missing or a superfluous word."""
    arguments = Arguments()
    rest, verbatim = _take_options(command, line, arguments)
    if command.takes_many:
        arguments.many, rest = rest.split(), ""
        if not arguments.many and not arguments.wants_help:
            raise CommandError(f"{command.words[0][:-1]} is missing.", now=f"Type: {command.usage}")
    rest += verbatim
    for word in () if command.takes_many else command.words:
        token, rest = _take_word(command, rest)
        if token:
            arguments.words[word.rstrip("?").lower()] = token
        elif not word.endswith("?") and not arguments.wants_help:
            raise CommandError(f"{word} is missing.", now=f"Type: {command.usage}")
    arguments.text = rest.strip()
    if arguments.wants_help:
        return arguments
    if arguments.text and not command.text:
        raise CommandError(
            f"{command.prefix}{command.name} does not know what to do with {arguments.text!r}.",
            now=f"Type: {command.usage}",
        )
    return arguments


def _take_options(command: Command, line: str, arguments: Arguments) -> tuple[str, str]:
    """Take the options out of the line; gives what is left, as it was typed, and what stands behind ``--``."""
    known = {option.name: option for option in command.options}
    kept, position, words = "", 0, 0
    while match := _next(line, position, may_be_quoted=not command.takes_many and words < len(command.words)):
        token, space = match.group(), line[position : match.start()]
        is_text = bool(command.text) and not command.takes_many and words >= len(command.words) + 1
        name, equals, given = token.partition("=")
        if token == "--":
            return kept + space, line[match.end() :].lstrip()
        position = match.end()
        if name in known:
            option = known[name]
            if option.convert is not None and (given or not equals):
                given, position = _value_after(command, option, line, position - len(given))
            arguments.take(option, _convert(option, given, bool(equals)))
        elif token in ("-h", "--help") and not is_text:
            arguments.wants_help = True
        elif _is_unknown_option(token, known, is_text=is_text):
            raise _unknown(command, token, known)
        else:
            kept += space + token
            words += 1
    return kept + line[position:], ""


def _next(line: str, position: int, *, may_be_quoted: bool) -> re.Match[str] | None:
    match = _TOKEN.search(line, position)
    return (_QUOTED.match(line, match.start()) if match and may_be_quoted else None) or match


def _is_unknown_option(token: str, known: dict[str, Option], *, is_text: bool) -> bool:
    """Tell a mistyped option from text: inside a message only what is nearly a known option counts as one."""
    if re.match(r"--?[A-Za-z][\w-]*(=|$)", token) is None:
        return False
    return not is_text or (token.startswith("--") and bool(_near(token, known)))


def _near(token: str, known: dict[str, Option]) -> list[str]:
    return difflib.get_close_matches(token.partition("=")[0], known, n=1, cutoff=0.7)


def _value_after(command: Command, option: Option, line: str, position: int) -> tuple[str, int]:
    match = _next(line, position, may_be_quoted=True)
    if match is None:
        raise CommandError(
            f"{option.name} takes a value, {option.value}.", now=f"For example: {option.name} {option.value}"
        )
    return _unquoted(command, match), match.end()


def _convert(option: Option, given: str, has_equals: bool) -> Any:
    if option.convert is None:
        if has_equals:
            raise CommandError(f"{option.name} takes no value.", now=f"Type just {option.name}")
        return True
    try:
        return option.convert(given)
    except ValueError:
        raise CommandError(
            f"{option.name} cannot be {given!r}.", why=f"It takes {option.value}: {option.summary}."
        ) from None


def _unknown(command: Command, token: str, known: dict[str, Option]) -> CommandError:
    near = _near(token, known)
    hint = f"Did you mean {near[0]}?" if near else f"Type: {command.usage}"
    if command.text:
        hint += f"\nTo send it as text, put -- before the message: {command.prefix}{command.name} … -- {token}"
    return CommandError(f"{command.prefix}{command.name} has no option {token}.", now=hint)


def _take_word(command: Command, rest: str) -> tuple[str, str]:
    match = _next(rest, 0, may_be_quoted=True)
    return (_unquoted(command, match), rest[match.end() :].lstrip()) if match is not None else ("", "")


def _unquoted(command: Command, match: re.Match[str]) -> str:
    """Give what was matched without its quotes. One left open is a mistake where no text may follow."""
    given = match.group()
    if match.re is _QUOTED:
        return shlex.split(given)[0]
    if given[0] in "\"'" and not command.text:
        raise CommandError(
            f"The quote before {given[1:] or 'the end'} is not closed.",
            why="A name with blanks in it stands in quotes, and a blank or the line's end follows them.",
            now=f"For example: {given[0]}a name with blanks{given[0]}. Usage: {command.usage}",
        )
    return given
