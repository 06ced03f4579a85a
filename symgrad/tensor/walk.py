"""Walking expression graphs: iterative, each shared node once."""

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from symgrad.tensor.nodes import Deriv, Expr, Var


def postorder(*roots: Expr, into: Callable[[Expr], bool] | None = None) -> list[Expr]:
    """Every node below the roots once, operands first; ``into`` says whose operands are visited."""
    seen: set[Expr] = set()
    out: list[Expr] = []
    for root in roots:
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, done = stack.pop()
            if done:
                out.append(node)
                continue
            if node in seen:
                continue
            seen.add(node)
            stack.append((node, True))
            if into is None or into(node):
                stack.extend((c, False) for c in reversed(node.children) if c not in seen)
    return out


def variables(*roots: Expr, into_derivatives: bool = False) -> tuple[Var, ...]:
    """The named nodes that expressions mention, in the order of first mention."""
    if len(roots) != 1:
        keep = None if into_derivatives else (lambda x: not isinstance(x, Deriv))
        return tuple(x for x in postorder(*roots, into=keep) if isinstance(x, Var))
    (root,) = roots
    known = _everything_named if into_derivatives else _named
    if root not in known:
        keep = None if into_derivatives else (lambda x: not isinstance(x, Deriv))
        known[root] = tuple(x for x in postorder(root, into=keep) if isinstance(x, Var) and x is not root)
    return (*known[root], root) if isinstance(root, Var) else known[root]


_named: "WeakKeyDictionary[Expr, tuple[Var, ...]]" = WeakKeyDictionary()
_everything_named: "WeakKeyDictionary[Expr, tuple[Var, ...]]" = WeakKeyDictionary()


def find(root: Expr, kind: type[Expr]) -> Iterator[Expr]:
    """The nodes of a kind below the root."""
    return (x for x in postorder(root) if isinstance(x, kind))
