"""`NCE`: a density known up to its normaliser, learned by telling observations from noise.

With T observations and ν T draws of a noise q that can be evaluated, logistic regression on the log-odds
G = log p̃ + c - log(ν q) learns the parameters of p̃ and c = -log Z together: no normaliser is ever computed.
Source: Gutmann & Hyvärinen 2012, JMLR 13, "Noise-contrastive estimation of unnormalized statistical models".
"""

from __future__ import annotations

from operator import index
from typing import Any

import torch
from torch import Tensor, nn

from infomax.candidates.continuous import ContinuousNoise, as_noise
from infomax.errors import InfomaxError, InputError
from infomax.objectives import binary_nce
from infomax.scores import Scores
from infomax.unnormalised.bennett import bennett_shift
from infomax.unnormalised.nce_fit import NCEFit, Sample, read_fit
from infomax.unnormalised.observed import generator, kind_of, log_model, log_ratio, observations


class NCE:
    """Noise-contrastive estimation of an unnormalised density.

    Args:
        model: module giving log p̃, (n,), of observations (n, *event); learned in place. It must not be able to add a
            constant to log p̃: that is c's part.
        noise: `ContinuousNoise`, or a torch distribution; near the data's law is best (`gaussian_fit(x)`).
        nu: noise draws an observation. `NCEFit.efficiencies` says what more of them would bring.
        steps: at most so many of L-BFGS on all observations, or exactly so many of Adam where `batch` is given.
        batch: observations a step of Adam, for samples too large for L-BFGS; their noise comes with them.
        learning_rate: of Adam; it falls to 0 along the steps.
        parameter_limit: above so many parameters there are no standard errors.

    >>> from infomax.candidates import gaussian_fit
    >>> class Bell(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.precision = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    ...     def forward(self, x):
    ...         return -0.5 * self.precision * x**2
    >>> x = 2 * torch.randn(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> fit = NCE(Bell(), gaussian_fit(x)).fit(x)
    >>> round(fit.log_normaliser, 1)  # log(2 √(2π)) = 1.61
    1.6
    """

    def __init__(
        self,
        model: Any,
        noise: Any,
        nu: Any = 10,
        *,
        steps: int = 500,
        batch: int | None = None,
        learning_rate: int | float = 1e-2,
        parameter_limit: int = 200,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise InputError(f"model must be a torch module giving log p̃; got {type(model).__name__}.")
        try:
            self.nu = index(nu)
        except TypeError:
            self.nu = 0
        if self.nu < 1:
            raise InputError(f"nu must be a positive integer, the noise draws an observation; got {nu!r}.")
        if steps < 1 or (batch is not None and batch < 1):
            raise InputError(f"steps and batch must be at least 1; got steps={steps}, batch={batch}.")
        self.model, self.noise = model, as_noise(noise)
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.parameter_limit = parameter_limit

    def fit(self, x: Any, *, rng: Any = None) -> NCEFit:
        """Learn the model's parameters, in place, and its normaliser.

        Args:
            x: (T, *event) observations; taken to the model's number type and device.
            rng: `torch.Generator` of the noise and the batches; by default one of seed 0.

        Raises:
            InputError: x of another shape than the noise, empty or not finite; noise without density at an observation; a
                model that is not finite there or at the noise.
            InfomaxError: the optimiser ran into NaN.
        """
        rng = generator(rng)
        sample = self._sample(observations(x, self.noise.event_shape, self.model), rng)
        start = bennett_shift(
            log_ratio(self.model, self.noise, sample.x, "observations"),
            log_ratio(self.model, self.noise, sample.y, "noise draws"),
        )  # where c would be the best for the model as it stands: far noise then has a slope to follow
        c = sample.log_q_x.new_tensor(start).requires_grad_()
        learned = [*(p for p in self.model.parameters() if p.requires_grad), c]
        if self.batch is None:
            self._on_all(sample, c, learned)
        else:
            self._on_batches(sample, c, learned, rng)
        if not all(bool(torch.isfinite(p).all()) for p in learned):
            raise InfomaxError("the fit ran into NaN: scale the data, start the model nearer, or use a smaller rate.")
        return read_fit(self.model, self.noise, sample, float(c.detach()), self.nu, self.parameter_limit)

    def _sample(self, x: Tensor, rng: torch.Generator) -> Sample:
        dtype, device = kind_of(self.model)
        y = self.noise.draw(self.nu * len(x), rng).to(device, dtype)
        return Sample(x, y, *(_log_q(self.noise, points).to(dtype) for points in (x, y)))

    def _loss(self, sample: Sample, c: Tensor) -> Tensor:
        return nce_loss(
            log_model(self.model, sample.x) + c - sample.log_q_x, log_model(self.model, sample.y) + c - sample.log_q_y
        )

    def _on_all(self, sample: Sample, c: Tensor, learned: list[Tensor]) -> None:
        optimiser = torch.optim.LBFGS(
            learned, max_iter=self.steps, max_eval=2 * self.steps, history_size=20, line_search_fn="strong_wolfe",
            tolerance_grad=1e-10, tolerance_change=1e-14,
        )  # fmt: skip

        def closure() -> Tensor:
            optimiser.zero_grad()
            loss = self._loss(sample, c)
            loss.backward()
            return loss

        optimiser.step(closure)

    def _on_batches(self, sample: Sample, c: Tensor, learned: list[Tensor], rng: torch.Generator) -> None:
        optimiser = torch.optim.Adam(learned, lr=self.learning_rate)
        slower = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / self.steps)
        draws = torch.arange(self.nu)
        for _ in range(self.steps):
            rows = torch.randint(len(sample.x), (self.batch or 1,), generator=rng, device=rng.device).cpu()
            noise = (self.nu * rows[:, None] + draws).flatten()  # each observation keeps its own draws
            optimiser.zero_grad()
            self._loss(sample.rows(rows.to(c.device), noise.to(c.device)), c).backward()
            optimiser.step()
            slower.step()


def nce_loss(log_ratio_x: Tensor, log_ratio_y: Tensor) -> Tensor:
    """Mean binary NCE over observations, each with ν of the draws: log p/q at (T,) observations and (νT,) noise draws."""
    draws = log_ratio_y.reshape(len(log_ratio_x), -1)
    shift = torch.tensor(float(draws.shape[1]), dtype=draws.dtype).log().to(draws.device)
    one = torch.ones_like(draws[:, :1])
    odds = (log_ratio_x - shift).unsqueeze(1), (draws - shift).unsqueeze(2)
    return binary_nce(Scores(one, one[:0], positives=odds[0], negatives=odds[1])).mean()


def _log_q(noise: ContinuousNoise, points: Tensor) -> Tensor:
    with torch.no_grad():
        return noise.log_prob(points)
