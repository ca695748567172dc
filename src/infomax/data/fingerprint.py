"""A digest of pairs, by which they are known again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import torch

from infomax.data.pairs import Pairs


def fingerprint(*parts: Pairs) -> str:
    """A digest of the anchors, candidates, ids and groups of all parts, in their order."""
    digest = blake2b(digest_size=16)
    for pairs in parts:
        for column in (pairs.anchors, pairs.candidates):
            for start in range(0, len(pairs), 4096):
                _add(digest, column[np.arange(start, min(start + 4096, len(pairs)))])
        digest.update(np.ascontiguousarray(pairs.ids).data)
        digest.update(np.ascontiguousarray(pairs.groups).data)
    return digest.hexdigest()


def _add(digest: Any, batch: Any) -> None:
    if isinstance(batch, torch.Tensor):
        digest.update(f"{batch.dtype}{tuple(batch.shape)}".encode())
        digest.update(batch.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return
    for item in batch:
        text = item.encode(errors="surrogatepass") if isinstance(item, str) else repr(item).encode()
        digest.update(len(text).to_bytes(8, "little") + text)
