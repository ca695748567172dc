"""Checkpoints: everything comes back to the last bit, and damage is found."""

import errno
import os
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from infomax.errors import InfomaxError, InputError
from infomax.training import checkpoint


def tree():
    table = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    return {
        "tensors": {
            "table": table,
            "again": table,
            "top": table[:2],
            "row": table[1],
            "half": table.half(),
            "empty": torch.zeros(0, 2),
        },
        "numbers": [0.1, 1e-300, 2**70, float("inf"), None, True, "é"],
        "betas": (0.9, 0.999),
        "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
    }


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return a == b


def test_a_tree_comes_back_equal(tmp_path):
    path = tmp_path / "c"
    checkpoint.save(path, tree())
    assert equal(checkpoint.load(path), tree())
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_two_views_of_one_memory_stay_apart(tmp_path):
    square = torch.arange(4.0).reshape(2, 2)
    checkpoint.save(tmp_path / "c", {"a": square, "b": square.T})
    assert torch.equal(checkpoint.load(tmp_path / "c")["b"], square.T)


def test_the_state_of_an_optimizer_comes_back(tmp_path):
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    weight.square().sum().backward()
    optimizer.step()
    checkpoint.save(tmp_path / "c", optimizer.state_dict())
    loaded = checkpoint.load(tmp_path / "c")
    assert equal(loaded, optimizer.state_dict())
    torch.optim.AdamW([weight]).load_state_dict(loaded)


@pytest.mark.parametrize("damage", ["truncated", "a flipped bit", "empty", "text"])
def test_damage_is_found_and_the_file_left(tmp_path, damage):
    path = tmp_path / "c"
    checkpoint.save(path, tree())
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[:-7]
    elif damage == "a flipped bit":
        content[-5] ^= 1
    else:
        content = bytearray(b"" if damage == "empty" else b"a letter to a friend, long enough to hold a header")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged .*overwrite"):
        checkpoint.load(path)
    assert path.read_bytes() == content


def test_another_programs_file_is_told(tmp_path):
    save_file({"a": torch.ones(2)}, tmp_path / "c")
    with pytest.raises(InputError, match="is not a checkpoint"):
        checkpoint.load(tmp_path / "c")


def test_a_full_disk_keeps_the_former_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c"
    checkpoint.save(path, tree())
    former = path.read_bytes()

    def full(_tensors, temporary, **_):
        temporary.write_bytes(b"half a checkpoint")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(InfomaxError, match="disk is full"):
        checkpoint.save(path, {"other": torch.zeros(9)})
    assert path.read_bytes() == former
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs the right to mount")
def test_a_disk_that_is_really_full(tmp_path):
    """On a file system of 64 KiB, in a mount namespace of its own; what the library really raises there."""
    code = """
import sys, torch
from pathlib import Path
from infomax.errors import InfomaxError
from infomax.training import checkpoint
path = Path(sys.argv[1]) / "c"
checkpoint.save(path, {"a": torch.ones(100)})
try:
    checkpoint.save(path, {"a": torch.ones(100_000)})
except InfomaxError as error:
    assert "disk is full" in str(error), error
    assert torch.equal(checkpoint.load(path)["a"], torch.ones(100))
    assert [p.name for p in path.parent.iterdir()] == ["c"]
    print("kept")
"""
    mount = [
        "unshare",
        "-m",
        "sh",
        "-c",
        'mount -t tmpfs -o size=64k none "$0" 2>/dev/null || exit 99; exec "$@"',
        str(tmp_path),
    ]
    run = subprocess.run(
        [*mount, sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    if run.returncode == 99 or "unshare" in run.stderr:
        pytest.skip("may not mount here")
    assert run.stdout.strip() == "kept", run.stderr
