"""Any objective as a loss of sentence-transformers: for its trainer, its evaluation loss and its model card.

    loss = ObjectiveLoss(model, info_nce, temperature=0.05)      # MultipleNegativesRankingLoss(model, scale=20), streamed
    loss = ObjectiveLoss(model, partial(hard_negative, beta=0.5), chunk=32)      # any batch size in the memory of 32 texts

Columns are those of `MultipleNegativesRankingLoss`: anchor, positive, and any number of negatives; an anchor is told from the
positives and the negatives of all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize as unit

from infomax.errors import InputError
from infomax.objectives import info_nce
from infomax.scores import Scores
from infomax.training import cached_loss
from infomax.training.settings import between, name_of, whole


class ObjectiveLoss(nn.Module):
    """A loss that learns from pairs, as `SentenceTransformerTrainer(loss=...)` wants it.

    Args:
        model: a `SentenceTransformer`.
        objective: Scores -> (N,) losses, such as `functools.partial(info_nce, symmetric=True)`.
        temperature: of the cosines; 0.05 is the scale of 20 of `MultipleNegativesRankingLoss`.
        learn_temperature: learn its logarithm along with the model, in the trainer's optimizer. The trainer's checkpoints hold
            the model alone: to resume, save `loss.state_dict()` too and load it first (so with an objective that is a module).
        chunk: texts that are encoded at a time, as `mini_batch_size` of the Cached losses: memory for one chunk, at the price
            of one more forward pass; the gradient is the same. None: the whole batch.

    Raises:
        InputError: a temperature or a chunk out of range.
    """

    def __init__(
        self,
        model: Any,
        objective: Callable[[Scores], Tensor] = info_nce,
        temperature: Any = 0.05,
        *,
        learn_temperature: bool = False,
        chunk: Any = None,
    ) -> None:
        super().__init__()
        between("temperature", temperature, 0.001, 100, closed=True)
        if chunk is not None:
            whole("chunk", chunk, 1)
        self.model, self.objective, self.chunk = model, objective, chunk
        log = torch.tensor(float(temperature)).log()
        self.log_temperature = nn.Parameter(log, requires_grad=learn_temperature)

    @property
    def temperature(self) -> float:
        """As it stands."""
        return float(self.log_temperature.detach().exp())

    def forward(self, sentence_features: Iterable[dict[str, Any]], labels: Any = None) -> Tensor:
        """Mean loss in nats, or in the objective's units.

        Args:
            sentence_features: tokenised columns, anchors first.
            labels: None, or all equal, which says nothing.

        Raises:
            InputError: one column alone, or labels that differ.
        """
        columns = list(sentence_features)
        if len(columns) < 2:
            raise InputError(
                f"Pairs have an anchor and a positive: expected at least 2 columns of texts, got {len(columns)}."
            )
        if isinstance(labels, Tensor) and bool((labels != labels.flatten()[:1]).any()):
            raise InputError(
                "This loss learns from pairs that are all true, and the labels differ: keep the rows that are true pairs and "
                "drop the column of labels, or take a loss of scored pairs (CoSENTLoss)."
            )
        encoder = _Encoder(self.model)
        if self.chunk is None:
            return self._loss(*map(encoder, columns))
        return cached_loss(self._loss, *((encoder, _Rows(column)) for column in columns), chunk=self.chunk)

    def get_config_dict(self) -> dict[str, Any]:
        """What the model card tells of this loss."""
        return {
            "objective": name_of(self.objective),
            "temperature": self.temperature,
            "learn_temperature": self.log_temperature.requires_grad,
            "chunk": self.chunk,
        }

    @property
    def citation(self) -> str:
        """BibTeX for the model card."""
        return _CITATION

    def _loss(self, anchors: Tensor, positives: Tensor, *negatives: Tensor) -> Tensor:
        candidates = unit(torch.cat([positives, *negatives]), dim=1)
        true = torch.arange(len(anchors), device=anchors.device) if negatives else None
        scores = Scores(unit(anchors, dim=1), candidates, temperature=self.log_temperature.exp(), positives=true)
        return self.objective(scores.allowing_no_negatives()).mean()


class _Encoder(nn.Module):
    """Tokenised texts to vectors: a module, so that its buffers and the synchronising of DDP are known for what they are."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        if hasattr(model, "no_sync"):
            self.no_sync = model.no_sync

    def forward(self, features: dict[str, Any] | _Rows) -> Tensor:
        # The whole batch's own dict is filled in, where losses around this one look; a chunk's must stay as it is.
        given = dict(features.features) if isinstance(features, _Rows) else features
        vectors: Tensor = self.model(given)["sentence_embedding"]
        return vectors


class _Rows:
    """Tokenised texts that can be cut: what has an entry a text is cut, all else stays."""

    def __init__(self, features: dict[str, Any]) -> None:
        ids = features.get("input_ids")
        if not isinstance(ids, Tensor) or ids.ndim < 2:
            raise InputError(
                "chunk cuts batches of texts of one length each, as transformers take them; leave it out here."
            )
        self.features, self.size = features, len(ids)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, rows: slice) -> _Rows:
        return _Rows(
            {
                name: value[rows] if isinstance(value, Tensor) and value.ndim and len(value) == self.size else value
                for name, value in self.features.items()
            }
        )


_CITATION = """
@misc{oord2018representation,
    title={Representation Learning with Contrastive Predictive Coding},
    author={van den Oord, Aaron and Li, Yazhe and Vinyals, Oriol},
    year={2018},
    eprint={1807.03748},
    archivePrefix={arXiv},
    primaryClass={cs.LG}
}
"""
