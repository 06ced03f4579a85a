"""Questions of kind shape: the dimension of a quantity or a derivative, with the shape of everything it is made of."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from symgrad.derivation.differentiation.derivative import as_node
from symgrad.derivation.reading_order import inputs, own_step, statements
from symgrad.derivation.steps import Block, Cell, Check, Code, Prose, Reason, Result, Table
from symgrad.derivation.structure.layer_sizes import why_sizes
from symgrad.derivation.structure.size_words import factor_in_words, shape_in_words
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import evaluate_int, symbols_of
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Build,
    Call,
    Compare,
    Concat,
    Deriv,
    Entry,
    Expr,
    Fold,
    MatMul,
    Mul,
    Opaque,
    Pow,
    Reduce,
    Shape,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.shapes import same_shape
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables

MOST_ROWS = 30
MOST_ENTRIES = 10_000
"""Of a larger derivative only the axes are compared."""
Row: TypeAlias = tuple[Cell, ...]
HEADER = ("quantity", "shape", "why")


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The shape of ``of``, or of its derivative by each ``wrt``: of.shape + wrt.shape.

    ``extra["sizes"]`` is the shape as sizes and symbols; ``exact`` the list of numbers where all are.

    Raises:
        QuestionError: a derivative by something that is no named node or entry of one.
    """
    wrt = question.wrt
    if not wrt:
        return (_of(problem, question),)
    return tuple(_derivative(problem, question, w) for w in wrt)


def _of(problem: Problem, question: Question) -> Result:
    of = question.of.expr
    rows = _rows(problem.system, of)
    blocks: list[Block] = [Table(HEADER, tuple(rows))] if rows else []
    blocks.append(Prose((of, " ", *_is(of.shape, of.row), ".")))
    work = workspace(problem, question, problem.system, [of])
    return _result(question, None, of, of.shape, blocks, _checked(work, [of], of.shape))


def _derivative(problem: Problem, question: Question, w: Asked) -> Result:
    of = question.of.expr
    if not isinstance(w.expr, Var | Entry):
        raise QuestionError("a derivative is taken by a named node or an entry of one", w.place)
    system, node = as_node(problem.system, of, problem)
    derivative = Deriv(node, w.expr, "total", of.shape + w.expr.shape)
    shown = Deriv(of, w.expr, "total", of.shape + w.expr.shape)
    rows: list[Row] = [
        (of, shape_in_words(of.shape, of.row), ""),
        (w.expr, shape_in_words(w.expr.shape), ""),
        (shown, shape_in_words(shown.shape), _why_derivative(of, w.expr)),
    ]
    blocks: list[Block] = [
        Table(HEADER, tuple(rows)),
        Prose((shown, " ", *_is(shown.shape), *_axes(of, w.expr), ".")),
    ]
    work = workspace(problem, question, system, [node, w.expr])
    large = math.prod(s for s in shown.shape if isinstance(s, int)) > MOST_ENTRIES
    arrays = [node, w.expr] if large else [derivative]
    return _result(question, w, shown, shown.shape, blocks, _checked(work, arrays, shown.shape))


def _result(
    question: Question, w: Asked | None, left: Expr, shape: Shape, blocks: Sequence[Block], check: Check
) -> Result:
    numeric = all(isinstance(s, int) for s in shape)
    symbols = sorted({s for size in shape for s in symbols_of(size)}, key=str)
    sizes = b.stack(*(b.count(s) for s in shape)) if shape else b.zeros((0,))
    return Result(
        question.of.text,
        None if w is None else w.text,
        left,
        None,
        shape,
        tuple(blocks),
        (check,),
        exact=list(shape) if numeric else None,
        extra={"sizes": shape},
        code=Code(System(()), sizes, tuple(symbols)),
    )


def _checked(work: Workspace, exprs: Sequence[Expr], shape: Shape) -> Check:
    """The shape compared with that of the array, or of arrays whose axes follow one another, at several sizes."""
    for n in work.certifier.instances:
        found = tuple(size for x in exprs for size in n.value(x).shape[1:])
        expected = tuple(evaluate_int(s, n.sizes) for s in shape)
        if np.broadcast_shapes(found, expected) != expected or len(found) != len(expected):
            raise CertificationError(f"the array has shape {found}, not {expected}; this is a fault of symgrad")
    count = len({tuple(n.sizes.values()) for n in work.certifier.instances})
    where = f" at {count} choices of the sizes" if count > 1 else ""
    return Check(f"agrees with the shape of the array{where}", 0.0, 1, count)


# Words


def _is(shape: Shape, row: bool = False) -> Reason:
    return ("is " if len(shape) < 2 else "has shape ", *shape_in_words(shape, row))


def _why_derivative(of: Expr, wrt: Expr) -> str:
    if not wrt.order and not of.order:
        return "a number by a number"
    if not of.order:
        return "the gradient of a scalar has the shape of its variable"
    if not wrt.order:
        return "every entry by the same number"
    if of.order == wrt.order == 1:
        return "the Jacobian: a row for each entry above, a column for each entry below"
    return "every entry above by every entry below"


def _axes(of: Expr, wrt: Expr) -> Reason:
    if not of.order or not wrt.order or of.order + wrt.order <= 2:
        return ()
    first = "the first axis is that of " if of.order == 1 else f"the first {of.order} axes are those of "
    last = ", the last that of " if wrt.order == 1 else f", the last {wrt.order} those of "
    return ("; ", first, of, last, wrt)


# Rows


def _rows(system: System, of: Expr) -> list[Row]:
    """Every quantity on the way with its shape, inputs first; products and other changes of shape by themselves.

    A recurrence is followed through one step: of its other steps the states are enough.
    """
    nodes, states = own_step(system, [of])
    near = {v.name for v in nodes}
    found = [s for s in statements(system, [of]) if variables(s.body) and s.node.name in near]
    rows: list[Row] = [(v, shape_in_words(v.shape, v.row), "given") for v in inputs(system, found, [of])]
    rows += [(v, shape_in_words(v.shape, v.row), "a state of the recurrence") for v in states]
    pairs: list[tuple[Expr, Expr]] = [(s.node, s.body) for s in found]
    if not isinstance(of, Var):
        pairs.append((of, of))
    for name, body in pairs:
        inside = postorder(body, into=lambda x: not isinstance(x, Fold | Build))
        steps = [(x, x) for x in inside if x is not body and _is_step(x)]
        rows += [(x, shape_in_words(x.shape, x.row), why(y)) for x, y in (*steps, (name, body))]
    return list(dict.fromkeys(rows))[-MOST_ROWS:]


def _is_step(x: Expr) -> bool:
    """Whether an operation inside a definition changes the shape, other than by repeating a number."""
    if isinstance(x, Transpose | Var | Apply | Compare | Pow):
        return False
    return any(not same_shape(c.shape, x.shape) for c in x.children if c.order or not isinstance(x, Add | Mul))


def why(x: Expr) -> str | Reason:
    """Why an operation has the shape it has, from the shapes of its operands."""
    match x:
        case MatMul(args=args):
            return _product(args)
        case Add(args=args):
            return "a sum of equal shapes" if _all_equal(x, args) else "a sum, the smaller repeated along the larger"
        case Mul(args=args):
            kept = [a for a in args if a.order]
            if not _all_equal(x, kept):
                return "entry by entry, the smaller repeated along the larger"
            return "entry by entry" if len(kept) > 1 else "a multiple keeps the shape"
        case Apply() | Compare() | Pow():
            return "entry by entry"
        case Reduce(op=op, arg=arg, axes=axes):
            if len(axes) == arg.order:
                return f"{op} over all entries"
            return f"{op} over axis {', '.join(map(str, axes))} removes it"
        case Fold(op=op):
            return "a sum of equal shapes" if op == "sum" else f"{op} of equal shapes"
        case Transpose():
            return "transposed"
        case Concat(axis=axis):
            return f"joined along axis {axis}: the sizes there add"
        case Stack(args=args):
            return f"{len(args)} of one shape along a new first axis"
        case Entry():
            return "the entries that are picked"
        case Build(binders=binders):
            return (
                "an entry for each ",
                *(w for k, i in enumerate(binders) for w in (", " * bool(k), b.count(i.symbol))),
            )
        case Call(fn=fn):
            return why_sizes(x) if fn in AXES else _CALLS.get(fn, fn)
        case Opaque():
            return "a loss is a number"
        case Deriv(of=of, wrt=wrt):
            return _why_derivative(of, wrt)
        case Var():
            return "a copy"
    return "by its entries" if x.order else ""


_CALLS = {
    "softmax": "softmax keeps the shape",
    "logsumexp": "log-sum-exp takes all entries together",
    "cross_entropy": "a loss is a number",
    "norm": "a norm is a number",
    "trace": "a trace is a number",
    "det": "a determinant is a number",
    "inv": "an inverse keeps the shape",
    "diag": "a square matrix with the vector on its diagonal",
    "diagpart": "the diagonal of a matrix",
    "kron": "sizes multiply along each axis",
    "vec": "all entries in one column",
    "reshape": "the same entries in another shape",
    "one_hot": "one entry for each class",
}


def _product(args: Sequence[Expr]) -> str | Reason:
    times = tuple(w for k, a in enumerate(args) for w in (*((" times ",) if k else ()), *factor_in_words(a)))
    if len(args) > 2:
        return times
    left, right = args
    if left.order == right.order == 1:
        return "an inner product is a number" if left.row else "an outer product: a row for each entry of the left"
    return (*times, ": the inner size ", b.count(left.shape[-1]), " disappears")


def _all_equal(x: Expr, args: Sequence[Expr]) -> bool:
    return all(same_shape(a.shape, x.shape) for a in args)
