"""Products of tensors by their indices as products of matrices: A_ik B_kj summed over k is A B."""

from collections.abc import Iterable, Sequence

import sympy
from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.nodes import Call, Expr, MatMul, Mul

Axes = tuple[sympy.Symbol, ...]


class Laid(Struct, frozen=True):
    """A scalar at all values of its indices: a tensor, and the index along each of its axes."""

    tensor: Expr
    axes: Axes


def aligned(x: Laid, axes: Axes) -> Laid:
    """The same with its axes in another order."""
    return x if x.axes == axes else Laid(b.transpose(x.tensor), axes)


def product(factors: Sequence[Laid]) -> Laid | None:
    """The factors multiplied at every value of their indices; None where no matrix holds that."""
    scalars = [x.tensor for x in factors if not x.axes]
    groups = _grouped([x for x in factors if x.axes])
    if not groups:
        return Laid(b.mul(*scalars), ())
    made = groups[0]
    for x in groups[1:]:
        joined = _joined(made, x)
        if joined is None:
            return None
        made = joined
    return Laid(b.mul(*scalars, made.tensor), made.axes)


def contracted(factors: Sequence[Laid], over: Axes) -> Laid | None:
    """Σ over indices of a product; None where it is no product of matrices."""
    present = {s for x in factors for s in x.axes}
    if not set(over) <= present:
        return None
    groups = _grouped([x for x in factors if x.axes])
    scalars = [x.tensor for x in factors if not x.axes]
    if len(groups) == 1:
        return _total(Laid(b.mul(*scalars, groups[0].tensor), groups[0].axes), over)
    left = list(over)
    while left:
        index = min(reversed(left), key=lambda s: sum(s in x.axes for x in groups if len(x.axes) == 2))
        left.remove(index)
        summed = _without(groups, index)
        if summed is None:
            return None
        scalars += [x.tensor for x in summed if not x.axes]
        groups = _grouped([x for x in summed if x.axes])
    return product([*(Laid(s, ()) for s in scalars), *groups])


def _total(x: Laid, over: Axes) -> Laid | None:
    """The sum over some of the axes of one tensor."""
    kept = tuple(s for s in x.axes if s not in over)
    if isinstance(x.tensor, Call) and x.tensor.fn == "diagpart":
        return Laid(b.call("trace", x.tensor.args, ()), ())
    if not kept:
        return Laid(b.reduce("sum", x.tensor), ())
    return Laid(b.reduce("sum", x.tensor, x.axes.index(over[0])), kept)


def _grouped(factors: Iterable[Laid]) -> list[Laid]:
    """Factors with the same indices multiplied entry by entry, in the order of their first."""
    groups: dict[frozenset[sympy.Symbol], list[Laid]] = {}
    for x in factors:
        groups.setdefault(frozenset(x.axes), []).append(x)
    return [_entry_by_entry(same) for same in groups.values()]


def _entry_by_entry(same: Sequence[Laid]) -> Laid:
    axes = same[0].axes
    return Laid(b.mul(*(aligned(x, axes).tensor for x in same)), axes)


def _joined(x: Laid, y: Laid) -> Laid | None:
    """x y at every value of their indices: u_i v_j is u vᵀ, u_i A_ij is diag(u) A."""
    axes = (*x.axes, *(s for s in y.axes if s not in x.axes))
    if len(axes) > 2:
        return None
    if len(x.axes) == len(y.axes) == 1:
        return Laid(b.outer(x.tensor, y.tensor), axes)
    if len(x.axes) == 1:
        return Laid(b.matmul(b.diag(x.tensor), aligned(y, axes).tensor), axes)
    scale = b.diag(y.tensor)
    return Laid(b.matmul(scale, x.tensor) if y.axes == axes[:1] else b.matmul(x.tensor, scale), axes)


def _without(groups: Sequence[Laid], index: sympy.Symbol) -> list[Laid] | None:
    """The factors after the sum over one index: A_ik v_k is A v, A_ik B_kj is A B, u_k v_k is uᵀ v."""
    vectors = [x for x in groups if x.axes == (index,)]
    matrices = [x for x in groups if index in x.axes and len(x.axes) == 2]
    others = [x for x in groups if index not in x.axes]
    if len(matrices) > 2:
        return None
    if not matrices:
        return [*others, *(Laid(_inner(x.tensor), ()) for x in vectors)]
    first = aligned(matrices[0], (_other(matrices[0], index), index))
    if len(matrices) == 1:
        summed = b.matmul(first.tensor, vectors[0].tensor) if vectors else b.reduce("sum", first.tensor, 1)
        return [*others, Laid(summed, first.axes[:1])]
    last = aligned(matrices[1], (index, _other(matrices[1], index)))
    between = [b.diag(x.tensor) for x in vectors]
    return [*others, Laid(b.matmul(first.tensor, *between, last.tensor), (first.axes[0], last.axes[1]))]


def _other(x: Laid, index: sympy.Symbol) -> sympy.Symbol:
    return next(s for s in x.axes if s != index)


def _inner(x: Expr) -> Expr:
    """Σ of the entries of a product of vectors, as an inner product with what is a matrix times a vector last."""
    scalars, vector = b.scalar_factors(x)
    factors = vector.args if isinstance(vector, Mul) else (vector,)
    if len(factors) == 1:
        return b.mul(*scalars, b.reduce("sum", vector))
    ordered = sorted(factors, key=lambda f: isinstance(f, MatMul))
    return b.mul(*scalars, b.inner(b.mul(*ordered[:-1]), ordered[-1]))
