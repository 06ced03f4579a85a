"""Statements: conditions on numbers, 52 ≤ x < 55, x ∈ {1, 2}, x = 1 or x > 3, without the 1[·] round them."""

from collections.abc import Sequence

from symgrad.notation import precedence as level
from symgrad.notation.readers.core import Context, at_least, bare
from symgrad.notation.style import PLAIN_STYLE, Style
from symgrad.notation.tree import Fenced, Infix, Row, Text, Tree
from symgrad.tensor.nodes import Apply, Compare, Expr, Mul, Num

_RISING = frozenset({"<", "<="})


def read_statement(expr: Expr, style: Style = PLAIN_STYLE) -> Tree:
    """A condition as it is said: a product of conditions means all of them, their maximum one of them."""
    return _statement(expr, Context(style))


def _statement(expr: Expr, ctx: Context) -> Tree:
    if isinstance(expr, Num):
        return Text("always" if expr.value else "no solution")
    choices = _choices(expr)
    values = _values(choices)
    if values is not None:
        items = tuple(bare(v, ctx) for v in values[1])
        listed = Infix(items, ("comma",) * (len(items) - 1))
        return Infix((bare(values[0], ctx), Fenced(listed, "{", "}")), ("in",))
    if len(choices) > 1:
        parts: list[Tree] = []
        for k, choice in enumerate(choices):
            parts += [Text(" or ")] if k else []
            parts.append(_statement(choice, ctx))
        return Row(tuple(parts))
    facts = expr.args if isinstance(expr, Mul) else (expr,)
    if not all(isinstance(f, Compare) for f in facts):
        return bare(expr, ctx)
    chains = [_chain(list(g), ctx) for g in _chains([f for f in facts if isinstance(f, Compare)])]
    return chains[0] if len(chains) == 1 else Infix(tuple(chains), ("comma",) * (len(chains) - 1))


def _choices(expr: Expr) -> list[Expr]:
    """The statements of which one holds."""
    if isinstance(expr, Apply) and expr.fn == "max":
        return [c for a in expr.args for c in _choices(a)]
    return [expr]


def _values(choices: Sequence[Expr]) -> tuple[Expr, list[Expr]] | None:
    """The unknown and its values, where all choices are equations for it."""
    found = [c for c in choices if isinstance(c, Compare) and c.op == "==" and c.left is getattr(choices[0], "left", 0)]
    if len(found) < len(choices) or len(found) < 2:
        return None
    return found[0].left, [c.right for c in found]


def _chains(facts: list[Compare]) -> list[list[Compare]]:
    """a ≤ b and b < c belong together."""
    out: list[list[Compare]] = []
    for f in facts:
        last = out[-1][-1] if out else None
        if last is not None and last.right is f.left and {last.op, f.op} <= _RISING:
            out[-1].append(f)
        else:
            out.append([f])
    return out


def _chain(facts: list[Compare], ctx: Context) -> Tree:
    sides = (facts[0].left, *(f.right for f in facts))
    return Infix(tuple(at_least(s, level.SUM, ctx) for s in sides), tuple(f.op for f in facts))
