"""The concatenated critic s_ij = f([x_i, y_j]): one network over the pair, the freest and the dearest.

Its first layer is a sum, W [x, y] + b = W_x x + (W_y y + b), so it costs N + M products instead of N·M; what is left runs
on blocks of pairs, whose hidden layers are forgotten and computed again in the backward pass: memory is that of the
N × M scores and of one block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from infomax.critics.layers import features, linear, network
from infomax.errors import InputError
from infomax.scores import Scores

BLOCK_NUMBERS = 1 << 20  # of one hidden layer: 4 MiB in float32


class Concatenated(nn.Module):
    """Scores of x (N, x_width) and y (M, y_width), as a stored N × M matrix.

    Args:
        x_width, y_width: columns of x and of y.
        hidden: widths of the hidden layers, at least one.
        generator: of the random start.

    >>> critic = Concatenated(3, 2, generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(4, 3), torch.ones(4, 2)).shape
    (4, 4)
    """

    def __init__(
        self,
        x_width: int,
        y_width: int,
        *,
        hidden: Sequence[int] = (128, 128),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not hidden:
            raise InputError(
                "a concatenated critic needs a hidden layer, else it is a sum of two functions: hidden=(128,)."
            )
        if x_width < 1 or y_width < 1:
            raise InputError(f"each side needs at least one input column; got {x_width} and {y_width}.")
        self.x_width, self.y_width, self.widest = x_width, y_width, max(hidden)
        self.first = linear(x_width + y_width, hidden[0], generator)
        self.rest = nn.Sequential(nn.GELU(), network((*hidden, 1), generator))

    def forward(self, x: Any, y: Any, **pairs: Any) -> Scores:
        """`pairs`: options of `Scores.from_dense`."""
        u, v = self._first(x, y)
        columns = max(1, min(len(v), BLOCK_NUMBERS // self.widest))
        rows = max(1, BLOCK_NUMBERS // (self.widest * columns))
        strips = (torch.cat([self._block(a, b) for b in v.split(columns)], 1) for a in u.split(rows))
        return Scores.from_dense(torch.cat(list(strips)), **pairs)

    def pairwise(self, x: Any, y: Any) -> Tensor:
        """(N,) scores of row i of x with row i of y, and of no other pairs."""
        u, v = self._first(x, y)
        if len(u) != len(v):
            raise InputError(f"pairs need as many rows of x as of y; got {len(u)} and {len(v)}.")
        return self.rest(u + v).squeeze(1)

    def _first(self, x: Any, y: Any) -> tuple[Tensor, Tensor]:
        of_x, of_y = self.first.weight.split([self.x_width, self.y_width], 1)
        u = nn.functional.linear(features(x, "x", self.x_width), of_x)
        return u, nn.functional.linear(features(y, "y", self.y_width), of_y, self.first.bias)

    def _block(self, u: Tensor, v: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return checkpoint(self._cells, u, v, use_reentrant=False, preserve_rng_state=False)
        return self._cells(u, v)

    def _cells(self, u: Tensor, v: Tensor) -> Tensor:
        """(rows, columns) scores of all pairs of a block."""
        return self.rest(u.unsqueeze(1) + v).squeeze(2)
