"""One run in several processes, as `torchrun` starts them: what they do together.

Every process holds the whole learner and optimizer and knows all pairs; of each batch it encodes its part. `scores.gather` lets
each compute the loss of the whole batch, and the mean of their gradients is the gradient of one process. So they stay equal to
the last bit, a checkpoint is that of any of them, and a run may go on with another number of processes. The first process
alone reads and writes the run folder; what depends on a clock or a signal is agreed upon.

In a single process every function here is without effect.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import cloudpickle
import numpy as np
import torch
from torch import Tensor, distributed, nn

from infomax.errors import InfomaxError, InputError
from infomax.scores.gather import gather, processes, together
from infomax.scores.shared_rows import share

T = TypeVar("T")
NO_GRADIENT, DENSE, SPARSE = range(3)


def launched() -> bool:
    """Whether `torchrun` started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and {"RANK", "MASTER_ADDR", "MASTER_PORT"} <= set(os.environ)


@contextmanager
def joined(device: Any = None) -> Iterator[None]:
    """torch.distributed for the time of a run, where `torchrun` started this process and nobody has initialised it yet.

    Tensors on the CPU travel by gloo, those on CUDA by nccl; the process then takes the GPU of its local rank.
    """
    if not launched() or distributed.is_initialized():
        yield
        return
    if _on_cuda(device):
        torch.cuda.set_device(own_device(device))
    distributed.init_process_group()
    try:
        yield
    finally:
        distributed.destroy_process_group()


def own_device(device: Any) -> Any:
    """The device as it was named; "cuda" alone is the GPU of this process's local rank."""
    if _on_cuda(device) and torch.device(device).index is None and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def _on_cuda(device: Any) -> bool:
    return str(device).partition(":")[0] == "cuda"


def is_first() -> bool:
    """Whether this is the process that writes."""
    return processes()[0] == 0


def own_part(rows: np.ndarray) -> np.ndarray:
    """This process's part of the rows, in their order; parts differ by one row at most."""
    return rows[share(len(rows), *processes())]


def from_first(find: Callable[[], T]) -> T:
    """What `find()` gives, or raises, in the first process; the others do not call it."""
    if processes()[1] == 1:
        return find()
    told: list[Any] = [None]
    if is_first():
        try:
            told = [cloudpickle.dumps((find(), None))]
        except InfomaxError as refusal:
            told = [cloudpickle.dumps((None, refusal))]
    with together():
        distributed.broadcast_object_list(told)
    value, error = cloudpickle.loads(told[0])
    if error is not None:
        raise error
    return value


def any_of_all(flag: bool) -> bool:
    """Whether the flag is up in any process."""
    return flag if processes()[1] == 1 else bool(gather(torch.tensor([flag])).any())


def refuse_differing(what: str, value: Any) -> None:
    """Raises:
    InputError: `value` is another one in the first process.
    """
    if any_of_all(from_first(lambda: value) != value):
        raise InputError(f"The processes do not have the same {what}: give each the same files and arguments.")


def spread(learner: nn.Module) -> None:
    """Give every process the parameters and buffers of the first."""
    if processes()[1] > 1:
        _broadcast(learner.state_dict().values())


def spread_buffers(learner: nn.Module) -> None:
    """Give every process the buffers of the first: running statistics are of the part that a process has seen."""
    if processes()[1] > 1:
        _broadcast(learner.buffers())


@torch.no_grad()
def _broadcast(tensors: Iterable[Tensor]) -> None:
    with together():
        for tensor in tensors:
            distributed.broadcast(tensor, 0)


def part_generators(seed: int, step: int) -> None:
    """Let torch's generators go their own way in every process but the first: noise is not to repeat from part to part."""
    if not is_first():
        torch.manual_seed(int(np.random.default_rng([seed, step, processes()[0]]).integers(2**63)))


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Put the mean over processes in the place of each gradient.

    Dense gradients travel in one piece; of a sparse one the rows that any process touched. A gradient that a process lacks is 0.
    """
    size = processes()[1]
    learned = [p for p in parameters if p.requires_grad]
    if size == 1 or not learned:
        return
    kinds = torch.tensor([_kind(p) for p in learned], device=learned[0].device)
    _reduce(kinds, distributed.ReduceOp.MAX)
    of_kind = {k: [p for p, kind in zip(learned, kinds.tolist(), strict=True) if kind == k] for k in (DENSE, SPARSE)}
    for p in of_kind[SPARSE]:
        p.grad = _mean_of_rows(p, size)
    for dtype in sorted({p.dtype for p in of_kind[DENSE]}, key=str):
        _average_dense([p for p in of_kind[DENSE] if p.dtype == dtype], size)


def _kind(p: Tensor) -> int:
    return NO_GRADIENT if p.grad is None else SPARSE if p.grad.is_sparse else DENSE


def _average_dense(parameters: list[Tensor], size: int) -> None:
    given = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([gradient.reshape(-1) for gradient in given])
    _reduce(flat, distributed.ReduceOp.SUM)
    flat /= size
    for p, mean in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        p.grad = mean.view_as(p)


def _mean_of_rows(p: Tensor, size: int) -> Tensor:
    """The rows of all, those that several processes touched added up."""
    rows, values = torch.empty(0, dtype=torch.int64, device=p.device), p.new_empty(0, *p.shape[1:])
    if p.grad is not None:
        own = p.grad.coalesce()
        rows, values = own.indices()[0], own.values()
    rows, values = gather(rows), gather(values) / size
    return torch.sparse_coo_tensor(rows.unsqueeze(0), values, p.shape, check_invariants=False).coalesce()


def _reduce(tensor: Tensor, how: Any) -> None:
    with together():
        distributed.all_reduce(tensor, how)
