"""What is said of one equation of an answer."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from msgspec import Struct

from symgrad.source import Place
from symgrad.verification.judging.trials import Trial

RIGHT: Final = "right"
OTHER_LAYOUT: Final = "right-other-layout"
AS_SCALARS: Final = "right-as-scalars"
TO_PRECISION: Final = "right-to-precision"
RIGHT_IF: Final = "right-if"
WRONG: Final = "wrong"
SHAPE_ERROR: Final = "shape-error"
CARRIED: Final = "carried-forward"
DEFINITION: Final = "definition"
UNJUDGED: Final = "unjudged"
UNREAD: Final = "unread"

VERDICTS: Final = (
    RIGHT, OTHER_LAYOUT, AS_SCALARS, TO_PRECISION, RIGHT_IF, WRONG, SHAPE_ERROR, CARRIED, DEFINITION, UNJUDGED, UNREAD,
)  # fmt: skip
"""Every verdict there is."""

GOOD: Final = frozenset({RIGHT, OTHER_LAYOUT, AS_SCALARS, TO_PRECISION, RIGHT_IF})
BAD: Final = frozenset({WRONG, SHAPE_ERROR, CARRIED})


class Counterexample(Struct, frozen=True):
    """A point at which both sides were computed: the sizes and indices, the entry (from 1), and both numbers."""

    at: Mapping[str, int]
    entry: tuple[int, ...]
    expected: float
    given: float


class Judgement(Struct, frozen=True):
    """A verdict with its reason.

    ``trial`` is how it was found, ``sure`` whether all its names are known, ``question`` the one that it answers.
    """

    verdict: str
    reason: str = ""
    diagnosis: str = ""
    correction: str = ""
    counterexample: Counterexample | None = None
    trial: Trial | None = None
    sure: bool = True
    question: str | None = None

    @property
    def good(self) -> bool:
        """Whether the equation is right in some way."""
        return self.verdict in GOOD

    @property
    def bad(self) -> bool:
        """Whether it counts against the writer."""
        return self.verdict in BAD

    @property
    def in_scalars(self) -> bool:
        """Whether it was decided where every quantity is a number."""
        failure = self.trial.failure if self.trial is not None else None
        return failure is not None and failure.point is not None and failure.point.world.scalars


class Judged(Struct, frozen=True):
    """One equation of a document with its verdict.

    Attributes:
        place: where its right side begins.
        quantity: what it is about, as written.
        question: the id of the question it answers, where there is one.
        problem: the name of the problem it was judged against.
        sure: whether all its names are known.
        row: whether it is a row of a table.
    """

    place: Place
    latex: str
    quantity: str
    question: str | None
    problem: str | None
    verdict: str
    reason: str = ""
    diagnosis: str = ""
    correction: str = ""
    counterexample: Counterexample | None = None
    points: Fraction | None = None
    sure: bool = True
    row: bool = False

    @property
    def good(self) -> bool:
        """Whether it is right in some way."""
        return self.verdict in GOOD

    @property
    def bad(self) -> bool:
        """Whether it counts against the writer."""
        return self.verdict in BAD
