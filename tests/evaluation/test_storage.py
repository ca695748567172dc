"""A write that fails leaves the former file and nothing else."""

import errno
import os

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from infomax.errors import InfomaxError
from infomax.evaluation.storage import replace


def test_new_content_replaces_old(tmp_path):
    path = tmp_path / "new folder" / "file"
    for text in ("one", "two"):
        replace(path, lambda temporary, text=text: temporary.write_text(text))
        assert path.read_text() == text
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError("I/O error: No space left on device (os error 28)"), "disk is full"),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "disk is full"),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied"),
    ],
)
def test_a_failed_write_leaves_the_former_file(tmp_path, error, words):
    path = tmp_path / "file"
    path.write_text("former")

    def fail(temporary):
        temporary.write_text("half")
        raise error

    with pytest.raises(InfomaxError, match=words):
        replace(path, fail)
    assert path.read_text() == "former"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_crash_before_the_move_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("former")

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        replace(path, lambda temporary: temporary.write_text("new"))
    assert path.read_text() == "former"


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o002])
def test_files_are_as_readable_as_the_user_wants_them(tmp_path, mask):
    former = os.umask(mask)
    try:
        replace(tmp_path / "tensors", lambda path: save_file({"a": torch.zeros(3)}, path))
        replace(tmp_path / "text", lambda path: path.write_text("one"))
    finally:
        os.umask(former)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o666 & ~mask}
