"""What mybinder.org reads: the files in ``binder`` and the link in the README that leads to it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
LINK = re.compile(r"https://mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/[\w.-]+\?urlpath=([\w/.%-]+)")


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_only_the_files_meant_steer_the_build() -> None:
    assert {path.name for path in BINDER.iterdir()} == {"postBuild", "runtime.txt"}


def test_post_build_is_a_program_that_installs_the_package_with_jupyterlab(project: dict) -> None:
    post_build = BINDER / "postBuild"
    lines = post_build.read_text().splitlines()
    assert os.access(post_build, os.X_OK)
    assert lines[0] == "#!/bin/bash"
    assert "set -euo pipefail" in lines
    assert 'python -m pip install --no-cache-dir ".[lab]"' in lines
    assert any(wanted.startswith("jupyterlab") for wanted in project["optional-dependencies"]["lab"])


def test_the_python_chosen_is_one_the_package_allows(project: dict) -> None:
    chosen = re.fullmatch(r"python-(\d+\.\d+)\n?", (BINDER / "runtime.txt").read_text())
    assert chosen is not None
    assert SpecifierSet(project["requires-python"]).contains(chosen[1])
    assert f"Programming Language :: Python :: {chosen[1]}" in project["classifiers"]


def test_the_link_opens_a_notebook_of_this_repository_in_jupyterlab(project: dict) -> None:
    links = LINK.findall((ROOT / "README.md").read_text())
    assert links
    for repository, opened in links:
        assert any(f"https://github.com/{repository}/" in url + "/" for url in project["urls"].values())
        room, _, path = unquote(opened).partition("/tree/")
        assert room == "lab"
        assert json.loads((ROOT / path).read_text())["nbformat"] == 4


def test_what_post_build_needs_to_build_the_package_is_there(project: dict) -> None:
    for name in (project["readme"], *project["license-files"]):
        assert (ROOT / name).is_file(), name
