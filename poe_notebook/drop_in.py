"""``import fastapi_poe`` where that package is not installed: a finder that gives this package under its name.

It stands at the end of ``sys.meta_path``, so that the real package wins, and taking it away takes away all that came
by it. What is given is found when it is asked for, so importing the name costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["MODULES", "NAMES", "DropInFinder"]

_NAME = "fastapi_poe"
_PACKAGE = __name__.partition(".")[0]
_ORIGIN = f"{_PACKAGE}, in place of {_NAME}"

_LIBRARY = """
    AspectRatio AspectRatioOption Attachment AttachmentUploadResponse BaseControl BotError BotErrorNoRetry
    ComparatorCondition ConditionallyRenderControls CostItem CostRequestError DataResponse Divider DropDown
    ErrorResponse FullControls InsufficientFundError LiteralValue MessageFeedback MessageReaction MetaResponse Number
    ParameterControls ParameterValue PartialResponse PoeBot ProtocolMessage QueryRequest ReportErrorRequest
    ReportFeedbackRequest ReportReactionRequest RequestContext Section Sender SettingsRequest SettingsResponse Slider
    Tab TextArea TextField ToggleSwitch ToolCallDefinition ToolDefinition ToolResultDefinition User ValueNamePair
    get_bot_response get_bot_response_sync get_final_response make_app run stream_request sync_bot_settings upload_file
    upload_file_sync
"""
NAMES = tuple(_LIBRARY.split())
"""What ``from fastapi_poe import *`` gives: the names of fastapi_poe 0.0.83."""

MODULES = ("base", "client", "sync_utils", "templates", "types")
"""The library's modules from which names are imported; this package has each under the same name."""


class DropInFinder(MetaPathFinder, Loader):
    """Finds ``fastapi_poe`` and its modules; ``used`` is called when they are first imported."""

    def __init__(self, used: Callable[[], None]) -> None:
        self._used = used

    def install(self) -> None:
        """Stand behind every other finder."""
        if self not in sys.meta_path:
            sys.meta_path.append(self)

    def remove(self) -> None:
        """Go, and take away what was imported this way."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == _NAME and getattr(module, "__loader__", None) is self:
                del sys.modules[name]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Know the package and the modules that its users import from."""
        parent, _, child = fullname.partition(".")
        if parent != _NAME or (child and child not in MODULES):
            return None
        return ModuleSpec(fullname, self, origin=_ORIGIN, is_package=not child)

    def exec_module(self, module: ModuleType) -> None:
        """Let every name be looked up here."""
        _, _, child = module.__name__.partition(".")
        module.__doc__ = f"The names of {module.__name__}, given by {_PACKAGE}."
        names = vars(module)
        names["__getattr__"] = _lookup(module.__name__)
        if not child:
            names["__all__"] = list(NAMES)
            names["__dir__"] = lambda: sorted([*names, *NAMES, *MODULES])
            self._used()


def _lookup(module: str) -> Callable[[str], Any]:
    """Give a module's ``__getattr__``: all that the module of that name in this package has, imported when needed."""
    _, _, child = module.partition(".")

    def find(name: str) -> Any:
        is_module = not child and name in MODULES
        source = import_module(f"{_PACKAGE}.{child}" if child else _PACKAGE)
        if not is_module and (name.startswith("_") or not hasattr(source, name)):
            raise AttributeError(f"{module} ({_PACKAGE} in its place) has no {name!r}", name=name)
        return import_module(f"{_NAME}.{name}") if is_module else getattr(source, name)

    return find
