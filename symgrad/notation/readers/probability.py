"""Densities p(z | x), N(z; μ, Σ), integrals ∫ f dz, expectations E_{z∼q}[f], divergences KL(q ‖ p)."""

from symgrad.notation import precedence as level
from symgrad.notation.integers import Piece
from symgrad.notation.names import sequence
from symgrad.notation.readers.core import Context, bare, piece, rule
from symgrad.notation.tree import BigOp, Fenced, Func, Ident, Infix, OpName, Row, Script, Space, Sym, Tree
from symgrad.tensor.nodes import Density, Expr, Integral, Law, Var


@rule.register
def _(expr: Density, ctx: Context) -> Piece:
    free = [ctx.index(i) for k, i in enumerate(expr.at) if i is not None and k not in expr.given]
    given = [ctx.index(i) for k, i in enumerate(expr.at) if i is not None and k in expr.given]
    assert isinstance(expr.table, Var)
    inside = sequence(free)
    if given:
        inside = Infix((inside, sequence(given)), ("mid",))
    return Piece(Func(ctx.style.names.name(expr.table.name), (inside,)), level.ATOM)


@rule.register
def _(expr: Law, ctx: Context) -> Piece:
    args = tuple(bare(a, ctx) for a in expr.args)
    name: Tree = Ident("N", "script") if expr.name == "normal" else OpName("Bernoulli")
    inside = Infix((args[0], sequence(args[1:])), ("semicolon",))
    return Piece(Func(name, (inside,)), level.ATOM)


@rule.register
def _(expr: Integral, ctx: Context) -> Piece:
    if expr.op == "divergence":
        q, p = (bare(a, ctx) for a in expr.args)
        return Piece(Func(OpName("KL"), (Infix((q, p), ("parallel",)),)), level.ATOM)
    body = bare(expr.args[0], ctx)
    variables = [ctx.symbol(x.symbol) for x in expr.binders]
    if expr.op == "integral":
        ends = tuple(Row((Ident("d", "roman"), v)) for v in variables)
        parts: list[Tree] = [_summand(expr.args[0], ctx)]
        for end in ends:
            parts += [Space(), end]
        return Piece(BigOp("integral", None, None, Row(tuple(parts))), level.OPEN)
    name: Tree = Sym("expectation") if expr.op == "expectation" else OpName("Var")
    below = Infix((sequence(variables), _law(expr, ctx)), ("sim",))
    return Piece(Row((Script(name, below), Fenced(body, "[", "]"))), level.FACTOR)


def _law(expr: Integral, ctx: Context) -> Tree:
    """What the variables are distributed by; a density of just these variables by its name."""
    density = expr.args[1]
    if isinstance(density, Density) and density.at == tuple(x.symbol for x in expr.binders) and not density.given:
        assert isinstance(density.table, Var)
        return ctx.style.names.name(density.table.name)
    return bare(density, ctx.within_script())


def _summand(x: Expr, ctx: Context) -> Tree:
    read = piece(x, ctx)
    return Fenced(read.tree) if read.level <= level.SUM else read.tree
