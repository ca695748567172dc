"""MoCo: the query against its own key and a queue of older keys, by a momentum encoder.

    loss_i = -log( e^{q_i·k_i / t} / (e^{q_i·k_i / t} + Σ_{older k} e^{q_i·k / t}) )

Negatives are as many as the queue is long, whatever the batch. No bound on information: the candidates are no draws by the
encoder that is judged. Source: He et al. 2020, arXiv:1911.05722, equation 1 and algorithm 1.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize as unit

from infomax.candidates import Queue
from infomax.objectives.info_nce import info_nce
from infomax.scores.checks import embeddings


def moco_loss(
    query: Any, key: Any, queue: Queue, *, ids: Any = None, temperature: Any = 0.07, normalize: bool = True
) -> Float[Tensor, " n"]:
    """(N,) losses in nats; then the keys are put into the queue.

    In the first step, while the queue is empty, the other keys of the batch are the negatives. With a gathered queue a process
    may come with no rows; its losses are none.

    Args:
        query: (N, d), with gradient.
        key: (N, d), row i true with row i, of the momentum encoder; taken without gradient.
        ids: (N,) int64; older keys of a row's id are not its negatives.

    >>> import torch
    >>> queue = Queue(64, 4)
    >>> tuple(round(float(moco_loss(torch.eye(4), torch.eye(4), queue).mean()), 4) for _ in range(2))
    (0.0, 0.6931)
    """
    embeddings(query, key, least=0 if queue.gathered else 1)
    query, key = (unit(x, dim=1) for x in (query, key.detach())) if normalize else (query, key.detach())
    if len(query):
        losses = info_nce(queue.scores(query, key, ids=ids, in_batch=not len(queue), temperature=temperature))
    else:
        losses = query.sum(1)  # of no rows
    queue.enqueue(key, ids)
    return losses
