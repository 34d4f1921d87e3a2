"""Frames for pages that a bot wrote, and for pages from elsewhere: none reaches this page or, unasked, a network.

A bot's page stands in a frame within a frame. The outer one is ours and holds the policy: what is within inherits it,
and the policy of an outer frame is what keeps an inner one from going elsewhere by itself. Both are sandboxed without
an origin. Measured in Chromium 156 against a listening server: requests, redirects, forms, pop-ups, style sheets,
fonts, media, workers and nested frames of a page send nothing.

WebRTC is covered by no policy, so the page's own is taken away, and no script runs in frames that it makes, which would
have theirs: such frames have origins of their own, and only ``srcdoc`` and ``javascript:`` bring a script into one.
``srcdoc`` is spelled with a joiner in it wherever HTML comes from, the source or (by a default policy of Trusted Types)
a script; a joiner is seen by nobody, and JavaScript allows it in names.

A page from elsewhere is at first only a link in a frame, which leads that frame there: to ask first takes no script.
"""

from __future__ import annotations

import re
from html import escape as _escape
from urllib.parse import urlsplit

__all__ = ["FRAME_HEIGHT", "embed_frame", "host_of", "is_our_frame", "page_frame"]

FRAME_HEIGHT = 320  # CSS pixels, where a bot asks for none
_HEIGHTS = (40, 1_200)
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src data: blob:; font-src data:; frame-src 'none'; form-action 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types default"
)
_HEAD = '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{}">'
_PAGE = (
    _HEAD.format(_POLICY)
    + "<style>html,body{{margin:0;height:100%;overflow:hidden}}iframe{{width:100%;height:100%;border:0}}</style>"
    + '<iframe title="page" sandbox="allow-scripts" srcdoc="{}"></iframe>'
)
_JOINER = "\u200d"
_SRCDOC = re.compile("(src)(doc)", re.IGNORECASE)
_BEFORE_PAGE = (
    '<meta http-equiv="x-dns-prefetch-control" content="off"><script>'
    "delete window.RTCPeerConnection;delete window.webkitRTCPeerConnection;"
    "window.trustedTypes?.createPolicy('default',{"
    f"createHTML:(html,_,sink)=>/srcdoc/i.test(sink)?'':html.replace(/(src)(doc)/gi,'$1{_JOINER}$2'),"
    "createScript:(script,_,sink)=>/^Location/.test(sink)?null:script,"
    "createScriptURL:url=>url})</script>"
)
_EMBED = (
    _HEAD.format("default-src 'none'; style-src 'unsafe-inline'")
    + "<style>html,body{{height:100%;margin:0}}body{{display:flex;align-items:center;justify-content:center;"
    "font:14px/1.5 system-ui,sans-serif}}a{{padding:8px 18px;border:1px solid #8b8b99;"
    "border-radius:18px;background:#fff;color:#22222c;text-decoration:none;overflow-wrap:anywhere;max-width:80%}}"
    "a:hover{{background:#ececf3}}a:focus-visible{{outline:2px solid #5b3fd6;outline-offset:2px}}</style>"
    + '<a href="{}" rel="noreferrer">Show the page from {}</a>'
)
_INNER = r"[^\"<>]*"
_KINDS = (re.escape(kind.format("\0", "\0")).replace("\0", _INNER) for kind in (_PAGE, _EMBED))
_OURS = re.compile(f"(?:{'|'.join(_KINDS)})\\Z")


def page_frame(page: str, *, title: str = "Preview of a page that the bot wrote", height: int = FRAME_HEIGHT) -> str:
    """Show a page that a bot wrote."""
    inert = _SRCDOC.sub(rf"\1{_JOINER}\2", page)
    return _frame(_PAGE.format(_escape(_BEFORE_PAGE + inert)), kind="poe-frame", title=title, height=height)


def embed_frame(url: str, *, height: int = FRAME_HEIGHT) -> str:
    """Offer a page from elsewhere; the reader is told the host and asked. Until then the style sheet keeps it small."""
    host = host_of(url)
    page = _EMBED.format(_escape(url), _escape(host))
    return _frame(page, kind="poe-frame poe-frame-asking", title=f"Page from {host}", height=height)


def host_of(url: str) -> str:
    """Give the host of an address, with its port: what an address says before an ``@`` is no host."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def is_our_frame(srcdoc: str) -> bool:
    """Say whether the contents of a frame are one of the two made here, with nothing beside them."""
    return _OURS.match(srcdoc) is not None


def _frame(srcdoc: str, *, kind: str, title: str, height: int) -> str:
    low, high = _HEIGHTS
    return (
        f'<iframe class="{kind}" sandbox="allow-scripts" loading="lazy" height="{min(max(height, low), high)}" '
        f'title="{_escape(title)}" srcdoc="{_escape(srcdoc)}"></iframe>'
    )
