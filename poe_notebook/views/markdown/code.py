"""Blocks of code: coloured by Pygments, in a few classes that follow the theme.

The classes are Pygments' own short names inside ``highlight``, so that nbconvert and GitHub, which bring a style sheet
for those, colour the code too. Lexers are regular expressions, and a text can be made to keep them busy for minutes:
so only common languages, no long lines, no long blocks, and an allowance of time for each answer, which no honest
answer comes near. What would turn the reading direction in code is spelled out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType

from poe_notebook.views.html import escape
from poe_notebook.views.wording import visible

__all__ = ["CLASSES", "Colours", "inline_code_html", "language_of"]

CODE_CHARS = 50_000  # measured: 0.6 to 1.4 µs a character
LINE_CHARS = 1_000  # measured: some lexers take time by the square of a line
ALLOWANCE_S = 1.0  # of one answer: 200 kB of real code take 0.25 s; one token of the worst text known takes 0.13 s
GROWTH = 5  # a block that grows is coloured anew when it has grown by one part in so many
LANGUAGES = frozenset(
    [
        "bash",
        "c",
        "clojure",
        "cpp",
        "csharp",
        "css",
        "dart",
        "diff",
        "docker",
        "elixir",
        "go",
        "graphql",
        "haskell",
        "html",
        "ini",
        "java",
        "javascript",
        "json",
        "julia",
        "kotlin",
        "lua",
        "nginx",
        "perl",
        "php",
        "powershell",
        "protobuf",
        "pycon",
        "python",
        "r",
        "ruby",
        "rust",
        "scss",
        "sql",
        "swift",
        "toml",
        "tsx",
        "typescript",
        "xml",
        "yaml",
    ]
)
_ALIASES = {
    **dict.fromkeys(("py", "python3", "ipython"), "python"),
    **dict.fromkeys(("sh", "shell", "zsh"), "bash"),
    **dict.fromkeys(("js", "mjs", "node", "jsx"), "javascript"),
    **{"ts": "typescript", "c++": "cpp", "cs": "csharp", "c#": "csharp", "rs": "rust", "rb": "ruby", "kt": "kotlin"},
    **{"yml": "yaml", "htm": "html", "xhtml": "html", "svg": "xml", "golang": "go", "dockerfile": "docker", "h": "c"},
    **{"jsonc": "json", "json5": "json", "patch": "diff", "proto": "protobuf", "ps1": "powershell", "hs": "haskell"},
}
_CLASS_OF = {
    Token.Keyword: "k",
    Token.Operator.Word: "k",
    Token.Literal.String: "s",
    Token.Literal.Number: "m",
    Token.Comment: "c",
    Token.Name.Function: "nf",
    Token.Name.Class: "nc",
    Token.Name.Builtin: "nb",
    Token.Name.Decorator: "nd",
    Token.Name.Tag: "nt",
    Token.Name.Attribute: "na",
    Token.Generic.Deleted: "gd",
    Token.Generic.Inserted: "gi",
    Token.Generic.Heading: "gh",
    Token.Generic.Subheading: "gh",
}
CLASSES = frozenset(_CLASS_OF.values())
_NAME = re.compile(r"[\w+#.-]{1,32}", re.ASCII)
_UNSEEN = {code: f"\\u{code:04x}" for code in (0x200B, 0x2060, 0xFEFF)}


def language_of(info: str) -> str:
    """Give the language that the first line of a fenced block names; empty if it names none."""
    found = _NAME.match(info.strip())
    return found.group() if found else ""


class Colours:
    """Renders the blocks of code of one answer."""

    def __init__(self, *, allowance_s: float = ALLOWANCE_S, clock: Callable[[], float] = time.thread_time) -> None:
        self._left_s, self._clock = allowance_s, clock
        self.is_growing = False
        self._growing = ("", "", "")  # language, code and HTML of the block that was open the last time

    def html(self, code: str, language: str = "", *, is_open: bool = False) -> str:
        """Render a block of code. While ``is_growing``, the newest lines of an open one may stay plain for a moment."""
        kind = f' class="language-{language}"' if language else ""
        shown = self._grown(code, language) if is_open and self.is_growing else self._coloured(code, language)
        return f'<div class="highlight poe-code"><pre><code{kind}>{shown}</code></pre></div>\n'

    def _grown(self, code: str, language: str) -> str:
        known_language, known, html = self._growing
        if (
            known
            and known_language == language
            and code.startswith(known)
            and len(code) < len(known) * (1 + 1 / GROWTH)
        ):
            return html + _safe(code[len(known) :])
        self._growing = (language, code, self._coloured(code, language))
        return self._growing[2]

    def _coloured(self, code: str, language: str) -> str:
        name = _ALIASES.get(language.lower(), language.lower())
        if name not in LANGUAGES or len(code) > CODE_CHARS or max(map(len, code.split("\n"))) > LINE_CHARS:
            return _safe(code)
        began_s, runs = self._clock(), list[tuple[str, list[str]]]()
        for _, kind, text in _lexer(name).get_tokens_unprocessed(code):
            if not runs or runs[-1][0] != _class_of(kind):
                runs.append((_class_of(kind), []))
            runs[-1][1].append(text)
            if self._clock() - began_s > self._left_s:
                self._left_s = 0.0
                return _safe(code)
        self._left_s -= self._clock() - began_s
        return "".join(_span(name, "".join(texts)) for name, texts in runs)


def inline_code_html(code: str) -> str:
    """Render code within a line."""
    return f"<code>{_safe(code)}</code>"


def _span(name: str, text: str) -> str:
    return f'<span class="{name}">{_safe(text)}</span>' if name and text.strip() else _safe(text)


@cache
def _class_of(kind: _TokenType) -> str:
    while kind is not None and kind not in _CLASS_OF:
        kind = kind.parent
    return _CLASS_OF.get(kind, "")


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name)


def _safe(code: str) -> str:
    return escape(visible(code).translate(_UNSEEN))
