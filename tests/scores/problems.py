"""Score matrices of every kind, each with its definition written out plainly: the oracle of the contract tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from infomax.scores import Scores

INF = float("inf")


@dataclass
class Problem:
    """Inputs of `Scores`, and what they mean: `matrix`, `positive` and `live` by comparison of every cell."""

    anchors: Tensor
    candidates: Tensor
    temperature: Tensor
    options: dict = field(default_factory=dict)
    guide: tuple[Tensor, Tensor, Tensor] | None = None  # its anchors, its candidates, a limit a row

    def scores(self, backend: str, **more) -> Scores:
        options = dict(self.options, **more)
        return self.guided(
            Scores(self.anchors, self.candidates, temperature=self.temperature, backend=backend, **options)
        )

    def guided(self, scores: Scores) -> Scores:
        if self.guide is None:
            return scores
        anchors, candidates, limit = self.guide
        return scores.guided(Scores(anchors, candidates, temperature=0.7), limit)

    def leaves(self) -> list[Tensor]:
        found = [self.anchors, self.candidates, self.temperature]
        found += [
            self.options[k]
            for k in ("row_offset", "column_offset", "negatives", "positive_offset", "negative_offset")
            if k in self.options
        ]
        positives = self.options.get("positives")
        return found + ([positives] if isinstance(positives, Tensor) and positives.is_floating_point() else [])

    def to(self, dtype: torch.dtype) -> Problem:
        def convert(x):
            return x.detach().to(dtype).requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() else x

        options = {k: convert(v) for k, v in self.options.items()}
        return Problem(convert(self.anchors), convert(self.candidates), convert(self.temperature), options, self.guide)

    def shared(self) -> tuple[Tensor, Tensor, Tensor]:
        """(N, M) scores, positives, live cells of the shared candidates."""
        n, m, o = len(self.anchors), len(self.candidates), self.options
        s = self.anchors @ self.candidates.T / self.temperature
        if "row_offset" in o:
            s = s + o["row_offset"][:, None]
        if "column_offset" in o:
            s = s + o["column_offset"][None, :]
        positive, live = torch.zeros(n, m, dtype=torch.bool), torch.ones(n, m, dtype=torch.bool)
        positives = o.get("positives", torch.arange(n))
        if isinstance(positives, tuple):
            positive = positives[0][:, None] == positives[1][None, :]
        elif positives.ndim == 1:
            positive = positives[:, None] == torch.arange(m)[None, :]
        if "anchor_ids" in o:
            equal = o["anchor_ids"][:, None] == o["candidate_ids"][None, :]
            live = ~equal if isinstance(positives, tuple) else ~equal | positive
        if self.guide is not None:
            live &= (self.guide[0] @ self.guide[1].T / 0.7 <= self.guide[2][:, None]) | positive
        return s, positive & live, live

    def full(self) -> tuple[Tensor, Tensor, Tensor]:
        """The same with the row's own negatives and positive as further columns."""
        s, positive, live = self.shared()
        blocks = []
        if "negatives" in self.options:
            own = torch.einsum("nd,nkd->nk", self.anchors, self.options["negatives"]) / self.temperature
            if "negative_offset" in self.options:
                own = own + self.options["negative_offset"]
            blocks.append((own, False))
        p = self.options.get("positives")
        if isinstance(p, Tensor) and p.ndim == 2:
            own = (self.anchors * p).sum(1, keepdim=True) / self.temperature
            if "positive_offset" in self.options:
                own = own + self.options["positive_offset"][:, None]
            blocks.append((own, True))
        for block, is_true in blocks:
            if "row_offset" in self.options:
                block = block + self.options["row_offset"][:, None]
            s = torch.cat([s, block], 1)
            positive = torch.cat([positive, torch.full(block.shape, is_true)], 1)
            live = torch.cat([live, torch.ones(block.shape, dtype=torch.bool)], 1)
        return s, positive, live


def _seen(positive: Tensor, live: Tensor, positives: str) -> Tensor:
    return {"in": live, "out": live & ~positive, "only": positive}[positives]


def expected(problem: Problem, name: str, *, beta: float = 1.0, positives: str = "in", fn=None, k: int = 1):
    """The definition of each reduction."""
    s, positive, live = problem.full()
    m = len(problem.candidates)
    if name == "positive":
        return (s * positive).sum(1) / positive.sum(1)
    seen = _seen(positive, live, positives)
    if name in ("rows", "columns"):
        s, seen, axis = (s, seen, 1) if name == "rows" else (s[:, :m], seen[:, :m], 0)
        return torch.logsumexp((beta * s).masked_fill(~seen, -INF), axis)
    if name == "total":
        return (fn(s) * seen).sum(1)
    if name == "counts":
        return live.sum(1)
    if name == "rank":
        best = s.masked_fill(~positive, -INF).amax(1, keepdim=True)
        return ((s >= best) & live & ~positive).sum(1)
    if name == "hardest":
        return s.masked_fill(~_seen(positive, live, "out"), -INF).topk(k, 1)
    raise AssertionError(name)


def problems(n: int = 21, m: int = 34, d: int = 5, seed: int = 0, temperature: float = 0.3) -> dict[str, Problem]:
    """One of each kind, float64, rows of norm about 1."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return (torch.randn(*shape, generator=rng, dtype=torch.float64) / d**0.5).requires_grad_()

    def integers(high: int, length: int) -> Tensor:
        return torch.randint(high, (length,), generator=rng)

    def make(columns: int, guided: bool = False, **options) -> Problem:
        t = torch.tensor(temperature, dtype=torch.float64, requires_grad=True)
        guide = (normal(n, 3).detach(), normal(columns, 3).detach(), normal(n).detach().abs()) if guided else None
        return Problem(normal(n, d), normal(columns, d), t, options, guide)

    both_labels = integers(4, n)
    return {
        "square": make(n),
        "rectangular": make(m),
        "offsets": make(m, row_offset=normal(n), column_offset=normal(m)),
        "columns": make(m, positives=torch.randperm(m, generator=rng)[:n]),
        "shared columns": make(m, positives=integers(m, n)),
        "ids": make(m, anchor_ids=torch.arange(n) % 9, candidate_ids=torch.arange(m) % 9),
        "columns and ids": make(
            m, positives=torch.arange(n) + 3, anchor_ids=integers(9, n), candidate_ids=integers(9, m)
        ),
        "labels": make(m, positives=(torch.arange(n) % 4, torch.arange(m) % 5)),
        "labels of themselves": make(
            n, positives=(both_labels, both_labels), anchor_ids=torch.arange(n), candidate_ids=torch.arange(n)
        ),
        "labels and offsets": make(m, positives=(torch.arange(n) % 4, torch.arange(m) % 4), column_offset=normal(m)),
        "own positives": make(m, positives=normal(n, d)),
        "own positives and offsets": make(m, positives=normal(n, d), row_offset=normal(n), column_offset=normal(m)),
        "own positives, own negatives, all offsets": make(
            m,
            positives=normal(n, d),
            negatives=normal(n, 3, d),
            row_offset=normal(n),
            column_offset=normal(m),
            positive_offset=normal(n),
            negative_offset=normal(n, 3),
        ),
        "paired negatives": make(m, negatives=normal(n, 3, d)),
        "paired negatives only": make(0, positives=normal(n, d), negatives=normal(n, 3, d)),
        "guided": make(
            m,
            guided=True,
            positives=torch.arange(n) + 3,
            column_offset=normal(m),
            anchor_ids=integers(9, n),
            candidate_ids=integers(9, m),
        ),
        "guided labels": make(
            n,
            guided=True,
            positives=(both_labels, both_labels),
            anchor_ids=torch.arange(n),
            candidate_ids=torch.arange(n),
        ),
        "everything": make(
            m,
            negatives=normal(n, 2, d),
            row_offset=normal(n),
            column_offset=normal(m),
            anchor_ids=torch.arange(n) % 9,
            candidate_ids=torch.arange(m) % 9,
        ),
    }
