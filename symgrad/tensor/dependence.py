"""Which size, step and index symbols the value of a node depends on; computed once for each node."""

from weakref import WeakKeyDictionary

import sympy
from msgspec import Struct

from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Build, Call, Count, Density, Deriv, Entry, Expr, Fold, Integral, Iverson, Opaque, Var
from symgrad.tensor.reindex import free_symbols_of_items
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
    symbols = _own(node).union(*(d.symbols for d in below))
    sizes: Symbols = frozenset().union(*(d.sizes for d in below))
    binders = (
        node.binders if isinstance(node, Fold | Build | Integral) else node.over if isinstance(node, Opaque) else ()
    )
    for binder in reversed(binders):
        symbols = (symbols - {binder.symbol}) | symbols_of(binder.lo) | symbols_of(binder.hi)
        sizes -= {binder.symbol}
    shape: Symbols = frozenset().union(*(symbols_of(s) for s in node.shape))
    return Dependence(symbols | shape, sizes | shape)


def _own(node: Expr) -> Symbols:
    match node:
        case Var(subs=subs):
            return frozenset().union(*(symbols_of(s) for s in subs))
        case Count(value=value):
            return symbols_of(value)
        case Iverson(conds=conds) | Fold(conds=conds):
            return frozenset().union(*(symbols_of(c.left) | symbols_of(c.right) for c in conds))
        case Entry(items=items):
            return frozenset(free_symbols_of_items(items))
        case Call(params=params):
            return frozenset().union(*(symbols_of(v) for _, v in params if isinstance(v, sympy.Expr)))
        case Density(at=at):
            return frozenset().union(*(symbols_of(i) for i in at if i is not None))
        case Deriv(held=held):
            return frozenset().union(*(dependence(h).symbols for h in held))
    return frozenset()
