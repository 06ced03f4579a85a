"""Definitions put in for names, as far as some of the symbols reach."""

from collections import deque
from collections.abc import Callable, Collection, Mapping

import sympy

from symgrad.calculus.dependency import lags
from symgrad.errors import QuestionError
from symgrad.tensor.build import is_one, number_of
from symgrad.tensor.integers import Int, difference, same, symbols_of
from symgrad.tensor.nodes import Add, Apply, Compare, Expr, MatMul, Mul, Pow, Var
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System, spread
from symgrad.tensor.walk import postorder, variables

DEEPEST = 30
MOST_NODES = 400


def written_out(
    system: System,
    expr: Expr,
    reach: Collection[str],
    known: Collection[str] = (),
    stays: Callable[[Var], bool] = lambda v: False,
) -> Expr:
    """The expression with every name that depends on the families in ``reach`` replaced by what it is defined as.

    ``known`` families stay, whatever defines them, and so does every node that ``stays``.

    Raises:
        QuestionError: that has no end, or grows too large.
    """
    out = spread(expr)
    for _ in range(DEEPEST):
        bodies: dict[Expr, Expr] = {}
        for v in variables(out):
            body = None if v.name in known or v.name in reach or stays(v) else system.body(v)
            if body is not None and depends(system, v, reach, stays):
                bodies[v] = spread(body)
        if not bodies:
            return out
        out = replace_nodes(out, bodies)
        if len(postorder(out)) > MOST_NODES:
            break
    raise QuestionError("too much is defined in terms of it to be written out in one line")


def earlier_states(system: System, *exprs: Expr) -> Callable[[Var], bool]:
    """Whether a node is a state of a recurrence at another step than the latest in expressions: h_{t−1} for h_t."""
    position = lags(system).position
    here: dict[sympy.Symbol, Int] = {}
    for v in variables(*exprs, into_derivatives=True):
        for step, k in position.get(v.name, {}).items():
            if k < len(v.subs) and symbols_of(v.subs[k]):
                ahead = difference(v.subs[k], here.get(step, v.subs[k]))
                here[step] = v.subs[k] if isinstance(ahead, int) and ahead >= 0 else here[step]

    def test(v: Var) -> bool:
        places = [(step, k) for step, k in position.get(v.name, {}).items() if step in here and k < len(v.subs)]
        if all(same(v.subs[k], here[step]) for step, k in places):
            return False
        body = system.body(v)
        return body is not None and depends(system, body, {v.name})

    return test


def depends(system: System, node: Expr, reach: Collection[str], stays: Callable[[Var], bool] = lambda v: False) -> bool:
    """Whether a family in ``reach`` is read, directly or through definitions of nodes that do not stay."""
    seen: dict[Var, None] = dict.fromkeys(variables(node))
    waiting = deque(seen)
    while waiting:
        v = waiting.popleft()
        if v.name in reach:
            return True
        body = None if stays(v) else system.body(v)
        fresh = [w for w in variables(body) if w not in seen] if body is not None else []
        seen.update(dict.fromkeys(fresh))
        waiting.extend(fresh)
        if len(seen) > MOST_NODES:
            raise QuestionError("too much is defined in terms of it to be written out in one line")
    return False


def put_in(root: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """The expression with values in place of nodes and nothing worked out, (1 − p)⁰, as a person writes it first."""
    memo: dict[Expr, Expr] = {}
    for x in postorder(root):
        if x in values:
            memo[x] = values[x]
            continue
        children = tuple(memo[c] for c in x.children)
        memo[x] = x if children == x.children else _plain(x, children)
    return memo[root]


def readable(root: Expr, values: Mapping[Expr, Expr]) -> bool:
    """Whether the values are worth showing in their places: (1 − 0)^γ is, 1/1 and a 0 are not."""
    parents = [x for x in postorder(root) if any(c in values for c in x.children)]
    return bool(parents) and all(_takes_number(x, values) for x in parents)


def _takes_number(x: Expr, values: Mapping[Expr, Expr]) -> bool:
    if isinstance(x, Pow):
        return not (is_one(values.get(x.base, x.base)) and number_of(x.exponent) == -1)
    return isinstance(x, Add | Apply) and not x.order


def _plain(x: Expr, children: tuple[Expr, ...]) -> Expr:
    match x:
        case Add():
            return Add(children, x.shape, x.is_row)
        case Mul():
            return Mul(children, x.shape, x.is_row)
        case Pow():
            return Pow(children[0], children[1], x.shape)
        case Apply():
            return Apply(x.fn, children, x.shape, x.is_row)
        case Compare():
            return Compare(x.op, children[0], children[1], x.shape)
        case MatMul() if all(c.shape == old.shape for c, old in zip(children, x.children, strict=True)):
            return MatMul(children, x.shape, x.is_row)
    return rebuild(x, children)
