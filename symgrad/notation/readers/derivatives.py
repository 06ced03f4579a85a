"""Partial derivatives, chains of them, limits."""

from collections.abc import Sequence

from symgrad.notation import precedence as level
from symgrad.notation.integers import Piece, bracketed
from symgrad.notation.layout import is_flipped
from symgrad.notation.names import has_superscript
from symgrad.notation.readers.core import Context, alias, at_least, bare, piece, raised, rule
from symgrad.notation.readers.spacing import juxtaposed
from symgrad.notation.tree import BigOp, Evaluated, Fenced, Frac, Func, Infix, Number, Row, Script, Space, Sym, Tree
from symgrad.tensor.nodes import Chain, Deriv, Entry, Expr, Limit, Var

_PARTIAL = Sym("partial")


@rule.register
def _(expr: Deriv, ctx: Context) -> Piece:
    return _oriented(expr, ctx)


@rule.register
def _(expr: Chain, ctx: Context) -> Piece:
    return _oriented(expr, ctx)


@rule.register
def _(expr: Limit, ctx: Context) -> Piece:
    point = bare(expr.point, ctx.within_script())
    if expr.side:
        point = Script(point, None, Sym("plus" if expr.side == "+" else "minus"))
    lower = Infix((bare(expr.var, ctx.within_script()), point), ("to",))
    return Piece(BigOp("lim", lower, None, at_least(expr.arg, level.OPEN, ctx)), level.OPEN)


def _oriented(expr: Expr, ctx: Context) -> Piece:
    symbol = derivative_symbol(expr, ctx)
    return raised(symbol, Sym("transpose")) if is_flipped(expr, ctx.style.layout) else symbol


def derivative_symbol(expr: Expr, ctx: Context) -> Piece:
    """∂y/∂x, or the product of such symbols, as the layout's own convention means it."""
    match expr:
        case Deriv():
            return _fraction(expr, ctx)
        case Chain(args=args):
            order = reversed(args) if ctx.style.layout == "denominator" else args
            factors = [_factor(a, ctx) for a in order]
            return juxtaposed(factors, thin=frozenset(range(1, len(factors))))
        case _:
            return piece(expr, ctx)


def _factor(expr: Expr, ctx: Context) -> Piece:
    return alias(expr, ctx) or derivative_symbol(expr, ctx)


def _fraction(expr: Deriv, ctx: Context) -> Piece:
    sign = Script(_PARTIAL, None, Sym("plus")) if expr.kind == "immediate" else _PARTIAL
    of = expr.of
    if isinstance(of, Deriv) and isinstance(of.of, Var) and of.kind == expr.kind == "total" and not of.held:
        tree: Tree = _second(of, expr.wrt, ctx)
        result = Piece(tree, level.FACTOR)
    elif _is_named(of, ctx):
        tree = Frac(_joined(sign, bare(of, ctx)), _below(expr.wrt, ctx))
        result = Piece(tree, level.FACTOR)
    else:
        inside = at_least(of, level.ATOM, ctx)
        body = inside if isinstance(inside, Fenced | Func) else Fenced(inside)
        tree = Row((Frac(sign, _below(expr.wrt, ctx)), body))
        result = Piece(tree, level.PRODUCT)
    if not expr.held or expr.kind == "immediate":
        return result
    held = sorted(expr.held, key=repr)
    names = tuple(bare(h, ctx) for h in held)
    return Piece(Evaluated(bracketed(result, level.PRODUCT), _commas(names)), level.FACTOR)


def _is_named(of: Expr, ctx: Context) -> bool:
    if isinstance(of, Var) or alias(of, ctx) is not None:
        return True
    return isinstance(of, Entry) and isinstance(of.arg, Var)


def _joined(sign: Tree, name: Tree) -> Tree:
    return Row((sign, *name.items)) if isinstance(name, Row) else Row((sign, name))


def _below(wrt: Expr, ctx: Context) -> Tree:
    return _joined(_PARTIAL, at_least(wrt, level.SCRIPTED, ctx))


def _second(first: Deriv, wrt: Expr, ctx: Context) -> Tree:
    two = Number("2")
    top = Row((Script(_PARTIAL, None, two), bare(first.of, ctx)))
    name = at_least(first.wrt, level.SCRIPTED, ctx)
    if first.wrt is wrt and not wrt.order:
        base = Fenced(name) if has_superscript(name) else name
        return Frac(top, _joined(_PARTIAL, raised(Piece(base, level.ATOM), two).tree))
    inner, outer = piece(first.wrt, ctx), piece(wrt, ctx)
    if not (first.wrt.order and wrt.order):
        inner, outer = outer, inner
    else:
        outer = raised(outer, Sym("transpose"))
    return Frac(top, Row((_PARTIAL, inner.tree, Space("thin"), _PARTIAL, outer.tree)))


def _commas(items: Sequence[Tree]) -> Tree:
    return items[0] if len(items) == 1 else Infix(tuple(items), ("comma",) * (len(items) - 1))
