"""Exact quantities of known distributions, closed forms of known laws, and estimates from counts."""

from infomax.information.adjusted_mutual_information import adjusted_mutual_information
from infomax.information.chance import expected_mutual_information
from infomax.information.channels import (
    Capacity,
    binary_erasure_capacity,
    binary_erasure_channel,
    binary_symmetric_capacity,
    binary_symmetric_channel,
    channel_capacity,
    joint_through,
    z_capacity,
    z_channel,
)
from infomax.information.closed_forms import (
    gamma_exponential_mutual_information,
    student_t_mutual_information,
    uniform_noise_mutual_information,
    uniform_window_mutual_information,
)
from infomax.information.divergences import cross_entropy, jensen_shannon_divergence, kl_divergence
from infomax.information.entropies import conditional_entropy, entropy, joint_entropy, log_odds, self_information
from infomax.information.entropy_estimators import (
    chao_shen,
    chao_wang_jost,
    grassberger,
    james_stein,
    miller_madow,
    plug_in,
    schurmann,
)
from infomax.information.from_counts import (
    conditional_mutual_information_from_counts,
    entropy_from_counts,
    mutual_information_from_counts,
)
from infomax.information.gaussian import (
    correlation_mutual_information,
    gaussian_channel_capacity,
    gaussian_conditional_mutual_information,
    gaussian_entropy,
    gaussian_mutual_information,
)
from infomax.information.mutual_information import (
    conditional_mutual_information,
    mutual_information,
    normalised_mutual_information,
    pointwise_mutual_information,
)
from infomax.information.nsb import nsb
from infomax.information.several_variables import interaction_information, total_correlation

__all__ = [
    "Capacity",
    "adjusted_mutual_information",
    "binary_erasure_capacity",
    "binary_erasure_channel",
    "binary_symmetric_capacity",
    "binary_symmetric_channel",
    "channel_capacity",
    "chao_shen",
    "chao_wang_jost",
    "conditional_entropy",
    "conditional_mutual_information",
    "conditional_mutual_information_from_counts",
    "correlation_mutual_information",
    "cross_entropy",
    "entropy",
    "entropy_from_counts",
    "expected_mutual_information",
    "gamma_exponential_mutual_information",
    "gaussian_channel_capacity",
    "gaussian_conditional_mutual_information",
    "gaussian_entropy",
    "gaussian_mutual_information",
    "grassberger",
    "interaction_information",
    "james_stein",
    "jensen_shannon_divergence",
    "joint_entropy",
    "joint_through",
    "kl_divergence",
    "log_odds",
    "miller_madow",
    "mutual_information",
    "mutual_information_from_counts",
    "normalised_mutual_information",
    "nsb",
    "plug_in",
    "pointwise_mutual_information",
    "schurmann",
    "self_information",
    "student_t_mutual_information",
    "total_correlation",
    "uniform_noise_mutual_information",
    "uniform_window_mutual_information",
    "z_capacity",
    "z_channel",
]
