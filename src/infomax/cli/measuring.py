"""One run of `infomax evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from infomax.cli.console import data, note, results
from infomax.cli.models import load_model, run_record
from infomax.cli.sources import read_source
from infomax.data.valid_rows import UNSCORED
from infomax.evaluation import Spearman, evaluate, spearman
from infomax.report import bullets, evaluation_json, evaluation_text, skipped_text

_TEMPERATURE = 0.05  # where no run tells


def measure(
    model: Path,
    source: str,
    *,
    reading: Mapping[str, Any],
    scores: str | None,
    max_pairs: int | None,
    temperature: float | None,
    seed: int,
    jobs: int | None,
    quiet: bool,
    json: bool,
) -> None:
    """Evaluate a saved encoder on pairs and tell; see `read_source` and `infomax.evaluate` for the arguments.

    Raises:
        InputError: model or pairs that cannot be right.
    """
    if jobs is not None:
        torch.set_num_threads(jobs)
    encoder, record = load_model(model), run_record(model)
    pairs = read_source(source, max_pairs=max_pairs, jobs=jobs, seed=seed, quiet=quiet, **reading)
    note(f"{len(pairs):,} pairs", quiet=quiet)
    used = temperature or record.get("temperature") or _TEMPERATURE
    normalize = record.get("settings", {}).get("normalize", True)
    found = evaluate(encoder, pairs, temperature=used, normalize=normalize, seed=seed)
    agreement, unscored = (None, 0) if scores is None else _agreement(encoder, source, {**reading, "scores": scores})
    if json:
        extra = {}
        if agreement is not None:
            extra = {"spearman": agreement.value, "scored_pairs": agreement.n, "unscored_pairs": unscored}
        data({**evaluation_json(found), **extra, "read": vars(pairs.report), "temperature": used})
        return
    people = (
        f"Spearman's rank correlation with the scores: {agreement.value:.1f} (x 100, {agreement.n:,} pairs"
        f"{f'; {unscored:,} without a score' if unscored else ''})"
        if agreement
        else ""
    )
    blocks = [evaluation_text(found), people, skipped_text(pairs.report), bullets("Warnings", found.readout.warnings)]
    results("\n\n".join(block for block in blocks if block))


def _agreement(encoder: Any, source: str, reading: Mapping[str, Any]) -> tuple[Spearman, int]:
    """Spearman with the gold scores, and how many pairs have none."""
    pairs = read_source(source, quiet=True, **reading)
    assert pairs.scores is not None  # a column was named
    rows = np.arange(len(pairs))
    scored = list(zip(pairs.anchors[rows], pairs.candidates[rows], pairs.scores, strict=True))
    return spearman(encoder, scored), pairs.report.skipped.get(UNSCORED, 0)
