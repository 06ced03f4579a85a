"""Form components, and every derivative of order three or more: one entry of ``of`` at a time, in index notation."""

from collections.abc import Sequence

import sympy
from msgspec import Struct

from symgrad.calculus.cancel import outside_sums
from symgrad.derivation.differentiation.first_order import FirstOrder
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.differentiation.state import states
from symgrad.derivation.naming import Names
from symgrad.derivation.steps import Block, CasesLine, Line, Reason
from symgrad.derivation.workspace import Workspace, names_in_use
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.integers import Int, integer, lifted, symbols_of
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, At, Binder, Deriv, Entry, Expr, Iverson, Mul, Num, Rel, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder, variables


class Place(Struct, frozen=True):
    """A node with the entry that is looked at: the author's indices, or fresh ones that run over its axes."""

    node: Var
    indices: tuple[Int, ...]
    binders: tuple[Binder, ...]

    @property
    def entry(self) -> Expr:
        """The scalar entry."""
        return b.at(self.node, *self.indices) if self.indices else self.node


def place(x: Expr, letters: str, work: Workspace, beside: Place | None = None) -> Place:
    """The entry that an expression names, or a general entry of a node, at other indices than the one ``beside`` it.

    Raises:
        QuestionError: it is neither a named node nor one entry of one.
    """
    if isinstance(x, Entry) and isinstance(x.arg, Var) and all(isinstance(i, At) for i in x.items):
        return Place(x.arg, tuple(i.index for i in x.items if isinstance(i, At)), ())
    if not isinstance(x, Var):
        raise QuestionError("a derivative by entries is of a named node or one entry of it")
    used = {r.symbol.name for r in beside.binders} if beside is not None else set()
    symbols = free_letters(x.order, "".join(c for c in letters if c not in used), work)
    base = work.problem.conventions.index_base
    ranges = tuple(Binder(s, base, integer(n + base - 1)) for s, n in zip(symbols, x.shape, strict=True))
    return Place(x, tuple(s + (1 - base) for s in symbols), ranges)


def free_letters(count: int, letters: str, work: Workspace) -> tuple[sympy.Symbol, ...]:
    """Index symbols from the letters that the problem does not use."""
    problem = work.problem
    taken = {*problem.sizes, *problem.declarations, *(s.name for s in problem.steps)}
    free = [c for c in letters if c not in taken]
    if len(free) < count:
        free += [f"{letters[0]}{n}" for n in range(1, count + 1)]
    return tuple(sympy.Symbol(c, integer=True) for c in free[:count])


class ByEntries(Struct):
    """∂of_i/∂x_j through the definitions."""

    work: Workspace
    of: Place
    wrt: Place
    held: frozenset[Expr] = frozenset()
    closed: bool = False
    """Whether a recurrence at an open step lies between, which is written as a sum of products."""

    def solve(self) -> tuple[Expr, Expr, list[Block]]:
        """The scalar derivative, the tensor of all entries (the scalar itself where one entry was asked), the lines."""
        self.work.certifier.open((*self.of.binders, *self.wrt.binders))
        scalar = Var(self.work.fresh("y", "s", "r"), (), ())
        self.work.define([Definition(scalar.name, (), self.of.entry)])
        names = Names(self.work)
        gradient, blocks = self._gradient(scalar, names)
        plain = replace_nodes(gradient, {name: value for value, name in names.made.items()})
        ranges = (*self.of.binders, *self.wrt.binders)
        within = [*ranges, *self._entry_ranges()]
        value = contract_deltas(component(plain, self.wrt.indices), within=within)
        value = outside_sums(self._shorten(replace_nodes(value, {scalar: self.of.entry})))
        value = align(value, self.of.indices)
        left = Deriv(self.of.entry, self.wrt.entry, "total", (), self.held)
        body = self.work.system.body(self.of.node)
        if body is not None and self.of.indices:
            lowered = component(body, self.of.indices)
            blocks.append(
                self.work.certifier.line(
                    self.of.entry, lowered, reason=("by entries",), rule="components", ranges=self.of.binders
                )
            )
        line = self.work.certifier.line(
            left, value, reason=self._why(value), rule="components", ranges=ranges, boxed=True
        )
        blocks.append(line)
        cases = self._cases(left, value)
        if cases is not None:
            blocks.append(cases)
        return value, b.build(value, ranges), blocks

    def _gradient(self, scalar: Var, names: Names) -> tuple[Expr, list[Block]]:
        """The gradient of the entry, and the lines that say how a recurrence passes it on."""
        if not self.closed:
            return Paths(self.work, names, scalar, self.wrt.node, "plain", held=self.held).solve(), []
        (state,) = states(self.work.system, scalar.name, self.wrt.node.name)
        used = {sympy.Symbol(n, integer=True) for n in names_in_use(self.work.problem, self.work.system)}
        used |= free_ints(self.of.entry) | free_ints(self.wrt.entry)
        form = FirstOrder(self.work, names, state, scalar, self.wrt.node, used)
        gradient = form.solve()
        return gradient, [
            x for x in form.blocks if not (isinstance(x, Line) and scalar in variables(x.left, into_derivatives=True))
        ]

    def _entry_ranges(self) -> list[Binder]:
        """The author's own indices run over the axes that they stand in."""
        found = [*zip(self.of.indices, self.of.node.shape, strict=True)]
        found += zip(self.wrt.indices, self.wrt.node.shape, strict=True)
        named = {x.symbol for x in (*self.of.binders, *self.wrt.binders)}
        letters = [(_letter(i), n) for i, n in found]
        return [Binder(x[0], 1 - x[1], integer(n - x[1])) for x, n in letters if x is not None and x[0] not in named]

    def _shorten(self, value: Expr) -> Expr:
        """Entries of bodies that have a name written by the name."""
        body = self.work.system.body(self.of.node)
        if body is None or not self.of.indices:
            return value
        lowered = component(body, self.of.indices)
        return replace_nodes(value, {lowered: self.of.entry})

    def _why(self, value: Expr) -> Reason:
        if any(isinstance(x, Iverson) and x.conds[0].op == "==" for x in postorder(value)):
            return ("δ is 1 where its indices agree, 0 elsewhere",)
        return ("chain rule, entry by entry",)

    def _cases(self, left: Expr, value: Expr) -> CasesLine | None:
        """The two cases of one Kronecker δ of a row and a column index."""
        deltas = [x for x in postorder(value) if isinstance(x, Iverson)]
        if len(deltas) != 1:
            return None
        found = deltas[0]
        if len(found.conds) != 1 or found.conds[0].op != "==":
            return self._guarded(left, value, found)
        cond = found.conds[0]
        if _letter(cond.right) is None and _letter(cond.left) is None:
            return None
        if not symbols_of(cond.left) | symbols_of(cond.right) <= free_ints(value):
            return None
        equal = replace_nodes(value, {found: b.ONE})
        equal = _merge(equal, cond)
        apart = replace_nodes(value, {found: b.ZERO})
        check = self.work.certifier.compare(
            value,
            b.add(b.mul(found, equal), b.mul(b.sub(b.ONE, found), apart)),
            ranges=(*self.of.binders, *self.wrt.binders),
        )
        shift = 1 - self.work.problem.conventions.index_base
        left_side, right_side = b.count(integer(cond.left - shift)), b.count(integer(cond.right - shift))
        same: Reason = (left_side, " = ", right_side)
        other: Reason = (left_side, " ≠ ", right_side)
        return CasesLine(left, ((equal, same), (apart, other)), ("the two cases of δ",), check)

    def _guarded(self, left: Expr, value: Expr, guard: Iverson) -> CasesLine | None:
        """A product with a range condition: the rest where the condition holds, 0 otherwise."""
        if value is not guard and not (isinstance(value, Mul) and guard in value.args):
            return None
        rest = replace_nodes(value, {guard: b.ONE})
        check = self.work.certifier.compare(value, b.mul(guard, rest), ranges=(*self.of.binders, *self.wrt.binders))
        return CasesLine(left, ((rest, conditions(guard.conds)), (b.ZERO, ("otherwise",))), (), check)


def _about(x: Expr, node: Var) -> bool:
    return node in variables(x, into_derivatives=True)


def conditions(conds: Sequence[Rel]) -> Reason:
    """Relations in words and signs: l = i and 1 ≤ k − 2r + 2 ≤ 3."""
    signs = {"==": " = ", "!=": " ≠ ", "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ "}
    words: list[str | Expr] = []
    rest = list(conds)
    while rest:
        first = rest.pop(0)
        words += [" and " if words else "", b.count(first.left), signs[first.op], b.count(first.right)]
        follow = next((c for c in rest if c.op == first.op == "<=" and c.left == first.right), None)
        if follow is not None:
            rest.remove(follow)
            words += [signs[follow.op], b.count(follow.right)]
    return tuple(w for w in words if w != "")


def align(value: Expr, rows: tuple[Int, ...]) -> Expr:
    """δ_ij f(j) as δ_ij f(i) with i the index of the row, and common scalar factors taken out."""

    def rule(x: Expr) -> Expr:
        if not isinstance(x, Mul):
            return x
        for d in x.args:
            if isinstance(d, Iverson) and len(d.conds) == 1 and d.conds[0].op == "==":
                row, column = _sides(d.conds[0], rows)
                letter = _letter(column)
                if letter is not None and row is not None:
                    rest = [reindex(f, {letter[0]: integer(row - letter[1])}) for f in x.args if f is not d]
                    return b.mul(b.delta(row, column), *rest)
        return x

    return share(transform(value, rule, into=lambda x: isinstance(x, Add | Mul)))


def _letter(index: Int) -> tuple[sympy.Symbol, int] | None:
    """An index as a letter and the number added to it: components counted from 0 stand at i + 1."""
    shift, letter = lifted(index).as_coeff_Add()
    return (letter, int(shift)) if isinstance(letter, sympy.Symbol) else None


def _sides(cond: Rel, rows: tuple[Int, ...]) -> tuple[Int | None, Int]:
    if cond.left in rows:
        return cond.left, cond.right
    if cond.right in rows:
        return cond.right, cond.left
    return None, cond.right


def share(x: Expr) -> Expr:
    """Factors that every term of a scalar sum has, taken out of it."""
    if not isinstance(x, Add) or x.order:
        return x
    parts = [(t.args if isinstance(t, Mul) else (t,)) for t in x.args]
    shared = [f for f in parts[0] if not isinstance(f, Num) and all(f in p for p in parts)]
    if not shared:
        return x
    rests = [b.mul(*(f for f in p if f not in shared)) for p in parts]
    return b.mul(*shared, b.add(*rests))


def _merge(value: Expr, cond: Rel) -> Expr:
    """The value where both indices are equal, the second one written as the first."""
    for here, other in ((cond.right, cond.left), (cond.left, cond.right)):
        letter = _letter(here)
        if letter is not None:
            return reindex(value, {letter[0]: integer(other - letter[1])})
    return value
