"""A model in numbers: the value of any expression at random points, derivatives by the complex step.

Im f(x + i h) / h = f′(x) + O(h²) without cancellation, so with h = 10⁻²⁰ an unresolved derivative is exact to rounding.
It comes from the forward model alone and shares nothing with the derivative rules that it judges.

Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import sympy
from msgspec import Struct, field
from msgspec.structs import replace as changed

from symgrad.calculus.approach import approached
from symgrad.calculus.found import Domain, Found
from symgrad.calculus.moving import Key, Moves
from symgrad.calculus.places import at_numbers, generator, key_of, members, node_and_places
from symgrad.calculus.sampling import sample
from symgrad.calculus.sized import at_sizes
from symgrad.errors import InternalError, QuestionError
from symgrad.tensor.evaluate import Env, evaluate
from symgrad.tensor.integers import evaluate_int, symbols_of
from symgrad.tensor.nodes import ANY, Deriv, Entry, Expr, Limit, Opaque, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition, System, spread
from symgrad.tensor.walk import postorder, variables

STEP = 1e-20
STEP_OF_DIFFERENCES = 1e-3
KINK = 1e-4
"""By how much, of 1 or of the larger one, the slopes on both sides of a smooth point may differ."""
PLACES = (1, -1, 2, -2)
"""The steps of a central difference of order h⁴."""
_AMOUNTS = tuple(STEP_OF_DIFFERENCES * k for k in PLACES)


class _Missing(Exception):
    def __init__(self, node: Var) -> None:
        self.node = node


class Numbers(Struct, frozen=True):
    """One choice of sizes and random inputs, the same for every expression evaluated in it.

    Attributes:
        system: the definitions, with numeric ranges.
        sizes: every size, every open step and every open index.
        points: how many random points there are, the batch length.
        seed: decides the inputs.
        given: inputs that are not random, (points or 1, *shape).
    """

    system: System
    sizes: Mapping[sympy.Symbol, int]
    points: int = 4
    seed: int = 0
    given: Mapping[Key, Array] = field(default_factory=dict)
    _found: Found = field(default_factory=Found)
    _domain: Domain = field(default_factory=Domain)
    _swept: dict[tuple[Expr, tuple[complex, ...], frozenset[Key]], dict[Key, Array]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        system: System,
        sizes: Mapping[sympy.Symbol, int],
        points: int = 4,
        seed: int = 0,
        given: Mapping[Key, Array] | None = None,
    ) -> "Numbers":
        """The system at given sizes, with the ends of its ranges as numbers."""
        return cls(at_sizes(system, sizes), dict(sizes), points, seed, given or {})

    def extended(self, definitions: Iterable[Definition]) -> "Numbers":
        """The same numbers with more named nodes; what is known stays known."""
        more = at_sizes(System(tuple(definitions)), self.sizes).definitions
        return changed(self, system=self.system.extended(more))

    def resized(self, sizes: Mapping[sympy.Symbol, int]) -> "Numbers":
        """The same numbers with values for more open indices."""
        return changed(self, sizes=sizes)

    def fresh(self) -> "Numbers":
        """The same numbers, nothing of them known yet."""
        return Numbers(self.system, self.sizes, self.points, self.seed, self.given)

    def value(self, expr: Expr, indices: Mapping[sympy.Symbol, int] | None = None) -> Array:
        """The value of an expression, (points or 1, *shape)."""
        return self._value(expr, indices or {})[0]

    def reseeded(self) -> "Numbers":
        """The same model at other random points."""
        return Numbers(self.system, self.sizes, self.points, self.seed + 1_000, self.given)

    def inside(self, value: Array) -> Array:
        """A value at the points that lie in the domain of the model: where every node that was read is a number.

        Raises:
            QuestionError: no point does.
        """
        good = self._domain.good(self._found, self.points)
        if not good.any():
            raise QuestionError("at every random point a function of the model is outside its domain")
        return value[good] if len(value) == self.points and not good.all() else value

    def _value(self, expr: Expr, indices: Mapping[sympy.Symbol, int]) -> tuple[Array, frozenset[Key]]:
        """The value and the nodes that were read for it; what they read is evaluated first, and only once."""
        todo = self._missing(expr, indices)
        begun: set[Var] = set()
        while True:
            try:
                if not todo:
                    value, read = self._evaluate(expr, indices, self._found.values)
                    self._domain.note(read, self._found)
                    return value, read
                node = todo[-1]
                key = key_of(node)
                below = self._below(node) if node not in begun and key not in self._found.values else []
                begun.add(node)
                if below:
                    todo += _unbegun(below, begun)
                    continue
                if key not in self._found.values:
                    self._found.values[key], self._found.reads[key] = self._node(node)
                todo.pop()
            except _Missing as missing:
                todo += _unbegun([missing.node], begun)

    def read(self, expr: Expr) -> frozenset[Key]:
        """The nodes that an expression reads, which are evaluated."""
        return self._value(expr, {})[1]

    def _below(self, node: Var) -> list[Var]:
        body = None if key_of(node) in self.given else self.system.body(node)
        return [] if body is None else self._missing(body, {})

    def _missing(self, expr: Expr, indices: Mapping[sympy.Symbol, int]) -> list[Var]:
        """The named nodes in an expression that have no value yet, but for those at bound indices."""
        here = {**self.sizes, **indices} if indices else self.sizes
        found: dict[Var, None] = {}
        for v in variables(expr):
            if all(isinstance(s, int) or symbols_of(s) <= here.keys() for s in v.subs):
                node = v if all(isinstance(s, int) for s in v.subs) else at_numbers(v, here)
                if key_of(node) not in self._found.values:
                    found[cast(Var, node)] = None
        return list(found)

    def _evaluate(
        self, expr: Expr, indices: Mapping[sympy.Symbol, int], known: Mapping[Key, Array]
    ) -> tuple[Array, frozenset[Key]]:
        asked: set[Key] = set()

        def lookup(node: Var) -> Array:
            key = key_of(node)
            asked.add(key)
            found = known.get(key)
            if found is None:
                raise _Missing(node)
            return found

        value = evaluate(expr, Env(lookup, self.sizes, indices, self._derivative, self._opaque))
        return value, frozenset(asked)

    def _node(self, node: Var) -> tuple[Array, frozenset[Key]]:
        key = key_of(node)
        if key in self.given:
            return self.given[key], frozenset()
        body = self.system.body(node)
        if body is None:
            shape = tuple(evaluate_int(s, self.sizes) for s in node.shape)
            return sample(node.facts, shape, self.points, generator(self.seed, key)), frozenset()
        return self._evaluate(body, {}, self._found.values)

    def _derivative(self, node: Any, env: Env) -> Array:
        """∂of/∂wrt, (points, *of.shape, *wrt.shape); the value of a limit, (points, *shape)."""
        if isinstance(node, Limit):
            return approached(node, self.system, {**self.sizes, **env.indices}, self.points, self.value)
        assert isinstance(node, Deriv)
        here = {**self.sizes, **env.indices}
        of, wrt = at_numbers(node.of, here), at_numbers(node.wrt, here)
        if isinstance(wrt, Entry):
            return self._by_entry(of, wrt, node, env)
        if not isinstance(wrt, Var):
            raise InternalError("a derivative is taken by a named node or its entries")
        key = self._partial_key(node, env.indices)
        if key not in self._found.partials:
            self._found.partials[key] = self._partial(of, wrt, node, here), self._value(of, {})[1]
        value, read = self._found.partials[key]
        self._domain.note(read, self._found)
        return value

    def _partial(self, of: Expr, wrt: Var, node: Deriv, here: Mapping[sympy.Symbol, int]) -> Array:
        return self.derivative(of, wrt, self.kept(of, wrt, node, here))

    def kept(self, of: Expr, wrt: Var, node: Deriv, here: Mapping[sympy.Symbol, int]) -> set[Key]:
        """The nodes that a derivative holds fixed."""
        if node.kind == "immediate" and not node.held:
            return self._named_in(of) - {key_of(wrt)}
        return self.held(of, wrt, [at_numbers(h, here) for h in node.held])

    def held(self, of: Expr, wrt: Var, held: Iterable[Expr]) -> set[Key]:
        """The nodes that expressions hold fixed; of a whole family, all but those that the derivative is about."""
        keys = {key_of(v) for h in held for v in variables(h)}
        families = {name for name, subs in keys if ANY in subs}
        if not families:
            return keys
        self.value(of)
        own = {key_of(v) for v in (*variables(of), wrt)}
        return {k for k in self._found.values if k[0] in families and k not in own} | {
            k for k in keys if ANY not in k[1]
        }

    def _by_entry(self, of: Expr, wrt: Entry, node: Deriv, env: Env) -> Array:
        whole, picks = node_and_places(wrt, {**self.sizes, **env.indices})
        value = self._derivative(Deriv(of, whole, node.kind, of.shape + whole.shape, node.held), env)
        return np.asarray(value[(slice(None),) * (1 + of.order) + picks])

    def _named_in(self, of: Expr) -> set[Key]:
        body = self.system.body(of) if isinstance(of, Var) else of
        if body is None:
            return set()
        if isinstance(body, Opaque):
            return {key_of(v) for a in members(body, self.sizes) for v in variables(a)}
        return {key_of(v) for v in variables(spread(at_numbers(body, self.sizes)))}

    def derivative(self, of: Expr, wrt: Var, held: Iterable[Key] = ()) -> Array:
        """∂of/∂wrt through the definitions, the nodes in ``held`` kept at their values; (points, *of, *wrt).

        What is defined by derivatives is differentiated by central differences: a complex step within a complex step
        has no meaning.

        Raises:
            QuestionError: nodes are held, and there are derivatives on the way.
        """
        if self.nested(of):
            if held:
                raise QuestionError("a derivative through others cannot be taken with nodes held fixed")
            return central(self._again(of, wrt, _AMOUNTS))
        return np.asarray(self._moved(of, wrt, (1j * STEP,), frozenset(held))[0].imag / STEP)

    def differences(self, of: Expr, wrt: Expr, held: Iterable[Expr] = (), h: float = STEP_OF_DIFFERENCES) -> Array:
        """∂of/∂wrt by central differences, (8 (f₊ − f₋) − (f₊₊ − f₋₋)) / 12 h; (points, *of.shape, *wrt.shape)."""
        return central(self._beside(of, wrt, held, h), h)

    def smooth(self, of: Expr, wrt: Expr, held: Iterable[Expr], h: float) -> Array:
        """Where the slopes on both sides are one; elsewhere the point lies on a kink, as equal entries of a max do."""
        return one_slope(self._beside(of, wrt, held, h), h)

    def _beside(self, of: Expr, wrt: Expr, held: Iterable[Expr], h: float) -> Array:
        """The values on both sides, near and far, (4, points, *of.shape, *wrt.shape)."""
        node, picks = node_and_places(at_numbers(wrt, self.sizes), self.sizes)
        of = at_numbers(of, self.sizes)
        kept = self.held(of, node, [at_numbers(x, self.sizes) for x in held])
        amounts = tuple(h * k for k in PLACES)
        nested = self.nested(of)
        moved = self._again(of, node, amounts) if nested else self._moved(of, node, amounts, frozenset(kept))
        return np.asarray(moved[(slice(None),) * (2 + of.order) + picks])

    def unresolved(self, node: Expr, indices: Mapping[sympy.Symbol, int]) -> Deriv | None:
        """The derivative that an expression is, itself or as a name of one such as δ = ∂L/∂v; None where it is not."""
        if isinstance(node, Var):
            body = self.system.body(cast(Var, at_numbers(node, {**self.sizes, **indices})))
            return body if isinstance(body, Deriv) else None
        return node if isinstance(node, Deriv) else None

    def take(self, node: Deriv, value: Array, indices: Mapping[sympy.Symbol, int]) -> None:
        """From here on a derivative has the value that was found right along directions."""
        key = self._partial_key(node, indices)
        self._found.partials.setdefault(key, (value, self._value(key[0], {})[1]))

    def taken(self, node: Deriv, indices: Mapping[sympy.Symbol, int]) -> bool:
        """Whether the value of a derivative is known."""
        return self._partial_key(node, indices) in self._found.partials

    def _partial_key(self, node: Deriv, indices: Mapping[sympy.Symbol, int]) -> tuple[Any, ...]:
        here = {**self.sizes, **indices}
        return (
            at_numbers(node.of, here),
            at_numbers(node.wrt, here),
            node.kind,
            frozenset(at_numbers(h, here) for h in node.held),
        )

    def nested(self, of: Expr) -> bool:
        """Whether an expression, or a definition upstream of it, holds derivatives."""
        if _speaks_of_derivatives(of):
            return True
        families = {d.family for d in self.system.definitions if _speaks_of_derivatives(d.body)}
        if not families:
            return False
        upstream = [k for k in self.moves().upstream(self._value(of, {})[1]) if k[0] in families]
        return any(not self._is_input(k) and _speaks_of_derivatives(self._body(k)) for k in upstream)

    def _is_input(self, key: Key) -> bool:
        return key in self.given or self.system.body(Var(*key, ())) is None

    def _again(self, of: Expr, wrt: Var, by: tuple[float, ...]) -> Array:
        """What ``_moved`` gives for an expression that holds derivatives: each is taken anew at the moved points."""
        self.value(of)
        start = self.value(wrt)
        entries = math.prod(start.shape[1:])
        batch = len(by) * entries * self.points
        inputs = {k: v for k, v in self._found.values.items() if self._is_input(k)}
        given = {k: np.tile(v, (batch // len(v), *(1,) * (v.ndim - 1))) for k, v in inputs.items()}
        value = np.array(np.broadcast_to(np.resize(start, (self.points, *start.shape[1:])), start.shape))
        value = np.tile(value, (len(by) * entries, *(1,) * (start.ndim - 1)))
        blocks = value.reshape(len(by), entries, self.points, entries)
        for j in range(entries):
            blocks[:, j, :, j] += np.array(by)[:, None]
        given[key_of(wrt)] = value
        numbers = Numbers(self.system, self.sizes, batch, self.seed, {**self.given, **given})
        found = np.broadcast_to(end := numbers.value(of), (batch, *end.shape[1:]))
        found = found.reshape(len(by), entries, self.points, *end.shape[1:])
        return np.moveaxis(found, 1, -1).reshape(len(by), self.points, *end.shape[1:], *start.shape[1:])

    def _moved(self, of: Expr, wrt: Var, by: tuple[complex, ...], held: frozenset[Key]) -> Array:
        """of with each entry of wrt moved in turn by each amount; (amounts, points, *of.shape, *wrt.shape)."""
        value, read = self._value(of, {})
        self.value(wrt)
        moves = self.moves()
        return moves.by_entries(moves.target(of, read, held), value, key_of(wrt), by)

    def moves(self) -> Moves:
        """The passes over the model in which nodes are moved."""

        def at(expr: Expr, values: Mapping[Key, Array]) -> Array:
            return self._evaluate(expr, {}, values)[0]

        return Moves(self._found.values, self._found.reads, self.points, at, self._body, self._swept)

    def _body(self, key: Key) -> Expr:
        body = self.system.body(Var(*key, ()))
        assert body is not None
        return body

    def _opaque(self, node: Any, env: Env) -> Array:
        """An unknown loss stands in for a quadratic with random coefficients: its partials are as good as any."""
        assert isinstance(node, Opaque)
        total: Array = np.zeros((1,))
        for k, arg in enumerate(members(node, {**self.sizes, **env.indices})):
            value = evaluate(arg, changed(env, indices={}))
            random = generator(self.seed, (node.name, (k,)))
            slope, bend = (random.normal(size=value.shape[1:]) for _ in range(2))
            weighted = slope * value + bend * value * value / 2
            total = total + weighted.reshape(len(value), -1).sum(axis=1)
        return total


def central(moved: Array, h: float = STEP_OF_DIFFERENCES) -> Array:
    """(8 (f₊ − f₋) − (f₊₊ − f₋₋)) / 12 h, an error of order h⁴."""
    up, down, far_up, far_down = moved
    with np.errstate(all="ignore"):
        return np.asarray((8 * (up - down) - (far_up - far_down)) / (12 * h))


def one_slope(moved: Array, h: float) -> Array:
    """Whether (f₊₊ − f₊)/h, to the right, is (f₋ − f₋₋)/h, to the left."""
    up, down, far_up, far_down = moved
    with np.errstate(all="ignore"):
        right, left = (far_up - up) / h, (down - far_down) / h
    return np.asarray(np.abs(right - left) <= KINK * np.maximum(1.0, np.maximum(np.abs(right), np.abs(left))))


_spoken: "WeakKeyDictionary[Expr, bool]" = WeakKeyDictionary()


def _speaks_of_derivatives(root: Expr) -> bool:
    if root not in _spoken:
        _spoken[root] = any(isinstance(x, Deriv) for x in postorder(root))
    return _spoken[root]


def _unbegun(nodes: list[Var], begun: Collection[Var]) -> list[Var]:
    for node in nodes:
        if node in begun:
            raise InternalError(f"{node.name} is defined in terms of itself at the same step")
    return nodes
