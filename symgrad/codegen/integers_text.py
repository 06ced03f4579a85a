"""Integer expressions as Python source: ``T - 1``, ``(p + k - 1) // s``, ``min(k, T - t)``."""

from collections.abc import Callable
from fractions import Fraction

import sympy

from symgrad.codegen.text import ATOM, POWER, PRODUCT, SIGN, SUM
from symgrad.errors import InternalError
from symgrad.tensor.integers import Int

Resolve = Callable[[sympy.Symbol], tuple[str, int]]


def integer_source(value: Int, resolve: Resolve, arrays: bool = False) -> tuple[str, int]:
    """The source and its precedence; ``resolve`` names the symbols, ``arrays`` says that some stand for arrays."""
    if isinstance(value, int):
        return str(value), ATOM if value >= 0 else SIGN
    return _Printer(resolve, arrays).show(sympy.expand(value))


class _Printer:
    def __init__(self, resolve: Resolve, arrays: bool) -> None:
        self.resolve = resolve
        self.arrays = arrays

    def show(self, x: sympy.Expr) -> tuple[str, int]:
        if x.is_Symbol:
            return self.resolve(x)
        if x.is_Integer:
            return str(int(x)), ATOM if x >= 0 else SIGN
        if x.is_Rational:
            return f"{x.p} / {x.q}", PRODUCT
        if x.is_Add:
            return self.total(x)
        if x.is_Mul:
            return self.product(x)
        if x.is_Pow and x.exp.is_Integer and x.exp > 0:
            return f"{self.at(x.base, ATOM)}**{int(x.exp)}", POWER
        if x.is_Pow and x.exp == -1:
            return f"1 / {self.at(x.base, POWER)}", PRODUCT
        return self.function(x)

    def at(self, x: sympy.Expr, level: int) -> str:
        text, own = self.show(x)
        return text if own >= level else f"({text})"

    def total(self, x: sympy.Add) -> tuple[str, int]:
        terms = sorted(x.args, key=lambda a: (bool(a.is_number), a.could_extract_minus_sign(), str(a)))
        if all(a.could_extract_minus_sign() or a.is_number for a in terms):
            terms.sort(key=lambda a: (not a.is_positive, bool(a.is_number)))
        text = self.at(terms[0], SUM)
        for a in terms[1:]:
            text += f" - {self.at(-a, PRODUCT)}" if a.could_extract_minus_sign() else f" + {self.at(a, PRODUCT)}"
        return text, SUM

    def product(self, x: sympy.Mul) -> tuple[str, int]:
        if x.could_extract_minus_sign():
            return f"-{self.at(-x, PRODUCT if (-x).is_Mul else POWER)}", SIGN
        above, below = x.as_numer_denom()
        if below != 1:
            return f"{self.at(above, PRODUCT)} / {self.at(below, POWER)}", PRODUCT
        # Brackets around // and %, which bind as * does: n * (k // n) is no (n * k) // n.
        return " * ".join(self.at(a, POWER) for a in x.as_ordered_factors()), PRODUCT

    def function(self, x: sympy.Expr) -> tuple[str, int]:
        if isinstance(x, sympy.floor | sympy.ceiling):
            up = isinstance(x, sympy.ceiling)
            above, below = sympy.together(-x.args[0] if up else x.args[0]).as_numer_denom()
            text = f"{self.at(above, PRODUCT)} // {self.at(below, POWER)}"
            return (f"-({text})", SIGN) if up else (text, PRODUCT)
        if isinstance(x, sympy.Mod):
            return f"{self.at(x.args[0], PRODUCT)} % {self.at(x.args[1], POWER)}", PRODUCT
        if isinstance(x, sympy.Min | sympy.Max):
            name = "min" if isinstance(x, sympy.Min) else "max"
            items = [self.show(a)[0] for a in sorted(x.args, key=lambda a: (not a.is_number, str(a)))]
            if not self.arrays:
                return f"{name}({', '.join(items)})", ATOM
            text = items[0]
            for item in items[1:]:
                text = f"np.{name}imum({text}, {item})"
            return text, ATOM
        raise InternalError(f"no Python source for the integer {x}")


def number_source(value: Fraction | float) -> tuple[str, int]:
    """An exact number: ``2``, ``0.25``, ``1 / 3``, ``-1``."""
    sign = SIGN if value < 0 else ATOM
    if isinstance(value, float):
        return repr(value), sign
    if value.denominator == 1:
        return str(value.numerator), sign
    decimal = repr(value.numerator / value.denominator)
    if "e" not in decimal and Fraction(decimal) == value:
        return decimal, sign
    return f"{value.numerator} / {value.denominator}", PRODUCT
