"""open_clip's `ClipLoss` and `SigLipLoss`, streamed: the matrix of all images with all texts is never stored.

Across processes the gradient flows through every gathered vector, as with `gather_with_grad=True` of the original; after DDP's
mean it is that of one process with the whole batch. The value is that of the whole batch in each process.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from infomax.errors import InputError
from infomax.objectives import info_nce, sigmoid
from infomax.scores import Scores
from infomax.scores.gather import processes


class ClipLoss(nn.Module):
    """InfoNCE in both directions, equal to `open_clip.loss.ClipLoss`; its arguments, in its order.

    Args:
        local_loss, cache_labels: change nothing here: no labels are made, and the gradient is the same.
        gather_with_grad: must be True with several processes; without it the original's gradient is another.
        rank, world_size: must be those of torch.distributed.
        use_horovod: refused.

    >>> import torch
    >>> ClipLoss()(torch.eye(4), torch.eye(4), logit_scale=torch.tensor(2.0))
    tensor(0.3408)
    """

    def __init__(
        self,
        local_loss: bool = False,  # noqa: ARG002
        gather_with_grad: bool = False,
        cache_labels: bool = False,  # noqa: ARG002
        rank: int = 0,
        world_size: int = 1,
        use_horovod: bool = False,
    ) -> None:
        super().__init__()
        if use_horovod:
            raise InputError("use_horovod=True is not supported: start the processes by torchrun.")
        _same_world(rank, world_size)
        if world_size > 1 and not gather_with_grad:
            raise InputError(
                "gather_with_grad=False leaves out the gradient of the other processes' vectors; pass gather_with_grad=True, "
                "whose gradient is that of the whole batch."
            )

    def forward(
        self,
        image_features: Any,
        text_features: Any,
        logit_scale: Any,
        logit_bias: Any = None,  # noqa: ARG002  the same in all cells: a softmax does not see it
        output_dict: bool = False,
    ) -> Tensor | dict[str, Tensor]:
        """Mean loss in nats of (N, d) features with (N, d) features, row i true with row i; `logit_scale` is exponentiated."""
        loss = info_nce(_scores(image_features, text_features, logit_scale), symmetric=True).mean()
        return {"contrastive_loss": loss} if output_dict else loss


class SigLipLoss(nn.Module):
    """The sigmoid loss, equal to `open_clip.loss.SigLipLoss`; its arguments, in its order.

    Args:
        cache_labels, dist_impl: change nothing here.
        rank, world_size: must be those of torch.distributed.

    >>> import torch
    >>> SigLipLoss()(torch.zeros(4, 2), torch.zeros(4, 2), logit_scale=10.0, logit_bias=0.0)  # 4 log 2
    tensor(2.7726)
    """

    def __init__(
        self,
        cache_labels: bool = False,  # noqa: ARG002
        rank: int = 0,
        world_size: int = 1,
        dist_impl: str | None = None,
    ) -> None:
        super().__init__()
        if dist_impl not in (None, "bidir", "shift", "reduce", "gather"):
            raise InputError(f"dist_impl must be 'bidir', 'shift', 'reduce', 'gather' or None; got {dist_impl!r}.")
        _same_world(rank, world_size)

    def forward(
        self,
        image_features: Any,
        text_features: Any,
        logit_scale: Any,
        logit_bias: Any,
        output_dict: bool = False,
    ) -> Tensor | dict[str, Tensor]:
        """Loss in nats, summed over an image's texts, mean over images; `logit_bias`: a number, a tensor to learn, or None."""
        scores = _scores(image_features, text_features, logit_scale)
        bias = 0.0 if logit_bias is None else logit_bias
        loss = sigmoid(scores, bias.reshape(()) if isinstance(bias, Tensor) else bias).mean()
        return {"contrastive_loss": loss} if output_dict else loss


def _scores(image_features: Any, text_features: Any, logit_scale: Any) -> Scores:
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (image_features, text_features)]
    if shapes[0] != shapes[1]:
        raise InputError(f"image_features and text_features must be tensors of one shape (N, d); got {shapes}.")
    return Scores.gathered(image_features, text_features, temperature=1 / logit_scale).allowing_no_negatives()


def _same_world(rank: Any, world_size: Any) -> None:
    here = processes()
    if (rank, world_size) != here:
        raise InputError(
            f"rank={rank}, world_size={world_size}, but torch.distributed has rank {here[0]} of {here[1]}: pass these, and "
            "start the process group before the loss is made."
        )
