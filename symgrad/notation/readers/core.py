"""The one function from an expression to its tree, open to a rule for each node kind, and what all rules share."""

from collections.abc import Sequence
from functools import singledispatch

import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.errors import InternalError
from symgrad.notation import precedence as level
from symgrad.notation.integers import Piece, bracketed, integer_piece
from symgrad.notation.names import default_name, has_superscript, superscripted
from symgrad.notation.style import Style
from symgrad.notation.tree import Fenced, Prefix, Sym, Tree
from symgrad.tensor.build import add, neg, transpose
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Add, Binder, Expr, MatMul, Rel
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.walk import variables

_DUMMIES = ("i", "j", "k", "l", "m", "p", "q", "r", "s", "u", "v")


class Context(Struct, frozen=True):
    """Where an expression is being read: the style, the letters of the bound indices around it, scripts."""

    style: Style
    indices: tuple[tuple[sympy.Symbol, str], ...] = ()
    inline: bool = False

    def within_script(self) -> "Context":
        """The context of a script, where quotients are written with a slash."""
        return replace(self, inline=True)

    def symbol(self, symbol: sympy.Symbol) -> Tree:
        """A size, step or index."""
        for bound, letter in self.indices:
            if bound == symbol:
                return default_name(letter)
        return self.style.names.name(symbol.name)

    def integer(self, value: Int, inline: bool = True) -> Piece:
        """A size, step or index expression."""
        return integer_piece(value, self.symbol, inline)

    def index(self, value: Int) -> Tree:
        """An index as it stands in a script."""
        return self.integer(value).tree

    def bind(self, binders: Sequence[Binder], inside: Sequence[Expr]) -> "Context":
        """The context within these binders; made-up names, and letters bound outside, give way to free letters."""
        taken = {letter for _, letter in self.indices}
        own = [b.symbol.name for b in binders]
        kept = [(name.isalpha() or self.style.names.taken(name)) and name not in taken for name in own]
        free = iter(self.fresh(kept.count(False), inside, [b.symbol for b in binders]))
        letters = [name if keep else next(free) for name, keep in zip(own, kept, strict=True)]
        symbols = [b.symbol for b in binders]
        return replace(self, indices=(*zip(symbols, letters, strict=True), *self.indices))

    def fresh(self, n: int, inside: Sequence[Expr], besides: Sequence[sympy.Symbol] = ()) -> tuple[str, ...]:
        """n letters for dummy indices which neither the problem nor what stands inside uses."""
        used = set(self.style.names.declared) | {s.name for s in besides} | {letter for _, letter in self.indices}
        used |= {s.name for x in inside for s in free_ints(x)}
        used |= {name for v in variables(*inside, into_derivatives=True) for name in _names_of(v.name, v.subs)}
        free = [d for d in _DUMMIES if d not in used]
        free += [f"i_{k}" for k in range(1, n + 1)]
        return tuple(free[:n])


def _names_of(name: str, subs: Sequence[Int]) -> set[str]:
    return {name} | {s.name for sub in subs if not isinstance(sub, int) for s in sub.free_symbols}


@singledispatch
def rule(expr: Expr, ctx: Context) -> Piece:
    """How one node kind is written."""
    raise InternalError(f"{type(expr).__name__} has no notation")


def piece(expr: Expr, ctx: Context) -> Piece:
    """The tree of an expression, by its alias where it has one, and its level."""
    return alias(expr, ctx) or rule(expr, ctx)


def at_least(expr: Expr, needed: int, ctx: Context) -> Tree:
    """The tree of an expression where its place needs a level, in brackets if its own is looser."""
    return bracketed(piece(expr, ctx), needed)


def bare(expr: Expr, ctx: Context) -> Tree:
    """The tree of an expression where nothing stands beside it."""
    return piece(expr, ctx).tree


def alias(expr: Expr, ctx: Context) -> Piece | None:
    """The name that stands for the expression, for its transpose or for its negative."""
    aliases = ctx.style.aliases
    if not aliases:
        return None
    if expr in aliases:
        return _named(aliases[expr], ctx)
    if 1 <= expr.order <= 2 and (flipped := transpose(expr)) in aliases:
        return raised(_named(aliases[flipped], ctx), Sym("transpose"))
    for opposite in _opposites(expr):
        if opposite in aliases:
            return Piece(Prefix("minus", bracketed(_named(aliases[opposite], ctx), level.HADAMARD)), level.SUM)
    return None


def _opposites(expr: Expr) -> tuple[Expr, ...]:
    """The negative of an expression; of a difference, in either order."""
    opposite = neg(expr)
    if isinstance(opposite, Add) and len(opposite.args) == 2:
        return opposite, add(*reversed(opposite.args))
    return (opposite,)


def _named(target: Expr | Tree, ctx: Context) -> Piece:
    if isinstance(target, Tree):
        return Piece(target, level.SCRIPTED if has_superscript(target) else level.ATOM)
    return rule(target, ctx)


def has_products(ctx: Context) -> bool:
    """Whether some alias stands for a product of matrices."""
    return any(isinstance(x, MatMul) for x in ctx.style.aliases)


def raised(base: Piece, sup: Tree) -> Piece:
    """A base with a superscript, in brackets where it has one or is no atom."""
    tree = base.tree
    if base.level < level.ATOM or has_superscript(tree):
        tree = Fenced(bracketed(base, level.LIST))
    return Piece(superscripted(tree, sup), level.SCRIPTED)


def relation(r: Rel, ctx: Context) -> tuple[Tree, str, Tree]:
    """The two sides of an integer relation and its sign."""
    return ctx.index(r.left), r.op, ctx.index(r.right)
