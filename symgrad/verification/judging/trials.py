"""A line tried in numbers: both sides in every world, at several steps, under one reading after another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace as changed

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, ListTree, Name, Span, Subscript, Transpose, Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Comparison, Gap, Outcome, compared, difference, informative
from symgrad.verification.meaning.indices import axes, choices
from symgrad.verification.meaning.integers import holds
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import PLAIN, Gradients, Notation, Partials, Reading, Sizing
from symgrad.verification.meaning.values import Misfit, Value
from symgrad.verification.meaning.world import World

_PLACES = (3, 2, 2, 2)
_MOST_BEYOND = 3
_ENDS = 2
"""So many places more for every index of entries, so that the ends of its axis are among them."""
_MORE = (0, 0, 5, 9, 15)
"""So many places more, where several indices are open: far apart, equal, the one or the other larger."""


class Point(Struct, frozen=True):
    """A world with values of the open indices, and the true value there."""

    world: World
    ints: Mapping[str, int]
    truth: Value


class Failure(Struct, frozen=True):
    """Where a line fails: the numbers, or the shapes that do not fit."""

    point: Point | None
    gap: Gap | None = None
    misfit: Misfit | None = None
    given: tuple[int, ...] | None = None


class Trial(Struct, frozen=True):
    """What came of trying a line under a reading; ``outcome`` is None where it has no value."""

    reading: Reading
    outcome: Outcome | None
    failure: Failure | None = None
    formal: bool = False
    unclear: str = ""
    kinks: bool = False
    partly: bool = False

    @property
    def holds(self) -> bool:
        """Whether both sides agreed everywhere, transposed or not."""
        return self.outcome in (Outcome.SAME, Outcome.TURNED)


def points(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, reading: Reading = PLAIN,
    among: Sequence[World] | None = None, most: int | None = None,
) -> list[Point]:  # fmt: skip
    """The points at which a line is tried: those at which its left side has a value, and its right side is not outside.

    ``among`` are the worlds, all by default, and ``most`` how many points each may give.

    Raises:
        Unclear: the left side has no value.
        Misfit: its shapes do not fit.
    """
    found: list[Point] = []
    trouble: Unclear | Misfit | None = None
    lengths = axes((left, right), bench.names) if "entry" in kinds.values() else {}
    more = _MORE[min(len(kinds), 4)] + _ENDS * len(lengths.keys() & kinds.keys())
    for turn, world in enumerate(among if among is not None else bench.worlds):
        meaning = bench.meaning(world, reading, notation)
        here = beyond = 0
        for ints in choices(kinds, bench.problem, world, lengths):
            try:
                if not holds(meaning, notation.where, ints):
                    continue
                truth = meaning.value(left, ints)
            except Outside:
                continue
            except (Unclear, Misfit) as error:
                trouble = error
                break
            except (SymgradError, ShapeError) as error:
                trouble = Unclear(str(error))
                break
            if not _reachable(meaning, right, ints):
                beyond += 1
                continue
            if informative(truth):
                found.append(Point(world, ints, truth))
                here += 1
            if here >= (most or _PLACES[min(turn, 3)] + more):
                break
        if beyond > _MOST_BEYOND * max(here, 1):
            raise Unclear("at most steps an index on the right is outside its range")
    if trouble is not None and not found:
        raise trouble
    return found


def _reachable(meaning: Meaning, right: Tree, ints: Mapping[str, int]) -> bool:
    """Whether every index on the right is inside its range."""
    try:
        meaning.value(right, ints)
    except Outside:
        return False
    except (Unclear, Misfit, SymgradError, ShapeError):
        return True
    return True


def tried(bench: Bench, at: Iterable[Point], right: Tree, reading: Reading, notation: Notation) -> Trial:
    """The right side compared with the true value at every point."""
    outcomes: set[Outcome] = set()
    turned: Failure | None = None
    formal, partly = True, False
    meanings: dict[World, Meaning] = {}
    for point in at:
        meaning = meanings.get(point.world)
        if meaning is None:
            meaning = meanings[point.world] = bench.meaning(point.world, reading, notation)
        try:
            given = meaning.value(right, point.ints)
            comparison = compared(point.truth, given)
        except Misfit as misfit:
            return Trial(reading, Outcome.SHAPE, Failure(point, misfit=misfit))
        except Outside:
            continue
        except Unclear as error:
            return Trial(reading, None, unclear=str(error))
        except (SymgradError, ShapeError, np.linalg.LinAlgError, OverflowError) as error:
            return Trial(reading, None, unclear=str(error))
        formal, partly = formal and given.formal, partly or comparison.partly
        outcomes.add(comparison.outcome)
        if comparison.outcome is Outcome.TURNED and turned is None:
            gap = difference(point.truth, given)
            turned = None if gap is None else Failure(point, gap, given=given.shape)
        if comparison.outcome in (Outcome.VALUES, Outcome.SHAPE) or len(outcomes) > 1:
            return _failed(reading, point, given, comparison)
    if not outcomes:
        return Trial(reading, None, unclear="there is no step at which it says anything")
    return Trial(reading, outcomes.pop(), turned, formal=formal, partly=partly)


def _failed(reading: Reading, point: Point, given: Value, comparison: Comparison) -> Trial:
    outcome = comparison.outcome if comparison.outcome is Outcome.SHAPE else Outcome.VALUES
    return Trial(reading, outcome, Failure(point, comparison.gap, given=given.shape), kinks=point.world.kinks)


def readings(right: Tree, sizes: Sequence[Sizing] = ((),)) -> Iterator[Reading]:
    """The readings that differ for a tree, the plainest first; ``sizes`` are those of constants that say none."""
    nodes = list(walk(right))
    partial = any(isinstance(x, Call) and x.func.id in ("jacobian", "grad") for x in nodes)
    hadamard = any(isinstance(x, Binary) and x.op in ("⊙", "∘") for x in nodes)
    starred = any(isinstance(x, Binary) and x.op == "*" for x in nodes)
    ranged = any(isinstance(x, Call) and x.func.id == "prod" and x.keywords for x in nodes)
    whole = any(isinstance(x, Call) and x.func.id == "softmax" and not x.keywords for x in nodes)
    listed = any(isinstance(x, ListTree) and any(isinstance(y, Name) for y in walk(x)) for x in nodes)
    every_path: tuple[Partials, ...] = ("total", "leaves", "neighbours", "immediate") if partial else ("total",)
    layouts: tuple[Gradients, ...] = ("column", "row", "denominator") if partial else ("column",)
    rows = [
        Reading(
            gradients,
            partials,
            loose,
            spread,
            entries,
            backwards,
            sizes=sizing,
            columns=columns,
            norms=norm,
            joined=joined,
        )
        for norm, joined, columns, backwards, entries, loose, spread, partials, gradients, sizing in itertools.product(
            ("model", *(r.norms for r in norms(right))),
            (False, True) if listed else (False,),
            (False, True) if whole else (False,),
            (False, True) if ranged else (False,),
            (False, True) if starred else (False,),
            (False, True),
            (False, True) if partial and hadamard else (False,),
            every_path,
            layouts,
            sizes,
        )
    ]
    rows = [r for r in rows if r.backwards or not ranged or r.gradients != "denominator"]
    return iter(rows)


def norms(*sides: Tree) -> tuple[Reading, ...]:
    """The readings that say what the norm of a matrix is, where there is a norm."""
    measured = any(isinstance(x, Call) and x.func.id == "norm" for side in sides for x in walk(side))
    return (Reading(norms="entries"), Reading(norms="operator")) if measured else ()


def unknown_orders(reading: Reading, loose: Sequence[Name]) -> Iterator[Reading]:
    """The reading with every undeclared name as a number or a vector; capitals are matrices."""
    if len(loose) > 4:
        return
    kinds = [((2,) if name.id[:1].isupper() else (0, 1)) for name in loose]
    for orders in itertools.product(*kinds):
        yield changed(reading, orders=tuple((n.id, k) for n, k in zip(loose, orders, strict=True)))


def is_atomic(tree: Tree) -> bool:
    """Whether it is one quantity: a name, an entry, or the derivative of one by another."""
    match tree:
        case Name():
            return True
        case Subscript(base, _):
            return is_atomic(base)
        case Call(func, (_, _)) if func.id in ("jacobian", "grad"):
            return True
        case Transpose(operand):
            return is_atomic(operand)
    return False


def has_derivative(tree: Tree) -> bool:
    """Whether a derivative stands anywhere in it."""
    return any(isinstance(x, Call) and x.func.id in ("jacobian", "grad") for x in walk(tree))


def speaks_matrices(tree: Tree) -> bool:
    """Whether its notation is that of matrices: a transpose, diag, ⊙, the identity."""
    for x in walk(tree):
        match x:
            case Transpose():
                return True
            case Binary(op="⊙" | "∘" | "⊗"):
                return True
            case Call(func) if func.id in (
                "diag",
                "identity",
                "ones",
                "trace",
                "inv",
                "outer",
                "vec",
                "matrix",
                "norm",
            ):
                return True
            case Subscript(_, items) if any(isinstance(i, Span) for i in items):
                return True
    return False
