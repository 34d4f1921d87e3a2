"""``asyncio.run`` in a cell: what fails there, and ``%poe nest``, which lets it through.

The package itself never needs this: it has loops of its own. It is for code pasted from scripts. Not the original
nest_asyncio, which is archived and wedges ipykernel 7 as soon as two cells are queued.
"""

from __future__ import annotations

import asyncio
import re

__all__ = ["HINT", "allow_nesting", "is_nesting_error"]

HINT = (
    "A notebook's loop is running already, so `asyncio.run(main())` fails in a cell. Write `await main()` instead, or "
    "run `%poe nest` once to let pasted code through."
)
_NESTED = re.compile(r"cannot be called from a running event loop|event loop is already running")


def is_nesting_error(error: BaseException | None) -> bool:
    """Whether the error is what asyncio says when a loop is run inside a loop."""
    return isinstance(error, RuntimeError) and _NESTED.search(str(error)) is not None


def allow_nesting() -> tuple[str, bool]:
    """Let ``asyncio.run`` and ``run_until_complete`` work in cells. Gives a sentence, and whether all is well."""
    if asyncio.run.__module__ == "nest_asyncio":
        return (
            "nest_asyncio is applied in this kernel. It is no longer maintained, and with ipykernel 7 a second queued "
            "cell stops the kernel. Restart the kernel, and use `%poe nest` instead.",
            False,
        )
    import nest_asyncio2

    nest_asyncio2.apply()
    return "`asyncio.run` works in the cells of this kernel now.", True
