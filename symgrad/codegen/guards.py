"""Guards as NumPy source: conditions of Python where the index is a loop's, masks where it runs along an axis."""

from collections.abc import Sequence

import sympy

from symgrad.codegen.access import spread
from symgrad.codegen.emit import emit, lengths, numeric, value
from symgrad.codegen.emit_entrywise import product
from symgrad.codegen.state import NotVectorisable, Scope, State
from symgrad.codegen.text import ATOM, COMPARE, PRODUCT, SUM, Code
from symgrad.tensor import build as b
from symgrad.tensor.integers import integer, symbols_of
from symgrad.tensor.nodes import (
    Apply,
    Call,
    Expr,
    Iverson,
    Mul,
    Pow,
    Rel,
)
from symgrad.tensor.walk import postorder


def relation(r: Rel, state: State) -> str:
    """A relation of integers as a Python condition: ``t < T`` rather than ``t + 1 <= T``."""
    gap = b.slack(r)
    if gap is None or isinstance(gap, int):
        return f"{state.integer(r.left)} {r.op} {state.integer(r.right)}"
    number, terms = sympy.expand(gap).as_coeff_Add()
    parts = sympy.Add.make_args(terms)
    above = integer(sum((a for a in parts if not a.could_extract_minus_sign()), sympy.S.Zero))
    below = integer(-sum((a for a in parts if a.could_extract_minus_sign()), sympy.S.Zero))
    if below == 0:
        return f"{state.integer(above)} > {state.integer(integer(-number - 1))}"
    if number == -1:
        return f"{state.integer(below)} < {state.integer(above)}"
    if number < 0:
        return f"{state.integer(integer(below - number))} <= {state.integer(above)}"
    return f"{state.integer(below)} <= {state.integer(integer(above + number))}"


def condition(conds: Sequence[Rel], state: State) -> str:
    """All relations as one Python condition."""
    return " and ".join(relation(c, state) for c in conds)


def batched(r: Rel, scope: Scope) -> tuple[sympy.Symbol, ...]:
    """The batch indices that a relation names."""
    here = symbols_of(r.left) | symbols_of(r.right)
    return tuple(s for s in scope.symbols if s in here)


def mask(conds: Sequence[Rel], state: State, scope: Scope) -> Code:
    """Truth values along the batch indices that the relations name."""
    symbols = tuple(s for s in scope.symbols if any(s in batched(c, scope) for c in conds))
    parts: list[str] = []
    for c in conds:
        sides = [state.index_array(x, symbols, scope) for x in (c.left, c.right)]
        left, right = (text if level >= SUM else f"({text})" for text, level in sides)
        parts.append(f"{left} {c.op} {right}")
    if len(parts) == 1:
        return Code(parts[0], COMPARE, symbols, boolean=True)
    return Code(" & ".join(f"({p})" for p in parts), COMPARE, symbols, boolean=True)


@emit.register
def _(node: Iverson, state: State, scope: Scope) -> Code:
    plain = [c for c in node.conds if not batched(c, scope)]
    spread_out = [c for c in node.conds if batched(c, scope)]
    if not spread_out:
        return Code(f"1.0 if {condition(plain, state)} else 0.0", 0)
    if plain:
        raise NotVectorisable
    return mask(spread_out, state, scope)


@emit.register
def _(node: Mul, state: State, scope: Scope) -> Code:
    conds = tuple(c for a in node.args if isinstance(a, Iverson) for c in a.conds)
    if not conds:
        return product(node.args, node.shape, state, scope)
    args = [a for a in node.args if not isinstance(a, Iverson)]
    plain = [c for c in conds if not batched(c, scope)]
    masked = [c for c in conds if batched(c, scope)]
    if plain:
        rest = b.mul(*([b.iverson(*masked)] if masked else []), *args)
        return conditional(rest, plain, state, scope)
    if any(partial(a) for a in args):
        raise NotVectorisable
    chosen = mask(masked, state, scope)
    inner = value(b.mul(b.ONE, *args), state, scope.masked())
    batch = tuple(s for s in scope.symbols if s in chosen.batch or s in inner.batch)
    left, right = spread(chosen, batch, inner.order), spread(numeric(inner), batch, inner.order)
    if right.text == "1":
        return chosen
    return Code(f"{left.factor} * {right.factor}", PRODUCT, batch, inner.order)


def conditional(rest: Expr, conds: Sequence[Rel], state: State, scope: Scope) -> Code:
    """A value that is zero, and not computed, where the conditions fail."""
    name = state.names.fresh(f"{scope.label}_part")
    place = len(state.lines)
    with state.block(f"if {condition(conds, state)}"):
        code = numeric(value(rest, state, scope))
        state.line(f"{name} = {code.text}")
    after = state.lines[place:]
    del state.lines[place:]
    sizes = (*lengths(code.batch, scope), *rest.shape[len(rest.shape) - code.order :])
    state.line(f"{name} = {f'np.zeros({state.shape(sizes)})' if sizes else '0.0'}")
    state.lines += after
    return Code(name, ATOM, code.batch, code.order)


_PARTIAL = frozenset({"log", "sqrt", "exp"})


def partial(e: Expr) -> bool:
    """Whether an expression may fail where it is not wanted: a logarithm, a root, a quotient."""
    for x in postorder(e):
        if isinstance(x, Apply) and x.fn in _PARTIAL:
            return True
        if isinstance(x, Call) and x.fn in ("inv", "cross_entropy"):
            return True
        if isinstance(x, Pow) and not isinstance(x.base, type(b.ONE)):
            e2 = b.number_of(x.exponent)
            if e2 is None or e2 < 0 or e2.denominator != 1:
                return True
    return False
