"""Scalar functions entry by entry, comparisons, whole-tensor functions, opaque losses."""

from collections.abc import Mapping

from symgrad.notation import precedence as level
from symgrad.notation.functions import Written, written
from symgrad.notation.integers import Piece, by
from symgrad.notation.layers import settings_in_words
from symgrad.notation.measure import fence_size, width
from symgrad.notation.readers.core import Context, at_least, bare, piece, raised, rule
from symgrad.notation.tree import (
    Cases,
    Fenced,
    Func,
    Ident,
    Infix,
    Number,
    OpName,
    Prefix,
    Root,
    Row,
    Script,
    Sym,
    Text,
    Tree,
)
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.nodes import Apply, Call, Compare, Density, Expr, Opaque
from symgrad.tensor.reindex import reindex

_LONGEST_EXPONENT = 4.0
_NORMS: Mapping[str, Tree] = {"norm": Ident("F"), "column_norm": Number("1"), "row_norm": Sym("infinity")}
"""What stands below the bars of the norm of a matrix; 2 where nothing else does."""


@rule.register
def _(expr: Apply, ctx: Context) -> Piece:
    row = written(expr.fn)
    match row.form:
        case "root":
            return Piece(Root(bare(expr.args[0], ctx)), level.ATOM)
        case "exponential" if not ctx.style.names.taken("e"):
            above = bare(expr.args[0], ctx.within_script())
            if fence_size(above) < 2 and width(above, 0.72) <= _LONGEST_EXPONENT:
                return Piece(Script(Ident("e"), None, above), level.SCRIPTED)
        case "logarithm":
            inside = piece(expr.args[0], ctx)
            called = isinstance(inside.tree, Func) and not isinstance(expr.args[0], Density)
            if inside.level >= level.SCRIPTED and not called and not isinstance(inside.tree, Fenced):
                return Piece(Func(OpName(row.text), (inside.tree,), bare=True), level.OPEN)
        case "cases":
            return _cases(expr, ctx)
        case "indicator":
            return indicator(bare_condition(expr.args[0], ctx))
    return _function(row, expr.args, ctx)


def _function(row: Written, args: tuple[Expr, ...], ctx: Context) -> Piece:
    trees = tuple(bare(a, ctx) for a in args)
    if row.form == "fence":
        return Piece(Fenced(trees[0], *row.fence), level.ATOM)
    name: Tree = OpName(row.text)
    if row.form == "sign" and not ctx.style.names.taken(row.text, row.name):
        name = Sym(row.text)
    elif row.form == "sign":
        name = OpName(row.name)
    return Piece(Func(name, trees), level.ATOM)


def _cases(expr: Apply, ctx: Context) -> Piece:
    condition, chosen, other = expr.args
    rows: list[tuple[Tree, Tree]] = [(bare(chosen, ctx), bare_condition(condition, ctx))]
    while isinstance(other, Apply) and other.fn == "where":
        condition, chosen, other = other.args
        rows.append((bare(chosen, ctx), bare_condition(condition, ctx)))
    rows.append((bare(other, ctx), Text("otherwise")))
    return Piece(Cases(tuple(rows)), level.OPEN)


@rule.register
def _(expr: Compare, ctx: Context) -> Piece:
    return indicator(bare_condition(expr, ctx))


def bare_condition(expr: Expr, ctx: Context) -> Tree:
    """A condition without the 1[·] round it."""
    if not isinstance(expr, Compare):
        return Infix((at_least(expr, level.SUM, ctx), Number("0")), ("!=",))
    return Infix((at_least(expr.left, level.SUM, ctx), at_least(expr.right, level.SUM, ctx)), (expr.op,))


def indicator(condition: Tree) -> Piece:
    """1[condition]."""
    return Piece(Row((Ident("1", "bold"), Fenced(condition, "[", "]"))), level.ATOM)


@rule.register
def _(expr: Call, ctx: Context) -> Piece:
    row = written(expr.fn)
    match row.form:
        case "power":
            return raised(piece(expr.args[0], ctx), Prefix("minus", Number("1")))
        case "infix":
            sides = tuple(at_least(a, level.FACTOR, ctx) for a in expr.args)
            return Piece(Infix(sides, (row.text,) * (len(sides) - 1)), level.HADAMARD)
        case "unit":
            return Piece(Script(Ident(row.text, "bold"), bare(expr.args[0], ctx.within_script())), level.ATOM)
        case "fence":
            body = Fenced(bare(expr.args[0], ctx), *row.fence)
            return _settings(Piece(body, level.ATOM), expr, ctx)
    read = _function(row, expr.args, ctx)
    return _settings(read, expr, ctx)


def _settings(read: Piece, expr: Call, ctx: Context) -> Piece:
    """What a reader must know besides: a matrix norm, the axis of a softmax, the shape of a reshape."""
    tree, arg = read.tree, expr.args[0]
    if isinstance(tree, Fenced):
        below = _NORMS.get(expr.fn, Number("2"))
        return Piece(Script(tree, below), level.ATOM) if arg.order > 1 else read
    if not isinstance(tree, Func):
        return read
    if expr.fn in AXES:
        words = settings_in_words(expr)
        return Piece(Func(Script(tree.name, Text(words)), tree.args), level.ATOM) if words else read
    axis = dict(expr.params).get("axis")
    if expr.fn == "reshape":
        if expr.order == 1:
            return Piece(Func(OpName("vec"), tree.args), level.ATOM)
        return Piece(Func(Script(tree.name, by([ctx.integer(s) for s in expr.shape])), tree.args), level.ATOM)
    if isinstance(axis, int) and arg.order > 1:
        named = {0: "columns", 1: "rows"} if arg.order == 2 else {}
        return Piece(Func(Script(tree.name, Text(named.get(axis, f"axis {axis}"))), tree.args), level.ATOM)
    return read


@rule.register
def _(expr: Opaque, ctx: Context) -> Piece:
    inner = ctx.bind(expr.binders, expr.args)
    args = tuple(bare(a, inner) for a in expr.args)
    if len(expr.binders) == 1 and len(args) == 1:
        only = expr.binders[0]
        first, last = (bare(reindex(expr.args[0], {only.symbol: end}), inner) for end in (only.lo, only.hi))
        args = (first, Sym("dots"), last)
    elif expr.binders:
        ranges = (Infix((inner.symbol(b.symbol), inner.index(b.lo)), ("=",)) for b in expr.binders)
        args = (*args, *ranges)
    return Piece(Func(ctx.style.names.name("loss"), args), level.ATOM)
