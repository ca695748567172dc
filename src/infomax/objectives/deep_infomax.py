"""Deep InfoMax: what a vector of a whole tells about its parts, an image about its patches, in nats.

Local: the part at each place of an item and the vector of the item were drawn together, the same part and the vector of
another item by chance. Parts are the anchors and wholes the candidates, so any objective of `Scores` applies as it is:
`jensen_shannon(local_scores(parts, wholes))`, likewise `donsker_varadhan` and `info_nce`. The mean over the places of
I(part; whole) is what InfoNCE then bounds from below, by at most log N. Global: the whole item against its vector is
`critic(items.flatten(1), wholes)`, plain pairs. Critics: `dot` and `Separable` are "encode and dot", `Concatenated` is
"concat and convolve" (a network of 1 × 1 convolutions is one network on each part).

Source: Hjelm et al. 2019, arXiv:1808.06670, equations 4 (Jensen-Shannon), 2 (Donsker-Varadhan), 5 (InfoNCE), 6 (local).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.critics import dot
from infomax.errors import InputError
from infomax.scores import Scores


def local_scores(parts: Any, wholes: Any, critic: Callable[..., Scores] = dot, **options: Any) -> Scores:
    """Scores of all N·L parts (anchors, item by item) with all N wholes; a part's true pair is its own item's whole.

    Args:
        parts: (N, L, c), L places of N items, as `encoders.ConvEncoder.maps` gives them.
        wholes: (N, d), the items' vectors.
        critic: (x, y, positives=) -> Scores; `dot` wants c = d.
        options: of the critic: a temperature, say.

    Raises:
        InputError: shapes that do not fit.

    >>> local_scores(torch.ones(4, 9, 2), torch.ones(4, 2)).shape
    (36, 4)
    """
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (parts, wholes)]
    if [len(s) for s in shapes] != [3, 2] or shapes[0][0] != shapes[1][0]:
        raise InputError(
            f"parts must be (N, L, c), L places of each of the N wholes (N, d); got {shapes[0]} and {shapes[1]}."
        )
    n, places, _ = parts.shape
    item = torch.arange(n, device=parts.device).repeat_interleave(places)
    return critic(parts.flatten(0, 1), wholes, positives=item, **options)


def whole_info_nce(scores: Scores) -> Float[Tensor, " n"]:
    """(N·L,) InfoNCE in the published direction: the whole looks for its part among all parts of the other items.

    -log( e^{s_p} / (e^{s_p} + Σ over parts q of other items of e^{s_q}) ), s the scores with the whole of p's item; the
    item's other parts are left out. A constant critic has log(1 + (N - 1)·L). No bound is claimed: the parts of one
    item are not independent draws. `info_nce` of the same scores is one.

    Args:
        scores: of `local_scores`, or any with one true column an anchor.

    Raises:
        InputError: labels, or a positive that is no candidate.

    >>> whole_info_nce(local_scores(torch.zeros(3, 2, 1), torch.zeros(3, 1)))[:2]  # log 5
    tensor([1.6094, 1.6094])
    """
    whole = scores.true_pairs.columns
    if whole is None:
        raise InputError("whole_info_nce needs one true column an anchor: take the scores from local_scores.")
    others = scores.logsumexp("anchors", positives="out")
    return -logsigmoid(scores.positive() - others[whole])
