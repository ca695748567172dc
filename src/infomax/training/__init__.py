"""Training: `fit`, and what it gives back."""

from infomax.training.distinct import DistinctBatches, distinct_batches
from infomax.training.gradient_cache import cached_backward, cached_loss
from infomax.training.model_folder import load_saved
from infomax.training.optimizer import LazyAdam
from infomax.training.plan import Plan, plan
from infomax.training.result import FitResult
from infomax.training.run import fit

__all__ = [
    "DistinctBatches",
    "FitResult",
    "LazyAdam",
    "Plan",
    "cached_backward",
    "cached_loss",
    "distinct_batches",
    "fit",
    "load_saved",
    "plan",
]
