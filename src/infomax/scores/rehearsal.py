"""Several processes for a moment: the same function in each, joined by gloo on the CPU, and what each gives back.

They are started anew, as modules of this package, so that a script needs no `if __name__ == "__main__"`, and a notebook's
functions and lambdas may be sent. They find each other through a file: no port, no network.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import cloudpickle
from torch import distributed, set_num_threads

from infomax.errors import InfomaxError, InputError

LOOPBACK = {"linux": "lo", "darwin": "lo0"}  # what the machine is called is nobody's business here


def rehearse(act: Callable[[int], Any], processes: int, *, seconds: int | float = 120) -> list[Any]:
    """What `act(rank)` gives in each of `processes` processes, in the order of ranks.

    Raises:
        InputError: `act` cannot be sent to a process.
        InfomaxError: it failed in one of them (with its last words), or they wait for each other in vain.
    """
    try:
        sent = cloudpickle.dumps(act)
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise InputError(
            f"{act!r} cannot be sent to another process ({error}): leave open files, locks and generators out."
        ) from error
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "act").write_bytes(sent)
        children = [_start(folder, rank, processes) for rank in range(processes)]
        try:
            _wait(children, folder, seconds)
        finally:
            for child in children:
                child.kill()
                child.wait()
        results = [folder / f"result {rank}" for rank in range(processes)]
        if not all(result.exists() for result in results):
            raise InfomaxError("a process ended before its time, without a word.")
        return [cloudpickle.loads(result.read_bytes()) for result in results]


def _start(folder: Path, rank: int, processes: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    if sys.platform in LOOPBACK:
        environment["GLOO_SOCKET_IFNAME"] = LOOPBACK[sys.platform]
    with (folder / f"words {rank}").open("wb") as words:
        play = f"from {__name__} import play; play({str(folder)!r}, {rank}, {processes})"
        return subprocess.Popen([sys.executable, "-c", play], stdout=words, stderr=words, env=environment)


def _wait(children: list[subprocess.Popen[bytes]], folder: Path, seconds: int | float) -> None:
    until = inf
    while running := [child for child in children if child.poll() is None]:
        if any(child.returncode for child in children):
            break
        if until == inf and all((folder / f"here {rank}").exists() for rank in range(len(children))):
            until = monotonic() + seconds  # a busy machine is long about starting them
        if monotonic() > until:
            raise InfomaxError(
                f"{len(children)} processes did not come to an end in time: some wait for a collective that others do "
                "not call. Every process must gather the same tensors in the same order, forward and backward."
            )
        sleep(0.02)
    if any(child.returncode for child in children):
        sleep(0.2 if running else 0.0)  # who lost the others may be gone before who failed
        raise InfomaxError(f"a process failed: {_last_words(folder, len(children))}")


def _last_words(folder: Path, processes: int) -> str:
    """Of the first process that does not only complain of another's end."""
    said = [(folder / f"words {rank}").read_text(errors="replace").strip() for rank in range(processes)]
    errors = [words.splitlines()[-1] for words in said if words]
    lost = ("gloo", "LostProcess")
    return next(
        (words for words in errors if not any(name in words for name in lost)),
        errors[0] if errors else "it said nothing.",
    )


def play(name: str, rank: int, processes: int) -> None:
    """One of the processes, from its first step to its last."""
    set_num_threads(1)
    folder = Path(name)
    act = cloudpickle.loads((folder / "act").read_bytes())
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=processes, timeout=timedelta(days=1)
    )
    (folder / f"here {rank}").touch()
    result = act(rank)
    distributed.barrier()
    distributed.destroy_process_group()
    (folder / f"result {rank}").write_bytes(cloudpickle.dumps(result))
