"""Thousands of answers in worker processes: a crash or a hang costs one answer, and its worker is replaced."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Final

from msgspec import Struct, field

from symgrad.errors import SymgradError
from symgrad.limits import MEMORY, limit_memory
from symgrad.problem.elaborate import load_problem
from symgrad.problem.model import Problem
from symgrad.source import Source
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marked import Marked, Markers

TIME: Final = 60.0
_TO_START: Final = 60.0
_CONTEXT: Final = get_context("spawn")


def verify_many(
    problems: Sequence[Problem], texts: Iterable[str], jobs: int = 1, seconds: float = TIME, memory: int = MEMORY
) -> list[Marked]:
    """The verdicts on many answers, in their order.

    Args:
        problems: what the answers are judged against.
        texts: the answers.
        jobs: how many worker processes.
        seconds: what an answer may take; one that takes longer is unjudged.
        memory: what a worker may take, in bytes.
    """
    answers = list(texts)
    sources = [(p.source.name, p.source.text) for p in problems]
    names = tuple(p.name for p in problems)
    pool = _Pool(sources, names, answers, seconds, memory)
    return pool.run(max(1, min(jobs, len(answers))))


@contextlib.contextmanager
def _apart_from_the_script() -> Iterator[None]:
    """A worker needs nothing of the caller's script, which would run again in it: most have no guard."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


class _Worker(Struct):
    """A process, the pipe to it, whether it has read the problems, the answer it is at, and until when it may be."""

    process: BaseProcess
    pipe: Connection
    ready: bool = False
    at: int | None = None
    until: float = 0.0


class _Pool(Struct):
    sources: list[tuple[str, str]]
    names: tuple[str, ...]
    answers: list[str]
    seconds: float
    memory: int
    waiting: deque[int] = field(default_factory=deque)
    found: dict[int, Marked] = field(default_factory=dict)
    workers: list[_Worker] = field(default_factory=list)

    def run(self, jobs: int) -> list[Marked]:
        """Every answer marked, or lost."""
        self.waiting.extend(range(len(self.answers)))
        try:
            self.workers = [self.started() for _ in range(jobs)] if self.answers else []
            while len(self.found) < len(self.answers):
                self.feed()
                self.collect()
        finally:
            for worker in self.workers:
                self.end(worker)
        return [self.found[k] for k in range(len(self.answers))]

    def started(self) -> _Worker:
        """A new worker."""
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_work, args=(theirs, self.sources, self.memory), daemon=True)
        with _apart_from_the_script():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def end(self, worker: _Worker) -> None:
        """Stop a worker, whatever it does."""
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()

    def feed(self) -> None:
        """Give every idle worker an answer."""
        for k, worker in enumerate(self.workers):
            if worker.at is None and self.waiting:
                at = self.waiting.popleft()
                try:
                    worker.pipe.send(self.answers[at])
                except OSError:
                    self.end(worker)
                    worker = self.workers[k] = self.started()
                    worker.pipe.send(self.answers[at])
                worker.at = at
                worker.until = time.monotonic() + (self.seconds if worker.ready else _TO_START)

    def collect(self) -> None:
        """Take what is ready; replace workers that crashed or are late."""
        busy = [x for x in self.workers if x.at is not None]
        if not busy:
            return
        rest = max(0.0, min(x.until for x in busy) - time.monotonic())
        ready = wait([x.pipe for x in busy], rest)
        for k, worker in enumerate(self.workers):
            if worker.at is None:
                continue
            if worker.pipe in ready:
                self.take(k, worker, worker.at)
            elif time.monotonic() >= worker.until:
                self.lost(k, f"it took longer than {self.seconds if worker.ready else _TO_START:g} seconds")

    def take(self, k: int, worker: _Worker, at: int) -> None:
        """Take what a worker sent: that it is ready, from when on its answer's time counts; or the verdicts."""
        try:
            sent = worker.pipe.recv()
        except (EOFError, OSError):
            self.lost(k, "the checker ended without an answer")
            return
        if sent is None:
            worker.ready, worker.until = True, time.monotonic() + self.seconds
        else:
            self.found[at], worker.at = sent, None

    def lost(self, k: int, why: str) -> None:
        """Note that an answer was lost, and replace its worker."""
        worker = self.workers[k]
        assert worker.at is not None
        self.found[worker.at] = unmarked(self.answers[worker.at], self.names, why)
        self.end(worker)
        self.workers[k] = self.started()


def unmarked(text: str, problems: tuple[str, ...], why: str) -> Marked:
    """An answer of which nothing is known but why."""
    place = Source("<answer>", text).place(0, 0)
    lost = Judged(place, "", "", None, None, w.UNJUDGED, why)
    return Marked("<answer>", problems, (lost,), text)


def _work(pipe: Connection, sources: list[tuple[str, str]], memory: int) -> None:
    """Say when the problems are read, then mark answers until the pipe is closed."""
    limit_memory(memory)
    problems = [load_problem(text) if "\n" in text else load_problem(name) for name, text in sources]
    markers = Markers.of(problems)
    names = tuple(p.name for p in problems)
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            text = pipe.recv()
            pipe.send(_marked(markers, text, names))


def _marked(markers: Markers, text: str, names: tuple[str, ...]) -> Marked:
    try:
        return markers.mark(text if "\n" in text else f"{text}\n")
    except SymgradError as error:
        return unmarked(text, names, error.message)
    except (MemoryError, RecursionError) as error:
        return unmarked(text, names, f"it is too large: {type(error).__name__}")
