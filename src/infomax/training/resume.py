"""A run as a tree for a checkpoint, and a checkpoint back into a run.

Resumed under the same settings, on the same pairs, a run ends bit for bit as if it had never stopped; under any others
it would be neither the old run nor a new one, so it is refused.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from infomax.errors import InputError
from infomax.scores.gather import processes
from infomax.scores.product import product_for
from infomax.training.going import check_parameters
from infomax.training.settings import differences
from infomax.training.state import State


def footing() -> dict[str, Any]:
    """What the last bits of a sum rest on, beside its numbers."""
    product = product_for(torch.float32, torch.device("cpu")).__name__
    threads = torch.get_num_threads()
    return {"torch": torch.__version__, "threads": threads, "product": product, "processes": processes()[1]}


def changed_footing(tree: dict[str, Any]) -> list[str]:
    """A warning if a checkpoint is resumed where sums may round otherwise; else nothing."""
    there, here = {"processes": 1} | tree["footing"], footing()
    changed = [f"{name} was {there[name]}, is {here[name]}" for name in here if there[name] != here[name]]
    if not changed:
        return []
    return [f"Resumed on another footing ({'; '.join(changed)}): the last digits may differ from an unbroken run's."]


def signature(learner: nn.Module) -> list[list[Any]]:
    """Name, shape and type of all that is learned: what must agree for a checkpoint to fit."""
    return [[name, list(t.shape), str(t.dtype)] for name, t in learner.state_dict().items()]


def snapshot(task: Any, state: State, data: str, **more: Any) -> dict[str, Any]:
    """All that a resumed run needs: `task` (a `going.Work`), its state, the fingerprint of its data, and `more`.

    Raises:
        InfomaxError: a parameter is no longer finite.
    """
    check_parameters(task, state)
    return {
        "footing": footing(),
        "settings": task.settings.to_dict(),
        "data": data,
        "signature": signature(task.learner),
        "learner": task.learner.state_dict(),
        "optimizer": task.optimizer.state_dict(),
        "state": state.to_dict(),
        "generator": torch.get_rng_state(),
        "cuda_generators": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        **more,
    }


def same_settings(tree: dict[str, Any], settings: Any) -> None:
    """Refuse a checkpoint of other settings.

    Raises:
        InputError: each setting that differs, with its value in the run and the value asked for.
    """
    if changed := differences(tree["settings"], settings.to_dict()):
        raise InputError(f"The checkpoint is of other settings ({changed}); resume with those it had, or start anew.")


def restore(tree: dict[str, Any], task: Any, data: str, *, of: str = "pairs", to: str = "encoder") -> dict[str, Any]:
    """Put learner, optimizer and torch's generator where the checkpoint left them; the fields of its state.

    Args:
        of, to: what is learned from, and what is learned, in words.

    Raises:
        InputError: the checkpoint is of other data or another model.
    """
    if tree["data"] != data:
        raise InputError(
            f"The checkpoint was made on other {of} (or in another order); resume with those, or start anew."
        )
    if tree["signature"] != signature(task.learner):
        raise InputError(
            f"The checkpoint is of another {to} (its parameters differ in name or shape); resume with that."
        )
    task.learner.load_state_dict(tree["learner"])
    task.optimizer.load_state_dict(tree["optimizer"])
    torch.set_rng_state(tree["generator"])
    if tree["cuda_generators"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(tree["cuda_generators"])
    return dict(tree["state"])
