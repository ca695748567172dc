"""`SampledLinear`: a huge output layer, trained on a few sampled classes, read exactly.

Training scores a target against k classes drawn from noise and touches only the rows it drew (sparse gradients); reading
(log-probabilities, perplexity, the normaliser, the best classes) streams over all classes without the matrix of logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from infomax.candidates import Sampler, Uniform
from infomax.errors import InputError
from infomax.objectives import binary_nce, noise_scores, ranking_nce
from infomax.scores import Scores

OBJECTIVES = {"ranking": ranking_nce, "nce": binary_nce}


@dataclass(frozen=True)
class ExactReading:
    """What a model says of held-out targets, every class counted. In nats.

    Attributes:
        cross_entropy: mean -log p(target | context), exactly normalised.
        perplexity: its exponential.
        log_normaliser, log_normaliser_spread: mean and standard deviation of log Z(context) over the contexts: near 0 and 0
            where the model normalises itself.
        n: targets.
    """

    cross_entropy: float
    perplexity: float
    log_normaliser: float
    log_normaliser_spread: float
    n: int


class SampledLinear(nn.Module):
    """`nn.Linear(d, V)` with a sampled loss: same parameters, same `state_dict`, same `forward`.

    Args:
        in_features, out_features: d and V.
        noise: sampler of classes; by default uniform. `Unigram(counts, 0.75)` suits words.
        draws: k, shared by all contexts of a batch.
        objective: "ranking" (sampled softmax; consistent whatever the normaliser) or "nce" (binary; with the model's
            normaliser held at exp(`log_normaliser`), so that scores are log-probabilities).
        log_normaliser: of "nce"; a number.
        bias: as in `nn.Linear`.
        sparse: gradients of weight and bias hold only the rows of the batch, for an optimiser that takes them
            (`infomax.training.LazyAdam`, `torch.optim.SparseAdam`). A tied embedding should then be sparse too.
        seed: of the draws, whose generator is `rng`: save `rng.get_state()` beside the parameters to resume them.

    >>> torch.manual_seed(0)  # doctest: +ELLIPSIS
    <torch...>
    >>> layer = SampledLinear(8, 1000, draws=50)
    >>> layer.loss(torch.randn(4, 8), torch.tensor([1, 2, 3, 4])).shape
    torch.Size([])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        noise: Sampler | None = None,
        draws: int = 1024,
        objective: str = "ranking",
        log_normaliser: int | float = 0.0,
        bias: bool = True,
        sparse: bool = True,
        seed: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if objective not in OBJECTIVES:
            raise InputError(f"objective must be one of {', '.join(map(repr, OBJECTIVES))}; got {objective!r}.")
        noise = Uniform(out_features) if noise is None else noise
        if noise.classes != out_features:
            raise InputError(f"the noise has {noise.classes} classes, the layer {out_features}: they must be the same.")
        if not 1 <= draws:
            raise InputError(f"draws must be at least 1; got {draws}.")
        like = nn.Linear(in_features, out_features, bias=bias, device=device, dtype=dtype)
        self.weight, self.bias = like.weight, like.bias
        self.in_features, self.out_features = in_features, out_features
        self.noise, self.draws, self.objective, self.sparse = noise, draws, objective, sparse
        self.log_normaliser_held = float(log_normaliser)
        self.rng = torch.Generator().manual_seed(seed)

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., V) logits, as `nn.Linear` gives them: for a few contexts."""
        return torch.nn.functional.linear(hidden, self.weight, self.bias)

    def loss(
        self,
        hidden: Any,
        targets: Any,
        *,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """The sampled loss, in nats, with the keywords of `torch.nn.functional.cross_entropy`.

        Args:
            hidden: (..., d) contexts.
            targets: (...) int64 classes; `ignore_index` leaves one out.
            weight: (V,) of the classes; the mean is weighted by them, as in torch.
            reduction: "mean", "sum" or "none" (shape of targets; 0 where ignored).
            label_smoothing: refused unless 0: a smoothed target has mass on classes that were not drawn.

        Raises:
            InputError: shapes or classes out of range, or nothing left after `ignore_index`.
        """
        if label_smoothing:
            raise InputError(
                "label_smoothing puts mass on classes that a sampled loss does not draw: use 0 here, or exact_loss."
            )
        return self._reduced(self._sampled, hidden, targets, weight, ignore_index, reduction)

    def exact_loss(
        self,
        hidden: Any,
        targets: Any,
        *,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """Cross-entropy over all classes, streamed: equal to torch's on the matrix of logits, without the matrix."""
        if not 0 <= label_smoothing < 1:
            raise InputError(f"label_smoothing must lie in [0, 1); got {label_smoothing}.")

        def exact(h: Tensor, y: Tensor) -> Tensor:
            losses = self._scores(h, y).cross_entropy(eager=reduction != "none" and weight is None)
            if not label_smoothing:
                return losses
            centre = self.weight.mean(0)  # the mean logit of all classes is <h, mean weight> + mean bias
            mean_logit = h @ centre + (0.0 if self.bias is None else self.bias.mean())
            log_normaliser = losses + self._scores(h, y).positive()
            return (1 - label_smoothing) * losses + label_smoothing * (log_normaliser - mean_logit)

        if label_smoothing and weight is not None:
            raise InputError("label_smoothing with class weights is not offered: leave one out.")
        return self._reduced(exact, hidden, targets, weight, ignore_index, reduction)

    def log_prob(self, hidden: Any, targets: Any) -> Tensor:
        """(...) exact log p(target | context), in nats, streamed over the classes."""
        return -self.exact_loss(hidden, targets, reduction="none")

    @torch.no_grad()
    def read(self, hidden: Any, targets: Any, *, ignore_index: int = -100) -> ExactReading:
        """Exact perplexity and how far the model normalises itself, every class counted, in memory of a few tiles."""
        h, y, _ = self._flat(hidden, targets, ignore_index)
        scores = self._scores(h, y)
        log_z = scores.logsumexp().double()
        nats = float((log_z - scores.positive().double()).mean())
        spread = float(log_z.std(correction=0))
        return ExactReading(nats, exp(min(nats, 700.0)), float(log_z.mean()), spread, len(y))

    def log_normaliser(self, hidden: Tensor) -> Tensor:
        """(...) log Σ exp over all classes of the logits, in nats, streamed."""
        h = hidden.reshape(-1, self.in_features)
        scores = Scores(h, self.weight, column_offset=self.bias, positives=torch.zeros_like(h[:, 0], dtype=torch.int64))
        return scores.logsumexp().reshape(hidden.shape[:-1])

    @torch.no_grad()
    def topk(self, hidden: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """((..., k) log-probabilities, (..., k) classes), best first, streamed."""
        if not 1 <= k <= self.out_features:
            raise InputError(f"k must lie from 1 to the {self.out_features} classes; got {k}.")
        h = hidden.reshape(-1, self.in_features)
        apart = Scores(h, self.weight, column_offset=self.bias, positives=torch.zeros_like(h))  # all columns are asked
        logits, classes = apart.hardest(k)
        shape = (*hidden.shape[:-1], k)
        return (logits - self.log_normaliser(h).unsqueeze(1)).reshape(shape), classes.reshape(shape)

    def _scores(self, h: Tensor, y: Tensor) -> Scores:
        return Scores(h, self.weight, column_offset=self.bias, positives=y)

    def _sampled(self, h: Tensor, y: Tensor) -> Tensor:
        drawn = self.noise.draw(self.draws, self.rng)
        ids = drawn.ids.to(h.device)
        targets, noise = self._rows(y), self._rows(ids)
        scores = noise_scores(
            h, targets[0], noise[0], drawn, log_expected=self.noise.log_expected(y, self.draws), targets=y,
            positive_bias=targets[1], noise_bias=noise[1],
            log_normaliser=self.log_normaliser_held if self.objective == "nce" else None,
        )  # fmt: skip
        return OBJECTIVES[self.objective](scores)

    def _rows(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """The output vectors and biases of some classes; their gradients touch these rows alone where `sparse`."""
        vectors = embedding(ids, self.weight, sparse=self.sparse)
        return vectors, None if self.bias is None else self.bias.gather(0, ids, sparse_grad=self.sparse)

    def _reduced(
        self, losses_of: Any, hidden: Any, targets: Any, weight: Any, ignore_index: int, reduction: str
    ) -> Tensor:
        if reduction not in ("mean", "sum", "none"):
            raise InputError(f"reduction must be 'mean', 'sum' or 'none'; got {reduction!r}.")
        h, y, kept = self._flat(hidden, targets, ignore_index)
        losses = losses_of(h, y)
        weights = None if weight is None else self._class_weights(weight)[y].to(losses.dtype)
        if weights is not None:
            losses = losses * weights
        if reduction == "none":
            return losses.new_zeros(kept.numel()).masked_scatter(kept.flatten(), losses).reshape(kept.shape)
        if reduction == "sum":
            return losses.sum()
        return losses.mean() if weights is None else losses.sum() / weights.sum()

    def _flat(self, hidden: Any, targets: Any, ignore_index: int) -> tuple[Tensor, Tensor, Tensor]:
        """(n, d) contexts and (n,) targets that count, and which those are, in the shape of targets."""
        if not isinstance(hidden, Tensor) or hidden.ndim < 1 or hidden.shape[-1] != self.in_features:
            came = tuple(hidden.shape) if isinstance(hidden, Tensor) else type(hidden).__name__
            raise InputError(f"hidden must be a tensor (..., {self.in_features}); got {came}.")
        if not isinstance(targets, Tensor) or targets.is_floating_point() or targets.shape != hidden.shape[:-1]:
            came = f"{targets.dtype} {tuple(targets.shape)}" if isinstance(targets, Tensor) else type(targets).__name__
            raise InputError(f"targets must be an integer tensor {tuple(hidden.shape[:-1])}; got {came}.")
        kept = targets != ignore_index
        y = targets[kept].long()
        if not len(y):
            raise InputError("no target is left: all are ignore_index, or there are none.")
        if int(y.min()) < 0 or int(y.max()) >= self.out_features:
            raise InputError(
                f"targets must lie from 0 to {self.out_features - 1}; got {int(y.min())} to {int(y.max())}."
            )
        return hidden[kept], y, kept

    def _class_weights(self, weight: Any) -> Tensor:
        if not isinstance(weight, Tensor) or weight.shape != (self.out_features,):
            raise InputError(f"weight must be a tensor ({self.out_features},), a number a class.")
        return weight.to(self.weight.device)

    def extra_repr(self) -> str:
        shape = f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        return f"{shape}, draws={self.draws}, objective={self.objective!r}, noise={type(self.noise).__name__}"
