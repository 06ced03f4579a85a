"""Densities at points, and integrals over random variables."""

from symgrad.consing import node
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes.base import Binder, Expr, Operation, Scalar, Shape


@node
class Density(Scalar):
    """The value of a density, or of an unknown function, at a point: p(x, z), p(z), p(z | x), D(x).

    ``table`` holds the values at the common points, one axis for each argument, and ``at`` the place on each axis;
    an axis without a place is summed out. ``given`` are the axes behind the bar.
    """

    table: Expr
    at: tuple[Int | None, ...]
    given: frozenset[int] = frozenset()

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.table,)


@node
class Law(Operation, Scalar):
    """The value of a named density at a point: normal(z, mean, cov), bernoulli(x, p); args[0] is the point."""

    name: str
    args: tuple[Expr, ...]


@node
class Integral(Operation):
    """An integral over random variables: ∫ f dz, E_q[f], Var_q[f] or KL(q‖p).

    op is integral (args: f), expectation or variance (args: f and the density), or divergence (args: q and p). The
    binders are the variables: their symbols are places among the common points, over which the integral is a sum.
    """

    op: str
    args: tuple[Expr, ...]
    binders: tuple[Binder, ...]
    shape: Shape
