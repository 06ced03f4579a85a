"""NumPy source of matrix products: ``@`` in the order that costs least, diagonal matrices as scalings."""

from collections.abc import Sequence

from msgspec import Struct

from symgrad.codegen.contract import Factor, contract
from symgrad.codegen.emit import emit, tensor
from symgrad.codegen.state import Scope, State
from symgrad.codegen.text import ATOM, PRODUCT, Code
from symgrad.tensor.nodes import Call, Expr, MatMul, Transpose


class Operand(Struct, frozen=True):
    """A factor of a matrix product; kind is matrix, column, row, scalar, or diagonal (then the code is the vector).

    ``swapped`` says that the code is a batch of matrices whose last two axes are to be exchanged.
    """

    kind: str
    code: Code
    swapped: bool = False


@emit.register
def _(node: MatMul, state: State, scope: Scope) -> Code:
    made = chain(node.args, state, scope)
    code = made.code
    if made.kind == "diagonal" and code.batch:
        marks = ", ".join([":"] * code.axes)
        text = f"{code.at(ATOM)}[{marks}, None] * np.eye({state.integer(node.shape[0])})"
        return Code(text, PRODUCT, code.batch, 2)
    if made.kind == "diagonal":
        return Code(f"np.diag({code.text})", ATOM, (), 2)
    return Code(code.text, code.level, code.batch, node.order, matmul=code.matmul)


def chain(args: Sequence[Expr], state: State, scope: Scope) -> Operand:
    """The product of a chain, split so that vectors are multiplied first."""
    if len(args) == 1:
        return operand(args[0], state, scope)
    cut = split(args)
    left = chain(args[:cut], state, scope)
    right = chain(args[cut:], state, scope)
    return pair(left, right, scope)


def split(args: Sequence[Expr]) -> int:
    """Where to cut a chain: between a column and a row, before the last matrix of a column, else before the last."""
    for k in range(1, len(args)):
        if _column(args[k - 1]) and _row(args[k]):
            return k
    if _column(args[-1]) and not _row(args[0]):
        return 1
    return len(args) - 1


def _column(x: Expr) -> bool:
    return x.order == 1 and not x.row


def _row(x: Expr) -> bool:
    return x.order == 1 and x.row


def operand(x: Expr, state: State, scope: Scope) -> Operand:
    """One factor."""
    if isinstance(x, Call) and x.fn == "diag":
        return Operand("diagonal", tensor(x.args[0], state, scope))
    if isinstance(x, Transpose) and x.order == 1:
        return Operand("row", tensor(x.arg, state, scope))
    if isinstance(x, Transpose):
        code = tensor(x.arg, state, scope)
        return Operand("matrix", code, True) if code.batch else Operand("matrix", tensor(x, state, scope))
    kind = "matrix" if x.order == 2 else ("row" if x.row else "column")
    return Operand(kind, tensor(x, state, scope))


_LABELS = {"matrix": 2, "column": 1, "row": 1, "diagonal": 1, "scalar": 0}
_RESULT = {
    ("matrix", "matrix"): "matrix",
    ("matrix", "column"): "column",
    ("row", "matrix"): "row",
    ("row", "column"): "scalar",
    ("column", "row"): "matrix",
    ("diagonal", "diagonal"): "diagonal",
    ("diagonal", "matrix"): "matrix",
    ("matrix", "diagonal"): "matrix",
    ("diagonal", "column"): "column",
    ("row", "diagonal"): "row",
    ("column", "matrix"): "matrix",
    ("matrix", "row"): "matrix",
    ("column", "column"): "column",
    ("row", "row"): "row",
    ("scalar", "scalar"): "scalar",
    **{key: kind for kind in ("matrix", "column", "row", "diagonal") for key in (("scalar", kind), (kind, "scalar"))},
}


def _kind(a: str, b: str) -> str:
    """The kind of a product; a scalar, such as xᵀ y inside of x xᵀ y, scales."""
    if "scalar" in (a, b):
        return b if a == "scalar" else a
    return _RESULT[a, b]


def pair(a: Operand, b: Operand, scope: Scope) -> Operand:
    """The product of two factors."""
    kind = _kind(a.kind, b.kind)
    plain = not a.code.batch and not b.code.batch
    inner = (a.kind, b.kind) in (("matrix", "matrix"), ("matrix", "column"), ("row", "matrix"), ("row", "column"))
    if plain and inner:
        text = f"{a.code.operand} @ {b.code.at(PRODUCT + 1)}"
        return Operand(kind, Code(text, PRODUCT, order=_LABELS[kind], matmul=True))
    left, right, out = labels(a, b)
    batch = tuple(s for s in scope.symbols if s in a.code.batch or s in b.code.batch)
    code = contract([Factor(a.code, (*a.code.batch, *left)), Factor(b.code, (*b.code.batch, *right))], (*batch, *out))
    return Operand(kind, Code(code.text, code.level, batch, _LABELS[kind], matmul=code.matmul))


class Label:
    """An axis inside of a product."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def labels(a: Operand, b: Operand) -> tuple[tuple[object, ...], tuple[object, ...], tuple[object, ...]]:
    """The labels of two factors' own axes and of their product's; what both have and the product lacks is summed."""
    left, right, out = _labels(a, b)
    return left[::-1] if a.swapped else left, right[::-1] if b.swapped else right, out


def _labels(a: Operand, b: Operand) -> tuple[tuple[object, ...], tuple[object, ...], tuple[object, ...]]:
    i, j, k = Label("i"), Label("j"), Label("k")
    match a.kind, b.kind:
        case "scalar", kind:
            own = (i, j)[: _LABELS[kind]]
            return (), own, own
        case kind, "scalar":
            own = (i, j)[: _LABELS[kind]]
            return own, (), own
        case "matrix", "matrix":
            return (i, k), (k, j), (i, j)
        case "matrix", "column":
            return (i, k), (k,), (i,)
        case "row", "matrix":
            return (k,), (k, j), (j,)
        case "row", "column":
            return (k,), (k,), ()
        case "column", "row":
            return (i,), (j,), (i, j)
        case "diagonal", "matrix":
            return (i,), (i, j), (i, j)
        case "matrix", "diagonal":
            return (i, j), (j,), (i, j)
        case "column", "matrix":
            return (i,), (k, j), (i, j)
        case "matrix", "row":
            return (i, k), (j,), (i, j)
        case "column", "column":
            return (i,), (k,), (i,)
        case "row", "row":
            return (k,), (j,), (j,)
        case "scalar", _:
            axes = (i, j)[: _LABELS[b.kind]]
            return (), axes, axes
        case _, "scalar":
            axes = (i, j)[: _LABELS[a.kind]]
            return axes, (), axes
    return (i,), (i,), (i,)
