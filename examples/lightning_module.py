"""An objective inside Lightning: two halves of a digit as a pair, any objective, the bound in nats as the validation metric.

    pip install lightning
    python examples/lightning_module.py

A Lightning module needs nothing of ours but `Scores` and an objective: the loss is a scalar like any other. What is logged is
`readout`'s lower bound on the information that the halves share, which unlike the loss does not depend on the batch size as long
as it stays below its ceiling.
"""

from __future__ import annotations

from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import normalize as unit
from torch.utils.data import DataLoader, TensorDataset

from infomax import Scores, info_nce, readout

try:
    import lightning
except ImportError:  # its older name
    import pytorch_lightning as lightning


class Pairs(lightning.LightningModule):
    """Two encoders and a temperature, learned by `objective`."""

    def __init__(self, objective: Any = info_nce, width: int = 32, learning_rate: float = 3e-3) -> None:
        super().__init__()
        self.objective, self.learning_rate = objective, learning_rate
        self.upper, self.lower = (nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, width)) for _ in range(2))
        self.log_temperature = nn.Parameter(torch.tensor(0.1).log())

    def scores(self, batch: Any) -> Scores:
        upper, lower = batch
        vectors = unit(self.upper(upper), dim=1), unit(self.lower(lower), dim=1)
        return Scores(*vectors, temperature=self.log_temperature.exp())

    def training_step(self, batch: Any, _: int) -> Tensor:
        loss: Tensor = self.objective(self.scores(batch)).mean()
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("bound_nats", readout(self.scores(batch)).bound, batch_size=len(batch[0]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.learning_rate)


def halves() -> tuple[TensorDataset, TensorDataset]:
    """Upper and lower halves of 1,797 digits, 8 by 8: four fifths to learn from, one to look at."""
    images = torch.from_numpy(load_digits().images).float() / 16
    images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    upper, lower = images[:, :4].flatten(1), images[:, 4:].flatten(1)
    cut = len(images) * 4 // 5
    return TensorDataset(upper[:cut], lower[:cut]), TensorDataset(upper[cut:], lower[cut:])


def train(epochs: int = 20, **options: Any) -> float:
    """Fit, and give the bound (nats) on the held-out fifth."""
    lightning.seed_everything(0, verbose=False)
    seen, held_out = halves()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        **options,
    )
    batches = DataLoader(seen, 256, shuffle=True, drop_last=True), DataLoader(held_out, len(held_out))
    trainer.fit(Pairs(), *batches)
    return float(trainer.callback_metrics["bound_nats"])


if __name__ == "__main__":
    print(f"at least {train():.2f} nats are shared by the halves of a digit")
