"""PyTorch Metric Learning's losses of labelled embeddings, streamed: N embeddings cost no (N, N) matrix, and no list of pairs.

    NTXentLoss           mean over true pairs (a, p) of -log( e^{s_ap} / (e^{s_ap} + Σ_n e^{s_an}) ), n of another label
    SupConLoss           mean over anchors of the mean over p of -log( e^{s_ap} / Σ_j e^{s_aj} ), j any but a itself
    TripletMarginLoss    mean of max(0, η - s_ap + s_an) over the triplets where it is above 0

s is a cosine over the temperature; `TripletMarginLoss` takes cosines, or squared Euclidean distances of unit vectors. Values and
gradients are those of the originals with their default reducers. What other arguments would change is refused: a miner's
`indices_tuple` picks single cells, which a matrix that is never stored cannot look up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize as unit
from torch.nn.functional import softplus

from infomax.errors import InputError
from infomax.objectives import supervised_contrastive
from infomax.scores import Scores


class _LabelledLoss(nn.Module, ABC):
    """The call that these losses share. Rows without a true pair have no loss; a batch without pairs has loss 0, as theirs."""

    def forward(
        self,
        embeddings: Any,
        labels: Any = None,
        indices_tuple: Any = None,
        ref_emb: Any = None,
        ref_labels: Any = None,
    ) -> Tensor:
        """Scalar loss in nats (of `TripletMarginLoss`, in units of its scores).

        Args:
            embeddings: (N, d), scaled to unit length here.
            labels: (N,) integers.
            indices_tuple: None.
            ref_emb, ref_labels: (M, d) and (M,), the candidates; None: the embeddings themselves, none its own candidate. As in
                the original, item i is no candidate of row i either where `ref_labels` is the very tensor `labels`.

        Raises:
            InputError: shapes that do not fit, no labels, an `indices_tuple`.
        """
        if indices_tuple is not None:
            raise InputError("indices_tuple is not supported: all pairs of the labels count; leave the miner out.")
        _check(embeddings, labels, "")
        if ref_emb is None and ref_labels is not None:
            raise InputError("ref_labels without ref_emb: give both, or neither.")
        own = ref_emb is None or ref_labels is labels
        if ref_emb is not None:
            _check(ref_emb, ref_labels, "ref_")
        if not len(embeddings) or (ref_emb is not None and not len(ref_emb)):
            return embeddings.sum() * 0.0
        labels = labels.long()
        references = labels if own else ref_labels.long()
        columns = _Columns(labels, references, own)
        one_label = bool((labels == references[0]).all()) and bool((references == references[0]).all())
        if one_label or not bool(columns.true_pairs.any()):
            return embeddings.sum() * 0.0
        kept = columns.true_pairs > 0
        anchors, candidates = unit(embeddings, dim=1), unit(embeddings if ref_emb is None else ref_emb, dim=1)
        pairs: dict[str, Any] = {"positives": (labels[kept], references)}
        if own:
            items = torch.arange(len(labels), device=labels.device)
            pairs |= {"anchor_ids": items[kept], "candidate_ids": items}
        return self.of(anchors[kept], candidates, pairs, columns)

    @abstractmethod
    def of(self, anchors: Tensor, candidates: Tensor, pairs: dict[str, Any], columns: _Columns) -> Tensor:
        """The loss of unit vectors; `pairs` are arguments of `Scores`."""


class NTXentLoss(_LabelledLoss):
    """Equal to `pytorch_metric_learning.losses.NTXentLoss` (there cubic in memory for pairs of views).

    >>> NTXentLoss(temperature=0.5)(torch.eye(3).repeat(2, 1), torch.arange(3).repeat(2))
    tensor(0.4327)
    """

    def __init__(self, temperature: float = 0.07, **others: Any) -> None:
        super().__init__()
        _refuse(others)
        self.temperature = _positive("temperature", temperature)

    def of(self, anchors: Tensor, candidates: Tensor, pairs: dict[str, Any], columns: _Columns) -> Tensor:
        references = pairs["positives"][1]
        if bool((references == references[0]).all()):
            return anchors.sum() * 0.0  # rows with a positive have no negative
        scores = Scores(anchors, candidates, temperature=self.temperature, **pairs)
        over = scores.with_row_offset(-scores.logsumexp(positives="out"))
        return over.total(lambda s: softplus(-s), positives="only").sum() / columns.true_pairs.sum()


class SupConLoss(_LabelledLoss):
    """Equal to `pytorch_metric_learning.losses.SupConLoss`.

    >>> SupConLoss(temperature=1.0)(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]))  # a constant critic: log 3
    tensor(1.0986)
    """

    def __init__(self, temperature: float = 0.1, **others: Any) -> None:
        super().__init__()
        _refuse(others)
        self.temperature = _positive("temperature", temperature)

    def of(self, anchors: Tensor, candidates: Tensor, pairs: dict[str, Any], columns: _Columns) -> Tensor:  # noqa: ARG002
        scores = Scores(anchors, candidates, temperature=self.temperature, **pairs)
        return supervised_contrastive(scores.allowing_no_negatives()).mean()


class TripletMarginLoss(_LabelledLoss):
    """Equal to `pytorch_metric_learning.losses.TripletMarginLoss` with `CosineSimilarity()` or `LpDistance(power=2)`.

    Costs as many products as the most frequent label has true pairs a row. The triplets themselves, N·P·M, are never listed.

    Args:
        margin: η.
        swap, smooth_loss, triplets_per_anchor: as they stand.
        distance: "cosine", "squared" (Euclidean), or the original's object. Its default, the Euclidean distance, is refused:
            its margins are no differences of scores.

    >>> TripletMarginLoss(0.3, distance="cosine")(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]))  # a constant critic: the margin
    tensor(0.3000)
    """

    def __init__(
        self,
        margin: float = 0.05,
        swap: bool = False,
        smooth_loss: bool = False,
        triplets_per_anchor: Any = "all",
        *,
        distance: Any = None,
        **others: Any,
    ) -> None:
        super().__init__()
        _refuse(others)
        if swap or smooth_loss or triplets_per_anchor != "all":
            raise InputError("swap, smooth_loss and triplets_per_anchor must stay False, False and 'all'.")
        if not isfinite(margin):
            raise InputError(f"margin must be finite; got {margin}.")
        self.margin, self.temperature = margin, _temperature_of(distance)

    def of(self, anchors: Tensor, candidates: Tensor, pairs: dict[str, Any], columns: _Columns) -> Tensor:
        total, count = anchors.new_zeros(()), anchors.new_zeros(())
        for true, column in columns:
            rows = {name: value[true] for name, value in pairs.items() if name == "anchor_ids"}
            labels = pairs["positives"][0][true], pairs["positives"][1]
            scores = Scores(
                anchors[true], candidates, temperature=self.temperature, **(pairs | rows | {"positives": labels})
            )
            positive = (anchors[true] * candidates[column]).sum(1) / self.temperature
            excess = scores.with_row_offset(self.margin - positive)
            total = total + excess.total(torch.relu).sum()
            with torch.no_grad():
                count = count + excess.total(lambda s: (s > 0).to(s.dtype)).sum()
        return total / count.clamp(min=1)


class _Columns:
    """Where the true pairs of rows lie: `true_pairs` (N,) of each row; iterated, the first of each kept row, the second, ...

    An iteration gives, of the kept rows (those with a true pair), which have so many, and the column of each of these.
    """

    def __init__(self, labels: Tensor, references: Tensor, own: bool) -> None:
        self.own, self.order = own, references.argsort(stable=True)
        ordered = references[self.order]
        self.first = torch.searchsorted(ordered, labels)
        self.equal = torch.searchsorted(ordered, labels, right=True) - self.first
        self.true_pairs = self.equal - int(own)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rows = (self.true_pairs > 0).nonzero().squeeze(1)
        for place in range(int(self.equal.max())):
            has = self.equal[rows] > place
            column = self.order[(self.first[rows] + place).clamp(max=len(self.order) - 1)]
            if self.own:
                has &= column != rows
            if bool(has.any()):
                yield has, column[has]


def _check(embeddings: Any, labels: Any, prefix: str) -> None:
    name = f"{prefix}emb" if prefix else "embeddings"
    if not isinstance(embeddings, Tensor) or embeddings.ndim != 2 or not embeddings.is_floating_point():
        raise InputError(f"{name} must be a floating point tensor (N, d); got {type(embeddings).__name__}.")
    fits = isinstance(labels, Tensor) and labels.shape == embeddings.shape[:1] and not labels.is_floating_point()
    if not fits:
        raise InputError(
            f"{prefix}labels must be integers ({len(embeddings)},), one a row of {name}; got {_shown(labels)}."
        )


def _shown(labels: Any) -> str:
    return f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__


def _refuse(others: dict[str, Any]) -> None:
    given = sorted(name for name, value in others.items() if value is not None)
    if given:
        raise InputError(
            f"{', '.join(given)} would change what is computed and is not supported: leave it at its default."
        )


def _positive(name: str, value: float) -> float:
    if not (isfinite(value) and value > 0):
        raise InputError(f"{name} must be positive and finite; got {value}.")
    return value


def _temperature_of(distance: Any) -> float:
    """1 for cosines, 1/2 for squared distances of unit vectors, 2 - 2 cos."""
    kind = type(distance).__name__
    unit_vectors = getattr(distance, "normalize_embeddings", True)
    if distance == "cosine" or (kind == "CosineSimilarity" and getattr(distance, "power", 1) == 1):
        return 1.0
    squared = kind == "LpDistance" and (distance.p, distance.power) == (2, 2) and unit_vectors
    if distance == "squared" or squared:
        return 0.5
    raise InputError(
        f"distance must be 'cosine' or 'squared' (CosineSimilarity() or LpDistance(power=2) of the original); got "
        f"{distance if isinstance(distance, str) else kind}."
    )
