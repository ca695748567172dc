"""A write that fails leaves the former file and nothing else."""

import errno
import os

import pytest
from safetensors import SafetensorError

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
