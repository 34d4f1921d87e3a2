"""What a chat stand-in says: true sentences about what it was asked, made from the query alone.

No opinion and no knowledge, since a stand-in has none: what arrived, how much of it, what stands out, what came before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.standing_in import last_user_message
from poe_notebook.simulator.words import key_words, sentences, words

__all__ = ["about_attachments", "about_query", "counted", "quoted"]

_QUOTED_CHARS, _SHORTER_CHARS, _WORD_CHARS = 240, 80, 40
_ENDINGS = (
    "This is where a model's answer would be.",
    "A model would answer here; a stand-in only shows that your message arrived.",
    "What a model would say to that, nobody here knows.",
)
"""Which of them is taken goes by the temperature: with none, the first."""


def about_query(request: QueryRequest) -> str:
    """Say what was asked."""
    return "\n\n".join(paragraph for paragraph in _paragraphs(request) if paragraph)


def _paragraphs(request: QueryRequest) -> Iterator[str]:
    message = last_user_message(request)
    yield " ".join([*_about_message(message), *_about_context(request, message)])
    yield about_attachments(message.attachments)
    yield _about_parameters(message)
    yield _ENDINGS[int(10 * abs(request.temperature or 0.0)) % len(_ENDINGS)]


def _about_message(message: ProtocolMessage) -> Iterator[str]:
    text = message.content.strip()
    if not text:
        yield "You sent no text."
        return
    verb = "asked" if text.endswith("?") else "wrote"
    yield f"You {verb}: {_sentence(text)}"
    yield f"That is {counted(len(words(text)), 'word')} in {counted(len(sentences(text)), 'sentence')}."
    telling = [word for word in key_words(text) if len(word) <= _WORD_CHARS]
    if telling:
        yield f"What stands out in it: {', '.join(telling)}."


def _about_context(request: QueryRequest, message: ProtocolMessage) -> Iterator[str]:
    earlier = [each for each in request.query if each.role == "bot"]
    if earlier:
        asked = [each for each in request.query if each.role == "user" and each is not message]
        before = _sentence(asked[-1].content, most=_SHORTER_CHARS) if asked else ""
        yield f"It is turn {len(earlier) + 1} of this chat{f'; before it you wrote: {before}' if before else '.'}"
    systems = [each for each in request.query if each.role == "system"]
    if systems and not request.skip_system_prompt:
        told = _sentence(systems[-1].content, most=_SHORTER_CHARS)
        yield f"A system message came with it, of {counted(len(words(systems[-1].content)), 'word')}: {told}"


def about_attachments(files: Sequence[Attachment]) -> str:
    """Say which files came, and what Poe read of them."""
    if not files:
        return ""
    lines = [f"{counted(len(files), 'file').capitalize()} came with it:"]
    for file in files:
        line = f"- `{_in_code(file.name)}` (`{_in_code(file.content_type)}`)"
        if file.parsed_content is not None:
            start = quoted(file.parsed_content, most=_SHORTER_CHARS)
            line += f", of which Poe read {counted(len(file.parsed_content), 'sign')}: “{start}”"
        lines.append(line)
    return "\n".join(lines)


def _about_parameters(message: ProtocolMessage) -> str:
    if not message.parameters:
        return ""
    given = [f"`{_in_code(name)}` is `{_in_code(repr(value))}`" for name, value in message.parameters.items()]
    return f"Parameters: {', '.join(given)}."


def quoted(text: str, *, most: int = _QUOTED_CHARS) -> str:
    """Give a text in one line, cut at a word's end if it is long."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    return (line[:most].rsplit(" ", 1)[0] or line[:most]) + " …"


def _sentence(text: str, *, most: int = _QUOTED_CHARS) -> str:
    """Quote a text as the end of a sentence."""
    shown = quoted(text, most=most)
    return f"“{shown}”" if shown.endswith((".", "?", "!", "…")) else f"“{shown}”."


def _in_code(text: str) -> str:
    return quoted(text.replace("`", "'"), most=_SHORTER_CHARS)


_COUNTED = "no one two three four five six seven eight nine ten eleven twelve"


def counted(number: int, noun: str) -> str:
    """Give a number with its noun: ``one word``, ``12,345 signs``."""
    small = words(_COUNTED)
    shown = small[number] if number < len(small) else f"{number:,}"
    return f"{shown} {noun}{'' if number == 1 else 's'}"
