"""What a writer's expression is worth in a world, under a reading: one function for each kind of tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np

from symgrad.errors import ProblemError
from symgrad.problem.collect import collect
from symgrad.problem.declarations import read_declarations, read_steps
from symgrad.problem.definitions import infer_shapes, read_heads, settle_facts
from symgrad.problem.expressions import read
from symgrad.problem.model import Problem
from symgrad.problem.names import Broken, Names, Undetermined
from symgrad.problem.scope import Scope
from symgrad.syntax.tree import (
    IMPLICIT,
    Binary,
    Call,
    Compare,
    ListTree,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import At, Cut, Expr, Item, Var
from symgrad.verify import values as v
from symgrad.verify.errors import Outside, Unclear, Unknown
from symgrad.verify.readings import Adjoint, Defined, Notation, Reading
from symgrad.verify.values import Value
from symgrad.verify.world import World, sum_over

Ints = Mapping[str, int]
_DEEPEST_DEFINITION: Final = 40


@dataclass(eq=False)
class Meaning:
    """The values of trees in one world under one reading.

    Attributes:
        names: the namespace of the problem.
        notation: the writer's own names.
        used: the writer's names that a value rests on.
        arguments: those of the function whose body is being read.
    """

    world: World
    reading: Reading
    names: Names
    notation: Notation
    used: set[str] = field(default_factory=set)
    arguments: Mapping[str, Value] = field(default_factory=dict)
    _known: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[Tree, Value]] = field(default_factory=dict)
    _depth: int = 0

    @property
    def problem(self) -> Problem:
        """The problem in whose names the writer writes."""
        return self.world.problem

    def value(self, tree: Tree, ints: Ints) -> Value:
        """The value of a tree; ``ints`` are the values of its open indices.

        Raises:
            Misfit: shapes do not fit.
            Outside: an index is outside its range.
            Unclear: something in it has no value.
        """
        if isinstance(tree, Number):
            return v.number(tree.value)
        key = (id(tree), tuple(sorted(ints.items())))
        found = self._known.get(key)
        if found is None:
            with np.errstate(all="ignore"):
                found = (tree, self._of(tree, ints))
            self._known[key] = found
        return found[1]

    def _of(self, tree: Tree, ints: Ints) -> Value:
        match tree:
            case Name():
                return self.named(tree, (), ints)
            case Subscript():
                return self._subscripted(tree, ints)
            case Unary(op, operand):
                inner = self.value(operand, ints)
                return v.negative(inner) if op == "-" else inner
            case Transpose(operand):
                return v.transposed(self.value(operand, ints))
            case Binary(op, left, right):
                return self._binary(op, left, right, ints)
            case Compare(ops, operands):
                return self._compared(ops, [self.value(x, ints) for x in operands])
            case ListTree(items):
                return v.stacked([self.value(x, ints) for x in items])
            case Call(func):
                handler = elaborated if func.id in self.names.densities else CALLS.get(func.id)
                if func.id in self.names.functions:
                    return self._own_function(tree, ints)
                if handler is None:
                    raise Unclear(f"{func.id!r} has no value here")
                return handler(self, tree, ints)
        raise Unclear("this is no value")

    # Operations

    def _binary(self, op: str, left: Tree, right: Tree, ints: Ints) -> Value:
        sized = self._sized_by_neighbour(op, left, right, ints)
        if sized is not None:
            return sized
        x, y = self.value(left, ints), self.value(right, ints)
        loose = self.reading.loose
        match op:
            case "+":
                return v.added(x, y, loose)
            case "-":
                return v.added(x, v.negative(y), loose)
            case "⊙" | "∘":
                return v.entrywise(x, y)
            case "*" | "·" | "×" if x.order == 1 and x.shape == y.shape and x.out == y.out:
                return v.entrywise(x, y) if op == "*" else v.inner(x, y)
            case "·" | "×" if x.order == y.order == 1 and x.shape == y.shape and not (x.out and not y.out):
                return v.inner(x, y)
            case "*" if self.reading.entries and x.order == y.order == 2:
                return v.entrywise(x, y)
            case "*" | "·" | "×" | "@" | "implicit":
                return v.product(x, y, loose, self.reading.spread)
            case "⊗":
                return v.outer(x, y)
            case "/":
                return v.divided(x, y)
            case "⊘":
                return v.divided(x, y)
            case "^" | "**":
                return v.power(x, y, entries=op == "**")
        raise Unclear(f"the sign {op!r} has no value here")

    def _sized_by_neighbour(self, op: str, left: Tree, right: Tree, ints: Ints) -> Value | None:
        """A vector of ones or a unit vector, whose size is its neighbour's; None where there is none."""
        for tree, other, first in ((left, right, True), (right, left, False)):
            inner = tree.operand if isinstance(tree, Transpose) else tree
            if not isinstance(inner, Call) or inner.func.id not in ("ones", "one_hot") or len(inner.args) > 1:
                continue
            if inner.func.id == "ones" and not isinstance(tree, Transpose) and (op not in _PRODUCTS or first):
                return None
            y = self.value(other, ints)
            if y.order == 0 or self.world.scalars:
                return None
            size = (y.outer if first else y.inner or y.outer)[:1] or y.shape[:1]
            made = self._unit(inner, size[0], ints)
            x = v.transposed(made) if isinstance(tree, Transpose) else made
            if op in _PRODUCTS:
                return v.product(x, y) if first else v.product(y, x)
            if op in ("+", "-"):
                x, y = (x, y) if first else (y, x)
                return v.added(x, v.negative(y) if op == "-" else y)
            return v.entrywise(x, y)
        return None

    def _unit(self, tree: Call, size: int, ints: Ints) -> Value:
        if tree.func.id == "ones":
            return Value(np.ones((1, size)), 1)
        place = self.index(tree.args[0], ints)
        if not 1 <= place <= size:
            raise Outside
        return Value(np.eye(size)[None, place - 1], 1)

    def _compared(self, ops: tuple[str, ...], sides: list[Value]) -> Value:
        truth = np.ones((1,), dtype=bool)
        shape: tuple[int, ...] = ()
        for op, x, y in zip(ops, sides[:-1], sides[1:], strict=True):
            gap = v.added(x, v.negative(y))
            real = gap.data.real
            test = {"<": real < 0, "<=": real <= 0, ">": real > 0, ">=": real >= 0, "==": real == 0, "!=": real != 0}[
                op
            ]
            truth, shape = truth & test, gap.shape
        return Value(truth.astype(float), len(shape), formal=False)

    # Names

    def named(self, tree: Name, items: tuple[Tree, ...], ints: Ints) -> Value:
        """The value of a name with subscripts."""
        name = tree.id
        if name in self.arguments and not items:
            return self.arguments[name]
        if name in ints and not items:
            return v.number(ints[name])
        if name in self.notation.settings and not items:
            return self.value(self.notation.settings[name], ints)
        node = self.node(tree, items, ints)
        if node is not None:
            return self._array(node)
        if name in self.notation.names:
            return self._defined(tree, items, ints)
        if name in self.world.sizes and not items:
            return v.number(self.world.sizes[name])
        if name == "I" and not items:
            return replace(v.number(1), eye=not self.world.scalars)
        if name in _CONSTANTS and not items:
            return v.number(_CONSTANTS[name])
        for known, order in self.reading.orders:
            if known == name:
                whole = v.tensor(self.world.free(name, order))
                return self._picked(whole, items, ints) if items else whole
        raise Unknown(tree)

    def _array(self, node: Expr) -> Value:
        return v.tensor(self.world.value(node))

    def node(self, tree: Name, items: tuple[Tree, ...], ints: Ints) -> Expr | None:
        """The named node that a name with subscripts is, or entries of it; None where the problem has no such name."""
        family = self.names.families.get(tree.id)
        if family is None or tree.id in self.notation.settings:
            return None
        if len(items) < family.arity:
            return None if tree.id == "I" and not items else self._whole_family(tree, items)
        subs = tuple(self.index(item, ints) for item in items[: family.arity])
        node = self.world.node(tree.id, subs)
        if node is None:
            raise Outside
        rest = items[family.arity :]
        return self._entries(node, rest, ints) if rest else node

    def _whole_family(self, tree: Name, items: tuple[Tree, ...]) -> Expr:
        total = None if items else sum_over(self.problem, tree.id)
        if total is None:
            raise Unclear(f"it is not said at which step {tree.id!r} stands")
        return self.world.node(total.name, ()) or total if isinstance(total, Var) else total

    def _entries(self, node: Var, items: tuple[Tree, ...], ints: Ints) -> Expr:
        if self.world.scalars:
            raise Unclear("among scalars there are no entries")
        if len(items) > node.order:
            raise Unclear(f"{node.name} has {node.order} axes, but {len(items)} subscripts stand here")
        picked: list[Item] = []
        for item, size in zip(items, node.shape, strict=False):
            base = self.names.index_base
            if isinstance(item, Span):
                lo = 1 if item.lo is None else self.index(item.lo, ints) + 1 - base
                hi = size if item.hi is None else self.index(item.hi, ints) + 1 - base
                picked.append(Cut(lo, hi))
                inside = 1 <= lo <= hi <= int(size)
            else:
                at = self.index(item, ints) + 1 - base
                picked.append(At(at))
                inside = 1 <= at <= int(size)
            if not inside:
                raise Outside
        return b.entry(node, picked)

    def _subscripted(self, tree: Subscript, ints: Ints) -> Value:
        if isinstance(tree.base, Name):
            if self._is_row_of(tree.base.id, tree.items):
                return v.transposed(self.named(tree.base, tree.items, ints))
            return self.named(tree.base, tree.items, ints)
        if isinstance(tree.base, Subscript) and isinstance(tree.base.base, Name):
            flat = Subscript(tree.base.base, (*tree.base.items, *tree.items), place=tree.place)
            return self._subscripted(flat, ints)
        return self._picked(self.value(tree.base, ints), tree.items, ints)

    def _is_row_of(self, name: str, items: tuple[Tree, ...]) -> bool:
        """Whether it is a row of a matrix, A[i, :], which lies down."""
        family = self.names.families.get(name)
        rest = items[family.arity :] if family is not None else ()
        return len(rest) == 2 and not isinstance(rest[0], Span) and isinstance(rest[1], Span)

    def _picked(self, x: Value, items: tuple[Tree, ...], ints: Ints) -> Value:
        if len(items) > x.order:
            raise Unclear("there are more subscripts than axes")
        picks: list[Any] = [slice(None)]
        for item, size in zip(items, x.shape, strict=False):
            if isinstance(item, Span):
                base = self.names.index_base
                lo = 0 if item.lo is None else self.index(item.lo, ints) - base
                hi = size if item.hi is None else self.index(item.hi, ints) - base + 1
                picks.append(slice(lo, hi))
                continue
            at = self.index(item, ints) - self.names.index_base
            if not 0 <= at < size:
                raise Outside
            picks.append(at)
        data = x.data[tuple(picks)]
        return v.tensor(data, formal=x.formal)

    def _defined(self, tree: Name, items: tuple[Tree, ...], ints: Ints) -> Value:
        """The value of a name of the writer's."""
        self._depth += 1
        try:
            if self._depth > _DEEPEST_DEFINITION:
                raise Unclear(f"{tree.id!r} is defined by itself without an end")
            meanings = reversed(self.notation.names[tree.id])
            for meaning in sorted(meanings, key=lambda x: not (isinstance(x, Defined) and self._is_fixed(x))):
                if isinstance(meaning, Adjoint):
                    return self._adjoint(meaning, items, ints)
                bound, used = self.matched(meaning, items, ints)
                if bound is not None:
                    self.used.add(tree.id)
                    whole = self.value(meaning.body, {**ints, **bound})
                    return self._picked(whole, items[used:], ints) if items[used:] else whole
            raise Unclear(f"{tree.id!r} is defined at other steps only")
        finally:
            self._depth -= 1

    def _is_fixed(self, meaning: Defined) -> bool:
        """Whether a meaning is that of one member, δ_4 = 0."""
        inside = [n for x in meaning.pattern for n in _names(x)]
        return bool(meaning.pattern) and all(n.id in self.world.sizes for n in inside)

    def matched(self, meaning: Defined, items: tuple[Tree, ...], ints: Ints) -> tuple[dict[str, int] | None, int]:
        """The values of the indices of a pattern, and how many subscripts it takes; None where it is another member."""
        bound: dict[str, int] = {}
        if len(items) < len(meaning.pattern):
            return None, 0
        for pattern, item in zip(meaning.pattern, items, strict=False):
            value = self.index(item, ints)
            name = next((x.id for x in _names(pattern) if x.id not in self.world.sizes), None)
            if name is None:
                if self.index(pattern, ints) != value:
                    return None, 0
            else:
                bound[name] = value - (self.index(pattern, {**ints, name: 0}))
        return bound, len(meaning.pattern)

    def _adjoint(self, meaning: Adjoint, items: tuple[Tree, ...], ints: Ints) -> Value:
        of = meaning.loss if isinstance(meaning.loss, Name) else None
        if of is None:
            raise Unclear("a loss is a named quantity")
        family = Name(meaning.family, place=of.place)
        loss = self.node(of, (), ints)
        try:
            wrt = self.node(family, items, ints)
        except Outside:
            return self._beyond(meaning, items, ints)
        if wrt is None or loss is None:
            raise Unclear(f"{meaning.name!r} has no value here")
        return self.laid_out(self.world.partial(loss, wrt), loss.order, wrt.order)

    def _beyond(self, meaning: Adjoint, items: tuple[Tree, ...], ints: Ints) -> Value:
        """The adjoint one step beyond the last one, which nothing reads: zero."""
        subs = tuple(self.index(x, ints) for x in items)
        last = self.world.node(meaning.family, tuple(k - 1 for k in subs))
        if last is None or self.world.node(meaning.family, tuple(k - 2 for k in subs)) is None:
            raise Outside
        return Value(np.zeros((1, *(() if self.world.scalars else last.shape))), min(last.order, 1) or last.order)

    def laid_out(self, data: Any, of: int, wrt: int) -> Value:
        """A derivative with its axes as the reading lays them out."""
        if self.world.scalars:
            return Value(data, 0)
        if of == 0 and self.reading.gradients != "row":
            return v.tensor(data, formal=True)
        made = Value(data, of)
        return v.transposed(made) if self.reading.gradients == "denominator" else made

    # Indices

    def index(self, tree: Tree, ints: Ints) -> int:
        """The integer that an index is.

        Raises:
            Unclear: it is no integer.
        """
        value = self._rational(tree, ints)
        if value.denominator != 1:
            raise Outside
        return int(value)

    def _rational(self, tree: Tree, ints: Ints) -> Fraction:
        match tree:
            case Number(value, _):
                return value
            case Name(name) if name in ints:
                return Fraction(ints[name])
            case Name(name) if name in self.world.sizes:
                return Fraction(self.world.sizes[name])
            case Name():
                found = self.value(tree, ints)
                if found.exact is None:
                    raise Unclear(f"{tree.id!r} is no index")
                return found.exact
            case Unary(op, operand):
                inner = self._rational(operand, ints)
                return -inner if op == "-" else inner
            case Binary(op, left, right) if op in ("+", "-", "*", "·", "/", IMPLICIT):
                x, y = self._rational(left, ints), self._rational(right, ints)
                if op == "/" and y == 0:
                    raise Outside
                return x + y if op == "+" else x - y if op == "-" else x / y if op == "/" else x * y
        found = self.value(tree, ints)
        if found.exact is None:
            raise Unclear("an index is an integer")
        return found.exact

    def _own_function(self, tree: Call, ints: Ints) -> Value:
        """A function that the problem defines, written out."""
        function = self.names.functions[tree.func.id]
        if len(tree.args) != len(function.parameters):
            raise Unclear(f"{function.name} takes {len(function.parameters)} arguments")
        settings = dict(zip(function.parameters, tree.args, strict=True))
        values = {name: self.value(arg, ints) for name, arg in settings.items()}
        inner = Meaning(self.world, self.reading, self.names, self.notation, self.used, values)
        return inner.value(function.body, {})


def names_of(problem: Problem) -> Names:
    """The namespace of a problem, with the shapes of its families."""
    document = problem.document
    collected = collect(document)
    scope = Scope(collected.names, read)
    read_steps(document, scope)
    read_declarations(collected.declared, collected.heads, scope)
    defined = read_heads(collected.heads, scope)
    infer_shapes(defined, collected.names)
    settle_facts(defined, collected.names)
    return collected.names


def elaborated(m: Meaning, tree: Tree, ints: Ints) -> Value:
    """The value of what is read as a problem reads it: expectations, divergences, densities."""
    bound = {name: index_symbol(name) for name in ints}
    try:
        expr = read(tree, Scope(m.names, read, bound))
    except (ProblemError, Undetermined, Broken) as error:
        raise Unclear(error.message if isinstance(error, ProblemError) else str(error)) from None
    value = m.world.numbers.value(expr, {symbol: ints[name] for name, symbol in bound.items()})
    return v.tensor(value)


def _names(tree: Tree) -> list[Name]:
    match tree:
        case Name():
            return [tree]
        case Unary(_, operand):
            return _names(operand)
        case Binary(_, left, right):
            return [*_names(left), *_names(right)]
        case _:
            return []


_PRODUCTS: Final = frozenset({"*", "·", "×", "@", IMPLICIT})
_CONSTANTS: Final[Mapping[str, float]] = {"pi": float(np.pi), "e": float(np.e), "inf": float("inf")}

Handler = Callable[[Meaning, Call, Ints], Value]
CALLS: Final[dict[str, Handler]] = {}
"""What a call is worth, by the name of its function."""
