"""Where candidates come from, with the log of how often: noise samplers, queues."""

from infomax.candidates.drawn import Drawn
from infomax.candidates.sampler import Sampler

__all__ = ["Drawn", "Sampler"]
