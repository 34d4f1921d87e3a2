"""What Poe reads of a user's files for a bot: the text of text files, web pages and PDFs, and what images show.

Poe fills ``parsed_content`` where ``expand_text_attachments`` is on; how it words a file that it cannot read, and how
much of a long one it reads, is not documented, so ``_could_not_be_read`` and ``_MOST_CHARS`` are the simulator's own.
Everything here blocks: call it in a worker thread.
"""

from __future__ import annotations

from poe_notebook.simulator.file_names import is_text, is_text_kind
from poe_notebook.simulator.image_description import describe_image
from poe_notebook.simulator.page_text import page_text
from poe_notebook.simulator.pdf_text import NotReadable, pdf_text
from poe_notebook.simulator.text_decoding import decode_text

__all__ = ["describe_image", "parsed_content"]

_MOST_CHARS = 200_000
_BYTES_PER_CHAR = 4
_PAGE_SHARE = 5
"""A web page is read up to this many times as far, since most of it is markup."""
_PAGES = frozenset({"text/html", "application/xhtml+xml"})


def parsed_content(content: bytes, *, content_type: str, name: str) -> str | None:
    """Give what a bot is told of a file: its text, capped; none for kinds that Poe does not read.

    Of a web page that is the text on it, which is what the bot's message about it speaks of. A PDF that is encrypted or
    broken is told about in a sentence.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/pdf":
        return _pdf(content, name)
    if not is_text_kind(kind) or not is_text(content):
        return None
    is_page = kind in _PAGES
    most_bytes = _MOST_CHARS * _BYTES_PER_CHAR * (_PAGE_SHARE if is_page else 1)
    text = decode_text(content[:most_bytes])
    text = page_text(text) if is_page else text
    return _capped(text, name, is_cut=len(content) > most_bytes)


def _pdf(content: bytes, name: str) -> str:
    try:
        read = pdf_text(content, max_chars=_MOST_CHARS)
    except NotReadable as error:
        return _could_not_be_read(name, str(error))
    if not read.text:
        return _could_not_be_read(name, read.missing or "there is no text in it, so it may hold scanned pages")
    text = _capped(read.text, name)
    return f"{text}\n\n[Poe simulator: not all of {name} stands here: {read.missing}.]" if read.missing else text


def _capped(text: str, name: str, *, is_cut: bool = False) -> str:
    if len(text) <= _MOST_CHARS and not is_cut:
        return text
    return text[:_MOST_CHARS] + f"\n\n[Poe simulator: {name} goes on, but no more than {_MOST_CHARS:,} signs are read.]"


def _could_not_be_read(name: str, why: str) -> str:
    return f"[Poe simulator: {name} could not be read: {why}.]"
