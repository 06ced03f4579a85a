"""The table of scalar functions, applied entry by entry.

One row is all there is to know about a function: how it is computed, its derivative as it is displayed (in
terms of its value where that is shorter: 1 − h² for tanh), the SymPy expression the derivative is proved
against, where it may be sampled, and how it prints. To add a function, add a row.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from msgspec import Struct

from symgrad.tensor import stable
from symgrad.tensor.build import (
    MINUS_ONE,
    ONE,
    ZERO,
    add,
    apply,
    compare,
    div,
    mul,
    neg,
    num,
    power,
    sub,
    zeros_like,
)
from symgrad.tensor.nodes import Const, Expr, Var
from symgrad.tensor.stable import Array

HALF = num(Fraction(1, 2))
TWO = num(2)
PI = Const("pi")


class ScalarFunction(Struct, frozen=True):
    """One scalar function.

    Attributes:
        name: As problems write it.
        arity: The number of arguments that problems write.
        compute: Arrays to an array, entry by entry, real or complex with a tiny imaginary part.
        code: NumPy source for real arrays, with ``{0}``, ``{1}``, … for the arguments.
        sympy: SymPy expressions to a SymPy expression.
        derivative: (arguments, value) to one derivative for each argument, as it is displayed.
        reason: The textbook line for the derivative.
        latex: The name in LaTeX; ``fence`` holds the two brackets instead where it prints as |x|, ⌊x⌋, √x.
        sample: The interval from which arguments are drawn for checking.
        kinks: Where (for two arguments: at which difference) the derivative is a convention.
        convention: Whether a last argument may follow, the derivative at the kink where it is not 0.
        helpers: Source of the functions that ``code`` needs beside NumPy, in order.
        spelled: The derivative in terms of the argument, in the ways that textbooks write it.
    """

    name: str
    arity: int
    compute: Callable[..., Array]
    code: str
    sympy: Callable[..., sympy.Expr]
    derivative: Callable[[Sequence[Expr], Expr], tuple[Expr, ...]]
    reason: str
    latex: str
    sample: tuple[float, float] = (-2.0, 2.0)
    kinks: tuple[Fraction, ...] = ()
    convention: bool = False
    fence: tuple[str, str] | None = None
    helpers: tuple[str, ...] = ()
    spelled: Callable[[Expr], tuple[Expr, ...]] = lambda x: ()

    @property
    def smooth(self) -> bool:
        """Whether the derivative exists everywhere in the domain."""
        return not self.kinks and self.name not in _STEPS


_STEPS = frozenset({"floor", "ceil", "where"})
_AT_ZERO = (Fraction(0),)


def _relu_derivative(args: Sequence[Expr], ans: Expr) -> tuple[Expr, ...]:
    x = args[0]
    if len(args) == 1:  # relu(x) > 0 where x > 0, and the value has a name more often.
        return (compare(">", ans if isinstance(ans, Var) and not isinstance(x, Var) else x, ZERO),)
    right = compare(">", x, ZERO)
    return add(right, mul(args[1], compare("==", x, ZERO))), ZERO


def _gelu_derivative(args: Sequence[Expr], ans: Expr) -> tuple[Expr, ...]:
    x = args[0]
    cumulative = mul(HALF, add(ONE, apply("erf", div(x, apply("sqrt", TWO)))))
    density = div(apply("exp", neg(mul(HALF, power(x, TWO)))), apply("sqrt", mul(TWO, PI)))
    return (add(cumulative, mul(x, density)),)


def _silu_derivative(args: Sequence[Expr], ans: Expr) -> tuple[Expr, ...]:
    gate = apply("sigmoid", args[0])
    return (add(gate, mul(ans, sub(ONE, gate))),)


def _erf_derivative(args: Sequence[Expr], ans: Expr) -> tuple[Expr, ...]:
    return (mul(TWO, power(apply("sqrt", PI), MINUS_ONE), apply("exp", neg(power(args[0], TWO)))),)


def _sigmoid_slopes(x: Expr) -> tuple[Expr, ...]:
    """σ(x) (1 − σ(x)) = e^{−x} / (1 + e^{−x})²."""
    gate, decay = apply("sigmoid", x), apply("exp", neg(x))
    return mul(gate, sub(ONE, gate)), mul(decay, power(add(ONE, decay), num(-2)))


def _sigmoid(x: Any) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-x))


def _gelu(x: Any) -> sympy.Expr:
    return x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2


def _where(condition: Any, a: Any, b: Any) -> sympy.Expr:
    return sympy.Piecewise((a, sympy.Ne(condition, 0)), (b, True))


def _relu(x: Any, at_zero: Any = 0) -> sympy.Expr:
    return sympy.Max(x, 0)


def _zero(args: Sequence[Expr], ans: Expr) -> tuple[Expr, ...]:
    return (zeros_like(ans),)


_ROWS = (
    ScalarFunction(
        "tanh", 1, stable.tanh, "np.tanh({0})", sympy.tanh,
        lambda args, ans: (sub(ONE, power(ans, TWO)),),
        "tanh′ = 1 − tanh²", r"\tanh", spelled=lambda x: (sub(ONE, power(apply("tanh", x), TWO)),),
    ),
    ScalarFunction(
        "sigmoid", 1, stable.sigmoid, "_sigmoid({0})", _sigmoid,
        lambda args, ans: (mul(ans, sub(ONE, ans)),),
        "σ′ = σ (1 − σ)", r"\sigma", sample=(-3.0, 3.0), helpers=(stable.SIGMOID,), spelled=_sigmoid_slopes,
    ),
    ScalarFunction(
        "relu", 1, stable.relu, "np.maximum({0}, 0.0)", _relu, _relu_derivative,
        "relu′(x) = 1 for x > 0, else 0", r"\operatorname{ReLU}", kinks=_AT_ZERO, convention=True,
    ),
    ScalarFunction(
        "exp", 1, stable.exp, "np.exp({0})", sympy.exp,
        lambda args, ans: (ans,),
        "exp′ = exp", r"\exp",
    ),
    ScalarFunction(
        "log", 1, stable.log, "np.log({0})", sympy.log,
        lambda args, ans: (power(args[0], MINUS_ONE),),
        "log′(x) = 1/x", r"\log", sample=(0.2, 3.0),
    ),
    ScalarFunction(
        "sqrt", 1, stable.sqrt, "np.sqrt({0})", sympy.sqrt,
        lambda args, ans: (mul(HALF, power(ans, MINUS_ONE)),),
        "(√x)′ = 1/(2√x)", r"\sqrt", sample=(0.2, 3.0), fence=(r"\sqrt{", "}"),
    ),
    ScalarFunction(
        "abs", 1, stable.absolute, "np.abs({0})", sympy.Abs,
        lambda args, ans: (apply("sign", args[0]),),
        "|x|′ = sign x for x ≠ 0", r"\operatorname{abs}", kinks=_AT_ZERO, fence=(r"\left|", r"\right|"),
    ),
    ScalarFunction(
        "sign", 1, stable.sign, "np.sign({0})", sympy.sign, _zero,
        "sign is constant on either side of 0", r"\operatorname{sign}", kinks=_AT_ZERO,
    ),
    ScalarFunction(
        "sin", 1, stable.sin, "np.sin({0})", sympy.sin,
        lambda args, ans: (apply("cos", args[0]),),
        "sin′ = cos", r"\sin",
    ),
    ScalarFunction(
        "cos", 1, stable.cos, "np.cos({0})", sympy.cos,
        lambda args, ans: (neg(apply("sin", args[0])),),
        "cos′ = −sin", r"\cos",
    ),
    ScalarFunction(
        "softplus", 1, stable.softplus, "np.logaddexp(0.0, {0})", lambda x: sympy.log(1 + sympy.exp(x)),
        lambda args, ans: (apply("sigmoid", args[0]),),
        "softplus′ = σ", r"\operatorname{softplus}", sample=(-3.0, 3.0),
    ),
    ScalarFunction(
        "gelu", 1, stable.gelu, "_gelu({0})", _gelu, _gelu_derivative,
        "gelu(x) = x Φ(x), so gelu′(x) = Φ(x) + x φ(x)", r"\operatorname{GELU}",
        helpers=(stable.ERF, stable.GELU),
    ),
    ScalarFunction(
        "silu", 1, stable.silu, "_silu({0})", lambda x: x * _sigmoid(x), _silu_derivative,
        "silu(x) = x σ(x), so silu′ = σ + silu (1 − σ)", r"\operatorname{SiLU}",
        helpers=(stable.SIGMOID, stable.SILU),
    ),
    ScalarFunction(
        "erf", 1, stable.erf, "_erf({0})", sympy.erf, _erf_derivative,
        "erf′(x) = 2/√π · exp(−x²)", r"\operatorname{erf}", helpers=(stable.ERF,),
    ),
    ScalarFunction(
        "floor", 1, stable.floor, "np.floor({0})", sympy.floor, _zero,
        "⌊x⌋ is constant between integers", r"\operatorname{floor}",
        fence=(r"\left\lfloor ", r"\right\rfloor"),
    ),
    ScalarFunction(
        "ceil", 1, stable.ceil, "np.ceil({0})", sympy.ceiling, _zero,
        "⌈x⌉ is constant between integers", r"\operatorname{ceil}",
        fence=(r"\left\lceil ", r"\right\rceil"),
    ),
    ScalarFunction(
        "max", 2, stable.maximum, "np.maximum({0}, {1})", sympy.Max,
        lambda args, ans: (compare(">=", args[0], args[1]), compare(">", args[1], args[0])),
        "the larger argument passes the derivative on, the first one where they tie", r"\max",
        kinks=_AT_ZERO,
    ),
    ScalarFunction(
        "min", 2, stable.minimum, "np.minimum({0}, {1})", sympy.Min,
        lambda args, ans: (compare("<=", args[0], args[1]), compare("<", args[1], args[0])),
        "the smaller argument passes the derivative on, the first one where they tie", r"\min",
        kinks=_AT_ZERO,
    ),
    ScalarFunction(
        "where", 3, stable.where, "np.where({0}, {1}, {2})", _where,
        lambda args, ans: (zeros_like(ans), args[0], sub(ONE, args[0])),
        "the chosen branch passes the derivative on", r"\operatorname{where}",
    ),
)  # fmt: skip

SCALARS: dict[str, ScalarFunction] = {row.name: row for row in _ROWS}
