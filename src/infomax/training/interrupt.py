"""Stopping between two steps: Ctrl-C or a termination signal is remembered, and obeyed when the state is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from infomax.errors import LostProcess


class Interrupt:
    """A context in which the first SIGINT or SIGTERM sets `requested`; a second one of the kind acts as usual.

    (Ctrl-C under `torchrun` sends both.)

    Signals reach only a program's main thread; in any other thread this does nothing. A signal that the program was
    started to ignore (SIGINT, in a shell's background job) stays ignored.
    """

    def __init__(self) -> None:
        self.requested = False
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, LostProcess):  # else torchrun is about to end this one, which first says what it saved
            self._restore()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, self._former.pop(number))

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
