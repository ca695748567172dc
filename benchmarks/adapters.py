"""Adapters beside the losses that they stand in for: relative error of the value, largest of the gradient over its largest entry.

    .venv-bench/bin/python -m benchmarks.adapters --into docs/guides/adapters.md

Float64, 48 rows of 16 numbers, 6 labels; the originals as their packages ship them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize as unit

from benchmarks.bare import bare_package
from benchmarks.table import markdown, put_into
from infomax.adapters import lightly, metric_learning, open_clip
from infomax.adapters.sentence_transformers import ObjectiveLoss
from infomax.objectives import info_nce

N, WIDTH = 48, 16
Case = tuple[str, str, Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]


def cases() -> Iterator[Case]:
    """(package, what, original, adapter), each of two sides (N, d)."""
    from pytorch_metric_learning import distances, losses

    from benchmarks.rivals.lightly_ntxent import NTXentLoss

    bare_package("open_clip")
    originals = import_module("open_clip.loss")

    labels, scale, bias = torch.arange(N) % 6, torch.tensor(14.0).double(), torch.tensor(-5.0).double()
    for name in ("ClipLoss", "SigLipLoss"):
        original, adapter = getattr(originals, name)(), getattr(open_clip, name)()
        yield (
            "open_clip_torch",
            name,
            *(lambda a, b, loss=loss: loss(a, b, scale, bias) for loss in (original, adapter)),
        )
    yield "lightly", "NTXentLoss", NTXentLoss(0.3), lightly.NTXentLoss(0.3)
    given: dict[str, dict[str, Any]] = {"NTXentLoss": {"temperature": 0.2}, "SupConLoss": {"temperature": 0.2}}
    for name, options in given.items():
        pair = (getattr(room, name)(**options) for room in (losses, metric_learning))
        yield "pytorch-metric-learning", name, *(lambda a, b, loss=loss: _labelled(loss, a, b, labels) for loss in pair)
    for distance in (distances.CosineSimilarity(), distances.LpDistance(power=2)):
        pair = (room.TripletMarginLoss(0.1, distance=distance) for room in (losses, metric_learning))
        what = f"TripletMarginLoss, {type(distance).__name__}"
        yield "pytorch-metric-learning", what, *(lambda a, b, loss=loss: _labelled(loss, a, b, labels) for loss in pair)
    yield from _sentence_transformers()


def _labelled(loss: Any, a: Tensor, b: Tensor, labels: Tensor) -> Tensor:
    """Of all 2N as their own references, and of one side with the other as references."""
    total: Tensor = loss(torch.cat([a, b]), labels.repeat(2)) + loss(a, labels, ref_emb=b, ref_labels=labels.flip(0))
    return total


def _sentence_transformers() -> Iterator[Case]:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    model = torch.nn.Identity()

    def of(loss: Any) -> Callable[[Tensor, Tensor], Tensor]:
        if isinstance(loss, ObjectiveLoss):
            return lambda a, b: loss([{"sentence_embedding": a}, {"sentence_embedding": b}])
        return lambda a, b: loss.compute_loss_from_embeddings([a, b], None)

    symmetric = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
    for what, theirs, ours in (
        ("MultipleNegativesRankingLoss", {}, info_nce),
        ("MultipleNegativesRankingLoss, symmetric", symmetric, partial(info_nce, symmetric=True)),
    ):
        originals = MultipleNegativesRankingLoss(model, **theirs)  # type: ignore[arg-type]
        yield "sentence-transformers", what, of(originals), of(ObjectiveLoss(model, ours))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path)
    into = parser.parse_args().into
    draws = torch.randn(2, N, WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lines = []
    for package, what, original, adapter in cases():
        sides = [unit(x, dim=1).requires_grad_() for x in draws]
        found, expected = adapter(*sides), original(*sides)
        pairs = zip(torch.autograd.grad(found, sides), torch.autograd.grad(expected, sides), strict=True)
        worst = max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)
        error = abs(float((found - expected).detach())) / abs(float(expected.detach()))
        lines.append(
            [f"{package} {version(package)}: {what}", f"{float(expected.detach()):.6f}", f"{error:.0e}", f"{worst:.0e}"]
        )
    text = markdown(["original", "value", "error of the value", "of the gradient"], lines)
    print(text)
    if into:
        put_into(into, "adapters", text)


if __name__ == "__main__":
    main()
