"""Entries and slices, sums over indices, tensors by their entries, conditions on indices, stacks."""

from collections.abc import Sequence

from symgrad.notation import precedence as level
from symgrad.notation.entrywise import component
from symgrad.notation.integers import Piece, bracketed, by
from symgrad.notation.names import sequence, subscripted
from symgrad.notation.readers.core import Context, bare, piece, raised, relation, rule
from symgrad.notation.readers.functions import indicator
from symgrad.notation.readers.leaves import elided
from symgrad.notation.tree import (
    Accent,
    BigOp,
    Fenced,
    Func,
    Grid,
    Ident,
    Infix,
    Lines,
    Number,
    OpName,
    Prefix,
    Row,
    Script,
    Sym,
    Tree,
)
from symgrad.tensor.integers import Int, index_symbol, integer, lifted, same, symbols_of
from symgrad.tensor.nodes import (
    At,
    Binder,
    Build,
    Concat,
    Cut,
    Entry,
    Expr,
    Fold,
    Full,
    Item,
    Iverson,
    Pick,
    Reduce,
    Rel,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.reindex import reindex

_LONGEST_ROW = 12


@rule.register
def _(expr: Entry, ctx: Context) -> Piece:
    arg = expr.arg
    if isinstance(arg, Transpose) and arg.order == 1:
        return rule(Entry(arg.arg, expr.items, expr.shape), ctx)
    trees = [_item(i, arg.shape[axis], ctx.within_script()) for axis, i in enumerate(expr.items)]
    letters = all(isinstance(t, Ident | Sym) for t in trees) and all(isinstance(i, At | Pick) for i in expr.items)
    base = piece(arg, ctx)
    if not _takes_index(arg, base):
        base = Piece(Fenced(base.tree, "[", "]"), level.ATOM)
    tree = subscripted(base.tree, trees, comma=not letters)
    return Piece(tree, level.SCRIPTED if isinstance(tree, Script) and tree.sup else level.ATOM)


def _takes_index(arg: Expr, base: Piece) -> bool:
    """Whether an index may stand at the name itself: it has no subscript that the index could be taken for."""
    match base.tree:
        case Ident() | Sym() | Accent():
            return True
        case Script(sub=None, base=Ident() | Sym() | Accent()):
            return isinstance(arg, Var)
        case Func(bare=False):
            return base.level == level.ATOM
        case _:
            return False


def _item(item: Item, size: object, ctx: Context) -> Tree:
    match item:
        case At(index=index):
            return ctx.index(index)
        case Cut(lo=lo, hi=hi):
            whole = same(lo, 1) and hi == size
            return Sym("colon") if whole else Row((ctx.index(lo), Sym("colon"), ctx.index(hi)))
        case Pick(index=place):
            return bare(place, ctx)


# Σ, ∏, max over indices


@rule.register
def _(expr: Reduce, ctx: Context) -> Piece:
    arg = expr.arg
    if expr.op == "sum" and arg.order == 2 and len(expr.axes) == 1:
        return _row_or_column_sums(expr, ctx)
    letters = ctx.fresh(len(expr.axes), (arg,))
    symbols = tuple(index_symbol(x) for x in letters)
    if len(expr.axes) == arg.order:
        body: Expr = component(arg, symbols)
    else:
        places = dict(zip(expr.axes, symbols, strict=True))
        items = tuple(At(places[a]) if a in places else Cut(1, n) for a, n in enumerate(arg.shape))
        body = Entry(arg, items, expr.shape)
    lower = sequence([ctx.index(s) for s in symbols])
    return Piece(BigOp(expr.op, lower, None, _summand(body, expr.op, ctx)), level.OPEN)


def _row_or_column_sums(expr: Reduce, ctx: Context) -> Piece:
    """A 1 has the sums of the rows, Aᵀ 1 those of the columns."""
    arg = piece(expr.arg, ctx)
    if expr.axes == (0,):
        arg = raised(arg, Sym("transpose"))
    return Piece(Row((bracketed(arg, level.FACTOR), Ident("1", "bold"))), level.PRODUCT)


def _summand(body: Expr, op: str, ctx: Context) -> Tree:
    read = piece(body, ctx)
    if op == "prod" and isinstance(body, Fold) and body.op == "prod":
        return read.tree
    if op in ("prod", "matprod"):
        return bracketed(read, level.FACTOR)
    if isinstance(read.tree, Prefix):
        return Fenced(read.tree)
    return bracketed(read, level.OPEN)


@rule.register
def _(expr: Fold, ctx: Context) -> Piece:
    inner = ctx.bind(expr.binders, (expr.body,))
    body = _summand(expr.body, expr.op, inner)
    extra = [_relation(c, inner) for c in expr.conds]
    *outer, last = expr.binders
    tree = _over(expr, last, extra, body, inner)
    for binder in reversed(outer):
        tree = _over(expr, binder, [], tree, inner)
    return Piece(tree, level.OPEN)


def _over(expr: Fold, binder: Binder, extra: Sequence[Tree], body: Tree, ctx: Context) -> BigOp:
    first, last = (binder.hi, binder.lo) if expr.descending else (binder.lo, binder.hi)
    symbol = ctx.symbol(binder.symbol)
    if expr.op in ("max", "min"):
        between: Tree = Infix((ctx.index(binder.lo), symbol, ctx.index(binder.hi)), ("<=", "<="))
        return BigOp(expr.op, Lines((between, *extra)) if extra else between, None, body)
    lower: Tree = Infix((symbol, ctx.index(first)), ("=",))
    if extra:
        lower = Lines((lower, *extra))
    return BigOp(expr.op, lower, ctx.index(last), body)


def _relation(r: Rel, ctx: Context) -> Tree:
    left, op, right = relation(r, ctx)
    return Infix((left, right), (op,))


# Tensors by their entries


@rule.register
def _(expr: Build, ctx: Context) -> Piece:
    inner = ctx.bind(expr.binders, (expr.body,))
    if len(expr.binders) == 1 and isinstance(expr.body, Var):
        only = expr.binders[0]
        ends = (bare(reindex(expr.body, {only.symbol: end}), inner) for end in (only.lo, only.hi))
        first, last = ends
        return Piece(Fenced(sequence([first, Sym("dots"), last]), "[", "]"), level.ATOM)
    indices = [inner.symbol(b.symbol) for b in expr.binders]
    body = Fenced(bare(expr.body, inner), "[", "]")
    return Piece(subscripted(body, indices), level.ATOM)


@rule.register
def _(expr: Iverson, ctx: Context) -> Piece:
    if all(_is_kronecker(c) for c in expr.conds):
        factors = [_kronecker(c, ctx) for c in expr.conds]
        return Piece(Row(tuple(factors)), level.PRODUCT) if len(factors) > 1 else Piece(factors[0], level.ATOM)
    script = ctx.within_script()
    return indicator(sequence(_chained([_index_first(c) for c in expr.conds], script)))


def _index_first(c: Rel) -> Rel:
    """t = T and i = 0, whichever side of the equation the index stands on."""
    known = [not symbols_of(x) or any(s.is_positive for s in symbols_of(x)) for x in (c.left, c.right)]
    return Rel(c.op, c.right, c.left) if c.op == "==" and known == [True, False] else c


def _is_kronecker(c: Rel) -> bool:
    """Whether two indices are compared; against a size or a number, as in t = T, the condition is written out."""
    letters = [symbols_of(side) for side in (c.left, c.right)]
    return c.op == "==" and all(found and not any(s.is_positive for s in found) for found in letters)


def _shared_shift(left: Int, right: Int) -> int:
    """The number that is added on both sides: δ_{i+1,j+1} is δ_{ij}."""
    numbers = [lifted(x).as_coeff_Add()[0] for x in (left, right)]
    return int(numbers[0]) if numbers[0] == numbers[1] else 0


def _kronecker(c: Rel, ctx: Context) -> Tree:
    shift = _shared_shift(c.left, c.right)
    sides = [ctx.index(integer(x - shift)) for x in (c.left, c.right)]
    letters = all(isinstance(s, Ident | Sym) for s in sides)
    return Script(Sym("delta"), sequence(sides, comma=not letters))


def _chained(conds: Sequence[Rel], ctx: Context) -> list[Tree]:
    """1 ≤ k ≤ 3 from 1 ≤ k and k ≤ 3."""
    out: list[Tree] = []
    rest = list(conds)
    while rest:
        first = rest.pop(0)
        left, op, right = relation(first, ctx)
        follow = next((c for c in rest if c.left == first.right and {op, c.op} <= {"<", "<="}), None)
        if follow is None:
            out.append(Infix((left, right), (op,)))
            continue
        rest.remove(follow)
        out.append(Infix((left, right, ctx.index(follow.right)), (op, follow.op)))
    return out


@rule.register
def _(expr: Stack, ctx: Context) -> Piece:
    if expr.args[0].order > 1:
        return Piece(Func(OpName("stack"), tuple(bare(a, ctx) for a in expr.args)), level.ATOM)
    if all(isinstance(a, Stack) and not a.row for a in expr.args):
        cells = [elided([bare(x, ctx) for x in a.children], "cdots", _LONGEST_ROW) for a in expr.args]
        return Piece(Grid(tuple(cells)), level.ATOM)
    rows = [bare(a, ctx) if a.order == 0 else _as_row(a, ctx) for a in expr.args]
    return Piece(Grid(tuple((r,) for r in elided(rows, "vdots"))), level.ATOM)


def _as_row(x: Expr, ctx: Context) -> Tree:
    return raised(piece(x.arg if isinstance(x, Transpose) else x, ctx), Sym("transpose")).tree


@rule.register
def _(expr: Concat, ctx: Context) -> Piece:
    order = expr.args[0].order
    if order > 2:
        axis = Infix((Ident("axis", "roman"), Number(str(expr.axis + 1))), ("=",))
        return Piece(Func(OpName("concat"), (*(bare(a, ctx) for a in expr.args), axis)), level.ATOM)
    cells = [_block(a, ctx) for a in expr.args]
    across = expr.axis == 1 or expr.row
    if across:
        return Piece(Grid((elided(cells, "cdots"),)), level.ATOM)
    return Piece(Grid(tuple((c,) for c in elided(cells, "vdots"))), level.ATOM)


def _block(x: Expr, ctx: Context) -> Tree:
    """A part of a larger array; zeros say how many they are."""
    whole = bare(x, ctx)
    return Script(whole, by([ctx.integer(s) for s in x.shape])) if isinstance(x, Full) and x.value == 0 else whole
