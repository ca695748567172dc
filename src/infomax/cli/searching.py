"""Queries against an index. `search` imports this once its arguments are parsed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infomax.cli.models import load_model, run_record
from infomax.cli.sources import is_python, read_source
from infomax.cli.texts import read_texts
from infomax.errors import InputError
from infomax.evaluation import Index, build_index, load_index, search
from infomax.report import shown

Found = list[tuple[str, list[tuple[str, float]]]]


def find(run: Path, queries: Sequence[str], k: int, corpus: str | None, column: str | None) -> Found:
    """(query, its k best (label, score)) for each query; the query "-" stands for the lines of the standard input.

    Raises:
        InputError: no query, no model, or nothing to search in.
    """
    if corpus is None and column is not None:
        raise InputError("--column names a column of --corpus; give that too, or leave it out.")
    asked = [query for given in queries for query in (read_texts("-")[0] if given == "-" else [given]) if query.strip()]
    if not asked:
        raise InputError("There is no query; give one as an argument, or one a line on the standard input with -.")
    encoder = load_model(run)
    unit = run_record(run).get("settings", {}).get("normalize", True)  # the score it was fitted with
    index = load_index(run / "index") if corpus is None else _indexed(encoder, corpus, column, normalize=unit)
    return list(zip(asked, search(encoder, index, asked, k), strict=True))


def listed(found: Found) -> str:
    """The results of each query, a line each; the query itself above them where there are several."""
    blocks = []
    for query, hits in found:
        lines = [f"{score:6.3f}  {shown(label, 160)}" for label, score in hits]
        blocks.append("\n".join([shown(query, 160), *lines] if len(found) > 1 else lines))
    return "\n\n".join(blocks)


def _indexed(encoder: Any, corpus: str, column: str | None, *, normalize: bool) -> Index:
    if is_python(corpus):
        pairs = read_source(corpus, quiet=True)
        return build_index(encoder, pairs.candidates, pairs.labels, normalize=normalize)
    texts, _ = read_texts(corpus, column)
    kept = [text for text in texts if text.strip()]
    return build_index(encoder, kept, normalize=normalize)
