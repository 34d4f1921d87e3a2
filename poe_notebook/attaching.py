"""What a person attaches to a message, as a file: a path, an address, or an object of the kernel.

Objects are known by shape, so that neither pandas nor matplotlib nor Pillow is imported for them.
"""

from __future__ import annotations

import io
import mimetypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poe_notebook.errors import CommandError
from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.protocol.messages import Attachment

__all__ = ["File", "as_file", "can_be_file", "upload_to_poe"]


@dataclass(frozen=True, slots=True)
class File:
    """A file to attach; without a content type, who takes it finds out."""

    name: str
    content: bytes = field(repr=False)
    content_type: str | None = None

    @property
    def is_image(self) -> bool:
        """Whether it is an image, by its content type or else by its name."""
        kind = self.content_type or mimetypes.guess_type(self.name)[0] or ""
        return kind.startswith("image/")


def as_file(given: object, *, name: str = "file", namespace: Mapping[str, Any] | None = None) -> File:
    """Make a file of a path, of the name of an object in ``namespace``, or of an object.

    ``bytes``, ``str``, data frames (CSV), figures and images (PNG) will do. Raises ``CommandError``.
    """
    if isinstance(given, str) and namespace is not None:
        return _named(given, namespace)
    if isinstance(given, os.PathLike):
        return _from_path(Path(given))
    for fits, make in _KINDS:
        if fits(given):
            return _bounded(make(given, name))
    raise CommandError(
        f"A {type(given).__name__} cannot be attached.",
        why="A file is a path, bytes, a text, a data frame, a figure or an image.",
        now="Write it to a file and attach its path, or attach bytes.",
    )


def can_be_file(given: object) -> bool:
    """Whether ``as_file`` could make a file of an object, by its shape; nothing of it is called."""
    return not isinstance(given, type) and any(fits(given) for fits, _ in _KINDS)


def _named(given: str, namespace: Mapping[str, Any]) -> File:
    if os.path.exists(os.path.expanduser(given)):
        return _from_path(Path(given).expanduser())
    if given.isidentifier() and given in namespace:
        return as_file(namespace[given], name=given)
    raise CommandError(
        f"There is no file and no object {given!r} to attach.",
        why="What is attached is a path, or the name of an object in this notebook.",
        now=f"The working folder is {Path.cwd()}.",
    )


def _from_path(path: Path) -> File:
    try:
        if path.stat().st_size > ATTACHMENT_BYTES:
            raise _too_large(path.name)
        return File(path.name, path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be attached: {error.strerror or error}.") from None


def _bounded(file: File) -> File:
    if len(file.content) > ATTACHMENT_BYTES:
        raise _too_large(file.name)
    return file


def _too_large(name: str) -> CommandError:
    return CommandError(
        f"{name} is larger than {ATTACHMENT_BYTES // 1_000_000} MB.", why="That is the most that Poe takes as one file."
    )


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


async def upload_to_poe(file: File, *, api_key: str) -> Attachment:
    """Upload a file to Poe with a user's API key. Raises ``AttachmentUploadError``."""
    from poe_notebook.client.uploads import upload_file

    return await upload_file(file.content, file_name=file.name, api_key=api_key)
