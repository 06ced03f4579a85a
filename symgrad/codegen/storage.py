"""Where the members of each family live: an argument, an array with one row a step, or a value of the current step."""

from collections.abc import Mapping

import sympy
from msgspec import Struct

from symgrad.codegen.accesses import Access, may_hit
from symgrad.codegen.intervals import Ranges, at_most, largest, smallest
from symgrad.codegen.model import Input, Model, holds_exactly
from symgrad.codegen.names import Names
from symgrad.codegen.plan import Loop, Plan
from symgrad.codegen.simplify import covers
from symgrad.errors import InternalError
from symgrad.tensor.integers import Int, difference, integer, same
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
        direct: Whether the array is made whole, by one assignment.
        copied: The inputs that are copied into it.
        padded: Whether it has rows of zeros outside of the family's range.
    """

    name: str
    axes: tuple[Axis | None, ...]
    direct: bool = True
    copied: tuple[Input, ...] = ()
    padded: bool = False


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
            found[family] = Store(i.argument, _argument_axes(i))
            continue
        mine = [a for a in reads if a.node.name == family and not any(holds_exactly(i, a.node) for i in inputs)]
        if not definitions and not mine:
            continue
        name = names.of(("family", family), family)
        mixed = any(may_hit(a, i.target) for i in inputs for a in mine)
        only = definitions[0] if len(definitions) == 1 and not mixed else None
        if only is not None and only.indices and not only.ranges and not only.conds:
            found[family] = Store(name, tuple(None for _ in only.indices))
        elif family in local:
            axes = tuple(None if i in local[family] else _range_axis(definitions[0], i) for i in definitions[0].indices)
            found[family] = Store(name, axes)
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
    return Axis(index, 1) if x is None else Axis(x.lo, integer(difference(x.hi, x.lo) + 1))


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
    return Store(name, tuple(axes), direct, copied, padded)


def _single(model: Model, a: Access, pieces: list[Definition]) -> bool:
    """Whether one piece alone is known to make everything that is read."""
    return any(covers(model, a, d) for d in pieces)


def _plain(d: Definition) -> bool:
    """Whether the indices are ranged symbols, in the order of the ranges' nesting or independent of each other."""
    symbols = {x.symbol for x in d.ranges}
    bounds = {s for x in d.ranges for e in (x.lo, x.hi) if not isinstance(e, int) for s in e.free_symbols}
    return all(i in symbols for i in d.indices) and not (bounds & symbols) and len(set(d.indices)) == len(d.indices)


def _ends(d: Definition, axis: int) -> tuple[Int, Int]:
    index = d.indices[axis]
    x = next((r for r in d.ranges if r.symbol == index), None)
    if x is None:
        return index, index
    outer: Ranges = tuple(r for r in d.ranges if r.symbol != index)
    from_others = {s for e in (x.lo, x.hi) if not isinstance(e, int) for s in e.free_symbols}
    if from_others & {r.symbol for r in outer}:
        raise InternalError(f"the range of {d.family} along {index} depends on another index")
    return x.lo, x.hi


def _locals(model: Model, steps: Plan) -> dict[str, set[sympy.Symbol]]:
    """Families whose members are read at their own step only, with the loop symbols that need no axis."""
    out: dict[str, set[sympy.Symbol]] = {}
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
                out[d.family] = {loop.step.symbol}
    return out


def _whole_step(d: Definition, loop: Loop) -> bool:
    x = next(r for r in d.ranges if r.symbol == loop.step.symbol)
    bounds = {s for r in d.ranges for e in (r.lo, r.hi) if not isinstance(e, int) for s in e.free_symbols}
    nested = any(isinstance(part, Loop) for part in loop.body)
    whole = same(x.lo, loop.step.lo) and same(x.hi, loop.step.hi)
    return whole and not nested and loop.step.symbol not in bounds and _plain(d)


def _same_step(reader: Definition, a: Access, axis: int, loop: Loop) -> bool:
    """Whether a reader in the loop reads at the loop's own step (members may have named their step otherwise)."""
    member = next((m for m in loop.members if m.family == reader.family and m.body is reader.body), None)
    return member is not None and same(a.node.subs[axis], loop.step.symbol)
