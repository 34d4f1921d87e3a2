"""What a handler raised, shown above the debugger's prompt."""

from __future__ import annotations

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Block, Listing, Prose
from poe_notebook.views.blocks_html import blocks_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.html import Bundle, bundle, framed
from poe_notebook.views.wording import excerpt

__all__ = ["raised_bundle"]

_LINES_CHARS = 6_000
_CHARS = 300


def raised_bundle(exchange: Exchange) -> Bundle:
    """Show the exception of an exchange, its traceback beginning in the author's own code."""
    raised = exchange.raised
    if raised is None:
        return bundle("", "")
    where = f" at {excerpt(str(raised.at), 100)}" if raised.at is not None else ""
    bot = excerpt(exchange.bot, 100)
    said = f"The handler of {bot} raised {excerpt(raised.type, 60)}{where}, in exchange {exchange.number:,}."
    hint = "`p NAME` prints a variable, `l` shows the code, `u` and `d` go up and down, `q` leaves."
    lines = "\n".join(line.rstrip("\n") for line in raised.lines)[-_LINES_CHARS:]
    blocks: list[Block] = [Prose(excerpt(said, _CHARS)), Listing(lines), Prose(hint, "muted")]
    return bundle(framed(blocks_html(blocks), label=f"What {bot} raised"), blocks_text(blocks))
