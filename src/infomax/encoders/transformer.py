"""A pretrained transformer as a text encoder: what a Hugging Face or SentenceTransformer folder holds, to go on learning.

The network, its pooling and its folder are sentence-transformers' own; here are the parts that training wants: texts
tokenised once, batches padded to their longest text only, and, where no gradient is wanted, texts of like length together.
Needs the `hf` extra. Nothing is ever downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import nn

from infomax.encoders.encode_texts import encode_texts
from infomax.encoders.texts import as_text, blocks
from infomax.encoders.tokens import TokenColumn, Tokens, token_column
from infomax.errors import InputError

_AT_ONCE = 2**13  # tokens, padding among them, that are encoded at a time where no gradient is wanted


class TransformerEncoder(nn.Module):
    """Texts to vectors (n, `out_dim`) float32, by a `SentenceTransformer` whose first module is a transformer.

    Args:
        model: trained in place.

    Attributes:
        usual: learning rate and chunk that `fit` takes where none is given.
        normalize: whether the vectors are of unit length.

    Raises:
        InputError: the model does not begin with a transformer over texts.
    """

    usual: Mapping[str, Any] = {"learning_rate": 5e-5, "chunk": 32}

    def __init__(self, model: Any) -> None:
        super().__init__()
        if not hasattr(model[0], "auto_model") or getattr(model, "tokenizer", None) is None:
            raise InputError(
                f"The model must begin with a transformer over texts, this one with {type(model[0]).__name__}."
            )
        self.model = model
        self.normalize = type(model[-1]).__name__ == "Normalize"
        self.out_dim: int = model.get_embedding_dimension()
        self._prompt = (model.prompts or {}).get(model.default_prompt_name, "")

    @classmethod
    def load(cls, path: str | Path, *, pooling: str = "mean") -> TransformerEncoder:
        """The encoder in a folder: one that `save` or sentence-transformers wrote, or a bare Hugging Face model.

        Args:
            path: the folder.
            pooling: how a bare model's token vectors become one: "mean", or "cls", the first token's. They are scaled to unit
                length. A folder that brings its own pooling keeps it.

        Raises:
            InputError: the `hf` extra is not installed, or the folder holds no such model.
        """
        path = Path(path)
        if pooling not in ("mean", "cls"):
            raise InputError(f"pooling must be 'mean' or 'cls', got {pooling!r}.")
        theirs = _libraries()
        try:
            with _quiet():
                whole = (path / "modules.json").is_file()
                parts = None if whole else _around(theirs, path, pooling)
                source = str(path) if whole else None
                model = theirs.SentenceTransformer(source, modules=parts, device="cpu", local_files_only=True)
        except Exception as error:  # three libraries, each with its own exceptions for a damaged folder
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"The model in {path} cannot be read ({cause[:300]}); give a whole model folder."
            ) from error
        return cls(model.float())

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, special ones among them; the rest is ignored."""
        return int(self.model.max_seq_length)

    def tokenize(self, texts: Sequence[object]) -> Tokens:
        return Tokens.from_arrays(*self._ids(texts))

    def prepare(self, column: Any, *, block: int = 1024) -> TokenColumn:
        """Tokenise a whole column (a list of texts, or a `Column` of them) once; index the result to get batches."""
        return token_column(self._ids(texts) for texts in blocks(column, block))

    def _ids(self, texts: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """Ids of all texts, special tokens among them, and how many each text owns."""
        if not len(texts):
            return np.empty(0, np.int32), np.empty(0, np.int64)
        features = self.model.preprocess([self._prompt + as_text(text, row) for row, text in enumerate(texts)])
        live = features["attention_mask"].bool()
        return features["input_ids"][live].numpy().astype(np.int32), live.sum(1).numpy()

    def forward(self, batch: Any) -> torch.Tensor:
        """Vectors (n, out_dim) of a list of n texts, or of `Tokens`."""
        tokens = batch if isinstance(batch, Tokens) else self.tokenize(batch)
        if len(tokens) == 0:
            return next(self.parameters()).new_zeros(0, self.out_dim)
        if self.training or torch.is_grad_enabled():
            return self._encode(tokens.ids, tokens.offsets.diff())
        lengths = tokens.offsets.diff()
        order = torch.argsort(lengths, descending=True, stable=True)
        pieces = tokens.ids.split(lengths.tolist())
        parts = [
            self._encode(torch.cat([pieces[row] for row in rows.tolist()]), lengths[rows])
            for rows in order.split(max(1, _AT_ONCE // int(lengths.max())))
        ]
        return torch.cat(parts)[torch.argsort(order).to(parts[0].device)]

    def _encode(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        tokenizer, width = self.model.tokenizer, int(lengths.max())
        places = torch.arange(width)
        left = tokenizer.padding_side == "left"
        live = places >= width - lengths[:, None] if left else places < lengths[:, None]
        padded = torch.full(live.shape, tokenizer.pad_token_id or 0)
        padded[live] = ids.long()
        device = next(self.parameters()).device
        features = {"input_ids": padded.to(device), "attention_mask": live.long().to(device)}
        vectors: torch.Tensor = self.model(features)["sentence_embedding"]
        return vectors

    def encode(
        self, texts: Any, *, batch_size: int = 1024, progress: bool = False, dim: int | None = None
    ) -> np.ndarray:
        """Vectors (n, out_dim) float32 of a list of texts, a text column or a `TokenColumn`; see `encode_texts`."""
        return encode_texts(self, texts, batch_size=batch_size, progress=progress, dim=dim)

    def config(self) -> dict[str, Any]:
        """What two encoders must share for one run to go on in the other, beside the shapes of their parameters."""
        backend = getattr(self.model.tokenizer, "backend_tokenizer", None)
        return {
            "architecture": type(self.model[0].auto_model).__name__,
            "modules": " ".join(type(module).__name__ for module in self.model),
            "max_tokens": self.max_tokens,
            "tokenizer": f"{crc32(backend.to_str().encode()):08x}"
            if backend is not None
            else len(self.model.tokenizer),
        }

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write a folder that `load` and `SentenceTransformer` read."""
        from infomax.encoders.storage import save_encoder

        return save_encoder(self, Path(path), overwrite=overwrite)

    def write(self, folder: Path) -> None:
        """Put sentence-transformers' files into `folder`."""
        with _quiet():
            self.model.save(str(folder), create_model_card=False)


def _libraries() -> Any:
    """Raises:
    InputError: sentence-transformers is not installed.
    """
    try:
        import sentence_transformers
    except ImportError as error:
        raise InputError("A transformer needs sentence-transformers; run `pip install 'infomax[hf]'`.") from error
    return sentence_transformers


def _around(theirs: Any, path: Path, pooling: str) -> list[nn.Module]:
    """The modules around a bare model."""
    modules = theirs.sentence_transformer.modules
    transformer = modules.Transformer(
        str(path), model_kwargs={"local_files_only": True}, processor_kwargs={"local_files_only": True}
    )
    return [transformer, modules.Pooling(transformer.get_embedding_dimension(), pooling), modules.Normalize()]


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of the library's own, for parts of a second."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
