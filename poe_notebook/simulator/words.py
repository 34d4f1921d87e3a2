"""The words of a message: which of them carry its sense, which are names, numbers, quotations.

As much language as the stand-ins need: English function words, and rules by form for all else. Pure and deterministic.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

__all__ = ["Found", "bare", "key_words", "name_words", "named_things", "numbers", "quotations", "sentences", "words"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


class Found(NamedTuple):
    """A piece of a message, and where it begins."""

    value: str
    start: int


def words(text: str) -> list[str]:
    """Give the words of a text in lower case, in order."""
    return [match[0].lower().replace("’", "'") for match in _WORD.finditer(text)]


_FUNCTION_WORDS = frozenset(
    words("""
    a about above after again against all also am an and any are aren't as at be because been before being below
    between both but by can can't cannot could did didn't do does doesn't doing don't down during each either else every
    few for from further had has hasn't have haven't having he her here hers him his how i if in into is isn't it it's
    its itself just let let's like me more most much my no nor not now of off on once one only or other our out over
    own per please same shall she should so some such than that that's the their them then there these they this those
    through to too under until up us very via want was wasn't we were what what's when where which while who whom whose
    why will with without won't would you your yours i'm i'd i'll i've you're hi hello hey thanks thank""")
)
_OPENERS = frozenset(
    words("""
    add ask book build buy calculate call check compare compute convert create define describe draw email explain
    find get give greet help invite list look lookup make meet multiply open order paint phone plan play put read
    remind remove rename reserve run save say schedule search send set show sing solve sort start stop subtract sum
    summarise summarize tell translate turn update use visit write yes ok okay today tomorrow""")
)
"""Verbs that open a request, and so are capitalised without being names."""


def bare(word: str) -> str:
    """Give a word without the ending of a plural or a possessive, so that both forms compare equal."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def name_words(name: str) -> list[str]:
    """Give the words that an identifier is made of: of ``get_currentWeather`` get, current and weather."""
    return [part.lower() for part in _NAME_PARTS.findall(name)] or words(name)


def key_words(text: str, *, most: int = 6) -> list[str]:
    """Give the words that carry a text's sense, as they are written: the frequent ones first, then in order."""
    seen = [match[0] for match in _WORD.finditer(text) if _carries_sense(match[0])]
    counts = Counter(bare(word) for word in seen)
    first: dict[str, str] = {}
    for word in seen:
        first.setdefault(bare(word), word)
    ranked = sorted(first, key=lambda key: -counts[key])[:most]
    return [first[key] for key in first if key in ranked]


def _carries_sense(word: str) -> bool:
    plain = word.lower().replace("’", "'")
    is_opener = word[0].isupper() and plain in _OPENERS
    return plain not in _FUNCTION_WORDS and not is_opener and (len(word) > 1 or not word.isascii())


def sentences(text: str) -> list[str]:
    """Cut a text into its sentences."""
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence]


def quotations(text: str) -> list[Found]:
    """Give what stands in quotation marks, without them."""
    marked = re.finditer(
        r'"([^"\n]{1,500})"|“([^”\n]{1,500})”|`([^`\n]{1,500})`|(?<!\w)\'([^\'\n]{1,500})\'(?!\w)', text
    )
    return [Found(next(group for group in match.groups() if group), match.start()) for match in marked]


_COUNTED = words("zero one two three four five six seven eight nine ten eleven twelve")


def numbers(text: str) -> list[Found]:
    """Give the numbers in a text as Python writes them, small ones in words too."""
    digits = re.finditer(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])", text)
    found = [Found(match[0].replace(",", ""), match.start()) for match in digits]
    for match in _WORD.finditer(text):
        if match[0].lower() in _COUNTED:
            found.append(Found(str(_COUNTED.index(match[0].lower())), match.start()))
    return sorted(found, key=lambda number: number.start)


def named_things(text: str) -> list[Found]:
    """Give the runs of capitalised words: Tokyo, ``San Francisco, CA``. Not those that only open a sentence."""
    found: list[Found] = []
    end = -1
    for match in _WORD.finditer(text):
        if not _is_name(match[0]):
            continue
        gap = text[end : match.start()]
        is_state = gap == ", " and len(match[0]) == 2 and match[0].isupper()
        if found and (gap in (" ", "-") or is_state):
            found[-1] = Found(text[found[-1].start : match.end()], found[-1].start)
        else:
            found.append(Found(match[0], match.start()))
        end = match.end()
    return [Found(re.sub(r"['’]s$", "", thing.value), thing.start) for thing in found]


def _is_name(word: str) -> bool:
    plain = word.lower().replace("’", "'")
    return word[0].isupper() and plain not in _FUNCTION_WORDS and plain.removesuffix("'s") not in _OPENERS
