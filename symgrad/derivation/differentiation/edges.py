"""What a definition passes on to a node: (∂⁺u/∂v)ᵀ ∂L/∂u for a scalar L, ∂y/∂u ∂⁺u/∂v for any other y."""

from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.cancel import may_cancel
from symgrad.calculus.local import adjoint_part, jacobian_of, local_jacobian
from symgrad.calculus.pullback import divides
from symgrad.calculus.rewrite import as_diagonal, collect, entry_by_entry, factor, size
from symgrad.calculus.sensitivity import Sensitivity, sensitivities
from symgrad.calculus.trace import Trace
from symgrad.derivation.naming import Names
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Build, Call, Deriv, Expr, Fold, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder


class Edge(Struct, frozen=True):
    """One reader's share of a derivative: with the reader's own derivative unresolved, and written out."""

    reader: Var
    unresolved: Expr
    value: Expr


class Edges(Struct, frozen=True):
    """The shares of the readers in a trace from one node, with slopes written as diagonal matrices by name."""

    graph: Trace
    names: Names

    def edge(self, reader: Var, node: Var, known: Expr) -> Edge:
        """What a reader passes to a node, ``known`` being ∂of/∂reader as far as it is written out."""
        of = self.graph.of
        one = not of.order and (reader is of or known is b.ONE)
        unresolved = b.ONE if one else self.graph.derivative(reader)
        if not of.order:
            cancels = may_cancel(known, reader)
            shares = (self._share(reader, node, g, cancels) for g in (unresolved, known))
            return Edge(reader, *shares)
        if reader is of:
            jacobian = self.local(reader, node)
            return Edge(reader, jacobian, jacobian)
        return Edge(reader, self._product(reader, node, unresolved), self._product(reader, node, known))

    def local(self, reader: Var, node: Var) -> Expr:
        """∂⁺reader/∂node of one member of the reader, slopes as diagonal matrices by name."""
        body = self.graph.bodies[reader]
        if self.graph.plain(reader, node):
            return self._tidy(_one_slope(local_jacobian(body, reader, node)), reader)
        return self._product(reader, node, None)

    # A scalar's gradient

    def _share(self, reader: Var, node: Var, g: Expr, cancels: bool) -> Expr:
        """(∂⁺reader/∂node)ᵀ g, products entry by entry as diagonal matrices unless denominators may cancel."""
        body = self.graph.bodies[reader]
        picked = isinstance(g, Deriv) and isinstance(body, Call) and body.fn == "softmax"
        direct = cancels or divides(g, reader) or reader.order != 1 or picked or _captures(body, g)
        stand_in = g if direct else b.var("∂", (), reader.shape)
        if self.graph.plain(reader, node):
            part = self._shaped(adjoint_part(body, reader, stand_in, node), reader, node, stand_in, g)
            return self.graph.over(part, reader, node)
        found = sensitivities(body, reader, stand_in, lambda v: v.name == node.name)
        shaped = [replace(s, value=self._shaped(s.value, reader, node, stand_in, g, s.atom)) for s in found]
        return self.graph.met(shaped, reader, node)

    def _shaped(self, part: Expr, reader: Var, node: Var, stand_in: Expr, g: Expr, member: Var | None = None) -> Expr:
        """The share with slopes by name; ``member`` is the node as the reader names it, where an index picks it."""
        part = self._given(part, reader, node, member or node)
        if stand_in is g:
            return self._tidy(part, reader)
        assert isinstance(stand_in, Var)
        part = as_diagonal(part, stand_in, lambda w: self.names.diagonal(reader, w))
        return self._tidy(replace_nodes(part, {stand_in: g}), reader)

    def _given(self, part: Expr, reader: Var, node: Var, member: Var) -> Expr:
        """A given partial of a loss that a node reaches in no other way is its whole derivative."""
        if self.graph.readers(node) != (reader,):
            return part
        partial = b.deriv(reader, member, "immediate")
        whole = b.deriv(reader, member, "total", self.graph.held)
        return replace_nodes(part, {partial: self.graph.derivative(member) if reader is self.graph.of else whole})

    def _tidy(self, x: Expr, reader: Var) -> Expr:
        def rule(y: Expr) -> Expr:
            return self.names.diagonal(reader, y.args[0]) if isinstance(y, Call) and y.fn == "diag" else y

        return transform(x, rule, into=lambda y: not isinstance(y, Deriv))

    # A Jacobian

    def _product(self, reader: Var, node: Var, outer: Expr | None) -> Expr:
        """∂of/∂reader · ∂⁺reader/∂node; the local Jacobian alone without an outer factor."""
        body = self.graph.bodies[reader]
        if self.graph.plain(reader, node):
            return self.graph.over(self._joined(outer, local_jacobian(body, reader, node), reader), reader, node)
        g = b.var("∂", (), reader.shape)
        parts: list[Sensitivity] = []
        for s in sensitivities(body, reader, g, lambda v: v.name == node.name):
            parts.append(replace(s, value=self._joined(outer, jacobian_of(s.value, g, s.atom), reader)))
        return self.graph.met(parts, reader, node)

    def _joined(self, outer: Expr | None, jacobian: Expr, reader: Var) -> Expr:
        jacobian = self._tidy(_one_slope(jacobian), reader)
        return jacobian if outer is None else compose(outer, jacobian, reader)


def compose(outer: Expr, inner: Expr, through: Var) -> Expr:
    """∂of/∂u · ∂u/∂v: a matrix product where the orders allow it, a contraction elsewhere."""
    if through.order == 0:
        return b.outer(outer, inner) if outer.order == inner.order == 1 else b.mul(outer, inner)
    if through.order == 1 and outer.order == 2 and inner.order <= 2:
        return b.matmul(outer, inner)
    if through.order == 1 and outer.order == 1 and inner.order == 2:
        return b.matmul(b.transpose(inner), outer)
    if through.order == 1 and outer.order == 1 and inner.order == 1:
        return b.inner(outer, inner)
    return b.chain([outer, inner], [through.order])


def _one_slope(jacobian: Expr) -> Expr:
    """A diag(a) B + A diag(b) B = A diag(a + b) B, for a shorter sum than that of products; diag(a) b = a ⊙ b."""
    jacobian = min((jacobian, collect(factor(jacobian))), key=size)
    return entry_by_entry(jacobian) if jacobian.order == 1 else jacobian


def _captures(body: Expr, g: Expr) -> bool:
    """Whether an index that is free in an adjoint is bound in the body that it passes through."""
    bound = {x.symbol for node in postorder(body) if isinstance(node, Build | Fold) for x in node.binders}
    return bool(bound & free_ints(g))
