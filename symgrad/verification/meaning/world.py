"""A world: one choice of sizes and random inputs, in which everything a writer names has a value."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final, cast

import numpy as np
import sympy

from symgrad.calculus.dependency import reach
from symgrad.calculus.moving import Key
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.differentiation.state import states
from symgrad.problem.model import Declaration, Problem
from symgrad.tensor import build as b
from symgrad.tensor.facts import between
from symgrad.tensor.integers import Int, evaluate_int, symbols_of
from symgrad.tensor.nodes import Call, Entry, Expr, Fold, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder, variables

POINTS: Final = 4
FREE: Final = frozenset({"one-hot", "probability"})
_BETWEEN: Final = between(0, 1)
_NORMS: Final = frozenset({"norm", "column_norm", "row_norm"})
_BOUNDS: Final = MappingProxyType({"1": "column_norm", "inf": "row_norm"})


@dataclass(eq=False)
class World:
    """The numbers of a problem at one choice of sizes.

    ``sizes`` are the sizes and ends of steps by name; ``scalars`` marks the world in which every quantity is a number;
    ``met`` says whether what the problem assumes holds at its points.
    """

    problem: Problem
    numbers: Numbers
    sizes: Mapping[str, int]
    scalars: bool = False
    kinks: bool = False
    met: bool = True
    base: "World | None" = None
    imaginary: bool = False
    _nodes: dict[tuple[str, tuple[int, ...]], Var | None] = field(default_factory=dict)
    _values: dict[Expr, Array] = field(default_factory=dict)
    _free: dict[tuple[str, int], Array] = field(default_factory=dict)
    _between: dict[tuple[str, ...], tuple[Expr, ...]] = field(default_factory=dict)

    def given(self, values: Mapping[Key, Array]) -> "World":
        """The same world in which some nodes have given values besides; nothing acts on these."""
        n = self.numbers
        every = ChainMap(cast(MutableMapping[Key, Array], values), cast(MutableMapping[Key, Array], n.given))
        numbers = Numbers(n.system, n.sizes, n.points, n.seed, every)
        return World(self.problem, numbers, self.sizes, self.scalars, self.kinks, self.met)

    def node(self, name: str, subs: tuple[int, ...]) -> Var | None:
        """The named node with its sizes in numbers; None where the problem has no such member."""
        key = (name, subs)
        if key not in self._nodes:
            self._nodes[key] = self._found(name, subs)
        return self._nodes[key]

    def _found(self, name: str, subs: tuple[int, ...]) -> Var | None:
        body = self.numbers.system.body(Var(name, subs, ()))
        if body is not None:
            return Var(name, subs, self._sized(body.shape), self._facts(name))
        for declared in self.problem.declarations.get(name, ()):
            env = self._matches(declared, subs)
            if env is not None and not declared.arguments:
                return Var(name, subs, tuple(evaluate_int(s, env) for s in declared.shape), self._facts(name))
        return None

    def _facts(self, name: str) -> frozenset[str]:
        facts = self.problem.facts.get(name, frozenset())
        return loosened(facts) if self.scalars else facts

    def _sized(self, shape: tuple[Int, ...]) -> tuple[int, ...]:
        return tuple(evaluate_int(s, self.numbers.sizes) for s in shape)

    def _matches(self, declared: Declaration, subs: tuple[int, ...]) -> dict[sympy.Symbol, int] | None:
        """Sizes and pattern symbols for which the declaration is of that member."""
        if len(declared.pattern) != len(subs):
            return None
        env = dict(self.numbers.sizes)
        ranges = {x.symbol: x for x in declared.ranges}
        for pattern, value in zip(declared.pattern, subs, strict=True):
            if isinstance(pattern, sympy.Symbol) and (pattern in ranges or pattern not in env):
                env[pattern] = value
            elif symbols_of(pattern) - set(env) or evaluate_int(pattern, env) != value:
                return None
        inside = all(
            evaluate_int(x.lo, env) <= env[x.symbol] <= evaluate_int(x.hi, env)
            for x in ranges.values()
            if x.symbol in env
        )
        return env if inside else None

    def value(self, expr: Expr) -> Array:
        """The value of an expression at every point, (points or 1, *shape); without axes of length 1 among scalars."""
        found = self._values.get(expr)
        if found is None:
            found = self.numbers.value(expr)
            if self.scalars:
                found = found.reshape(len(found), *(n for n in found.shape[1:] if n != 1))
            self._values[expr] = found
        return found

    def partial(self, of: Expr, wrt: Expr, immediate: bool = False, marked: bool = False) -> Array:
        """∂of/∂wrt, (points, *of.shape, *wrt.shape).

        An immediate one holds the states between them; one that is ``marked`` so, ∂⁺, is that of the definition of
        ``of`` where this reads ``wrt``.
        """
        if of is wrt:
            return self.value(b.identity_tensor(of.shape))
        held = self._states(of, wrt) if immediate and not (marked and self._reads(of, wrt)) else ()
        return self.value(b.deriv(of, wrt, "immediate" if immediate else "total", held))

    def along(self, of: Var, wrt: Var) -> Array | None:
        """∂of/∂wrt of one state by an earlier one, with the other states held.

        None where there is no other, or no question holds one: elsewhere it would be a path that is forgotten.
        """
        if of.name != wrt.name or of.name not in self._alone:
            return None
        others = tuple(x for x in self._states(of, wrt) if isinstance(x, Var) and x.name != of.name)
        return self.value(b.deriv(of, wrt, "immediate", others)) if others else None

    @cached_property
    def _alone(self) -> frozenset[str]:
        """The states of which questions ask with something held: what they carry by themselves."""
        asked = (q for q in self.problem.questions if q.ask == "derivative" and q.several("hold"))
        ends = ([x.expr for name in ("of", "wrt") for x in q.several(name)] for q in asked)
        families = ({x.name for x in row if isinstance(x, Var)} for row in ends if all(isinstance(x, Var) for x in row))
        return frozenset(names.pop() for names in families if len(names) == 1)

    def _reads(self, of: Expr, wrt: Expr) -> bool:
        """Whether the definition of a node reads another."""
        one, other = (x.arg if isinstance(x, Entry) else x for x in (of, wrt))
        body = self.numbers.system.body(one) if isinstance(one, Var) else None
        if body is None or not isinstance(other, Var):
            return False
        return any((x.name, x.subs) == (other.name, other.subs) for x in variables(body))

    def forgets(self, of: Expr, wrt: Expr) -> bool:
        """Whether the immediate partial of a state by an earlier one leaves out paths through other states of its step.

        It does where the state is not read by its own definition: of h_t = o_t ⊙ tanh(c_t) by h_{t−1}, c_t is held.
        """
        one, other = (x.arg if isinstance(x, Entry) else x for x in (of, wrt))
        if not (isinstance(one, Var) and isinstance(other, Var)) or one.name != other.name or self._reads(of, wrt):
            return False
        return any(isinstance(x, Var) and x.name != one.name for x in self._states(of, wrt))

    def _states(self, of: Expr, wrt: Expr) -> tuple[Expr, ...]:
        """What carries something from step to step between two nodes, every member of it."""
        ends = [x.arg if isinstance(x, Entry) else x for x in (of, wrt)]
        key = tuple(x.name if isinstance(x, Var) else "" for x in ends)
        if key not in self._between:
            self._between[key] = tuple(s.all for s in states(self.numbers.system, *key)) if all(key) else ()
        return self._between[key]

    def free(self, name: str, order: int) -> Array:
        """Random numbers for a name that the problem does not have."""
        key = (name, order)
        if key not in self._free:
            if self.base is not None:
                still = self.base.free(name, order)
                return np.tile(still, (self.numbers.points // len(still), *(1,) * order))
            size = 3 if self.sizes.get("*", 0) == 0 else 2
            random = np.random.default_rng([self.numbers.seed, order, *name.encode()])
            self._free[key] = random.normal(size=(POINTS, *(size,) * order))
        return self._free[key]

    @property
    def is_complex(self) -> bool:
        """Whether inputs are moved by an imaginary step."""
        return self.base is not None and (self.imaginary or self.base.is_complex)

    def moved(self, wrt: Var, step: complex | float) -> "World":
        """The world in which every entry of a node is moved in turn, each in a stretch of the batch of its own."""
        value = np.asarray(self.numbers.value(wrt))
        points = self.numbers.points
        entries = int(np.prod(value.shape[1:], dtype=int))
        moved = np.tile(np.broadcast_to(value, (points, *value.shape[1:])), (entries, *(1,) * (value.ndim - 1)))
        moved = moved.astype(np.result_type(moved, type(step))).reshape(entries, points, entries)
        moved[np.arange(entries), :, np.arange(entries)] += step
        given = _Tiled(self, (wrt.name, wrt.subs), moved.reshape(entries * points, *value.shape[1:]), entries)
        numbers = Numbers(self.numbers.system, self.numbers.sizes, entries * points, self.numbers.seed, given)
        return World(self.problem, numbers, self.sizes, self.scalars, base=self, imaginary=isinstance(step, complex))

    @cached_property
    def norms(self) -> frozenset[str]:
        """The norms of matrices of which the problem speaks, by their names among the whole-tensor functions."""
        asked = (x.expr for q in self.problem.questions for name in q.fields for x in q.several(name))
        whole = (*(d.body for d in self.problem.system.definitions), *asked)
        calls = (n for x in whole for n in postorder(x) if isinstance(n, Call) and n.args[0].order == 2)
        bounds = (q.word("norm") or "" for q in self.problem.questions if q.ask == "bound")
        return frozenset(n.fn for n in calls) & _NORMS | {_BOUNDS[x] for x in bounds if x in _BOUNDS}

    @cached_property
    def shown(self) -> str:
        """The sizes in words."""
        return ", ".join(f"{name} = {size}" for name, size in self.sizes.items() if name != "*")


class _Tiled(Mapping[Key, Array]):
    """The inputs of a world, repeated for every entry that is moved, and the node that is."""

    def __init__(self, base: World, moved: Key, value: Array, entries: int) -> None:
        self._base, self._moved, self._value, self._entries = base, moved, value, entries

    def __contains__(self, key: object) -> bool:
        if key == self._moved or key in self._base.numbers.given:
            return True
        return isinstance(key, tuple) and self._base.numbers.system.body(Var(key[0], key[1], ())) is None

    def __getitem__(self, key: Key) -> Array:
        if key == self._moved:
            return self._value
        node = self._base.node(key[0], key[1])
        if node is None:
            raise KeyError(key)
        value = self._base.numbers.value(node)
        return np.tile(value, (self._entries, *(1,) * (value.ndim - 1))) if len(value) > 1 else value

    def __iter__(self) -> Iterator[Key]:
        return iter((self._moved,))

    def __len__(self) -> int:
        return 1


def depending(problem: Problem) -> dict[str, set[str]]:
    """What the definitions of each family read."""
    reads: dict[str, set[str]] = {}
    for d in problem.system.definitions:
        reads.setdefault(d.family, set()).update(v.name for v in variables(d.body))
    return reads


def total_loss(problem: Problem, of: str | None = None) -> tuple[Definition, ...]:
    """The scalars of the model that nothing reads: what is minimised; the one that depends on most comes first.

    With ``of``, those alone that depend on this family.
    """
    reads = depending(problem)
    read = set().union(*reads.values()) if reads else set()
    found = [d for d in problem.system.definitions if d.family not in read and not d.body.shape and not d.indices]
    reached = {d: reach(d.family, reads) for d in found}
    kept = [d for d in found if of is None or of in reached[d]]
    return tuple(sorted(kept, key=lambda d: -len(reached[d])))


def sum_over(problem: Problem, name: str) -> Expr | None:
    """The total of a family of losses: the node that sums it, or its sum over the steps."""
    for d in problem.system.definitions:
        total = d.body if isinstance(d.body, Fold) and d.body.op == "sum" and not d.indices else None
        if total is not None and isinstance(total.body, Var) and total.body.name == name:
            return d.target
    family = problem.system.family(name)
    if len(family) == 1 and len(family[0].ranges) == 1 and not family[0].body.shape:
        return b.fold("sum", family[0].target, family[0].ranges)
    return None


def step_values(problem: Problem, world: World, symbol: sympy.Symbol) -> list[int]:
    """The values of a step in a world, those in the middle of its range first."""
    x = problem.steps[symbol]
    lo, hi = evaluate_int(x.lo, world.numbers.sizes), evaluate_int(x.hi, world.numbers.sizes)
    middle = (lo + hi) // 2
    return sorted(range(lo, hi + 1), key=lambda k: (abs(k - middle), k))


def loosened(facts: frozenset[str]) -> frozenset[str]:
    """The facts of a quantity that is a number: a part of 1 instead of a vector of such parts."""
    return facts - FREE | {_BETWEEN} if facts & FREE else facts
