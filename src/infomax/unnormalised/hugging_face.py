"""`sampled_head`: a Hugging Face causal model whose head is trained on a few sampled classes.

Where the model is in training mode and is given labels, its head hands the hidden states on instead of the logits of the whole
vocabulary, and the sampled loss takes them from there. In all other calls (evaluation, generation) nothing is changed. The
head's parameters stay the model's own, under their names, so tied weights stay tied and saved models load anywhere.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import linear, pad

from infomax.candidates import NGram
from infomax.errors import InputError
from infomax.unnormalised.sampled_linear import SampledLinear


def sampled_head(model: Any, *, sparse: bool = False, **options: Any) -> Any:
    """Gives a causal language model a `SampledLinear` head, in place, and returns the model. Needs transformers (extra `hf`).

    In training, `model(input_ids, labels=labels)` has the loss of the head's objective ("mle": the exact one, streamed), labels
    shifted by one and -100 ignored as ever, and no logits. `save_pretrained` writes the plain model: give it a head again
    after loading.

    Args:
        model: a `PreTrainedModel` with an `nn.Linear` as its output embeddings and a `loss_function`, as GPT-2 or Llama have.
        sparse: gradients of the head hold only the rows of the batch, and so do a tied embedding's; for an optimiser that
            takes them, such as `infomax.training.LazyAdam`.
        options: of `SampledLinear`: noise, draws, objective, log_normaliser, shared, seed.

    Raises:
        InputError: not such a model, or a vocabulary other than the noise's; in training, a model that changes its logits
            after the head (soft-capping, scaling).
    """
    plain = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    if not isinstance(plain, nn.Linear) or not hasattr(model, "loss_function"):
        raise InputError(
            f"expected a Hugging Face causal language model with a linear head; got {type(model).__name__}: "
            "load it with AutoModelForCausalLM."
        )
    if isinstance(plain, SampledHead):
        raise InputError(
            "this model has a sampled head already: change its attributes (draws, noise), or load it anew."
        )
    head = SampledHead(plain, model.loss_function, sparse, options)
    model.set_output_embeddings(head)
    model.loss_function = head.loss_of_model
    model.register_forward_pre_hook(head.before, with_kwargs=True)
    model.register_forward_hook(head.after, always_call=True)
    words = model.get_input_embeddings()
    if sparse and words.weight is head.weight:
        words.sparse = True
    return model


class SampledHead(SampledLinear):
    """A `SampledLinear` between a Hugging Face model and its loss. Made by `sampled_head`."""

    def __init__(self, plain: nn.Linear, exact: Any, sparse: bool, options: dict[str, Any]) -> None:
        biased = plain.bias is not None
        like: dict[str, Any] = {"device": plain.weight.device, "dtype": plain.weight.dtype}
        super().__init__(plain.in_features, plain.out_features, bias=biased, sparse=sparse, **options, **like)
        self.weight, self.bias = plain.weight, plain.bias
        self.exact, self.sampling = exact, False
        self.handed: Tensor | None = None

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., V) logits; while a training step samples, (..., d): the hidden states as they came."""
        if not self.sampling:
            return linear(hidden, self.weight, self.bias)
        self.handed = hidden
        return hidden

    def before(self, model: Any, args: Any, kwargs: Any) -> None:
        """Samples in this call, if it is a training step."""
        given = signature(model.forward).bind_partial(*args, **kwargs).arguments
        self.sampling = model.training and given.get("labels") is not None

    def after(self, model: Any, args: Any, output: Any) -> Any:  # noqa: ARG002, a hook's arguments
        """Takes the hidden states out of the model's output: they are no logits."""
        handed, self.handed, self.sampling = self.handed, None, False
        if handed is None or output is None:  # None: the call failed
            return output
        if isinstance(output, tuple):
            return tuple(None if value is handed else value for value in output)
        return type(output)(**{name: None if value is handed else value for name, value in output.items()})

    def loss_of_model(
        self,
        logits: Tensor,
        labels: Any,
        vocab_size: Any = None,
        num_items_in_batch: Any = None,
        ignore_index: int = -100,
        shift_labels: Any = None,
        **options: Any,
    ) -> Tensor:
        """What `model.loss_function` is called with: in a training step the sampled loss, else the model's own."""
        if not self.sampling:
            return self.exact(
                logits, labels, vocab_size, num_items_in_batch=num_items_in_batch, ignore_index=ignore_index,
                shift_labels=shift_labels, **options,
            )  # fmt: skip
        if logits is not self.handed:
            raise InputError("this model changes its logits after the head, which sampled classes cannot follow.")
        targets = pad(labels, (0, 1), value=ignore_index)[..., 1:] if shift_labels is None else shift_labels
        contexts = None
        if isinstance(self.noise, NGram):
            words = pad(labels, (0, 1), value=-1) if shift_labels is None else pad(targets, (1, 0), value=-1)
            contexts = self.noise.contexts(words.masked_fill(words == ignore_index, -1))[..., 1:, :]
        reduction = "mean" if num_items_in_batch is None else "sum"
        loss = self.loss(
            logits, targets.to(logits.device), contexts=contexts, ignore_index=ignore_index, reduction=reduction
        )
        return loss if num_items_in_batch is None else loss / num_items_in_batch
