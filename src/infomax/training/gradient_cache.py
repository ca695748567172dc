"""Gradient caching: the exact gradient of a contrastive loss over a batch whose activations would never fit in memory.

A contrastive loss needs the vectors of the whole batch at once, but not the activations that made them. So the batch is
encoded chunk by chunk without a graph; the loss gives the gradient of every vector; then each chunk is encoded once
more, now with a graph, and its vectors' gradients are sent through it. The chain rule cut in two: no approximation.
It costs one forward pass of the encoder more, and memory for one chunk. Gao et al. 2021, arXiv:2101.06983.

The second pass must repeat the first, dropout and all: each chunk begins with the generators where they stood then, and is
computed under the same autocast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from infomax.errors import InfomaxError, InputError

_KINDS = ("cpu", "cuda")  # of devices that autocast here


def cached_backward(
    loss: Callable[..., Any],
    *sides: Any,
    chunk: Any,
    backward: Callable[[Tensor], Any] = Tensor.backward,
) -> Tensor:
    """Add the gradient of `loss(encoder(batch), ...)` to whatever it depends on, as `.backward()` would; give the loss.

    Equal, but for rounding, to the gradient of the whole batch encoded in these chunks with one graph. What the loss learns
    beside the vectors (a temperature, a bias) gets its gradient too. Autocast around the call holds for both passes.

    An encoder must give the vectors of a chunk whatever else is in the batch: batch normalisation sees chunks, not the batch
    (its running statistics move once a chunk). Its randomness must come from torch's generators, of the CPU or of CUDA.
    Wrapped in `DistributedDataParallel` it synchronises once, in its last chunk.

    Args:
        loss: from the vectors of every side, (n, d) each, to one number.
        sides: (encoder, batch) each. A batch is whatever can be sliced (a tensor, a list), or a tuple or mapping of such;
            the encoder is called on slices of it and gives (rows, d). One encoder may stand on several sides.
        chunk: rows that are encoded at a time.
        backward: what to do with the loss; `lambda loss: scaler.scale(loss).backward()` for a gradient scaler.

    Raises:
        InputError: sides that are no pairs, a chunk below 1, an encoder or a loss that gives something else.
        InfomaxError: an encoder gave other vectors the second time, so that the gradient would be wrong.

    >>> encoder = nn.Linear(3, 2)
    >>> x = torch.randn(8, 3)
    >>> loss = cached_backward(lambda a, b: (a - b).square().mean(), (encoder, x), (encoder, x.flip(0)), chunk=2)
    >>> encoder.weight.grad.shape
    torch.Size([2, 3])
    """
    value, vectors, runs = _first_pass(loss, sides, chunk)
    with _autocast(off=True):
        backward(value)
    _replay(runs, vectors)
    return value.detach()


def cached_loss(loss: Callable[..., Any], *sides: Any, chunk: Any) -> Tensor:
    """The loss as a tensor whose `.backward()` does what `cached_backward` does: for trainers that call it themselves.

    Call it once, before the encoders' parameters change; `.backward()` needs no autocast around it. Arguments and errors as
    `cached_backward`; a loss under `torch.no_grad()` is just its value.

    >>> encoder, x = nn.Linear(3, 2), torch.randn(8, 3)
    >>> (cached_loss(lambda a: a.square().mean(), (encoder, x), chunk=2) / 10).backward()
    >>> encoder.weight.grad.shape
    torch.Size([2, 3])
    """
    wanted = torch.is_grad_enabled()
    value, vectors, runs = _first_pass(loss, sides, chunk)
    standing = value.detach().requires_grad_(wanted and value.requires_grad)
    modes = {kind: torch.get_autocast_dtype(kind) for kind in _KINDS if torch.is_autocast_enabled(kind)}

    def replay(gradient: Tensor) -> None:
        with ExitStack() as stack, torch.enable_grad():
            for kind in _KINDS:
                stack.enter_context(torch.autocast(kind, modes.get(kind), enabled=kind in modes))
            with _autocast(off=True):
                value.backward(gradient)
            _replay(runs, vectors)

    if standing.requires_grad:
        standing.register_hook(replay)
    return standing


def _first_pass(loss: Callable[..., Any], sides: Any, chunk: Any) -> tuple[Tensor, list[Tensor], list[list[_Run]]]:
    """The loss, with a graph down to the vectors of each side, and how to encode their chunks again."""
    _check(sides, chunk)
    runs = [[_Run(encoder, piece) for piece in _cut(batch, chunk)] for encoder, batch in sides]
    with torch.no_grad(), _autocast():
        vectors = [torch.cat([run.first() for run in side]) for side in runs]
    for side in vectors:
        side.requires_grad_()
    value = loss(*vectors)
    if not isinstance(value, Tensor) or value.numel() != 1:
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"The loss must be one number, a tensor without axes, got {got}; take its mean.")
    return value, vectors, runs


@dataclass
class _Run:
    """One chunk of one side, to be encoded twice alike."""

    encoder: Any
    piece: Any
    rows: int = 0

    def first(self) -> Tensor:
        """The vectors, without a graph; how the generators stand before is kept."""
        self.devices = _devices(self.encoder)
        self.noise = torch.get_rng_state(), [torch.cuda.get_rng_state(device) for device in self.devices]
        vectors = self.encoder(self.piece)
        expected = _length(self.piece)
        if not isinstance(vectors, Tensor) or vectors.ndim != 2 or len(vectors) != expected:
            got = tuple(vectors.shape) if isinstance(vectors, Tensor) else type(vectors).__name__
            raise InputError(f"An encoder must give one vector a row, a tensor of shape ({expected}, d), got {got}.")
        self.rows = expected
        return vectors

    def again(self) -> Tensor:
        """The same vectors with a graph; the generators are put back afterwards."""
        with torch.random.fork_rng(devices=self.devices), torch.enable_grad(), _autocast():
            torch.set_rng_state(self.noise[0])
            for device, state in zip(self.devices, self.noise[1], strict=True):
                torch.cuda.set_rng_state(state, device)
            return self.encoder(self.piece)


def _replay(runs: list[list[_Run]], vectors: list[Tensor]) -> None:
    """Send the vectors' gradients through their encoders, chunk by chunk."""
    parts = [
        (run, vector, gradient)
        for side, whole in zip(runs, vectors, strict=True)
        if whole.grad is not None
        for run, vector, gradient in zip(side, *_split(side, whole), strict=True)
    ]
    last = {id(run.encoder): place for place, (run, _, _) in enumerate(parts)}
    with _buffers_kept(run.encoder for run, _, _ in parts):
        for place, (run, vector, gradient) in enumerate(parts):
            quiet = None if last[id(run.encoder)] == place else getattr(run.encoder, "no_sync", None)
            with quiet() if quiet else nullcontext():
                again = run.again()
                _same(again.detach(), vector)
                if again.requires_grad:
                    with _autocast(off=True):
                        again.backward(gradient)


def _split(side: list[_Run], whole: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    sizes = [run.rows for run in side]
    assert whole.grad is not None
    return whole.detach().split(sizes), whole.grad.split(sizes)


def _same(again: Tensor, before: Tensor) -> None:
    """Raises:
    InfomaxError: they differ by more than rounding.
    """
    allowed = torch.finfo(before.dtype).eps ** 0.5 * before.abs().amax()
    if again.shape != before.shape or bool((again - before).abs().amax() > allowed):
        raise InfomaxError(
            "An encoder gave other vectors when its chunk was encoded again, so the gradient would be wrong: its randomness "
            "must come from torch's generators, and a forward pass must not change what the next one gives."
        )


@contextmanager
def _autocast(*, off: bool = False) -> Iterator[None]:
    """The surrounding autocast, or none, without its cache: weights cast without a graph would cut the next pass off."""
    with ExitStack() as stack:
        for kind in _KINDS:
            if torch.is_autocast_enabled(kind):
                dtype = torch.get_autocast_dtype(kind)
                stack.enter_context(torch.autocast(kind, dtype, enabled=not off, cache_enabled=False))
        yield


@contextmanager
def _buffers_kept(encoders: Iterator[Any]) -> Iterator[None]:
    """Running statistics move in the first pass and not again in the second."""
    distinct = {id(encoder): encoder for encoder in encoders if isinstance(encoder, nn.Module)}.values()
    buffers = [buffer for encoder in distinct for buffer in encoder.buffers()]
    kept = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, kept, strict=True):
                buffer.copy_(value)


def _devices(encoder: Any) -> list[torch.device]:
    """CUDA devices whose generators the encoder may draw from."""
    held = [*encoder.parameters(), *encoder.buffers()] if isinstance(encoder, nn.Module) else []
    found = {tensor.device for tensor in held if tensor.device.type == "cuda"}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found.add(torch.device("cuda", torch.cuda.current_device()))
    return sorted(found, key=lambda device: device.index)


def _check(sides: Any, chunk: Any) -> None:
    if not isinstance(chunk, int) or chunk < 1:
        raise InputError(
            f"chunk must be a whole number of at least 1, the rows that are encoded at a time, got {chunk!r}."
        )
    if not sides or not all(isinstance(side, tuple) and len(side) == 2 and callable(side[0]) for side in sides):
        raise InputError("Each side must be a tuple (encoder, batch), such as (model, questions), (model, answers).")
    for _, batch in sides:
        if _length(batch) == 0:
            raise InputError("A batch without rows has no loss; leave it out.")


def _length(batch: Any) -> int:
    parts = list(batch.values()) if isinstance(batch, Mapping) else batch if isinstance(batch, tuple) else [batch]
    sizes = {len(part) for part in parts}
    if len(sizes) != 1:
        raise InputError(f"The parts of a batch must be of one length, got lengths {sorted(sizes)}.")
    return sizes.pop()


def _cut(batch: Any, chunk: int) -> Iterator[Any]:
    """Slices of `chunk` rows."""
    for start in range(0, _length(batch), chunk):
        rows = slice(start, start + chunk)
        if isinstance(batch, Mapping):
            yield {name: part[rows] for name, part in batch.items()}
        elif isinstance(batch, tuple):
            yield tuple(part[rows] for part in batch)
        else:
            yield batch[rows]
