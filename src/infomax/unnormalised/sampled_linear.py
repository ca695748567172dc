"""`SampledLinear`: a huge output layer, trained on a few sampled classes, read exactly.

Training scores a target against k classes drawn from noise and touches only the rows it drew (sparse gradients); reading
(log-probabilities, perplexity, the normaliser, the best classes) streams over all classes without the matrix of logits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from infomax.candidates import Drawn, NGram, Sampler, Uniform
from infomax.candidates.checks import draw_count
from infomax.errors import InputError
from infomax.objectives import binary_nce, negative_sampling, noise_scores, ranking_nce
from infomax.scores import Scores
from infomax.scores.checks import one_of, wide
from infomax.unnormalised.counted import Counted, check_reduction, class_weights
from infomax.unnormalised.exact_reading import ExactReading, exact_cross_entropy, exact_reading
from infomax.unnormalised.half_rows import HalfRows
from infomax.unnormalised.model_normaliser import ModelNormaliser

SAMPLED = {"ranking": ranking_nce, "nce": binary_nce, "negative-sampling": negative_sampling}
OBJECTIVES = (*SAMPLED, "mle")


class SampledLinear(nn.Linear):
    """`nn.Linear(d, V)` with a sampled loss: same parameters, same `state_dict`, same `forward` (for a few contexts).

    Args:
        in_features, out_features: d and V.
        noise: sampler of classes, by default uniform; `Unigram(counts, 0.75)` suits words. An `NGram` draws for each context
            from what it looks back on: give `contexts` to `loss`.
        draws: k, the draws of a batch, or of a context where they are not shared.
        objective: "ranking" (sampled softmax; consistent whatever the normaliser), "nce" (binary; scores less
            `log_normaliser` are log-probabilities), "negative-sampling" (word2vec's: its scores are no log-probabilities) or
            "mle" (`exact_loss`: all classes, no noise).
        log_normaliser: of "nce": a number that the model's normaliser is held at, "learned" (one parameter) or "context"
            (c(h), linear in h).
        shared: one set of draws for all contexts of a batch, or each context its own; n-gram noise is always its own.
        bias: as in `nn.Linear`.
        sparse: gradients of weight and bias hold only the rows of the batch, for an optimiser that takes them
            (`infomax.training.LazyAdam`, `torch.optim.SparseAdam`). A tied embedding should then be sparse too.
        seed: of the draws, whose generator is `rng`: save `rng.get_state()` beside the parameters to resume them.

    Its state is that of `nn.Linear`, to which a learned normaliser adds `normaliser.bias` and `normaliser.weight`; a state
    that lacks them loads all the same.

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
        noise: Any = None,
        draws: Any = 1024,
        objective: Any = "ranking",
        log_normaliser: Any = 0.0,
        shared: bool = True,
        bias: bool = True,
        sparse: bool = True,
        seed: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        one_of("objective", objective, OBJECTIVES)
        if objective != "nce" and log_normaliser != 0:
            raise InputError(f"log_normaliser belongs to objective 'nce'; {objective!r} has none: leave it out.")
        noise = Uniform(out_features) if noise is None else noise
        if not isinstance(noise, Sampler | NGram):
            raise InputError(f"noise must be a sampler of infomax.candidates; got {type(noise).__name__}.")
        if noise.classes != out_features:
            raise InputError(f"the noise has {noise.classes} classes, the layer {out_features}: they must be the same.")
        if objective == "nce" and noise.hits == "masked":
            raise InputError(
                f"{type(noise).__name__} leaves out draws that are the target, with which binary NCE learns the odds p/(1 - p), "
                "not p: use objective='ranking', or noise of independent draws."
            )
        super().__init__(in_features, out_features, bias=bias, device=device, dtype=dtype)
        self.normaliser = ModelNormaliser(log_normaliser, in_features, device, dtype)
        self.noise, self.draws, self.objective = noise, draw_count(draws), objective
        self.shared, self.sparse = shared, sparse
        self.rng = torch.Generator().manual_seed(seed)

    def loss(
        self,
        hidden: Any,
        targets: Any,
        *,
        contexts: Any = None,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """The loss of `objective`, in nats, with the keywords of `torch.nn.functional.cross_entropy`.

        Args:
            hidden: (..., d) contexts.
            targets: (...) int64 classes; `ignore_index` leaves one out.
            contexts: (..., order - 1) int64 previous classes, for n-gram noise.
            weight: (V,) of the classes; the mean is weighted by them, as in torch.
            reduction: "mean", "sum" or "none" (shape of targets; 0 where ignored).
            label_smoothing: refused unless 0 where classes are drawn: a smoothed target has mass on all of them.

        Raises:
            InputError: shapes or classes out of range, nothing left after `ignore_index`, or a target that noise never draws.
        """
        options = {"weight": weight, "ignore_index": ignore_index, "reduction": reduction}
        if self.objective == "mle":
            return self.exact_loss(hidden, targets, label_smoothing=label_smoothing, **options)
        if label_smoothing:
            raise InputError(
                "label_smoothing puts mass on classes that a sampled loss does not draw: use 0 here, or exact_loss."
            )
        return self._reduced(lambda counted: self._sampled(counted, contexts), hidden, targets, **options)

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
        if label_smoothing and weight is not None:
            raise InputError("label_smoothing with class weights is not offered: leave one out.")
        eager = reduction != "none" and weight is None
        return self._reduced(
            lambda counted: exact_cross_entropy(self._scores(counted), label_smoothing, eager),
            hidden, targets, weight, ignore_index, reduction,
        )  # fmt: skip

    def log_prob(self, hidden: Any, targets: Any) -> Tensor:
        """(...) exact log p(target | context), in nats, streamed over the classes; no target is ignored."""
        counted = self._counted(hidden, targets, None)
        return counted.reduced(-exact_cross_entropy(self._scores(counted), 0.0, eager=False), None, "none")

    def read(self, hidden: Any, targets: Any, *, ignore_index: int = -100) -> ExactReading:
        """Exact perplexity and how far the model normalises itself, every class counted, in memory of a few tiles."""
        return exact_reading(self._scores(self._counted(hidden, targets, ignore_index)))

    def log_normaliser(self, hidden: Tensor) -> Tensor:
        """(...) log Σ exp over all classes of the logits, in nats, streamed."""
        h = hidden.reshape(-1, self.in_features)
        first = torch.zeros(len(h), dtype=torch.int64, device=h.device)
        scores = Scores(h, self.weight, column_offset=self.bias, positives=first)
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

    def _scores(self, counted: Counted) -> Scores:
        scores = Scores(counted.hidden, self.weight, column_offset=self.bias, positives=counted.targets)
        return scores.allowing_no_negatives()

    def _sampled(self, counted: Counted, contexts: Any) -> Tensor:
        h, y = counted.hidden, counted.targets
        drawn, log_expected = self._draw(counted, contexts)
        (positives, positive_bias), (noise, noise_bias) = self._rows(y, drawn.ids.to(h.device))
        if self.objective == "negative-sampling":
            drawn = replace(drawn, log_expected=torch.zeros_like(drawn.log_expected))
            log_expected = log_expected * 0  # NaN, and so refused, where noise never draws the target
        scores = noise_scores(
            h, positives, noise, drawn, log_expected=log_expected, targets=y, positive_bias=positive_bias,
            noise_bias=noise_bias, log_normaliser=self.normaliser(h) if self.objective == "nce" else None,
        )  # fmt: skip
        return SAMPLED[self.objective](scores)

    def _draw(self, counted: Counted, contexts: Any) -> tuple[Drawn, Tensor]:
        """The draws, and (n,) the log of how often noise gives the targets."""
        y = counted.targets
        if isinstance(self.noise, NGram):
            before = counted.contexts(contexts)
            return self.noise.draw(self.draws, self.rng, before), self.noise.log_expected(y, self.draws, before)
        drawn = self.noise.draw(self.draws, self.rng, None if self.shared else len(y))
        return drawn, self.noise.log_expected(y, self.draws)

    def _rows(self, *ids: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """The output vectors and biases of some classes; their gradients touch these rows alone where `sparse`."""
        sizes, every = [part.numel() for part in ids], torch.cat([part.flatten() for part in ids])
        if self.sparse and wide(self.weight.dtype) != self.weight.dtype:
            vectors, biases = (
                HalfRows.apply(self.weight, every),
                None if self.bias is None else HalfRows.apply(self.bias, every),
            )
        else:
            vectors = embedding(every, self.weight, sparse=self.sparse)
            biases = None if self.bias is None else self.bias.gather(0, every, sparse_grad=self.sparse)
        apart = [part.view(*shape.shape, -1) for part, shape in zip(vectors.split(sizes), ids, strict=True)]
        if biases is None:
            return [(part, None) for part in apart]
        return [
            (part, bias.view(shape.shape)) for part, bias, shape in zip(apart, biases.split(sizes), ids, strict=True)
        ]

    def _reduced(
        self, losses_of: Any, hidden: Any, targets: Any, weight: Any, ignore_index: int, reduction: str
    ) -> Tensor:
        check_reduction(reduction)
        counted = self._counted(hidden, targets, ignore_index)
        return counted.reduced(
            losses_of(counted), class_weights(weight, self.out_features, self.weight.device), reduction
        )

    def _counted(self, hidden: Any, targets: Any, ignore_index: int | None) -> Counted:
        return Counted.of(hidden, targets, self.in_features, self.out_features, ignore_index)

    def extra_repr(self) -> str:
        how = f"draws={self.draws}, objective={self.objective!r}, noise={type(self.noise).__name__}"
        return f"{super().extra_repr()}, {how}"
