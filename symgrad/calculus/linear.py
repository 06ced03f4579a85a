"""Reading a linear map off an expression: M(g) = A g gives A.

A pullback applied to a symbolic adjoint g is linear in g. Its matrix, transposed, is the Jacobian, so one rule for
an operation serves both directions: g ↦ Aᵀ(d ⊙ g) reads as Aᵀ diag(d), and the Jacobian is diag(d) A.
"""

from symgrad.tensor import build as b
from symgrad.tensor.nodes import (
    Add,
    At,
    Call,
    Concat,
    Cut,
    Entry,
    Expr,
    Fold,
    MatMul,
    Mul,
    Reduce,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder


class NotReadable(Exception):
    """The expression is linear, but not as a matrix in this notation; index notation serves instead."""


def depends(root: Expr, on: Expr) -> bool:
    """Whether an expression mentions a node."""
    return any(x is on for x in postorder(root))


def operator(x: Expr, g: Var) -> Expr:
    """The tensor A with x = A g for all g, where the orders of x and g add to at most 2.

    Shape: x.shape + g.shape; a scalar g gives x with g = 1, and a scalar x of a vector g the vector a of aᵀg.

    Raises:
        NotReadable: no matrix notation for this map.
    """
    if x.order + g.order > 2:
        raise NotReadable(f"order {x.order} by order {g.order}")
    if not depends(x, g):
        return b.zeros(x.shape + g.shape)
    if g.order == 0:
        return _by_scalar(x, g)
    if x.order == 0 and g.order == 1:
        return _functional(x, g)
    if x.order == 0 and g.order == 2:
        return _matrix_functional(x, g)
    return _matrix(x, g)


def _by_scalar(x: Expr, g: Var) -> Expr:
    return replace_nodes(x, {g: b.ONE})


def _split(args: tuple[Expr, ...], g: Var) -> tuple[list[Expr], Expr, list[Expr]]:
    hits = [k for k, a in enumerate(args) if depends(a, g)]
    if len(hits) != 1:
        raise NotReadable("the adjoint occurs twice in a product")
    k = hits[0]
    return list(args[:k]), args[k], list(args[k + 1 :])


def _functional(x: Expr, g: Var) -> Expr:
    """The column a with x = aᵀ g, for a scalar x."""
    match x:
        case Add(args=args):
            return b.add(*(_functional(a, g) if depends(a, g) else _refuse() for a in args))
        case Mul(args=args):
            before, core, after = _split(args, g)
            return b.mul(*before, *after, _functional(core, g))
        case MatMul(args=args):
            before, core, after = _split(args, g)
            if core.row:
                rest = b.matmul(*after)
                return b.matmul(b.transpose(_matrix(b.transpose(core), g)), rest)
            if not before:
                raise NotReadable("no row before the adjoint")
            return b.matmul(b.transpose(_matrix(core, g)), b.transpose(b.matmul(*before)))
        case Reduce(op="sum", arg=arg) if arg.order == 1:
            inside = b.transpose(arg) if arg.row else arg
            return b.matmul(b.transpose(_matrix(inside, g)), b.ones(inside.shape))
        case Entry(arg=arg, items=(At(index=i),)) if arg.order == 1:
            return b.entry(_matrix(arg, g), [At(i), Cut(1, g.shape[0])])
    raise NotReadable(type(x).__name__)


def _matrix_functional(x: Expr, g: Var) -> Expr:
    """The matrix A with x = Σ A ⊙ G, for a scalar x and a matrix G."""
    match x:
        case Add(args=args):
            return b.add(*(_matrix_functional(a, g) if depends(a, g) else _refuse() for a in args))
        case Mul(args=args):
            before, core, after = _split(args, g)
            return b.mul(*before, *after, _matrix_functional(core, g))
        case MatMul(args=args):
            before, core, after = _split(args, g)
            if core is g and before and after:
                return b.outer(b.transpose(b.matmul(*before)), b.matmul(*after))
            if isinstance(core, Transpose) and core.arg is g and before and after:
                return b.outer(b.matmul(*after), b.transpose(b.matmul(*before)))
        case Reduce(op="sum", arg=arg) if arg.order == 2 and len(x.axes) == 2:
            return _sum_weights(arg, g)
    raise NotReadable(type(x).__name__)


def _sum_weights(x: Expr, g: Var) -> Expr:
    if x is g:
        return b.ones(g.shape)
    if isinstance(x, Mul):
        before, core, after = _split(x.args, g)
        if core is g:
            weights = b.mul(*before, *after)
            return weights if weights.order == 2 else b.mul(weights, b.ones(g.shape))
    if isinstance(x, MatMul):
        before, core, after = _split(x.args, g)
        if core is g:
            left = b.matmul(b.transpose(b.ones((x.shape[0],))), *before)
            right = b.matmul(*after, b.ones((x.shape[1],)))
            return b.outer(b.transpose(left), right)
    raise NotReadable(type(x).__name__)


def _refuse() -> Expr:
    raise NotReadable("a term does not contain the adjoint")


def _matrix(x: Expr, g: Var) -> Expr:
    """The matrix M with x = M g, for vectors x and g."""
    if x is g:
        return b.eye(g.shape[0])
    if x.order == 0:
        raise NotReadable("scalar")
    match x:
        case Add(args=args):
            return b.add(*(_widen(a, x, g) for a in args))
        case Mul(args=args):
            return _product(args, x, g)
        case MatMul(args=args):
            before, core, after = _split(args, g)
            if not after:
                return b.matmul(*before, _matrix(core, g))
            if core.row:
                return _matrix_of_tail(before, core, after, g)
            scale = b.matmul(*after)
            if scale.order == 0:
                return b.mul(scale, b.matmul(*before, _matrix(core, g)))
            raise NotReadable("the adjoint stands before a row")
        case Transpose(arg=arg) if arg.row:
            return _matrix(arg, g)
        case Entry(arg=arg, items=(Cut() as cut,)) if arg.order == 1:
            return b.entry(_matrix(arg, g), [cut])
        case Concat(args=args, axis=0):
            parts = [_matrix(a, g) if depends(a, g) else b.zeros((a.shape[0], g.shape[0])) for a in args]
            return b.concat(parts, 0)
        case Stack(args=args) if x.order == 1:
            rows = [_functional(a, g) if depends(a, g) else b.zeros(g.shape) for a in args]
            return b.stack(*rows)
        case Fold(op="sum", body=body, binders=binders, conds=conds):
            return b.fold("sum", _matrix(body, g), binders, conds)
        case Call(fn="diagpart", args=(arg,)):
            raise NotReadable("diagonal of a map")
    raise NotReadable(type(x).__name__)


def _widen(term: Expr, whole: Expr, g: Var) -> Expr:
    if not depends(term, g):
        raise NotReadable("a term does not contain the adjoint")
    if term.order:
        return _matrix(term, g)
    return b.outer(b.ones(whole.shape), _functional(term, g))


def _product(args: tuple[Expr, ...], x: Expr, g: Var) -> Expr:
    before, core, after = _split(args, g)
    others = [f for f in (*before, *after) if not b.is_one(f)]
    scalars = [f for f in others if f.order == 0]
    vectors = [f for f in others if f.order == 1]
    if core.order == 0:
        inner = _functional(core, g)
        return b.mul(*scalars, b.outer(b.mul(*vectors) if vectors else b.ones(x.shape), inner))
    inner = _matrix(core, g)
    if not vectors:
        return b.mul(*scalars, inner)
    if isinstance(core, Add) and any(t.order == 0 for t in core.args):
        weights = b.mul(*vectors)
        return b.mul(
            *scalars,
            b.add(
                *(
                    b.matmul(b.diag(weights), _matrix(t, g)) if t.order else b.outer(weights, _functional(t, g))
                    for t in core.args
                )
            ),
        )
    return b.mul(*scalars, b.matmul(b.diag(b.mul(*vectors)), inner))


def _matrix_of_tail(before: list[Expr], core: Expr, after: list[Expr], g: Var) -> Expr:
    """(before) · (core after) with a row core: the pair in brackets is a scalar, linear in g."""
    vectors = [a for a in after if a.order == 1 and not a.row]
    if not before or not vectors:
        raise NotReadable("a row with no column after it")
    k = after.index(vectors[0])
    scalar = b.matmul(core, *after[: k + 1])
    rest = after[k + 1 :]
    if rest or b.matmul(*before).order != 1:
        raise NotReadable("a product of three")
    return b.outer(b.matmul(*before), _functional(scalar, g))
