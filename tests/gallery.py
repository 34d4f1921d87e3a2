"""A bot that yields each thing that Poe renders, as the source of a cell; what it is asked says which."""

from __future__ import annotations

__all__ = ["BOT", "TOPICS"]

TOPICS = ("markdown", "code", "maths", "pages", "media", "calls", "parallel", "error", "plain")

BOT = r'''%%poebot Gallery
import asyncio, base64, json, struct, zlib
import poe_notebook as fp

settings = fp.SettingsResponse(server_bot_dependencies={"Helper": 1})


def picture(width, height, colour):
    rows = b"".join(b"\0" + b"".join(bytes(colour(x, y)) for x in range(width)) for y in range(height))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def file(name, mime, data, ref=None):
    url = data if isinstance(data, str) else f"data:{mime};base64,{base64.b64encode(data).decode()}"
    return fp.PartialResponse(
        text="", attachment=fp.Attachment(url=url, content_type=mime, name=name, inline_ref=ref))


def event(kind, **data):
    return fp.ServerSentEvent(event=kind, data=json.dumps(data))


PICTURE = picture(640, 360, lambda x, y: (x * 255 // 640, 120, 255 - y * 255 // 360))
SOUND = bytes(128 + 60 * (n // 20 % 2) for n in range(8000))
WAV = (b"RIFF" + struct.pack("<I", 36 + len(SOUND)) + b"WAVEfmt "
       + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", len(SOUND)) + SOUND)
PDF = (b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
       b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>endobj\ntrailer<</Root 1 0 R>>")
SVG = (b"<svg xmlns='http://www.w3.org/2000/svg' width='120' height='80'>"
       b"<circle cx='60' cy='40' r='30' fill='tomato'/></svg>")
TEXTS = {}
TEXTS["markdown"] = """# A heading

Some *emphasis*, **strong words**, ~~gone~~, `code`, a [link](https://poe.com) and a bare one: https://poe.com/about,
and mail to me@poe.com.

## A smaller one

- one
- two
  - nested
- [x] done
- [ ] open

1. first
2. second

> A quotation that runs over one line and then some, to see how it sits on the page.

| Model | Points | Speed |
|:------|-------:|:-----:|
| Alpha | 1,200 | fast |
| Beta | 30 | slow |

---

A claim[^1], another[^note].

[^1]: The first note.
[^note]: With *emphasis* and a [link](https://poe.com).
"""
TEXTS["code"] = """Here is some Python:

```python
from dataclasses import dataclass

@dataclass
class Point:
    \"\"\"A point.\"\"\"
    x: float = 0.0

    def norm(self) -> float:
        # Euclid
        return (self.x ** 2) ** 0.5  # not much

print(f"norm: {Point(3).norm():.2f}", None, True)
```

and a diff:

```diff
- old = 1
+ new = 2
```

and JSON: `{"a": 1}`

```json
{"name": "poe", "points": 1200, "tags": ["a", null, true]}
```
"""
TEXTS["maths"] = r"""The solution of $ax^2+bx+c=0$ is

$$x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}$$

With \(e^{i\pi}+1=0\), it costs $5 and $10.

\[
\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}, \qquad
\begin{pmatrix} a & b \\ c & d \end{pmatrix}
\]

A formula that cannot be set: $\frac{1$.
"""
TEXTS["pages"] = """A page with its code:

```html
<html>
<body style="font-family: sans-serif; text-align: center; padding: 40px">
  <h2>Hello</h2>
  <button onclick="this.textContent = 'clicked'">Press me</button>
</body>
</html>
```

A bare one:

<html><body style="background: linear-gradient(120deg, #a1c4fd, #c2e9fb); font-family: sans-serif">
<h3 style="padding: 20px">Only the page</h3></body></html>

With an empty line:

<html><body>

<p>lost</p></body></html>

Embedded:

<iframe src="https://maps.example/embed?x=1" height="160"></iframe>
"""


async def get_response(request):
    topic = request.query[-1].content.split()[0]
    if topic in TEXTS:
        for start in range(0, len(TEXTS[topic]), 40):
            yield TEXTS[topic][start : start + 40]
            await asyncio.sleep(0.01)
    elif topic == "media":
        yield file("gradient.png", "image/png", PICTURE, "g1")
        yield "Inline: ![a gradient][g1]\n\n"
        yield "From elsewhere: ![a cat](https://pics.example/cat.png) and [paypal.com](https://evil.example)."
        yield file("picture.png", "image/png", PICTURE)
        yield file("tone.wav", "audio/wav", WAV)
        yield file("clip.mp4", "video/mp4", b"\0" * 2000)
        yield file("paper.pdf", "application/pdf", PDF)
        yield file("table.csv", "text/csv", b"a,b\n1,2\n3,4\n")
        yield file("drawing.svg", "image/svg+xml", SVG)
        yield file("data.bin", "application/octet-stream", b"\0" * 500)
        yield file("elsewhere.zip", "application/zip", "https://files.example/elsewhere.zip")
        yield file("huge.bin", "application/octet-stream", b"\0" * 2_100_000)
        await asyncio.sleep(0.5)
    elif topic == "calls":
        function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
        call = {"index": 0, "id": "c1", "type": "function", "function": function}
        yield event("json", choices=[{"delta": {"tool_calls": [call]}}])
        result = {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": '{"temp": 21}'}
        yield event("json", tool_results=[result])
        async for _ in fp.stream_request(request, "Helper", request.access_key):
            pass
        yield "Thinking..."
        await asyncio.sleep(0.2)
        yield fp.PartialResponse(text="It is **21 °C** in Paris.", is_replace_response=True)
        yield fp.DataResponse(metadata='{"seed": 42}')
        for words in ("And tomorrow?", "In Fahrenheit, please", "Thanks"):
            yield fp.PartialResponse(text=words, is_suggested_reply=True)
    elif topic == "parallel":
        for sentence in range(3):
            for index in range(2):
                yield event("text", text=f"Response **{index + 1}**, sentence {sentence + 1}. ", index=index)
                await asyncio.sleep(0.1)
    elif topic == "error":
        yield "Half an answer"
        yield fp.ErrorResponse(text="You have too few points.", error_type="insufficient_fund", allow_retry=False)
    elif topic == "plain":
        yield fp.MetaResponse(text="", content_type="text/plain")
        yield "*plain* text\n   with  spaces <b>and</b> $x$"
'''
