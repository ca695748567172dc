"""The rows of all processes, by a gather that autograd understands: its gradient is the sum of what all processes ask of a row.

Let k processes hold equal parameters θ and some rows of a batch each, gather all rows, and compute the same loss L of them.
The backward pass of process r then finds the derivative of the *sum* of all their losses, k·L, by its own copy θ_r; the mean
over r, which DDP takes, is

    (1/k) Σ_r ∂(k·L)/∂θ_r = dL/dθ

the gradient of one process that has the whole batch: for any loss, temperature and bias included, however many rows each
process has, with no factor to get wrong. A gather without gradient, or with that of the own rows only, has no such law.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed

from infomax.errors import InputError, LostProcess
from infomax.scores.checks import wide
from infomax.scores.first_derivative import first_derivative

KINDS = (
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
)  # fmt: skip
AXES = 4  # at most, of what is gathered
FOREIGN = -1  # the kind of what cannot be


def processes() -> tuple[int, int]:
    """(rank, world size) of this process; (0, 1) where torch.distributed is not initialised."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


@contextmanager
def together() -> Iterator[None]:
    """Around a collective: what it says where another process is gone, in words.

    Raises:
        LostProcess: the collective failed.
    """
    try:
        yield
    except RuntimeError as error:
        rank, size = processes()
        why = str(error).splitlines()[0].rpartition("] ")[2].split(". ")[0]
        raise LostProcess(
            f"Another of the {size} processes ended or cannot be reached ({why}), so process {rank} stops too."
        ) from error


def gather(x: Tensor) -> Tensor:
    """(n, …) rows of this process -> (Σ n, …) the rows of all, in the order of ranks; `x` itself in a single process.

    Every process must call it, be it with no rows, and must let the same gradients be taken of what it returns.

    Raises:
        InputError: rows of another type or shape on another process; on all of them.

    >>> gather(torch.arange(3))
    tensor([0, 1, 2])
    """
    return gathered({"the rows": x})[0]["the rows"]


def gathered(parts: Mapping[str, Tensor | None]) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The rows of all processes under each name, and how many are whose; None and no rows where none has any."""
    if processes()[1] == 1:
        return dict(parts), {name: [] if x is None else [len(x)] for name, x in parts.items()}
    given = {name: x for name, x in parts.items() if x is not None}
    device = next((x.device for x in given.values() if isinstance(x, Tensor)), torch.device("cpu"))
    table = torch.tensor([_told(parts[name]) for name in parts], device=device)
    tables = torch.stack(join(table, [len(table)] * processes()[1]).split(len(table))).cpu()
    whole: dict[str, Any] = {}
    sizes: dict[str, list[int]] = {}
    for name, told in zip(parts, tables.unbind(1), strict=True):
        _alike(name, told[:, 2:])
        x, sizes[name] = parts[name], told[:, 0].tolist() if name in given else []
        if x is not None and bool(told[:, 1].any()) and not x.requires_grad:
            x = x.detach().requires_grad_()  # another process will ask for its gradient
        whole[name] = None if x is None else join(x, sizes[name])
    return whole, sizes


def join(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """(sizes[rank], …) of this process -> (Σ sizes, …); differentiable."""
    return Join.apply(x, tuple(sizes))


class Join(torch.autograd.Function):
    """All processes' rows; backward: this process's rows of the sum over processes of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        ctx.sizes = sizes
        longest = max(sizes)
        padded = torch.cat([x.detach(), x.new_zeros(longest - len(x), *x.shape[1:])])  # what all send is of one size
        parts = [torch.empty_like(padded) for _ in sizes]
        with together():
            distributed.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    @first_derivative
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.to(wide(gradient.dtype), copy=True).contiguous()
        with together():
            distributed.all_reduce(total)
        rank = processes()[0]
        return total.split(ctx.sizes)[rank].to(gradient.dtype), None


def _told(x: Tensor | None) -> list[int]:
    """What the others must know of a part: its rows, whether it has a gradient, and then what must be alike."""
    if x is None:
        return [0] * (4 + AXES)
    if not isinstance(x, Tensor) or x.dtype not in KINDS or not 1 <= x.ndim <= AXES:
        return [0, 0, FOREIGN, *[0] * (1 + AXES)]  # refused once all know it
    wanted = x.requires_grad and torch.is_grad_enabled()
    return [len(x), wanted, 1 + KINDS.index(x.dtype), x.ndim, *x.shape[1:], *[0] * (1 + AXES - x.ndim)]


def _alike(name: str, told: Tensor) -> None:
    foreign = (told[:, 0] == FOREIGN).nonzero()
    if len(foreign):
        raise InputError(
            f"{name} must be a tensor of numbers with 1 to {AXES} axes to be gathered; on process {int(foreign[0])} it is none."
        )
    other = (told != told[0]).any(1).nonzero()
    if len(other):
        rank = int(other[0])
        raise InputError(
            f"{name} must be of one kind on all processes; got {_words(told[0])} on process 0 and {_words(told[rank])} "
            f"on process {rank}."
        )


def _words(told: Tensor) -> str:
    kind, axes, *shape = told.tolist()
    if not kind:
        return "none"
    return f"{KINDS[kind - 1]} ({', '.join(['n', *map(str, shape[: axes - 1])])})"
