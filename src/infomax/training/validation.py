"""The yardstick of early stopping: InfoNCE over blocks of a fixed number of held-out candidates.

The loss of a batch says little across settings, because more candidates make a harder task and lift the ceiling log C.
Here C is fixed, and so are the blocks: values can be compared between steps, batch sizes and runs.
"""

from __future__ import annotations

from math import log

import numpy as np
import torch

from infomax.data.pairs import Pairs
from infomax.evaluation.held_out import embed_pairs
from infomax.objectives import info_nce
from infomax.scores import Scores, gather
from infomax.scores.gather import processes
from infomax.training.learner import Learner
from infomax.training.parts import take
from infomax.training.processes import own_part


class Validation:
    """Held-out pairs in fixed blocks.

    Args:
        pairs: at least two, not those of the report.
        candidates: C, the rows of a block; all of them if there are fewer. Rows that fill no block are left out.
        normalize: bring vectors to unit length.
        seed: of the order in which rows go to blocks.
    """

    def __init__(self, pairs: Pairs, candidates: int, *, normalize: bool, seed: int) -> None:
        self._shared = len(pairs) >= processes()[1]  # each process then encodes its part
        self._pairs = take(pairs, own_part(np.arange(len(pairs)))) if self._shared else pairs
        self._normalize = normalize
        size = min(candidates, len(pairs))
        order = np.random.default_rng(seed).permutation(len(pairs))
        self.blocks = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]

    @torch.no_grad()
    def __call__(self, learner: Learner) -> dict[str, float]:
        """`validation_loss`, `validation_ceiling` and `validation_bound` (nats) at the learner's temperature."""
        anchors, candidates = embed_pairs(learner.encoder, self._pairs, normalize=self._normalize)
        if self._shared:
            anchors, candidates = gather(anchors), gather(candidates)
        temperature = float(learner.temperature())
        losses = [
            info_nce(Scores(anchors[rows], candidates[rows], temperature=temperature), symmetric=True).double().mean()
            for rows in map(torch.from_numpy, self.blocks)
        ]
        loss, ceiling = float(torch.stack(losses).mean()), log(len(self.blocks[0]))
        return {"validation_loss": loss, "validation_ceiling": ceiling, "validation_bound": ceiling - loss}
