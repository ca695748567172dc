"""The end of a run: the model at its best, what it says of text it has not seen, and what is left in the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from infomax.candidates import NGram
from infomax.language.anchors import anchors
from infomax.language.batches import take
from infomax.language.corpus import TokenCorpus
from infomax.language.language_model import LanguageModel
from infomax.language.ngram_model import NGramModel, before
from infomax.language.result import LanguageFitResult
from infomax.language.settings import LanguageSettings
from infomax.language.task import LanguageTask
from infomax.training.clock import Clock
from infomax.training.outcome import save_result, versions
from infomax.training.run_folder import MODEL
from infomax.training.state import State
from infomax.unnormalised import ExactReading

DRAWS = (1, 10, 25, 100, 500, 2500)  # of which the kept information is told
_SAMPLE = 20_000  # validation tokens that this is a mean over
_OFF = 0.5  # nats: a mean or spread of log Z beyond which scores are poor log-probabilities


def end(
    corpus: TokenCorpus,
    settings: LanguageSettings,
    task: LanguageTask | None,
    model: Any,
    ngram: NGram | None,
    state: State,
    folder: Path | None,
    clock: Clock,
    warnings: list[str],
) -> LanguageFitResult:
    """Put back the best model, read it once on the test part, and leave the folder complete (unless interrupted).

    Args:
        task: None where nothing was trained: then `model` is what was counted.
        ngram: the baseline.
    """
    finished, uncorrected = task is None or state.finished, None
    if task is not None:
        model = task.learner.eval()
        if state.best is not None:
            model.load_state_dict(state.best)
    with clock("evaluate"):
        if task is not None and task.correction is not None:
            uncorrected = _read(model, corpus.test) if finished else None
            with torch.no_grad():
                model.head.bias.add_(task.correction)
        held_out = corpus.test if len(corpus.test) else corpus.validation
        validation, test = _read(model, corpus.validation), _read(model, corpus.test) if finished else None
        beside = None if ngram is None or not finished else _read(NGramModel(corpus.vocabulary, ngram), held_out)
        kept = {} if task is None else information_kept(task.learner, np.asarray(corpus.validation)[:_SAMPLE])
    result = LanguageFitResult(
        model=model,
        history=state.history,
        anchors=anchors("mle" if task is None else settings.objective, settings.noise_draws, corpus.counts),
        validation=validation,
        test=test,
        uncorrected=uncorrected,
        baseline=beside,
        information_kept=kept,
        sizes={"train": len(corpus.train), "validation": len(corpus.validation), "test": len(corpus.test)},
        unknown=dict(corpus.unknown),
        settings=settings.to_dict(),
        versions=versions(),
        seconds=clock.seconds,
        warnings=(*warnings, *_cautions(settings, task, test or validation, uncorrected)),
        path=folder,
        interrupted=not finished,
    )
    if folder is not None and finished:
        with clock("save"):
            model.save(folder / MODEL)
            save_result(folder, result)
    return result


def counted(corpus: TokenCorpus, order: int) -> NGram:
    """Kneser-Ney of the training part."""
    return NGram.fit(corpus.train, corpus.vocabulary.size, order)


def information_kept(model: LanguageModel, ids: np.ndarray) -> dict[int, float]:
    """By number of draws k, the mean over tokens of k q / (p + k q), p of the model and q of its noise.

    It is the weight of the data in NCE's gradient where that of the likelihood has 1, and in its Fisher information
    (Gutmann & Hyvärinen 2012, theorem 3): near noise keeps more with fewer draws. Empty where there are no tokens.
    """
    if not len(ids):
        return {}
    log_p, noise = -model.nats(ids), model.head.noise
    targets = take(ids, np.arange(len(ids)))
    given = (
        () if not hasattr(noise, "order") else (before(ids, noise.order, np.arange(len(ids)), model.vocabulary.end),)
    )
    return {k: float(torch.sigmoid(noise.log_expected(targets, k, *given) - log_p).mean()) for k in DRAWS}


def _read(model: Any, ids: Any) -> ExactReading | None:
    return model.evaluate(ids) if len(ids) else None


def _cautions(
    settings: LanguageSettings, task: LanguageTask | None, read: ExactReading | None, uncorrected: ExactReading | None
) -> list[str]:
    if task is None or read is None:
        return (
            []
            if task is None
            else ["No held-out part: there is no perplexity, and the last model is kept, not the best."]
        )
    told = []
    if task.correction is not None:
        bare = "" if uncorrected is None else f" ({uncorrected.perplexity:,.1f} here)"
        told.append(
            "Negative sampling learns log p/q - log k, a shifted pointwise mutual information, no log-probability: log(k q) was "
            "added to its scores, which makes them estimates of log p, and the perplexity is that of their exact softmax. A "
            f"softmax of the bare scores{bare} would estimate p/q, normalised, which is no model of text."
        )
    if settings.objective == "nce" and max(abs(read.log_normaliser), read.log_normaliser_spread) > _OFF:
        told.append(
            f"log Z is {read.log_normaliser:.2f} ± {read.log_normaliser_spread:.2f} nats over contexts, not 0: scores are not "
            "log-probabilities by themselves (perplexities here are normalised exactly); more draws, or "
            "log_normaliser='context', bring it nearer."
        )
    return told
