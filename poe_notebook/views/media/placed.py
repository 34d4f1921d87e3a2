"""Which files of an answer its text shows: a bot gives an ``inline_ref``, and may never mention it, or only in code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

from markdown_it.common.normalize_url import normalizeLink

from poe_notebook.views.media.files import File, TurnFiles

__all__ = ["placed"]

_ADDRESS = re.compile(r' (?:src|href)="([^"]*)"')


def placed(files: TurnFiles, answers: Iterable[str]) -> frozenset[int]:
    """Give the numbers of the files that an answer's HTML shows, or leads to, where its Markdown names them."""
    named = [file for file in files.of_answer if file.attachment.inline_ref]
    if not named:
        return frozenset()
    found = {unescape(address) for html in answers for address in _ADDRESS.findall(html)}
    return frozenset(file.number for file in named if not found.isdisjoint(_addresses(file)))


def _addresses(file: File) -> set[str]:
    url = file.attachment.url
    return {file.source} if url[:5].lower() == "data:" else {file.source, url, normalizeLink(url)}
