"""A stand-in that writes one long answer with every kind of Markdown in it, to see how each looks while it streams."""

from __future__ import annotations

from collections.abc import AsyncIterator

from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import MetaResponse, PartialResponse
from poe_notebook.simulator.chat_words import counted, quoted
from poe_notebook.simulator.standing_in import StandIn, last_user_message
from poe_notebook.simulator.words import key_words, sentences, words

__all__ = ["ProseStandIn", "prose"]

_TOPIC_CHARS = 60


class ProseStandIn(StandIn):
    """Writes at its pace, whatever it is asked."""

    about = "writes a long answer with every kind of Markdown in it"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Write the answer."""
        yield MetaResponse(content_type="text/markdown", suggested_replies=True)
        async for response in self.say(prose(last_user_message(request).content), request):
            yield response
        yield PartialResponse(text="Write it again", is_suggested_reply=True)
        yield PartialResponse(text="Shorter, please", is_suggested_reply=True)


def prose(message: str) -> str:
    """Give the answer to a message: the same for the same message."""
    topic = quoted(_listed(key_words(message, most=3)) or "nothing in particular", most=_TOPIC_CHARS)
    word_count, sentence_count = len(words(message)), len(sentences(message))
    letters = sum(sign.isalpha() for sign in message)
    mean = letters / max(1, word_count)
    return _PROSE.format(
        topic=topic,
        title=topic[:1].upper() + topic[1:],
        words=word_count,
        counted_words=counted(word_count, "word"),
        sentences=sentence_count,
        counted_sentences=counted(sentence_count, "sentence"),
        letters=letters,
        mean=f"{mean:.1f}",
    )


def _listed(things: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))


_PROSE = """\
# {title}

You gave me {counted_words} in {counted_sentences}. What follows is **not** an answer to them: it is a page that has
*every* kind of Markdown in it, ~~none~~ left out, so that you can watch each of them arrive.[^1]

## What can be counted

| What | How many | A bar |
|:-----|---------:|:-----:|
| words | {words} | ▇▇▇ |
| sentences | {sentences} | ▇ |
| letters | {letters} | ▇▇▇▇▇▇ |

The mean length of a word is letters by words, which for your message is about {mean}:

$$
\\bar{{\\ell}} = \\frac{{1}}{{n}} \\sum_{{i=1}}^{{n}} \\ell_i, \\qquad n = {words}
$$

In a line it reads $\\bar{{\\ell}} \\approx {mean}$.

## What one would do about {topic}

1. Say what is wanted, in a sentence.
2. Look at what there is:
   - what is known,
   - what is only thought to be known,
     - and by whom.
3. Begin with the smallest piece.

- [x] read the message
- [x] count its words
- [ ] understand it

## What it would look like as code

```python
def about(message: str) -> dict[str, int]:
    "Count what can be counted."
    words = message.split()
    return {{"words": len(words), "letters": sum(map(len, words))}}


print(about("{topic}"))
```

Inline code is `about(message)`, and a link looks like [the Poe guide](https://creator.poe.com/docs).

> A stand-in has no opinions.
>
> > It quotes, and it quotes what was quoted.

---

### The end

Two lines of one paragraph,\\
one below the other, and an emoji to see that it is not cut in two: 👩‍🚀.

[^1]: This is the footnote that the first paragraph promised."""
