"""One sitting of a run: from where it stands until it is finished or interrupted, with its log and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from infomax.errors import LostProcess
from infomax.training import checkpoint
from infomax.training.going import train
from infomax.training.interrupt import Interrupt
from infomax.training.journal import Bar, Journal
from infomax.training.processes import any_of_all
from infomax.training.run_folder import CHECKPOINT
from infomax.training.settings import Real
from infomax.training.state import State


def sit(
    task: Any,
    state: State,
    folder: Path | None,
    bar: Bar,
    snapshot: Callable[[], dict[str, Any]],
    *,
    every: Real,
    tensorboard: bool,
    rescue: Path | None = None,
) -> None:
    """Train; `state` says afterwards whether it is finished.

    Args:
        task: see `going.Work`.
        folder: of the run; None saves nothing.
        snapshot: all that a resumed run needs, as it stands when asked.
        every: seconds between checkpoints.
        rescue: where a process that saves nothing otherwise saves the run if another is lost, which may be the one that does.

    Raises:
        LostProcess: another process of the run is gone; what was learned before is saved.
    """
    journal = Journal(folder, state.history, tensorboard=tensorboard)
    bar.describe("training", total=task.steps)
    logged, saved = len(state.history), monotonic()

    def tell() -> None:
        nonlocal logged
        for entry in state.history[logged:]:
            journal.write(entry)
        logged = len(state.history)
        bar.advance(state.step, state.history)

    with Interrupt() as interrupt:

        def save(last: bool) -> None:
            nonlocal saved
            if folder is not None and (last or monotonic() - saved >= every):
                checkpoint.save(folder / CHECKPOINT, snapshot())
                saved = monotonic()

        try:
            train(task, state, tell=tell, save=save, stop=lambda: any_of_all(interrupt.requested))
        except LostProcess as error:  # no step is half done: all that processes do together comes before it or after it
            if (place := folder or rescue) is None:
                raise
            checkpoint.save(place / CHECKPOINT, snapshot())
            raise LostProcess(f"{error} The checkpoint in {place} is of step {state.step}: resume from it.") from error
        finally:
            journal.close()
