"""The local derivative of one definition by one node that it names."""

from collections.abc import Sequence

from symgrad.calculus.linear import NotReadable, operator
from symgrad.calculus.sensitivity import sensitivities
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Concat, Expr, Var
from symgrad.tensor.substitution import replace_nodes


def adjoint_part(body: Expr, ans: Expr, g: Expr, atom: Var) -> Expr:
    """(∂ans/∂atom)ᵀ g, of atom's shape, everything else that the body names held."""
    parts = [
        b.fold("sum", s.value, s.binders, s.conds) if s.binders or s.conds else s.value
        for s in sensitivities(body, ans, g, lambda v: v is atom)
    ]
    return b.add(*parts) if parts else b.zeros(atom.shape)


def local_jacobian(body: Expr, ans: Expr, atom: Var) -> Expr:
    """∂⁺ans/∂atom in matrix notation, shape ans.shape + atom.shape; by entries where matrices do not serve."""
    try:
        return matrix_jacobian(body, ans, atom)
    except NotReadable:
        return entry_jacobian(body, ans, atom)


def matrix_jacobian(body: Expr, ans: Expr, atom: Var) -> Expr:
    """∂⁺ans/∂atom in matrix notation.

    Raises:
        NotReadable: the orders add to more than 2, or no matrix notation is known.
    """
    if ans.order + atom.order > 2:
        raise NotReadable("order")
    g = b.var("\u2202", (), ans.shape)
    if ans.order == 0:
        return adjoint_part(body, ans, b.ONE, atom)
    if isinstance(body, Concat) and atom.order == 1:
        return b.concat([matrix_jacobian(a, a, atom) for a in body.args])
    return _read(adjoint_part(body, ans, g, atom), g, atom)


def jacobian_of(part: Expr, g: Var, atom: Var) -> Expr:
    """∂⁺ans/∂atom read off the adjoint ``part`` that a symbol g of ans's shape sends to atom."""
    if not g.order:
        return replace_nodes(part, {g: b.ONE})
    try:
        return _read(part, g, atom)
    except NotReadable:
        rows = b.index_symbols(g.order, "i")
        return _by_entries(replace_nodes(part, {g: unit_seed(g, rows)}), rows, g, atom)


def _read(part: Expr, g: Var, atom: Var) -> Expr:
    read = operator(part, g)
    return b.transpose(read) if g.order == atom.order == 1 else read


def entry_jacobian(body: Expr, ans: Expr, atom: Var) -> Expr:
    """∂⁺ans[i]/∂atom[j] as a tensor built entry by entry."""
    rows = b.index_symbols(ans.order, "i")
    return _by_entries(adjoint_part(body, ans, unit_seed(ans, rows), atom), rows, ans, atom)


def _by_entries(part: Expr, rows: Sequence[Int], ans: Expr, atom: Var) -> Expr:
    columns = b.index_symbols(atom.order, "j")
    value = component(part, columns)
    binders = [b.binder(s, 1, n) for s, n in zip((*rows, *columns), ans.shape + atom.shape, strict=True)]
    return b.build(value, binders)


def unit_seed(x: Expr, place: tuple[Int, ...]) -> Expr:
    """The tensor of x's shape with a single 1 at the place."""
    if x.order == 0:
        return b.ONE
    if x.order == 1:
        return b.call("one_hot", (b.count(place[0]),), x.shape)
    names = [s.__class__(f"{s.name}'", integer=True) for s in b.index_symbols(x.order, "i")]
    conds = [b.rel("==", n, p) for n, p in zip(names, place, strict=True)]
    return b.build(b.iverson(*conds), [b.binder(n, 1, s) for n, s in zip(names, x.shape, strict=True)])
