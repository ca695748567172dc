"""The end of a run: the encoder at its best, its evaluation, and what is left in the folder."""

from __future__ import annotations

import dataclasses
import json
import platform
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch

import infomax
from infomax.encoders import lineage
from infomax.evaluation import build_index, held_out
from infomax.evaluation.result import Retrieval
from infomax.evaluation.storage import replace
from infomax.evaluation.vectors import sides
from infomax.training.clock import Clock
from infomax.training.loop import Task
from infomax.training.model_folder import save_encoder
from infomax.training.parts import Parts
from infomax.training.processes import from_first
from infomax.training.result import FitResult
from infomax.training.run_folder import INDEX, MODEL, RESULT
from infomax.training.state import State


def end(
    task: Task,
    state: State,
    parts: Parts,
    folder: Path | None,
    clock: Clock,
    untrained: Retrieval | None,
    *,
    evaluate: bool,
) -> FitResult:
    """Put back the best encoder, evaluate it once, and leave the folder complete (unless the run was interrupted)."""
    learner, settings = task.learner, task.settings
    if state.best is not None:
        learner.load_state_dict(state.best)
    learner.eval()
    temperature, found = float(learner.temperature().detach()), None
    if state.finished and evaluate and len(parts.test) >= 2:
        with clock("evaluate"):
            found = from_first(
                partial(
                    held_out.evaluate,
                    learner.encoder,
                    parts.test,
                    temperature=temperature,
                    normalize=settings.normalize,
                    untrained=untrained,
                    seed=settings.seed,
                )
            )
            if found.readout.side != "score":  # a part of the pairs is not known again by its fingerprint, the whole is
                why = lineage.seen_before(parts.all, *sides(learner.encoder))
                found = dataclasses.replace(found, readout=held_out.as_score(found.readout, why))
    if state.finished:
        lineage.add(parts.all, *sides(learner.encoder))
    result = FitResult(
        encoder=learner.encoder,
        temperature=temperature,
        history=state.history,
        evaluation=found,
        read=parts.all.report,
        sizes=parts.sizes,
        moved=parts.split.moved,
        settings=settings.to_dict(),
        versions=versions(),
        seconds=clock.seconds,
        warnings=tuple(parts.warnings + _dropped(state)),
        path=folder,
        interrupted=not state.finished,
    )
    if folder is not None and state.finished:
        with clock("save"):
            _save(folder, result, parts)
    return result


def _dropped(state: State) -> list[str]:
    if not state.dropped:
        return []
    return [
        f"{state.dropped} batches were left out: all their rows shared an id (or there was only one), so no negatives."
    ]


def _save(folder: Path, result: FitResult, parts: Parts) -> None:
    """Write the learned encoder, the index of all candidates, and the result as JSON.

    Raises:
        InfomaxError: the disk is full or cannot be written.
    """
    save_encoder(result.encoder, folder / MODEL)
    normalize = bool(result.settings["normalize"])
    build_index(result.encoder, parts.all.candidates, parts.all.labels, normalize=normalize).save(folder / INDEX)
    save_result(folder, result)


def save_result(folder: Path, result: Any) -> None:
    """Write the result, without its encoder, as JSON; again where something has been added to it.

    Raises:
        InfomaxError: the disk is full or cannot be written.
    """
    text = json.dumps(_strict(result.to_dict()), indent=1, allow_nan=False)
    replace(folder / RESULT, lambda path: path.write_text(text + "\n", encoding="utf-8"))


def versions() -> dict[str, str]:
    """Of what a result depends on."""
    return {
        "python": platform.python_version(),
        "infomax": infomax.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def _strict(node: Any) -> Any:
    """`node` with every number that JSON does not know (nan, infinity) as None."""
    if isinstance(node, dict):
        return {str(key): _strict(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_strict(value) for value in node]
    return None if isinstance(node, float) and not isfinite(node) else node
