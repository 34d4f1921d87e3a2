"""Lines of magics to arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.arguments import Arguments, Command, parse
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
    ("message"),
    [
        'don\'t "do" that',
        '"quoted from the beginning" and on',
        "'tis mine",
        '"never closed',
        '"all of it"',
        "a 'b   c' d",
    ],
)
def test_quotes_in_a_message_are_the_messages_own(message: str) -> None:
    assert chat(f"Bot {message}").text == message
    assert chat(f"'Bot' --system 'be kind' {message} --new").text == message


def command(name: str) -> Command:
    verb = verb_named(name)
    assert verb is not None
    return verb.command


@pytest.mark.parametrize(
    ("name", "line", "words", "options"),
    [
        ("save", '"my trace.jsonl"', {"file": "my trace.jsonl"}, {}),
        ("save", "'my trace.jsonl' --force", {"file": "my trace.jsonl"}, {"force": True}),
        ("save", '--force "it\'s --bot here"', {"file": "it's --bot here"}, {"force": True}),
        ("save", r'"a \"quoted\" name"', {"file": 'a "quoted" name'}, {}),
        ("save", r'"C:\my files\a.jsonl"', {"file": r"C:\my files\a.jsonl"}, {}),
        ("save", "it's.jsonl", {"file": "it's.jsonl"}, {}),
        ("load", "  ' a'  ", {"file": " a"}, {}),
        ("pin", "-1 'my tests/test a.py' --bot=a:b", {"which": "-1", "file": "my tests/test a.py"}, {"bot": "a:b"}),
        ("pin", "'-1' t.py --pattern=\"a b\"", {"which": "-1", "file": "t.py"}, {"pattern": "a b"}),
        ("serve-recording", "'a b.jsonl' \"My Bot\" --as x", {"file": "a b.jsonl", "bot": "My Bot"}, {"as": "x"}),
        ("chat", "Bot --attach 'my file.pdf' hi", {"bot": "Bot"}, {"attach": ["my file.pdf"]}),
        ("chat", 'Bot hi --attach="my file.pdf"', {"bot": "Bot"}, {"attach": ["my file.pdf"]}),
        ("chat", "Bot --system 'tis hi", {"bot": "Bot"}, {"system": "'tis"}),
    ],
)
def test_a_word_and_an_options_value_may_stand_in_quotes(
    name: str, line: str, words: dict[str, str], options: dict[str, object]
) -> None:
    arguments = parse(command(name), line)
    assert (arguments.words, arguments.options) == (words, options)


@pytest.mark.parametrize("line", ['"my trace.jsonl', "'my trace.jsonl", "'trace.jsonl'x", 'a.jsonl --bot "My Bot'])
def test_a_quote_left_open_is_named(line: str) -> None:
    with pytest.raises(CommandError, match=r"The quote before \w+.* is not closed"):
        parse(command("save"), line)


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
