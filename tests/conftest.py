"""Fixtures shared by the rooms' tests."""

from __future__ import annotations

from collections.abc import Iterator

import kernels
import pytest


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
