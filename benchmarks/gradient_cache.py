"""What gradient caching costs and saves: `python -m benchmarks.gradient_cache [--encoder FOLDER]`, see the guide on big encoders.

Each cell in a process of its own: seconds of CPU (one thread) and peak resident memory of one gradient, less what was resident
before it: inputs there, libraries loaded and warm. Parameters' gradients count. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from benchmarks.table import markdown
from infomax import Scores, info_nce
from infomax.data import TextColumn, python_pairs
from infomax.encoders import TransformerEncoder
from infomax.training import cached_backward
from infomax.training.encoding import Side, learn_from

N, D, CHUNK = 8192, 384, 256
TEXTS = [("one-shot", "128", "128"), ("cached", "128", "32"), ("cached", "1024", "32")]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--encoder", help="a SentenceTransformer folder: also measure it on texts")
    options.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(*_cell(*given.one))
        return
    vectors = [("vectors", how, loss) for how in ("one-shot", "cached") for loss in ("plain", "streamed")]
    rows = [[how, loss, *_in_a_process("vectors", how, loss)] for _, how, loss in vectors]
    print(markdown(["gradient", "loss", "CPU s", "extra MiB"], rows), flush=True)
    if given.encoder:
        head = ["gradient", "pairs", "rows at a time", "CPU s", "extra MiB"]
        found = [[h, n, c, *_in_a_process("texts", h, n, c, given.encoder)] for h, n, c in TEXTS]
        print("\n" + markdown(head, found))


def _in_a_process(*cell: object) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.gradient_cache", "--one", *map(str, cell)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


def _cell(what: str, *setting: str) -> tuple[str, str]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    run = {"vectors": _vectors, "texts": _texts}[what](*setting)
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, start = _status("VmRSS"), process_time()
    run()
    return f"{process_time() - start:.1f}", f"{(_status('VmHWM') - before) / 1024:.0f}"


def _vectors(how: str, loss: str) -> Callable[[], object]:
    """A network of two hidden layers on both sides."""
    wide = 4 * D
    network = nn.Sequential(nn.Linear(D, wide), nn.GELU(), nn.Linear(wide, wide), nn.GELU(), nn.Linear(wide, D))
    x, y = torch.randn(2, N, D)
    scored = {"plain": _plain, "streamed": _streamed}[loss]
    _one_shot(scored, network, x[:512], y[:512])
    return partial(_one_shot if how == "one-shot" else _cached, scored, network, x, y)


def _one_shot(loss: Callable[..., Tensor], network: nn.Module, x: Tensor, y: Tensor) -> None:
    loss(network(x), network(y)).backward()


def _cached(loss: Callable[..., Tensor], network: nn.Module, x: Tensor, y: Tensor) -> None:
    cached_backward(loss, (network, x), (network, y), chunk=CHUNK)


def _plain(a: Tensor, c: Tensor) -> Tensor:
    scores = nn.functional.normalize(a, dim=1) @ nn.functional.normalize(c, dim=1).T / 0.05
    return nn.functional.cross_entropy(scores, torch.arange(len(a)))


def _streamed(a: Tensor, c: Tensor) -> Tensor:
    a, c = (nn.functional.normalize(x, dim=1) for x in (a, c))
    return info_nce(Scores(a, c, temperature=0.05)).mean()


def _texts(how: str, pairs: str, chunk: str, encoder: str) -> Callable[[], object]:
    """First lines of the standard library's docstrings with the first lines of what they document."""
    count = int(pairs)
    found = python_pairs(str(Path(argparse.__file__).parent / "email"), progress=None)
    more = python_pairs(str(Path(argparse.__file__).parent / "asyncio"), progress=None)
    sides: list[list[str]] = [[], []]
    for some in (found, more):
        rows = np.arange(len(some))
        for side, column in zip(sides, (some.anchors, some.candidates), strict=True):
            side += [text.strip().splitlines()[0][:160] for text in column[rows]]
    model = TransformerEncoder.load(encoder).train()
    columns = [TextColumn(pa.chunked_array([(side * count)[:count]])) for side in sides]
    both = [Side(model, column, normalize=True) for column in columns]
    learn_from(_streamed, both, np.arange(16), None)
    return partial(learn_from, _streamed, both, np.arange(count), None if how == "one-shot" else int(chunk))


def _status(field: str) -> int:
    """KiB, from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


if __name__ == "__main__":
    main()
