"""What a person attaches to a message, as a file: a path, an address, or an object of the kernel.

Objects are known by shape, so that neither pandas nor matplotlib nor Pillow is imported for them.
"""

from __future__ import annotations

import io
import mimetypes
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from poe_notebook.client.file_content import content_of
from poe_notebook.errors import CommandError
from poe_notebook.protocol.messages import Attachment

__all__ = ["File", "as_file", "as_files", "can_be_file", "file_named", "upload_to_poe"]

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_LIKE_A_PATH = re.compile(r"\S*(?:[/\\]\S+|[^\s.]\.[A-Za-z0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class File:
    """A file to attach; without a content type, who takes it finds out. With a ``url`` it is to be fetched there."""

    name: str
    content: bytes = field(default=b"", repr=False)
    content_type: str | None = None
    url: str = ""

    @property
    def is_image(self) -> bool:
        """Whether it is an image, by its content type or else by its name."""
        kind = self.content_type or mimetypes.guess_type(self.name)[0] or ""
        return kind.startswith("image/")


def file_named(given: str, namespace: Mapping[str, Any]) -> File:
    """Make a file of what was typed: an address, a path, or the name of an object. Raises ``CommandError``."""
    if _ADDRESS.fullmatch(given):
        return _at_address(given)
    if os.path.exists(os.path.expanduser(given)):
        return _from_path(Path(given).expanduser())
    if given.isidentifier() and given in namespace:
        return as_file(namespace[given], name=given)
    raise CommandError(
        f"There is no file and no object {given!r} to attach.",
        why="What is attached is a path, an address, or the name of an object in this notebook.",
        now=f"The working folder is {Path.cwd()}.",
    )


def as_files(given: Any) -> list[File]:
    """Make files of what was passed, one thing or several; a ``str`` may be an address, a path or a text.

    Raises ``CommandError``.
    """
    is_one = isinstance(given, os.PathLike | Mapping) or not isinstance(given, Iterable)
    is_one = is_one or any(fits(given) for fits, _ in _KINDS)  # a text and a data frame can be iterated too
    return [_from_argument(each) for each in ([given] if is_one else given)]


def _from_argument(given: Any) -> File:
    if isinstance(given, File):
        return given
    if not isinstance(given, str):
        return as_file(given)
    if _ADDRESS.fullmatch(given):
        return _at_address(given)
    if len(given) < 1_000 and "\0" not in given and os.path.isfile(os.path.expanduser(given)):
        return _from_path(Path(given).expanduser())
    if _LIKE_A_PATH.fullmatch(given):
        raise CommandError(
            f"There is no file {given!r} to attach.",
            why="A word with a dot or a slash in it is taken for a path.",
            now=f"The working folder is {Path.cwd()}. To attach the word itself: attach=[{given!r}.encode()]",
        )
    return as_file(given)


def as_file(given: object, *, name: str = "file") -> File:
    """Make a file of an object: a ``Path``, ``bytes``, a text, a data frame (CSV), a figure or an image (PNG).

    Raises ``CommandError``, and ``AttachmentUploadError`` for what is too large.
    """
    if isinstance(given, os.PathLike):
        return _from_path(Path(given))
    for fits, make in _KINDS:
        if fits(given):
            made = make(given, name)
            content_of(made.content, name=made.name)
            return made
    raise CommandError(
        f"A {type(given).__name__} cannot be attached.",
        why="A file is a path, bytes, a text, a data frame, a figure or an image.",
        now="Write it to a file and attach its path, or attach bytes.",
    )


def can_be_file(given: object) -> bool:
    """Whether ``as_file`` could make a file of an object, by its shape; nothing of it is called."""
    return not isinstance(given, type) and any(fits(given) for fits, _ in _KINDS)


def _at_address(url: str) -> File:
    try:
        name = unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        raise CommandError(f"{url!r} is no address.", now="For example: https://example.com/picture.png") from None
    return File(name or "file", url=url)


def _from_path(path: Path) -> File:
    if not path.is_file():
        raise CommandError(f"{path} cannot be attached.", why="It is no file.")
    return File(path.name, content_of(path, name=path.name))


def _from_bytes(given: Any, name: str) -> File:
    return File(name, bytes(given))


def _from_text(given: Any, name: str) -> File:
    return File(f"{name}.txt", str(given).encode("utf-8", "replace"), "text/plain")


def _from_frame(given: Any, name: str) -> File:
    return File(f"{name}.csv", given.to_csv().encode("utf-8"), "text/csv")


def _from_figure(given: Any, name: str) -> File:
    picture = io.BytesIO()
    given.savefig(picture, format="png", bbox_inches="tight")
    return File(f"{name}.png", picture.getvalue(), "image/png")


def _from_image(given: Any, name: str) -> File:
    picture = io.BytesIO()
    given.save(picture, format="PNG")
    return File(f"{name}.png", picture.getvalue(), "image/png")


def _is_pil(given: object) -> bool:
    return any(base.__module__.startswith("PIL.") for base in type(given).__mro__) and hasattr(given, "save")


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str], File]], ...] = (
    (lambda given: isinstance(given, bytes | bytearray | memoryview), _from_bytes),
    (lambda given: isinstance(given, str), _from_text),
    (lambda given: hasattr(given, "to_csv"), _from_frame),
    (lambda given: hasattr(given, "savefig"), _from_figure),
    (_is_pil, _from_image),
)


async def upload_to_poe(file: File, *, api_key: str, base_url: str | None = None) -> Attachment:
    """Upload a file to Poe with a user's API key, or have Poe fetch it. Raises ``AttachmentUploadError``."""
    from poe_notebook.client.uploads import upload_file

    if file.url:
        return await upload_file(file_url=file.url, file_name=file.name, api_key=api_key, base_url=base_url)
    return await upload_file(file.content, file_name=file.name, api_key=api_key, base_url=base_url)
