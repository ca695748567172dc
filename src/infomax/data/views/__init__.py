"""Views: two random looks at one item are a true pair, and what they do not share is what an encoder learns to drop.

Plain functions of a batch and a generator. Source: Chen et al. 2020 (SimCLR), arXiv:2002.05709, section 3; which views keep
which information: Tian et al. 2020, arXiv:2005.10243.
"""

from infomax.data.views.colours import gaussian_blur, jitter_colours, random_grayscale
from infomax.data.views.images import random_flip, random_resized_crop, simclr_view
from infomax.data.views.words import crop_words, drop_words, shuffle_words

__all__ = [
    "crop_words",
    "drop_words",
    "gaussian_blur",
    "jitter_colours",
    "random_flip",
    "random_grayscale",
    "random_resized_crop",
    "shuffle_words",
    "simclr_view",
]
