"""A model in numbers: the value of any expression at random points, derivatives by the complex step.

Im f(x + i h) / h = f′(x) + O(h²) without cancellation, so with h = 10⁻²⁰ an unresolved derivative is exact to rounding.
It comes from the forward model alone and shares nothing with the derivative rules that it judges.

Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symgrad.calculus.sampling import sample
from symgrad.errors import InternalError
from symgrad.tensor.evaluate import Env, evaluate
from symgrad.tensor.integers import Int, evaluate_int, replace
from symgrad.tensor.nodes import ANY, At, Binder, Cut, Deriv, Entry, Expr, Opaque, Pick, Rel, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition, System, spread
from symgrad.tensor.walk import reindex, variables

STEP = 1e-20
Key = tuple[str, tuple[Int, ...]]


class _Missing(Exception):
    def __init__(self, node: Var) -> None:
        self.node = node


@dataclass(frozen=True, slots=True)
class Numbers:
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
    _known: dict[Key, Array] = field(default_factory=dict, repr=False)
    _partials: dict[tuple[Any, ...], Array] = field(default_factory=dict, repr=False)

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
        definitions = [
            Definition(
                d.family,
                tuple(replace(i, _without(sizes, d.ranges)) for i in d.indices),
                d.body,
                tuple(_numeric(x, sizes) for x in d.ranges),
                tuple(Rel(c.op, _part(c.left, sizes, d), _part(c.right, sizes, d)) for c in d.conds),
                d.facts,
            )
            for d in system.definitions
        ]
        steps = {s: _numeric(x, sizes) for s, x in system.steps.items()}
        return cls(System(tuple(definitions), steps), dict(sizes), points, seed, given or {})

    def extended(self, definitions: Iterable[Definition]) -> "Numbers":
        """The same numbers with more named nodes; what is known stays known."""
        more = Numbers.of(System(tuple(definitions), {}), self.sizes).system.definitions
        system = self.system.extended(more)
        return Numbers(system, self.sizes, self.points, self.seed, self.given, self._known, self._partials)

    def resized(self, sizes: Mapping[sympy.Symbol, int]) -> "Numbers":
        """The same numbers with values for more open indices."""
        return Numbers(self.system, sizes, self.points, self.seed, self.given, self._known, self._partials)

    def value(self, expr: Expr, indices: Mapping[sympy.Symbol, int] | None = None) -> Array:
        """The value of an expression, (points or 1, *shape)."""
        env = Env(self._lookup, self.sizes, indices or {}, self._derivative, self._opaque)
        todo: list[Var] = []
        while True:
            try:
                if not todo:
                    return evaluate(expr, env)
                node = todo[-1]
                self._known[_key(node)] = self._node(node)
                todo.pop()
            except _Missing as missing:
                if missing.node in todo:
                    raise InternalError(f"{missing.node.name} is defined in terms of itself at the same step") from None
                todo.append(missing.node)

    def _lookup(self, node: Var) -> Array:
        found = self._known.get(_key(node))
        if found is None:
            raise _Missing(node)
        return found

    def _node(self, node: Var) -> Array:
        key = _key(node)
        if key in self.given:
            return self.given[key]
        body = self.system.body(node)
        if body is None:
            shape = tuple(evaluate_int(s, self.sizes) for s in node.shape)
            return sample(node.facts, shape, self.points, _generator(self.seed, key))
        return evaluate(body, Env(self._lookup, self.sizes, {}, self._derivative, self._opaque))

    def _derivative(self, node: Any, env: Env) -> Array:
        """∂of/∂wrt, (points, *of.shape, *wrt.shape)."""
        assert isinstance(node, Deriv)
        here = {**self.sizes, **env.indices}
        of, wrt = _at(node.of, here), _at(node.wrt, here)
        if isinstance(wrt, Entry):
            return self._by_entry(of, wrt, node, env)
        if not isinstance(wrt, Var):
            raise InternalError("a derivative is taken by a named node or its entries")
        key = (of, wrt, node.kind, node.held, tuple(sorted((s.name, v) for s, v in env.indices.items())))
        if key not in self._partials:
            self._partials[key] = self._partial(of, wrt, node, here)
        return self._partials[key]

    def _partial(self, of: Expr, wrt: Var, node: Deriv, here: Mapping[sympy.Symbol, int]) -> Array:
        held = self._held(of, wrt, [_at(h, here) for h in node.held])
        if node.kind == "immediate" and not node.held:
            held = self._reads(of) - {_key(wrt)}
        return self.derivative(of, wrt, held)

    def _held(self, of: Expr, wrt: Var, held: Iterable[Expr]) -> set[Key]:
        keys = {_key(v) for h in held for v in variables(h)}
        families = {name for name, subs in keys if ANY in subs}
        if not families:
            return keys
        self.value(of)
        own = {_key(v) for v in (*variables(of), wrt)}
        return {k for k in self._known if k[0] in families and k not in own} | {k for k in keys if ANY not in k[1]}

    def _by_entry(self, of: Expr, wrt: Entry, node: Deriv, env: Env) -> Array:
        whole, picks = _whole(wrt, {**self.sizes, **env.indices})
        value = self._derivative(Deriv(of, whole, node.kind, of.shape + whole.shape, node.held), env)
        return np.asarray(value[(slice(None),) * (1 + of.order) + picks])

    def _reads(self, of: Expr) -> set[Key]:
        body = self.system.body(of) if isinstance(of, Var) else of
        if body is None:
            return set()
        if isinstance(body, Opaque):
            return {_key(v) for a in _members(body, self.sizes) for v in variables(a)}
        return {_key(v) for v in variables(spread(_at(body, self.sizes)))}

    def derivative(self, of: Expr, wrt: Var, held: Iterable[Key] = ()) -> Array:
        """∂of/∂wrt through the definitions, the nodes in ``held`` kept at their values; (points, *of, *wrt)."""
        return np.asarray(self._moved(of, wrt, 1j * STEP, held).imag / STEP)

    def differences(self, of: Expr, wrt: Expr, held: Iterable[Expr] = (), h: float = 1e-3) -> Array:
        """∂of/∂wrt by central differences, (8 (f₊ − f₋) − (f₊₊ − f₋₋)) / 12 h; (points, *of.shape, *wrt.shape)."""
        node, picks = _whole(_at(wrt, self.sizes), self.sizes)
        of = _at(of, self.sizes)
        kept = self._held(of, node, [_at(x, self.sizes) for x in held])
        near = self._moved(of, node, h, kept) - self._moved(of, node, -h, kept)
        far = self._moved(of, node, 2 * h, kept) - self._moved(of, node, -2 * h, kept)
        value = (8 * near - far) / (12 * h)
        return np.asarray(value[(slice(None),) * (1 + of.order) + picks])

    def _moved(self, of: Expr, wrt: Var, by: complex, held: Iterable[Key]) -> Array:
        """of with each entry of wrt moved in turn; (points, *of.shape, *wrt.shape)."""
        v = self.value(wrt)
        base = np.broadcast_to(v, (self.points, *v.shape[1:]))
        shape = base.shape[1:]
        count = math.prod(shape)
        bumps = by * np.eye(count)[:, None, :]
        moved = (base.reshape(1, self.points, count) + bumps).reshape(count * self.points, *shape)
        given = {k: np.tile(x, (count, *([1] * (x.ndim - 1)))) for k in held for x in [self._known_value(k)]}
        given[_key(wrt)] = moved
        value = _Repeated(self, count, given).value(of)
        of_shape = value.shape[1:]
        full = np.broadcast_to(value, (count * self.points, *of_shape))
        return np.moveaxis(full.reshape(count, self.points, *of_shape), 0, -1).reshape(self.points, *of_shape, *shape)

    def _known_value(self, key: Key) -> Array:
        found = self._known.get(key)
        if found is None:
            name, subs = key
            found = self.value(self._named(name, subs))
        return np.broadcast_to(found, (self.points, *found.shape[1:]))

    def _named(self, name: str, subs: tuple[Int, ...]) -> Var:
        for d in self.system.definitions:
            for v in (d.target, *variables(d.body)):
                if v.name == name and len(v.subs) == len(subs):
                    return Var(name, subs, v.shape, v.facts)
        raise InternalError(f"no node is named {name}")

    def _opaque(self, node: Any, env: Env) -> Array:
        """An unknown loss stands in for a quadratic with random coefficients: its partials are as good as any."""
        assert isinstance(node, Opaque)
        total: Array = np.zeros((1,))
        for k, arg in enumerate(_members(node, {**self.sizes, **env.indices})):
            value = evaluate(arg, Env(self._lookup, self.sizes, {}, self._derivative, self._opaque))
            random = _generator(self.seed, (node.name, (k,)))
            slope, bend = (random.normal(size=value.shape[1:]) for _ in range(2))
            weighted = slope * value + bend * value * value / 2
            total = total + weighted.reshape(len(value), -1).sum(axis=1)
        return total


class _Repeated(Numbers):
    """The same numbers, each point once for every perturbation of one input."""

    base: Numbers
    count: int
    __slots__ = ("base", "count")

    def __init__(self, base: Numbers, count: int, given: Mapping[Key, Array]) -> None:
        super().__init__(base.system, base.sizes, base.points * count, base.seed, given)
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "count", count)

    def _node(self, node: Var) -> Array:
        base: Numbers = self.base
        if _key(node) not in self.given and base.system.body(node) is None:
            value = base.value(node)
            return np.tile(value, (self.count, *([1] * (value.ndim - 1)))) if len(value) > 1 else value
        return super()._node(node)


def _key(node: Expr) -> Key:
    assert isinstance(node, Var)
    return node.name, node.subs


def _at(expr: Expr, sizes: Mapping[sympy.Symbol, int]) -> Expr:
    return reindex(expr, sizes)


def _whole(wrt: Expr, sizes: Mapping[sympy.Symbol, int]) -> tuple[Var, tuple[Any, ...]]:
    """The named node that an expression is or is entries of, with the places of the entries."""
    if isinstance(wrt, Var):
        return wrt, ()
    if not isinstance(wrt, Entry) or not isinstance(wrt.arg, Var):
        raise InternalError("a derivative is taken by a named node or its entries")
    picks: list[Any] = []
    for item in wrt.items:
        match item:
            case At(index=i):
                picks.append(evaluate_int(i, sizes) - 1)
            case Cut(lo=lo, hi=hi):
                picks.append(slice(evaluate_int(lo, sizes) - 1, evaluate_int(hi, sizes)))
            case Pick():
                raise InternalError("a derivative by entries that data picks")
    return wrt.arg, tuple(picks)


def _members(node: Opaque, sizes: Mapping[sympy.Symbol, int]) -> list[Expr]:
    """The arguments of an opaque loss, at every index of its ranges."""
    found = list(node.args)
    for x in node.over:
        lo, hi = evaluate_int(x.lo, sizes), evaluate_int(x.hi, sizes)
        found = [reindex(a, {x.symbol: k}) for k in range(lo, hi + 1) for a in found]
    return found


def _numeric(x: Binder, sizes: Mapping[sympy.Symbol, int]) -> Binder:
    inner = {s: v for s, v in sizes.items() if s != x.symbol}
    return Binder(x.symbol, replace(x.lo, inner), replace(x.hi, inner))


def _without(sizes: Mapping[sympy.Symbol, int], ranges: Iterable[Binder]) -> dict[sympy.Symbol, int]:
    bound = {x.symbol for x in ranges}
    return {s: v for s, v in sizes.items() if s not in bound}


def _part(value: Int, sizes: Mapping[sympy.Symbol, int], d: Definition) -> Int:
    return replace(value, _without(sizes, d.ranges))


def _generator(seed: int, key: Key) -> np.random.Generator:
    name, subs = key
    words = [*name.encode(), 0, *(int(s) + 1_000 for s in subs if isinstance(s, int))]
    return np.random.default_rng([seed, *words])
