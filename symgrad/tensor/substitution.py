"""Nodes put in the place of others, with bound indices kept apart from what arrives."""

from collections.abc import Mapping

import sympy

from symgrad.tensor.nodes import Expr
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.reindex import bound_in, free_ints, renamed_apart
from symgrad.tensor.walk import postorder


def replace_nodes(root: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """The graph with nodes replaced, the outermost first; what is put in is not searched again.

    An index that is free in what is put in, but not in what it replaces, is not caught by a sum over an index of that
    name: the sum runs over another one then. In h[t] → g[t] the index is the same, wherever it stands.
    """
    if not mapping:
        return root
    memo: dict[Expr, Expr] = {}
    for node in postorder(root, into=lambda x: x not in mapping):
        if node in mapping:
            memo[node] = mapping[node]
            continue
        children = tuple(memo[c] for c in node.children)
        if children == node.children:
            memo[node] = node
        elif (bound := bound_in(node)) and bound & (arriving := _arriving(mapping)):
            apart = renamed_apart(node, arriving)
            memo[node] = rebuild(apart, tuple(replace_nodes(c, mapping) for c in apart.children))
        else:
            memo[node] = rebuild(node, children)
    return memo[root]


def _arriving(mapping: Mapping[Expr, Expr]) -> frozenset[sympy.Symbol]:
    return frozenset().union(*(free_ints(new) - free_ints(old) for old, new in mapping.items()))
