"""`fit_language_model`: from a corpus to a language model, its curve, and its exact perplexity on text it has not seen.

This file only puts the parts in order. The loop, checkpoints, Ctrl-C and the log are those of `infomax.training`.
"""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from infomax.errors import InputError
from infomax.language.begin import task_for
from infomax.language.corpus import TokenCorpus
from infomax.language.end import counted, end
from infomax.language.ngram_model import NGramModel
from infomax.language.result import LanguageFitResult
from infomax.language.settings import LanguageSettings
from infomax.language.task import LanguageState, LanguageTask
from infomax.training import checkpoint
from infomax.training.clock import Clock
from infomax.training.generator import own_generator
from infomax.training.journal import Bar, board
from infomax.training.processes import launched
from infomax.training.resume import changed_footing, restore, same_settings, snapshot
from infomax.training.run_folder import CHECKPOINT, claim, clear
from infomax.training.settings import Real, Whole
from infomax.training.sitting import sit


def fit_language_model(
    corpus: Any,
    *,
    model: Any = "lstm",
    objective: Any = "ranking",
    noise: Any = "unigram",
    noise_draws: Whole = 500,
    alpha: Real = 1.0,
    log_normaliser: Any = 0.0,
    shared: bool = True,
    dim: Whole = 200,
    layers: Whole = 1,
    context: Whole = 5,
    order: Whole = 3,
    dropout: Real = 0.25,
    tied: bool = True,
    epochs: Whole = 6,
    batch_size: Whole | None = None,
    unroll: Whole = 35,
    learning_rate: Real = 0.003,
    warmup: Real = 0.02,
    clip: Real | None = 1.0,
    sparse: bool | None = None,
    patience: Whole | None = 3,
    validations_per_epoch: Whole = 1,
    seed: Whole = 0,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: Real = 30.0,
    progress: bool | None = None,
    tensorboard: bool = False,
    baseline: bool = True,
) -> LanguageFitResult:
    """Learn to tell the next word, from all words (mle) or from a few that noise has drawn.

    Args:
        corpus: a `TokenCorpus`, as `read_corpus` makes it.
        model: "lstm", "log-bilinear", or "ngram" (Kneser-Ney of order `order`: counted, not trained).
        objective: "mle" (exact likelihood), "ranking" (sampled softmax), "nce" (scores become log-probabilities by themselves)
            or "negative-sampling" (its scores become shifted pointwise mutual informations; log(k q) is added to read them).
        noise: "unigram", "uniform", or "ngram", Kneser-Ney of order `order`, which draws after each token's own context.
        noise_draws: k.
        alpha: power of the counts in unigram noise.
        log_normaliser: of "nce": a number, "learned", or "context", c(h).
        shared: one set of k draws for all tokens of a batch (fast), or each its own. N-gram noise is always each its own.
        dim: d, width of word vectors and state.
        layers: of the LSTM.
        context: words that the log-bilinear model looks back on.
        order: of n-grams: model, noise and baseline.
        dropout: share of entries left out in training.
        tied: input and output vectors of a word are one.
        epochs: passes over the corpus, at most (see `patience`).
        batch_size: LSTM: streams that are read at once (20); log-bilinear: tokens (512).
        unroll: tokens of a stream in a batch, through which gradients flow back.
        learning_rate: peak, of Adam.
        warmup: share of the steps in which the rate rises; afterwards it falls along a cosine to zero.
        clip: most that the gradient's norm may be; None: any.
        sparse: step only the vectors of words that a batch holds or draws; None: from 50,000 words on. A step then costs what
            it touches, but Adam moves a rare word about as far a touch as a common one, where the dense form moves it farther:
            such runs want a learning rate a few times higher. "mle" with tied vectors touches all words anyway.
        patience: validations without improvement before the run stops; None never stops early. Either way the model of the
            best validation comes back.
        validations_per_epoch: how often to look; each look is exact.
        seed: of parameters, dropout, order of batches and noise.
        out: folder for checkpoint, log, model and result; None writes nothing.
        resume: go on with the run in `out` (from its start if it had not yet saved anything).
        overwrite: throw away the run in `out`.
        checkpoint_seconds: time between checkpoints.
        progress: show a progress bar; None: if a person is watching.
        tensorboard: also write TensorBoard event files.
        baseline: count an n-gram model too, to compare with.

    Raises:
        InputError: a corpus or settings that cannot be right, a folder that is taken, a checkpoint that does not fit.
        InfomaxError: the loss is no longer finite, or the disk is full. The last checkpoint is kept.
    """
    given = locals()  # before any other name is bound: the arguments
    if launched():
        raise InputError("A language model is fitted in one process: start it without torchrun.")
    given["batch_size"] = (20 if model == "lstm" else 512) if batch_size is None else batch_size
    settings = LanguageSettings(**{f.name: given[f.name] for f in fields(LanguageSettings)})
    _check_corpus(corpus, settings)
    if (resume or overwrite or tensorboard) and out is None:
        raise InputError("resume, overwrite and tensorboard are about files; name their folder by out=.")
    folder = None if out is None else claim(out, resume=resume, overwrite=overwrite)
    if tensorboard:
        board(None)
    saved = checkpoint.load(folder / CHECKPOINT) if folder and resume and (folder / CHECKPOINT).exists() else None
    if saved is not None:
        _same_run(saved, settings)
    clock = Clock()
    with own_generator(seed), Bar(progress) as bar:
        bar.describe("counting words")
        with clock("count"):
            needed = baseline or settings.model == "ngram" or settings.noise == "ngram"
            ngram = counted(corpus, settings.order) if needed else None
        state, warnings = LanguageState(), []
        learner: Any = NGramModel(corpus.vocabulary, ngram) if settings.model == "ngram" and ngram else None
        task = None if learner else task_for(corpus, settings, ngram)
        if folder is not None:
            clear(folder, keep_run=not overwrite)
        if task is not None:
            if saved is not None:
                warnings, state = changed_footing(saved), _where(saved, task, corpus.fingerprint)
            snap = partial(_snapshot, task, state, corpus.fingerprint)
            sit(task, state, folder, bar, snap, every=checkpoint_seconds, tensorboard=tensorboard)
            clock.seconds["train"] = state.seconds
        bar.describe("evaluating")
        return end(corpus, settings, task, learner, ngram if baseline else None, state, folder, clock, warnings)


def _check_corpus(corpus: Any, settings: LanguageSettings) -> None:
    """Refuse what cannot be learned from, before anything is written or thrown away."""
    if not isinstance(corpus, TokenCorpus):
        raise InputError(f"corpus must be a TokenCorpus, got {type(corpus).__name__}; `read_corpus(source)` makes one.")
    counts, size = np.asarray(corpus.counts), corpus.vocabulary.size
    if len(counts) != size or int(counts.sum()) != len(corpus.train):
        raise InputError(
            f"The corpus counts {int(counts.sum()):,} tokens of {len(counts):,} kinds, but has {len(corpus.train):,} of "
            f"{size:,}: read it anew."
        )
    kinds = int((counts > 0).sum())
    if kinds < 2:
        raise InputError(
            f"The corpus holds {kinds} different words to learn from; telling words apart needs at least two."
        )
    if settings.model != "ngram" and settings.objective != "mle" and settings.noise_draws > size:
        raise InputError(
            f"noise_draws={settings.noise_draws:,} is above the vocabulary's {size:,} words: then objective='mle', which scores "
            "each word once, costs less and is exact."
        )


def _same_run(saved: dict[str, Any], settings: LanguageSettings) -> None:
    if "noise_generator" not in saved:
        raise InputError(
            "The checkpoint is of another kind of run, that learned an encoder; choose another output folder, or throw the run "
            "away by overwrite=True."
        )
    same_settings(saved, settings)


def _snapshot(task: LanguageTask, state: LanguageState, data: str) -> dict[str, Any]:
    return snapshot(task, state, data, noise_generator=task.learner.head.rng.get_state())


def _where(saved: dict[str, Any], task: LanguageTask, data: str) -> LanguageState:
    """Where the run stands, its noise generator put back too."""
    state = LanguageState(**restore(saved, task, data, of="texts", to="model"))
    task.learner.head.rng.set_state(saved["noise_generator"])
    return state
