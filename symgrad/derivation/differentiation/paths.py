"""Forms chain, expanded and factored: the paths from a node to what it is differentiated by, multiplied and added."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from symgrad.calculus.cancel import may_cancel, settled, signs
from symgrad.calculus.entries import has_units, take_entries
from symgrad.calculus.images import linear_images, through_variable
from symgrad.calculus.in_matrices import in_matrices
from symgrad.calculus.layer_adjoints import given_by_entries, has_layer
from symgrad.calculus.layer_sums import in_entries
from symgrad.calculus.pullback import divides
from symgrad.calculus.rewrite import (
    collect,
    common_scalars,
    distribute,
    dummies_apart,
    factor,
    fold_definitions,
    known_totals,
    merge_diagonals,
    multiply_out,
    size,
)
from symgrad.calculus.trace import Trace, symbols_in, trace
from symgrad.derivation.differentiation.edges import Edge, Edges, compose
from symgrad.derivation.differentiation.factors import LocalFactors
from symgrad.derivation.differentiation.matrix_lines import matrix_line
from symgrad.derivation.differentiation.order import backward, ways_down
from symgrad.derivation.differentiation.written_out import Links
from symgrad.derivation.naming import Names
from symgrad.derivation.reasons import PUT_IN, listed, paths_add, put_in, why
from symgrad.derivation.steps import Block, Line, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Build, Call, Deriv, Expr, Eye, Fold, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables

MOST_NAMES: Final = 20_000
"""Names in the longest line that is still written."""

MOST_COPIED: Final = 8
"""Names in the longest sum that is written into the lines after it; a longer one is the adjoint δ there."""

MOST_COPIED_SCORES: Final = 6
"""The same for the scores of a softmax, whose Jacobian names what it is applied to twice."""

MOST_PUT_IN: Final = 60
"""Names in the longest result whose names may be written out."""


@dataclass(slots=True)
class Paths:
    """One derivative ∂of/∂wrt through the definitions of a model, the readers first.

    ``known[v]`` is ∂of/∂v as far as it is written out; ``leave`` are nodes whose own derivative by ``wrt`` is
    not resolved; ``adjoints`` are families whose adjoints get a name. ``reason`` says why the last step holds.
    """

    work: Workspace
    names: Names
    of: Var
    wrt: Var
    form: str
    leave: frozenset[Var] = frozenset()
    held: frozenset[Expr] = frozenset()
    blocks: list[Block] = field(default_factory=list)
    known: dict[Var, Expr] = field(default_factory=dict)
    adjoints: frozenset[str] = frozenset()
    reason: Reason = ("chain rule",)
    graph: Trace = field(init=False)
    backward: tuple[Var, ...] = ()
    shown: set[tuple[Expr, ...]] = field(default_factory=set)
    bodies: dict[Var, Expr] = field(default_factory=dict)
    users: tuple[Var, ...] = ()
    quiet: bool = False

    def __post_init__(self) -> None:
        self.graph = trace(self.work.system, self.of, [self.wrt], self.held)
        self.backward = backward(self.graph, self.work.system)
        self.bodies = {v: in_matrices(body) for v, body in self.graph.bodies.items()}

    def solve(self) -> Expr:
        """The derivative in the form asked for; the lines on the way are in ``blocks``."""
        if self.wrt not in self.graph.order:
            return b.zeros(self.of.shape + self.wrt.shape)
        self.known[self.of] = b.identity_tensor(self.of.shape)
        if self.form == "expanded" and not self.leave and (value := self._link_by_link()) is not None:
            return value
        self._read_in_matrices()
        first = self._chain_line()
        if first is not None:
            self.blocks.append(first)
            self.shown.add((first.left, *first.right))
        return self._through_nodes()

    def _read_in_matrices(self) -> None:
        """What is given by sums over indices, in the notation in which it is differentiated."""
        if self.form == "plain" or self.quiet:
            return
        for node in reversed(self.backward):
            line = matrix_line(self.work, node, self.graph.bodies.get(node), self.graph.ranges(node))
            if line is not None and (line.left, *line.right) not in self.shown:
                self.shown.add((line.left, *line.right))
                self.blocks.append(line)

    def _through_nodes(self) -> Expr:
        for node in self.backward:
            if node is self.of or node is self.wrt or node in self._below_leave():
                continue
            self._node(node)
        return self._finish(self._edges(self.wrt))

    def _link_by_link(self) -> Expr | None:
        """The derivative with every path listed and every link on it resolved; None where that is too much to read."""
        links = Links(self.graph, self.wrt, self.known)
        if links.paths() is None:
            return None
        self.quiet = True
        value = self._through_nodes()
        self.quiet = False
        paths = links.paths() or []
        products = [links.product(p) for p in paths]
        reason: Reason = (
            ("every path from ", self.wrt, " to ", self.of) if len(paths) > 1 else ("chain rule, link by link",)
        )
        self._say(self._deriv(self.wrt), [b.add(*products)], reason)
        stated = [link for link in dict.fromkeys(x for p in paths for x in pairwise(p)) if link not in paths]
        for upper, lower in stated:
            if upper.order + lower.order <= 2:
                self._say_link(links.link(upper, lower), upper, lower)
        if stated and all(upper.order + lower.order <= 2 for upper, lower in stated):
            self.reason = PUT_IN
        return value

    def _say_link(self, left: Deriv, upper: Var, lower: Var) -> None:
        held = (
            frozenset(v for v in self.graph.reads[upper] if v is not lower) if left.kind == "immediate" else self.held
        )
        inner = Paths(self.work, self.names, upper, lower, "plain", held=held)
        value = inner.solve()
        if isinstance(value, Eye):
            return
        self._say(left, list(dict.fromkeys([value, self.names.made.get(value, value)])), inner.reason)

    # Nodes on the way

    def _below_leave(self) -> set[Var]:
        """Nodes that act on ``of`` only through nodes that are left unresolved."""
        if not self.leave:
            return set()
        seen = {self.of}
        for node in reversed(self.graph.order):
            if any(r in seen and r not in self.leave for r in self.graph.readers(node)):
                seen.add(node)
        return set(self.graph.order) - seen

    def _node(self, node: Var) -> None:
        edges = self._edges(node)
        if not edges:
            return
        total = self._simplify(b.add(*(e.value for e in edges)))
        self._refuse_endless(total)
        left = self._deriv(node)
        right: list[Expr] = []
        open_sum = b.add(*(e.unresolved for e in edges))
        if self._hides_a_product(edges) and open_sum is not total:
            right.append(open_sum)
        right.append(total)
        if (written := self.written_out(total)) is not None:
            right.append(written)
        named = self._named(node, total, edges)
        if named is not total:
            right.append(named)
        self.known[node] = named
        if not isinstance(total, Eye) and total is not b.ONE and not self._in_one_with_softmax(node, total):
            step = self._say_step(node)
            self._say(left, [*step, *right], ("chain rule",) if step else self._reason(node, edges))

    def _in_one_with_softmax(self, node: Var, value: Expr) -> bool:
        """Whether the derivative by the argument of a softmax takes this one in, and no chain names it."""
        return self._is_softmax(node) and divides(value, node) and node not in self.users

    def _hides_a_product(self, edges: list[Edge]) -> bool:
        """Whether the value alone does not show how it came about: a sum over readers, or factors that cancelled."""
        readers = [e.reader for e in edges]
        cancelled = not self.of.order and any(may_cancel(self.known[r], r) and not self._is_softmax(r) for r in readers)
        return len(edges) > 1 or cancelled

    def _is_softmax(self, node: Var) -> bool:
        body = self.bodies.get(node)
        return isinstance(body, Call) and body.fn == "softmax"

    def _fuses(self, reader: Var, node: Var) -> bool:
        """Whether a cross-entropy over a softmax leaves p − y by a vector, whose Jacobian fits a matrix."""
        vectors = reader.order == node.order == 1
        return self._is_softmax(reader) and vectors and divides(self.known[reader], reader)

    def _say_step(self, node: Var) -> list[Expr]:
        """States J = ∂h_{k+1}/∂h_k where the first line runs over the steps k; Jᵀ ∂of/∂h_{k+1}, nothing elsewhere."""
        if node not in self.users[1:] or len({u.name for u in self.users}) > 1 or node.order != 1 or self.of.order:
            return []
        after = self.users[self.users.index(node) - 1]
        if self.graph.readers(node) != (after,) or not self.graph.plain(after, node):
            return []
        link = b.deriv(after, node, "total", self.held)
        assert isinstance(link, Deriv)
        self._say_link(link, after, node)
        return [b.matmul(b.transpose(link), self._deriv(after))]

    def _named(self, node: Var, value: Expr, edges: list[Edge]) -> Expr:
        """The value by a name, where it would be copied into several lines or is a difference that recurs."""
        if self.form == "expanded" and not self.of.order and _is_difference(value):
            return self.names.error(node, value)
        if not self.of.order and len(edges) == 1 and _is_difference(value):
            recurs = node.subs or self.names.knows(value, node) or ways_down(self.graph, node, self.wrt) > 1
            return self.names.error(node, value) if recurs else value
        long = self.form in ("chain", "factored") and node.order and self._is_long(node, value)
        if node.name in self.adjoints or (
            not self.of.order and (_by_entries(value) or self._through_layer(node, value) or long)
        ):
            return self.names.adjoint(self.of, node, value, self.held)
        return value

    def written_out(self, value: Expr) -> Expr | None:
        """A value that is a layer's result in index notation, the model's names in it; None of any other value."""
        return in_entries(value, {body: v for v, body in self.bodies.items()})

    def _through_layer(self, node: Var, value: Expr) -> bool:
        """Whether what follows would repeat a value: handed on by a layer, or a layer's result that several read."""
        if isinstance(value, Var | Deriv) or given_by_entries(value):
            return False
        if node.name in self.names.deltas:
            return True
        several = len(self.graph.reads.get(node, ())) > 1
        return has_layer(self.bodies.get(node, node)) or (several and has_layer(value))

    def _is_long(self, node: Var, value: Expr) -> bool:
        """Whether a value is a sum, or holds one, that no later line should repeat, and nothing in it may cancel."""
        scores = any(self._is_softmax(r) for r in self.graph.readers(node))
        sums = any(isinstance(x, Add) for x in postorder(value, into=_no_derivative))
        most = MOST_COPIED_SCORES if scores else MOST_COPIED
        return sums and size(value, numbers=False) > most and not may_cancel(value, node)

    def _say(self, left: Expr, right: Sequence[Expr], reason: Reason) -> None:
        if self.quiet or all(r is left for r in right):
            return
        if (left, *right) in self.shown:
            return
        self.shown.add((left, *right))
        assert isinstance(left, Deriv)
        ranges = self.graph.ranges(*(v for v in (left.of, left.wrt) if isinstance(v, Var)))
        line = self.work.certifier.line(left, *right, reason=reason, rule="chain rule", ranges=ranges)
        self.blocks.append(line)
        self.blocks += self.names.take(left, *right)

    def _deriv(self, node: Var) -> Expr:
        return self.graph.derivative(node)

    # The readers' shares

    def _edges(self, node: Var) -> list[Edge]:
        readers = [r for r in self.backward if r in self.known and self._reads(r, node)]
        if node.subs:
            readers.sort(key=lambda r: len(r.subs) != len(node.subs) or r.subs != node.subs)
        edges = Edges(self.graph, self.names)
        found = (edges.edge(r, node, self.known[r]) for r in readers)
        if self.form == "plain" or self.of.order:
            return [Edge(e.reader, self._apart(e.unresolved), e.value) for e in found]
        members = [(e, self.graph.member(e.reader, node)) for e in found]
        return [Edge(e.reader, self._apart(e.unresolved), self.names.errors_in(e.value, m)) for e, m in members]

    def _reads(self, reader: Var, node: Var) -> bool:
        return reader in self.bodies and reader not in self.leave and node in self.graph.reads[reader]

    # The first line, and the last

    def _chain_line(self) -> Line | None:
        """∂of/∂wrt over the nodes through which wrt acts, nothing resolved yet."""
        if self.form in ("factored", "plain"):
            return None
        self.users = tuple(u for u in self.backward if self._is_user(u))
        return self._factors().line(list(self.users))

    def _factors(self) -> LocalFactors:
        return LocalFactors(self.work, self.graph, self.wrt, self.leave)

    def _is_user(self, node: Var) -> bool:
        """Whether wrt acts through a node directly, or through one that is left unresolved."""
        if node in self._below_leave():
            return False
        return node in self.leave or self._reads(node, self.wrt)

    def _finish(self, edges: list[Edge]) -> Expr:
        parts = [e.value for e in edges]
        for left in self.graph.order:
            if left in self.leave and left in self.known:
                parts.append(compose(self.known[left], b.deriv(left, self.wrt, "total", self.held), left))
        if edges:
            self.reason = self._reason(self.wrt, edges)
        value = self._simplify(b.add(*parts)) if parts else b.zeros(self.of.shape + self.wrt.shape)
        self._refuse_endless(value)
        if self.leave:
            self.reason = PUT_IN
        else:
            self._say_factors(edges, value)
        final = value = self._without_zeros(value)
        if self.form == "expanded":
            final = merge_diagonals(distribute(value))
        elif self.form == "factored":
            final = min((factor(value), factor(distribute(value))), key=size)
        elif self.form == "chain":
            factored = factor(value)
            final = factored if self.of.order or (len(edges) == 1 and size(factored) < size(value)) else value
        final = final if final is value else signs(final)
        return self._through_variable(self.names.found.get(final, final))

    def _without_zeros(self, value: Expr) -> Expr:
        """The terms that are left where a recurrence begins with zero."""
        bodies = {v: self.work.system.body(v) for v in variables(value) if v.subs and v not in self.graph.bodies}
        zero: dict[Expr, Expr] = {v: body for v, body in bodies.items() if body is not None and b.is_zero(body)}
        if not zero or self.form == "plain":
            return value
        self._say(self._deriv(self.wrt), [value], self.reason)
        self.reason = listed([(b.compare("==", v, b.zeros(v.shape)),) for v in zero])
        return self._simplify(replace_nodes(value, zero))

    def images(self, value: Expr) -> dict[Expr, Expr]:
        """The names on the way, and those in a value, that are linear in wrt, written out over it."""
        members = {v: body for v in variables(value) if (body := self.work.system.body(v)) is not None}
        bodies = {**members, **self.bodies}
        return linear_images(self.wrt, bodies, [*self.graph.order, *members])

    def _through_variable(self, value: Expr) -> Expr:
        """A short result with names that are A x written out where x is a common factor then."""
        if self.form not in ("chain", "factored") or size(value) > MOST_PUT_IN:
            return value
        images = self.images(value)
        found = through_variable(value, images)
        if not found.names:
            return value
        self._say(self._deriv(self.wrt), [value], self.reason)
        self.reason = put_in(found.names, images, self.wrt)
        return found.value

    def _say_factors(self, edges: list[Edge], value: Expr) -> None:
        """What the first line has not resolved yet: its last factors, or the sum over what wrt acts on."""
        last = [(self._factors().last(e.reader), Edges(self.graph, self.names).local(e.reader, self.wrt)) for e in edges
                if self.of.order and self.graph.plain(e.reader, self.wrt)]  # fmt: skip
        open_sum = b.add(*(e.unresolved for e in edges))
        if len(edges) > 1 and self.form == "chain" and len(last) == len(edges):
            for edge, (left, local) in zip(edges, last, strict=True):
                self._say(left, [local], self._reason(self.wrt, [edge]))
        elif self._hides_a_product(edges) and open_sum is not value:
            self._say(self._deriv(self.wrt), [open_sum], self.reason)
        elif len(edges) == 1 and self.form == "chain" and self._fuses(reader := edges[0].reader, self.wrt):
            jacobian = Edges(self.graph, self.names).local(reader, self.wrt)
            self._say(self._factors().last(reader), [jacobian], why(reader, self.bodies[reader], self.wrt))
            self._say(self._deriv(self.wrt), [b.matmul(b.transpose(jacobian), self.known[reader])], PUT_IN)
            return
        else:
            return
        self.reason = PUT_IN

    def _refuse_endless(self, value: Expr) -> None:
        if (names := size(value)) > MOST_NAMES:
            other = "backprop" if self.form == "factored" else "backprop or factored"
            raise QuestionError(f"it would be a line of {names:,} names, which nobody reads; ask for form {other}")

    def _simplify(self, x: Expr) -> Expr:
        bodies: dict[Expr, Var] = {body: v for v, body in self.bodies.items() if not isinstance(body, Var)}
        for _ in range(4):
            if has_units(x):
                x = common_scalars(multiply_out(take_entries(distribute(x))))
            fresh = settled(fold_definitions(collect(take_entries(x)), bodies))
            if fresh is x:
                break
            x = fresh
        x = settled(known_totals(x, self.work.system.body))
        return self._apart(x if self.form in ("expanded", "plain") else settled(common_scalars(x)))

    def _apart(self, x: Expr) -> Expr:
        """Sums over other indices than those of the two nodes."""
        return dummies_apart(x, symbols_in(self.of) | symbols_in(self.wrt))

    def _reason(self, node: Var, edges: list[Edge]) -> Reason:
        readers = [e.reader for e in edges]
        if len(readers) > 1:
            return paths_add(node, [self.graph.member(r, node) for r in readers])
        reader = readers[0]
        if self._is_softmax(reader) and divides(self.known[reader], reader):
            return ("softmax with cross-entropy",)
        member = self.graph.member(reader, node)
        body = None if member is reader else self.work.system.body(member)
        return why(reader, self.bodies[reader], node) if body is None else why(member, body, node)


def _no_derivative(x: Expr) -> bool:
    return not isinstance(x, Deriv)


def _by_entries(x: Expr) -> bool:
    """Whether a value is given by sums for its entries, or by its entries, which no later line should repeat."""
    folds = [y for y in postorder(x) if isinstance(y, Fold)]
    return (any(isinstance(y, Build) for y in postorder(x)) and bool(folds)) or any(has_units(y.body) for y in folds)


def _is_difference(x: Expr) -> bool:
    return isinstance(x, Add) and len(x.args) == 2 and all(len(list(variables(t))) == 1 for t in x.args)
