"""Running the body of a ``%%poebot`` cell in the user's namespace, and finding the bot that it leaves.

The body is compiled here rather than by ``shell.run_cell``, so that its lines keep their numbers and the cell's own
label, ``await`` works at top level (on the bot's loop), its last expression is shown and an error stops Run All.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from IPython import get_ipython

from poe_notebook.bot.handlers import METHODS, check_handler, function_bot, is_bot, is_bot_class
from poe_notebook.errors import CellHasNoBot, CellSyntaxError, PoeNotebookError, without_our_frames

__all__ = ["Found", "bot_left_by", "cell_label", "guess_name", "run_body"]


_ALLOW_INCOMPLETE_INPUT = 0x4000  # PyCF_ALLOW_INCOMPLETE_INPUT of codeop, which gives it no public name


@dataclass(frozen=True, slots=True)
class Found:
    """The bot that a cell left, and its name."""

    name: str
    bot: Any


def run_body(shell: Any, body: str, *, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> set[str]:
    """Run a cell's body; ``wait`` runs a coroutine to its end. Gives the names that the body bound at top level."""
    try:
        return _run(shell, body, wait)
    except PoeNotebookError:
        raise
    except SyntaxError as error:
        shown = CellSyntaxError(str(error))
        _show_as(shown, shell.SyntaxTB.structured_traceback(type(error), error, []))
        raise shown from None
    except BaseException as error:
        frames = _from_the_cell_on(error.__traceback__)
        _show_as(error, shell.InteractiveTB.structured_traceback(type(error), error, frames))
        raise


def _run(shell: Any, body: str, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> set[str]:
    # The magic's own line, and the empty lines that transform_cell drops, are put back, so that line numbers match.
    source = "\n" * (1 + _leading_empty_lines(body)) + shell.transform_cell(body)
    number = len(shell.history_manager.input_hist_parsed) - 1
    filename = shell.compile.cache(source, number, "\n" + body)
    # Without the flag that lets the prompt ask for another line, a bracket left open is named as such.
    flags = (shell.compile.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT) & ~_ALLOW_INCOMPLETE_INPUT
    tree = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST)
    bound = _bound_names(tree)
    codes = [compile(part, filename, mode, flags) for part, mode in _parts(shell, tree)]
    for code in codes:
        if code.co_flags & inspect.CO_COROUTINE:
            wait(eval(code, shell.user_global_ns, shell.user_ns))
        else:
            exec(code, shell.user_global_ns, shell.user_ns)
    return bound


def _leading_empty_lines(body: str) -> int:
    return body[: len(body) - len(body.lstrip())].count("\n")


def _from_the_cell_on(frames: TracebackType | None) -> TracebackType | None:
    """Leave out what lies between the magic and the author's first line: our frames, and a loop's for an await."""
    first = frames
    while first is not None and cell_label(first.tb_frame.f_code.co_filename) is None:
        first = first.tb_next
    return first or without_our_frames(frames)


def _show_as(error: BaseException, lines: list[str]) -> None:
    """Have IPython show an author's error as it would without a magic around the code."""
    with suppress(AttributeError):  # an exception with slots cannot be told; it is shown with IPython's own frames
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]


def _parts(shell: Any, tree: ast.Module) -> list[tuple[ast.Module | ast.Interactive, str]]:
    """Split the body so that a last expression is compiled as one to be shown."""
    for transformer in shell.ast_transformers:
        tree = transformer.visit(tree)
    statements, last = list(tree.body), []
    if statements and isinstance(statements[-1], ast.Expr):
        last = [statements.pop()]
    parts: list[tuple[ast.Module | ast.Interactive, str]] = []
    if statements:
        parts.append((ast.Module(body=statements, type_ignores=[]), "exec"))
    if last:
        parts.append((ast.Interactive(body=list(last)), "single"))
    return parts


def cell_label(filename: str) -> str | None:
    """Give the label of the cell whose code was compiled under that file name, ``Cell In[3]``; none for real files."""
    shell = get_ipython()
    label = shell.compile.format_code_name(filename) if shell is not None else None
    return " ".join(label) if label else None


def guess_name(body: str, name: str | None) -> str | None:
    """Give the name that the cell's bot will have, if it can be told without running the cell."""
    if name is not None:
        return name
    try:
        tree = ast.parse(body)
    except SyntaxError:
        return None
    classes = [statement.name for statement in tree.body if isinstance(statement, ast.ClassDef)]
    return classes[-1] if classes else None


def bot_left_by(namespace: dict[str, Any], bound: set[str], *, name: str | None) -> Found:
    """Find the bot among the names that a cell bound. Raises ``CellHasNoBot`` if there is none, or more than one."""
    left = {key: namespace[key] for key in bound if key in namespace}
    instances = {key: value for key, value in left.items() if is_bot(value)}
    classes = _leaves({key: value for key, value in left.items() if is_bot_class(value)})
    if instances:
        key, bot = _the_one(instances, name, "bots")
        return _checked(Found(name or bot.bot_name or _class_or_variable(bot, key), bot))
    if classes:
        key, kind = _the_one(classes, name, "bot classes")
        return _checked(_instance(kind, name or key))
    functions = {key: left[key] for key in METHODS if callable(left.get(key))}
    if "get_response" in functions or "get_response_with_context" in functions:
        return _from_functions(functions, left.get("settings"), name)
    raise _no_bot(left, name)


def _checked(found: Found) -> Found:
    check_handler(found.bot, name=found.name)
    return found


def _from_functions(functions: dict[str, Any], settings: Any, name: str | None) -> Found:
    if name is None:
        raise CellHasNoBot(
            "The cell's bot has no name: a get_response function does not say one.",
            now="Name it in the first line: %%poebot MyBot",
        )
    if settings is not None and not hasattr(settings, "server_bot_dependencies"):
        raise CellHasNoBot(
            f"`settings` in the cell of {name} is of type {type(settings).__name__}.",
            now="Write: settings = fp.SettingsResponse(introduction_message='Hello!')",
        )
    return Found(name, function_bot(functions, name=name, settings=settings))


def _instance(kind: type, name: str) -> Found:
    try:
        return Found(name, kind())
    except TypeError as error:
        needed = [
            p.name
            for p in inspect.signature(kind).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        if not needed:
            raise
        raise CellHasNoBot(
            f"{kind.__name__} cannot be made without arguments: {error}.",
            why="A class in a %%poebot cell is made into a bot by calling it without arguments.",
            now=f"Make the bot yourself at the end of the cell: bot = {kind.__name__}({', '.join(needed)}=...)",
        ) from None


def _leaves(classes: dict[str, type]) -> dict[str, type]:
    """Leave out the classes that others of them extend."""
    return {
        key: kind
        for key, kind in classes.items()
        if not any(other is not kind and issubclass(other, kind) for other in classes.values())
    }


def _the_one(candidates: dict[str, Any], name: str | None, kind: str) -> tuple[str, Any]:
    distinct = {id(value): key for key, value in candidates.items()}
    if name in candidates:
        return str(name), candidates[str(name)]
    if len(distinct) > 1:
        names = sorted(candidates)
        raise CellHasNoBot(
            f"The cell leaves {len(distinct)} {kind}: {', '.join(names)}.",
            why="A %%poebot cell serves one bot.",
            now=f"Say which one: %%poebot {names[0]}",
        )
    key = next(iter(distinct.values()))
    return key, candidates[key]


def _class_or_variable(bot: Any, variable: str) -> str:
    kind = type(bot).__name__
    return variable if kind == "PoeBot" else kind


def _no_bot(left: dict[str, Any], name: str | None) -> CellHasNoBot:
    functions = sorted(key for key, value in left.items() if inspect.isfunction(value))
    what = "The cell ran and leaves no bot."
    if functions:
        what = f"The cell ran and leaves no bot: the function {functions[0]} is no handler by its name."
    return CellHasNoBot(
        what,
        why="A bot is an `async def get_response(request)`, or a class that extends fp.PoeBot, or a bot object.",
        now=f"For example:\n%%poebot {name or 'MyBot'}\nasync def get_response(request):\n    yield 'hello'",
    )


def _bound_names(tree: ast.Module) -> set[str]:
    """Give the names that the body binds at top level, in loops and conditions too, but not in functions."""
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return names
