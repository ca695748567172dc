"""Models without a normaliser: learned by telling data from noise; the normaliser learned, fixed or estimated."""

from infomax.unnormalised.sampled_linear import ExactReading, SampledLinear

__all__ = ["ExactReading", "SampledLinear"]
