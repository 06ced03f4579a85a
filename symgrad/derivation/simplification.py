"""Named simplifications of special values: e⁰ = 1, softmax of equal scores, a cross-entropy with a one-hot target."""

from collections.abc import Callable
from fractions import Fraction

import sympy
from msgspec import Struct

from symgrad.calculus.entries import take_entries
from symgrad.derivation.signs import sign
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.functions.construct import norm
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Call,
    Compare,
    Const,
    Count,
    Deriv,
    Expr,
    Full,
    Integral,
    Literal,
    MatMul,
    Mul,
    Num,
    Pick,
    Pow,
    Reduce,
    Transpose,
    Var,
)
from symgrad.tensor.probability import normalised
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.shapes import same_shape
from symgrad.tensor.sympy_reading import exact
from symgrad.tensor.walk import postorder

Rule = Callable[[Expr], Expr]
_OF_NUMBERS = ("trace", "det", "diagpart")


class Rewrite(Struct, frozen=True):
    """An identity by its name in words, as a rule for one node; ``needs`` says what it rests on where it applies."""

    words: str
    rule: Rule
    needs: Callable[[Expr], Reason] = lambda root: ()


def simplified(root: Expr) -> list[tuple[Expr, Reason]]:
    """The expression after each rewrite that changes it, with its name; empty where none does."""
    out: list[tuple[Expr, Reason]] = []
    current = root
    for _ in range(len(REWRITES)):
        before = current
        for r in REWRITES:
            changed = transform(current, r.rule, into=lambda x: not isinstance(x, Deriv))
            if changed is not current:
                out.append((changed, (r.words, *r.needs(current)) if r.words else ()))
                current = changed
        taken = take_entries(current)
        if taken is not current:
            out.append((taken, ("a unit vector picks an entry",)))
            current = taken
        if current is before:
            break
    return out


def with_filled_added(root: Expr) -> Expr:
    """Numbers added to arrays of one number, before anybody reads them: 1 − 𝟎 is 𝟏."""
    return transform(root, lambda x: _function_of_equals(x) if isinstance(x, Add) else x)


def filled(x: Expr) -> tuple[Expr, bool]:
    """The scalar that fills every entry of a tensor, and whether there is one."""
    value = b.number_of(x)
    if value is not None:
        return b.num(value), True
    if isinstance(x, Mul) and x.order:
        tensors = [f for f in x.args if f.order]
        if len(tensors) == 1 and isinstance(tensors[0], Full):
            return b.mul(b.num(tensors[0].value), *(f for f in x.args if not f.order)), True
    return b.ZERO, False


def _function_of_a_number(x: Expr) -> Expr:
    """e⁰ = 1, σ(0) = 1/2, cos π = −1: functions of numbers where the value is rational."""
    if not isinstance(x, Apply) or not all(_is_number(a) for a in x.args):
        return x
    value = SCALARS[x.fn].sympy(*(_number(a) for a in x.args))
    if not value.is_Rational:
        return x
    return b.full(Fraction(int(value.p), int(value.q)), x.shape)


def _is_number(x: Expr) -> bool:
    leaves = (n for n in postorder(x) if not n.children)
    return not x.row and all(isinstance(n, Num | Full) or n is Const("pi") for n in leaves)


def _number(x: Expr) -> sympy.Expr:
    value = b.number_of(x)
    if value is not None:
        return exact(value)
    match x:
        case Const(name="pi"):
            return sympy.pi
        case Mul(args=args):
            return sympy.Mul(*(_number(a) for a in args))
    return sympy.Symbol("unknown")


def _softmax_of_equals(x: Expr) -> Expr:
    if isinstance(x, Call) and x.fn == "softmax" and x.order == 1 and filled(x.args[0])[1]:
        return b.mul(b.power(b.count(x.shape[0]), b.MINUS_ONE), b.ones(x.shape))
    return x


def _log_sum_of_equals(x: Expr) -> Expr:
    if isinstance(x, Call) and x.fn == "logsumexp" and x.args[0].order == 1:
        value, equal = filled(x.args[0])
        if equal:
            return b.add(value, b.apply("log", b.count(x.args[0].shape[0])))
    return x


def _uniform_cross_entropy(x: Expr) -> Expr:
    """−Σ y_i log c = −log c, since the entries of y sum to 1."""
    if isinstance(x, Call) and x.fn == "cross_entropy":
        value, equal = filled(x.args[1])
        if equal and _sums_to_one(x.args[0]):
            return minus_log(value)
    return x


def minus_log(value: Expr) -> Expr:
    """−log c, as log 1/c where c is a reciprocal."""
    if isinstance(value, Pow) and b.number_of(value.exponent) == -1:
        return b.apply("log", value.base)
    number = b.number_of(value)
    if number is not None and 0 < number < 1:
        return b.apply("log", b.num(1 / number))
    return b.neg(b.apply("log", value))


def _sums_to_one(y: Expr) -> bool:
    if isinstance(y, Var):
        return bool(y.facts & {"one-hot", "probability"}) and y.order == 1
    return isinstance(y, Call) and (y.fn in ("one_hot", "softmax")) and y.order == 1


def _one_hot_cross_entropy(x: Expr) -> Expr:
    """−Σ y_i log p_i = −log p_c where y is the unit vector of c."""
    if isinstance(x, Call) and x.fn == "cross_entropy":
        y, p = x.args
        if isinstance(y, Literal) and y.order == 1 and sorted(y.values) == [*[0] * (len(y.values) - 1), 1]:
            return b.neg(b.apply("log", b.at(p, y.values.index(1) + 1)))
        if isinstance(y, Call) and y.fn == "one_hot" and y.order == 1:
            return b.neg(b.apply("log", b.entry(p, [Pick(y.args[0])])))
    return x


def _sum_of_probabilities(x: Expr) -> Expr:
    if isinstance(x, Reduce) and x.op == "sum" and x.arg.order == 1 and _sums_to_one(x.arg):
        return b.ONE
    if isinstance(x, MatMul) and not x.order and len(x.args) == 2:
        sides = [a.arg if isinstance(a, Transpose) else a for a in x.args]
        for y, other in (sides, sides[::-1]):
            value, equal = filled(other)
            if equal and _sums_to_one(y):
                return value
    return x


def _zero_power(x: Expr) -> Expr:
    """0^γ = 0 for γ > 0."""
    if isinstance(x, Pow) and b.is_zero(x.base) and isinstance(x.exponent, Var) and "positive" in x.exponent.facts:
        return b.zeros(x.shape)
    return x


def _log_of_exp(x: Expr) -> Expr:
    if isinstance(x, Apply) and x.fn in ("exp", "log"):
        inner = x.args[0]
        if isinstance(inner, Apply) and {x.fn, inner.fn} == {"exp", "log"} and same_shape(inner.shape, x.shape):
            return inner.args[0]
    return x


def _remade(x: Expr) -> Expr:
    """A function of tensors by its constructor, which knows the trace of zeros and the diagonal of a diagonal."""
    return FUNCTIONS[x.fn].construct(x.args[0]) if isinstance(x, Call) and x.fn in _OF_NUMBERS else x


def _function_of_equals(x: Expr) -> Expr:
    """f(c 1) = f(c) 1, and c 1 + a = (c + a) 1."""
    if not x.order or x.row:
        return x
    if isinstance(x, Apply) and len(x.args) == 1:
        value, equal = filled(x.args[0])
        return b.mul(b.apply(x.fn, value), b.ones(x.shape)) if equal and b.number_of(value) is None else x
    if isinstance(x, Add):
        numbers = [t for t in x.args if b.number_of(t) is not None]
        if len(numbers) == 1 and b.is_zero(numbers[0]) and all(not t.order for t in x.args if t is not numbers[0]):
            return b.mul(b.add(*(t for t in x.args if t is not numbers[0])), b.ones(x.shape))
        if len(numbers) > 1:
            total = sum((b.number_of(t) or Fraction(0) for t in numbers), Fraction(0))
            rest = [t for t in x.args if b.number_of(t) is None]
            return b.add(*rest, b.full(total, x.shape)) if total else b.add(*rest, b.zeros(x.shape))
    return x


def _sum_of_equals(x: Expr) -> Expr:
    """The sum of n equal entries."""
    if isinstance(x, Reduce) and x.op in ("sum", "mean") and not x.order and x.arg.order:
        value, equal = filled(x.arg)
        if equal and x.op == "mean":
            return value
        return b.mul(value, *(b.count(n) for n in x.arg.shape)) if equal else x
    return x


def _log_of_reciprocal(x: Expr) -> Expr:
    if isinstance(x, Apply) and x.fn == "log" and isinstance(x.args[0], Pow):
        inner = x.args[0]
        if b.number_of(inner.exponent) == -1 and isinstance(inner.base, Count):
            return b.neg(b.apply("log", inner.base))
    return x


def _product_with_largest(x: Expr) -> Expr:
    """zᵀ e_k = z_k, which is max z for the place k of the largest entry."""
    match x:
        case MatMul(args=(Transpose(arg=v), Call(fn="one_hot", args=(place,)))) if not x.order:
            pass
        case Reduce(op="sum", arg=Mul(args=(v, Call(fn="one_hot", args=(place,))))) if v.order == 1:
            pass
        case _:
            return x
    largest = isinstance(place, Reduce) and place.op == "argmax" and place.arg is v
    return b.reduce("max", v) if largest else b.entry(v, [Pick(place)])


def _settled_cases(x: Expr) -> Expr:
    """Cases that are one case; those of relu and of the absolute value by their names."""
    if not (isinstance(x, Apply) and x.fn == "where"):
        return x
    cond, first, other = x.args
    if first is other:
        return first
    truth = _truth(cond)
    if truth is not None:
        return first if truth else other
    if not isinstance(cond, Compare) or x.order:
        return x
    u = b.sub(cond.left, cond.right)
    if cond.op in ("<", "<="):
        u = b.neg(u)
    elif cond.op not in (">", ">="):
        return x
    if first is u and b.is_zero(other):
        return b.apply("relu", u)
    return b.apply("abs", u) if first is u and other is b.neg(u) else x


def _root_of_square(x: Expr) -> Expr:
    """√u² = |u|, and u/|u| = sign u."""
    match x:
        case Apply(fn="sqrt", args=(Pow(base=u, exponent=e),)) if b.number_of(e) == 2 and not u.order:
            return u if sign(u) > 0 else b.apply("abs", u)
        case Apply(fn="abs", args=(u,)) if sign(u):
            return u if sign(u) > 0 else b.neg(u)
        case Mul(args=args) if not x.order:
            for a in args:
                if isinstance(a, Pow) and b.number_of(a.exponent) == -1 and isinstance(a.base, Apply):
                    u = a.base.args[0]
                    if a.base.fn == "abs" and u in args:
                        return b.mul(b.apply("sign", u), *(t for t in args if t is not a and t is not u))
    return x


def _norm_of_multiple(x: Expr) -> Expr:
    """‖c u‖ = |c| ‖u‖ for a c whose sign is known, and ‖0‖ = 0."""
    if not isinstance(x, Call) or x.fn != "norm":
        return x
    (inside,) = x.args
    if b.is_zero(inside):
        return b.ZERO
    factors = [a for a in inside.args if not a.order and sign(a)] if isinstance(inside, Mul) else []
    if not factors or not isinstance(inside, Mul):
        return x
    rest = b.mul(*(a for a in inside.args if a not in factors))
    return b.mul(*(a if sign(a) > 0 else b.neg(a) for a in factors), norm(rest)) if rest.order else x


def _mean_of_constant(x: Expr) -> Expr:
    """E[c] = c, and Var[c] = 0."""
    if not isinstance(x, Integral) or x.op not in ("expectation", "variance") or x.order:
        return x
    bound = {y.symbol for y in x.binders}
    if free_ints(x.args[0]) & bound or not normalised(x.args[1], bound):
        return x
    return x.args[0] if x.op == "expectation" else b.ZERO


def _divergence_of_equals(x: Expr) -> Expr:
    return b.ZERO if isinstance(x, Integral) and x.op == "divergence" and x.args[0] is x.args[1] else x


def _square_over_norm(x: Expr) -> Expr:
    """uᵀu/‖u‖² = 1, and uᵀu ‖u‖ᵏ = ‖u‖ᵏ⁺²."""
    if not isinstance(x, Mul):
        return x
    for k, a in enumerate(x.args):
        match a:
            case MatMul(args=(Transpose(arg=u), v)) if u is v and not a.order:
                length, others = norm(u), [*x.args[:k], *x.args[k + 1 :]]
            case _:
                continue
        powers = [t for t in others if isinstance(t, Pow) and t.base is length and b.number_of(t.exponent) is not None]
        if powers:
            rest = [t for t in others if t is not powers[0]]
            return b.mul(*rest, b.power(length, b.add(powers[0].exponent, b.num(2))))
    return x


def _even_power_of_minus(x: Expr) -> Expr:
    """(−u)² = u²."""
    power = b.number_of(x.exponent) if isinstance(x, Pow) else None
    if not isinstance(x, Pow) or power is None or power.denominator != 1 or power.numerator % 2:
        return x
    number, rest = b.coefficient(x.base)
    return b.power(rest, x.exponent) if number == -1 else x


def _product_with_its_sign(x: Expr) -> Expr:
    """u · 1[u > 0] = relu(u)."""
    if not isinstance(x, Mul) or x.order:
        return x
    for a in x.args:
        if isinstance(a, Compare) and a.op in (">", ">=", "<", "<="):
            u = b.sub(a.left, a.right) if a.op.startswith(">") else b.sub(a.right, a.left)
            rest = b.mul(*(t for t in x.args if t is not a))
            if rest is u:
                return b.apply("relu", u)
    return x


def _compared_numbers(x: Expr) -> Expr:
    """0 > 0 is 0: a comparison that is settled whatever the values are."""
    if isinstance(x, Compare) and not x.order:
        left, right = b.number_of(x.left), b.number_of(x.right)
        if left is not None and right is not None:
            return b.ONE if HOLDS[x.op](left, right) else b.ZERO
        truth = _truth(x)
        return x if truth is None else (b.ONE if truth else b.ZERO)
    return x


def _truth(cond: Expr) -> bool | None:
    """Whether a comparison holds whatever the values are; None where it depends on them."""
    value = b.number_of(cond)
    if value is not None:
        return bool(value)
    if not isinstance(cond, Compare):
        return None
    known = sign(b.sub(cond.left, cond.right))
    return bool(HOLDS[cond.op](known, 0)) if known else None


def _positive_exponents(root: Expr) -> Reason:
    found = [x.exponent for x in postorder(root) if isinstance(x, Pow) and _zero_power(x) is not x]
    return tuple(w for e in dict.fromkeys(found) for w in (", as ", b.compare(">", e, b.ZERO)))


REWRITES: tuple[Rewrite, ...] = (
    Rewrite("", _function_of_a_number),
    Rewrite("", _remade),
    Rewrite("", _function_of_equals),
    Rewrite("all terms of the sum are equal", _sum_of_equals),
    Rewrite("", _log_of_reciprocal),
    Rewrite("", _product_with_largest),
    Rewrite("", _settled_cases),
    Rewrite("", _compared_numbers),
    Rewrite("", _root_of_square),
    Rewrite("", _norm_of_multiple),
    Rewrite("", _even_power_of_minus),
    Rewrite("", _square_over_norm),
    Rewrite("", _product_with_its_sign),
    Rewrite("0 to a positive power is 0", _zero_power, _positive_exponents),
    Rewrite("equal scores give equal probabilities", _softmax_of_equals),
    Rewrite("all terms of the sum are equal", _log_sum_of_equals),
    Rewrite("only the term of the true class is left", _one_hot_cross_entropy),
    Rewrite("the entries of the target sum to 1", _uniform_cross_entropy),
    Rewrite("the entries sum to 1", _sum_of_probabilities),
    Rewrite("the mean of a constant is the constant", _mean_of_constant),
    Rewrite("a density does not diverge from itself", _divergence_of_equals),
    Rewrite("exp and log undo each other", _log_of_exp),
)
