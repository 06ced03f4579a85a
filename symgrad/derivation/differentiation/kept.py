"""Which values of the forward pass a gradient reads, and what for."""

from collections.abc import Iterable, Sequence

import sympy
from msgspec import Struct

from symgrad.derivation.steps import Block, Introduced, Line, Prose, Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Apply, Compare, Entry, Expr, MatMul, Mul, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables


class Kept(Struct, frozen=True):
    """A node that the backward pass reads, and the uses it has there."""

    node: Var
    uses: tuple[Reason, ...]


def kept(forward: System, values: Iterable[Expr], blocks: Iterable[Block]) -> tuple[Kept, ...]:
    """The nodes that a gradient reads and that the forward pass computes, in order of first use.

    Args:
        forward: the model alone: a node without a definition there is an input, a parameter or an adjoint.
        values: the gradients.
        blocks: their derivations, which define the adjoints and names that the gradients read.
    """
    found: dict[Var, dict[Reason, None]] = {}
    for value in _needed(list(values), list(blocks)):
        for v in variables(value):
            body = forward.body(v)
            if body is not None and variables(body):
                found.setdefault(v, {}).update(dict.fromkeys(_uses(v, _slopes(v, forward), value)))
    return tuple(Kept(v, tuple(uses)) for v, uses in found.items())


def _needed(values: list[Expr], blocks: Sequence[Block]) -> list[Expr]:
    """The gradients and the right sides of all adjoints and names that they read, those read first."""
    sides: dict[str, list[Expr]] = {}
    for x in blocks:
        match x:
            case Line(left=Var(name=name)):
                sides.setdefault(name, []).append(x.right[-1])
            case Introduced(name=Var(name=name)) if x.reason != ("pre-activation",):
                sides.setdefault(name, []).append(x.body)
    out = list(dict.fromkeys(values))
    for value in out:
        for v in variables(value):
            out += [y for y in sides.get(v.name, ()) if y not in out]
    return out[::-1]


def _slopes(v: Var, forward: System) -> list[tuple[str, Expr]]:
    """The slopes that v appears in, of the function that makes it and of those that it is the argument of."""
    body = forward.body(v)
    made = [(v, body)] if isinstance(body, Apply) else []
    for d in forward.definitions:
        for x in d.body.args if isinstance(d.body, Apply) else ():
            if isinstance(x, Var) and x.name == v.name and len(x.subs) == len(v.subs):
                here = {p: s for p, s in zip(x.subs, v.subs, strict=True) if isinstance(p, sympy.Symbol)}
                node, applied = reindex(d.target, here), reindex(d.body, here)
                assert isinstance(node, Var)
                assert isinstance(applied, Apply)
                made.append((node, applied))
    return [
        (applied.fn, slope)
        for node, applied in made
        for slope in SCALARS[applied.fn].derivative(applied.args, node)
        if v in variables(slope)
    ]


def _uses(v: Var, slopes: Sequence[tuple[str, Expr]], value: Expr) -> list[Reason]:
    nodes = postorder(value)
    forms = {v, *(x for x in nodes if isinstance(x, Entry) and x.arg is v)}
    turned = {b.transpose(x) for x in forms if 1 <= x.order <= 2}
    readers = [x for x in nodes if x not in turned | forms and (forms | turned) & set(x.children)]
    return [_use(forms, slopes, x) for x in readers] or [("as it is",)]


def _use(forms: set[Expr], slopes: Sequence[tuple[str, Expr]], reader: Expr) -> Reason:
    for fn, slope in slopes:
        factors = slope.args if isinstance(slope, Mul) else (slope,)
        whole = isinstance(reader, Mul) and all(f in reader.args for f in factors)
        if not isinstance(slope, Compare) and (whole or reader in postorder(slope)):
            return (f"for the slope of {fn}",)
    match reader:
        case Compare():
            other = reader.right if reader.left in forms else reader.left
            return ("for its sign",) if b.is_zero(other) else ("for the comparison",)
        case MatMul():
            outer = reader.order == 2 and all(x.order == 1 for x in (reader.args[0], reader.args[-1]))
            return ("for the outer product",) if outer else ("for the product",)
        case Add(args=args) if len(args) == 2 and all(len(variables(a)) == 1 for a in args):
            return ("for the difference ", reader)
    return ("as a factor",)


def sentence(found: Sequence[Kept]) -> Prose:
    """Kept from the forward pass: x_3 for its sign, x_1 for the outer product."""
    if not found:
        return Prose(("No value of the forward pass has to be kept: the gradient reads inputs and parameters only.",))
    words: list[str | Expr] = ["Kept from the forward pass: "]
    for k, item in enumerate(found):
        words += ["; " if k else "", item.node, " "]
        for j, use in enumerate(item.uses):
            words += [" and " if j else "", *use]
    return Prose((*(w for w in words if w != ""), "."))
