"""Form expanded: every path from wrt to of, link by link, and each link by itself.

∂E_2/∂W = ∂E_2/∂z_2 ∂z_2/∂h_2 ∂⁺h_2/∂W + ∂E_2/∂z_2 ∂z_2/∂h_2 ∂h_2/∂h_1 ∂⁺h_1/∂W.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Final

from msgspec import Struct

from symgrad.calculus.pullback import divides
from symgrad.calculus.trace import Trace
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Call, Deriv, Expr, Var

MOST_PATHS: Final = 6
"""More paths than this are not listed: the product over nodes says the same in less."""

Path = tuple[Var, ...]


class Links(Struct, frozen=True):
    """The paths of a trace, each from ``of`` down to ``wrt``; a softmax under its cross-entropy is left out."""

    graph: Trace
    wrt: Var
    known: Mapping[Var, Expr]

    def paths(self) -> list[Path] | None:
        """Every path; None where there are too many, or where a node on the way is no scalar or vector."""
        found = list(islice(self._down((self.graph.of,)), MOST_PATHS + 1))
        nodes = {v for path in found for v in path if v is not self.wrt}
        if len(found) > MOST_PATHS or any(v.order > 1 or v in self.graph.running for v in nodes):
            return None
        return list(dict.fromkeys(self._short(p) for p in found))

    def product(self, path: Path) -> Expr:
        """The chain of derivatives along a path, unresolved."""
        factors = [self.link(upper, lower) for upper, lower in pairwise(path)]
        return b.chain(factors, [v.order for v in path[1:-1]]) if len(factors) > 1 else factors[0]

    def link(self, upper: Var, lower: Var) -> Deriv:
        """∂upper/∂lower; ∂⁺ where lower acts on another node that upper names too."""
        others = [v for v in self.graph.reads.get(upper, ()) if v is not lower]
        twice = any(lower in self._below(v) for v in others) and lower in self.graph.reads.get(upper, ())
        made = b.deriv(upper, lower, "immediate") if twice else b.deriv(upper, lower, "total", self.graph.held)
        assert isinstance(made, Deriv)
        return made

    def _down(self, path: Path) -> Iterator[Path]:
        if path[-1] is self.wrt:
            yield path
            return
        below = sorted(self.graph.reads.get(path[-1], ()), key=lambda v: v is not self.wrt)
        for v in below:
            yield from self._down((*path, v))

    def _short(self, path: Path) -> Path:
        return tuple(v for k, v in enumerate(path) if not (0 < k < len(path) - 1 and self._hidden(v)))

    def _hidden(self, v: Var) -> bool:
        """Whether a node is a softmax whose denominators cancel in the loss that reads it."""
        body = self.graph.bodies.get(v)
        return isinstance(body, Call) and body.fn == "softmax" and v in self.known and divides(self.known[v], v)

    def _below(self, node: Var) -> set[Var]:
        """The nodes of the trace that act on a node, itself included."""
        seen = {node}
        for v in reversed(self.graph.order):
            if v in seen:
                seen |= set(self.graph.reads.get(v, ()))
        return seen
