"""Where candidates come from, with the log of how often: noise samplers, in-batch noise."""

from infomax.candidates.drawn import Drawn
from infomax.candidates.inclusion import Everything, Inclusion, in_batch
from infomax.candidates.independent import IndependentDraws, LogUniform, Mixture, Uniform, Unigram
from infomax.candidates.sampler import Sampler

__all__ = [
    "Drawn",
    "Everything",
    "Inclusion",
    "IndependentDraws",
    "LogUniform",
    "Mixture",
    "Sampler",
    "Uniform",
    "Unigram",
    "in_batch",
]
