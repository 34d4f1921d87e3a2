"""Several bots' answers to one message, side by side, and what each took: first text, length, time, points. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from poe_notebook.reply import Reply
from poe_notebook.views.blocks import Block, Cell, Column, Table
from poe_notebook.views.blocks_html import blocks_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.html import EVERYTHING, Bundle, bundle, escape, framed, unframed
from poe_notebook.views.media.facts import files_text
from poe_notebook.views.media.files import files_of
from poe_notebook.views.media.html import Shelf, files_html
from poe_notebook.views.transcript import ROUTES, answer_text, turn_bundle, without_message
from poe_notebook.views.wording import excerpt, seconds

__all__ = ["Compared", "comparison_bundle"]

_STYLE = files("poe_notebook.views").joinpath("static/panel/compare.css").read_text("utf-8")
_MESSAGE_CHARS = 20_000
_STATES = {"done": ("answered", "good"), "failed": ("failed", "bad"), "stopped": ("stopped", "warn")}


@dataclass(frozen=True, slots=True)
class Compared:
    """One bot's answer: ``html`` if somebody has rendered it already, ``points`` if it is known what it cost."""

    reply: Reply
    html: str | None = None
    points: int | None = None


def comparison_bundle(answers: Sequence[Compared]) -> Bundle:
    """Show answers to one message in columns, which stand below each other where there is no room."""
    message, files = answers[0].reply.message, files_of(answers[0].reply)
    said = excerpt(message.content, _MESSAGE_CHARS, lines=True)
    columns = "".join(f'<div class="poe-compare-column" {_mark(each)}>{_column(each)}</div>' for each in answers)
    facts: list[Block] = [_facts(answers)] if all(each.reply.is_finished for each in answers) else []
    html = (
        f'<style>{_STYLE}</style><pre class="poe-turn-said poe-plain" dir="auto">{escape(said)}</pre>'
        f'{files_html(files.of_message, Shelf(files))}<div class="poe-compare">{columns}</div>{blocks_html(facts)}'
    )
    texts = ["\n".join([said, *files_text(files.of_message)]), *(answer_text(each.reply) for each in answers)]
    names = ", ".join(excerpt(each.reply.bot, 100) for each in answers)
    later = "" if facts else EVERYTHING
    return bundle(
        framed(html, label=f"Answers of {names}", later=later), "\n\n———\n\n".join([*texts, blocks_text(facts)]).strip()
    )


def _mark(answer: Compared) -> str:
    return f'data-turn="{escape(answer.reply.message_id)}"'


def _column(answer: Compared) -> str:
    if answer.html is not None:
        return answer.html
    return without_message(unframed(turn_bundle(answer.reply)["text/html"]))


def _facts(answers: Sequence[Compared]) -> Table:
    numbers = ("first text", "whole", "characters", "events")
    has_points = any(each.points is not None for each in answers)
    columns = [Column("bot"), Column("answered by", "label"), *(Column(title, "number") for title in numbers)]
    columns += [Column("points", "number")] if has_points else []
    return Table("What each took", [*columns, Column("end")], [_row(each, has_points) for each in answers])


def _row(answer: Compared, has_points: bool) -> list[str | Cell]:
    reply = answer.reply
    route = ROUTES.get(reply.route, (reply.route, ""))[0]
    generation = f", generation {reply.generation}" if reply.generation is not None else ""
    words, tone = _STATES.get(reply.state, (reply.state, ""))
    failure = f": {excerpt(reply.failure.text, 200)}" if reply.failure is not None and reply.failure.text else ""
    points = [f"{answer.points:,}" if answer.points is not None else "-"] if has_points else []
    return [
        excerpt(reply.bot, 100),
        route + generation,
        seconds(reply.first_text_s),
        seconds(reply.duration_s),
        f"{len(reply.text):,}",
        f"{len(reply.events):,}",
        *points,
        Cell(words + failure, tone=tone),  # type: ignore[arg-type]
    ]
