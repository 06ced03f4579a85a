"""What the bound of one step says of many: when the Jacobian vanishes for certain, and whether it can explode."""

import numpy as np

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.optima.matrix_norms import MatrixNorm
from symgrad.derivation.steps import Block, Prose, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.problem.model import Declaration
from symgrad.tensor import build as b
from symgrad.tensor.integers import same
from symgrad.tensor.nodes import Add, Expr, Var
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import variables

POINTS = 60
_FREE = frozenset({"parameter", "constant"})


def meaning(norm: MatrixNorm, bound: Expr, steps: Expr | None) -> list[Block]:
    """When the bound makes the Jacobian vanish for certain."""
    terms = bound.children if isinstance(bound, Add) else (bound,)
    constant = sum((c for t in terms if (c := b.number_of(t)) is not None), start=0)
    if constant >= 1:
        return [
            Prose(
                (
                    "The bound of a step, ",
                    bound,
                    ", is never below 1: it does not make the Jacobian vanish, whatever the parameters.",
                )
            )
        ]
    if any(bound is norm.of(m) for m in variables(bound)):
        below, above = (b.compare(op, bound, b.ONE) for op in ("<", ">"))
        count: Reason = (b.power(bound, steps),) if steps is not None else ("a power of ", bound)
        falls: Reason = ("If ", below, ", the bound falls like ", *count, ": the gradient vanishes for certain.")
        grows: Reason = ("If ", above, ", the bound grows, and says nothing against an explosion.")
        return [Prose(falls), Prose(grows)]
    below = b.compare("<", bound, b.ONE)
    return [Prose(("Where ", below, " at every step, the gradient vanishes for certain."))]


def explosion(work: Workspace, norm: MatrixNorm, of: Var, before: Var) -> list[Block]:
    """A point at which the norm of one step is above 1."""
    target = norm.of(b.deriv(of, before))
    scaled = _at_rest(work, target)
    if scaled is not None:
        return scaled
    largest = 0.0
    for seed in range(POINTS):
        sizes = work.certifier.instances[0].sizes
        numbers = Numbers.of(scaled_up(work), sizes, 8, seed)
        largest = max(largest, float(np.max(numbers.value(target))))
    if largest <= 1:
        return [Prose((f"At {8 * POINTS} random points the norm of a step stayed at most {largest:.3f}.",))]
    words = f"Exploding is possible: among {8 * POINTS} random points the norm of one step reaches {largest:.3g}."
    return [Prose((words,))]


def _at_rest(work: Workspace, target: Expr) -> list[Block] | None:
    """The norm with every square matrix twice the identity and everything else zero, where it is above 1."""
    system = work.problem.system.extended(_rest(d) for d in work.problem.leaves)
    squares = [_member(d) for d in work.problem.leaves if _is_square(d)]
    found = [Numbers.of(system, n.sizes, 1).value(target) for n in work.certifier.instances]
    if not squares or not all(float(np.min(v)) > 1 for v in found):
        return None
    value = float(found[0].flat[0])
    words: list[str | Expr] = ["Exploding is possible: with "]
    for k, m in enumerate(squares):
        words += [", " if k else "", b.compare("==", m, b.mul(b.num(2), b.eye(m.shape[0])))]
    words += [f" and everything else zero, the norm of every step is {value:g}, and it doubles with every step."]
    return [Prose(tuple(w for w in words if w != ""))]


def _is_square(d: Declaration) -> bool:
    return len(d.shape) == 2 and same(d.shape[0], d.shape[1])


def _member(d: Declaration) -> Var:
    return Var(d.name, d.pattern, d.shape, d.facts)


def _rest(d: Declaration) -> Definition:
    body = b.mul(b.num(2), b.eye(d.shape[0])) if _is_square(d) else b.zeros(d.shape)
    return Definition(d.name, d.pattern, body, d.ranges)


def scaled_up(work: Workspace) -> System:
    """The model with inputs and parameters three times as large as they are drawn."""
    return work.system.extended(
        Definition(
            d.name,
            d.pattern,
            b.mul(b.num(3), Var(f"{d.name} drawn", d.pattern, d.shape)),
            d.ranges,
        )
        for d in work.problem.leaves
        if not d.facts - _FREE
    )
