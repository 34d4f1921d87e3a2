"""A file's name and kind, as far as they can be believed: both come from whoever sends the file.

A name is only ever shown, never a path. A kind is what the first bytes say, then what the name says. Signatures: WHATWG
MIME Sniffing §6, and the file formats' own specifications.
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata

__all__ = ["BINARY", "clean_name", "content_type_of", "is_text", "is_text_kind"]

BINARY = "application/octet-stream"
_UNNAMED = "file"
_NAME_CHARS, _SUFFIX_CHARS = 150, 20
_JOINERS = "\u200c\u200d"
"""Invisible, but part of words in Persian and of emoji; every other invisible sign can make a name read as another."""
_SAMPLE_BYTES = 4096
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")


def clean_name(name: str | None) -> str:
    """Give the name without folders, control signs and whatever else could mislead a reader or a header."""
    last = re.split(r"[/\\]", name or "")[-1]
    kept = "".join(sign for sign in unicodedata.normalize("NFC", last) if _is_kept(sign))
    words = " ".join(kept.split()).rstrip(". ")
    if len(words) > _NAME_CHARS:
        stem, dot, suffix = words.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= _SUFFIX_CHARS else ""
        words = words[: _NAME_CHARS - len(suffix)].rstrip() + suffix
    return words or _UNNAMED


def _is_kept(sign: str) -> bool:
    return sign in _JOINERS or sign.isspace() or unicodedata.category(sign)[0] != "C"


def content_type_of(content: bytes, name: str, *, given: str | None = None) -> str:
    """Give the kind of a file as ``type/subtype``: what its bytes say, else what was given, else what its name says."""
    stated = (given or "").partition(";")[0].strip().lower()
    named = stated if _TYPE.fullmatch(stated) and stated != BINARY else _named(name)
    return _signed(content, named) or _unsigned(content, named)


def is_text(content: bytes) -> bool:
    """Whether a file's beginning looks like text, in any of the usual encodings."""
    sample = content[:_SAMPLE_BYTES]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16 and UTF-32, which say so and are full of zeros
    controls = sum(byte < 32 and byte not in b"\t\n\f\r\x1b" for byte in sample)
    return b"\0" not in sample and controls <= len(sample) // 50


_KINDS = mimetypes.MimeTypes()  # the table of Python itself: the same on every machine
_OFFICE = "application/vnd.openxmlformats-officedocument."
for _suffix, _kind in {
    ".docx": _OFFICE + "wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/jsonl",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".pptx": _OFFICE + "presentationml.presentation",
    ".toml": "application/toml",
    ".ts": "text/typescript",
    ".xlsx": _OFFICE + "spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}.items():
    _KINDS.add_type(_kind, _suffix)


def _named(name: str) -> str | None:
    kind, encoding = _KINDS.guess_type("x" + name[-_SUFFIX_CHARS:])  # a name with a scheme would be read as an address
    return None if encoding else kind


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_ONLY_WITH_SIGNATURE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
_PDF_WITHIN_BYTES = 1024  # where readers still look for the signature


def _signed(content: bytes, named: str | None) -> str | None:
    """Give the kind that the first bytes say."""
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12])
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "video/mp4")
    if content[:4] == b"\x1a\x45\xdf\xa3":
        return _named_or(named, "audio/webm", "video/webm" if b"webm" in content[:64] else "video/x-matroska")
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        is_document = named is not None and named.startswith("application/") and not is_text_kind(named)
        return named if is_document else "application/zip"
    if b"%PDF-" in content[:_PDF_WITHIN_BYTES]:
        return "application/pdf"
    if content[:1] == b"\xff" and content[1:2] and content[1] & 0xE0 == 0xE0 and not is_text(content):
        return _named_or(named, "audio/mpeg", None)  # an MPEG frame without tags; too short a sign to stand alone
    return None


def _named_or(named: str | None, kind: str, other: str | None) -> str | None:
    return kind if named == kind else other


def _unsigned(content: bytes, named: str | None) -> str:
    """Give the kind that the name says, unless the content speaks against it."""
    if named is None or named in _ONLY_WITH_SIGNATURE:
        return "text/plain" if is_text(content) else BINARY
    return BINARY if is_text_kind(named) and not is_text(content) else named


def is_text_kind(kind: str) -> bool:
    """Whether files of a kind are text that people can read as it stands."""
    return kind.startswith("text/") or kind.endswith(("json", "xml", "yaml", "toml", "jsonl", "javascript"))
