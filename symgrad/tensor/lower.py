"""Index notation: one entry of an expression as a scalar expression of entries of named nodes.

(A x)_i = Σ_j A_ij x_j. Sums run over bound indices with names a person would choose; identities and diagonals
become Kronecker's δ, which ``symgrad.tensor.deltas`` contracts.
"""

from symgrad.tensor.dependence import dependence
from symgrad.tensor.integers import integer, symbols_of
from symgrad.tensor.lowering_ranges import lower
from symgrad.tensor.lowering_rules import Indices, Place
from symgrad.tensor.nodes import Expr
from symgrad.tensor.trampoline import solve
from symgrad.tensor.walk import variables


def component(expr: Expr, indices: Indices) -> Expr:
    """The entry of an expression at indices counted from 1, in index notation.

    Without indices, a scalar expression with everything inside it in index notation.
    """
    assert len(indices) == expr.order, (expr.shape, indices)
    named = {v.name for v in variables(expr)}
    free = {s.name for s in dependence(expr).symbols}
    around = {s.name for i in indices for s in symbols_of(i)}
    place = Place(expr, tuple(integer(i) for i in indices), frozenset(named | free | around))
    return solve(place, lambda p: lower(p.node, p.at, p.taken))
