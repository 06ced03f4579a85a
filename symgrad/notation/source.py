"""Expressions in the plain syntax of the problem language, to be parsed again: V.T @ (yhat[t] - y[t]).

Nodes the language has no word for are written as functions that say what they are: ones(n), eye(n),
tensor(W[i, j], i=1..n, j=1..m), partial(h[t], W), chain(…).
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import singledispatch
from itertools import groupby

from msgspec import Struct

from symgrad.errors import InternalError
from symgrad.notation.integers import integer_source
from symgrad.notation.layers import layer_arguments
from symgrad.tensor import nodes
from symgrad.tensor.build import power
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import Int, same
from symgrad.tensor.nodes import At, Binder, Compare, Cut, Entry, Expr, Item, Num, Pow, Rel, Shape
from symgrad.tensor.rebuild import transform

_SUM, _PRODUCT, _POWER, _ATOM = 10, 20, 40, 50


class _Written(Struct, frozen=True):
    text: str
    level: int


def source(expr: Expr, index_base: int = 1) -> str:
    """The expression as a problem would say it, where component indices begin at 1 or at another base."""
    return _write(expr if index_base == 1 else transform(expr, lambda x: _based(x, index_base - 1))).text


def _based(x: Expr, by: int) -> Expr:
    """Entries with their indices moved, to be written and not to be computed with; whole axes stay."""
    if not isinstance(x, Entry):
        return x
    items = tuple(_moved(item, size, by) for item, size in zip(x.items, x.arg.shape, strict=True))
    return Entry(x.arg, items, x.shape)


def _moved(item: Item, size: Int, by: int) -> Item:
    match item:
        case At(index=index):
            return At(index + by)
        case Cut(lo=lo, hi=hi) if not (same(lo, 1) and same(hi, size)):
            return Cut(lo + by, hi + by)
    return item


def _at(expr: Expr, needed: int) -> str:
    return _in_brackets(_write(expr), needed)


def _in_brackets(written: _Written, needed: int) -> str:
    return written.text if written.level >= needed else f"({written.text})"


@singledispatch
def _write(expr: Expr) -> _Written:
    raise InternalError(f"{type(expr).__name__} has no source")


def _function(name: str, *args: str) -> _Written:
    return _Written(f"{name}({', '.join(args)})", _ATOM)


# Ranges


def _binder(binder: Binder, descending: bool = False) -> str:
    first, last = (binder.hi, binder.lo) if descending else (binder.lo, binder.hi)
    return f"{binder.symbol.name}={integer_source(first)}..{integer_source(last)}"


def _relation(r: Rel) -> str:
    return f"{integer_source(r.left)} {r.op} {integer_source(r.right)}"


# Leaves


@_write.register
def _(expr: Num) -> _Written:
    return _number(expr.value)


def _number(value: Fraction) -> _Written:
    if value < 0:
        return _Written(f"-{_in_brackets(_number(-value), _PRODUCT)}", _SUM)
    if value.denominator == 1:
        return _Written(str(value.numerator), _ATOM)
    if value.denominator >= 10 and value * 10**6 % 1 == 0:
        return _Written(f"{float(value):.6f}".rstrip("0"), _ATOM)
    return _Written(f"{value.numerator}/{value.denominator}", _PRODUCT)


@_write.register
def _(expr: nodes.Count) -> _Written:
    value = expr.value
    level = _ATOM if value.is_Symbol or value.is_Function else _SUM if value.is_Add else _PRODUCT
    return _Written(integer_source(value), level)


@_write.register
def _(expr: nodes.Const) -> _Written:
    return _Written(expr.name, _ATOM)


@_write.register
def _(expr: nodes.Full) -> _Written:
    name = "zeros" if expr.value == 0 else "ones"
    filled = _function(name, *_sizes(expr.shape))
    if expr.value in (0, 1):
        return filled
    return _Written(f"{_number(expr.value).text}*{filled.text}", _SUM if expr.value < 0 else _PRODUCT)


def _sizes(shape: Shape) -> list[str]:
    return [integer_source(s) for s in shape]


@_write.register
def _(expr: nodes.Eye) -> _Written:
    return _function("eye", integer_source(expr.size))


@_write.register
def _(expr: nodes.Literal) -> _Written:
    cells = [_number(v).text if isinstance(v, Fraction) else repr(v) for v in expr.values]
    for size in reversed([int(s) for s in expr.shape]):
        cells = [f"[{', '.join(cells[k : k + size])}]" for k in range(0, len(cells), size)]
    return _Written(cells[0], _ATOM)


@_write.register
def _(expr: nodes.Var) -> _Written:
    subs = "" if "random" in expr.facts else ", ".join(integer_source(s) for s in expr.subs)
    return _Written(f"{expr.name}[{subs}]" if subs else expr.name, _ATOM)


# Arithmetic


@_write.register
def _(expr: nodes.Add) -> _Written:
    out = ""
    for term in expr.args:
        text = _at(term, _SUM)
        minus = text.startswith("-")
        if not out:
            out = text
        else:
            out += f" - {text[1:]}" if minus else f" + {text}"
    return _Written(out, _SUM)


@_write.register
def _(expr: nodes.Mul) -> _Written:
    number, factors = Fraction(1), expr.args
    if isinstance(factors[0], Num):
        number, factors = factors[0].value, factors[1:]
    text = _quotient(abs(number), factors)
    return _Written(f"-{text}", _SUM) if number < 0 else _Written(text, _PRODUCT)


def _quotient(number: Fraction, factors: Sequence[Expr]) -> str:
    """The factors in their order, each after * or /; a reciprocal in front goes behind what is no reciprocal."""
    text = "" if number == 1 else _number(number).text
    above = [f for f in factors if _reciprocal(f) is None]
    if above and _reciprocal(factors[0]) is not None and not factors[0].order:
        factors = [*above, *(f for f in factors if _reciprocal(f) is not None)]
    for below, run in groupby(factors, lambda f: _reciprocal(f) is not None):
        members = [_at(_reciprocal(f) or f, _POWER) for f in run]
        if not below:
            text += ("*" if text else "") + "*".join(members)
        elif len(members) > 1 and all(f.order == 0 for f in factors):
            text = f"{text or '1'}/({'*'.join(members)})"
        else:
            text = "/".join([text or "1", *members])
    return text


def _reciprocal(expr: Expr) -> Expr | None:
    """What an expression with a negative power is one over."""
    if isinstance(expr, Pow) and isinstance(expr.exponent, Num) and expr.exponent.value < 0:
        return power(expr.base, Num(-expr.exponent.value))
    return None


@_write.register
def _(expr: Pow) -> _Written:
    if isinstance(expr.exponent, Num) and expr.exponent.value < 0:
        return _Written(_quotient(Fraction(1), (expr,)), _PRODUCT)
    return _Written(f"{_at(expr.base, _ATOM)}**{_at(expr.exponent, _POWER)}", _POWER)


@_write.register
def _(expr: nodes.MatMul) -> _Written:
    return _Written(" @ ".join(_at(a, _POWER) for a in expr.args), _PRODUCT)


@_write.register
def _(expr: nodes.Transpose) -> _Written:
    return _Written(f"{_at(expr.arg, _ATOM)}.T", _ATOM)


@_write.register
def _(expr: nodes.Permute) -> _Written:
    return _function("transpose", source(expr.arg), *(str(a) for a in expr.axes))


# Functions


@_write.register
def _(expr: nodes.Apply) -> _Written:
    if expr.fn == "where" and isinstance(expr.args[0], Compare):
        return _function("where", _condition(expr.args[0]), *(source(a) for a in expr.args[1:]))
    return _function(expr.fn, *(source(a) for a in expr.args))


def _condition(expr: Compare) -> str:
    return f"{_at(expr.left, _SUM)} {expr.op} {_at(expr.right, _SUM)}"


@_write.register
def _(expr: Compare) -> _Written:
    return _function("indicator", _condition(expr))


@_write.register
def _(expr: nodes.Call) -> _Written:
    args = [source(a) for a in expr.args]
    if expr.fn == "reshape":
        return _function("reshape", *args, *_sizes(expr.shape))
    if expr.fn == "one_hot":
        return _function("one_hot", *args, integer_source(expr.shape[-1]))
    if expr.fn in AXES:
        return _function(expr.fn, *layer_arguments(expr, args))
    shown = [f"{k}={v}" for k, v in expr.params if v is not None and (k != "axis" or expr.args[0].order > 1)]
    return _function("diag" if expr.fn == "diagpart" else expr.fn, *args, *shown)


@_write.register
def _(expr: nodes.Opaque) -> _Written:
    return _function(expr.name, *(source(a) for a in expr.args), *(_binder(b) for b in expr.binders))


# Indices


@_write.register
def _(expr: nodes.Reduce) -> _Written:
    axis = [] if len(expr.axes) == expr.arg.order else [f"axis={a}" for a in expr.axes]
    return _function(expr.op, source(expr.arg), *axis)


@_write.register
def _(expr: nodes.Fold) -> _Written:
    name = "prod" if expr.op == "matprod" else expr.op
    ranges = [_binder(b, expr.descending) for b in expr.binders]
    return _function(name, source(expr.body), *ranges, *(_relation(c) for c in expr.conds))


@_write.register
def _(expr: nodes.Build) -> _Written:
    return _function("tensor", source(expr.body), *(_binder(b) for b in expr.binders))


@_write.register
def _(expr: Entry) -> _Written:
    items = [_item(item, size) for item, size in zip(expr.items, expr.arg.shape, strict=True)]
    return _Written(f"{_at(expr.arg, _ATOM)}[{', '.join(items)}]", _ATOM)


def _item(item: Item, size: Int) -> str:
    match item:
        case At(index=index):
            return integer_source(index)
        case Cut(lo=lo, hi=hi):
            return ":" if same(lo, 1) and same(hi, size) else f"{integer_source(lo)}..{integer_source(hi)}"
        case _:
            return source(item.index)


@_write.register
def _(expr: nodes.Iverson) -> _Written:
    factors = [f"indicator({_relation(c)})" for c in expr.conds]
    return _Written("*".join(factors), _ATOM if len(factors) == 1 else _PRODUCT)


@_write.register
def _(expr: nodes.Stack) -> _Written:
    return _function("stack", *(source(a) for a in expr.args))


@_write.register
def _(expr: nodes.Concat) -> _Written:
    return _function("concat", *(source(a) for a in expr.args), f"axis={expr.axis}")


# Derivatives and limits


@_write.register
def _(expr: nodes.Limit) -> _Written:
    return _function("limit", source(expr.arg), f"{source(expr.var)} -> {source(expr.point)}{expr.side}")


@_write.register
def _(expr: nodes.Deriv) -> _Written:
    name = "partial" if expr.kind == "immediate" else "jacobian" if expr.of.order else "grad"
    held = sorted(source(h) for h in expr.held)
    hold = [f"hold=[{', '.join(held)}]"] if held else []
    return _function(name, source(expr.of), source(expr.wrt), *hold)


@_write.register
def _(expr: nodes.Chain) -> _Written:
    return _function("chain", *(source(a) for a in expr.args))


# Probability


@_write.register
def _(expr: nodes.Density) -> _Written:
    assert isinstance(expr.table, nodes.Var)
    free = [integer_source(i) for k, i in enumerate(expr.at) if i is not None and k not in expr.given]
    given = [integer_source(i) for k, i in enumerate(expr.at) if i is not None and k in expr.given]
    return _function(expr.table.name, ", ".join(free) + (" | " + ", ".join(given) if given else ""))


@_write.register
def _(expr: nodes.Law) -> _Written:
    if expr.name == "normal":
        point, mean, cov = (source(a) for a in expr.args)
        return _function("normal", point, f"mean={mean}", f"cov={cov}")
    return _function(expr.name, *(source(a) for a in expr.args))


@_write.register
def _(expr: nodes.Integral) -> _Written:
    symbols = [x.symbol.name for x in expr.binders]
    args = [source(a) for a in expr.args]
    if expr.op == "divergence":
        return _function("KL", *args)
    if expr.op == "integral":
        return _function("integral", *args, *symbols)
    over = symbols[0] if len(symbols) == 1 else f"[{', '.join(symbols)}]"
    return _function("E" if expr.op == "expectation" else "Var", args[0], f"{over} ~ {args[1]}")
