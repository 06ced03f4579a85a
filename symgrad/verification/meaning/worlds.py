"""The worlds in which a claim is tried.

Several are needed: unequal sizes, so that a product in the wrong order does not fit; equal ones, since a lost transpose
may fit only there; inputs with zeros and ties, where a function has a kink; and one where everything is a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
import sympy

from symgrad.calculus.moving import Key
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.identities.identity import assumed_definition
from symgrad.derivation.sizes import derived_sizes, fitting
from symgrad.derivation.workspace import integer_symbols
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem
from symgrad.tensor import build as b
from symgrad.tensor.integers import evaluate_int, symbols_of
from symgrad.tensor.nodes import Apply, Call, Compare, Expr, Fold, Reduce, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder
from symgrad.verification.meaning.assumed import Assumed, conditions_of
from symgrad.verification.meaning.world import FREE, POINTS, World, loosened

_UNEQUAL: Final = (3, 2, 4, 5, 6, 7, 8, 9)


class _Awkward(Mapping[Key, Array]):
    """Inputs of small integers, so that zeros and ties occur."""

    def __init__(self, problem: Problem, sizes: Mapping[sympy.Symbol, int]) -> None:
        self._problem, self._sizes = problem, sizes
        self._made: dict[Key, Array] = {}

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple):
            return False
        name = key[0]
        free = name in self._problem.declarations and not self._problem.facts.get(name, frozenset()) - {"parameter"}
        return free and self._problem.system.body(Var(name, key[1], ())) is None

    def __getitem__(self, key: Key) -> Array:
        if key not in self._made:
            node = self._problem.node(key[0], *key[1])
            shape = tuple(evaluate_int(s, self._sizes) for s in node.shape)
            random = np.random.default_rng([*key[0].encode(), *(abs(int(s)) for s in key[1])])
            self._made[key] = random.integers(-1, 2, size=(POINTS, *shape)).astype(float)
        return self._made[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._problem.declarations)


def worlds(problem: Problem) -> tuple[World, ...]:
    """The worlds in which a claim about matrices has to hold: unequal sizes, equal sizes, others, awkward inputs.

    Of any two sizes each is the larger one in some world.
    """
    used = _UNEQUAL[: max(1, len(_symbols(problem)))]
    others = tuple(max(used) + 3 - size for size in used)
    rows: list[tuple[tuple[int, ...], int]] = [(_UNEQUAL, 5), ((3,) * 8, 4), (others, 6)]
    made = [_world(problem, row, end, seed) for seed, (row, end) in enumerate(rows)]
    if not conditions_of(problem) and any(_kinked(d.body) for d in problem.system.definitions):
        sizes = dict(made[0].numbers.sizes)
        awkward = Numbers.of(problem.system, sizes, POINTS, 7, _Awkward(problem, sizes))
        made.append(World(problem, awkward, made[0].sizes, kinks=True))
    return tuple(made)


def _world(problem: Problem, row: tuple[int, ...], end: int, seed: int) -> World:
    ends = _ends(problem)
    known = _symbols(problem)
    plain = [name for name in known if name not in ends]
    sizes = {name: row[k % len(row)] for k, name in enumerate(plain)} | dict.fromkeys(ends, end)
    symbols = {known[name]: size for name, size in sizes.items()}
    with suppress(QuestionError):
        symbols = _roomy(symbols, [known[name] for name in plain], problem)
        sizes = {name: symbols[known[name]] for name in known}
    found = [d for c in problem.assumptions if (d := assumed_definition(c)) is not None]
    system = problem.system.extended(found) if found else problem.system
    given = Assumed(problem, system, symbols, POINTS, seed) if conditions_of(problem) else None
    met = given is None or given.met
    return World(problem, Numbers.of(system, symbols, POINTS, seed, given), sizes, met=met)


def _roomy(
    wished: Mapping[sympy.Symbol, int], free: Sequence[sympy.Symbol], problem: Problem
) -> dict[sympy.Symbol, int]:
    """Sizes at which every axis of the model has two entries or more; or one, where no small sizes do.

    Raises:
        QuestionError: no small sizes give every tensor an entry.
    """
    needed = derived_sizes(problem.system, ())
    try:
        return fitting(wished, free, [size - 1 for size in needed])
    except QuestionError:
        return fitting(wished, free, needed)


def _symbols(problem: Problem) -> dict[str, sympy.Symbol]:
    """The sizes by name, also those that only densities have."""
    ranges = {x.symbol for d in problem.system.definitions for x in d.ranges} | set(problem.steps)
    others = sorted(integer_symbols(problem.system, ()) - ranges, key=lambda s: s.name)
    return {**problem.sizes, **{s.name: s for s in others if s.is_positive}}


def _ends(problem: Problem) -> list[str]:
    """The names of the symbolic ends of ranges."""
    found = {s for x in problem.steps.values() for e in (x.lo, x.hi) for s in symbols_of(e)}
    return [name for name, symbol in problem.sizes.items() if symbol in found]


def _kinked(body: Expr) -> bool:
    """Whether a function with a kink occurs."""
    for node in postorder(body):
        match node:
            case Apply(fn=fn) if fn in SCALARS and not SCALARS[fn].smooth:
                return True
            case Compare() | Reduce(op="max" | "min") | Fold(op="max" | "min"):
                return True
            case Call(fn=fn) if fn.startswith("maxpool"):
                return True
    return False


def scalar_world(problem: Problem) -> World:
    """The world in which every quantity is a number: σ for softmax, and the loss of two classes for cross-entropy.

    A softmax of one entry is always 1 and has zero gradients, so that everything would seem right.
    """
    ends = _ends(problem)
    known = _symbols(problem)
    sizes = {name: 5 if name in ends else 1 for name in known}
    symbols = {known[name]: size for name, size in sizes.items()}
    system = System(tuple(_as_numbers(d) for d in problem.system.definitions), problem.system.steps)
    return World(problem, Numbers.of(system, symbols, POINTS, 3), sizes, scalars=True)


def _as_numbers(d: Definition) -> Definition:
    def rule(x: Expr) -> Expr:
        """softmax, cross-entropy and facts about entries as they are among numbers."""
        match x:
            case Call(fn="softmax", args=(z,)):
                return b.apply("sigmoid", z)
            case Call(fn="cross_entropy", args=(y, p)):
                other = b.mul(b.sub(b.ONE, y), b.apply("log", b.sub(b.ONE, p)))
                return b.neg(b.reduce("sum", b.add(b.mul(y, b.apply("log", p)), other)))
            case Var(facts=facts) if facts & FREE:
                return Var(x.name, x.subs, x.shape, loosened(facts))
        return x

    body = transform(d.body, rule)
    return Definition(d.family, d.indices, body, d.ranges, d.conds, loosened(d.facts))
