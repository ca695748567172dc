"""Where candidates come from, with the log of how often: noise samplers, in-batch noise, queues of older keys."""

from infomax.candidates.continuous import ContinuousNoise, gaussian_fit, gaussian_mixture_fit
from infomax.candidates.drawn import Drawn
from infomax.candidates.inclusion import Everything, Inclusion, in_batch
from infomax.candidates.independent import IndependentDraws, LogUniform, Mixture, Uniform, Unigram
from infomax.candidates.mining import HardNegatives, mine_hard_negatives
from infomax.candidates.ngram import NGram
from infomax.candidates.queue import NO_ID, Queue
from infomax.candidates.sampler import Sampler

__all__ = [
    "NO_ID",
    "ContinuousNoise",
    "Drawn",
    "Everything",
    "HardNegatives",
    "Inclusion",
    "IndependentDraws",
    "LogUniform",
    "Mixture",
    "NGram",
    "Queue",
    "Sampler",
    "Uniform",
    "Unigram",
    "gaussian_fit",
    "gaussian_mixture_fit",
    "in_batch",
    "mine_hard_negatives",
]
