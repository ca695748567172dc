"""Does a loss learn the same from several processes as from one? `check_distributed` runs it both ways, on the CPU, and compares.

Anchors and candidates are those of two linear encoders. Each process has its part of the rows and calls the loss on it; the
gradients are averaged, as DDP does, and set beside those of one process with all rows. See `gather` for when they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn.functional import normalize as unit

from infomax.errors import InputError
from infomax.scores.gather import processes as world
from infomax.scores.rehearsal import rehearse

Gradients = dict[str, Tensor]
WIDTH = 6  # of items and of vectors
ENCODERS = ("anchors' encoder", "candidates' encoder")


@dataclass(frozen=True)
class Compared:
    """One gradient, of `processes` processes beside that of one.

    Attributes:
        parts: rows of each process.
        name: what it is the gradient of.
        error: norm of the difference over the norm of the one process's gradient (the norm itself where that is 0).
        factor: how many times the one process's gradient it is, as far as it points there.
    """

    parts: tuple[int, ...]
    name: str
    error: float
    factor: float


@dataclass(frozen=True)
class DistributedCheck:
    """What `check_distributed` found.

    Attributes:
        ok: whether all gradients agree.
        verdict: in a sentence, with what to do about it.
        compared: each gradient.
    """

    ok: bool
    verdict: str
    compared: tuple[Compared, ...]

    def __str__(self) -> str:
        lines = [self.verdict]
        for c in self.compared:
            lines.append(
                f"  rows {'+'.join(map(str, c.parts))}  {c.name:20}  error {c.error:.1e}  factor {c.factor:.4f}"
            )
        return "\n".join(lines)


def check_distributed(
    loss: Callable[[Any, Any], Any],
    *,
    processes: int = 2,
    rows: int = 6,
    parts: Sequence[Sequence[int]] | None = None,
    tolerance: float = 1e-5,
    seconds: int | float = 120,
    seed: int = 0,
) -> DistributedCheck:
    """Run a loss in several processes and in one, and compare the gradients of two encoders and of its own parameters.

    Args:
        loss: (anchors, candidates) -> a scalar, row i true with row i; unit vectors (n, 6) of float64. In several processes it
            is called in each on its own rows, and is to ask `torch.distributed` (or `Scores.gathered`, or `gather`) for the
            others. A function, or a module whose parameters are compared too. Sampling and dropout would differ by themselves.
        processes: how many, joined by gloo on this machine.
        rows: of each process.
        parts: rows of each process, one list a case; by default equal parts, and then the last process has one row less.
        tolerance: of relative errors; 1e-5 leaves room for losses that compute in float32.
        seconds: after which the processes, once started, are taken to wait for each other in vain.
        seed: of items and encoders.

    Raises:
        InputError: parts that do not fit, a loss that cannot be sent to a process, or one that gives no scalar.
        InfomaxError: the loss failed in a process, or the processes wait for each other.
    """
    if world()[1] > 1:
        raise InputError(
            "check_distributed starts processes of its own: call it from a single one, not under torchrun."
        )
    cases = [tuple(case) for case in parts or ([rows] * processes, [rows] * (processes - 1) + [rows - 1])]
    if processes < 2 or any(len(case) != processes or min(case) < 0 or sum(case) < 2 for case in cases):
        raise InputError(
            f"give 2 processes or more, and each case as many numbers of rows, 2 rows in all; got {processes}, {cases}."
        )
    return verdict(compare({"": loss}, cases, seconds=seconds, seed=seed)[""], processes, tolerance)


def compare(
    losses: Mapping[str, Callable[[Any, Any], Any]],
    cases: Sequence[tuple[int, ...]],
    *,
    seconds: int | float,
    seed: int = 0,
) -> dict[str, list[Compared]]:
    """Each loss in one process and in as many as the cases have parts; they are started once for all."""
    alone = {(name, case): gradients(loss, (sum(case),), 0, seed) for case in cases for name, loss in losses.items()}
    together = rehearse(partial(_together, dict(losses), list(cases), seed), len(cases[0]), seconds=seconds)[0]
    return {
        name: [
            Compared(case, what, *_beside(together[name, case][what], alone[name, case][what]))
            for case in cases
            for what in alone[name, case]
        ]
        for name in losses
    }


def gradients(loss: Callable[[Any, Any], Any], parts: tuple[int, ...], rank: int, seed: int) -> Gradients:
    """The gradients that one process finds from its part of the rows."""
    rng = torch.Generator().manual_seed(seed)
    rows = sum(parts)
    items = [torch.randn(rows, WIDTH, generator=rng, dtype=torch.float64) for _ in ENCODERS]
    weights = [torch.randn(WIDTH, WIDTH, generator=rng, dtype=torch.float64).requires_grad_() for _ in ENCODERS]
    own = slice(sum(parts[:rank]), sum(parts[: rank + 1]))
    value = loss(*(unit(x[own] @ w, dim=1) for x, w in zip(items, weights, strict=True)))
    if not (isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad):
        raise InputError("the loss must be a differentiable scalar of the anchors and candidates: take its mean.")
    learned = dict(zip(ENCODERS, weights, strict=True))
    if isinstance(loss, torch.nn.Module):
        learned |= {name: p for name, p in loss.named_parameters() if p.requires_grad}
    found = torch.autograd.grad(value.reshape(()), list(learned.values()), allow_unused=True)
    return {
        name: torch.zeros_like(p) if g is None else g
        for (name, p), g in zip(learned.items(), found, strict=True)
    }  # fmt: skip


def _together(
    losses: dict[str, Callable[[Any, Any], Any]], cases: list[tuple[int, ...]], seed: int, rank: int
) -> dict[tuple[str, tuple[int, ...]], Gradients]:
    found = {}
    for case in cases:
        for name, loss in losses.items():
            found[name, case] = gradients(loss, case, rank, seed)
            for gradient in found[name, case].values():
                distributed.all_reduce(gradient)
                gradient /= len(case)
    return found


def _beside(several: Tensor, one: Tensor) -> tuple[float, float]:
    scale = float(one.norm()) or 1.0
    return float((several - one).norm()) / scale, float((several * one).sum()) / scale**2


def verdict(compared: Sequence[Compared], processes: int, tolerance: float) -> DistributedCheck:
    """What the comparisons say, in words."""
    wrong = [c for c in compared if not c.error <= tolerance]
    if not wrong:
        return DistributedCheck(True, f"The gradients of {processes} processes equal those of one.", tuple(compared))
    factor = compared[0].factor
    scaled = all(abs(c.factor - factor) <= tolerance * abs(factor) for c in compared) and all(
        abs(c.error - abs(factor - 1)) <= tolerance * (1 + abs(factor)) for c in compared
    )
    names = {c.name for c in wrong}
    if scaled:
        said = f"Every gradient is {factor:.4g} times that of one process: divide the loss by {factor:.4g}."
    elif all(len(set(c.parts)) > 1 for c in wrong) and any(len(set(c.parts)) == 1 for c in compared):
        said = (
            "The gradients agree for equal parts and not for unequal ones: a mean over each process's own rows weighs "
            "processes, not rows. Take the mean over the rows of all processes."
        )
    elif "candidates' encoder" in names and "anchors' encoder" not in names:
        said = (
            "The anchors' gradient is right and the candidates' is not: candidates of other processes were gathered without "
            "gradient. Gather them by infomax.scores.gather, or take Scores.gathered."
        )
    else:
        worst = max(wrong, key=lambda c: c.error)
        said = (
            f"The gradients differ from those of one process, most that of the {worst.name} (by {worst.error:.2g} of its "
            "norm): see to it that every process computes the same loss of the rows of all, by Scores.gathered."
        )
    return DistributedCheck(False, said, tuple(compared))
