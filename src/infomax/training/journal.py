"""What a run says while it goes on: a line of JSON a log entry, curves for TensorBoard, and a progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infomax.bounds.readout import NATS_PER_BIT
from infomax.errors import InputError
from infomax.evaluation.storage import cannot_write, replace


class Journal:
    """Appends entries to `log.jsonl` and, if asked, to TensorBoard event files in `tensorboard/`.

    Args:
        folder: the run folder; None writes nothing.
        history: entries of the sittings before; the log is cut back to them, since a killed run may have logged
            steps that its checkpoint does not know.
        tensorboard: also write event files.
    """

    def __init__(self, folder: Path | None, history: Sequence[Mapping[str, float | int]], *, tensorboard: bool) -> None:
        self._path = folder and folder / "log.jsonl"
        self._board = board(folder / "tensorboard") if folder and tensorboard else None
        if self._path:
            text = "".join(json.dumps(entry) + "\n" for entry in history)
            replace(self._path, lambda path: path.write_text(text, encoding="utf-8"))

    def write(self, entry: Mapping[str, float | int]) -> None:
        """Append one entry."""
        if self._path:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
            except OSError as error:
                raise cannot_write(self._path, error) from error
        if self._board:
            for key, value in entry.items():
                self._board.add_scalar(key, value, global_step=int(entry["step"]))

    def close(self) -> None:
        """Flush what is buffered."""
        if self._board:
            self._board.close()


def board(folder: Path | None) -> Any:
    """A TensorBoard writer into `folder`; with None only find out whether there could be one.

    Raises:
        InputError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "TensorBoard is not installed; run `pip install 'infomax[tensorboard]'`, or leave it off."
        ) from error
    return SummaryWriter(str(folder)) if folder else None


class Bar:
    """A progress bar on the error stream: shown if asked, or by default where a person is watching.

    Used as a context; `describe` names the phase, `advance` reports a step.
    """

    def __init__(self, progress: bool | None) -> None:
        shown = sys.stderr.isatty() if progress is None else progress
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(
            *columns, console=Console(stderr=True, force_terminal=progress), disable=not shown, transient=True
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def describe(self, phase: str, total: int | None = None) -> None:
        """Name the phase that begins, of `total` steps."""
        self._bar.reset(self._task, description=phase, total=total)

    def advance(self, step: int, history: Sequence[Mapping[str, float | int]]) -> None:
        """Show the step and what the last validation said."""
        seen = [entry for entry in history[-50:] if "validation_loss" in entry]
        words = f"training, {_in_words(seen[-1])}" if seen else "training"
        self._bar.update(self._task, completed=step, description=words)


def _in_words(entry: Mapping[str, float | int]) -> str:
    if "validation_perplexity" in entry:
        return f"perplexity {entry['validation_perplexity']:.1f}"
    return f"{entry['validation_bound'] / NATS_PER_BIT:.2f} bits"
