"""The live view of a long answer in JupyterLab: bytes to the browser, kernel time, lag, long tasks.

Not a test: run it with ``python tests/benchmarks/live_view.py`` on a quiet machine. A cell streams 200 kB of Markdown
in 20,000 deltas, 2,000 a second; the page notes when it shows the last word, and how long its main thread was busy.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHARS, DELTA_CHARS, DELTAS_A_SECOND = 200_000, 10, 2_000

CELL = """
import json, random, time
from poe_notebook.conversation import Conversation
from poe_notebook.protocol.events import Event
from poe_notebook.views.live import open_turn

WORDS = "the quick brown fox jumps over a lazy dog while seven wizards brew strong potions at dusk".split()
dice = random.Random(7)
some = lambda low, high: " ".join(dice.choices(WORDS, k=dice.randint(low, high)))
MAKERS = [
    lambda: f"## {some(2, 6)}",
    lambda: f"{some(20, 60)} **{some(1, 4)}** {some(10, 40)} `{some(1, 2)}` {some(5, 30)}.",
    lambda: f"{some(20, 60)} [{some(1, 3)}](https://example.org/{some(1, 1)}) {some(10, 40)}.",
    lambda: "\\n".join(f"- {some(4, 20)}" for _ in range(dice.randint(3, 8))),
    lambda: "| a | b | c |\\n|---|---|---|\\n" + "\\n".join(
        f"| {some(1, 3)} | {some(1, 3)} | {some(1, 3)} |" for _ in range(dice.randint(2, 6))),
    lambda: "```python\\n" + "\\n".join(
        f"def {dice.choice(WORDS)}(a, b={dice.randint(0, 99)}):\\n    return [x * 2 for x in a]  # {some(2, 6)}"
        for _ in range(dice.randint(2, 6))) + "\\n```",
]
parts, length = [], 0
while length < CHARS:
    parts.append(dice.choice(MAKERS)())
    length += len(parts[-1]) + 2
text = "\\n\\n".join(parts)[: CHARS - 30] + "\\n\\nthe last" + "word"
reply = Conversation("Long").ask("hello", route="kernel")[1]
view = open_turn(reply, shell=get_ipython())
cpu = time.process_time()
began = time.monotonic()
view.open()
due = began
for start in range(0, len(text), DELTA_CHARS):
    reply.add(Event("text", {"text": text[start : start + DELTA_CHARS]}, time.monotonic() - began))
    due += 1 / RATE
    if (start // DELTA_CHARS) % 20 == 0:
        view.update()
        wait = due - time.monotonic()
        if wait > 0:
            time.sleep(wait)
view.update()
reply.add(Event("done", {}, 0.2))
reply.duration_s = time.monotonic() - began
last = time.time()
view.close()
print("FIGURES" + json.dumps({"last": last, "cpu_s": time.process_time() - cpu, "took_s": time.time() - last,
    "chars": len(text)}))
"""

WATCH = """() => {
    window.tasks = [];
    new PerformanceObserver((list) => {
        for (const task of list.getEntries())
            window.tasks.push([performance.timeOrigin + task.startTime, task.duration]);
    }).observe({ type: "longtask" });
    const found = () => {
        if (!window.seen && document.querySelector(".jp-OutputArea-output")?.textContent.includes("the lastword"))
            window.seen = Date.now();
    };
    new MutationObserver(found).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def measure(*, rate: int) -> dict[str, Any]:
    """Stream once; gives the figures."""
    import labs

    with tempfile.TemporaryDirectory() as folder, labs.lab(Path(folder)) as lab:
        constants = f"CHARS, DELTA_CHARS, RATE = {CHARS}, {DELTA_CHARS}, {rate}\n"
        warm = "import anywidget, nh3, markdown_it, poe_notebook.views.turn_widget"
        lab.write("long.ipynb", [warm, constants + CELL])
        with lab.notebook("long.ipynb") as notebook:
            sent: list[int] = []
            notebook.page.on("websocket", lambda ws: ws.on("framereceived", lambda data: sent.append(len(data))))
            notebook.reload()
            notebook.page.evaluate(WATCH)
            notebook.run_all()
            notebook.page.wait_for_timeout(1500)
            figures: dict[str, Any] = json.loads(
                notebook.page.inner_text("body").rpartition("FIGURES")[2].splitlines()[0]
            )
            seen, tasks = notebook.page.evaluate("[window.seen, window.tasks]")
            saved = sum(len(str(output)) for output in [notebook.page.inner_html(".jp-OutputArea-output")])
    last_ms = figures["last"] * 1000
    return {
        "bytes to the browser, MB": sum(sent) / 1e6,
        "kernel CPU, s": figures["cpu_s"],
        "lag after the last delta, s": (seen - last_ms) / 1000,
        "long tasks while streaming, s": sum(d for at, d in tasks if at < last_ms) / 1000,
        "longest of them, s": max([d for at, d in tasks if at < last_ms], default=0) / 1000,
        "long tasks at the end, s": sum(d for at, d in tasks if at >= last_ms) / 1000,
        "longest at the end, s": max([d for at, d in tasks if at >= last_ms], default=0) / 1000,
        "static form, MB": saved / 1e6,
    }


def main() -> None:
    """Print the figures of each round."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    rounds = [measure(rate=DELTAS_A_SECOND) for _ in range(arguments.rounds)]
    for name in rounds[0]:
        print(f"{name:32}", *(f"{figures[name]:8.3f}" for figures in rounds))


if __name__ == "__main__":
    main()
