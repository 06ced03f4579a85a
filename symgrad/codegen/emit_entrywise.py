"""NumPy source of what is computed entry by entry: sums, products, powers, scalar functions, comparisons."""

from collections.abc import Sequence
from fractions import Fraction

from symgrad.codegen.emit import aligned, emit, filled, numeric, tensor, value
from symgrad.codegen.integers_text import number_source
from symgrad.codegen.state import Scope, State
from symgrad.codegen.text import ATOM, COMPARE, POWER, PRODUCT, SIGN, SUM, Code, widened
from symgrad.tensor import build as b
from symgrad.tensor.build import coefficient, is_one, is_zero, number_of
from symgrad.tensor.comparisons import MIRRORED
from symgrad.tensor.integers import Int, integer, same
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Compare,
    Concat,
    Expr,
    MatMul,
    Mul,
    Num,
    Pow,
    Transpose,
)
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.shapes import broadcast, same_shape


@emit.register
def _(node: Add, state: State, scope: Scope) -> Code:
    joined = side_by_side(node)
    if joined is not None:
        return value(joined, state, scope)
    plain = [a for a in node.args if number_of(a) is None]
    shape = broadcast(plain, "sum")[0] if plain else ()
    whole = len(shape) < node.order or same_shape(shape, node.shape)
    parts: list[tuple[str, Code]] = []
    for a in node.args:
        number = number_of(a)
        if a.order and number == 0 and whole and plain:
            continue
        scale, rest = coefficient(a)
        sign = "-" if scale < 0 else "+"
        if number is not None and number < 0:
            sign, code = "-", Code(*number_source(-number))
        elif a.order and number is not None and not whole:
            code = filled(value(a, state, scope), a.shape, state, scope)
        else:
            code = _beside(rest if scale == -1 else _absolute(a), node.args, state, scope)
        parts.append((sign, numeric(code)))
    codes, batch, order = aligned([c for _, c in parts], scope)
    first = parts[0][0]
    text = f"-{codes[0].at(PRODUCT)}" if first == "-" else codes[0].at(SUM)
    for (sign, _), code in zip(parts[1:], codes[1:], strict=True):
        text += f" {sign} {code.at(PRODUCT)}"
    level = SUM if len(codes) > 1 else (SIGN if first == "-" else codes[0].level)
    return Code(text, level, batch, order)


def side_by_side(node: Add) -> Concat | None:
    """A sum of pieces of an axis with zeros around them as the pieces one after the other; None where it is no such."""
    (first, *others) = node.args
    if not isinstance(first, Concat) or not all(isinstance(a, Concat) and a.axis == first.axis for a in others):
        return None
    axis, place, pieces = first.axis, 0, []
    waiting = [p for a in node.args if isinstance(a, Concat) for p in _placed(a)]
    while waiting:
        found = next((p for p in waiting if same(p[0], place)), None)
        if found is None:
            return None
        waiting.remove(found)
        pieces.append(found[1])
        place = integer(place + found[1].shape[axis])
    return Concat(tuple(pieces), axis, node.shape) if same(place, node.shape[axis]) else None


def _placed(a: Concat) -> list[tuple[Int, Expr]]:
    """The pieces that are not zero, with where they begin."""
    place: Int = 0
    out: list[tuple[Int, Expr]] = []
    for piece in a.args:
        if not is_zero(piece):
            out.append((place, piece))
        place = integer(place + piece.shape[a.axis])
    return out


def _absolute(a: Expr) -> Expr:
    """A negative multiple without its sign."""
    if isinstance(a, Mul) and isinstance(a.args[0], Num) and a.args[0].value < 0:
        return Mul((Num(-a.args[0].value), *a.args[1:]), a.shape, a.is_row)
    return a


@emit.register
def _(node: Pow, state: State, scope: Scope) -> Code:
    exponent = number_of(node.exponent)
    base = numeric(value(node.base, state, scope))
    if exponent == -1:
        return Code(f"1 / {base.at(SIGN)}", PRODUCT, base.batch, base.order)
    if exponent == Fraction(1, 2):
        return Code(f"np.sqrt({base.text})", ATOM, base.batch, base.order)
    if exponent is not None:
        power = f"{float(exponent)}" if exponent < 0 else number_source(exponent)[0]
        power = power if "/" not in power else f"({power})"
        return Code(_power(base.at(ATOM), power), POWER, base.batch, base.order)
    other = numeric(value(node.exponent, state, scope))
    (left, right), batch, order = aligned([base, other], scope)
    return Code(_power(left.at(ATOM), right.at(SIGN)), POWER, batch, order)


def _power(base: str, exponent: str) -> str:
    """``h**2`` between names and numbers, spaced out otherwise, as formatters have it."""
    simple = all(x.lstrip("-").replace(".", "").replace("_", "").isalnum() for x in (base, exponent))
    return f"{base}**{exponent}" if simple else f"{base} ** {exponent}"


@emit.register
def _(node: Apply, state: State, scope: Scope) -> Code:
    row = SCALARS[node.fn]
    needed = [a for k, a in enumerate(node.args) if f"{{{k}}}" in row.code]
    codes = [value(a, state, scope) for a in needed]
    codes = [c if node.fn == "where" and k == 0 else numeric(c) for k, c in enumerate(codes)]
    codes, batch, order = aligned(codes, scope)
    for source in row.helpers:
        state.helper(source)
    return Code(row.code.format(*(c.text for c in codes)), ATOM, batch, order)


@emit.register
def _(node: Compare, state: State, scope: Scope) -> Code:
    sides, op = (node.left, node.right), node.op
    if isinstance(node.left, Num) and not isinstance(node.right, Num):
        sides, op = (node.right, node.left), MIRRORED[op]
    codes = [numeric(value(x, state, scope)) for x in sides]
    (left, right), batch, order = aligned(codes, scope)
    return Code(f"{left.at(SUM)} {op} {right.at(SUM)}", COMPARE, batch, order, boolean=True)


@emit.register
def _(node: Transpose, state: State, scope: Scope) -> Code:
    if node.order == 1:
        return value(node.arg, state, scope)
    code = tensor(node.arg, state, scope)
    if code.batch:
        return Code(f"np.swapaxes({code.text}, -1, -2)", ATOM, code.batch, 2)
    text = code.at(ATOM)
    return Code(text[:-2] if text.endswith(".T") else f"{text}.T", ATOM, (), 2)


def product(args: Sequence[Expr], shape: tuple[Int, ...], state: State, scope: Scope) -> Code:
    """a * b / c, entry by entry, with the operands in the author's order."""
    number = Fraction(1)
    above: list[Code] = []
    below: list[Code] = []
    plain = [a for a in args if number_of(a) is None]
    whole = not plain or _covers(plain, shape)
    for a in args:
        n = number_of(a)
        if n is not None and (not a.order or whole):
            number *= n
        elif n is not None:
            above.append(filled(Code(*number_source(n)), a.shape, state, scope))
        elif isinstance(a, Pow) and (e := number_of(a.exponent)) is not None and e < 0:
            below.append(value(a.base if e == -1 else Pow(a.base, Num(-e), a.shape), state, scope))
        else:
            above.append(_beside(a, args, state, scope))
    return _quotient(number, above, below, scope)


def _beside(a: Expr, others: Sequence[Expr], state: State, scope: Scope) -> Code:
    """An operand among others; v 1ᵀ is a column next to one that has all the columns."""
    column = _repeated_column(a)
    full = any(x is not a and number_of(x) is None and same_shape(x.shape, a.shape) and not _spreads(x) for x in others)
    if column is None or not full or a.order != 2:
        return value(a, state, scope)
    code = tensor(column, state, scope)
    marks = [":"] * code.axes + ["None"]
    return Code(widened(code, marks), ATOM, code.batch, 2)


def _repeated_column(a: Expr) -> Expr | None:
    """v of v 1ᵀ, perhaps scaled."""
    if isinstance(a, Mul):
        wide = [x for x in a.args if x.order]
        column = _repeated_column(wide[0]) if len(wide) == 1 else None
        return None if column is None else b.mul(*(x for x in a.args if not x.order), column)
    if not isinstance(a, MatMul) or not isinstance(ones := a.args[-1], Transpose) or not is_one(ones.arg):
        return None
    rest = b.matmul(*a.args[:-1])
    return rest if rest.order == 1 and not rest.row else None


def _spreads(x: Expr) -> bool:
    return _repeated_column(x) is not None


def _covers(plain: Sequence[Expr], shape: tuple[Int, ...]) -> bool:
    merged = broadcast(plain, "product")[0]
    return len(merged) < len(shape) or same_shape(merged, shape)


def _quotient(number: Fraction, above: list[Code], below: list[Code], scope: Scope) -> Code:
    above = sorted(above, key=lambda c: c.boolean)
    if above and above[0].boolean:
        above[0] = numeric(above[0])
    codes, batch, order = aligned([*above, *(numeric(c) for c in below)], scope)
    top, bottom = codes[: len(above)], codes[len(above) :]
    sign, number = ("-", -number) if number < 0 else ("", number)
    text, level = number_source(number)
    if number.numerator == 1 and "/" in text and top:
        factors = [c.factor for c in top]
        bottom = [Code(str(number.denominator)), *bottom]
    elif number == 1 and top:
        factors = [c.factor for c in top]
    else:
        factors = [text if level == ATOM else f"({text})", *(c.factor for c in top)]
    if len(factors) == 1 and not bottom:
        single = top[0] if top else Code(text, level)
        inner = single.factor if sign else single.text
        out = Code(f"{sign}{inner}", SIGN if sign else single.level, batch, order, single.boolean, single.matmul)
        return out if not sign else Code(out.text, SIGN, batch, order)
    out_text = " * ".join([factors[0], *(_tight(f) for f in factors[1:])])
    if len(bottom) == 1:
        out_text += f" / {_below(bottom[0])}"
    elif bottom:
        out_text += f" / ({' * '.join(c.factor for c in bottom)})"
    return Code(f"{sign}{out_text}", PRODUCT, batch, order)


def _tight(text: str) -> str:
    """A later factor of a product; a quotient in it is computed first."""
    return f"({text})" if " / " in text and not text.startswith("(") and "(" not in text.split(" / ")[0] else text


def _below(code: Code) -> str:
    return f"({code.text})" if code.level <= PRODUCT else code.text
