"""Is `infomax plan` right? Its figures beside those of the run: `python -m benchmarks.plan --encoder FOLDER`.

Plan and run each in a process of its own, one thread, seconds of CPU (what other programs of the machine take away is not
counted), peak resident memory of the whole process. The folder is a SentenceTransformer's. Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch

from benchmarks.table import markdown
from infomax.cli.planning import made_up
from infomax.data import python_pairs
from infomax.encoders import StaticTextEncoder
from infomax.training import fit, going, plan
from infomax.training.loop import Task

SETTINGS: dict[str, dict[str, Any]] = {
    "static, batch 256": {"pairs": 6_000, "batch_size": 256, "dim": 256, "epochs": 2},
    "static, batch 8,192": {"pairs": 20_480, "batch_size": 8192, "dim": 512, "epochs": 2},
    "transformer, batch 256 in chunks of 32": {"pairs": None, "batch_size": 256, "chunk": 32, "epochs": 1},
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--encoder", help="folder of the transformer; without it that setting is left out")
    options.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(_one(*given.one)))
        return
    rows = []
    for name, setting in SETTINGS.items():
        if "chunk" in setting and not given.encoder:
            continue
        planned, actual = (_in_a_process(how, name, given.encoder or "") for how in ("plan", "fit"))
        rows.append(
            [
                name,
                *(_beside(planned[key], actual[key], unit) for key, unit in _FIGURES.items()),
                f"{planned['cost']:.0f}",
            ]
        )
        print(rows[-1], file=sys.stderr, flush=True)
    print(markdown(["setting", "a step, s", "an epoch, s", "peak, MiB", "planning, s"], rows))


_FIGURES = {"step": 1.0, "epoch": 1.0, "peak": 2.0**20}


def _beside(planned: float, actual: float, unit: float) -> str:
    digits = 0 if unit > 1 else 3 if actual < 1 else 1
    return f"{planned / unit:.{digits}f}, was {actual / unit:.{digits}f} ({planned / actual - 1:+.0%})"


def _in_a_process(*cell: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.plan", "--one", *cell], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _one(how: str, name: str, encoder: str) -> dict[str, float]:
    torch.set_num_threads(1)
    setting = dict(SETTINGS[name])
    count, dim = setting.pop("pairs"), setting.pop("dim", None)
    pairs: Any = made_up(count, 20, 0) if count else _first_lines()
    made: Any = encoder if dim is None else partial(StaticTextEncoder.from_texts, dim=dim, vocabulary_size=10_000)
    start = process_time()
    if how == "plan":
        found = plan(pairs, encoder=made, clock=process_time, **setting)
        cost = process_time() - start
        return {
            "step": found.seconds_per_step,
            "epoch": found.seconds_per_epoch,
            "peak": found.peak_bytes or 0,
            "cost": cost,
        }
    return _fitted(pairs, made, setting)


def _fitted(pairs: Any, encoder: Any, setting: dict[str, Any]) -> dict[str, float]:
    steps, step = [], Task.step

    def timed(self: Task, state: Any, batch: Any) -> Any:
        start = process_time()
        entry = step(self, state, batch)
        steps.append(process_time() - start)
        return entry

    Task.step, going.perf_counter = timed, process_time  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        result = fit(pairs, encoder=encoder, out=Path(folder) / "run", progress=False, **setting)
    epoch = result.history[-1]["seconds"] / setting["epochs"]
    return {"step": float(np.mean(steps[1:])), "epoch": epoch, "peak": 1024.0 * _peak()}


def _peak() -> int:
    """KiB that the process held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _first_lines() -> list[tuple[str, str]]:
    """First lines of docstrings of the standard library with the first lines of what they document."""
    found = []
    for package in ("email", "asyncio"):
        pairs = python_pairs(str(Path(argparse.__file__).parent / package))
        rows = np.arange(len(pairs))
        for sides in zip(pairs.anchors[rows], pairs.candidates[rows], strict=True):
            found.append(tuple(text.strip().splitlines()[0][:160] for text in sides))
    return found


if __name__ == "__main__":
    main()
