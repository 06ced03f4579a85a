"""Limits of time and memory, for problems and answers that would take more than anybody waits for."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import FrameType
from typing import Final

from symgrad.errors import QuestionError

if find_spec("resource") is not None:
    import resource

MEMORY: Final = 4 << 30
"""What a process may take, in bytes."""

_AGAIN: Final = 1.0
_THREADS: Final = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_memory(size: int = MEMORY) -> None:
    """At most so many bytes of address space, where the system has such a limit."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def limit_threads() -> None:
    """One thread for matrix products, unless the user has said how many; it counts before NumPy is imported.

    The arrays of a check are small: starting the threads took a third of NumPy's import, and they had nothing to do.
    """
    for name in _THREADS:
        os.environ.setdefault(name, "1")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """At most so many seconds for what is inside: in the main thread, where the system has timers.

    The alarm comes again until it is heard, since a library may swallow what is raised in it.

    Raises:
        QuestionError: it takes longer.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise QuestionError(f"it takes longer than {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
