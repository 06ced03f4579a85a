"""Products of matrices by juxtaposition, transposes, axes in another order."""

from collections.abc import Sequence

from symgrad.notation import precedence as level
from symgrad.notation.integers import Piece
from symgrad.notation.layout import is_flipped
from symgrad.notation.readers.core import Context, alias, bare, has_products, piece, raised, rule
from symgrad.notation.readers.derivatives import derivative_symbol
from symgrad.notation.readers.spacing import juxtaposed
from symgrad.notation.tree import Func, Infix, Number, OpName, Prefix, Sym
from symgrad.tensor.build import matmul
from symgrad.tensor.nodes import Call, Expr, MatMul, Permute, Transpose

TRANSPOSE = Sym("transpose")


@rule.register
def _(expr: MatMul, ctx: Context) -> Piece:
    factors = _runs(expr.args, ctx) if has_products(ctx) else [(a, piece(a, ctx)) for a in expr.args]
    outer = frozenset(
        k for k, (factor, _) in enumerate(factors) if k and factor.row and not factors[k - 1][0].row
    )  # fmt: skip
    return juxtaposed([p for _, p in factors], level.PRODUCT, outer)


def _runs(args: Sequence[Expr], ctx: Context) -> list[tuple[Expr, Piece]]:
    """The factors, the longest runs that have an alias replaced by it."""
    out: list[tuple[Expr, Piece]] = []
    start = 0
    while start < len(args):
        for end in range(len(args), start, -1):
            run = matmul(*args[start:end])
            found = alias(run, ctx) if end - start > 1 and end - start < len(args) else None
            if found is not None or end == start + 1:
                out.append((run, found or piece(args[start], ctx)))
                start = end
                break
    return out


@rule.register
def _(expr: Transpose, ctx: Context) -> Piece:
    arg = expr.arg
    if is_flipped(arg, ctx.style.layout) and alias(arg, ctx) is None:
        return derivative_symbol(arg, ctx)
    if isinstance(arg, Call) and arg.fn == "inv":
        return raised(piece(arg.args[0], ctx), Prefix("minus", TRANSPOSE))
    return raised(piece(arg, ctx), TRANSPOSE)


@rule.register
def _(expr: Permute, ctx: Context) -> Piece:
    order = Infix(tuple(Number(str(a + 1)) for a in expr.axes), ("comma",) * (len(expr.axes) - 1))
    return Piece(Func(OpName("permute"), (bare(expr.arg, ctx), order)), level.ATOM)
