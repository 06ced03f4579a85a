"""Sums, products entry by entry, quotients and powers."""

from collections.abc import Sequence
from fractions import Fraction

from symgrad.notation import precedence as level
from symgrad.notation.functions import written
from symgrad.notation.integers import Piece, bracketed, signed_sum
from symgrad.notation.measure import fence_size, width
from symgrad.notation.readers.core import Context, bare, piece, raised, rule
from symgrad.notation.readers.leaves import number_piece
from symgrad.notation.readers.spacing import juxtaposed
from symgrad.notation.tree import (
    BigOp,
    Cases,
    Fenced,
    Frac,
    Func,
    Ident,
    Infix,
    Number,
    Prefix,
    Root,
    Row,
    Script,
    Sym,
    Tree,
)
from symgrad.tensor.build import coefficient, number_of, ones, power, transpose
from symgrad.tensor.nodes import Add, Apply, Count, Expr, MatMul, Mul, Num, Pow, Transpose, Var

_COMPACT = 6.0


@rule.register
def _(expr: Add, ctx: Context) -> Piece:
    if all(isinstance(coefficient(t)[1], Transpose) for t in expr.args):
        return raised(piece(transpose(expr), ctx), Sym("transpose"))
    return signed_sum([_signed(_filling(t, expr), ctx) for t in expr.args])


def _filling(term: Expr, total: Expr) -> Expr:
    """(pᵀg) 𝟏 for an inner product that is added to every entry of a vector."""
    inner = total.order == 1 and not total.row and not term.order and isinstance(coefficient(term)[1], MatMul)
    return Mul((*(term.args if isinstance(term, Mul) else (term,)), ones(total.shape)), total.shape) if inner else term


def _signed(term: Expr, ctx: Context) -> tuple[bool, Tree]:
    read = piece(term, ctx)
    match read.tree:
        case Prefix(op="minus", body=body):
            return True, body
        case Infix(items=(Prefix(op="minus"), *_)) if read.level == level.SUM:
            return False, Fenced(read.tree)
    return False, bracketed(read, level.OPEN)


@rule.register
def _(expr: Mul, ctx: Context) -> Piece:
    number, factors = Fraction(1), expr.args
    if isinstance(factors[0], Num):
        number, factors = factors[0].value, factors[1:]
    read = _product(abs(number), factors, ctx)
    return Piece(Prefix("minus", bracketed(read, level.OPEN)), level.SUM) if number < 0 else read


def _product(number: Fraction, factors: Sequence[Expr], ctx: Context) -> Piece:
    scalars = [f for f in factors if f.order == 0]
    tensors = [f for f in factors if f.order > 0]
    above, below = _split(tensors)
    if not tensors:
        return juxtaposed(_scalars(number, scalars, ctx), scalars=True)
    tensor = piece(above[0], ctx) if len(above) == 1 and not below else _entrywise(above, below, ctx)
    tops, bottoms = _split(scalars)
    if not tops and number.numerator == 1 and not below and _over(tensor, number, bottoms, ctx):
        return _quotient([tensor], _bottoms(number, bottoms, ctx), ctx)
    front = _scalars(number, scalars, ctx, alone=False)
    return juxtaposed([*front, tensor], level.HADAMARD if front or len(tensors) > 1 else level.LIST)


def _split(factors: Sequence[Expr]) -> tuple[list[Expr], list[Expr]]:
    """The factors above and those below the line."""
    above, below = [], []
    for f in factors:
        exponent = f.exponent if isinstance(f, Pow) else None
        if isinstance(f, Pow) and isinstance(exponent, Num) and exponent.value < 0:
            below.append(power(f.base, Num(-exponent.value)))
        else:
            above.append(f)
    return above, below


def _entrywise(above: Sequence[Expr], below: Sequence[Expr], ctx: Context) -> Piece:
    tops = [piece(f, ctx) for f in above] or [Piece(Ident("1", "bold"), level.ATOM)]
    bottoms = [piece(f, ctx) for f in below]
    pieces = [*tops, *bottoms]
    last_open = pieces[-1].level == level.OPEN
    trees = [_operand(p) for p in pieces[:-1]]
    trees.append(pieces[-1].tree if last_open else _operand(pieces[-1]))
    ops = ("odot",) * (len(tops) - 1) + ("oslash",) * len(bottoms)
    items, signs = _flattened(trees, ops)
    return Piece(Infix(items, signs), level.OPEN if last_open else level.HADAMARD)


def _operand(p: Piece) -> Tree:
    plain_square = p.level == level.HADAMARD and isinstance(p.tree, Infix) and set(p.tree.ops) == {"odot"}
    return p.tree if plain_square else bracketed(p, level.FACTOR)


def _flattened(trees: Sequence[Tree], ops: Sequence[str]) -> tuple[tuple[Tree, ...], tuple[str, ...]]:
    """h ⊙ h inside a product of entries needs no brackets, but keeps them under ⊘."""
    items: list[Tree] = []
    signs: list[str] = []
    for k, tree in enumerate(trees):
        if k:
            signs.append(ops[k - 1])
        if isinstance(tree, Infix) and set(tree.ops) == {"odot"}:
            if k and ops[k - 1] == "oslash":
                items.append(Fenced(tree))
                continue
            items.extend(tree.items)
            signs.extend(tree.ops)
        else:
            items.append(tree)
    return tuple(items), tuple(signs)


def _scalars(number: Fraction, factors: Sequence[Expr], ctx: Context, alone: bool = True) -> list[Piece]:
    """A product of numbers and scalars, as one fraction and what stands behind it."""
    above, below = _split(factors)
    tops = [piece(f, ctx) for f in above]
    if not below and not (ctx.inline and tops and number.denominator != 1):
        if len(tops) > 1 and any(p.level == level.PRODUCT for p in tops[:-1]):
            tops[-1] = Piece(bracketed(tops[-1], level.FACTOR), level.ATOM)
        if number == 1:
            return tops or ([number_piece(number)] if alone else [])
        return [number_piece(number, ctx.inline), *tops]
    inside = [p for p in tops if _compact(p)]
    outside = [p for p in tops if not _compact(p)]
    if number.numerator != 1:
        inside.insert(0, number_piece(Fraction(number.numerator)))
    return [_quotient(inside, _bottoms(number, below, ctx), ctx), *outside]


def _bottoms(number: Fraction, below: Sequence[Expr], ctx: Context) -> list[Piece]:
    """What stands below the line: numbers, then sizes, then the rest, as in n √(v + ε)."""
    bottoms = [piece(f, ctx) for f in sorted(below, key=lambda f: not isinstance(f, Count))]
    return bottoms if number.denominator == 1 else [number_piece(Fraction(number.denominator)), *bottoms]


def _quotient(tops: Sequence[Piece], bottoms: Sequence[Piece], ctx: Context) -> Piece:
    above = juxtaposed(tops, scalars=True) if tops else number_piece(Fraction(1))
    below = juxtaposed(bottoms, scalars=True)
    if ctx.inline:
        row = Row((bracketed(above, level.PRODUCT), Sym("slash"), bracketed(below, level.FACTOR)))
        return Piece(row, level.HADAMARD)
    return Piece(Frac(above.tree, below.tree), level.FACTOR)


def _over(tensor: Piece, number: Fraction, bottoms: Sequence[Expr], ctx: Context) -> bool:
    """Whether x/‖x‖, and x/2 in a script, read better as one fraction than with 1/n before it."""
    if ctx.inline:
        return number.denominator != 1 or bool(bottoms)
    if all(isinstance(piece(b, ctx).tree, Number | Ident) for b in bottoms):
        return False
    return _compact(tensor)


def _compact(p: Piece) -> bool:
    """Whether a factor can stand above the line of a fraction."""
    blocks = isinstance(p.tree, BigOp | Cases | Frac) or p.level == level.OPEN
    return not blocks and fence_size(p.tree) < 2 and width(p.tree) <= _COMPACT


@rule.register
def _(expr: Pow, ctx: Context) -> Piece:
    exponent = number_of(expr.exponent)
    if exponent is not None and expr.exponent.order == 0 and exponent < 0:
        return _product(Fraction(1), (expr,), ctx)
    if exponent is not None and exponent.denominator == 1 and exponent % 2 and (under := _under_root(expr.base)):
        return piece(power(under, Num(exponent / 2)), ctx)
    if exponent == Fraction(1, 2):
        return Piece(Root(bare(expr.base, ctx)), level.ATOM)
    above = bare(expr.exponent, ctx.within_script())
    named = _function_power(expr.base, exponent, above, ctx)
    if named is not None:
        return named
    return _entrywise_power(expr, exponent, above, ctx) if expr.order else _raised(piece(expr.base, ctx), above)


def _under_root(base: Expr) -> Expr | None:
    return base.args[0] if isinstance(base, Apply) and base.fn == "sqrt" else None


def _function_power(base: Expr, exponent: Fraction | None, above: Tree, ctx: Context) -> Piece | None:
    """tanh²(x): the power stands at the name."""
    if not isinstance(base, Apply) or exponent is None or exponent.denominator != 1:
        return None
    read = piece(base, ctx)
    if written(base.fn).form not in ("name", "logarithm") or not isinstance(read.tree, Func):
        return None
    return Piece(read.tree.replaced(name=Script(read.tree.name, None, above)), read.level)


def _entrywise_power(expr: Pow, exponent: Fraction | None, above: Tree, ctx: Context) -> Piece:
    base = piece(expr.base, ctx)
    if exponent == 2 and _is_short_atom(expr.base, base):
        return Piece(Infix((base.tree, base.tree), ("odot",)), level.HADAMARD)
    return _raised(base, Row((Sym("odot"), above)))


def _is_short_atom(expr: Expr, read: Piece) -> bool:
    return read.level >= level.SCRIPTED and (isinstance(expr, Var) or width(read.tree) < 2.5)


def _raised(base: Piece, above: Tree) -> Piece:
    if isinstance(base.tree, Row | Func | Root):
        base = Piece(Fenced(base.tree), level.ATOM)
    return raised(base, above)
