"""Numbers, names, and tensors that are written out."""

from collections.abc import Sequence
from fractions import Fraction

from symgrad.notation import precedence as level
from symgrad.notation.integers import Piece, by, integer_piece
from symgrad.notation.names import has_superscript
from symgrad.notation.readers.core import Context, rule
from symgrad.notation.tree import Fenced, Frac, Grid, Ident, Infix, Number, Prefix, Row, Script, Sym, Tree
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Const, Count, Eye, Full, Literal, Num, Var

_SHOWN = 8
_DECIMALS = 4


def number_piece(value: Fraction, inline: bool = False) -> Piece:
    """An exact number: an integer, a short decimal such as 0.05, or a fraction."""
    if value < 0:
        return Piece(Prefix("minus", number_piece(-value, inline).tree), level.SUM)
    if value.denominator == 1:
        return Piece(Number(str(value.numerator)), level.ATOM)
    if (small := _power_of_ten(value)) is not None:
        return small
    if value.denominator >= 10 and value * 10**_DECIMALS % 1 == 0:
        return Piece(Number(f"{float(value):.{_DECIMALS}f}".rstrip("0")), level.ATOM)
    top, bottom = Number(str(value.numerator)), Number(str(value.denominator))
    if inline:
        return Piece(Row((top, Sym("slash"), bottom)), level.HADAMARD)
    return Piece(Frac(top, bottom), level.FACTOR)


def _power_of_ten(value: Fraction) -> Piece | None:
    exponent = len(str(value.denominator)) - 1
    if exponent <= _DECIMALS or value.denominator != 10**exponent:
        return None
    power = Script(Number("10"), None, Prefix("minus", Number(str(exponent))))
    if value.numerator == 1:
        return Piece(power, level.SCRIPTED)
    return Piece(Infix((Number(str(value.numerator)), power), ("cdot",)), level.PRODUCT)


@rule.register
def _(expr: Num, ctx: Context) -> Piece:
    return number_piece(expr.value, ctx.inline)


@rule.register
def _(expr: Count, ctx: Context) -> Piece:
    return ctx.integer(expr.value, ctx.inline)


@rule.register
def _(expr: Const, ctx: Context) -> Piece:
    sign = {"pi": "pi", "inf": "infinity"}.get(expr.name)
    return Piece(Sym(sign) if sign else Ident(expr.name), level.ATOM)


@rule.register
def _(expr: Full, ctx: Context) -> Piece:
    if expr.value == 0:
        return Piece(Ident("0", "bold"), level.ATOM)
    ones: Tree = Ident("1", "bold")
    if expr.order > 1:
        ones = Script(ones, _sizes(expr.shape, ctx))
    number = abs(expr.value)
    read = Piece(ones, level.ATOM) if number == 1 else Piece(Row((number_piece(number).tree, ones)), level.PRODUCT)
    return Piece(Prefix("minus", read.tree), level.SUM) if expr.value < 0 else read


def _sizes(shape: Sequence[Int], ctx: Context) -> Tree:
    return by([ctx.integer(s) for s in shape])


@rule.register
def _(expr: Eye, ctx: Context) -> Piece:
    return Piece(Ident("I", "bold" if ctx.style.names.taken("I") else "italic"), level.ATOM)


@rule.register
def _(expr: Var, ctx: Context) -> Piece:
    names = ctx.style.names
    if "random" in expr.facts:
        return Piece(names.name(expr.name), level.ATOM)
    tree = names.member(expr.name, [ctx.index(s) for s in expr.subs], expr.subs)
    return Piece(tree, level.SCRIPTED if has_superscript(tree) else level.ATOM)


@rule.register
def _(expr: Literal, ctx: Context) -> Piece:
    cells = [_cell(v) for v in expr.values]
    if not expr.shape:
        tree = cells[0]
        return Piece(tree, level.SUM if isinstance(tree, Prefix) else level.FACTOR)
    return Piece(_array(cells, [int(s) for s in expr.shape]), level.ATOM)


def _cell(value: Fraction | float) -> Tree:
    if isinstance(value, Fraction):
        return number_piece(value, inline=True).tree
    digits, _, exponent = f"{abs(value):.6g}".partition("e")
    number: Tree = Number(digits)
    if exponent:
        power = Script(Number("10"), None, integer_piece(int(exponent), lambda s: Ident(s.name)).tree)
        number = power if digits == "1" else Infix((number, power), ("cdot",))
    return Prefix("minus", number) if value < 0 else number


def _array(cells: Sequence[Tree], shape: Sequence[int]) -> Tree:
    if len(shape) == 1:
        return Grid(tuple((c,) for c in elided(cells, "vdots")))
    if len(shape) == 2:
        rows = [elided(cells[r * shape[1] : (r + 1) * shape[1]], "cdots") for r in range(shape[0])]
        if len(rows) > _SHOWN:
            rows = [*rows[: _SHOWN - 2], (Sym("vdots"),) * len(rows[0]), rows[-1]]
        return Grid(tuple(rows))
    step = len(cells) // shape[0]
    slices = [_array(cells[r * step : (r + 1) * step], shape[1:]) for r in range(shape[0])]
    return Fenced(Infix(tuple(slices), ("comma",) * (len(slices) - 1)), "[", "]")


def elided(items: Sequence[Tree], dots: str, most: int = _SHOWN) -> tuple[Tree, ...]:
    """All of a few items; the first ones, dots and the last of many."""
    if len(items) <= most:
        return tuple(items)
    return (*items[: most - 2], Sym(dots), items[-1])
