"""Costs are compared with a peer's in the same run; no test asserts seconds."""

import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pytest


@dataclass(frozen=True)
class Costs:
    """The processor time of two things done in turn, several times: medians, and the smallest ratio of neighbours."""

    ours: float
    theirs: float
    ratio: float


def alternated(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> Costs:
    """What each costs, measured in turn so that a busy machine slows both."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, other = median(a for a, _ in pairs), median(b for _, b in pairs)
    return Costs(mine, other, min(mine / other, min(a for a, _ in pairs) / min(b for _, b in pairs)))


def spent(work: Callable[[], object]) -> float:
    """The processor time of some work in this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def spent_outside(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """The processor time of a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a measured number, whatever is captured."""

    def told(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}")

    return told


@pytest.fixture
def alone(request: pytest.FixtureRequest) -> None:
    """Ratios are measured when nothing else runs: tests in the other workers would be measured with them."""
    if hasattr(request.config, "workerinput"):
        pytest.skip("measured by itself: pytest tests/benchmarks")


@pytest.fixture
def compare(alone: None, tell: Callable[[str], None]) -> Callable[..., float]:
    """``compare(what, ours, theirs, rounds=5)``: how many times as long ours takes as theirs."""

    def compared(
        what: str,
        ours: Callable[[], object],
        theirs: Callable[[], object],
        rounds: int = 5,
        measure: Callable[..., float] = spent,
    ) -> float:
        costs = alternated(lambda: measure(ours), lambda: measure(theirs), rounds)
        tell(f"{what}: {costs.ours * 1e3:.1f} ms against {costs.theirs * 1e3:.1f} ms, {costs.ratio:.2f} times")
        return costs.ratio

    return compared


@pytest.fixture
def compare_processes(alone: None, tell: Callable[[str], None]) -> Callable[..., float]:
    """The same for the command lines of two processes in an environment."""

    def compared(
        what: str, ours: Sequence[str], theirs: Sequence[str], environment: Mapping[str, str], rounds: int = 5
    ) -> float:
        costs = alternated(lambda: spent_outside(ours, environment), lambda: spent_outside(theirs, environment), rounds)
        tell(f"{what}: {costs.ours * 1e3:.0f} ms against {costs.theirs * 1e3:.0f} ms, {costs.ratio:.2f} times")
        return costs.ratio

    return compared
