"""Sums whose number of terms grows, in closed form: Σ_{i=0}^T βⁱ = (1 − β^{T+1})/(1 − β)."""

import sympy
from msgspec.structs import replace

from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.steps import Result
from symgrad.derivation.workspace import Workspace
from symgrad.errors import QuestionError
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Build, Expr, Fold
from symgrad.tensor.rebuild import transform
from symgrad.tensor.walk import postorder


def closed(root: Expr, size: sympy.Symbol) -> Expr:
    """The expression with its sums up to a growing number in closed form.

    Raises:
        QuestionError: one of them has none that is known.
    """

    def rule(x: Expr) -> Expr:
        return _sum(x, size) if isinstance(x, Fold) and _grows(x, size) else x

    out = transform(root, rule)
    if any(isinstance(x, Fold | Build) and _grows(x, size) for x in postorder(out)):
        raise _unknown(size)
    return out


def explained(result: Result, work: Workspace, root: Expr, summed: Expr) -> Result:
    """The result, with a line before it for the closed form of the sums."""
    line = work.certifier.line(root, summed, reason=("the sum in closed form",), rule="closed form")
    return replace(result, blocks=(line, *result.blocks), checks=(line.check, *result.checks))


def _grows(x: Fold | Build, size: sympy.Symbol) -> bool:
    return any(size in symbols_of(end) for binder in x.binders for end in (binder.lo, binder.hi))


def _unknown(size: sympy.Symbol) -> QuestionError:
    return QuestionError(f"no closed form is known for a sum or product whose number of terms grows with {size.name}")


def _sum(x: Fold, size: sympy.Symbol) -> Expr:
    if x.op != "sum" or x.order or x.conds or len(x.binders) != 1:
        raise _unknown(size)
    reading = InSympy()
    (binder,) = x.binders
    total = sympy.summation(reading.scalar(x.body), (binder.symbol, binder.lo, binder.hi))
    ratios = [s for s, node in reading.nodes.items() if "probability" in getattr(node, "facts", ())]
    total = sympy.powsimp(sympy.piecewise_fold(total))
    if isinstance(total, sympy.Piecewise):
        total = total.subs({sympy.Eq(s, 1): sympy.false for s in ratios})
    if total.has(sympy.Sum, sympy.Piecewise, sympy.harmonic, sympy.zeta):
        raise _unknown(size)
    return reading.back(sympy.factor(total) if total.is_polynomial() else total)
