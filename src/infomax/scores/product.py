"""The matrix product that the engine runs on.

On a CPU torch has two float32 products: `torch.mm` (the BLAS torch was built with) and oneDNN's inner product, reached through
`torch.ops.mkldnn._linear_pointwise`. Which is faster depends on the processor: on AMD with AVX-512 oneDNN is about twice as
fast, on Intel they are close. The rule: oneDNN is taken when its root mean square error against float64 is at most twice that
of `torch.mm` (both sum in float32, in another order) and it is at least 1.25 times as fast, both measured once a process in
some twenty milliseconds; otherwise `torch.mm`. `INFOMAX_PRODUCT=mm` or `=onednn` forces one, which a machine whose ratio lies
near 1.25 needs for results that are equal bit for bit from process to process. Other dtypes and devices use `torch.mm`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from infomax.errors import InputError

ONEDNN_FROM = 1 << 20  # multiplications; below, its set-up costs more than it saves

Product = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


def mm(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ w.T (+ bias a column); x (n, k), w (m, k), bias (m,) -> (n, m)."""
    return torch.mm(x, w.t()) if bias is None else torch.addmm(bias, x, w.t())


def onednn(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """The same product by oneDNN; float32 on the CPU only. Strided views are copied: on them it is a thousand times slower."""
    if x.shape[0] * w.shape[0] * x.shape[1] < ONEDNN_FROM:
        return mm(x, w, bias)
    x = x.contiguous()
    w = w if w.is_contiguous() or w.t().is_contiguous() else w.contiguous()
    return torch.ops.mkldnn._linear_pointwise(x, w, bias, "none", [], "")


def half_mm(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """The same product of half precisions, summed and returned in float32."""
    if bias is None and x.is_cuda and "dtype" in torch.ops.aten.mm.overloads():  # torch 2.8
        return torch.mm(x, w.t(), out_dtype=torch.float32)
    return mm(x.float(), w.float(), bias)


def turned_product(x: Tensor, w: Tensor, product: Product) -> Tensor:
    """x.T @ w; x (n, k), w (n, m) -> (k, m), contiguous. oneDNN needs a copy of one side: of x, or of w and the answer."""
    (n, k), m = x.shape, w.shape[1]
    if product is mm or n * k < (n + k) * m:
        return product(x.t(), w.t(), None)
    return product(w.t(), x.t(), None).t().contiguous()


def product_for(dtype: torch.dtype, device: torch.device) -> Product:
    """The product to use for tiles of this dtype on this device; under torch.compile, which cannot lower oneDNN's, `mm`."""
    if dtype in (torch.float16, torch.bfloat16):
        return half_mm
    eager = not torch.compiler.is_compiling()
    return _float32_cpu() if dtype == torch.float32 and device.type == "cpu" and eager else mm


@cache
def _float32_cpu() -> Product:
    forced = os.environ.get("INFOMAX_PRODUCT")
    if forced not in (None, "", "mm", "onednn"):
        raise InputError(
            f"INFOMAX_PRODUCT is {forced!r}; set it to 'mm' or 'onednn', or unset it to let infomax measure."
        )
    # glibc returns freed blocks of some megabytes to the kernel until it has seen a larger one freed (up to 32 MiB), and to
    # fault a tile's pages in again costs as much as its product.
    torch.empty(31 << 20, dtype=torch.uint8)
    if forced:
        return onednn if forced == "onednn" else mm
    return onednn if _onednn_is_better() else mm


@torch.no_grad()
def _onednn_is_better() -> bool:
    if not torch.backends.mkldnn.is_available():
        return False
    rng = torch.Generator().manual_seed(0)
    x, w = torch.randn(256, 256, generator=rng), torch.randn(1024, 256, generator=rng)
    exact = x.double() @ w.double().t()
    try:
        error = _rms(onednn(x, w) - exact)
    except (AttributeError, NotImplementedError, RuntimeError):  # private operator: absent or changed in this torch
        return False
    if error > 2 * _rms(mm(x, w) - exact):
        return False
    return 1.25 * _best_seconds(onednn, x, w) < _best_seconds(mm, x, w)


def _rms(x: Tensor) -> Tensor:
    return x.square().mean().sqrt()


def _best_seconds(product: Product, x: Tensor, w: Tensor) -> float:
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        product(x, w, None)
        best = min(best, time.perf_counter() - start)
    return best
