"""What a run begins with: a model whose scores are the noise's log-law, its optimizer, its batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infomax.candidates import NGram, Uniform, Unigram
from infomax.language.batches import Positions, Streams
from infomax.language.corpus import TokenCorpus
from infomax.language.language_model import LanguageModel
from infomax.language.networks import LSTM, LogBilinear
from infomax.language.settings import LanguageSettings
from infomax.language.task import LanguageTask
from infomax.training.optimizer import LazyAdam
from infomax.unnormalised import SampledLinear

_RANGE = 0.1  # output vectors start uniform in ± this
_SPARSE_FROM = 50_000  # words


def task_for(corpus: TokenCorpus, settings: LanguageSettings, ngram: NGram | None) -> LanguageTask:
    """The task of a run; torch's generator gives the parameters.

    Raises:
        InputError: the corpus is too short for the batches.
    """
    model = model_for(corpus, settings, noise_of(corpus, settings, ngram))
    feed: Any = Streams(corpus.train, settings.batch_size, settings.unroll)
    if settings.model == "log-bilinear":
        feed = Positions(corpus.train, settings.batch_size, settings.context, settings.seed)
    correction = _correction(model, settings)
    groups = [{"params": list(model.parameters()), "peak": settings.learning_rate}]
    optimizer = LazyAdam(groups, lr=settings.learning_rate)
    return LanguageTask(model, optimizer, feed, np.asarray(corpus.validation), settings, correction)


def noise_of(corpus: TokenCorpus, settings: LanguageSettings, ngram: NGram | None) -> Any:
    """The law that draws. Every word of the training part has a count, so every target can be drawn."""
    if settings.noise == "ngram":
        return ngram
    if settings.noise == "uniform":
        return Uniform(corpus.vocabulary.size)
    return Unigram(np.asarray(corpus.counts), float(settings.alpha))


def model_for(corpus: TokenCorpus, settings: LanguageSettings, noise: Any) -> LanguageModel:
    """An untrained model. Its vectors are small and its biases the log frequencies of the words, half a count for words that
    never occur: near noise is easier to tell from than far noise, and from anywhere else the NCE loss is all but flat."""
    classes, exact = corpus.vocabulary.size, settings.objective == "mle"
    wanted = classes >= _SPARSE_FROM if settings.sparse is None else settings.sparse
    sparse = wanted and not (exact and settings.tied)  # every output vector moves in each step of mle
    common = {"dropout": settings.dropout, "sparse": sparse}
    network: LSTM | LogBilinear
    if settings.model == "lstm":
        network = LSTM(classes, settings.dim, settings.layers, **common)
    else:
        network = LogBilinear(classes, settings.dim, settings.context, **common)
    head = SampledLinear(
        settings.dim, classes, noise=noise, draws=settings.noise_draws, objective=settings.objective,
        log_normaliser=settings.log_normaliser, shared=settings.shared, sparse=sparse and not exact, seed=settings.seed,
    )  # fmt: skip
    nn.init.uniform_(head.weight, -_RANGE, _RANGE)
    if settings.tied:
        head.weight = network.embedding.weight
    counts = np.maximum(np.asarray(corpus.counts, dtype=np.float64), 0.5)
    with torch.no_grad():
        head.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
        if settings.objective == "nce" and isinstance(settings.log_normaliser, int | float):
            head.bias.add_(settings.log_normaliser)
    return LanguageModel(corpus.vocabulary, network, head)


def _correction(model: LanguageModel, settings: LanguageSettings) -> Tensor | None:
    """(V,) log(k q), which negative sampling leaves out of its scores: off the biases, to be added to read them. Words that
    noise never draws, none of which occur, keep theirs.

    Negative sampling of scores s is NCE of s + log(k q), so what it learns is log p once that is added (Levy & Goldberg 2014).
    """
    if settings.objective != "negative-sampling":
        return None
    noise: Any = model.head.noise
    expected = noise.log_expected(torch.arange(model.vocabulary.size), settings.noise_draws)
    correction = expected.masked_fill(expected.isneginf(), 0.0).to(model.head.bias.dtype)
    with torch.no_grad():
        model.head.bias.sub_(correction)
    return correction
