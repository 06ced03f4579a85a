"""One equation solved for an unknown in terms of the other symbols: which padding keeps the size, p = (k − 1)/2."""

import numpy as np
import sympy

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.certify import Certifier
from symgrad.derivation.exact import plain
from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.scalar_algebra import solutions
from symgrad.derivation.solutions.conditions import Condition, with_fractions
from symgrad.derivation.steps import Block, Check, Code, Prose, Result
from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import variables

POINTS = 48


def solved(c: Condition, x: Var, reading: InSympy) -> Result | None:
    """The unknown by an equation, over whatever else stands in it; None where no closed form holds everywhere."""
    symbol = reading.symbol(x)
    gap = c.relation.lhs - c.relation.rhs
    if c.op != "==" or gap.has(sympy.floor, sympy.ceiling, sympy.Piecewise, sympy.Abs, sympy.sign):
        return None
    try:
        roots = solutions(gap, symbol)
        places = [reading.back(r) for r in roots]
    except (NotImplementedError, NoCounterpart, QuestionError):
        return None
    if not roots or any(r.has(symbol) or r.is_real is False for r in roots):
        return None
    statement = b.compare("==", x, places[0])
    for place in places[1:]:
        statement = b.apply("max", statement, b.compare("==", x, place))
    blocks: list[Block] = []
    checks: list[Check] = []
    for place in dict.fromkeys(places):
        certifier = Certifier([_numbers(c, x, place)])
        try:
            condition = certifier.line(with_fractions(c.left), with_fractions(c.right), rule="condition")
        except (CertificationError, QuestionError):
            return None
        blocks += [condition] if not blocks else []
        blocks.append(certifier.line(x, with_fractions(place), reason=("solved for ", x), rule="solution", boxed=True))
        checks += certifier.checks
    slope = sympy.factor(sympy.diff(gap, symbol))
    if gap.is_polynomial(symbol) and slope.free_symbols - {symbol} and not slope.is_nonzero and not slope.has(symbol):
        blocks.append(Prose(("This is for ", b.compare("!=", reading.back(slope), b.ZERO), ".")))
    kind = "a positive integer" if symbol.is_positive else "an integer"
    if symbol.is_integer and any(r.is_integer is not True for r in roots):
        blocks.append(Prose((x, f" is {kind}, so it exists only where this is one.")))
    whole = [v for v in variables(*places) if "integer" in v.facts]
    sizes: dict[Expr, Expr] = {v: b.count(reading.symbol(v)) for v in whole}
    code = Code(System(()), replace_nodes(places[0], sizes), tuple(reading.symbol(v) for v in whole))
    numbers = all(r.is_number for r in roots)
    text = " or ".join(f"{x.name} == {r}" for r in roots)
    return Result(
        x.name,
        None,
        None,
        statement,
        (),
        tuple(blocks),
        tuple(checks),
        exact=[plain(r) for r in roots] if numbers else None,
        extra={"text": text} if numbers else {"value": text, "text": text},
        code=code if len(places) == 1 else None,
    )


def _numbers(c: Condition, x: Var, place: Expr) -> Numbers:
    """Random values of the other symbols, and the unknown where it is said to be."""
    random = np.random.default_rng(0)
    others = [v for v in variables(c.left, c.right, place) if v is not x]
    given = {(v.name, v.subs): _drawn(v, random) for v in others}
    return Numbers.of(System((Definition(x.name, x.subs, place),)), {}, POINTS, 0, given)


def _drawn(v: Var, random: np.random.Generator) -> Array:
    if "integer" in v.facts:
        return random.integers(2, 14, POINTS).astype(float)
    drawn = random.normal(size=POINTS) * 1.5
    if "probability" in v.facts:
        return 1 / (1 + np.exp(-drawn))
    return np.abs(drawn) + 0.1 if "positive" in v.facts else drawn
