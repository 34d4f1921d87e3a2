"""Lines of magics to arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.arguments import Arguments, parse
from poe_notebook.errors import CommandError
from poe_notebook.verbs import POEBOT, VERBS, verb_named

_VERB = verb_named("chat")
assert _VERB is not None
CHAT = _VERB.command


def chat(line: str) -> Arguments:
    return parse(CHAT, line)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1))
def test_any_message_behind_two_dashes_is_taken_as_it_is(message: str) -> None:
    arguments = chat(f"Bot --new -- {message}")
    assert (arguments.word("bot"), arguments.text, arguments.option("new")) == ("Bot", message, True)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Bot don't worry", "don't worry"),
        ('Bot say "hi   there"', 'say "hi   there"'),
        ("Bot -h is an option of many programs", None),
        ("Bot what does -h mean", "what does -h mean"),
        ("Bot git commit --amend", "git commit --amend"),
        ("Bot   spaced   out  ", "spaced   out"),
        ("--new Bot hi", "hi"),
        ("Bot hi --timeout 3 there", "hi there"),
        ("Bot hi --timeout=3", "hi"),
        ("Bot hi --via 'kernel'", "hi"),
    ],
)
def test_options_are_taken_out_and_the_message_stays(line: str, text: str | None) -> None:
    arguments = chat(line)
    if text is None:
        assert arguments.wants_help
    else:
        assert arguments.text == text
        assert arguments.word("bot") == "Bot"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Bot hi --tiemout 3", "Did you mean --timeout?"),
        ("Bot hi --timeout", "--timeout takes a value"),
        ("Bot hi --timeout -3", "--timeout cannot be '-3'"),
        ("Bot hi --timeout nan", "--timeout cannot be 'nan'"),
        ("Bot hi --new=yes", "--new takes no value"),
        ("--colour Bot hi", "has no option --colour"),
        ("", "BOT is missing"),
    ],
)
def test_a_mistake_is_named_with_what_to_type(line: str, said: str) -> None:
    with pytest.raises(CommandError) as raised:
        chat(line)
    assert said in str(raised.value)


def test_a_word_too_many_is_an_error_where_no_text_is_expected() -> None:
    with pytest.raises(CommandError, match="does not know what to do with 'Second'"):
        parse(POEBOT.command, "First Second")


def test_every_commands_usage_can_be_read_by_its_own_parser() -> None:
    for command in (verb.command for verb in (*VERBS, POEBOT)):
        assert command.usage.startswith(command.prefix + command.name)
        assert parse(command, "-h").wants_help
