"""NumPy source of folds over ranges and of tensors given entry by entry.

Each is computed for all indices at once where NumPy can, else in a loop.
"""

import sympy

from symgrad.codegen.access import spread
from symgrad.codegen.binders import apart, rectangular, solved
from symgrad.codegen.emit import emit, filled, lengths, numeric, tensor, value
from symgrad.codegen.guards import batched, condition, mask, partial
from symgrad.codegen.intervals import Ranges
from symgrad.codegen.scatter import scattered
from symgrad.codegen.state import NotVectorisable, Scope, State, unreachable
from symgrad.codegen.sums import summed
from symgrad.codegen.text import ATOM, PRODUCT, SUM, Code
from symgrad.codegen.windows import not_implied
from symgrad.tensor import build as b
from symgrad.tensor.integers import difference, integer, symbols_of
from symgrad.tensor.nodes import (
    Binder,
    Build,
    Expr,
    Fold,
    Rel,
)


@emit.register
def _(node: Build, state: State, scope: Scope) -> Code:
    by_taps = state.attempt(lambda: scattered(node, state, scope))
    if by_taps is not None:
        return by_taps
    binders, body, _ = apart(node.binders, node.body, (), scope)
    if scope.batch:
        return built(node, binders, body, state, scope)
    made = state.attempt(lambda: built(node, binders, body, state, scope))
    if made is not None:
        return made
    name = state.names.fresh(scope.label if scope.label not in state.names.taken else f"{scope.label}_part")
    state.line(f"{name} = np.zeros({state.shape(node.shape)})")
    first = binders[0]
    with state.block(f"for {state.symbol(first.symbol)[0]} in {span(first, state)}"):
        inner = value(b.build(body, binders[1:]), state, scope.at(first))
        state.line(f"{name}[{state.integer(difference(first.symbol, first.lo))}] = {numeric(inner).text}")
    return Code(name, ATOM, (), node.order)


def span(x: Binder, state: State) -> str:
    """``range(lo, hi + 1)``."""
    return f"range({state.integer(x.lo)}, {state.integer(integer(sympy.expand(x.hi + 1)))})"


def built(node: Build, binders: Ranges, body: Expr, state: State, scope: Scope) -> Code:
    """The tensor with one batch axis for each binder."""
    inside = scope.over(*binders)
    code = numeric(value(body, state, inside))
    outer = tuple(s for s in scope.symbols if s in code.batch)
    wanted = (*outer, *(x.symbol for x in binders))
    if code.batch == wanted and code.order == body.order:
        return Code(code.text, code.level, outer, node.order)
    if not code.axes:
        return filled(code, node.shape, state, scope)
    sizes = state.shape((*lengths(outer, scope), *node.shape))
    return Code(f"np.broadcast_to({spread(code, wanted, body.order).text}, {sizes})", ATOM, outer, node.order)


@emit.register
def _(node: Fold, state: State, scope: Scope) -> Code:
    binders, body, conds = apart(node.binders, node.body, node.conds, scope)
    if node.op == "sum":
        binders, body, conds = solved(binders, body, conds, scope)
        if not binders:
            return value(b.mul(b.iverson(*conds), body) if conds else body, state, scope)
    if node.op == "matprod":
        if scope.batch:
            raise NotVectorisable
        return looped(node, binders, body, conds, state, scope)
    if scope.batch:
        return folded(node, binders, body, conds, state, scope)
    made = state.attempt(lambda: folded(node, binders, body, conds, state, scope))
    return looped(node, binders, body, conds, state, scope) if made is None else made


_EMPTY = {"prod": "1.0", "max": "-np.inf", "min": "np.inf"}


def folded(node: Fold, binders: Ranges, body: Expr, conds: tuple[Rel, ...], state: State, scope: Scope) -> Code:
    """The fold for all indices at once."""
    binders, left = rectangular(binders, conds, scope)
    inside = scope.over(*binders)
    masks = [c for c in left if batched(c, inside)]
    if len(masks) < len(left):
        raise NotVectorisable
    if masks:
        if partial(body):
            raise NotVectorisable
        inside = inside.masked()
    if node.op == "sum":
        masks = not_implied(masks, body, inside)
        return summed(node, binders, body, masks, state, inside, scope)
    code = tensor(body, state, inside)
    bound = tuple(x.symbol for x in binders)
    batch = tuple(s for s in inside.symbols if s in code.batch or s in bound)
    if masks:
        chosen = mask(masks, state, inside)
        batch = tuple(s for s in inside.symbols if s in batch or s in chosen.batch)
        texts = [spread(c, batch, body.order).text for c in (chosen, code)]
        code = Code(f"np.where({texts[0]}, {texts[1]}, {_EMPTY[node.op]})", ATOM, batch, body.order)
    elif code.batch != batch:
        sizes = state.shape((*lengths(batch, inside), *body.shape))
        code = Code(f"np.broadcast_to({spread(code, batch).text}, {sizes})", ATOM, batch, body.order)
    axes = [k for k, s in enumerate(batch) if s in bound]
    axis = axes[0] if len(axes) == 1 else tuple(axes)
    rest = tuple(s for s in batch if s not in bound)
    return Code(f"np.{node.op}({code.text}, axis={axis})", ATOM, rest, body.order)


def looped(node: Fold, binders: Ranges, body: Expr, conds: tuple[Rel, ...], state: State, scope: Scope) -> Code:
    """The fold in a loop over its indices, conditions as ``if``."""
    if scope.batch:
        raise NotVectorisable
    name = state.names.fresh({"sum": "total", "prod": "product", "matprod": "product"}.get(node.op, "best"))
    whole = state.shape(body.shape) if body.order else ""
    zero = f"np.zeros({whole})" if body.order else "0.0"
    start = {
        "sum": zero,
        "prod": f"np.ones({whole})" if body.order else "1.0",
        "matprod": f"np.eye({state.integer(body.shape[0])})" if body.order else "1.0",
    }.get(node.op, f"np.full({whole}, {_EMPTY.get(node.op)})" if body.order else _EMPTY.get(node.op, ""))
    state.line(f"{name} = {start}")
    _nest(node, list(binders), body, list(conds), name, state, scope)
    return Code(name, ATOM, (), body.order)


def _nest(
    node: Fold, binders: list[Binder], body: Expr, conds: list[Rel], name: str, state: State, scope: Scope
) -> None:
    waiting = {x.symbol for x in binders}
    now = [c for c in conds if not waiting & (symbols_of(c.left) | symbols_of(c.right))]
    later = [c for c in conds if c not in now]
    if now:
        with state.block(f"if {condition(now, state)}"):
            _nest(node, binders, body, later, name, state, scope)
        return
    if not binders:
        code = numeric(value(body, state, scope))
        state.line(f"{name} {_step(node.op, name, code, body.order)}")
        return
    first = binders[0]
    head = span(first, state)
    if node.descending:
        head = f"range({state.integer(first.hi)}, {state.integer(first.lo - 1)}, -1)"
    with state.block(f"for {state.symbol(first.symbol)[0]} in {head}"):
        _nest(node, binders[1:], body, later, name, state, scope.at(first))


def _step(op: str, name: str, code: Code, order: int) -> str:
    """How one term enters the value of a fold; arrays are made anew, since the first may be another's."""
    match op:
        case "sum":
            return f"+= {code.text}" if not order else f"= {name} + {code.at(SUM)}"
        case "prod":
            return f"= {name} * {code.at(PRODUCT + 1)}"
        case "matprod":
            return f"= {name} @ {code.at(PRODUCT + 1)}"
        case "max" | "min":
            return f"= np.{op}imum({name}, {code.text})"
    raise unreachable(op)
