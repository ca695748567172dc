"""torch-mist by its one call and its defaults: SMILE, at most ten epochs, early stopping."""

import torch
from torch_mist import estimate_mi

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    torch.manual_seed(sample.seed)
    torch.set_num_threads(1)
    sides = tuple(torch.tensor(side, dtype=torch.float32) for side in (sample.x, sample.y))
    return float(estimate_mi(sides, verbose=False, logger=False))


RIVAL = Rival("torch-mist, SMILE", ("torch-mist", "torch"), nats)
