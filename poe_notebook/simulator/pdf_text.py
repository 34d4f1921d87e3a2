"""The text of a PDF, within bounds: a file of any making takes a few seconds and a few pages' memory at most.

pypdf does the reading; its own limits are drawn closer, since a page of a megabyte of operators takes it minutes.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from poe_notebook.errors import PoeNotebookError

__all__ = ["NotReadable", "PdfText", "pdf_text"]

_PAGES, _TIME_S = 200, 8.0
_STREAM_BYTES = 8_000_000
_PAGE_TOKENS = 150_000
"""About 1 s of a page's text; a page full of small print has 5,000 (pypdf 7.1)."""
_OBJECTS = 300_000
"""Looking for the parts of a damaged file takes 3 s a million (pypdf 7.1), and nothing can stop it."""


class NotReadable(PoeNotebookError):
    """Why a PDF has no text for a bot; the end of a sentence that begins with its name."""


class _TooSlow(Exception):
    """The time is over, in the middle of a page."""


class PdfText(NamedTuple):
    """What could be read: the text, and what to say of what is missing from it, if something is."""

    text: str
    missing: str


def pdf_text(content: bytes, *, max_chars: int, clock: Callable[[], float] = time.monotonic) -> PdfText:
    """Read a PDF's text. Blocks. Raises ``NotReadable`` for one that is broken or encrypted."""
    from pypdf import apply_configuration

    limits = apply_configuration(
        zlib_maximum_output_length=_STREAM_BYTES,
        lzw_maximum_output_length=_STREAM_BYTES,
        run_length_maximum_output_length=_STREAM_BYTES,
        array_based_stream_maximum_output_length=_STREAM_BYTES,
        stream_decoding_work_maximum_length=4 * _STREAM_BYTES,
        stream_parsing_work_maximum_count=_PAGE_TOKENS,
        page_tree_maximum_entries=20_000,
        xform_maximum_invocations_per_extraction=200,
        jbig2dec_binary=None,
    )
    with _without_warnings(), limits:
        return _read(content, max_chars, clock, clock() + _TIME_S)


def _read(content: bytes, max_chars: int, clock: Callable[[], float], deadline: float) -> PdfText:
    def check_time(*_: Any) -> None:
        if clock() > deadline:
            raise _TooSlow

    pages = _pages(content)
    texts: list[str] = []
    chars, unread = 0, 0
    for number in range(min(len(pages), _PAGES)):
        if chars > max_chars:
            break
        try:
            check_time()
            text = pages[number].extract_text(visitor_operand_before=check_time).strip()
        except _TooSlow:
            return PdfText(_joined(texts), f"it took longer than {_TIME_S:g} s to read page {number + 1}")
        except Exception:  # pypdf raises whatever its own code meets in a broken page
            text, unread = "", unread + 1
        texts.append(text)
        chars += len(text)
    return PdfText(_joined(texts), _missing(len(pages), unread))


def _joined(texts: list[str]) -> str:
    return "\n\n".join(text for text in texts if text)


def _pages(content: bytes) -> Any:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    if content.count(b"obj") > 2 * _OBJECTS:
        raise NotReadable(f"it has more than {_OBJECTS:,} parts")
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise NotReadable("it is encrypted, and the simulator has no password for it")
        len(reader.pages)
    except NotReadable:
        raise
    except DependencyError as error:
        raise NotReadable("it is encrypted in a way that the simulator cannot read") from error
    except Exception as error:  # as above
        raise NotReadable("it is no PDF that can be read; it may be damaged") from error
    return reader.pages


def _missing(pages: int, unread: int) -> str:
    if pages > _PAGES:
        return f"of its {pages:,} pages the simulator reads {_PAGES}"
    return f"{unread} of its {pages} pages could not be read" if unread else ""


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep pypdf's complaints about broken files from standard error, where nobody asked for them."""
    logger, silent = logging.getLogger("pypdf"), logging.NullHandler()
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)
