"""From a table of texts to `Pairs`: ids, groups and labels, one batch in memory at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from infomax.data.columns import TextColumn
from infomax.data.ids import codes_of, connected, digests
from infomax.data.pairs import Pairs, ReadReport
from infomax.errors import InputError


def text_pairs(table: pa.Table, report: ReadReport, owner: object = None) -> Pairs:
    """Pairs over a table with columns anchor, candidate and perhaps group, label and scores.

    Raises:
        InputError: there is no row, or no row could be another one's negative.
    """
    if not len(table):
        raise InputError(f"No pair in {report.source}: {_why_none(report)}.")
    anchors, candidates = _codes(table.column("anchor")), _codes(table.column("candidate"))
    ids = connected(anchors, candidates)
    refuse_without_negatives(anchors, candidates, ids, report.source)
    return Pairs(
        anchors=TextColumn(table.column("anchor"), owner=owner),
        candidates=TextColumn(table.column("candidate"), owner=owner),
        ids=ids,
        groups=_groups(table.column("group")) if "group" in table.column_names else np.arange(len(table)),
        labels=TextColumn(table.column("label"), owner=owner) if "label" in table.column_names else None,
        report=report,
        scores=TextColumn(table.column("scores"), owner=owner) if "scores" in table.column_names else None,
    )


def refuse_without_negatives(anchors: np.ndarray, candidates: np.ndarray, ids: np.ndarray, source: str) -> None:
    """Raise InputError if there are several rows and all share one id, which leaves no chance pair to learn from."""
    n = len(ids)
    if n < 2 or ids.min() < ids.max():
        return
    same = [name for name, codes in (("anchor", anchors), ("candidate", candidates)) if not codes.any()]
    what = f"have the same {' and the same '.join(same)}" if same else "are linked by shared anchors or candidates"
    raise InputError(
        f"All {n:,} pairs of {source} {what}, so no candidate is wrong for any anchor and nothing can be learned: "
        "check which columns were read, and give pairs that differ."
    )


def _why_none(report: ReadReport) -> str:
    if not report.read and not report.skipped:
        return "it holds no rows; give at least a few hundred"
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.skipped.items())
    return f"of {report.read:,} rows all were skipped ({reasons}); correct the file"


def _codes(texts: pa.ChunkedArray) -> np.ndarray:
    return codes_of(np.concatenate([digests(chunk.to_pylist()) for chunk in texts.chunks]))


def _groups(names: pa.ChunkedArray) -> np.ndarray:
    """Group numbers; a row without a group name is a group of its own."""
    groups = _codes(names.fill_null(""))
    alone = names.is_null().to_numpy()
    groups[alone] = groups.max(initial=0) + 1 + np.arange(alone.sum())
    return groups
