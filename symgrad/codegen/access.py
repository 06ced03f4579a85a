"""Indexing: which rows and entries of an array, as slices where it can be, as index arrays elsewhere."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import sympy
from msgspec import Struct

from symgrad.codegen.intervals import Ranges, at_most, coefficient, tidy
from symgrad.codegen.text import ATOM, Code, widened
from symgrad.tensor.integers import Int, difference, integer, same, symbols_of
from symgrad.tensor.nodes import Binder

Label: TypeAlias = "sympy.Symbol | int"


class Place(Struct, frozen=True):
    """One place along an axis of some length, counted from 0; it may depend on batch indices."""

    index: Int
    length: Int


class Span(Struct, frozen=True):
    """The places start..stop − 1 along an axis, which stays."""

    start: Int
    stop: Int
    length: Int


class Data(Struct, frozen=True):
    """A place given by data: source of an integer (array), with the batch indices along its axes."""

    code: Code


Item: TypeAlias = Place | Span | Data


class Indexer(Struct, frozen=True):
    """How indices are written in one place of a function.

    Attributes:
        number: Source of an integer without batch indices, and its precedence.
        array: Source of the integers that an expression takes, spread along the given batch indices in order.
        batch: The batch indices with their ranges, outermost first.
        known: All ranges that inequalities may be proved from.
        guarded: Whether places outside of the array may be asked for (and are then not used).
    """

    number: Callable[[Int], tuple[str, int]]
    array: Callable[[Int, tuple[sympy.Symbol, ...]], str]
    batch: Ranges
    known: Ranges
    guarded: bool = False

    def take(self, name: str, items: Sequence[Item], more: int = 0) -> Code:
        """The indexed array, batch axes in front in their order, then the axes that stay.

        Args:
            name: the array.
            items: what to take along its first axes.
            more: the number of axes after those.
        """
        if not items:
            return Code(name, ATOM)
        used = [self._symbols(i) for i in items]
        if self._sliceable(items, used):
            return self._sliced(name, items, more)
        return self._gathered(name, items, used, more)

    def _symbols(self, item: Item) -> tuple[sympy.Symbol, ...]:
        if isinstance(item, Data):
            return item.code.batch
        if isinstance(item, Span):
            return ()
        here = symbols_of(item.index)
        return tuple(x.symbol for x in self.batch if x.symbol in here)

    def _sliceable(self, items: Sequence[Item], used: list[tuple[sympy.Symbol, ...]]) -> bool:
        seen: list[sympy.Symbol] = []
        for item, symbols in zip(items, used, strict=True):
            if isinstance(item, Data) and symbols:
                return False
            if isinstance(item, Place) and symbols:
                if len(symbols) > 1 or (coefficient(item.index, symbols[0]) or 0) < 1:
                    return False
                x = self._range(symbols[0])
                if self.guarded and not self._inside(item):
                    return False
                if any(s in symbols_of(e) for e in (x.lo, x.hi) for s in (y.symbol for y in self.batch)):
                    return False
            seen += symbols
        return len(seen) == len(set(seen))

    def _range(self, symbol: sympy.Symbol) -> Binder:
        return next(x for x in self.batch if x.symbol == symbol)

    def _inside(self, item: Place) -> bool:
        return at_most(0, item.index, self.known) and at_most(item.index + 1, item.length, self.known)

    def _sliced(self, name: str, items: Sequence[Item], more: int) -> Code:
        parts: list[str] = []
        labels: list[Label] = []
        for k, item in enumerate(items):
            if isinstance(item, Data):
                parts.append(item.code.text)
            elif isinstance(item, Span):
                parts.append(self.slice(item.start, item.stop, item.length))
                labels.append(k)
            else:
                symbols = self._symbols(item)
                if symbols:
                    x = self._range(symbols[0])
                    step = coefficient(item.index, x.symbol) or 1
                    offset = difference(item.index, step * x.symbol)
                    start = tidy(integer(sympy.expand(step * x.lo + offset)))
                    stop = tidy(integer(sympy.expand(step * x.hi + offset + step)))
                    parts.append(self.slice(start, stop, item.length, step))
                    labels.append(symbols[0])
                else:
                    parts.append(self.number(item.index)[0])
        while parts and parts[-1] == ":":
            parts.pop()
        text = f"{name}[{', '.join(parts)}]" if parts else name
        return self.ordered(text, [*labels, *range(len(items), len(items) + more)], bool(parts))

    def _gathered(self, name: str, items: Sequence[Item], used: list[tuple[sympy.Symbol, ...]], more: int) -> Code:
        """Index arrays for all places: NumPy puts their axes where they stand, or first where a slice divides them."""
        symbols = tuple(x.symbol for x in self.batch if any(x.symbol in u for u in used))
        parts: list[str] = []
        kept: list[tuple[int, Label]] = []
        advanced = [k for k, item in enumerate(items) if not isinstance(item, Span)]
        for k, item in enumerate(items):
            if isinstance(item, Span):
                parts.append(self.slice(item.start, item.stop, item.length))
                kept.append((k, k))
            elif isinstance(item, Data):
                parts.append(spread(item.code, symbols).text)
            else:
                parts.append(self._clipped(item, symbols))
        divided = advanced[-1] - advanced[0] >= len(advanced)
        before = [] if divided else [label for k, label in kept if k < advanced[0]]
        labels: list[Label] = [*before, *symbols, *(label for _, label in kept if label not in before)]
        while parts and parts[-1] == ":":
            parts.pop()
        return self.ordered(f"{name}[{', '.join(parts)}]", [*labels, *range(len(items), len(items) + more)])

    def _clipped(self, item: Place, symbols: tuple[sympy.Symbol, ...]) -> str:
        if not self._symbols(item):
            return self.number(item.index)[0]
        text = self.array(item.index, symbols)
        if not self.guarded or self._inside(item):
            return text
        return f"np.clip({text}, 0, {self.number(difference(item.length, 1))[0]})"

    def slice(self, start: Int, stop: Int, size: Int, step: int = 1) -> str:
        """``start:stop:step`` of an axis of a given size, as short as it can be; the step divides stop − start."""
        first = "" if same(start, 0) else self.number(start)[0]
        every = "" if step == 1 else str(step)
        short = difference(size, stop)
        if same(stop, size):
            return _slice(first, "", every)
        if isinstance(short, int) and short > 0:
            return _slice(first, f"-{short}", every)
        last = self.number(stop)[0]
        if not at_most(0, stop, self.known):
            last = f"max({last}, 0)"
        return _slice(first, last, every)

    def ordered(self, text: str, labels: list[Label], sliced: bool = False) -> Code:
        """The axes brought into order: batch indices as they are nested, then the array's own."""
        rank = {x.symbol: k for k, x in enumerate(self.batch)}
        batch = sorted((s for s in labels if isinstance(s, sympy.Symbol)), key=lambda s: rank[s])
        own = [s for s in labels if isinstance(s, int)]
        wanted: list[Label] = [*batch, *own]
        native = None
        if wanted != labels:
            native = text, tuple(sorted(own).index(s) if isinstance(s, int) else s for s in labels)
            axes = [labels.index(s) for s in wanted]
            text = f"{text}.T" if axes == [1, 0] else f"{text}.transpose({', '.join(map(str, axes))})"
            sliced = False
        return Code(text, ATOM, tuple(batch), len(own), sliced=sliced, native=native)


def _slice(*ends: str) -> str:
    """Spaces around the colons where an end is more than a name or a number, as formatters have it."""
    first, last, every = ends
    shown = [first, last, every] if every else [first, last]
    if all(not end or end.lstrip("-").isalnum() for end in shown):
        return ":".join(shown)
    return " : ".join(shown).replace(" :  : ", " :: ").strip()


def spread(code: Code, symbols: Sequence[sympy.Symbol], order: int | None = None) -> Code:
    """The array with an axis of length 1 for each batch index it lacks, its own axes lined up at the last one."""
    total = code.order if order is None else order
    layout = [s in code.batch for s in symbols] + [False] * (total - code.order)
    while layout and not layout[0]:
        layout.pop(0)
    if all(layout) or code.axes == 0:
        return code
    marks = [":" if here else "None" for here in layout]
    return Code(widened(code, marks), ATOM, code.batch, code.order, code.boolean)
