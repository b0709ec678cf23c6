"""Signals that end a command, turned into one exception that cannot get lost.

SIGINT (Ctrl-C), SIGTERM and SIGHUP raise `Interrupted` in the main thread. An exception that a
signal handler raises is lost where C code calls Python and cannot pass it on (ctypes callbacks,
weakref callbacks, finalizers), and where a C extension clears it while it is loaded. So a timer
raises it again until the command has ended. The timer waits while a `held` block runs and while an
`Interrupted` is being handled, so that no cleanup is cut short.

Further signals change nothing, so an impatient second Ctrl-C does not interrupt the writing of a
checkpoint. But once `PATIENCE` seconds have passed since the first signal, Ctrl-C ends the process
at once, without any cleanup: someone who presses it then does not want to wait any longer.

Importing this module changes nothing: only `run` sets handlers. Without `run`, `held` does nothing
and Ctrl-C is Python's own `KeyboardInterrupt`.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident, main_thread
from types import FrameType, TracebackType

__all__ = ["PATIENCE", "Interrupted", "checked", "held", "run"]

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS = 0.1  # between two attempts to raise it

PATIENCE = 5.0
"""Seconds after the first signal until Ctrl-C ends the process at once."""


class Interrupted(KeyboardInterrupt):
    """A signal asks the command to end.

    Attributes:
        number: the number of the signal.
        exit_code: 128 plus the number, as in shells.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.exit_code = 128 + number


class _Signals:
    """The signals of this process; there is one object, because handlers are global."""

    def __init__(self) -> None:
        self.pending: int | None = None  # the first signal
        self._since = 0.0  # when it arrived
        self._holds = 0
        self._thread: int | None = None  # the main thread, once handlers are set
        self._handled: list[signal.Signals] = []

    def install(self) -> None:
        """Set the handlers. A signal that is ignored, as with nohup, stays ignored."""
        if get_ident() != main_thread().ident:
            return
        _print_no_interrupts()
        self._handled = [n for n in _NUMBERS if signal.getsignal(n) != signal.SIG_IGN]
        self._thread = get_ident()
        for number in self._handled:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.pending is None:
            self.pending = number
            self._since = time.monotonic()
            signal.signal(signal.SIGALRM, lambda *_: self._remind())
            signal.setitimer(signal.ITIMER_REAL, _SECONDS, _SECONDS)
            self.raise_pending()

    def _remind(self) -> None:
        if signal.SIGINT in self._handled and time.monotonic() - self._since > PATIENCE:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.raise_pending()

    def raise_pending(self) -> None:
        """Raise the pending interrupt, unless signals are held or it is being handled."""
        if self.pending is not None and not self._holds and not _comes_from_one(sys.exc_info()[1]):
            raise Interrupted(self.pending)

    def hold(self) -> bool:
        """Raise nothing until `let_go`; return False in threads where nothing is raised anyway."""
        if get_ident() != self._thread:
            return False
        self._holds += 1
        return True

    def let_go(self) -> None:
        """Undo one `hold`."""
        self._holds -= 1
        self.raise_pending()

    def close(self) -> None:
        """Raise nothing from now on.

        Later signals end the process as if there had been no handlers. After an interrupt they are
        ignored, because the process is already ending.
        """
        self._holds += 1
        action = signal.SIG_DFL if self.pending is None else signal.SIG_IGN
        for number in self._handled:
            signal.signal(number, action)
        if self.pending is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)


_signals = _Signals()


def _comes_from_one(error: BaseException | None) -> bool:
    """Tell whether an exception is an `Interrupted`, or was raised while handling one."""
    while error is not None and not isinstance(error, Interrupted):
        error = error.__context__
    return error is not None


def _print_no_interrupts() -> None:
    """Keep Python from printing an interrupt that gets lost, because it is raised again."""
    unraisable, uncaught = sys.unraisablehook, sys.excepthook

    def lost_in_python(lost: sys.UnraisableHookArgs) -> None:
        if not _comes_from_one(lost.exc_value):
            unraisable(lost)

    def lost_in_c(
        kind: type[BaseException], error: BaseException, place: TracebackType | None
    ) -> None:
        if not _comes_from_one(error):
            uncaught(kind, error, place)

    sys.unraisablehook, sys.excepthook = lost_in_python, lost_in_c


@contextmanager
def held() -> Iterator[None]:
    """Defer signals to the end of the block, in the main thread of a command."""
    holds = _signals.hold()
    try:
        yield
    finally:
        if holds:
            _signals.let_go()


@contextmanager
def checked() -> Iterator[None]:
    """If a signal is pending, end the block with `Interrupted`, whatever else happened.

    A consequence of a lost interrupt, such as an ImportError, is not an error to report.
    """
    try:
        yield
    finally:
        if _signals.pending is not None and not isinstance(sys.exc_info()[1], Interrupted):
            raise Interrupted(_signals.pending)


def run(command: Callable[[], None]) -> int | None:
    """Run a command; return the exit code if a signal has interrupted it, and None otherwise.

    If a signal is pending, the command counts as interrupted, however it ended.
    """
    try:
        try:
            _signals.install()
            command()
        finally:
            _signals.close()
    except BaseException as error:
        # Nothing is raised here: signals are closed, or one is pending and being handled.
        _signals.close()
        if isinstance(error, KeyboardInterrupt) and _signals.pending is None:
            _signals.pending = signal.SIGINT  # it arrived before its handler was set
        if _signals.pending is None:
            raise
    if _signals.pending is None:
        return None
    # This ends blocks that were being entered when the interrupt came: it kept their frames alive.
    gc.collect()
    return Interrupted(_signals.pending).exit_code
