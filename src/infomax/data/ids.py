"""Ids of pairs: rows that share a text are never each other's negatives.

If rows i and j have the same anchor, candidate j is a second right answer for anchor i; calling it wrong would teach
the encoder noise (a false negative). Sharing is transitive, so ids are the connected components of the graph
row - anchor text - row - candidate text. Texts enter only as 128-bit digests: 32 bytes a row, however
long the texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def digests(items: Iterable[str | bytes]) -> np.ndarray:
    """(n, 2) uint64: 128-bit digests; equal ones mean equal texts (a collision among 1e8 has probability 1e-23)."""
    joined = b"".join(
        blake2b(item.encode() if isinstance(item, str) else item, digest_size=16).digest() for item in items
    )
    return np.frombuffer(joined, dtype="<u8").reshape(-1, 2)


def codes_of(digest: np.ndarray) -> np.ndarray:
    """(n,) int64: equal numbers for equal digests, 0 ... number of distinct ones - 1."""
    order = np.lexsort((digest[:, 1], digest[:, 0]))
    ordered = digest[order]
    new = np.ones(len(digest), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    codes = np.empty(len(digest), dtype=np.int64)
    codes[order] = np.cumsum(new) - 1
    return codes


def connected(*codes: np.ndarray) -> np.ndarray:
    """(n,) int64 ids: rows that agree in any of the given (n,) codes share an id, transitively."""
    n = len(codes[0])
    rows = np.tile(np.arange(n), len(codes))
    offset, nodes = n, []
    for code in codes:
        nodes.append(code + offset)
        offset += int(code.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, np.concatenate(nodes))), shape=(offset, offset))
    return connected_components(graph, directed=False)[1][:n].astype(np.int64)
