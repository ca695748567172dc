"""Models without a normaliser: learned by telling data from noise; the normaliser learned, fixed or estimated."""

from infomax.unnormalised.annealed import AnnealedNormaliser, annealed_importance_sampling
from infomax.unnormalised.conditional_nce import conditional_nce
from infomax.unnormalised.density_ratio import DensityRatio, density_ratio
from infomax.unnormalised.exact_reading import ExactReading
from infomax.unnormalised.hugging_face import SampledHead, sampled_head
from infomax.unnormalised.nce import NCE
from infomax.unnormalised.nce_fit import NCEFit
from infomax.unnormalised.normaliser import LogNormaliser, bennett, importance_sampling
from infomax.unnormalised.sampled_linear import SampledLinear
from infomax.unnormalised.telescoping import TelescopedRatio, telescoped_log_ratio
from infomax.unnormalised.tensorflow_signatures import (
    SampledValues,
    log_uniform_candidate_sampler,
    nce_loss,
    sampled_softmax_loss,
)

__all__ = [
    "NCE",
    "AnnealedNormaliser",
    "DensityRatio",
    "ExactReading",
    "LogNormaliser",
    "NCEFit",
    "SampledHead",
    "SampledLinear",
    "SampledValues",
    "TelescopedRatio",
    "annealed_importance_sampling",
    "bennett",
    "conditional_nce",
    "density_ratio",
    "importance_sampling",
    "log_uniform_candidate_sampler",
    "nce_loss",
    "sampled_head",
    "sampled_softmax_loss",
    "telescoped_log_ratio",
]
