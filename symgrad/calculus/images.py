"""Names for linear images of the variable, A x and x B, written out where that brings a common factor to light."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from symgrad.calculus.rewrite import factor
from symgrad.tensor.nodes import Add, Deriv, Expr, MatMul, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import variables


class WrittenOut(Struct, frozen=True):
    """An expression with some names replaced by what they stand for, and those names."""

    value: Expr
    names: tuple[Var, ...]


def linear_images(variable: Var, bodies: Mapping[Var, Expr], dependent: Iterable[Var]) -> dict[Expr, Expr]:
    """The names that are products of the variable with factors that do not depend on it, over the variable itself.

    Args:
        variable: x.
        bodies: the definitions.
        dependent: the names that may depend on x, each after those that it reads.
    """
    dependent = tuple(dict.fromkeys(dependent))
    moving = {*dependent, variable}
    images: dict[Expr, Expr] = {}
    for v in dependent:
        body = bodies.get(v)
        if not isinstance(body, MatMul) or body.order != v.order:
            continue
        ends = [k for k, f in enumerate(body.args) if f is variable or f in images]
        others = [f for k, f in enumerate(body.args) if k not in ends]
        if len(ends) == 1 and ends[0] in (0, len(body.args) - 1) and not moving.intersection(variables(*others)):
            images[v] = replace_nodes(body, images)
    return images


def through_variable(root: Expr, images: Mapping[Expr, Expr]) -> WrittenOut:
    """Sums in which the images share the variable: yᵀ A + zᵀ B = xᵀ (Y A + Z B) for y = Yᵀ x and z = Zᵀ x."""
    used: dict[Var, None] = {}

    def rule(x: Expr) -> Expr:
        if not isinstance(x, Add):
            return x
        named = [v for v in variables(x) if v in images]
        if not named:
            return x
        shared = factor(replace_nodes(x, images))
        if isinstance(shared, Add):
            return x
        used.update(dict.fromkeys(named))
        return shared

    value = transform(root, rule, into=lambda x: not isinstance(x, Deriv))
    return WrittenOut(value, tuple(used))
