"""Many answers in worker processes: one that hangs or ends its worker costs one answer."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from symgrad.pipeline import load
from symgrad.verification import bulk
from symgrad.verification.bulk import verify_many
from symgrad.verification.marked import Marked, Markers

RIGHT = r"$$\frac{\partial E_1}{\partial z_1} = \hat y_1 - y_1$$"
WRONG = r"$$\frac{\partial E_1}{\partial z_1} = \hat y_1 + y_1$$"
POISON = "poison"
SECONDS = 5.0


def test_many_answers_are_marked_as_one_by_one() -> None:
    problem = load("bptt")
    texts = [RIGHT, WRONG, "", RIGHT, "no formula at all"]
    alone = Markers.of([problem])
    expected = [[c.verdict for c in alone.mark(f"{text}\n").claims] for text in texts]
    found = verify_many([problem], texts, jobs=2)
    assert [[c.verdict for c in x.claims] for x in found] == expected
    assert expected[:2] == [["right"], ["wrong"]]


def test_no_answers() -> None:
    assert verify_many([load("bptt")], [], jobs=2) == []


def _poisoned(harm: Callable[[], None]) -> Callable[[Markers, str, tuple[str, ...]], Marked]:
    """Marking as it is, but for one text, which does harm to the process that marks it."""
    marked = bulk._marked

    def mark(markers: Markers, text: str, names: tuple[str, ...]) -> Marked:
        if text == POISON:
            harm()
        return marked(markers, text, names)

    return mark


def _work_poisoned_by_crash(*args: object) -> None:
    vars(bulk)["_marked"] = _poisoned(lambda: os.kill(os.getpid(), signal.SIGKILL))
    bulk._work(*args)  # type: ignore[arg-type]


def _work_poisoned_by_exit(*args: object) -> None:
    vars(bulk)["_marked"] = _poisoned(lambda: os._exit(0))
    bulk._work(*args)  # type: ignore[arg-type]


def _work_poisoned_by_hang(*args: object) -> None:
    vars(bulk)["_marked"] = _poisoned(lambda: time.sleep(3600))
    bulk._work(*args)  # type: ignore[arg-type]


class _Poisoned:
    """The way processes are started, with another function to run in them."""

    def __init__(self, work: Callable[..., None]) -> None:
        self.work = work

    def Pipe(self) -> object:
        return _REAL.Pipe()

    def Process(self, target: object, args: tuple[object, ...], daemon: bool) -> object:
        return _REAL.Process(target=self.work, args=args, daemon=daemon)


_REAL = bulk._CONTEXT


@pytest.mark.parametrize(
    ("work", "jobs", "seconds", "why"),
    [
        (_work_poisoned_by_crash, 1, 60.0, "the checker ended without an answer"),
        (_work_poisoned_by_exit, 2, 60.0, "the checker ended without an answer"),
        (_work_poisoned_by_hang, 2, SECONDS, f"it took longer than {SECONDS:g} seconds"),
    ],
    ids=["crash", "exit", "hang"],
)
def test_one_bad_answer_costs_one_answer(
    work: Callable[..., None], jobs: int, seconds: float, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_CONTEXT", _Poisoned(work))
    texts = [RIGHT, POISON, WRONG, RIGHT]
    found = verify_many([load("bptt")], texts, jobs=jobs, seconds=seconds)
    assert [[c.verdict for c in x.claims] for x in found] == [["right"], ["unjudged"], ["wrong"], ["right"]]
    assert [c.reason for c in found[1].claims] == [why]
