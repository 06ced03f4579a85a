"""Sums over ranges as contractions of labelled arrays."""

import sympy

from symgrad.codegen.access import spread
from symgrad.codegen.contract import Factor, contract
from symgrad.codegen.emit import filled, numeric, value
from symgrad.codegen.emit_products import Label, chain, labels, split
from symgrad.codegen.guards import mask
from symgrad.codegen.intervals import Ranges, at_most
from symgrad.codegen.state import Scope, State, free_ints
from symgrad.codegen.text import PRODUCT, Code
from symgrad.tensor import build as b
from symgrad.tensor.integers import same
from symgrad.tensor.nodes import (
    Expr,
    Fold,
    Iverson,
    MatMul,
    Mul,
    Rel,
    Transpose,
)
from symgrad.tensor.shapes import same_shape


def summed(
    node: Fold, binders: Ranges, body: Expr, masks: list[Rel], state: State, inside: Scope, scope: Scope
) -> Code:
    """Σ over the binders of the body where the masks hold: one contraction of arrays labelled by their indices.

    Factors that do not move with the summed indices stand before it. The result has the batch indices of ``scope`` that
    its terms depend on, and then the body's own axes.
    """
    own = tuple(Label("ij"[k % 2]) for k in range(body.order))
    constant: list[Code] = []
    if isinstance(body, Mul):
        bound = {x.symbol for x in binders}
        still = [a for a in body.args if a.order == 0 and not free_ints(a) & bound]
        moving = [a for a in body.args if a not in still]
        if still and moving and same_shape(b.mul(*moving).shape, body.shape):
            constant = [value(a, state, scope) for a in still]
            body = b.mul(*moving)
    found, own_names = _relabelled(factors(body, own, state, inside), binders, own)
    if masks:
        chosen = mask(masks, state, inside)
        found.insert(0, Factor(chosen, chosen.batch))
    present = {s for f in found for s in f.code.batch}
    for x in binders:
        if x.symbol not in present and x.symbol not in own_names:
            size = state.number(x.length if at_most(x.lo, x.hi + 1, scope.ranges) else sympy.Max(x.length, 0))
            found.insert(0, Factor(Code(*size), ()))
    batch = tuple(s for s in scope.symbols if s in present)
    code = contract(found, (*batch, *own_names))
    made = Code(code.text, code.level, batch, body.order, matmul=code.matmul)
    if not constant:
        return made
    outer = tuple(s for s in scope.symbols if s in batch or any(s in c.batch for c in constant))
    scaled = [spread(numeric(c), outer, body.order) for c in constant]
    text = " * ".join(c.factor for c in (*scaled, spread(made, outer)))
    return Code(text, PRODUCT, outer, body.order)


def _relabelled(
    found: list[Factor], binders: Ranges, own: tuple[object, ...]
) -> tuple[list[Factor], tuple[object, ...]]:
    """The factors without identity matrices between a summed index and an axis of the result."""
    summed = {x.symbol: x for x in binders}
    names: list[object] = list(own)
    kept: list[Factor] = []
    for f in found:
        x = summed.get(f.code.batch[0]) if len(f.code.batch) == 1 else None
        axis = next((k for k, label in enumerate(own) if f.labels[-1:] == (label,)), None)
        whole = f.code.unit is not None and x is not None and same(x.lo, f.code.unit[0]) and same(x.hi, f.code.unit[1])
        if whole and x is not None and axis is not None and names[axis] is own[axis] and x.symbol not in names:
            names[axis] = x.symbol
        else:
            kept.append(f)
    renamed = dict(zip(own, names, strict=True))
    if not all(s in {y for f in kept for y in f.code.batch} for s in names if s in summed):
        return found, own
    return [Factor(f.code, tuple(renamed.get(y, y) for y in f.labels)) for f in kept], tuple(names)


def factors(e: Expr, own: tuple[object, ...], state: State, scope: Scope) -> list[Factor]:
    """An expression as a product of arrays with labelled axes."""
    named = state.recalled(e, scope)
    if named is not None and named.order == len(own):
        return [Factor(named, (*named.batch, *own))]
    match e:
        case Transpose():
            return factors(e.arg, tuple(reversed(own)), state, scope)
        case MatMul():
            made = _matmul_factors(e, own, state, scope)
            if made is not None:
                return made
        case Mul(args=args) if not any(isinstance(a, Iverson) for a in args):
            fills = [a for a in args if b.number_of(a) is not None and a.order]
            if not fills and all(_lines_up(a, e) for a in args) and _has_all_axes(e):
                return [f for a in args for f in factors(a, own[len(own) - a.order :], state, scope)]
    code = value(e, state, scope)
    if code.order < e.order:
        code = filled(code, e.shape, state, scope)
    if code.native is not None and code.order == len(own):
        text, axes = code.native
        batch = tuple(x for x in axes if not isinstance(x, int))
        return [Factor(Code(text, batch=batch), tuple(own[x] if isinstance(x, int) else x for x in axes))]
    return [Factor(code, (*code.batch, *own))]


def _lines_up(a: Expr, e: Expr) -> bool:
    return same_shape(a.shape, e.shape[e.order - a.order :])


def _has_all_axes(e: Mul) -> bool:
    return not e.order or any(a.order == e.order for a in e.args)


def _matmul_factors(e: MatMul, own: tuple[object, ...], state: State, scope: Scope) -> list[Factor] | None:
    cut = split(e.args)
    left, right = chain(e.args[:cut], state, scope), chain(e.args[cut:], state, scope)
    if left.kind == right.kind == "diagonal":
        return None
    a, c, out = labels(left, right)
    to = dict(zip(out, own, strict=True))
    return [
        Factor(x.code, (*x.code.batch, *(to.get(label, label) for label in given)))
        for x, given in ((left, a), (right, c))
    ]
