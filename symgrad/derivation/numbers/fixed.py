"""Lines between given numbers: nothing in them is random, so one evaluation in NumPy checks them."""

from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct, field
from msgspec.structs import replace as changed

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.certify import Certifier
from symgrad.derivation.steps import Check, Line, Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Expr, Literal, Mul, Pow
from symgrad.tensor.system import Definition, System

CHECK = "NumPy"


class Fixed(Struct):
    """A certifier over a system without inputs."""

    certifier: Certifier
    checks: list[Check] = field(default_factory=list)

    @classmethod
    def of(cls, definitions: Iterable[Definition]) -> "Fixed":
        """A certifier in which these nodes have values."""
        return cls(Certifier([Numbers.of(System(tuple(definitions)), {}, points=1)]))

    def line(self, left: Expr, *right: Expr, reason: Reason = (), rule: str = "", boxed: bool = False) -> Line:
        """The line left = right[0] = …, every side evaluated.

        Raises:
            CertificationError: two sides differ.
        """
        line = self.certifier.line(left, *dict.fromkeys(right), reason=reason, rule=rule, boxed=boxed)
        check = Check(CHECK, line.check.max_rel_error, 0)
        self.checks.append(check)
        return changed(line, check=check)


def quotient(top: Expr | Fraction | int, bottom: Expr | Fraction | int) -> Expr:
    """top / bottom as it stands, not in lowest terms."""
    return Mul((_as_number(top), Pow(_as_number(bottom), b.MINUS_ONE, ())), ())


def fraction(value: Fraction | int) -> Expr:
    """A rational number as a fraction, never with a decimal point."""
    value = Fraction(value)
    return b.num(value) if value.denominator == 1 else quotient(value.numerator, value.denominator)


def cell(value: Fraction | int) -> str | Expr:
    """A rational number in a table: 4/7 on one line."""
    return str(value) if value >= 0 else fraction(value)


def total(*terms: Expr | Fraction | int) -> Expr:
    """a + b + …, not worked out."""
    numbers = tuple(_as_number(t) for t in terms)
    return Add(numbers, ()) if len(numbers) > 1 else numbers[0] if numbers else b.ZERO


def times(*factors: Expr | Fraction | int) -> Expr:
    """a b …, not worked out."""
    numbers = tuple(_as_number(f) for f in factors)
    return numbers[0] if len(numbers) == 1 else Mul(numbers, ())


def square(value: Fraction | int) -> Expr:
    """a², not worked out."""
    return Pow(_as_number(value), b.num(2), ())


def _as_number(value: Expr | Fraction | int) -> Expr:
    return value if isinstance(value, Expr) else b.num(value)


def about(value: Fraction | float) -> Reason:
    """≈ 0.753, beside an exact value; = 0.3125 where four digits are all there are; nothing beside an integer."""
    if Fraction(value).denominator == 1:
        return ()
    digits = Fraction(value) * 10_000
    if digits.denominator == 1:
        return ("= ", Literal((float(value),), ()))
    return ("≈ ", Literal((round(float(value), 3),), ()))


def vector(values: Iterable[Fraction | int]) -> Expr:
    """Given numbers as a vector."""
    numbers = [Fraction(v) for v in values]
    return b.literal(numbers, (len(numbers),))
