"""infomax as it comes: tiles, and no cache beyond the 4 MiB that small batches get by default."""

import torch
from torch import Tensor

from benchmarks.rival import Rival
from infomax.objectives import info_nce
from infomax.scores import Scores


def loss(objective: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    if objective != "nt_xent":
        return info_nce(Scores(q, k, temperature=temperature), symmetric=objective == "symmetric").mean()
    views, own = torch.cat([q, k]), torch.arange(2 * len(q))
    scores = Scores(
        views, views, temperature=temperature, positives=own.roll(len(q)), anchor_ids=own, candidate_ids=own
    )
    return info_nce(scores).mean()


RIVAL = Rival("infomax", ("infomax",), loss, ("one_way", "symmetric", "nt_xent"))
