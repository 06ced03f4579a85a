"""Where the members of each family live: an argument, an array with one row a step, or a value of the current step."""

from collections.abc import Mapping, Sequence

import sympy
from msgspec import Struct
from msgspec.structs import replace as changed

from symgrad.codegen.access import Data, Item, Span
from symgrad.codegen.accesses import Access, may_hit
from symgrad.codegen.intervals import Ranges, at_most, extreme, largest, smallest
from symgrad.codegen.model import Input, Model, holds_exactly
from symgrad.codegen.names import Names
from symgrad.codegen.plan import Loop, Plan
from symgrad.codegen.simplify import covers
from symgrad.errors import InternalError, QuestionError
from symgrad.tensor.integers import Int, difference, integer, same, symbols_of
from symgrad.tensor.nodes import Shape
from symgrad.tensor.system import Definition


class Axis(Struct, frozen=True):
    """An index axis of an array: row 0 is the index ``base``, and there are ``length`` rows."""

    base: Int
    length: Int

    @property
    def last(self) -> Int:
        """The index of the last row."""
        return integer(difference(self.base + self.length, 1))


class Store(Struct, frozen=True):
    """An array of a family.

    Attributes:
        name: The Python name.
        axes: The index axes; None where an index is the current step and has no axis.
        entry: The shape of a member, of the largest one where it changes from step to step.
        direct: Whether the array is made whole, by one assignment.
        copied: The inputs that are copied into it.
        padded: Whether it has rows of zeros outside of the family's range.
    """

    name: str
    axes: tuple[Axis | None, ...]
    entry: Shape
    direct: bool = True
    copied: tuple[Input, ...] = ()
    padded: bool = False

    def taken(self, shape: Shape, items: Sequence[Item] = ()) -> list[Item]:
        """What is taken of a member of a given shape, along the row's own axes, which may be longer than it."""
        wanted: list[Item] = [*items, *(Span(0, n, n) for n in shape[len(items) :])]
        made = [x if isinstance(x, Data) else changed(x, length=n) for x, n in zip(wanted, self.entry, strict=True)]
        while len(made) > len(items) and isinstance(last := made[-1], Span) and same(last.stop, last.length):
            made.pop()
        return made


class Stores(Struct, frozen=True):
    """All of a function's arrays by family; ``arguments`` holds single members given as arguments."""

    arrays: Mapping[str, Store]
    arguments: tuple[Input, ...]


def stores(model: Model, steps: Plan, names: Names) -> Stores:
    """The store of every family that is defined or read."""
    reads = model.all_reads()
    local = _locals(model, steps)
    found: dict[str, Store] = {}
    for family in dict.fromkeys([*(d.family for d in model.definitions), *(i.family for i in model.inputs)]):
        definitions = model.family(family)
        inputs = [i for i in model.inputs if i.family == family]
        if not definitions and len(inputs) == 1:
            i = inputs[0]
            found[family] = Store(i.argument, _argument_axes(i), i.node.shape)
            continue
        mine = [a for a in reads if a.node.name == family and not any(holds_exactly(i, a.node) for i in inputs)]
        if not definitions and not mine:
            continue
        name = names.of(("family", family), family)
        mixed = any(may_hit(a, i.target) for i in inputs for a in mine)
        only = definitions[0] if len(definitions) == 1 and not mixed else None
        if only is not None and only.indices and not only.ranges and not only.conds:
            found[family] = Store(name, tuple(None for _ in only.indices), only.body.shape)
        elif family in local:
            only, step = local[family]
            axes = tuple(None if i == step else _range_axis(only, i) for i in only.indices)
            found[family] = Store(name, axes, only.body.shape)
        else:
            found[family] = _array(model, name, definitions, inputs, mine)
    return Stores(found, model.inputs)


def _argument_axes(i: Input) -> tuple[Axis | None, ...]:
    ranges = {x.symbol: x for x in i.ranges}
    return tuple(
        Axis(ranges[s].lo, integer(difference(ranges[s].hi, ranges[s].lo) + 1)) if s in ranges else None for s in i.subs
    )


def _range_axis(d: Definition, index: Int) -> Axis:
    x = next((r for r in d.ranges if r.symbol == index), None)
    return Axis(index, 1) if x is None else Axis(x.lo, x.length)


def _array(
    model: Model, name: str, definitions: tuple[Definition, ...], inputs: list[Input], reads: list[Access]
) -> Store:
    copied = tuple(i for i in inputs if any(may_hit(a, i.target) for a in reads))
    pieces = [*definitions, *(i.target for i in copied)]
    axes: list[Axis | None] = []
    padded = False
    for axis in range(len(pieces[0].indices)):
        ends = [_ends(d, axis) for d in pieces]
        lows, highs = [lo for lo, _ in ends], [hi for _, hi in ends]
        lo, hi = smallest(lows, model.open), largest(highs, model.open)
        for a in reads:
            if a.guarded:
                continue
            first, last = a.span(axis)
            if _single(model, a, pieces):
                continue
            if first is not None and not at_most(lo, first, model.open):
                lo, padded = smallest((lo, first), model.open), True
            if last is not None and not at_most(last, hi, model.open):
                hi, padded = largest((hi, last), model.open), True
        axes.append(Axis(lo, integer(difference(hi, lo) + 1)))
    only = definitions[0] if len(definitions) == 1 and not copied else None
    direct = only is not None and not only.conds and not padded and _plain(only)
    if not pieces:
        raise InternalError(f"{name} has no values")
    return Store(name, tuple(axes), _entry(model, definitions, copied, reads), direct, copied, padded)


def _entry(model: Model, definitions: tuple[Definition, ...], copied: tuple[Input, ...], reads: list[Access]) -> Shape:
    """The shape that has room for every member, and for what is asked of none at all in a sum that is empty."""
    shapes = [tuple(_furthest(n, d.ranges, d.family, upper=True) for n in d.body.shape) for d in definitions]
    room: list[Int] = []
    for axis, sizes in enumerate(zip(*shapes, *(i.node.shape for i in copied), strict=True)):
        grows = any(symbols_of(d.body.shape[axis]) & {x.symbol for x in d.ranges} for d in definitions)
        picked = [(a, a.entries[axis]) for a in reads if grows and a.entries and not a.guarded]
        ends = [extreme(place, a.ranges, upper=True) for a, place in picked if place is not None]
        room.append(largest([*sizes, *(integer(end + 1) for end in ends if end is not None)], model.open))
    return tuple(room)


def _single(model: Model, a: Access, pieces: list[Definition]) -> bool:
    """Whether one piece alone is known to make everything that is read."""
    return any(covers(model, a, d) for d in pieces)


def _plain(d: Definition, step: sympy.Symbol | None = None) -> bool:
    """Whether the indices are ranged symbols, whose ranges depend on no other index but the current step."""
    symbols = {x.symbol for x in d.ranges}
    bounds = {s for x in d.ranges for e in (x.lo, x.hi) for s in symbols_of(e)} - {step}
    return all(i in symbols for i in d.indices) and not (bounds & symbols) and len(set(d.indices)) == len(d.indices)


def _ends(d: Definition, axis: int) -> tuple[Int, Int]:
    """The least and the greatest index along an axis, whatever the other indices are."""
    index = d.indices[axis]
    x = next((r for r in d.ranges if r.symbol == index), None)
    if x is None:
        return index, index
    outer = tuple(r for r in d.ranges if r is not x)
    return _furthest(x.lo, outer, d.family, upper=False), _furthest(x.hi, outer, d.family, upper=True)


def _furthest(value: Int, ranges: Ranges, family: str, upper: bool) -> Int:
    found = extreme(value, ranges, upper)
    if found is None:
        raise QuestionError(f"how far {family} goes is not settled by {value}")
    return found


def _locals(model: Model, steps: Plan) -> dict[str, tuple[Definition, sympy.Symbol]]:
    """Families whose members are read at their own step only, as their loop has them, with its step: it has no axis."""
    out: dict[str, tuple[Definition, sympy.Symbol]] = {}
    outside = {a.node.name for a in model.output_reads()}
    for loop in steps:
        if not isinstance(loop, Loop):
            continue
        families = {d.family for d in loop.members}
        for d in loop.members:
            if d.family in outside or len(model.family(d.family)) != 1 or d.conds:
                continue
            if any(i.family == d.family for i in model.inputs) or not _whole_step(d, loop):
                continue
            axis = d.indices.index(loop.step.symbol)
            readers = [(m, a) for m in model.definitions for a in model.reads(m) if a.node.name == d.family]
            if all(m.family in families and _same_step(m, a, axis, loop) for m, a in readers):
                out[d.family] = d, loop.step.symbol
    return out


def _whole_step(d: Definition, loop: Loop) -> bool:
    x = next(r for r in d.ranges if r.symbol == loop.step.symbol)
    nested = any(isinstance(part, Loop) for part in loop.body)
    whole = same(x.lo, loop.step.lo) and same(x.hi, loop.step.hi)
    return whole and not nested and _plain(d, loop.step.symbol)


def _same_step(reader: Definition, a: Access, axis: int, loop: Loop) -> bool:
    """Whether a reader in the loop reads at the loop's own step (members may have named their step otherwise)."""
    member = next((m for m in loop.members if m.family == reader.family and m.body is reader.body), None)
    return member is not None and same(a.node.subs[axis], loop.step.symbol)
