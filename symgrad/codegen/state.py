"""What a function being written has so far: its lines, names, helpers, and what has been computed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import permutations

import sympy
from msgspec import Struct, field

from symgrad.codegen.access import Indexer
from symgrad.codegen.integers_text import integer_source
from symgrad.codegen.intervals import Ranges
from symgrad.codegen.names import Names
from symgrad.codegen.storage import Stores
from symgrad.codegen.text import ATOM, Code, layout
from symgrad.errors import InternalError, QuestionError
from symgrad.tensor.integers import Int, symbols_of
from symgrad.tensor.nodes import Binder, Expr, Shape
from symgrad.tensor.reindex import free_ints as _free_ints

free_ints = lru_cache(maxsize=65536)(_free_ints)


class NotVectorisable(Exception):
    """An expression that NumPy cannot compute for all values of an index at once; a loop can."""


class Scope(Struct, frozen=True):
    """Where an expression stands.

    Attributes:
        known: The ranges of open steps and of enclosing loops.
        batch: The indices along the leading axes, with their ranges.
        guarded: Whether some places are asked for only because of a mask.
        label: What intermediate values are called after.
    """

    known: Ranges = ()
    batch: Ranges = ()
    guarded: bool = False
    label: str = "value"

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The batch indices."""
        return tuple(x.symbol for x in self.batch)

    @property
    def ranges(self) -> Ranges:
        """All ranges, outermost first."""
        return self.known + self.batch

    def over(self, *binders: Binder) -> "Scope":
        """The scope with more batch indices."""
        return Scope(self.known, self.batch + binders, self.guarded, self.label)

    def at(self, *binders: Binder) -> "Scope":
        """The scope inside loops over more indices."""
        return Scope(self.known + binders, self.batch, self.guarded, self.label)

    def masked(self) -> "Scope":
        """The scope in which places out of range may be asked for."""
        return Scope(self.known, self.batch, True, self.label)


class State(Struct):
    """One function being written."""

    names: Names
    sizes: dict[sympy.Symbol, str]
    stores: Stores
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    helpers: dict[str, None] = field(default_factory=dict)
    used: set[sympy.Symbol] = field(default_factory=set)
    memo: dict[object, Code] = field(default_factory=dict)
    shared: frozenset[Expr] = frozenset()
    common: frozenset[Expr] = frozenset()
    allocated: set[str] = field(default_factory=set)
    prelude: list[str] = field(default_factory=list)
    ranges: dict[Binder, str] = field(default_factory=dict)

    def gap(self) -> None:
        """An empty line, where blocks meet."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def line(self, text: str) -> None:
        """One statement, at the current depth."""
        self.lines += layout(self.indent, text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """The statements under ``head:``; what they compute is not known after them."""
        self.line(f"{head}:")
        start, before = len(self.lines) - 1, dict(self.memo)
        self.indent += 1
        try:
            yield
        finally:
            self.indent -= 1
            self.memo = before
            if self.indent == 1:
                self.lines[start:start] = self.prelude
                self.prelude = []

    def attempt(self, make: Callable[[], Code]) -> Code | None:
        """What make() gives, or None, with nothing written, where it cannot be vectorised."""
        lines, memo = list(self.lines), dict(self.memo)
        prelude, ranges = list(self.prelude), dict(self.ranges)
        helpers, used, indent = dict(self.helpers), set(self.used), self.indent
        names, allocated = self.names.snapshot(), set(self.allocated)
        try:
            return make()
        except NotVectorisable:
            self.lines, self.memo, self.helpers, self.used, self.indent = lines, memo, helpers, used, indent
            self.names.restore(names)
            self.allocated, self.prelude, self.ranges = allocated, prelude, ranges
            return None

    def symbol(self, s: sympy.Symbol) -> tuple[str, int]:
        """The name of a size, an open step or a loop's index."""
        if s in self.sizes:
            self.used.add(s)
            return self.sizes[s], ATOM
        if s.is_positive:
            raise QuestionError(f"no argument shows the size {s.name}")
        return self.names.of(("index", s), s.name, _INDEX_NAMES), ATOM

    def number(self, value: Int) -> tuple[str, int]:
        """Source of an integer expression without batch indices."""
        return integer_source(value, self.symbol)

    def integer(self, value: Int) -> str:
        """Source of an integer expression as an argument."""
        return self.number(value)[0]

    def shape(self, sizes: Shape) -> str:
        """Source of a shape."""
        if len(sizes) == 1:
            return self.integer(sizes[0])
        return f"({', '.join(self.integer(s) for s in sizes)})"

    def indexer(self, scope: Scope) -> Indexer:
        """How arrays are indexed in a scope."""
        return Indexer(
            self.number,
            lambda value, symbols: self.index_array(value, symbols, scope)[0],
            scope.batch,
            scope.ranges,
            scope.guarded,
        )

    def index_array(self, value: Int, symbols: tuple[sympy.Symbol, ...], scope: Scope) -> tuple[str, int]:
        """Source of the integers that an expression takes along batch indices, an axis for each of ``symbols``."""
        ranges = {x.symbol: x for x in scope.batch}

        def resolve(s: sympy.Symbol) -> tuple[str, int]:
            if s not in ranges:
                return self.symbol(s)
            name = self.range_array(ranges[s], scope)
            after = len(symbols) - symbols.index(s) - 1
            return (f"{name}[:{', None' * after}]" if after else name), ATOM

        return integer_source(value, resolve, arrays=True)

    def range_array(self, x: Binder, scope: Scope) -> str:
        """The name of the array lo, lo + 1, …, hi."""
        if any(s in scope.symbols for e in (x.lo, x.hi) for s in symbols_of(e)):
            raise NotVectorisable
        key = ("range", x)
        name = self.names.of(key, x.symbol.name, _INDEX_NAMES)
        made = f"{name} = np.arange({self.integer(x.lo)}, {self.integer(x.hi + 1)})"
        loops = {y.symbol for y in scope.known} - set(self.sizes)
        if (symbols_of(x.lo) | symbols_of(x.hi)) & loops:
            if key not in self.memo:
                self.line(made)
                self.memo[key] = Code(name)
        elif x not in self.ranges:
            self.ranges[x] = name
            target = self.lines if self.indent == 1 else self.prelude
            target += layout(1, made)
        return name

    def bind(self, code: Code, wanted: str) -> Code:
        """The value under a name of its own."""
        name = self.names.fresh(wanted)
        self.line(f"{name} = {code.text}")
        return Code(name, ATOM, code.batch, code.order, code.boolean)

    def remember(self, node: Expr, scope: Scope, code: Code) -> None:
        """From here on, to the end of the block, a node's value has a name."""
        self.memo[node, _along(node, scope), scope.guarded] = code

    def recalled(self, node: Expr, scope: Scope) -> Code | None:
        """The name of a node's value, if it has one."""
        if not self.memo:
            return None
        orders = permutations(_along(node, scope))
        return next((known for x in orders if (known := self.memo.get((node, x, scope.guarded)))), None)

    def helper(self, source: str) -> None:
        """A function that the module must hold."""
        self.helpers[source] = None


def _along(node: Expr, scope: Scope) -> Ranges:
    return tuple(x for x in scope.batch if x.symbol in free_ints(node))


_INDEX_NAMES = ("i", "j", "k", "m", "p", "q", "r", "s", "u", "v")


def unreachable(what: str) -> InternalError:
    """A node that should not get here."""
    return InternalError(f"{what} has no NumPy source")
