"""TensorFlow's sampled losses on torch tensors: calls of `tf.nn.nce_loss` and `tf.nn.sampled_softmax_loss` port as they stand.

The definitions are TensorFlow's, and so are their defaults, which are not consistent. `log_uniform_candidate_sampler` draws
until k classes differ; what is divided out, 1 - (1 - q)^tries, is not quite how often such draws hold a class. And
`remove_accidental_hits` turns independent draws into another question, whose answer is not log p: with `nce_loss` it is the log
odds of p, with `sampled_softmax_loss` frequent classes come out too likely. Consistent are independent draws with the expected
counts k·q, hits kept; and, with `sampled_softmax_loss`, draws of `infomax.candidates.Inclusion`, hits removed: give either as
`sampled_values`. `SampledLinear` takes the rule from its sampler.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding, logsigmoid

from infomax.candidates import LogUniform
from infomax.candidates.checks import class_ids
from infomax.errors import InputError


class SampledValues(NamedTuple):
    """What TensorFlow's samplers return: (k,) classes, (n, num_true) and (k,) expected counts."""

    sampled_candidates: Int[Tensor, " k"]
    true_expected_count: Float[Tensor, "n t"]
    sampled_expected_count: Float[Tensor, " k"]


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    name: Any = None,  # noqa: ARG001
    *,
    seed: Any = None,
) -> Float[Tensor, " n"]:
    """(n,) binary NCE in nats, Σ_true [(1 - 1/num_true)·G - log σ(G)] - Σ_sampled log σ(-G).

    G is the logit less the log of the class's expected count among the samples, which all rows share. With one true class and
    hits kept it is `infomax.objectives.binary_nce`; with several, each is told to be data with the label 1/num_true.

    Args:
        weights: (num_classes, d). biases: (num_classes,).
        labels: (n, num_true) integers, the true classes.
        inputs: (n, d).
        num_sampled: k, at most num_classes.
        sampled_values: the triple of a sampler (see `SampledValues`); by default of `log_uniform_candidate_sampler`, which
            suits classes sorted by falling frequency.
        remove_accidental_hits: leave out samples that are a true class of the row. Makes the optimum the log odds of p.
        name: ignored; TensorFlow's.
        seed: of the default sampler: an int, a generator to go on with, or None for torch's own generator.

    Raises:
        InputError: shapes, classes or counts that do not fit.

    Source: `tf.nn.nce_loss`, TensorFlow 2; Gutmann & Hyvärinen 2012.
    """
    given = (num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, seed)
    true, sampled = _sampled_logits(weights, biases, labels, inputs, *given)
    return ((1 - 1 / num_true) * true - logsigmoid(true)).sum(1) - logsigmoid(-sampled).sum(1)


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    seed: Any = None,
    name: Any = None,  # noqa: ARG001
) -> Float[Tensor, " n"]:
    """(n,) cross-entropy in nats of the true classes, 1/num_true each, among themselves and the samples.

    Arguments and errors as `nce_loss`. Its default, hits removed, is consistent for draws of independent inclusion
    (`infomax.candidates.Inclusion`) only; for independent draws pass False. With one true class and hits kept it is
    `infomax.objectives.ranking_nce`.

    >>> noise, labels = LogUniform(1000), torch.tensor([[3], [5]])
    >>> drawn = noise.draw(99, torch.Generator().manual_seed(0))
    >>> counts = (drawn.ids, noise.log_expected(labels, 99).exp(), drawn.log_expected.exp())
    >>> weights, biases, inputs = torch.zeros(1000, 8), noise.log_q(torch.arange(1000)), torch.ones(2, 8)
    >>> sampled_softmax_loss(  # of a model that equals its noise: log(99 + 1)
    ...     weights, biases, labels, inputs, 99, 1000, sampled_values=counts, remove_accidental_hits=False
    ... )
    tensor([4.6052, 4.6052], dtype=torch.float64)

    Source: `tf.nn.sampled_softmax_loss`, TensorFlow 2; Jean et al. 2015, arXiv:1412.2007.
    """
    given = (num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, seed)
    true, sampled = _sampled_logits(weights, biases, labels, inputs, *given)
    return torch.cat([true, sampled], 1).logsumexp(1) - true.mean(1)


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None
) -> SampledValues:
    """Log-uniform draws with TensorFlow's expected counts: k·q, or, where `unique`, 1 - (1 - q)^tries until k classes differ.

    Raises:
        InputError: more unique samples than classes, or true classes that do not fit.

    Source: `tf.random.log_uniform_candidate_sampler`, TensorFlow 2.
    """
    true = _labels(true_classes, num_true, range_max)
    law = LogUniform(range_max)
    if not 1 <= num_sampled or (unique and num_sampled > law.classes):
        most = f" to the {law.classes} classes" if unique else ""
        raise InputError(f"num_sampled must be a positive integer{most}; got {num_sampled}.")
    rng = seed if isinstance(seed, torch.Generator) else torch.default_generator
    if isinstance(seed, int):
        rng = torch.Generator().manual_seed(seed)
    ids, tries = _until_unique(law, num_sampled, rng) if unique else (law.draw(num_sampled, rng).ids, num_sampled)
    ids = ids.to(true.device)

    def expected(classes: Tensor) -> Tensor:
        q = law.log_q(classes).exp()
        return q * tries if tries == num_sampled else -torch.expm1(tries * torch.log1p(-q))

    return SampledValues(ids, expected(true), expected(ids))


def _until_unique(law: LogUniform, k: int, rng: torch.Generator) -> tuple[Tensor, int]:
    """The first k classes that differ, in the order of their first draws, and how many draws that took."""
    drawn = law.draw(2 * k, rng).ids
    while True:
        classes, places = drawn.unique(return_inverse=True)
        if len(classes) >= k:
            break
        drawn = torch.cat([drawn, law.draw(len(drawn), rng).ids])
    when = torch.arange(len(drawn), device=drawn.device)
    first = torch.full_like(classes, len(drawn)).scatter_reduce_(0, places, when, "amin").sort().values[:k]
    return drawn[first], int(first[-1]) + 1


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int,
    sampled_values: Any, remove_accidental_hits: bool, seed: Any,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(n, num_true) and (n, k) logits less the logs of the expected counts; -inf where a hit is removed."""
    true = _labels(labels, num_true, num_classes)
    if not isinstance(inputs, Tensor) or inputs.ndim != 2 or len(inputs) != len(true):
        raise InputError(
            f"inputs must be a tensor ({len(true)}, d), a row for each row of labels; got {_shape(inputs)}."
        )
    for name, value, shape in (
        ("weights", weights, (num_classes, inputs.shape[1])),
        ("biases", biases, (num_classes,)),
    ):
        if not isinstance(value, Tensor) or tuple(value.shape) != shape:
            raise InputError(f"{name} must be a tensor {shape}; got {_shape(value)}.")
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(true, num_true, num_sampled, True, num_classes, seed)
    sampled, true_count, sampled_count = sampled_values
    sampled = class_ids(sampled, num_classes)
    if sampled.shape != (num_sampled,) or sampled_count.shape != sampled.shape or true_count.shape != true.shape:
        raise InputError(
            f"sampled_values must be ({num_sampled},) classes, {tuple(true.shape)} true and ({num_sampled},) sampled "
            f"expected counts; got {tuple(sampled.shape)}, {tuple(true_count.shape)} and {tuple(sampled_count.shape)}."
        )
    if not (bool((true_count > 0).all()) and bool((sampled_count > 0).all())):
        raise InputError("an expected count is 0 (or less, or NaN): the sampler must be able to draw every true class.")
    true_logits = torch.einsum("nd,ntd->nt", inputs, embedding(true, weights)) + biases[true]
    sampled_logits = inputs @ embedding(sampled, weights).t() + biases[sampled]
    if remove_accidental_hits:
        hits = (true.unsqueeze(2) == sampled).any(1)
        sampled_logits = sampled_logits.masked_fill(hits, -torch.inf)
    return true_logits - true_count.log().to(true_logits), sampled_logits - sampled_count.log().to(sampled_logits)


def _labels(labels: Any, num_true: int, classes: int) -> Tensor:
    """(n, num_true) int64 classes."""
    fits = isinstance(labels, Tensor) and not labels.is_floating_point() and labels.ndim == 2
    if not fits or labels.shape[1] != num_true or not len(labels):
        raise InputError(f"labels must be an integer tensor (n, {num_true}); got {_shape(labels)}.")
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise InputError(f"labels must lie from 0 to {classes - 1}; got {int(labels.min())} to {int(labels.max())}.")
    return labels.long()


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
