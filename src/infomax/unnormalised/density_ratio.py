"""log p/q from samples of both: the log-odds of a classifier that tells them apart, once prior odds are taken off.

What the classifier says of samples it never saw is itself a divergence: ½ E_p log 2σ(r) + ½ E_q log 2σ(-r) is at most the
Jensen-Shannon divergence of p and q, equal at r = log p/q, and at most log 2. Source: Sugiyama, Suzuki & Kanamori 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from infomax.errors import InfomaxError, InputError
from infomax.unnormalised.observed import generator, kind_of, log_model, rows_of

FAR = 0.95  # of log 2
LEAST = 10  # rows a side: 2 of them held out


@dataclass(frozen=True)
class DensityRatio:
    """An estimated log p/q: call it on (n, *event) for an array (n,), in nats.

    Attributes:
        log_ratio: the function behind the call.
        score, score_error: on held-out rows, ½ mean log 2σ(r) over p's + ½ mean log 2σ(-r) over q's, and its standard error:
            in expectation at most the Jensen-Shannon divergence of p and q, so at most log 2. 0 is what a constant 0 has.
        method: in words.
        n_p, n_q: rows learned from.
        held_out_p, held_out_q: rows of the score.
        event: shape of a row.
        cautions: (kind, sentence): "far" (the two hardly overlap), "nothing told apart".
    """

    log_ratio: Callable[[np.ndarray], np.ndarray]
    score: float
    score_error: float
    method: str
    n_p: int
    n_q: int
    held_out_p: int
    held_out_q: int
    event: tuple[int, ...]
    cautions: tuple[tuple[str, str], ...] = ()

    def __call__(self, x: Any) -> np.ndarray:
        """(n,) float64 log p/q at (n, *event).

        Raises:
            InputError: rows of another shape, or values that are not finite.
        """
        rows = rows_of(x, "x")
        if rows.shape[1:] != self.event:
            raise InputError(f"x must be rows of shape {self.event}, like those learned from; got {rows.shape}.")
        return self.log_ratio(rows)

    def __str__(self) -> str:
        line = f"log density ratio by {self.method}: score {self.score:.3f} of at most {log(2):.3f} nats "
        line += f"(standard error {self.score_error:.3f}), from {self.n_p:,} and {self.n_q:,} rows"
        return "\n".join([line, *(f"warning: {text}" for _, text in self.cautions)])


def density_ratio(
    x_p: Any,
    x_q: Any,
    *,
    model: nn.Module | None = None,
    held_out: int | float = 0.2,
    steps: int = 1000,
    batch: int = 256,
    learning_rate: int | float = 1e-3,
    rng: Any = None,
) -> DensityRatio:
    """Learn log p/q from rows of p and of q.

    Args:
        x_p, x_q: (n, *event) and (m, *event), at least 10 rows each.
        model: module giving (n,) of (n, *event), learned in place by Adam; a further share `held_out` of the rows chooses
            the step. By default logistic regression on standardised values, their squares and products, by scikit-learn:
            right for any two Gaussians, and meant for at most some hundred columns.
        held_out: share of either side's rows kept for the score; rows at the same place of equally long sides go together.
        steps, batch, learning_rate: of Adam.
        rng: `torch.Generator` of the split and the batches; by default one of seed 0.

    Raises:
        InputError: shapes that do not fit, too few rows, values that are not finite.

    >>> rng = np.random.default_rng(0)
    >>> ratio = density_ratio(rng.normal(1, 1, 4000), rng.normal(0, 1, 4000))
    >>> ratio([1.5, 2.5]).round()  # the truth is x - 1/2
    array([1., 2.])
    """
    p, q = rows_of(x_p, "x_p"), rows_of(x_q, "x_q")
    if p.shape[1:] != q.shape[1:]:
        raise InputError(f"x_p and x_q must hold the same kind of rows; got {p.shape[1:]} and {q.shape[1:]}.")
    if min(len(p), len(q)) < LEAST:
        raise InputError(f"x_p and x_q need at least {LEAST} rows each; got {len(p)} and {len(q)}.")
    if not 0 < held_out < 0.5:
        raise InputError(f"held_out must lie between 0 and 0.5; got {held_out}.")
    rng = generator(rng)
    seed = int(torch.randint(2**62, (), generator=rng))
    (p_learn, p_test), (q_learn, q_test) = (_split(side, held_out, seed) for side in (p, q))
    if model is None:
        method, log_ratio = "quadratic logistic regression", _quadratic(p_learn, q_learn)
    else:
        method = f"{type(model).__name__} by Adam"
        log_ratio = _module(model, p_learn, q_learn, held_out, steps, batch, learning_rate, seed, rng)
    score, error = _score(log_ratio(p_test), log_ratio(q_test))
    sizes = len(p_learn), len(q_learn), len(p_test), len(q_test)
    return DensityRatio(log_ratio, score, error, method, *sizes, p.shape[1:], tuple(_cautions(score, error)))


def _split(rows: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(what is left, the share); the same places for equally many rows, so that pairs stay together."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed)).numpy()
    cut = max(1, round(share * len(rows)))
    return rows[order[cut:]], rows[order[:cut]]


def _quadratic(p: np.ndarray, q: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    def flat(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), -1)

    steps = StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()
    classifier = make_pipeline(*steps, LogisticRegression(max_iter=1000))
    classifier.fit(np.concatenate([flat(p), flat(q)]), np.repeat([1, 0], [len(p), len(q)]))
    prior = log(len(p) / len(q))
    return lambda x: classifier.decision_function(flat(x)) - prior


def _module(
    model: nn.Module, p: np.ndarray, q: np.ndarray, share: float, steps: int, batch: int, rate: int | float, seed: int,
    rng: torch.Generator,
) -> Callable[[np.ndarray], np.ndarray]:  # fmt: skip
    dtype, device = kind_of(model)
    sides = [[torch.from_numpy(part).to(device, dtype) for part in _split(side, share, seed)] for side in (p, q)]
    (p_train, p_choice), (q_train, q_choice) = sides
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    best, kept = float("inf"), deepcopy(model.state_dict())
    for step in range(1, steps + 1):
        rows_p, rows_q = (torch.randint(len(side), (batch,), generator=rng).to(device) for side in (p_train, q_train))
        optimiser.zero_grad()
        _loss(model, p_train[rows_p], q_train[rows_q]).backward()
        optimiser.step()
        if step % 25 == 0 or step == steps:
            with torch.no_grad():
                now = float(_loss(model, p_choice, q_choice))
            if now < best:
                best, kept = now, deepcopy(model.state_dict())
    if best == float("inf"):
        raise InfomaxError("the model ran into NaN: scale the data or use a smaller learning_rate.")
    model.load_state_dict(kept)

    def log_ratio(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return log_model(model, torch.from_numpy(x).to(device, dtype)).double().cpu().numpy()

    return log_ratio


def _loss(model: nn.Module, p: Tensor, q: Tensor) -> Tensor:
    """Both sides weigh the same, however many rows they have, so the log-odds are the log ratio."""
    return softplus(-log_model(model, p)).mean() + softplus(log_model(model, q)).mean()


def _score(of_p: np.ndarray, of_q: np.ndarray) -> tuple[float, float]:
    gains = [(logsigmoid(torch.from_numpy(r)) + log(2)) / 2 for r in (of_p, -of_q)]
    variance = sum(float(gain.var(correction=0)) / len(gain) for gain in gains)
    return float(sum(gain.mean() for gain in gains)), sqrt(variance)


def _cautions(score: float, error: float) -> list[tuple[str, str]]:
    if score > FAR * log(2):
        text = "p and q hardly overlap: between them the log ratio is guessed; use telescoped_log_ratio."
        return [("far", text)]
    if score < 2 * error:
        return [("nothing told apart", "held-out rows of p and q are told apart no better than by chance.")]
    return []
