"""Limits in numbers: the expression at points ever closer to the limit point, with many digits, and where they lead.

With h = 10⁻⁴, 10⁻⁸, 10⁻¹⁶, … the values either settle, or approach their limit by a constant factor (as 1/log h does),
when Aitken's Δ² finds it, or grow without end. Nothing here is symbolic: it judges what symbols say.
"""

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import mpmath
import numpy as np
import sympy

from symgrad.errors import QuestionError
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Expr, Limit, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import to_sympy
from symgrad.tensor.system import System

DIGITS = 320
DISTANCES = tuple(4 * 2**k for k in range(6))
"""The limit point is approached to 10 to minus these."""
SETTLED = 1e-12
AGREE = 1e-9

Values = Callable[[Expr], Array]


def approached(node: Limit, system: System, sizes: Mapping[sympy.Symbol, int], points: int, value: Values) -> Array:
    """The value of a limit at random values of everything but its variable, (points, *shape).

    Raises:
        QuestionError: the values settle nowhere, or differ on the two sides.
    """
    arg, var = reindex(node.arg, sizes), reindex(node.var, sizes)
    shape = tuple(evaluate_int(n, sizes) for n in arg.shape)
    out = np.empty((points, *shape))
    target = np.broadcast_to(value(node.point), (points,))
    sides = {"": (1, -1), "+": (1,), "-": (-1,)}[node.side if np.isfinite(target[0]) else "+"]
    for k in range(points):
        entries = written_out(arg, var, system, sizes, partial(_at, value, k))
        for place, entry in zip(itertools.product(*map(range, shape)), entries, strict=True):
            found = [_limit(entry, float(target[k]), side) for side in sides]
            if len(found) > 1 and not _equal(*found):
                raise QuestionError(f"there is no limit: it is {found[1]:.6g} from below and {found[0]:.6g} from above")
            out[(k, *place)] = found[0]
    return out


VARIABLE = sympy.Symbol("x", real=True)


def written_out(
    arg: Expr, var: Expr, system: System, sizes: Mapping[sympy.Symbol, int], value: Values
) -> list[sympy.Expr]:
    """The entries of an expression over the one symbol ``VARIABLE``, everything else a number."""
    known: dict[Var, Any] = {}

    def lookup(node: Var, indices: tuple[int, ...]) -> Any:
        if node is var:
            return VARIABLE
        if node not in known:
            body = system.body(node)
            known[node] = _table(value(node)) if body is None else to_sympy(body, sizes, lookup)
        found = known[node]
        if not indices:
            return found
        if isinstance(found, sympy.MatrixBase) and len(indices) == 1:
            return found[indices[0] - 1]
        return found[tuple(i - 1 for i in indices)]

    found = to_sympy(arg, sizes, lookup)
    return [found] if not arg.order else list(_flat(found))


def _flat(found: Any) -> Iterator[sympy.Expr]:
    yield from sympy.flatten(found.tolist())


def _at(value: Values, k: int, node: Expr) -> Array:
    """The value at one point."""
    found = value(node)
    return np.asarray(found[k if len(found) > 1 else 0])


def _table(value: Array) -> Any:
    numbers = np.vectorize(_with_digits, otypes=[object])(value)
    return (
        numbers.item() if numbers.ndim == 0 else sympy.ImmutableDenseNDimArray(numbers.ravel().tolist(), numbers.shape)
    )


def _with_digits(x: float) -> sympy.Expr:
    # A fraction would be exact too, but SymPy looks for the roots and factors of its powers.
    return sympy.Integer(int(x)) if float(x).is_integer() else sympy.Float(float(x), DIGITS)


def _limit(entry: sympy.Expr, point: float, side: int) -> float:
    """Where the values lead; infinite where they grow without end."""
    if VARIABLE not in entry.free_symbols:
        return float(_number(entry, mpmath.mpf(0)))
    with mpmath.workdps(DIGITS):
        places = [_place(point, side, d) for d in DISTANCES]
        values = [_number(entry, x) for x in places]
        return _tends(values)


def _place(point: float, side: int, distance: int) -> Any:
    near = mpmath.mpf(10) ** distance
    if np.isinf(point):
        return near if point > 0 else -near
    return mpmath.mpf(point) + side / near


def _tends(values: Sequence[Any]) -> float:
    if any(isinstance(v, mpmath.mpc) and v.imag for v in values) or any(mpmath.isnan(v) for v in values):
        raise QuestionError("it is no real number near the limit point")
    reals = [mpmath.re(v) for v in values]
    if mpmath.isinf(reals[-1]):
        return float(reals[-1])
    steps = [b - a for a, b in itertools.pairwise(reals)]
    if abs(steps[-1]) <= SETTLED * max(1, abs(reals[-1])):
        return float(reals[-1]) if abs(reals[-1]) > SETTLED else 0.0
    if all(abs(b) > abs(a) > 0 for a, b in itertools.pairwise(steps[1:])) and abs(reals[-1]) > abs(reals[1]):
        return float("inf") if reals[-1] > 0 else float("-inf")
    guesses = [c - (c - b) ** 2 / ((c - b) - (b - a)) for a, b, c in zip(reals, reals[1:], reals[2:], strict=False)]
    if abs(guesses[-1] - guesses[-2]) <= AGREE * max(1, abs(guesses[-1])):
        return float(guesses[-1]) if abs(guesses[-1]) > AGREE else 0.0
    raise QuestionError("the values near the limit point settle nowhere")


def _equal(a: float, b: float) -> bool:
    return a == b or (bool(np.isfinite(a - b)) and abs(a - b) <= AGREE * max(1.0, abs(a)))


# One number


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "atan": mpmath.atan,
    "erf": mpmath.erf,
    "Abs": abs,
    "sign": mpmath.sign,
    "floor": mpmath.floor,
    "ceiling": mpmath.ceil,
    "Max": max,
    "Min": min,
}


def _number(root: sympy.Expr, x: Any) -> Any:
    """The value of a SymPy expression at the variable, with many digits."""
    memo: dict[Any, Any] = {VARIABLE: x}
    for node in sympy.postorder_traversal(root):
        if node not in memo:
            memo[node] = _of(node, memo)
    return memo[root]


def _of(node: Any, memo: Mapping[Any, Any]) -> Any:
    if node.is_Rational:
        return mpmath.mpf(int(node.p)) / int(node.q)
    if node.is_Atom:
        return mpmath.mpf(bool(node)) if node in (sympy.true, sympy.false) else node._to_mpmath(mpmath.mp.prec)
    args = [memo[a] for a in node.args]
    if node.is_Add:
        return reduce(operator.add, args)
    if node.is_Mul:
        return reduce(operator.mul, args)
    if node.is_Pow:
        return mpmath.power(*args)
    if node.is_Relational:
        return mpmath.mpf(HOLDS[node.rel_op](*args))
    if isinstance(node, sympy.Piecewise):
        return next(value for value, holds in args if holds)
    if isinstance(node, sympy.functions.elementary.piecewise.ExprCondPair):
        return tuple(args)
    name = type(node).__name__
    if name not in _FUNCTIONS:
        raise QuestionError(f"no way to compute {name} near the limit point")
    return _FUNCTIONS[name](*args)
