"""``import fastapi_poe`` in a process where that package cannot be found, and in one where it can."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastapi_poe
import pytest
from hiding import HIDE

from poe_notebook.drop_in import NAMES

ROOT = Path(__file__).parent.parent

REPORT = """
import json, sys
from poe_notebook.drop_in import DropInFinder
used, said = [], {}
finder = DropInFinder(lambda: used.append(1))
"""


def said_by(code: str, *, hidden: bool = True) -> dict[str, Any]:
    """Run code in a process of its own and give what it put into ``said``."""
    whole = (HIDE if hidden else "") + REPORT + code + "\nprint(json.dumps(said))"
    done = subprocess.run(
        [sys.executable, "-c", whole], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_names_are_those_of_the_library() -> None:
    assert sorted(NAMES) == sorted(fastapi_poe.__all__)


IMPORTS = """
finder.install()
finder.install()
said["stands once, at the end"] = [sys.meta_path.count(finder), sys.meta_path[-1] is finder]
import fastapi_poe as fp
import fastapi_poe
said["light"] = sorted({"pydantic", "httpx", "fastapi", "uvicorn"} & set(sys.modules))
said["client"] = fp.client.sync_bot_settings.__module__
said["shown"] = repr(fp)
said["doc"] = fp.__doc__
said["same"] = fp.PoeBot is fp.base.PoeBot is __import__("poe_notebook").PoeBot
from fastapi_poe.types import PartialResponse, QueryRequest, ToolCallDefinitionDelta, Identifier, RequestContext
from fastapi_poe.client import BotError, upload_file, stream_request, PROTOCOL_VERSION
from fastapi_poe.base import make_app, run, PoeBot, InvalidParameterError, generate_inline_ref, CostRequestError
from fastapi_poe.templates import TEXT_ATTACHMENT_TEMPLATE
from fastapi_poe.sync_utils import run_sync
from fastapi_poe import client, types, templates, base, sync_utils
import fastapi_poe.types as types_too
said["modules"] = [types is types_too, client is fp.client, client.BotError is BotError]
async def seven():
    return 7
said["sync"] = run_sync(seven())
space = {}
exec("from fastapi_poe import *", space)
said["star"] = sorted(name for name in space if name != "__builtins__")
said["listed"] = {"PoeBot", "make_app", "client"} <= set(dir(fp))
said["notebook names"] = fp.serve.__name__
def fault(code):
    try:
        exec(code, {})
    except (AttributeError, ImportError) as error:
        return f"{type(error).__name__}: {error}"
said["faults"] = [
    fault("import fastapi_poe; fastapi_poe.no_such"),
    fault("from fastapi_poe.types import no_such"),
    fault("import fastapi_poe.no_such"),
    fault("import fastapi_poe; fastapi_poe.client._BotContext"),
]
said["no dunder of another"] = [hasattr(fp, "__file__"), hasattr(fp.types, "__wrapped__")]
said["used"] = len(used)
"""


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """What a process without the library says of the drop-in."""
    return said_by(IMPORTS)


def test_the_finder_stands_once_and_behind_every_other(said: dict[str, Any]) -> None:
    assert said["stands once, at the end"] == [1, True]


def test_importing_the_name_loads_nothing_and_is_told_of_once(said: dict[str, Any]) -> None:
    assert said["light"] == []
    assert said["used"] == 1


def test_its_modules_are_attributes_and_importable_in_every_way(said: dict[str, Any]) -> None:
    assert said["client"] == "poe_notebook.client.settings"
    assert said["modules"] == [True, True, True]
    assert said["same"]
    assert said["sync"] == 7


def test_a_star_import_gives_the_librarys_names_and_no_other(said: dict[str, Any]) -> None:
    assert said["star"] == sorted(fastapi_poe.__all__)
    assert said["listed"]
    assert said["notebook names"] == "serve"


def test_it_says_what_it_is(said: dict[str, Any]) -> None:
    assert said["shown"] == "<module 'fastapi_poe' (poe_notebook, in place of fastapi_poe)>"
    assert "poe_notebook" in said["doc"]
    assert said["no dunder of another"] == [False, False]


def test_a_name_that_is_not_there_is_the_error_that_python_users_know(said: dict[str, Any]) -> None:
    attribute, name, module, private = said["faults"]
    assert attribute == "AttributeError: fastapi_poe (poe_notebook in its place) has no 'no_such'"
    assert name.startswith("ImportError: cannot import name 'no_such'")
    assert module.startswith("ModuleNotFoundError: No module named 'fastapi_poe.no_such'")
    assert private.startswith("AttributeError")


def test_taking_it_away_takes_away_all_that_came_by_it() -> None:
    said = said_by(
        """
before = list(sys.meta_path)
finder.install()
import fastapi_poe.types, fastapi_poe as kept
finder.remove()
finder.remove()
said["as before"] = sys.meta_path == before
said["left"] = [name for name in sys.modules if name.startswith("fastapi_poe")]
try:
    import fastapi_poe
except ModuleNotFoundError as error:
    said["then"] = error.name
said["still works for who has it"] = kept.PartialResponse(text="x").text
finder.install()
import fastapi_poe
said["again"] = len(used)
"""
    )
    assert said == {
        "as before": True,
        "left": [],
        "then": "fastapi_poe",
        "still works for who has it": "x",
        "again": 2,
    }


def test_the_real_package_wins_and_stays() -> None:
    said = said_by(
        """
finder.install()
import fastapi_poe, fastapi_poe.types
said["file"] = fastapi_poe.__file__
finder.remove()
said["left"] = sys.modules.get("fastapi_poe") is fastapi_poe
said["used"] = len(used)
""",
        hidden=False,
    )
    assert said["file"].endswith("fastapi_poe/__init__.py")
    assert (said["left"], said["used"]) == (True, 0)
