"""The Python blocks of Poe's guides, as they are printed there, and what has to be put right before they can run.

From creator.poe.com: "Functional Guides" (early 2025), each block a file in ``guides/``; and, as ``sent_files``, the
one of the older page "Sending files with your response" (2023-12). They are test vectors, quoted unchanged.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

FOLDER = Path(__file__).parent / "guides"
PRINTED = {file.stem: file.read_text("utf-8") for file in sorted(FOLDER.glob("*.txt"))}

ACCESS_KEY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"
API_KEY = "my-api-key-for-the-guides"
PLACEHOLDERS = {"<YOUR_ACCESS_KEY>": ACCESS_KEY, "<YOUR_BOT_NAME>": "Guided", "<api_key>": API_KEY}
"""What the guides tell the reader to replace; nothing else is."""

IMPORTS = """
import json, random, requests
from typing import AsyncIterable, Union
from PyPDF2 import PdfReader
import fastapi_poe as fp
"""
"""For the blocks that are parts of programs and leave their imports to the reader."""


def block(name: str, *, library: str = "fastapi_poe") -> str:
    """Give a block, ready to be pasted; with another library, only its import line is changed."""
    text = REPAIRS.get(name, lambda printed: printed)(PRINTED[name])
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, repr(value))
    return for_library(text, library)


def for_library(text: str, library: str) -> str:
    """Change the import lines of the library, and nothing else."""
    lines = [
        line.replace("fastapi_poe", library, 1) if line.startswith(("import fastapi_poe", "from fastapi_poe")) else line
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def as_method(text: str) -> str:
    """Put a block that is a method into a class, where the guide says that it belongs."""
    return "class Guided(fp.PoeBot):\n" + textwrap.indent(text, "    ")


def _with_spaces_for_tabs(printed: str) -> str:
    """Indent the one line with tabs in it as its neighbours are."""
    return printed.replace("\t\t    fine_tune_id", "        fine_tune_id")


def _with_indentation(printed: str) -> str:
    """Indent the body of the function, which the page has lost: one level, and one more below a ``with``."""
    *head, end, rest = printed.split("\n", 3)
    lines, level = [], 1
    for line in rest.split("\n"):
        lines.append("    " * level + line if line else "")
        level = 2 if line.endswith(":") else 1
    return "\n".join([*head, end, *lines])


REPAIRS = {"fine_tune_bot": _with_spaces_for_tabs, "sent_files": _with_indentation}
"""Two blocks are no Python as they are printed; each has one thing put right."""
