"""Which size, step and index symbols the value of a node depends on; computed once for each node."""

from weakref import WeakKeyDictionary

import sympy
from msgspec import Struct

from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Deriv, Expr
from symgrad.tensor.reindex import own_ints
from symgrad.tensor.walk import postorder

Symbols = frozenset[sympy.Symbol]


class Dependence(Struct, frozen=True):
    """The free symbols of a node, and those of them that a shape somewhere below it depends on."""

    symbols: Symbols
    sizes: Symbols


_known: "WeakKeyDictionary[Expr, Dependence]" = WeakKeyDictionary()


def dependence(root: Expr) -> Dependence:
    """The symbols on which a node depends, bound ones excepted."""
    found = _known.get(root)
    if found is None:
        for node in postorder(root, into=lambda x: x not in _known):
            if node not in _known:
                _known[node] = _dependence(node)
        found = _known[root]
    return found


def _dependence(node: Expr) -> Dependence:
    below = [_known[c] for c in node.children]
    symbols = (own_ints(node) | _held(node)).union(*(d.symbols for d in below))
    sizes: Symbols = frozenset().union(*(d.sizes for d in below))
    for binder in reversed(node.binders):
        symbols = (symbols - {binder.symbol}) | symbols_of(binder.lo) | symbols_of(binder.hi)
        sizes -= {binder.symbol}
    shape: Symbols = frozenset().union(*(symbols_of(s) for s in node.shape))
    return Dependence(symbols | shape, sizes | shape)


def _held(node: Expr) -> Symbols:
    held = node.held if isinstance(node, Deriv) else ()
    return frozenset().union(*(dependence(h).symbols for h in held))
