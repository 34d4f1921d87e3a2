r"""TeX as models write it, made into TeX that latex2mathml sets right.

It takes an environment that it does not know for a group, with its ``&`` and all, so those are mapped to ones that it
knows, or refused. It keeps the lines of a table in a way that no browser but Firefox draws: they become marks in the
first cell of a row, for ``math_tree``.
"""

from __future__ import annotations

import re

__all__ = ["COLUMN_GAP", "COLUMN_LINE", "ROW_LINE", "prepared", "without_tag"]

ROW_LINE, COLUMN_LINE, COLUMN_GAP = "\ue000", "\ue001", "\ue002"
_ALIASES = {
    **dict.fromkeys(("align", "aligned", "alignat", "alignat*", "alignedat", "flalign", "flalign*", "split"), "align*"),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*", "multlined"), "displaylines"),
    **dict.fromkeys(("equation", "equation*", "displaymath", "math"), ""),
    **dict.fromkeys(("eqnarray", "eqnarray*"), "array"),
    "dcases": "cases",
}
_KNOWN = {
    *("align*", "array", "cases", "displaylines", "smallmatrix"),
    *(f"{kind}matrix{star}" for kind in ("", "p", "b", "B", "v", "V") for star in ("", "*")),
}
_ARGUMENT = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_PIECE = re.compile(
    rf"""
    (?P<row>\\\\(?:\s*\[\s*-?[\d.]+\s*[a-z]{{2}}\s*\])?)
    |\\begin\s*\{{\s*array\s*\}}(?:\s*\[[tbc]\])?\s*(?P<columns>{_ARGUMENT})
    |\\begin\s*\{{\s*(?P<counted>alignat\*?|alignedat)\s*\}}(?:\s*\[[tbc]\])?\s*\{{\s*\d+\s*\}}
    |\\begin\s*\{{\s*(?P<placed>aligned|gathered|multlined)\s*\}}\s*\[[tbc]\]
    |\\(?P<side>begin|end)\s*\{{\s*(?P<name>[^{{}}]*?)\s*\}}
    |(?P<line>\\(?:hline|hdashline|toprule|midrule|bottomrule)(?![a-zA-Z]))
    |\\(?:label|cline)\s*(?P<dropped>{_ARGUMENT})
    |\\operatorname\s*\*?\s*\{{\s*arg(?:\\[,;:!\s]|[\s~])*(?P<extreme>max|min)\s*\}}
    |\\tag(?P<bare>\*?)\s*\{{(?P<tag>[^{{}}]*)\}}
    |\\(?:[a-zA-Z]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_REPEATED = re.compile(r"\*\s*\{\s*(\d{1,2})\s*\}\s*\{([lcr|\s]*)\}")
_OF_WIDTH = re.compile(r"[pmb]\s*\{[^{}]*\}")
_BETWEEN = re.compile(r"[@!><]\s*\{[^{}]*\}|\s")


def without_tag(tex: str) -> tuple[str, str]:
    """Part the number of a formula, as ``\\tag`` gives it, from the formula; not that of a row."""
    found = [piece for piece in _PIECE.finditer(tex) if piece["tag"] is not None]
    if len(found) != 1 or _depth(tex[: found[0].start()]):
        return tex, ""
    (piece,) = found
    return tex[: piece.start()] + tex[piece.end() :], _worded(piece)


def prepared(tex: str) -> str:
    """Give a formula as the converter can set it; raises ``ValueError`` if it cannot."""
    if any(mark in tex for mark in (ROW_LINE, COLUMN_LINE, COLUMN_GAP)):
        raise ValueError("marks of our own")
    return _PIECE.sub(_mended, tex)


def _mended(piece: re.Match[str]) -> str:
    name = piece["counted"] or piece["placed"] or piece["name"]
    if piece["row"]:
        return r"\\ "
    if piece["columns"]:
        return _array(piece["columns"][1:-1])
    if name is not None:
        return _environment(piece["side"] or "begin", name)
    if piece["extreme"]:
        return rf"\arg{piece['extreme']} "
    if piece["tag"] is not None:
        return rf"\qquad\text{{{_worded(piece)}}}"
    return ROW_LINE if piece["line"] else "" if piece["dropped"] else piece.group()


def _environment(side: str, name: str) -> str:
    known = _ALIASES.get(name, name)
    if known and known not in _KNOWN:
        raise ValueError(name)
    if side == "begin" and known == "array":
        return _array("rcl") if name.startswith("eqnarray") else _array("")
    return rf"\{side}{{{known}}}" if known else ""


def _array(columns: str) -> str:
    columns = _REPEATED.sub(lambda found: found[2] * int(found[1]), columns)
    columns = _BETWEEN.sub("", _OF_WIDTH.sub("l", columns)).replace("||", "|")
    kinds = columns.replace("|", "")
    if set(kinds) - set("lcr") or not kinds or len(columns) > 200:
        raise ValueError(columns)
    return rf"\begin{{array}}{{{kinds}}}" + _boundaries(columns)


def _boundaries(columns: str) -> str:
    """Say for each edge of a column, from the left of the first on, whether a line stands there."""
    edges = re.split("[lcr]", columns)
    return "".join(COLUMN_LINE if edge else COLUMN_GAP for edge in edges) if "|" in columns else ""


def _worded(piece: re.Match[str]) -> str:
    return piece["tag"] if piece["bare"] else f"({piece['tag']})"


def _depth(tex: str) -> int:
    sides = [p["side"] or "begin" for p in _PIECE.finditer(tex) if _opens(p)]
    return sides.count("begin") - sides.count("end")


def _opens(piece: re.Match[str]) -> bool:
    name = piece["counted"] or piece["placed"] or piece["name"]
    return bool(piece["columns"] or (name and _ALIASES.get(name, name)))
