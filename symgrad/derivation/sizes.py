"""Small sizes at which every tensor of a model has entries: a kernel fits its input, channels split into groups."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

import sympy

from symgrad.errors import QuestionError
from symgrad.tensor.integers import Int, difference, replace, symbols_of
from symgrad.tensor.nodes import At, Build, Call, Cut, Entry, Expr, Fold, MatMul, Var
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder

LARGEST = 7
"""Of the sizes that are drawn; an entry that is named, such as x[10], may need more."""
TRIES = 4_000


def derived_sizes(system: System, exprs: Iterable[Expr]) -> tuple[sympy.Expr, ...]:
    """What must be positive in a model and in expressions.

    Sizes that are arithmetic on others, such as ⌊(H − K)/S⌋ + 1, n − 2 where x[3] is, and n − m where the m × m
    product of an m × n matrix and another has an inverse.
    """
    nodes = postorder(*(d.body for d in system.definitions), *exprs)
    binders = [x for d in system.definitions for x in d.ranges]
    binders += [x for node in nodes if isinstance(node, Fold | Build) for x in node.binders]
    last: dict[sympy.Symbol, Int] = {x.symbol: x.hi for x in binders if isinstance(x.hi, int)}
    found: dict[sympy.Expr, None] = {}
    for node in nodes:
        for size in (*node.shape, *_room(node, last), *_rank(node, system)):
            derived = not isinstance(size, int | sympy.Symbol)
            if derived and all(s.is_positive for s in symbols_of(size)):
                found[size] = None
    return tuple(found)


def _room(node: Expr, last: Mapping[sympy.Symbol, Int]) -> Iterator[Int]:
    """How many places the axes have from each index on, and up to it; a running index is at its last value."""
    if isinstance(node, Entry):
        for item, size in zip(node.items, node.arg.shape, strict=True):
            for index in (item.index,) if isinstance(item, At) else (item.lo, item.hi) if isinstance(item, Cut) else ():
                yield replace(index, last)
                yield difference(size + 1, replace(index, last))


def _rank(node: Expr, system: System) -> Iterator[Int]:
    """How far the sizes within a product go beyond those of a matrix that is inverted, where these differ.

    At equal sizes X (XᵀX)⁻¹ Xᵀ is I, and its derivatives are zero.
    """
    if not isinstance(node, Call) or node.fn not in ("inv", "det"):
        return
    (arg,) = node.args
    body = system.body(arg) if isinstance(arg, Var) else arg
    if isinstance(body, MatMul):
        for factor in body.args[1:]:
            yield difference(factor.shape[0], arg.shape[0])


def fitting(
    wished: Mapping[sympy.Symbol, int], free: Sequence[sympy.Symbol], needed: Sequence[sympy.Expr]
) -> dict[sympy.Symbol, int]:
    """The wished values, or others near by for the free symbols, at which every needed size is a positive integer.

    Raises:
        QuestionError: no small numbers do.
    """
    env = dict(wished)
    needed = [x for x in needed if x.free_symbols <= env.keys()]
    least = {s: _least(s, needed) for s in free}
    env.update({s: max(env[s], n) for s, n in least.items()})
    draw = random.Random(sum(env.values()))
    for reach in range(TRIES):
        if all(_fits(x, env) for x in needed):
            return env
        top = min(LARGEST, 3 + reach // 200)
        env.update((s, draw.randint(n, max(n, top))) for s, n in least.items())
    raise QuestionError("no small sizes give every tensor of the model an entry; give the sizes as numbers")


def _least(symbol: sympy.Symbol, needed: Sequence[sympy.Expr]) -> int:
    """The least value of a symbol at which symbol + c is positive, for each such size."""
    gaps = (difference(x, symbol) for x in needed)
    return max([1, *(1 - g for g in gaps if isinstance(g, int))])


def _fits(size: sympy.Expr, env: Mapping[sympy.Symbol, int]) -> bool:
    value = size.xreplace({s: sympy.Integer(v) for s, v in env.items()})
    return bool(value.is_Integer and value >= 1)
