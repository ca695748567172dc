"""(x, y) -> Scores: what scores a pair."""

from infomax.critics.bilinear import Bilinear
from infomax.critics.concatenated import Concatenated
from infomax.critics.gaussian import GaussianConditional, gaussian_conditional
from infomax.critics.products import cosine, distance, dot
from infomax.critics.separable import Separable

__all__ = [
    "Bilinear",
    "Concatenated",
    "GaussianConditional",
    "Separable",
    "cosine",
    "distance",
    "dot",
    "gaussian_conditional",
]
