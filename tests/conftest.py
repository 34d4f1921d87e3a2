"""Fixtures shared by the rooms' tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import kernels
import pytest

BROWSER = "tests/browser/"
FIRST_BROWSER = ("test_again.py", "test_frames.py", "test_panel.py", "test_tutorial.py")
SLOW = ("tests/kernel/", "tests/runtime/", "tests/tracing/", "tests/views/markdown/", "tests/test_")


def pytest_configure() -> None:
    """Let interrupts through, and kernels keep their bytecode: else each compiles the package for a second of CPU."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it to what it starts in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file to one worker, and those that drive a browser to two: three at once keep pages waiting.

    What takes long comes first, by name, so that files that wait and files that compute run side by side.
    """

    def place(item: pytest.Item) -> tuple[bool, bool, str]:
        return not item.nodeid.startswith(BROWSER), not item.nodeid.startswith(SLOW), item.path.name

    items.sort(key=place)
    for item in items:
        is_browser = item.nodeid.startswith(BROWSER)
        group = f"browser {item.path.name in FIRST_BROWSER}" if is_browser else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="module")
def kernel() -> Iterator[kernels.Kernel]:
    """A running kernel with the extension loaded, shared by a module's tests."""
    with kernels.kernel() as running:
        yield running


@pytest.fixture
def fresh_kernel() -> Iterator[kernels.Kernel]:
    """A running kernel of a test's own, with the extension loaded."""
    with kernels.kernel() as running:
        yield running
