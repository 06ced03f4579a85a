"""What is assumed: facts about symbols, and random values for which the other conditions hold.

``a > 0`` becomes a fact about a, which every rule may use. Any other condition is imposed on the numbers by which
lines are certified: an equation on one of its inputs, by scaling it where the left side is homogeneous in it
(``norm(x) == 1``, ``sum(Y, axis=1) == 1``) and along a line where it is affine (``a + b == 0``); of an inequality the
points at which it holds are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.numeric import Numbers
from symgrad.calculus.pullback import SUMS_TO_ONE
from symgrad.calculus.sampling import sample
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question, Setting
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import MIRRORED
from symgrad.tensor.facts import at_least, at_most, between
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.integers import replace as at_sizes
from symgrad.tensor.nodes import Compare, Density, Expr, Integral, Reduce, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables

DRAWS = 64
ATTEMPTS = 12
CLOSE = 1e-9
_HOLDS = {
    "==": lambda a, b: np.abs(a - b) <= CLOSE * np.maximum(1.0, np.abs(b)),
    "!=": lambda a, b: np.abs(a - b) > CLOSE,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b + CLOSE,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b - CLOSE,
}


def conditions(problem: Problem, question: Question) -> tuple[Compare, ...]:
    """What the question and the problem assume of values."""
    return tuple(c for c in (*question.assume, *problem.assumptions) if isinstance(c, Compare))


# Facts


def with_facts(problem: Problem, question: Question) -> tuple[Problem, Question]:
    """Problem and question with what is assumed of a symbol alone, such as a > 0, among the facts about it."""
    known = _facts(problem, conditions(problem, question))
    if not known:
        return problem, question

    def change(x: Expr) -> Expr:
        mapping: dict[Expr, Expr] = {}
        for v in variables(x, into_derivatives=True):
            if v.name in known:
                mapping[v] = Var(v.name, v.subs, v.shape, v.facts | known[v.name])
        return replace_nodes(x, mapping)

    def changed(value: object) -> object:
        match value:
            case Expr():
                return change(value)
            case Asked():
                return replace(value, expr=change(value.expr))
            case Setting(target=Expr() as target):
                given = replace(value.value, entries=tuple(change(x) for x in value.value.entries))
                return replace(value, target=change(target), value=given)
            case tuple():
                return tuple(changed(x) for x in value)
        return value

    definitions = tuple(replace(d, body=change(d.body)) for d in problem.system.definitions)
    facts = {n: f | known.get(n, frozenset()) for n, f in problem.facts.items()}
    fields = {name: changed(value) for name, value in question.fields.items()}
    assume = tuple(change(c) if isinstance(c, Expr) else c for c in question.assume)
    assumptions = tuple(change(c) if isinstance(c, Expr) else c for c in problem.assumptions)
    system = System(definitions, problem.system.steps)
    return (
        replace(problem, system=system, facts=facts, assumptions=assumptions),
        replace(question, fields=fields, assume=assume),
    )


def _facts(problem: Problem, assumed: Iterable[Compare]) -> dict[str, frozenset[str]]:
    """The facts by symbol: an interval with two ends, one end, or the positive numbers; entries that sum to 1."""
    low: dict[str, tuple[Fraction, bool]] = {}
    high: dict[str, tuple[Fraction, bool]] = {}
    defined = {d.family for d in problem.system.definitions}
    scalars: set[str] = set()
    whole: dict[str, frozenset[str]] = {}
    for c in assumed:
        if (summed := _sums_to_one(c)) is not None and summed not in defined:
            whole[summed] = frozenset({SUMS_TO_ONE})
        for left, op, right in ((c.left, c.op, c.right), (c.right, MIRRORED[c.op], c.left)):
            end = b.number_of(right)
            if isinstance(left, Var) and end is not None and left.name not in defined:
                scalars |= set() if left.order else {left.name}
                if op in (">", ">="):
                    low[left.name] = max((end, op == ">"), low.get(left.name, (end, False)))
                elif op in ("<", "<="):
                    high[left.name] = min((end, op != "<"), high.get(left.name, (end, True)))
    found = {name: _interval(low.get(name), high.get(name)) for name in {**low, **high}}
    found |= {name: facts | found.get(name, frozenset()) for name, facts in whole.items()}
    inside = {n for n in scalars if low.get(n) == (Fraction(0), True) and high.get(n) == (Fraction(1), False)}
    return {name: facts | {"probability"} if name in inside else facts for name, facts in found.items()}


def _sums_to_one(c: Compare) -> str | None:
    """The vector, or the matrix by its rows, of which a condition says that the entries sum to 1."""
    summed, one = (c.left, c.right) if isinstance(c.left, Reduce) else (c.right, c.left)
    if c.op != "==" or b.number_of(one) != 1 or not isinstance(summed, Reduce) or summed.op != "sum":
        return None
    arg = summed.arg
    return arg.name if isinstance(arg, Var) and summed.axes == (arg.order - 1,) else None


def _interval(low: tuple[Fraction, bool] | None, high: tuple[Fraction, bool] | None) -> frozenset[str]:
    """An interval from its ends, each with a truth value: whether the lower is left out, whether the upper belongs."""
    found: set[str] = set()
    if low is not None and (low[0] > 0 or low == (Fraction(0), True)):
        found.add("positive")
    if low is not None and high is not None:
        found |= {between(low[0], high[0])} if low[0] < high[0] else set()
    elif low is not None and low != (Fraction(0), True):
        found.add(at_least(low[0]))
    elif high is not None:
        found.add(at_most(high[0]))
    return frozenset(found)


# Values


class Imposed(Struct, frozen=True):
    """Conditions that random values are made to satisfy."""

    conditions: tuple[Compare, ...]

    @classmethod
    def of(cls, problem: Problem, question: Question) -> "Imposed":
        """The conditions that say more than a fact about one symbol."""
        known = _facts(problem, conditions(problem, question))
        said = [c for c in conditions(problem, question) if not _is_fact(c, known)]
        return cls(tuple(c for c in said if not any(isinstance(x, Density | Integral) for x in postorder(c))))

    def on(self, numbers: Numbers) -> Numbers:
        """The numbers with other values of the inputs that the conditions name.

        Raises:
            QuestionError: no values were found for which they hold.
        """
        if not self.conditions:
            return numbers
        inputs = _inputs(numbers.system, self.conditions)
        kept: dict[Var, list[Array]] = {v: [] for v in inputs}
        found = 0
        for attempt in range(ATTEMPTS):
            random = np.random.default_rng([numbers.seed, attempt, 5])
            drawn = {v: sample(v.facts, _shape(v, numbers.sizes), DRAWS, random) for v in inputs}
            values, good = self.satisfied(numbers.system, numbers.sizes, drawn)
            for v in inputs:
                kept[v].append(values[v][good])
            found += int(good.sum())
            if found >= numbers.points:
                given = {_key(v, numbers.sizes): np.concatenate(kept[v])[: numbers.points] for v in inputs}
                return replace(numbers.fresh(), given={**numbers.given, **given})
        said = " and ".join(describe_node(c) for c in self.conditions)
        raise QuestionError(f"no values were found for which {said} holds")

    def at(
        self, system: System, sizes: Mapping[sympy.Symbol, int], given: Mapping[Var, Array]
    ) -> dict[Var, Array] | None:
        """One point, changed so that the conditions hold; None where they cannot be made to."""
        if not self.conditions:
            return dict(given)
        drawn = {v: given[v] for v in _inputs(system, self.conditions) if v in given}
        values, good = self.satisfied(system, sizes, {v: np.asarray(x)[None] for v, x in drawn.items()})
        return {**given, **{v: x[0] for v, x in values.items()}} if good.all() else None

    def satisfied(
        self, system: System, sizes: Mapping[sympy.Symbol, int], drawn: Mapping[Var, Array]
    ) -> tuple[dict[Var, Array], Array]:
        """The values changed so that the equations hold, and at which points every condition does."""
        values = dict(drawn)
        with np.errstate(all="ignore"):
            for c in self.conditions:
                if c.op == "==":
                    _impose(c, system, sizes, values)
        points = max((len(x) for x in values.values()), default=1)
        good = np.ones(points, dtype=bool)
        numbers = _numbers(system, sizes, values, points)
        with np.errstate(all="ignore"):
            for c in self.conditions:
                left, right = np.broadcast_arrays(*_aligned(numbers.value(c.left), numbers.value(c.right)))
                good &= _HOLDS[c.op](left, right).reshape(len(left), -1).all(axis=1)
        return values, good


def _is_fact(c: Compare, known: Mapping[str, frozenset[str]]) -> bool:
    ends = ((c.left, c.right), (c.right, c.left))
    told = any(isinstance(v, Var) and v.name in known and b.number_of(n) is not None for v, n in ends)
    return told and c.op not in ("==", "!=")


def _inputs(system: System, exprs: Sequence[Expr]) -> tuple[Var, ...]:
    """The inputs that expressions depend on."""
    found: dict[Var, None] = {}
    seen: set[Var] = set()
    waiting = [v for x in exprs for v in variables(x, into_derivatives=True)]
    while waiting:
        v = waiting.pop(0)
        if v not in seen:
            seen.add(v)
            body = system.body(v)
            found.update({v: None} if body is None else {})
            waiting += variables(body) if body is not None else []
    return tuple(found)


def _impose(c: Compare, system: System, sizes: Mapping[sympy.Symbol, int], values: dict[Var, Array]) -> None:
    """One equation, by changing the first of its inputs that makes it hold."""
    for v in _inputs(system, [c]):
        for way in (_scaled, _along):
            changed = way(c, v, system, sizes, values)
            if changed is not None:
                values[v] = changed
                return


def _gap(
    c: Compare, v: Var, x: Array, system: System, sizes: Mapping[sympy.Symbol, int], values: Mapping[Var, Array]
) -> tuple[Array, Array]:
    numbers = _numbers(system, sizes, {**values, v: x}, len(x))
    with np.errstate(all="ignore"):
        return _aligned(numbers.value(c.left), numbers.value(c.right))


def _scaled(
    c: Compare, v: Var, system: System, sizes: Mapping[sympy.Symbol, int], values: Mapping[Var, Array]
) -> Array | None:
    """v times (right/left)^(1/d), where left is homogeneous of degree d in v and right does not depend on v."""
    x = values[v]
    (one, right), (two, same) = (_gap(c, v, k * x, system, sizes, values) for k in (1.0, 2.0))
    if not np.allclose(right, same) or not np.isfinite(one).all() or (one == 0).any():
        return None
    degree = np.log2(np.abs(two / one))
    d = float(np.round(degree.flat[0]))
    if d == 0 or not np.allclose(two, 2.0**d * one):
        return None
    factor = np.broadcast_to(right, one.shape) / one
    if d % 2 == 0 and (factor < 0).any():
        return None
    root = np.sign(factor) * np.abs(factor) ** (1 / d)
    for axis in (None, *range(1, x.ndim)):
        spread = root.reshape(len(root), *[1] * (x.ndim - 1)) if root.ndim == 1 else _expanded(root, axis, x.ndim)
        if spread is None or any(n not in (1, m) for n, m in zip(spread.shape, x.shape, strict=True)):
            continue
        changed = x * spread
        left, right = _gap(c, v, changed, system, sizes, values)
        if np.allclose(left, right, rtol=CLOSE, atol=CLOSE):
            return np.asarray(changed)
    return None


def _expanded(root: Array, axis: int | None, ndim: int) -> Array | None:
    if axis is None:
        return root if root.ndim == ndim else None
    return np.expand_dims(root, axis) if root.ndim + 1 == ndim else None


def _along(
    c: Compare, v: Var, system: System, sizes: Mapping[sympy.Symbol, int], values: Mapping[Var, Array]
) -> Array | None:
    """The v at which the sides meet, where their difference is affine in a scalar v, or v itself is the left side."""
    x = values[v]
    if c.left is v:
        right = _gap(c, v, x, system, sizes, values)[1]
        return np.array(np.broadcast_to(right, x.shape))
    if v.order:
        return None
    zero, one, two = (np.subtract(*_gap(c, v, np.full_like(x, k), system, sizes, values)) for k in (0.0, 1.0, 2.0))
    slope = one - zero
    if zero.ndim != 1 or not np.allclose(two, zero + 2 * slope) or (np.abs(slope) < CLOSE).any():
        return None
    return np.asarray(-zero / slope)


def _aligned(left: Array, right: Array) -> tuple[Array, Array]:
    """Two values with the batch axis first, the one of lower order filled with axes behind it."""
    wide = max(left.ndim, right.ndim)
    return _filled(left, wide), _filled(right, wide)


def _filled(x: Array, ndim: int) -> Array:
    return x.reshape(len(x), *[1] * (ndim - x.ndim), *x.shape[1:])


def _numbers(system: System, sizes: Mapping[sympy.Symbol, int], values: Mapping[Var, Array], points: int) -> Numbers:
    return Numbers.of(system, sizes, points, 0, {_key(v, sizes): x for v, x in values.items()})


def _key(v: Var, sizes: Mapping[sympy.Symbol, int]) -> tuple[str, tuple[int | sympy.Expr, ...]]:
    return v.name, tuple(at_sizes(s, sizes) for s in v.subs)


def _shape(v: Var, sizes: Mapping[sympy.Symbol, int]) -> tuple[int, ...]:
    return tuple(evaluate_int(s, sizes) for s in v.shape)
