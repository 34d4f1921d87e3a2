"""Bytes of a text file as text, whatever its encoding.

A byte order mark decides, then UTF-8 if it fits, then what charset-normalizer takes it for among the encodings that
text files still have. Never fails: a sign that cannot be read becomes U+FFFD.
"""

from __future__ import annotations

import codecs

__all__ = ["decode_text"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # ahead of UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
_CANDIDATES = "cp1252 utf_16_le utf_16_be cp1251 koi8_r cp1253 cp1255 cp1256 cp932 euc_jp gb18030 big5 cp949"
"""Its whole list would be guessed from too often: French in Latin-1 is taken for cp1250 (charset-normalizer 3.5)."""
_SAMPLE_BYTES, _FEWEST_BYTES = 16_384, 16


def decode_text(content: bytes) -> str:
    """Give the text of a file, its line ends as they are. A sign that is cut off at the end is left out."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return _decoded(content, _guessed(content[:_SAMPLE_BYTES]))


def _decoded(content: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(content)


def _guessed(sample: bytes) -> str:
    if len(sample) < _FEWEST_BYTES:
        return _WESTERN
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=_CANDIDATES.split()).best()
    return _WESTERN if best is None else best.encoding
