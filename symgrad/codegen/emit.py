"""NumPy source of an expression: named nodes, numbers, and what is computed entry by entry."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, singledispatch
from itertools import permutations

import sympy

from symgrad.codegen.access import Item, Place, spread
from symgrad.codegen.integers_text import number_source
from symgrad.codegen.intervals import length
from symgrad.codegen.model import holds_exactly
from symgrad.codegen.state import NotVectorisable, Scope, State, unreachable
from symgrad.codegen.text import ATOM, COMPARE, POWER, PRODUCT, SIGN, SUM, Code
from symgrad.errors import QuestionError
from symgrad.tensor.build import coefficient, number_of
from symgrad.tensor.integers import Int, difference
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Compare,
    Const,
    Count,
    Expr,
    Eye,
    Full,
    Literal,
    Mul,
    Num,
    Opaque,
    Pow,
    Transpose,
    Var,
)
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.shapes import broadcast, same_shape
from symgrad.tensor.walk import free_ints as _free_ints

free_ints = lru_cache(maxsize=65536)(_free_ints)


@singledispatch
def emit(node: Expr, state: State, scope: Scope) -> Code:
    """The source of a node's value in a scope.

    Raises:
        NotVectorisable: NumPy cannot compute it along a batch index.
    """
    raise unreachable(type(node).__name__)


def value(node: Expr, state: State, scope: Scope) -> Code:
    """The source of a node's value; a node that is used more than once is computed once, under a name."""
    along = tuple(x for x in scope.batch if x.symbol in free_ints(node))
    key = (node, along, scope.guarded)
    for order in permutations(along):
        known = state.memo.get((node, order, scope.guarded))
        if known is not None:
            return _in_order(known, scope)
    code = emit(node, state, scope)
    if node in state.shared and code.level < ATOM + ("(" in code.text):
        code = state.memo[key] = state.bind(code, _telling(node, scope.label))
    return code


def _in_order(code: Code, scope: Scope) -> Code:
    """A named value with its batch axes as the scope nests them."""
    wanted = tuple(s for s in scope.symbols if s in code.batch)
    if wanted == code.batch:
        return code
    axes = (*(code.batch.index(s) for s in wanted), *range(len(wanted), code.axes))
    return Code(f"{code.text}.transpose({', '.join(map(str, axes))})", ATOM, wanted, code.order, code.boolean)


def _telling(node: Expr, label: str) -> str:
    """A name for an intermediate value: tanh_c, h_squared, else after what it is a part of."""
    if isinstance(node, Apply) and len(node.args) == 1 and isinstance(node.args[0], Var):
        return f"{node.fn}_{node.args[0].name}"
    if isinstance(node, Pow) and isinstance(node.base, Var) and number_of(node.exponent) == 2:
        return f"{node.base.name}_squared"
    return f"{label}_part"


def tensor(node: Expr, state: State, scope: Scope) -> Code:
    """The same as an array of numbers with all of the node's axes, where broadcasting may not help."""
    return filled(value(node, state, scope), node.shape, state, scope)


def filled(code: Code, shape: tuple[Int, ...], state: State, scope: Scope) -> Code:
    """The code as an array of numbers of the given shape after its batch axes."""
    code = numeric(code)
    if code.order == len(shape):
        return code
    sizes = (*lengths(code.batch, scope), *shape)
    if code.axes == 0:
        kind = {"0": "zeros", "1": "ones"}.get(code.text)
        text = f"np.{kind}({state.shape(sizes)})" if kind else f"np.full({state.shape(sizes)}, {code.text})"
        return Code(text, ATOM, (), len(shape))
    wide = spread(code, code.batch, len(shape))
    return Code(f"np.broadcast_to({wide.text}, {state.shape(sizes)})", ATOM, code.batch, len(shape))


def lengths(batch: Sequence[sympy.Symbol], scope: Scope) -> tuple[Int, ...]:
    """The lengths of batch axes."""
    ranges = {x.symbol: x for x in scope.batch}
    if any(s in batch for x in scope.batch for e in (x.lo, x.hi) if not isinstance(e, int) for s in e.free_symbols):
        raise NotVectorisable
    return tuple(length(ranges[s]) for s in batch)


def numeric(code: Code) -> Code:
    """Truth values as 1 and 0."""
    return Code(f"np.where({code.text}, 1.0, 0.0)", ATOM, code.batch, code.order) if code.boolean else code


def aligned(codes: Sequence[Code], scope: Scope) -> tuple[list[Code], tuple[sympy.Symbol, ...], int]:
    """The codes ready for an operation entry by entry, with the batch indices and the order of its value."""
    batch = tuple(s for s in scope.symbols if any(s in c.batch for c in codes))
    order = max((c.order for c in codes), default=0)
    return [spread(c, batch, order) for c in codes], batch, order


@emit.register
def _(node: Var, state: State, scope: Scope) -> Code:
    return indexed_items(node, [], node.order, state, scope)


def indexed_items(node: Var, items: Sequence[Item], order: int, state: State, scope: Scope) -> Code:
    """The entries of a named node, picked together with its row."""
    name, axes = located(node, state)
    made = state.indexer(scope).take(name, [*axes, *items], node.order - len(items))
    return Code(made.text, ATOM, made.batch, order)


def located(node: Var, state: State) -> tuple[str, list[Place]]:
    """The array that a named node lies in, and its place along the index axes."""
    for i in state.stores.arguments:
        if holds_exactly(i, node):
            return i.argument, []
    store = state.stores.arrays[node.name]
    places = [
        Place(difference(sub, axis.base), axis.length)
        for sub, axis in zip(node.subs, store.axes, strict=True)
        if axis is not None
    ]
    return store.name, places


@emit.register
def _(node: Opaque, state: State, scope: Scope) -> Code:
    raise QuestionError(f"the value of {node.name} is not given, only its partial derivatives")


@emit.register
def _(node: Num, state: State, scope: Scope) -> Code:
    return Code(*number_source(node.value))


@emit.register
def _(node: Full, state: State, scope: Scope) -> Code:
    return Code(*number_source(node.value))


@emit.register
def _(node: Const, state: State, scope: Scope) -> Code:
    return Code({"pi": "np.pi", "e": "np.e"}[node.name])


@emit.register
def _(node: Eye, state: State, scope: Scope) -> Code:
    return Code(f"np.eye({state.integer(node.size)})", order=2)


@emit.register
def _(node: Literal, state: State, scope: Scope) -> Code:
    texts = [number_source(v)[0] for v in node.values]
    if not node.shape:
        return Code(*number_source(node.values[0]))
    for size in reversed(node.shape):
        assert isinstance(size, int)
        texts = [f"[{', '.join(texts[k : k + size])}]" for k in range(0, len(texts), size)]
    return Code(f"np.array({texts[0]}, dtype=float)", order=node.order)


@emit.register
def _(node: Count, state: State, scope: Scope) -> Code:
    symbols = tuple(s for s in scope.symbols if s in node.value.free_symbols)
    if not symbols:
        return Code(*state.number(node.value))
    return Code(*state.index_array(node.value, symbols, scope), symbols)


@emit.register
def _(node: Add, state: State, scope: Scope) -> Code:
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
            code = value(rest if scale == -1 else _absolute(a), state, scope)
        parts.append((sign, numeric(code)))
    codes, batch, order = aligned([c for _, c in parts], scope)
    first = parts[0][0]
    text = f"-{codes[0].at(PRODUCT)}" if first == "-" else codes[0].at(SUM)
    for (sign, _), code in zip(parts[1:], codes[1:], strict=True):
        text += f" {sign} {code.at(PRODUCT)}"
    level = SUM if len(codes) > 1 else (SIGN if first == "-" else codes[0].level)
    return Code(text, level, batch, order)


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


_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@emit.register
def _(node: Compare, state: State, scope: Scope) -> Code:
    sides, op = (node.left, node.right), node.op
    if isinstance(node.left, Num) and not isinstance(node.right, Num):
        sides, op = (node.right, node.left), _FLIPPED[op]
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
            above.append(value(a, state, scope))
    return _quotient(number, above, below, scope)


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
