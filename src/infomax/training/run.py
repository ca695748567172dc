"""`fit`: from pairs to an encoder, its curve, and what it knows on pairs it has not seen.

Three splits: one to learn from, one to decide when to stop, and one, touched once, to report. This file only puts the
parts in order; each part is a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import nn

from infomax.data.fingerprint import fingerprint
from infomax.errors import InputError
from infomax.evaluation.held_out import embed_pairs
from infomax.evaluation.ranking import retrieval
from infomax.evaluation.result import Retrieval
from infomax.evaluation.vectors import device_of
from infomax.objectives import info_nce
from infomax.scores.gather import processes
from infomax.training import checkpoint
from infomax.training.clock import Clock
from infomax.training.generator import own_generator
from infomax.training.journal import Bar, board
from infomax.training.learner import Learner
from infomax.training.loop import Task
from infomax.training.outcome import end
from infomax.training.parts import Parts, part
from infomax.training.processes import (
    from_first,
    is_first,
    joined,
    own_device,
    part_generators,
    refuse_differing,
    spread,
)
from infomax.training.recipe import recipe
from infomax.training.result import FitResult
from infomax.training.resume import changed_footing, restore, same_settings, signature, snapshot
from infomax.training.run_folder import CHECKPOINT, INITIAL, claim, clear
from infomax.training.settings import Real, Settings, Whole, between, name_of
from infomax.training.sitting import sit
from infomax.training.start import (
    check_device,
    check_encoder,
    choose_encoder,
    chosen_or_usual,
    opened,
    optimizer_for,
    weigh,
)
from infomax.training.state import State
from infomax.training.validation import Validation

symmetric_info_nce = partial(info_nce, symmetric=True)


def fit(
    pairs: Any,
    *,
    encoder: Any = None,
    objective: Any = symmetric_info_nce,
    epochs: Whole = 3,
    batch_size: Whole = 1024,
    chunk: Whole | None = None,
    learning_rate: Real | None = None,
    weight_decay: Real = 0.0,
    temperature: Real = 0.07,
    learn_temperature: Any = True,
    temperature_learning_rate: Real = 0.01,
    warmup: Real = 0.05,
    patience: Whole | None = 3,
    validation: Real = 0.1,
    test: Real = 0.1,
    validation_candidates: Whole = 1024,
    validations_per_epoch: Whole = 1,
    prefixes: Any = (),
    normalize: bool = True,
    device: str | torch.device | None = None,
    seed: Whole = 0,
    out: Any = None,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: Real = 30.0,
    progress: bool | None = None,
    tensorboard: bool = False,
    evaluate: bool = True,
) -> FitResult:
    """Learn an encoder from pairs by maximising mutual information.

    Args:
        pairs: anything `read_pairs` takes: a file, "python", a list of tuples, a tuple of two arrays, `Pairs`.
        encoder: None makes a `StaticTextEncoder` from the training texts; or a function from the training texts to a
            module; or any module that takes a batch (a list of texts, or a tensor) and gives (n, d) vectors; or a tuple
            of two, for anchors and for candidates, which may share parameters. A module is trained in place. A path is
            that of a saved encoder, or of a Hugging Face or SentenceTransformer folder.
        objective: scores -> (N,) losses, or their mean; by default InfoNCE in both directions. What a module holds is learned
            along, at the encoder's rate without decay, and is in the checkpoints.
        epochs: passes over the pairs, at most (see `patience`).
        batch_size: pairs a step; each is told from all others of its batch.
        chunk: rows that are encoded at a time: memory for one chunk instead of a batch, at the price of one more forward pass;
            the gradient is the same (`cached_backward`). None: 32 for a transformer, else the whole batch.
        learning_rate: peak of the encoder's, of Adam. None: 5e-5 for a transformer, else 0.01.
        weight_decay: of matrices (not of biases and other vectors).
        temperature: of the scores at the start, 0.001 to 100.
        learn_temperature: whether it is learned, within 0.005 to 2; then it must start there.
        temperature_learning_rate: peak of the rate of log temperature.
        warmup: share of the steps in which the learning rate rises; afterwards it falls along a cosine to zero.
        patience: validations without improvement before the run stops; None never stops early. Either way the encoder
            of the best validation is what comes back.
        validation, test: shares of the pairs to choose by, and to report on.
        validation_candidates: how many candidates a validation tells from, whatever the batch size.
        validations_per_epoch: how often to look.
        prefixes: widths at which vectors are to be good when cut short (Matryoshka): the loss is the mean over the
            whole vectors and these, at the cost of as many more score matrices.
        normalize: scale vectors to unit length, so that scores are cosines over temperature.
        device: where to train; default: where the encoder is.
        seed: of the split, the order of batches, and torch's generator during the run (which is put back).
        out: folder for checkpoint, log, model, search index and result; None writes nothing.
        resume: go on with the run in `out` (from its start if it had not yet saved anything).
        overwrite: throw away the run in `out`.
        checkpoint_seconds: time between checkpoints.
        progress: show a progress bar; None: if a person is watching.
        tensorboard: also write TensorBoard event files.
        evaluate: evaluate on the reported split at the end.

    Raises:
        InputError: pairs or settings that cannot be right, a folder that is taken, a checkpoint that does not fit.
        InfomaxError: the loss is no longer finite, or the disk is full. The last checkpoint is kept.
    """
    encoder = opened(encoder)
    chunk, learning_rate = chosen_or_usual(encoder, chunk=chunk, learning_rate=learning_rate)
    given = locals()  # before any other name is bound: the arguments
    chosen = {f.name: given[f.name] for f in fields(Settings) if f.name not in ("objective", "encoder")}
    settings = Settings(**chosen, objective=name_of(objective), encoder=recipe(encoder, seed))
    if not callable(objective):
        raise InputError(f"objective must be a function from scores to losses, got {objective!r}.")
    if out is not None and not isinstance(out, str | PathLike):
        raise InputError(f"out must be a folder's name, got {out!r}.")
    between("checkpoint_seconds", checkpoint_seconds, 0, float("inf"), closed=True)
    check_device(device)
    if (resume or overwrite or tensorboard) and out is None:
        raise InputError("resume, overwrite and tensorboard are about files; name their folder by out=.")
    if tensorboard:
        board(None)
    clock = Clock()
    with joined(device), own_generator(seed), Bar(progress if is_first() else False) as bar:
        refuse_differing("settings", settings.to_dict())
        claimed, saved = from_first(partial(_claimed, out, settings, resume=resume, overwrite=overwrite))
        folder = claimed if is_first() else None  # the others write nothing
        bar.describe("reading pairs")
        parts = part(pairs, settings, clock)
        check_encoder(encoder, parts.train)
        bar.describe("preparing texts")
        keep = {"keep_run": not overwrite, "keep_encoder": saved is not None}
        task, parts = _begin(parts, encoder, objective, settings, folder, device, clock, **keep)
        data = fingerprint(parts.all) if out is not None or processes()[1] > 1 else ""
        refuse_differing("pairs", data)
        state, untrained = _where(task, parts, saved, data, evaluate=evaluate)
        part_generators(seed, state.step)
        before = None if untrained is None else dict(vars(untrained))
        snap = partial(snapshot, task, state, data, untrained=before)
        sit(task, state, folder, bar, snap, every=checkpoint_seconds, tensorboard=tensorboard, rescue=claimed)
        clock.seconds["train"] = state.seconds
        bar.describe("evaluating")
        return end(task, state, parts, folder, clock, untrained, evaluate=evaluate)


def _claimed(
    out: Any, settings: Settings, *, resume: bool, overwrite: bool
) -> tuple[Path | None, dict[str, Any] | None]:
    """The run's folder, and the checkpoint that it is to go on from."""
    if out is None:
        return None, None
    folder = claim(out, resume=resume, overwrite=overwrite)
    if not resume or not (folder / CHECKPOINT).exists():
        return folder, None
    saved = checkpoint.load(folder / CHECKPOINT)
    same_settings(saved, settings)
    return folder, saved


def _begin(
    parts: Parts,
    encoder: Any,
    objective: Callable[..., torch.Tensor],
    settings: Settings,
    folder: Path | None,
    device: str | torch.device | None,
    clock: Clock,
    *,
    keep_run: bool,
    keep_encoder: bool,
) -> tuple[Task, Parts]:
    """The task, and the parts with their texts tokenised. From here on the folder is written to."""
    if folder is not None:
        clear(folder, keep_run=keep_run)
    with clock("tokenise"):
        initial = None if folder is None else folder / INITIAL
        choose = partial(choose_encoder, encoder, parts.train, initial, settings.seed, made_already=keep_encoder)
        chosen = choose() if isinstance(encoder, nn.Module | tuple | list) else from_first(choose)
        learner = Learner(chosen, settings.temperature, objective, learn_temperature=settings.learn_temperature)
        learner.to(own_device(device)) if device is not None else learner.temperature.to(device_of(learner.sides[0]))
        parts = parts.prepared_for(learner.encoder)
        if encoder is None:
            weigh(learner.encoder, parts.train)
        refuse_differing("encoder", signature(learner))
        spread(learner)
    look = None
    if len(parts.validation) >= 2:
        look = Validation(
            parts.validation, settings.validation_candidates, normalize=settings.normalize, seed=settings.seed
        )
    task = Task(
        learner=learner,
        optimizer=optimizer_for(learner, settings),
        objective=objective,
        pairs=parts.train,
        validation=look,
        settings=settings,
        reads_as_score=objective is symmetric_info_nce or objective is info_nce,
    )
    smallest = len(task.pairs) // task.steps_per_epoch
    if smallest < processes()[1]:
        raise InputError(
            f"Batches of {smallest} pairs cannot be shared by {processes()[1]} processes: raise batch_size, or start fewer."
        )
    return task, parts


def _where(
    task: Task, parts: Parts, saved: dict[str, Any] | None, data: str, *, evaluate: bool
) -> tuple[State, Retrieval | None]:
    """Where the run stands: at its checkpoint, or at its start (then how well the untrained encoder retrieves)."""
    if saved is not None:
        parts.warnings.extend(changed_footing(saved))
        untrained = saved["untrained"]
        state = State(**restore(saved, task, data))
        return state, None if untrained is None else Retrieval(**untrained)
    if not evaluate or len(parts.test) < 2:
        return State(), None

    def retrieve() -> Retrieval:
        anchors, candidates = embed_pairs(task.learner.encoder, parts.test, normalize=task.settings.normalize)
        return retrieval(anchors, candidates, ids=parts.test.ids)

    return State(), from_first(retrieve)
