"""Pages that a bot wrote, in their frames: they work as pages do, and reach nobody, by no frame that they make."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from html import escape
from typing import Any

import labs
import pytest

from poe_notebook.views.markdown.frames import page_frame

pytestmark = pytest.mark.browser


class Listener:
    """A UDP socket in the place of a STUN server."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        url = f"stun:127.0.0.1:{self.socket.getsockname()[1]}"
        self.asking = (
            f"const p = new RTCPeerConnection({{iceServers: [{{urls: '{url}'}}]}}); p.createDataChannel('x');"
            "p.createOffer().then((offer) => p.setLocalDescription(offer))"
        )

    def heard(self) -> int:
        count = 0
        while True:
            try:
                self.socket.recv(2048)
            except TimeoutError:
                return count
            count += 1


@pytest.fixture(scope="module")
def stun() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.socket.close()


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with labs.browser() as running:
        yield running.new_page()


def ways_to(asking: str) -> dict[str, str]:
    """Write pages that run a script in a frame of their own, each in another way."""
    script = f"<script>{asking}</script>"
    frame = f'<iframe srcdoc="{escape(script)}"></iframe>'

    def text(value: str) -> str:
        """A literal that neither the page's parser nor a search for the word finds anything in."""
        return json.dumps(value).replace("</", "<\\/").replace("srcdoc", 'src"+"doc')

    made = "const f = document.createElement('iframe');"
    shown = "document.body.append(f);"
    a = "const a = document.createAttribute('src' + 'doc');"
    parsed = f"new DOMParser().parseFromString({text(frame)}, 'text/html').body.firstChild"
    as_xml = f'<iframe xmlns="http://www.w3.org/1999/xhtml" srcdoc="{escape(script)}"/>'
    return {
        "itself": script,
        "in the source": frame,
        "in the source, oddly": frame.replace("iframe srcdoc", "iframe/x=y\nSrcDoc", 1),
        "an address": f'<iframe src="javascript:{escape(asking)}"></iframe>',
        "its property": f"<script>{made} f['src' + 'doc'] = {text(script)}; {shown}</script>",
        "its attribute": f"<script>{made} f.setAttribute('src' + 'doc', {text(script)}); {shown}</script>",
        "with a namespace": f"<script>{made} f.setAttributeNS(null, 'src' + 'doc', {text(script)}); {shown}</script>",
        "a node": f"<script>{made} {a} a.value = {text(script)}; f.setAttributeNode(a); {shown}</script>",
        "a node, later": f"<script>{made} {shown} {a} f.setAttributeNode(a); a.value = {text(script)};</script>",
        "an address, later": f"<script>{made} f.src = 'javascript:' + {text(asking)}; {shown}</script>",
        "HTML": f"<div id=o></div><script>o.innerHTML = {text(frame)}</script>",
        "written": f"<script>document.write({text(frame)})</script>",
        "a fragment": f"<script>document.body.append(new Range().createContextualFragment({text(frame)}))</script>",
        "unsafe HTML": f"<script>document.body.setHTMLUnsafe({text(frame)})</script>",
        "parsed": f"<script>document.body.append(document.adoptNode({parsed}))</script>",
        "parsed as XML": f"<script>const d = new DOMParser().parseFromString({text(as_xml)}, 'text/xml');"
        "document.body.append(document.adoptNode(d.documentElement))</script>",
        "cloned": f"<template id=t></template><script>t.innerHTML = {text(frame)};"
        "document.body.append(t.content.cloneNode(true))</script>",
        "reached into": "<iframe></iframe><script>try { const { RTCPeerConnection } = frames[0];"
        f"{asking} }} catch {{}}</script>",
    }


def test_no_page_and_no_frame_of_a_page_asks_anybody_by_webrtc(page: Any, stun: Listener) -> None:
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{escape(ways_to(stun.asking)["HTML"])}"></iframe>')
    page.wait_for_timeout(1_000)
    assert stun.heard(), "else this shows nothing"
    ways = ways_to(stun.asking)
    page.set_content("".join(page_frame(f"<p>.</p>{way}") for way in ways.values()).replace(' loading="lazy"', ""))
    page.wait_for_timeout(2_500)
    assert len(page.frames) > 2 * len(ways), "the pages are there"
    assert stun.heard() == 0


def test_a_page_can_do_what_pages_do(page: Any) -> None:
    page.set_content(
        page_frame(
            "<!doctype html><b id=o></b><button onclick=\"o.append(' handled')\">press</button><script>"
            "o.innerHTML = '<i>set</i>'; document.body.insertAdjacentHTML('beforeend', '<u>added</u>');"
            "const made = document.createElement('script'); made.textContent = \"o.append(' made')\";"
            "document.body.append(made); setTimeout(() => o.append(' later')); o.append(' srcdoc');</script>"
        )
    )
    shown = page.frame_locator("iframe").frame_locator("iframe")
    shown.locator("button").click()
    told = shown.locator("#o", has_text="handled").filter(has_text="later")
    words = told.inner_text().replace("\u200d", "")
    assert sorted(words.split()) == ["handled", "later", "made", "set", "srcdoc"]
    assert shown.locator("u").inner_text() == "added"
