"""Small sizes at which every tensor of a model has entries: a kernel fits its input, channels split into groups."""

import random
from collections.abc import Iterable, Mapping, Sequence

import sympy

from symgrad.errors import QuestionError
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Expr
from symgrad.tensor.walk import postorder

LARGEST = 7
TRIES = 4_000


def derived_sizes(exprs: Iterable[Expr]) -> tuple[sympy.Expr, ...]:
    """The sizes of all nodes that are arithmetic on size symbols, such as ⌊(H − K)/S⌋ + 1."""
    found: dict[sympy.Expr, None] = {}
    for node in postorder(*exprs):
        for size in node.shape:
            derived = not isinstance(size, int | sympy.Symbol)
            if derived and all(s.is_positive for s in symbols_of(size)):
                found[size] = None
    return tuple(found)


def fitting(
    wished: Mapping[sympy.Symbol, int], free: Sequence[sympy.Symbol], needed: Sequence[sympy.Expr]
) -> dict[sympy.Symbol, int]:
    """The wished values, or others near by for the free symbols, at which every needed size is a positive integer.

    Raises:
        QuestionError: no small numbers do.
    """
    env = dict(wished)
    needed = [x for x in needed if x.free_symbols <= env.keys()]
    draw = random.Random(sum(env.values()))
    for reach in range(TRIES):
        if all(_fits(x, env) for x in needed):
            return env
        top = min(LARGEST, 3 + reach // 200)
        env.update((s, draw.randint(1, top)) for s in free)
    raise QuestionError("no small sizes give every tensor of the model an entry; give the sizes as numbers")


def _fits(size: sympy.Expr, env: Mapping[sympy.Symbol, int]) -> bool:
    value = size.xreplace({s: sympy.Integer(v) for s, v in env.items()})
    return bool(value.is_Integer and value >= 1)
