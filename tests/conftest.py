"""Fixtures shared by the rooms' tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import kernels
import pytest

BROWSER = "tests/browser/"
SLOW = ("tests/kernel/", "tests/runtime/", "tests/tracing/", "tests/views/markdown/", "tests/test_")


def pytest_configure() -> None:
    """Let interrupts through, and kernels keep their bytecode: else each compiles the package for a second of CPU."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it to what it starts in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers where browsers are driven, since more keep pages waiting; else three, since many tests wait."""
    return 3 if config.getoption("markexpr") == "not browser" else 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, by name, so that those that wait and those that compute run side by side."""

    def place(item: pytest.Item) -> tuple[bool, bool, str]:
        return not item.nodeid.startswith(BROWSER), not item.nodeid.startswith(SLOW), item.path.name

    items.sort(key=place)


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
