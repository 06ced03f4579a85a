"""Smart constructors: each checks shapes, folds the trivial (0, 1, I, double transposes) and keeps operand order.

All raise ShapeError where operands do not fit. Sizes and indices are ints or SymPy integers.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import sympy

from symgrad.tensor.integers import Int, at_most, difference, integer, same, symbols_of
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Binder,
    Build,
    Call,
    Chain,
    Compare,
    Concat,
    Count,
    Cut,
    Deriv,
    Entry,
    Expr,
    Eye,
    Fold,
    Full,
    Item,
    Iverson,
    Limit,
    Literal,
    MatMul,
    Mul,
    Num,
    Opaque,
    Permute,
    Pick,
    Pow,
    Reduce,
    Rel,
    Shape,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.shapes import (
    ShapeError,
    axis_index,
    broadcast,
    describe,
    drop_axes,
    same_shape,
    show_shape,
)

Number: TypeAlias = int | Fraction

ZERO = Num(Fraction(0))
ONE = Num(Fraction(1))
MINUS_ONE = Num(Fraction(-1))


def num(value: Number) -> Num:
    """An exact number."""
    return Num(Fraction(value))


def count(value: Int) -> Expr:
    """A size, step or index used as a number."""
    value = integer(value)
    if isinstance(value, int):
        return num(value)
    if value.is_Rational:
        return num(Fraction(int(value.p), int(value.q)))
    return Count(value)


def var(name: str, subs: Iterable[Int] = (), shape: Shape = (), facts: Iterable[str] = ()) -> Var:
    """A named node; its facts are those of its declaration."""
    return Var(name, tuple(integer(s) for s in subs), tuple(integer(s) for s in shape), frozenset(facts))


def full(value: Number, shape: Shape) -> Expr:
    """A tensor of one number; a plain number where the shape is ()."""
    return Full(Fraction(value), shape) if shape else num(value)


def zeros(shape: Shape) -> Expr:
    """The zero tensor."""
    return full(0, shape)


def ones(shape: Shape) -> Expr:
    """The tensor of ones."""
    return full(1, shape)


def zeros_like(x: Expr) -> Expr:
    """Zero in the shape of x, a row where x is one."""
    zero = zeros(x.shape)
    return transpose(zero) if x.row else zero


def eye(size: Int) -> Expr:
    """The identity matrix."""
    return Eye(integer(size))


def literal(values: Sequence[Fraction | float], shape: Shape) -> Expr:
    """An array of numbers, row by row."""
    return Literal(tuple(values), shape) if shape else _number(values[0])


def _number(value: Fraction | float) -> Expr:
    return num(value) if isinstance(value, Fraction) else Literal((value,), ())


def number_of(x: Expr) -> Fraction | None:
    """The number that fills x, or None."""
    if isinstance(x, Num | Full):
        return x.value
    if isinstance(x, Transpose):
        return number_of(x.arg)
    return None


def is_zero(x: Expr) -> bool:
    """Whether x is the zero tensor as it stands."""
    return number_of(x) == 0


def is_one(x: Expr) -> bool:
    """Whether every entry of x is 1 as it stands."""
    return number_of(x) == 1


# Sums and products


def coefficient(x: Expr) -> tuple[Fraction, Expr]:
    """x as a number times the rest."""
    if isinstance(x, Mul) and isinstance(x.args[0], Num):
        return x.args[0].value, mul(*x.args[1:])
    if isinstance(x, Num):
        return x.value, ONE
    return Fraction(1), x


def add(*args: Expr) -> Expr:
    """a + b + …, entry by entry; like terms are collected where the first of them stands."""
    if len(args) == 1:
        return args[0]
    shape, row = broadcast(args, "sum")
    terms: dict[Expr, Fraction] = {}
    for a in args:
        for t in a.args if isinstance(a, Add) else (a,):
            c, rest = coefficient(t)
            terms[rest] = terms.get(rest, Fraction(0)) + c
    kept = [mul(num(c), rest) if c != 1 else rest for rest, c in terms.items() if c != 0 and not is_zero(rest)]
    if not kept:
        return transpose(zeros(shape)) if row else zeros(shape)
    if len(kept) == 1 and same_shape(kept[0].shape, shape):
        return kept[0]
    if not same_shape(broadcast(kept, "sum")[0], shape):
        kept.append(transpose(zeros(shape)) if row else zeros(shape))
    return Add(tuple(kept), shape, row)


def neg(x: Expr) -> Expr:
    """−x."""
    if isinstance(x, Add):
        return add(*(neg(t) for t in x.args))
    return mul(MINUS_ONE, x)


def sub(a: Expr, b: Expr) -> Expr:
    """a − b."""
    return add(a, neg(b))


def _power_parts(x: Expr) -> tuple[Expr, Fraction]:
    if isinstance(x, Pow) and isinstance(x.exponent, Num):
        return x.base, x.exponent.value
    return x, Fraction(1)


def mul(*args: Expr) -> Expr:
    """a ⊙ b ⊙ …, entry by entry; numbers come first, equal factors become powers."""
    if len(args) == 1:
        return args[0]
    shape, row = broadcast(args, "product entry by entry")
    number = Fraction(1)
    powers: dict[Expr, Fraction] = {}
    for a in args:
        for f in a.args if isinstance(a, Mul) else (a,):
            value = number_of(f)
            if value is not None:
                number *= value
                continue
            base, exponent = _power_parts(f)
            powers[base] = powers.get(base, Fraction(0)) + exponent
    if number == 0:
        return transpose(zeros(shape)) if row else zeros(shape)
    for base in [x for x in powers if isinstance(x, Count) and powers[x] == -1]:
        number, rest = _cancelled(number, base)
        if rest is not base:
            del powers[base]
            powers[rest] = powers.get(rest, Fraction(0)) - (0 if rest is ONE else 1)
    factors = [power(base, num(e)) if e != 1 else base for base, e in powers.items() if e != 0]
    kept_shape = broadcast(factors, "product entry by entry")[0] if factors else ()
    if not same_shape(kept_shape, shape):
        filler = ones(shape)
        factors.append(transpose(filler) if row else filler)
    if len(factors) == 1:
        if number == 1:
            return factors[0]
        if isinstance(factors[0], Num | Full):
            return full(number * factors[0].value, shape)
    if not factors:
        return num(number)
    if number != 1:
        if len(factors) == 1 and isinstance(factors[0], Add):
            return (
                add(*(mul(num(number), t) for t in factors[0].args))
                if number == -1
                else Mul((num(number), factors[0]), shape, row)
            )
        factors.insert(0, num(number))
    return Mul(tuple(factors), shape, row)


def _cancelled(number: Fraction, size: Count) -> tuple[Fraction, Expr]:
    """A number over a size, without the integer that both hold: 2/(2m) = 1/m."""
    own = size.value.as_coeff_Mul()[0]
    common = math.gcd(number.numerator, int(own)) if own.is_Integer else 1
    return (number, size) if common == 1 else (number / common, count(sympy.expand(size.value / common)))


def power(base: Expr, exponent: Expr) -> Expr:
    """base ** exponent, entry by entry."""
    shape, _ = broadcast((base, exponent), "power")
    e = number_of(exponent)
    if e == 0:
        return ones(shape)
    if e == 1 and same_shape(base.shape, shape):
        return base
    b = number_of(base)
    if b is not None and e is not None and e.denominator == 1 and (b != 0 or e > 0):
        return full(b ** int(e), shape)
    if b == 1:
        return ones(shape)
    if isinstance(base, Iverson) and e is not None and e > 0 and not shape:
        return base
    if isinstance(base, Pow) and e is not None and exponent.order == 0:
        inner = number_of(base.exponent)
        if inner is not None and inner.denominator == 1 and e.denominator == 1:
            return power(base.base, num(inner * e))
    if isinstance(base, Mul) and e == -1 and all(f.order == 0 for f in base.args):
        return mul(*(power(f, exponent) for f in base.args))
    if isinstance(base, Mul) and e == -1 and any(_power_parts(f)[1] < 0 for f in base.args):
        inverse = mul(*(power(f, exponent) for f in base.args))
        if same_shape(inverse.shape, shape):
            return inverse
    return Pow(base, exponent, shape)


def div(a: Expr, b: Expr) -> Expr:
    """a / b, entry by entry."""
    return mul(a, power(b, MINUS_ONE))


def apply(fn: str, *args: Expr) -> Expr:
    """A scalar function entry by entry."""
    shape, row = broadcast(args, fn)
    if fn == "where" and isinstance(args[0], Num):
        chosen = args[1] if args[0].value else args[2]
        if same_shape(chosen.shape, shape):
            return chosen
    return Apply(fn, args, shape, row)


def compare(op: str, left: Expr, right: Expr) -> Expr:
    """1 where the comparison holds, else 0."""
    shape, _ = broadcast((left, right), f"comparison {op}")
    return Compare(op, left, right, shape)


# Matrices


def matmul(*args: Expr) -> Expr:
    """A @ B @ …: products of matrices, vectors and rows; a scalar operand scales."""
    flat: list[Expr] = []
    scalars: list[Expr] = []
    for a in args:
        for f in a.args if isinstance(a, MatMul) else (a,):
            if f.order == 0:
                scalars.append(f)
                continue
            weights, rest = _scalar_factors(f)
            scalars += weights
            flat += rest.args if isinstance(rest, MatMul) else (rest,)
    if not flat:
        return mul(*scalars)
    shape, row = _product_shape(flat)
    if any(is_zero(s) for s in scalars) or any(is_zero(f) for f in flat):
        return transpose(zeros(shape)) if row else zeros(shape)
    kept = [f for f in flat if not isinstance(f, Eye)]
    if not kept:
        product: Expr = flat[0]
    elif len(kept) == 1:
        product = kept[0]
    else:
        product = MatMul(tuple(kept), shape, row)
    return mul(*scalars, product) if scalars else product


def _scalar_factors(x: Expr) -> tuple[list[Expr], Expr]:
    """x as scalars times a tensor of its shape."""
    if not isinstance(x, Mul) or any(f.order not in (0, x.order) for f in x.args):
        return [], x
    weights = [f for f in x.args if f.order == 0]
    rest = [f for f in x.args if f.order]
    return (weights, mul(*rest)) if weights and rest else ([], x)


def _ends(x: Expr) -> tuple[Int | None, Int | None]:
    if x.order == 1:
        return (None, x.shape[0]) if x.row else (x.shape[0], None)
    if x.order == 2:
        return x.shape[0], x.shape[1]
    raise ShapeError(f"@ multiplies matrices and vectors, not a tensor with {x.order} axes; write it by components")


def _product_shape(args: Sequence[Expr]) -> tuple[Shape, bool]:
    first, last = _ends(args[0])
    for left, x in pairwise(args):
        top, bottom = _ends(x)
        if not same(1 if last is None else last, 1 if top is None else top):
            hint = (
                "; write a @ b.T for the outer product, a.T @ b for the inner one" if left.order == x.order == 1 else ""
            )
            raise ShapeError(f"product @: {describe(left)} times {describe(x)} does not fit{hint}")
        last = bottom
    shape = tuple(s for s in (first, last) if s is not None)
    return shape, first is None and last is not None


def transpose(x: Expr) -> Expr:
    """Aᵀ, or a vector as a row; a product is transposed factor by factor."""
    match x:
        case Transpose(arg=arg):
            return arg
        case Eye():
            return x
        case Call(fn="diag"):
            return x
        case Call(fn="inv", args=(arg,)) if transpose(arg) is arg:
            return x
        case Var(facts=facts) if facts & {"symmetric", "diagonal", "positive-definite"} and x.order == 2:
            return x
        case MatMul(args=args):
            return matmul(*(transpose(a) for a in reversed(args)))
        case Add(args=args) if all(same_shape(a.shape, x.shape) for a in args):
            return add(*(transpose(a) for a in args))
        case Mul(args=args) if sum(a.order > 0 for a in args) == 1:
            return mul(*(transpose(a) if a.order else a for a in args))
    if x.order == 0:
        return x
    if x.order == 1:
        return Transpose(x, x.shape)
    if x.order == 2:
        if isinstance(x, Full):
            return Full(x.value, (x.shape[1], x.shape[0]))
        return Transpose(x, (x.shape[1], x.shape[0]))
    raise ShapeError(f".T transposes matrices and vectors, not a tensor with {x.order} axes; use transpose(x, axes)")


def permute(x: Expr, axes: Sequence[int]) -> Expr:
    """The tensor with its axes in another order."""
    if sorted(axes) != list(range(x.order)):
        raise ShapeError(f"transpose: {list(axes)} is not an order of the axes 0..{x.order - 1}")
    if list(axes) == list(range(x.order)):
        return x
    if x.order == 2:
        return transpose(x)
    return Permute(x, tuple(axes), tuple(x.shape[a] for a in axes))


def outer(a: Expr, b: Expr) -> Expr:
    """a bᵀ."""
    return matmul(a, transpose(b))


def inner(a: Expr, b: Expr) -> Expr:
    """aᵀ b, a scalar."""
    return matmul(transpose(a), b)


def diag(v: Expr) -> Expr:
    """The matrix with v on its diagonal; of a matrix, the vector of its diagonal."""
    if v.order == 1:
        n = v.shape[0]
        if is_one(v):
            return eye(n)
        if is_zero(v):
            return zeros((n, n))
        c, rest = coefficient(v)
        if c != 1 and isinstance(v, Mul):
            return mul(num(c), diag(rest))
        if isinstance(v, Entry | Call) and isinstance(v, Call) and v.fn == "diagpart":
            return call("diag", (v,), (n, n))
        return call("diag", (v,), (n, n))
    if v.order == 2:
        if not same(v.shape[0], v.shape[1]):
            raise ShapeError(f"diag of {describe(v)}: the matrix must be square")
        if isinstance(v, Call) and v.fn == "diag":
            return v.args[0]
        if isinstance(v, Eye):
            return ones((v.size,))
        return call("diagpart", (v,), (v.shape[0],))
    raise ShapeError(f"diag takes a vector or a square matrix, not {describe(v)}")


# Ranges, entries, assembly


def reduce(op: str, x: Expr, axis: int | None = None) -> Expr:
    """sum, prod, max, min or argmax over one axis, or over all entries."""
    axes = tuple(range(x.order)) if axis is None else (axis_index(axis, x.order, op),)
    if x.order == 0:
        return x
    shape = drop_axes(x.shape, axes)
    value = number_of(x)
    if op == "sum" and value is not None:
        scale = count(sympy.Integer(1) * sympy.prod([x.shape[a] for a in axes]))
        return mul(num(value), scale, ones(shape))
    if op in ("max", "min") and value is not None:
        return full(value, shape)
    if op == "sum" and isinstance(x, Mul):
        scalars, rest = _scalar_factors(x)
        if scalars:
            return mul(*scalars, reduce(op, rest, axis))
    return Reduce(op, x, axes, shape)


def mean(x: Expr, axis: int | None = None) -> Expr:
    """The mean over one axis or all entries."""
    axes = range(x.order) if axis is None else (axis_index(axis, x.order, "mean"),)
    size: Int = 1
    for a in axes:
        size = size * x.shape[a]
    return mul(power(count(size), MINUS_ONE), reduce("sum", x, axis))


def fold(op: str, body: Expr, binders: Sequence[Binder], conds: Sequence[Rel] = (), descending: bool = False) -> Expr:
    """Σ, ∏, max or min of the body over ranges; ``matprod`` multiplies matrices in the order of the range."""
    if op == "sum" and is_zero(body):
        return body
    if op == "matprod" and not body.order:
        op = "prod"
    if op == "prod" and body.order == 2:
        if not same(body.shape[0], body.shape[1]):
            raise ShapeError(f"prod of matrices: {describe(body)} is not square")
        op = "matprod"
    return Fold(op, body, tuple(binders), tuple(conds), body.shape, descending)


def binder(symbol: sympy.Symbol, lo: Int, hi: Int) -> Binder:
    """A bound index over lo..hi."""
    return Binder(symbol, integer(lo), integer(hi))


def rel(op: str, left: Int, right: Int) -> Rel:
    """A relation of integers."""
    return Rel(op, integer(left), integer(right))


def holds(r: Rel) -> bool | None:
    """Whether a relation holds for all values of its symbols, for none (False), or cannot be told (None)."""
    gap = difference(r.right, r.left)
    if isinstance(gap, int):
        return {"==": gap == 0, "!=": gap != 0, "<": gap > 0, "<=": gap >= 0, ">": gap < 0, ">=": gap <= 0}[r.op]
    match r.op:
        case "==":
            return False if gap.is_nonzero else None
        case "!=":
            return True if gap.is_nonzero else None
        case "<=":
            return at_most(r.left, r.right)
        case ">=":
            return at_most(r.right, r.left)
        case "<":
            return at_most(r.left + 1, r.right)
        case _:
            return at_most(r.right + 1, r.left)


def iverson(*conds: Rel) -> Expr:
    """1 where all relations hold, else 0."""
    left = []
    for c in conds:
        known = holds(c)
        if known is False:
            return ZERO
        if known is None and c not in left:
            left.append(c)
    return Iverson(tuple(left)) if left else ONE


def delta(i: Int, j: Int) -> Expr:
    """Kronecker's δ."""
    return iverson(rel("==", i, j))


def build(body: Expr, binders: Sequence[Binder]) -> Expr:
    """The tensor of the body over the binders' ranges."""
    lengths = tuple(integer(difference(b.hi, b.lo) + 1) for b in binders)
    if not binders:
        return body
    value = number_of(body)
    if value is not None:
        return full(value, lengths + body.shape)
    for n in lengths:
        if at_most(n, 0):
            raise ShapeError(f"the range has no entries (its length is {n})")
    return Build(body, tuple(binders), lengths + body.shape)


def entry(x: Expr, items: Sequence[Item], checked: bool = True) -> Expr:
    """Entries of x, one item an axis from the first; missing items take the whole axis.

    Unchecked, an index may be certain to lie outside: a condition beside it may say that it is never reached.
    """
    if len(items) > x.order:
        raise ShapeError(f"{len(items)} indices for {describe(x)}")
    shape: list[Int] = []
    full_items: list[Item] = []
    whole = True
    for axis, size in enumerate(x.shape):
        item = items[axis] if axis < len(items) else Cut(1, size)
        match item:
            case At(index=i):
                if checked:
                    _check_inside(i, size, axis)
                item = At(integer(i))
                whole = False
            case Cut(lo=lo, hi=hi):
                if checked:
                    _check_inside(lo, size, axis)
                    _check_inside(hi, size, axis)
                item = Cut(integer(lo), integer(hi))
                shape.append(integer(difference(hi, lo) + 1))
                whole = whole and same(lo, 1) and same(hi, size)
            case Pick(index=index):
                if index.order:
                    raise ShapeError(f"an index must be a scalar, not {describe(index)}")
                if isinstance(index, Num) and index.value.denominator == 1:
                    item = At(int(index.value))
                elif isinstance(index, Count):
                    item = At(index.value)
                whole = False
        full_items.append(item)
    if whole:
        return x
    value = number_of(x)
    if value is not None:
        return full(value, tuple(shape))
    if isinstance(x, Eye) and isinstance(full_items[0], At) and isinstance(full_items[1], At):
        return delta(full_items[0].index, full_items[1].index)
    first = full_items[0]
    if (
        isinstance(x, Stack)
        and isinstance(first, At)
        and isinstance(first.index, int)
        and 1 <= first.index <= len(x.args)
    ):
        return entry(x.args[first.index - 1], full_items[1:], checked)
    return Entry(x, tuple(full_items), tuple(shape))


def _check_inside(index: Int, size: Int, axis: int) -> None:
    if at_most(index, 0) or at_most(size + 1, index):
        raise ShapeError(f"index {index} is outside 1..{size} (axis {axis})")


def at(x: Expr, *indices: Int) -> Expr:
    """The scalar entry at indices counted from 1."""
    return entry(x, [At(i) for i in indices])


def stack(*args: Expr) -> Expr:
    """Tensors of one shape along a new first axis."""
    for a in args[1:]:
        if not same_shape(a.shape, args[0].shape):
            raise ShapeError(f"stack: {describe(args[0])} and {describe(a)} differ")
    return Stack(args, (len(args), *args[0].shape))


def concat(args: Sequence[Expr], axis: int = 0) -> Expr:
    """Tensors one after the other along an axis."""
    if any(a.order == 0 for a in args):
        raise ShapeError("concat joins vectors or tensors, not scalars; use stack")
    first = args[0]
    axis = axis_index(axis, first.order, "concat")
    length: Int = 0
    for a in args:
        if a.order != first.order or not same_shape(drop_axes(a.shape, (axis,)), drop_axes(first.shape, (axis,))):
            raise ShapeError(f"concat: {describe(first)} and {describe(a)} differ off axis {axis}")
        length = length + a.shape[axis]
    if len(args) == 1:
        return first
    return Concat(tuple(args), axis, (*first.shape[:axis], integer(length), *first.shape[axis + 1 :]))


def call(fn: str, args: Sequence[Expr], shape: Shape, **params: Any) -> Expr:
    """A whole-tensor function whose shape is known; ``symgrad.tensor.functions`` has the checked constructors."""
    return Call(fn, tuple(args), tuple(sorted(params.items())), shape)


def opaque(name: str, args: Sequence[Expr], over: Sequence[Binder] = ()) -> Expr:
    """A scalar known only through its immediate partials."""
    return Opaque(name, tuple(args), tuple(over))


# Derivatives


def deriv(of: Expr, wrt: Expr, kind: str = "total", held: Iterable[Expr] = ()) -> Expr:
    """∂of/∂wrt, unresolved: an expression whose value is defined by differentiating the model."""
    if of is wrt:
        return identity_tensor(of.shape)
    return Deriv(of, wrt, kind, of.shape + wrt.shape, frozenset(held))


def identity_tensor(shape: Shape) -> Expr:
    """∂x/∂x: 1, I, or the product of δ's."""
    if not shape:
        return ONE
    if len(shape) == 1:
        return eye(shape[0])
    names = [index_symbols(len(shape), "ij"[k]) for k in range(2)]
    binders = [Binder(s, 1, n) for group in names for s, n in zip(group, shape, strict=True)]
    conds = [rel("==", i, j) for i, j in zip(*names, strict=True)]
    return build(iverson(*conds), binders)


def index_symbols(n: int, letter: str) -> tuple[sympy.Symbol, ...]:
    """n index symbols: i for one, i1, i2, … for several."""
    names = [letter] if n == 1 else [f"{letter}{k + 1}" for k in range(n)]
    return tuple(sympy.Symbol(name, integer=True) for name in names)


def chain(args: Sequence[Expr], links: Sequence[int]) -> Expr:
    """∂y/∂u · ∂u/∂v · …: neighbours contracted over the node between them; links are those nodes' orders."""
    if len(args) == 1:
        return args[0]
    if any(is_zero(a) for a in args):
        shape = args[0].shape[: args[0].order - links[0]] + args[-1].shape[links[-1] :]
        return zeros(shape)
    for a, b, link in zip(args, args[1:], links, strict=False):
        left = a.shape[a.order - link :]
        right = b.shape[:link]
        if not same_shape(left, right):
            raise ShapeError(f"chain rule: {show_shape(left)} meets {show_shape(right)}")
    shape = args[0].shape[: args[0].order - links[0]] + args[-1].shape[links[-1] :]
    return Chain(tuple(args), tuple(links), shape)


def limit(arg: Expr, var: Expr, point: Expr, side: str = "") -> Expr:
    """lim arg as var → point, from one side or both."""
    if var.order or point.order:
        raise ShapeError(f"a limit is taken as a scalar goes to a number, not {describe(var)}")
    return arg if number_of(arg) is not None else Limit(arg, var, point, side, arg.shape)


def free_symbols_of_items(items: Iterable[Item]) -> set[sympy.Symbol]:
    """The index symbols in a list of items."""
    out: set[sympy.Symbol] = set()
    for item in items:
        match item:
            case At(index=i):
                out |= symbols_of(i)
            case Cut(lo=lo, hi=hi):
                out |= symbols_of(lo) | symbols_of(hi)
    return out
