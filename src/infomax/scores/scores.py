"""`Scores`: the score matrix of anchors and candidates, lazy, streamed, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cached_property
from math import frexp
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import checks
from infomax.scores.dense import Dense
from infomax.scores.fused import kernels
from infomax.scores.gather import processes
from infomax.scores.gathered import of_all_processes
from infomax.scores.guide import Guide
from infomax.scores.one_tile import OneTile, OneTileCrossEntropy
from infomax.scores.product import product_for
from infomax.scores.shared_rows import SharedRows
from infomax.scores.streamed_scores import StreamedScores
from infomax.scores.tiles import LOG2E, LONG_BITS, Tiles
from infomax.scores.true_pairs import TruePairs

DENSE_CELLS = 1 << 14
CACHE_BYTES = 4 << 20


class Scores:
    """s_ij = <anchor_i, candidate_j> / temperature + row_offset_i + column_offset_j, never stored unless it is small.

    Args:
        anchors: (N, d) float16, bfloat16, float32 or float64; half precisions are summed in float32.
        candidates: (M, d), same dtype and device.
        temperature: a positive number, or a tensor of one entry (a Parameter, say) to differentiate through.
        row_offset, column_offset: (N,) and (M,), added to the scores; -log q(candidate) corrects for uneven sampling.
        positives: each row's true pair. None: row i with column i. (N,) int64: the column. (N, d) float: the positive
            itself, which is then not among the candidates (MoCo). A pair of int64 vectors, (N,) and (M,): labels; every
            cell of equal labels is a positive.
        anchor_ids, candidate_ids: (N,) and (M,) int64; a candidate with its row's id that is not the row's positive is a
            false negative and is left out. With labels a cell of equal ids is the item itself, and is left out.
        negatives: (N, K, d), further negatives that belong to one row each; columns M to M + K - 1.
        positive_offset, negative_offset: (N,) and (N, K), added to the scores of positives and negatives given apart, as
            `column_offset` is to those of the candidates.
        backend: "auto" (dense for small inputs, else streamed), "dense", "streamed", or "triton": streamed, with fused kernels
            on CUDA for `logsumexp` and `cross_entropy`. Other reductions, float64, guides and labels left out together with
            ids run as streamed. Checked in Triton's interpreter and compiled for sm_80 and sm_90; never yet timed or run on
            a GPU.
        cache: bytes of tiles that may be kept for the backward pass of a streamed reduction, to save it a product. None: the
            tiles are kept where all fit in 4 MiB. The kernels keep none.

    All reductions are in nats, and differentiable once in anchors, candidates, temperature, offsets and negatives.

    Raises:
        InputError: shapes, dtypes or devices that do not fit, NaN, a temperature out of the dtype's range, a backend that
            cannot run here.

    >>> s = Scores(torch.eye(3), torch.eye(3), temperature=0.5)
    >>> s.logsumexp() - s.positive()
    tensor([0.2395, 0.2395, 0.2395])
    >>> s
    Scores(3 x 3, d=3, float32, temperature=0.5, dense)
    """

    def __init__(
        self,
        anchors: Any,
        candidates: Any,
        *,
        temperature: Any = 1.0,
        row_offset: Any = None,
        column_offset: Any = None,
        positives: Any = None,
        anchor_ids: Any = None,
        candidate_ids: Any = None,
        negatives: Any = None,
        positive_offset: Any = None,
        negative_offset: Any = None,
        backend: str = "auto",
        cache: Any = None,
    ) -> None:
        checks.embeddings(anchors, candidates)
        checks.one_of("backend", backend, ("auto", "dense", "streamed", "triton"))
        n, m, device = len(anchors), len(candidates), anchors.device
        self.anchors, self.candidates, self.temperature = anchors, candidates, temperature
        self._temperature = checks.temperature(temperature, checks.wide(anchors.dtype))
        self.row_offset = checks.offset(row_offset, "row_offset", n, device)
        self.column_offset = checks.offset(column_offset, "column_offset", m, device)
        self.negatives = checks.paired(negatives, anchors)
        self.negative_offset = checks.paired_offset(negative_offset, negatives, device)
        self.true_pairs = TruePairs.of(positives, anchors, m, anchor_ids, candidate_ids, positive_offset)
        if backend == "triton":
            kernels(device)  # refuses where they cannot run
            backend = "streamed" if anchors.dtype == torch.float64 else backend
        if cache is not None and not (checks.is_whole(cache) and cache >= 0):
            raise InputError(f"cache must be a whole number of bytes, 0 or more; got {cache!r}.")
        self._auto = backend == "auto"
        small = n * (m + self._further) <= DENSE_CELLS
        self.backend = backend if backend != "auto" else "dense" if small else "streamed"
        everything = n * m * checks.wide(anchors.dtype).itemsize
        self.cache = cache if cache is not None else everything if everything <= CACHE_BYTES else 0
        self.matrix: Tensor | None = None  # set by `from_dense`
        self.processes = 1  # that share the work out; set by `shared`

    @classmethod
    def from_dense(
        cls, matrix: Any, *, positives: Any = None, anchor_ids: Any = None, candidate_ids: Any = None
    ) -> Scores:
        """Scores that a critic has computed already: (N, M), row i with column i true unless `positives` says otherwise.

        -inf leaves a candidate out, as in `dense()`: it is not counted, and no figure is called a bound. Where the critic itself
        finds a pair impossible, give a finite score instead, such as -1e30.

        Raises:
            InputError: no floating point matrix, NaN, +inf, or positives that are vectors or do not fit.
        """
        checks.matrix(matrix)
        if isinstance(positives, Tensor) and positives.is_floating_point():
            raise InputError(
                "positives of a dense matrix are columns or labels: append scores given apart as a column."
            )
        (n, m), ids = matrix.shape, {"anchor_ids": anchor_ids, "candidate_ids": candidate_ids}
        scores = cls(matrix.new_zeros(n, 1), matrix.new_zeros(m, 1), positives=positives, backend="dense", **ids)
        scores.matrix = matrix
        erased = torch.isneginf(matrix)
        return scores._of(replace(scores.true_pairs, erased=erased)) if bool(erased.any()) else scores

    @classmethod
    def gathered(cls, anchors: Any, candidates: Any, **options: Any) -> Scores:
        """The anchors of all processes against the candidates of all: every process gets the scores of the whole batch.

        After DDP's mean, gradients of any loss of these scores equal those of one process that has the whole batch; see
        `gather` for why. Rows come in the order of ranks, and processes may differ in how many they have. In a single
        process this is `Scores` itself.

        Costs in each process: one part in `processes` of the products (see `shared`); memory for the vectors of all, 2·(N + M)·d;
        (N + M)·d numbers received, and as many summed over all processes in the backward pass.

        Args:
            anchors, candidates: (N, d) and (M, d), the rows of this process.
            options: those of `Scores`, each about the rows of this process. Columns in `positives` are of its own candidates.
                Labels and ids are compared across processes: equal means equal everywhere. `temperature` is one for all.

        Raises:
            InputError: as `Scores`; or rows of another type or width, or an option left out, on another process.

        >>> Scores.gathered(torch.eye(3), torch.eye(3)).shape
        (3, 3)
        """
        if processes()[1] > 1:
            anchors, candidates, options = of_all_processes(anchors, candidates, options)
        return cls(anchors, candidates, **options).shared()

    def shared(self) -> Scores:
        """These scores, alike in all processes, with the work shared out: each streams its part of the rows, all get all results.

        A matrix of few cells (4 MiB of them), or from a critic, is computed whole in each process. For scores of vectors that
        were put together by `gather`; `gathered` does both.
        """
        shared = copy(self)
        worth = not self._auto or len(self.anchors) * len(self.candidates) * 4 > CACHE_BYTES
        streamed = self.backend != "dense" and len(self.anchors) >= processes()[1]
        shared.processes = processes()[1] if worth and streamed else 1
        return shared

    def with_row_offset(self, offset: Any) -> Scores:
        """These scores with a further offset (N,) on the anchors."""
        offset = checks.vector(offset, "offset", len(self.anchors), self.anchors.device, integer=False)
        shifted = copy(self)
        shifted.__dict__.pop("_peak", None)
        if self.matrix is not None:
            shifted.matrix = self.matrix + offset.unsqueeze(1)
        else:
            shifted.row_offset = offset if self.row_offset is None else self.row_offset + offset
        return shifted

    def turned(self) -> Scores:
        """Candidates as anchors: with one positive a row, only the candidates that are one, in the rows' order."""
        pairs, turned = self.true_pairs, self.true_pairs.turned()
        own = slice(None) if pairs.columns is None else pairs.columns
        labels = None if turned.labels is None else (turned.labels.row_keys, turned.labels.column_keys)
        if self.matrix is not None:
            return Scores.from_dense(self.matrix.t()[own], positives=labels)._of(turned)
        scores = Scores(
            self.candidates[own], self.anchors, temperature=self.temperature, column_offset=self.row_offset,
            row_offset=None if self.column_offset is None else self.column_offset[own],
            positives=labels, backend="auto" if self._auto else self.backend, cache=self.cache,
        )._of(turned)  # fmt: skip
        return scores.shared() if self.processes > 1 else scores

    @torch.no_grad()
    def guided(self, guide: Scores, limit: Any) -> Scores:
        """These scores without the candidates, true pairs apart, whose score by `guide` is above the row's `limit` (N,).

        `guide` scores the same cells; what exceeds the limit by no more than rounding stays. `objectives.guided` sets the limit.
        """
        limit = checks.vector(limit, "limit", len(self.anchors), self.anchors.device, integer=False)
        excess = guide.with_row_offset(-limit - guide._rounding)
        row, column = (None if x is None else x.detach() for x in (excess.row_offset, excess.column_offset))
        tiles = Tiles(
            guide.anchors.detach(), guide.candidates.detach(), 1 / guide._temperature, row, column, float("inf"),
            self.true_pairs.left_out(),
        )  # fmt: skip
        matrix = None if excess.matrix is None else excess.matrix.detach()
        return self._of(replace(self.true_pairs, hidden=Guide(tiles, matrix, self.true_pairs.source)))

    def allowing_no_negatives(self) -> Scores:
        """These scores; a row without negatives is not refused but has a cross-entropy of 0: for draws that may be empty.

        >>> Scores(torch.eye(1), torch.eye(1)).allowing_no_negatives().cross_entropy()
        tensor([0.])
        """
        return self._of(replace(self.true_pairs, may_lack_negatives=True))

    def _of(self, pairs: TruePairs) -> Scores:
        changed = copy(self)
        changed.true_pairs = pairs
        return changed

    @property
    def _further(self) -> int:
        return 0 if self.negatives is None else self.negatives.shape[1]

    @property
    def shape(self) -> tuple[int, int]:
        """Anchors, and columns: the candidates, then negatives and positives that are given apart."""
        return len(self.anchors), len(self.candidates) + self._further + (self.true_pairs.own is not None)

    def counts(self) -> Int[Tensor, " n"]:
        """(N,) live candidates of each row, its positives among them."""
        return self.true_pairs.live_counts() + self._further

    def dense(self) -> Float[Tensor, "n c"]:
        """The matrix itself, -inf where a candidate is left out: the shared candidates, then the row's own negatives, then
        the row's own positive where it is given apart. The definition of every reduction."""
        dense = self._dense
        return torch.where(dense.live, dense.s, float("-inf"))

    def positive(self) -> Float[Tensor, " n"]:
        """(N,) score of the true pair; the mean over the row's true pairs where labels give several."""
        self.true_pairs.check_present()
        return self._reductions.mean_positive()

    def logsumexp(self, over: str = "candidates", *, beta: Any = 1.0, positives: str = "in") -> Any:
        """log Σ exp(beta·s): (N,) over the candidates, (M,) over the anchors, or both in one pass as a tuple.

        `positives`: "in" the sum, "out" of it, or the "only" cells in it. Negatives and positives given apart belong to a
        row, so they count over candidates alone. A candidate without live anchors has -inf; an anchor without, an error.
        """
        checks.one_of("over", over, ("candidates", "anchors", "both"))
        checks.one_of("positives", positives, ("in", "out", "only"))
        if not (checks.is_finite(beta) and beta > 0):
            raise InputError(f"beta must be positive and finite; got {beta}.")
        if positives == "out":
            self.true_pairs.check_negatives(self._further)
        else:
            self.true_pairs.check_present()
        rows, columns = self._reductions.logsumexp(beta, positives, over != "candidates")
        return {"candidates": rows, "anchors": columns, "both": (rows, columns)}[over]

    def cross_entropy(self, over: str = "candidates", *, eager: bool = True) -> Any:
        """-log softmax of the true pair: (N,) over its row, (N,) over its column, or both in one pass as a tuple.

        Equal to `logsumexp(over) - positive()`, with the digits of small values kept. With labels, the mean over a row's
        true pairs, (N,), and over a column's, (M,). `eager` forms the gradient of the mean in the forward pass over
        candidates, which saves a product when all rows weigh the same; set it False where they do not.

        Source: van den Oord et al. 2018, arXiv:1807.03748, equation 4.
        """
        checks.one_of("over", over, ("candidates", "anchors", "both"))
        self.true_pairs.check_present()
        self.true_pairs.unguided().check_negatives(self._further)  # what a guide empties has a loss of 0
        if over == "candidates":
            return self._rows_cross_entropy(eager)
        self.true_pairs.check_distinct()
        turned = self.true_pairs.unguided().turned()
        turned.check_present("candidates")
        turned.check_negatives(0, "candidates that are a positive")
        if over == "anchors":
            return self.turned()._rows_cross_entropy(eager)
        if self.true_pairs.labels is not None or self.negatives is not None:
            return self._rows_cross_entropy(eager), self.turned()._rows_cross_entropy(eager)
        return self._one_tile_cross_entropy(both=True) or self._reductions.symmetric_cross_entropy()

    def total(self, fn: Callable[[Tensor], Tensor], *, positives: str = "out") -> Float[Tensor, " n"]:
        """(N,) Σ fn(s) over the live candidates of each row; `fn` pointwise and differentiable (softplus, exp, a hinge).

        What `fn` learns itself gets no gradient where scores are streamed, so that is refused: a bias goes into `row_offset`.
        """
        checks.one_of("positives", positives, ("in", "out", "only"))
        return self._reductions.total(fn, positives)

    def hardest(self, k: Any = 1, *, at_most: Any = None) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
        """((N, k), (N, k)): scores and columns of each row's best-scored negatives, best first.

        With `at_most` (N,), of those that score no higher. Rows with fewer live negatives are filled with -inf and column -1.
        Keeps N·k·d numbers where gradients are wanted.
        """
        if not (checks.is_whole(k) and k >= 1):
            raise InputError(f"k must be a whole number of at least 1; got {k!r}.")
        return self._reductions.hardest(k, checks.offset(at_most, "at_most", len(self.anchors), self.anchors.device))

    @torch.no_grad()
    def rank(self) -> Int[Tensor, " n"]:
        """(N,) int64: negatives that score at least as high as the row's (best) positive. 0 is a hit; ties are misses."""
        self.true_pairs.check_present()
        return self._reductions.rank()

    def _rows_cross_entropy(self, eager: bool) -> Tensor:
        if self.true_pairs.labels is not None:
            return self._reductions.logsumexp(1.0, "in", False)[0] - self._reductions.mean_positive()
        at_once = self._one_tile_cross_entropy(both=False)
        return self._reductions.row_cross_entropy(eager) if at_once is None else at_once

    def _one_tile_cross_entropy(self, both: bool) -> Any:
        """Over rows, and columns if `both`, where the matrix fits in one tile and all its scores are tame; else None."""
        plain = self.true_pairs.columns is not None and self.negatives is None
        tile_bytes = self.anchors.shape[0] * self.candidates.shape[0] * checks.wide(self.anchors.dtype).itemsize
        if not (self._auto and plain and tile_bytes <= min(self.cache, CACHE_BYTES)):
            return None
        row, column = self.row_offset, self.column_offset
        scale = self._scale if isinstance(self.temperature, Tensor) else None
        with checks.no_autocast(self.anchors.device):
            number = 1 / self._temperature if scale is None else float(scale.detach())
            tile = OneTile.of(self.anchors, self.candidates, number, row, column, self.true_pairs, self._peak)
            if tile is None:
                return None
            return OneTileCrossEntropy.apply(self.anchors, self.candidates, scale, row, column, tile, both)

    # Nothing that autograd may walk through is kept: a value made under no_grad, or freed by a backward pass, must not come back.

    @property
    def _scale(self) -> Tensor:
        if isinstance(self.temperature, Tensor):
            return 1 / self.temperature.reshape(())
        return torch.tensor(1 / self._temperature, dtype=torch.float64, device=self.anchors.device)

    @property
    def _reductions(self) -> Dense | StreamedScores | SharedRows:
        if self.backend == "dense":
            return self._dense
        return self._streamed if self.processes == 1 else SharedRows.of(self._streamed)

    @property
    def _streamed(self) -> StreamedScores:
        return StreamedScores(
            self.anchors, self.candidates, self._scale, self.row_offset, self.column_offset, self.negatives,
            self.negative_offset, self.true_pairs, self._peak, self.cache if torch.is_grad_enabled() else 0,
            self.backend == "triton",
        )  # fmt: skip

    @cached_property
    def _peak(self) -> float:
        """A bound on |s| in bits, by Cauchy and Schwarz; higher where 2^s meets long vectors. Refuses what overflows, and NaN."""
        sides = {"candidates": self.candidates, "negatives": self.negatives, "positives": self.true_pairs.own}
        norm = max(checks.largest_norm(x, name) for name, x in sides.items() if x is not None)
        offsets = {
            "column_offset": self.column_offset,
            "negative_offset": self.negative_offset,
            "positive_offset": self.true_pairs.own_offset,
        }
        offset = max(checks.largest_entry(x, name) for name, x in offsets.items())
        offset += checks.largest_entry(self.row_offset, "row_offset")
        own = checks.largest_norm(self.anchors, "anchors")
        peak = (own * norm / self._temperature + offset) * LOG2E
        if not peak < torch.finfo(checks.wide(self.anchors.dtype)).max / 16:
            raise InputError(
                f"scores may reach {peak / LOG2E:.3g}, out of the range of {self.anchors.dtype}: "
                "normalise the embeddings, raise the temperature, or use float64."
            )
        return peak + max(0, frexp(max(own, norm))[1] - LONG_BITS)

    @property
    def _rounding(self) -> float:
        """More than two sums of the same score in another order can differ by."""
        largest = self._peak / LOG2E
        if self.matrix is not None:
            largest = float(self.matrix.masked_fill(self.matrix.isneginf(), 0.0).abs().max())
        return 8 * torch.finfo(checks.wide(self.anchors.dtype)).eps * largest

    @property
    def _dense(self) -> Dense:
        positive, live = self.true_pairs.masks()
        if self.matrix is not None:
            return Dense(self.matrix.to(checks.wide(self.matrix.dtype)), positive, live, self.shape[1])
        assert self._peak >= 0  # refuses bad numbers
        dtype, apart = checks.wide(self.anchors.dtype), []
        with torch.autocast(self.anchors.device.type, enabled=False):
            s = self.anchors.to(dtype) @ self.candidates.to(dtype).t() * self._scale.to(dtype)
        if self.row_offset is not None:
            s = s + self.row_offset.to(dtype).unsqueeze(1)
        if self.column_offset is not None:
            s = s + self.column_offset.to(dtype)
        paired = self._streamed.paired
        if paired is not None:
            apart.append((paired, False))
        if self.true_pairs.own is not None:
            apart.append((self._streamed.mean_positive().unsqueeze(1), True))
        for block, true in apart:
            s = torch.cat([s, block], 1)
            positive = torch.cat([positive, torch.full_like(block, true, dtype=torch.bool)], 1)
            live = torch.cat([live, torch.ones_like(block, dtype=torch.bool)], 1)
        return Dense(s, positive, live, len(self.candidates))

    def __repr__(self) -> str:
        (n, m), how, dtype = self.shape, self.backend, str(self.anchors.dtype).removeprefix("torch.")
        if how == "streamed":
            how += f" by {product_for(checks.wide(self.anchors.dtype), self.anchors.device).__name__}"
        if self.processes > 1:
            how += f", shared by {self.processes} processes"
        if self.matrix is not None:
            return f"Scores({n} x {m}, {dtype}, {how})"
        return f"Scores({n} x {m}, d={self.anchors.shape[1]}, {dtype}, temperature={self._temperature:g}, {how})"
