"""Which cells are true pairs and which are left out: the bookkeeping of positives and ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import checks
from infomax.scores.cells import CellSource, Except, Matches, OneColumn
from infomax.scores.guide import Guide


@dataclass(frozen=True)
class TruePairs:
    """Exactly one of `columns` (N,), `labels` and `own` (N, d) is given; `ids` marks false negatives, and
    `hidden` those that a guide knows, `erased` (N, M) those that a stored matrix says are left out; `width` is M.

    `diagonal` says that columns[i] is i; `own_offset` (N,) belongs to `own`; rows without a negative are refused unless
    `may_lack_negatives`.
    """

    rows: int
    width: int
    device: torch.device
    columns: Tensor | None = None
    labels: Matches | None = None
    own: Tensor | None = None
    ids: Matches | None = None
    diagonal: bool = False
    own_offset: Tensor | None = None
    hidden: Guide | None = None
    may_lack_negatives: bool = False
    erased: Tensor | None = None

    @classmethod
    def of(
        cls, positives: Any, anchors: Tensor, width: int, anchor_ids: Any, candidate_ids: Any, own_offset: Any = None
    ) -> TruePairs:
        """Checked and normalised from what `Scores` takes."""
        n, device = len(anchors), anchors.device
        if (anchor_ids is None) != (candidate_ids is None):
            raise InputError("anchor_ids and candidate_ids go together: give both or neither.")
        ids = None
        if anchor_ids is not None:
            ids = Matches(
                checks.vector(anchor_ids, "anchor_ids", n, device, integer=True),
                checks.vector(candidate_ids, "candidate_ids", width, device, integer=True),
            )
        if own_offset is not None and not (isinstance(positives, Tensor) and positives.ndim == 2):
            raise InputError(
                "positive_offset belongs to positives given apart, (N, d): use column_offset for candidates."
            )
        if isinstance(positives, tuple) or _is_pair_of_vectors(positives):
            if len(positives) != 2:
                raise InputError(
                    f"labels are a pair, (N,) for anchors and (M,) for candidates; got {len(positives)} vectors."
                )
            rows = checks.vector(positives[0], "the anchors' labels", n, device, integer=True)
            columns = checks.vector(positives[1], "the candidates' labels", width, device, integer=True)
            return cls(n, width, device, labels=Matches(rows, columns), ids=ids)
        if isinstance(positives, Tensor) and positives.ndim == 2:
            own_offset = checks.offset(own_offset, "positive_offset", n, device)
            return cls(n, width, device, own=checks.own_positives(positives, anchors), ids=ids, own_offset=own_offset)
        if positives is None:
            if width < n:
                raise InputError(
                    f"{n} anchors but {width} candidates: row i pairs with column i, so give at least {n}, or say `positives`."
                )
            return cls(n, width, device, columns=torch.arange(n, device=device), ids=ids, diagonal=True)
        columns = checks.vector(positives, "positives", n, device, integer=True)
        if int(columns.min()) < 0 or int(columns.max()) >= width:
            raise InputError(
                f"positives must be columns 0 to {width - 1}; got {int(columns.min())} to {int(columns.max())}."
            )
        return cls(n, width, device, columns=columns, ids=ids)

    @property
    def source(self) -> CellSource | None:
        """The true cells, among the shared candidates."""
        return self.one_column or self.labels

    @property
    def one_column(self) -> OneColumn | None:
        """The true cells where each row has one."""
        return None if self.columns is None else OneColumn(self.columns, self.diagonal)

    def left_out(self) -> tuple[CellSource, ...]:
        """False negatives and, with labels, the items themselves."""
        if self.ids is None:
            return ()
        return (self.ids,) if self.columns is None else (Except(self.ids, self.columns),)

    def unseen(self, seen: str) -> tuple[tuple[CellSource, ...], tuple[CellSource, ...]]:
        """(dead, only) cells for a walk that sees the positives "in" all, leaves them "out", or sees them "only"."""
        source = self.source
        if seen == "only":
            return self.left_out(), () if source is None else (source,)
        return self.left_out() + ((source,) if seen == "out" and source is not None else ()), ()

    def live_counts(self) -> Tensor:
        """(N,) candidates of each row that are not left out, the positives among them, one given apart too."""
        if self.erased is not None:
            return self.masks()[1].sum(1)
        live = self._full(self.width + (self.own is not None))
        if self.hidden is not None:
            live = live - self.hidden.counts
        if self.ids is None:
            return live
        live = live - self.ids.counts()
        if self.columns is not None:
            live = live + (self.ids.column_keys[self.columns] == self.ids.row_keys)
        return live

    def positive_counts(self) -> Tensor:
        """(N,) true pairs of each row."""
        if self.erased is not None:
            return self.masks()[0].sum(1)
        if self.labels is None:
            return self._full(1)
        itself = self._label_and_id
        return self.labels.counts() - (0 if itself is None else itself.counts())

    def _full(self, value: int) -> Tensor:
        return torch.full((self.rows,), value, dtype=torch.int64, device=self.device)

    @property
    def _label_and_id(self) -> Matches | None:
        """Cells of equal label and equal id: the item itself."""
        if self.labels is None or self.ids is None:
            return None
        rows = torch.stack([self.labels.row_keys, self.ids.row_keys], 1)
        columns = torch.stack([self.labels.column_keys, self.ids.column_keys], 1)
        _, key = torch.unique(torch.cat([rows, columns]), dim=0, return_inverse=True)
        return Matches(key[: self.rows], key[self.rows :])

    def check_present(self, what: str = "anchors") -> None:
        """Every row has a positive; `what` names the rows."""
        if self.labels is None and self.erased is None:
            return
        lacking = (self.positive_counts() == 0).nonzero()
        if len(lacking):
            raise InputError(
                f"{len(lacking)} {what} have no positive (first: {int(lacking[0])}): drop them, or relabel{self._instead}."
            )

    @property
    def _instead(self) -> str:
        """The further remedy where a stored matrix leaves candidates out."""
        if self.erased is None:
            return ""
        return "; a score of -inf leaves a candidate out, so give -1e30 to what is impossible"

    def turned(self) -> TruePairs:
        """Seen from the candidates: with one positive a row, from those that are one, in the rows' order."""
        own = slice(None) if self.columns is None else self.columns
        ids = None if self.ids is None else Matches(self.ids.column_keys[own], self.ids.row_keys)
        if self.labels is not None:
            labels = Matches(self.labels.column_keys, self.labels.row_keys)
            turned = TruePairs(self.width, self.rows, self.device, labels=labels, ids=ids)
        else:
            columns = torch.arange(self.rows, device=self.device)
            turned = TruePairs(self.rows, self.rows, self.device, columns=columns, ids=ids, diagonal=True)
        erased = None if self.erased is None else self.erased.t()[own]
        turned = replace(turned, may_lack_negatives=self.may_lack_negatives, erased=erased)
        if self.hidden is None:
            return turned
        return replace(turned, hidden=self.hidden.turned(own, turned.source, turned.left_out()))

    def of_rows(self, rows: slice) -> TruePairs:
        """Those of some of the rows."""
        part = replace(
            self,
            rows=len(range(self.rows)[rows]),
            columns=None if self.columns is None else self.columns[rows],
            labels=None if self.labels is None else self.labels.of_rows(rows),
            own=None if self.own is None else self.own[rows],
            own_offset=None if self.own_offset is None else self.own_offset[rows],
            ids=None if self.ids is None else self.ids.of_rows(rows),
            erased=None if self.erased is None else self.erased[rows],
            diagonal=self.diagonal and rows.start == 0,
            hidden=None,
        )
        return (
            part
            if self.hidden is None
            else replace(part, hidden=self.hidden.of_rows(rows, part.source, part.left_out()))
        )

    def same_as(self, other: TruePairs) -> bool:
        """Whether the true cells are the same, or given apart in both; ids are not compared."""
        if (self.own is None, self.labels is None) != (other.own is None, other.labels is None):
            return False
        if self.labels is not None and other.labels is not None:
            keys = (self.labels.row_keys, other.labels.row_keys), (self.labels.column_keys, other.labels.column_keys)
            return all(torch.equal(mine, yours) for mine, yours in keys)
        if self.columns is not None and other.columns is not None:
            return torch.equal(self.columns, other.columns)
        return self.columns is other.columns

    def unguided(self) -> TruePairs:
        """Without what a guide hides."""
        return self if self.hidden is None else replace(self, hidden=None)

    def check_negatives(self, further: int, what: str = "anchors") -> None:
        """Every row has something to be compared with; `further` negatives a row count too, `what` names the rows."""
        if self.may_lack_negatives:
            return
        sources = (self.ids, self.labels, self.hidden, self.erased)
        listed = any(source is not None for source in sources)
        if not listed and self.width + (self.own is not None) + further > 1:
            return
        lacking = (self.live_counts() + further <= self.positive_counts()).nonzero()
        if len(lacking):
            raise InputError(
                f"{len(lacking)} {what} have no negative (first: {int(lacking[0])}), so their loss would say nothing: "
                f"use more pairs a batch, fewer equal ids, or a guide that leaves out less{self._instead}."
            )

    def check_distinct(self) -> None:
        """No candidate is the positive of two anchors."""
        if self.columns is not None and not self.diagonal and len(torch.unique(self.columns)) < self.rows:
            raise InputError(
                "over anchors each candidate may be the positive of one anchor: give one column a pair, "
                "and equal ids to those that repeat; or use labels."
            )
        if self.own is not None:
            raise InputError("positives given apart have no column to be normalised over: use over='candidates'.")

    def partners(self, candidates: Tensor, offset: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The vector whose score with the anchor is the row's (mean) positive score, (N, d), and its column offset (N,)."""
        if self.own is not None:
            return self.own, self.own_offset
        if self.columns is not None:
            if self.diagonal and self.rows == self.width:
                return candidates, offset
            return candidates[self.columns], None if offset is None else offset[self.columns]
        mean = self._mean_by_label(candidates.to(checks.wide(candidates.dtype)))
        return mean, None if offset is None else self._mean_by_label(offset.unsqueeze(1)).squeeze(1)

    def _mean_by_label(self, values: Tensor) -> Tensor:
        """(N, d) mean of the candidates' values over each row's positives."""
        assert self.labels is not None
        keys = torch.cat([self.labels.row_keys, self.labels.column_keys])
        _, group = torch.unique(keys, return_inverse=True)
        rows, columns = group[: self.rows], group[self.rows :]
        sums = values.new_zeros(int(group.max()) + 1, values.shape[1]).index_add(0, columns, values)[rows]
        itself = self._label_and_id
        if itself is not None:
            row, column = itself.cells(slice(0, self.rows))
            sums = sums.index_add(0, row, -values[column])
        return sums / self.positive_counts().unsqueeze(1)

    def masks(self) -> tuple[Tensor, Tensor]:
        """(N, M) bool each: the positives, and the live cells."""
        source, everything = self.source, slice(0, self.rows)
        positive = torch.zeros(self.rows, self.width, dtype=torch.bool, device=self.device)
        live = torch.ones_like(positive)
        if source is not None:
            positive[source.cells(everything)] = True
        for dead in self.left_out():
            live[dead.cells(everything)] = False
        if self.hidden is not None:
            live &= ~self.hidden.whole()
        if self.erased is not None:
            live &= ~self.erased
        return positive & live, live


def _is_pair_of_vectors(positives: Any) -> bool:
    return (
        isinstance(positives, list) and len(positives) == 2 and all(getattr(part, "ndim", 0) == 1 for part in positives)
    )
