"""Training: `fit`, and what it gives back."""

from infomax.training.gradient_cache import cached_backward
from infomax.training.model_folder import load_saved
from infomax.training.optimizer import LazyAdam
from infomax.training.result import FitResult
from infomax.training.run import fit

__all__ = ["FitResult", "LazyAdam", "cached_backward", "fit", "load_saved"]
