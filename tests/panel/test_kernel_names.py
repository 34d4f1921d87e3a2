"""Names in the kernel that can be attached: found by shape, without calling anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from poe_notebook.panel.kernel_names import attachable_names


class Frame:
    def to_csv(self) -> str:
        raise AssertionError("only looked at")


def test_objects_come_first_then_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.txt").write_text("x")
    (tmp_path / "reports").mkdir()
    names = {"report": "text", "rows": Frame(), "raw": b"x", "repeat": max, "Frame": Frame, "_rest": "x", "n": 3}
    assert attachable_names(names, "r") == [
        ("raw", "bytes"),
        ("report", "str"),
        ("rows", "Frame"),
        ("report.txt", "file"),
        ("reports/", "folder"),
    ]
    assert attachable_names(names, f"{tmp_path}/rep")[0][0] == str(tmp_path / "report.txt")
    assert attachable_names(names, "[") == []


def test_there_is_an_end_to_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(attachable_names({f"name{n}": "x" for n in range(500)}, "")) == 50
