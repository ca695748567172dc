"""Which rows are pairs: both cells hold text, and that of the score where it was asked for.

Whatever is left out is counted by its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

# Far beyond what an encoder reads of a text (which its tokenizer cuts), yet small enough to hold in memory.
MAX_CELL_BYTES = 64 << 20
UNSCORED = "rows without a score"


@dataclass
class Tally:
    """Rows read and kept, and those skipped by reason; filled while batches go by."""

    read: int = 0
    kept: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def valid_rows(batches: Iterable[pa.RecordBatch], tally: Tally) -> Iterator[pa.RecordBatch]:
    """The rows whose anchor and candidate hold text, and their score; an empty group stays, an empty label becomes the
    candidate."""
    for batch in batches:
        tally.read += len(batch)
        empty = pc.or_(_is_blank(batch.column("anchor")), _is_blank(batch.column("candidate")))
        long = pc.or_(_is_long(batch.column("anchor")), _is_long(batch.column("candidate")))
        long = pc.and_not(long, empty)  # one reason a row
        refused = pc.or_(empty, long)
        if "scores" in batch.schema.names:
            unscored = pc.and_not(_is_blank(batch.column("scores")), refused)
            tally.skipped[UNSCORED] += pc.sum(unscored).as_py() or 0
            refused = pc.or_(refused, unscored)
        tally.skipped["rows with an empty cell"] += pc.sum(empty).as_py() or 0
        tally.skipped[f"rows with a cell of more than {MAX_CELL_BYTES >> 20} MiB"] += pc.sum(long).as_py() or 0
        kept = batch.filter(pc.invert(refused))
        tally.kept += len(kept)
        if len(kept):
            yield _labelled(kept)


def _labelled(batch: pa.RecordBatch) -> pa.RecordBatch:
    if "label" not in batch.schema.names:
        return batch
    filled = pc.coalesce(batch.column("label"), batch.column("candidate"))
    return batch.set_column(batch.schema.names.index("label"), "label", filled)


def _is_blank(texts: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0), True)


def _is_long(texts: pa.Array) -> pa.Array:
    return pc.fill_null(pc.greater(pc.binary_length(texts), MAX_CELL_BYTES), False)
